//! The error of the Rust interface: what went wrong, at which request, and what to do about it.
//!
//! Each layer has an error of its own: the socket's, the object's and [`Invalid`] for arguments.
#![forbid(unsafe_code)]

mod advice;
pub mod asked;
mod blame;
mod companions;
mod details;
mod fact;
mod refusals;
mod request;
mod signs;

pub use request::RequestKind;

pub use crate::invalid::Invalid;

use self::asked::Asked;
use self::blame::Blame;
use self::details::{Details, Kept};
use crate::conntrack::error as object;
use crate::netlink;
use crate::netlink::words::Words;
use std::fmt::{self, Debug, Display, Formatter};
use std::io;

/// What went wrong, in terms of what a program can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A capability is missing.
    Privilege,
    /// The kernel cannot do it: it is too old, or was built without.
    Unsupported,
    /// Nothing has this name.
    NotFound,
    /// Something has this name already.
    Exists,
    /// The kernel refuses this change.
    Busy,
    /// The kernel's table is full.
    Full,
    /// Messages were lost because the socket's receive buffer was full. Those after it are whole.
    Lost,
    /// Nothing has come yet, and the socket is non-blocking.
    WouldBlock,
    /// The kernel has not answered, or nothing has come, in time.
    TimedOut,
    /// A [`Stopper`](crate::Stopper) ended the wait.
    Stopped,
    /// The handler of a signal ran, and ended the wait.
    Interrupted,
    /// A request of a [`Batch`](crate::Batch) was not sent, as the connection failed before.
    NotSent,
    /// The request cannot be made like that.
    Invalid,
    /// A text cannot be read: [`Error::offset`] tells where.
    Syntax,
    /// A message that the kernel does not send.
    Protocol,
    /// No memory was left.
    OutOfMemory,
    /// A system call failed.
    System,
}

/// What went wrong.
///
/// As text, also of `{:?}` and so of a `main` that returns it, it says what was asked and what the
/// cause may be; `{:#?}` shows the parts.
///
/// ```
/// use ctrs::{Error, ErrorKind, Invalid};
///
/// let error = Error::from(Invalid::Family);
/// assert_eq!((error.kind(), error.errno(), error.request()), (ErrorKind::Invalid, None, None));
/// assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::InvalidInput);
/// ```
///
/// ```no_run
/// # fn main() -> Result<(), ctrs::Error> {
/// # let seen = ctrs::Flow::default();
/// let deleted = match ctrs::FlowTable::open()?.delete(&seen) {
///     Err(error) if error.kind() == ctrs::ErrorKind::NotFound => false,
///     result => result.map(|()| true)?,
/// };
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    layer: Layer,
    request: Option<RequestKind>,
    /// The group of logged packets that was asked about.
    log_group: Option<u16>,
    details: Kept,
}

/// Where it went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Netlink(netlink::Error),
    Object(object::Error),
    Invalid(Invalid),
}

impl Error {
    fn new(layer: Layer) -> Self {
        Self { layer, request: None, log_group: None, details: Kept::NOTHING }
    }

    /// What kind of error it is.
    #[must_use]
    #[inline(never)]
    pub fn kind(&self) -> ErrorKind {
        match self.layer {
            Layer::Netlink(error) => self.kind_of_netlink(error),
            Layer::Object(object::Error::Netlink(error)) => self.kind_of_netlink(error),
            Layer::Object(object::Error::OutOfMemory) => ErrorKind::OutOfMemory,
            Layer::Object(object::Error::ForeignMessage) => ErrorKind::Protocol,
            Layer::Object(object::Error::Syntax(_)) => ErrorKind::Syntax,
            Layer::Object(object::Error::File(errno)) => kind_of_errno(errno),
            Layer::Object(_) | Layer::Invalid(_) => ErrorKind::Invalid,
        }
    }

    /// The `errno` that the kernel told.
    #[must_use]
    #[inline(never)]
    pub fn errno(&self) -> Option<i32> {
        match self.layer {
            Layer::Netlink(netlink::Error::Refused(errno))
            | Layer::Netlink(netlink::Error::System { errno, .. })
            | Layer::Object(object::Error::File(errno)) => Some(errno),
            Layer::Netlink(error) if error.is_of_loss() => Some(libc::ENOBUFS),
            Layer::Netlink(netlink::Error::OutOfMemory)
            | Layer::Object(object::Error::OutOfMemory) => Some(libc::ENOMEM),
            _ => None,
        }
    }

    /// How many events were lost where this came in their place, if it is of the kind
    /// [`ErrorKind::Lost`] and the kernel says so. With [`Options::reliable`](crate::Options::reliable)
    /// it is how many times one did not fit, and the ends of flows among them come again.
    #[must_use]
    pub fn lost(&self) -> Option<u64> {
        match self.layer {
            Layer::Netlink(netlink::Error::Missed(count) | netlink::Error::Undelivered(count)) => {
                Some(count)
            }
            _ => None,
        }
    }

