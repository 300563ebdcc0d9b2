//! The timeout policies of a network namespace: read, changed, and the defaults.
#![forbid(unsafe_code)]

use super::object::Timeout;
use super::request::Request;
use super::value::{TimeoutPolicy, Timeouts, checked_name};
use super::wire;
use crate::connection::{Answer, Connection, is};
use crate::error::{Error, ErrorKind, RequestKind};
use crate::netlink;
use crate::netlink::message::Message;
use crate::options::Options;
use crate::protocol::Protocol;
use std::iter::FusedIterator;
use std::os::fd::{AsFd, BorrowedFd};

/// A connection to the timeout policies of a network namespace.
///
/// Every request needs `CAP_NET_ADMIN` in the user namespace that owns the network namespace, and the
/// module `nfnetlink_cttimeout`, which the kernel loads by itself. The timeout objects of nftables are
/// others, and not among them.
///
/// ```no_run
/// use ctrs::{Family, Protocol, TimeoutPolicies, TimeoutPolicy, TimeoutState, Timeouts};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), ctrs::Error> {
/// let mut policies = TimeoutPolicies::open()?;
/// let timeouts = Timeouts::of(Protocol::Tcp)?
///     .with(TimeoutState::TCP_ESTABLISHED, Duration::from_secs(3600))?;
/// policies.create(&TimeoutPolicy::new("hour", Family::Ipv4, timeouts)?)?;
/// for policy in policies.list()? {
///     println!("{}", policy?);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TimeoutPolicies {
    connection: Connection,
}

impl TimeoutPolicies {
    /// Connects to the policies of the network namespace the calling thread is in.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] from a kernel without netfilter netlink; [`ErrorKind::System`].
    pub fn open() -> Result<Self, Error> {
        Self::open_with(&Options::new())
    }

    /// Connects to the policies through a socket with these options.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`ErrorKind::Privilege`] without `CAP_SYS_ADMIN` in another
    /// namespace.
    pub fn open_with(options: &Options) -> Result<Self, Error> {
        Ok(Self { connection: Connection::open(options)? })
    }

    /// Creates a policy.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`]: there is one of this name; [`ErrorKind::Unsupported`]: this kernel keeps no
    /// timeouts of the protocol; [`ErrorKind::Invalid`]: a timeout is longer than the kernel can count.
    pub fn create(&mut self, policy: &TimeoutPolicy) -> Result<(), Error> {
        self.request(&Request::Create(policy.object()))
    }

    /// Creates a policy, or puts it in place of the one of its name: rules that use that use this one from
    /// then on, and flows from their next packet on.
    ///
    /// # Errors
    /// Those of [`create`](Self::create); [`ErrorKind::Invalid`]: the one that is there has another
    /// family or protocol.
    pub fn replace(&mut self, policy: &TimeoutPolicy) -> Result<(), Error> {
        self.request(&Request::Replace(policy.object()))
    }

    /// The policy of this name; `None` if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`]; [`ErrorKind::Invalid`]: no policy can have this name.
    pub fn get(&mut self, name: &str) -> Result<Option<TimeoutPolicy>, Error> {
        let mut found = None;
        let answered =
            self.connection.ask(&Request::Get(checked_name(name.as_bytes())?), &mut |message| {
                found = Some(policy(message));
                Ok(())
            });
        if is(&answered, ErrorKind::NotFound) {
            return Ok(None);
        }
        answered.map(|()| found)
    }

    /// Deletes the policy of this name. Flows that have it keep their timer, and get the defaults at
    /// their next packet.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: there is none; [`ErrorKind::Busy`]: a rule uses it.
    pub fn delete(&mut self, name: &str) -> Result<(), Error> {
        self.request(&Request::Delete(checked_name(name.as_bytes())?))
    }

    /// Deletes all policies that no rule uses.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn flush(&mut self) -> Result<(), Error> {
        self.request(&Request::Flush)
    }

    /// All policies, one at a time in the order they were created, through a socket of its own: they can
    /// be changed meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn list(&self) -> Result<TimeoutPolicyList, Error> {
        let connection = self.connection.another()?;
        let answer = connection.begin(Some(&Request::List), RequestKind::ListTimeoutPolicies)?;
        Ok(TimeoutPolicyList { answer })
    }

    /// The timeouts of flows that have no policy.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`]: this kernel keeps no timeouts of the protocol.
    pub fn defaults(&mut self, protocol: Protocol) -> Result<Timeouts, Error> {
        let mut found = None;
        self.connection.ask(&Request::GetDefaults(protocol.number()), &mut |message| {
            let mut object = Timeout::default();
            wire::parse(&mut object, message.attributes());
            found = Some(Timeouts::read(&object));
            Ok(())
        })?;
        let error = Error::from(netlink::Error::NoMessage);
        found.ok_or_else(|| error.of(RequestKind::GetDefaultTimeouts))
    }

    /// Sets the timeouts of flows that have no policy, those that are given: the variables
    /// `net.netfilter.nf_conntrack_PROTOCOL_timeout_STATE` of the network namespace. UDP-Lite has those of
    /// UDP.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn set_defaults(&mut self, timeouts: &Timeouts) -> Result<(), Error> {
        self.request(&Request::SetDefaults(timeouts.object()))
    }

    fn request(&mut self, request: &Request<'_>) -> Result<(), Error> {
        self.connection.ask(request, &mut |_| Ok(()))
    }
}

impl AsFd for TimeoutPolicies {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

/// A message about a policy.
pub(crate) fn policy(message: &Message<'_>) -> TimeoutPolicy {
    let mut object = Timeout::default();
    let uses = wire::parse(&mut object, message.attributes());
    TimeoutPolicy::read(object, uses)
}

/// The timeout policies of a network namespace, as they are listed.
///
/// ```
/// use ctrs::{Error, TimeoutPolicies, TimeoutPolicyList};
///
/// fn print(list: TimeoutPolicyList) -> Result<(), Error> {
///     for policy in list {
///         let policy = policy?;
///         println!("{policy}, used by {:?} rules", policy.rules());
///     }
///     Ok(())
/// }
///
/// if let Err(error) = TimeoutPolicies::open().and_then(|policies| print(policies.list()?)) {
///     println!("{error}");
/// }
/// ```
#[derive(Debug)]
pub struct TimeoutPolicyList {
    answer: Answer,
}

impl TimeoutPolicyList {
    /// Whether policies came or went while it was read, so that some may be missing or twice in it, as
    /// far as the kernel tells.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.answer.is_interrupted()
    }
}

impl Iterator for TimeoutPolicyList {
    type Item = Result<TimeoutPolicy, Error>;

    /// The next policy. After an error there are no more.
    fn next(&mut self) -> Option<Self::Item> {
        let found = self.answer.next().transpose()?;
        Some(found.map(|message| policy(&message)))
    }
}

impl FusedIterator for TimeoutPolicyList {}

impl AsFd for TimeoutPolicyList {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.answer.as_fd()
    }
}
