//! The user-space helpers of a network namespace: read and changed.
#![forbid(unsafe_code)]

use super::object::{Helper, Number};
use super::request::Request;
use super::value::{UserHelper, checked_name};
use super::wire;
use crate::connection::{Answer, Connection, is};
use crate::error::{Error, ErrorKind, RequestKind};
use crate::netlink::message::Message;
use crate::options::Options;
use crate::protocol::{Family, Protocol};
use std::iter::FusedIterator;

/// A connection to the user-space helpers of a network namespace.
///
/// It takes a kernel that was built with `CONFIG_NF_CT_NETLINK_HELPER`, which few are, and
/// `CAP_NET_ADMIN` in the first user namespace; the errors of others name the option.
///
/// ```
/// use ctrs::{Error, UserHelpers};
///
/// fn print() -> Result<(), Error> {
///     for helper in UserHelpers::open()?.list()? {
///         let helper = helper?;
///         println!("{:?} sends packets to queue {}", helper.name(), helper.queue());
///     }
///     Ok(())
/// }
///
/// if let Err(error) = print() {
///     println!("{error}");
/// }
/// ```
#[derive(Debug)]
pub struct UserHelpers {
    connection: Connection,
}

impl UserHelpers {
    /// Connects to the helpers of the network namespace the calling thread is in.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] from a kernel without netfilter netlink; [`ErrorKind::System`].
    pub fn open() -> Result<Self, Error> {
        Self::open_with(&Options::new())
    }

    /// Connects to the helpers through a socket with these options.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`ErrorKind::Privilege`].
    pub fn open_with(options: &Options) -> Result<Self, Error> {
        Ok(Self { connection: Connection::open(options)? })
    }

    /// Creates a helper.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`]; [`ErrorKind::Invalid`]: it has no policy, or this kernel has no such
    /// helpers; [`ErrorKind::Privilege`].
    pub fn create(&mut self, helper: &UserHelper) -> Result<(), Error> {
        self.request(&Request::Set { helper: helper.object(), new: true })
    }

    /// Creates a helper, or changes queue, status and policies of the one of its name and protocols.
    ///
    /// # Errors
    /// Those of [`create`](Self::create); [`ErrorKind::Busy`]: that has another length of private data
    /// or other policies.
    pub fn set(&mut self, helper: &UserHelper) -> Result<(), Error> {
        self.request(&Request::Set { helper: helper.object(), new: false })
    }

    /// The helper of this name, family and protocol; `None` if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`], [`ErrorKind::Invalid`].
    pub fn get(
        &mut self,
        name: &str,
        family: Family,
        protocol: Protocol,
    ) -> Result<Option<UserHelper>, Error> {
        let mut found = None;
        let key = key(name, family, protocol)?;
        let answered = self.connection.ask(&Request::Get(&key), &mut |message| {
            found = Some(helper(message)?);
            Ok(())
        });
        if is(&answered, ErrorKind::NotFound) {
            return Ok(None);
        }
        answered.map(|()| found)
    }

    /// Deletes the helper of this name, family and protocol.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Busy`]: a rule or a flow uses it.
    pub fn delete(&mut self, name: &str, family: Family, protocol: Protocol) -> Result<(), Error> {
        self.request(&Request::Delete(&key(name, family, protocol)?))
    }

    /// Deletes all helpers.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`]: one is in use.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.request(&Request::Flush)
    }

    /// All helpers, one at a time, through a socket of its own.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn list(
        &self,
    ) -> Result<impl FusedIterator<Item = Result<UserHelper, Error>> + use<>, Error> {
        let connection = self.connection.another()?;
        let answer = connection.begin(Some(&Request::List), RequestKind::ListHelpers)?;
        Ok(List { answer })
    }

    fn request(&mut self, request: &Request<'_>) -> Result<(), Error> {
        self.connection.ask(request, &mut |_| Ok(()))
    }
}

/// What names a helper.
fn key(name: &str, family: Family, protocol: Protocol) -> Result<Helper, Error> {
    let mut key = Helper::default();
    key.set_name(checked_name(name)?);
    key.set(Number::L3Proto, family.number().into());
    key.set(Number::L4Proto, protocol.number().into());
    Ok(key)
}

/// The helper that a message tells.
fn helper(message: &Message<'_>) -> Result<UserHelper, Error> {
    let mut helper = Helper::default();
    wire::parse(&mut helper, message.attributes())?;
    Ok(UserHelper::read(helper))
}

struct List {
    answer: Answer,
}

impl Iterator for List {
    type Item = Result<UserHelper, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.answer.next().map(|message| message.map(|message| helper(&message)));
        let found = found.transpose()?.and_then(|helper| helper);
        if found.is_err() {
            self.answer.end();
        }
        Some(found)
    }
}

impl FusedIterator for List {}