    /// The byte of a text that cannot be read, counted from 0, the length at its end; or the byte of a
    /// request that the kernel points at, counted from its `nlmsghdr` on.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        match self.layer {
            Layer::Object(object::Error::Syntax(syntax)) => Some(syntax.offset as usize),
            _ => Some(self.details.get()?.said?.offset? as usize),
        }
    }

    /// What was asked of the kernel.
    #[must_use]
    pub fn request(&self) -> Option<RequestKind> {
        self.request
    }

    /// The group of logged packets that the request was about.
    #[must_use]
    pub fn log_group(&self) -> Option<u16> {
        self.log_group
    }

    /// What the kernel said of the request, in its own words.
    ///
    /// It has some for attributes of the wrong size and for unknown ones; older kernels than Linux
    /// 4.12 have none.
    #[must_use]
    pub fn kernel_text(&self) -> Option<&str> {
        let text = self.details.get()?.said.as_ref()?.text();
        (!text.is_empty()).then_some(text)
    }

    /// The attribute that is to blame, as it is called in a sentence: "timeout", "reply tuple".
    #[must_use]
    pub fn attribute(&self) -> Option<&'static str> {
        self.blame().map(|blame| blame.name)
    }

    fn blame(&self) -> Option<Blame> {
        match self.layer {
            Layer::Netlink(_) => self.details.get()?.blame,
            Layer::Object(error) => blame::of_object(error),
            Layer::Invalid(invalid) => blame::of_invalid(invalid),
        }
    }

    /// The number of the attribute in C.
    #[cfg(feature = "capi")]
    pub(crate) fn attribute_number(&self) -> Option<u32> {
        match self.layer {
            Layer::Object(
                object::Error::BadValue(number) | object::Error::UnknownAttribute(number),
            ) => Some(number),
            _ => self.blame()?.number,
        }
    }

    /// What the cause is or may be, or what to do: what the kernel's `errno` does not say.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        if let Some(details) = self.details.get() {
            return details.cause;
        }
        match self.layer {
            Layer::Netlink(netlink::Error::Refused(errno)) => {
                advice::refused(self.request, errno, None).map(|(cause, _)| cause.2)
            }
            Layer::Netlink(netlink::Error::System { call, errno }) => {
                advice::failed(call, errno).map(|(cause, _)| cause)
            }
            Layer::Netlink(netlink::Error::Overrun | netlink::Error::Missed(_)) => {
                Some(advice::LOST)
            }
            _ => None,
        }
    }

    /// The same error, of this request.
    pub(crate) fn of(self, request: RequestKind) -> Self {
        Self { request: Some(request), ..self }
    }

    /// The same error, of this request about a group of logged packets.
    pub(crate) fn of_log_group(self, request: RequestKind, group: u16) -> Self {
        let log_group = request.names_log_group().then_some(group);
        Self { request: Some(request), log_group, ..self }
    }

    /// The same error, of this request, with what the request and the system tell of a refusal.
    #[doc(hidden)]
    #[must_use]
    pub fn explained(self, request: RequestKind, asked: &Asked<'_>) -> Self {
        let error = self.of(request);
        let Layer::Netlink(netlink::Error::Refused(errno)) = error.layer else { return error };
        Self { details: Kept::new(Details::of_refusal(error.request, errno, asked)), ..error }
    }

    /// Whether the table was looked at, and is not full.
    fn found_room(&self) -> bool {
        let fact = self.details.get().and_then(|details| details.fact);
        fact.is_some_and(|fact| fact.is_of_room())
    }

    fn kind_of_netlink(&self, error: netlink::Error) -> ErrorKind {
        use netlink::Error;
        match error {
            Error::Refused(libc::ENOMEM | libc::EMFILE)
                if self.request.is_some_and(RequestKind::creates) && !self.found_room() =>
            {
                ErrorKind::Full
            }
            Error::Refused(errno) | Error::System { errno, .. } => kind_of_errno(errno),
            Error::OutOfMemory => ErrorKind::OutOfMemory,
            Error::Overrun | Error::Missed(_) | Error::Undelivered(_) => ErrorKind::Lost,
            Error::TimedOut => ErrorKind::TimedOut,
            Error::Stopped => ErrorKind::Stopped,
            Error::NotSent => ErrorKind::NotSent,
            Error::TooLong { .. } | Error::ProgramTooLong(_) => ErrorKind::Invalid,
            Error::Truncated(_)
            | Error::NoMessage
            | Error::BadSender
            | Error::NotFromKernel
            | Error::BadSequence
            | Error::BadStatus
            | Error::ShortMessage => ErrorKind::Protocol,
        }
    }
}

fn kind_of_errno(errno: i32) -> ErrorKind {
    match errno {
        libc::EPERM | libc::EACCES => ErrorKind::Privilege,
        libc::EOPNOTSUPP
        | libc::EPROTONOSUPPORT
        | libc::EAFNOSUPPORT
        | libc::ENOSPC
        | libc::ENOPROTOOPT
        | libc::ENOTTY
        | libc::ENOSYS => ErrorKind::Unsupported,
        libc::ENOENT => ErrorKind::NotFound,
        libc::EEXIST => ErrorKind::Exists,
        libc::EBUSY => ErrorKind::Busy,
        libc::ENOBUFS => ErrorKind::Lost,
        libc::EAGAIN => ErrorKind::WouldBlock,
        libc::EINTR => ErrorKind::Interrupted,
        libc::EINVAL | libc::ERANGE => ErrorKind::Invalid,
        libc::ENOMEM => ErrorKind::OutOfMemory,
        _ => ErrorKind::System,
    }
}

impl Display for Error {
    #[inline(never)]
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(request) = self.request {
            write!(f, "cannot {request}")?;
            self.log_group.map_or(Ok(()), |group| write!(f, " {group}"))?;
            f.write_str(": ")?;
        }
        match self.layer {
            Layer::Netlink(netlink::Error::Refused(errno)) => self.explain(errno, f),
            Layer::Netlink(netlink::Error::System { call, errno }) => {
                write!(f, "{call} failed: ")?;
                self.explain(errno, f)
            }
            Layer::Netlink(netlink::Error::Overrun) => f.write_str(advice::LOST),
            Layer::Netlink(error) => Display::fmt(&error, f),
            Layer::Object(error) => Display::fmt(&error, f),
            Layer::Invalid(error) => Display::fmt(&error, f),
        }
    }
}

impl Error {
    /// An errno in words: ours, which know the request, the kernel's, or the C library's.
    fn explain(&self, errno: i32, f: &mut Formatter<'_>) -> fmt::Result {
        let fact = self.details.get().and_then(|details| details.fact.as_ref());
        match (self.advice(), self.kernel_text()) {
            (None, None) => return Display::fmt(&Words(errno), f),
            (Some(advice), said) => {
                f.write_str(advice)?;
                fact.map_or(Ok(()), |fact| Display::fmt(fact, f))?;
                said.map_or(Ok(()), |_| f.write_str("; "))?;
            }
            _ => {}
        }
        self.quote(f)?;
        write!(f, " (errno {errno})")
    }

    /// What the kernel said, and of what.
    fn quote(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(text) = self.kernel_text() else { return Ok(()) };
        write!(f, "the kernel says \"{text}\"")?;
        let Some(Details { said, blame, .. }) = self.details.get() else { return Ok(()) };
        if let Some(blame) = blame {
            write!(f, " of the {}", blame.name)?;
        }
        match said.as_ref().and_then(|said| said.expected) {
            Some(expected) => Display::fmt(&expected, f),
            None => Ok(()),
        }
    }
}

impl Debug for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return Display::fmt(self, f);
        }
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("request", &self.request)
            .field("log_group", &self.log_group)
            .field("errno", &self.errno())
            .field("advice", &self.advice())
            .field("kernel_text", &self.kernel_text())
            .field("attribute", &self.attribute())
            .field("layer", &self.layer)
            .finish()
    }
}

impl std::error::Error for Error {}

impl From<netlink::Error> for Error {
    fn from(error: netlink::Error) -> Self {
        let details = match error {
            netlink::Error::System { call, errno } => Details::of_failure(call, errno),
            _ => None,
        };
        let details = details.map_or(Kept::NOTHING, Kept::new);
        Self { details, ..Self::new(Layer::Netlink(error)) }
    }
}

impl From<object::Error> for Error {
    fn from(error: object::Error) -> Self {
        let layer = match error {
            object::Error::Invalid(error) => Layer::Invalid(error),
            error => Layer::Object(error),
        };
        Self::new(layer)
    }
}

impl From<crate::text::json::Error> for Error {
    fn from(error: crate::text::json::Error) -> Self {
        object::Error::from(error).into()
    }
}

impl From<Invalid> for Error {
    fn from(error: Invalid) -> Self {
        Self::new(Layer::Invalid(error))
    }
}

/// The kind is that of the `errno`, where there is one; the error itself is inside.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match (error.errno(), error.kind()) {
            (Some(errno), _) => Self::from_raw_os_error(errno).kind(),
            (_, ErrorKind::Invalid | ErrorKind::Syntax) => io::ErrorKind::InvalidInput,
            (_, ErrorKind::Protocol) => io::ErrorKind::InvalidData,
            (_, ErrorKind::TimedOut) => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests;
