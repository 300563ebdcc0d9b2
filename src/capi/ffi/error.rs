//! What went wrong, as far as C is told: the `errno` of each error.

use crate::netlink;

/// An error of a call from C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capi) enum Error {
    /// A pointer that must not be NULL was.
    Null,
    /// No memory was left; what the call was to change is unchanged.
    OutOfMemory,
    /// The operation needs a subsystem that the handle was opened without.
    NotOpen,
    /// The subsystem is open already.
    AlreadyOpen,
    /// A message of a subsystem that is not open on the handle.
    ForeignMessage,
    /// The handle was closed while the call was at work.
    Closed,
    /// Of the socket or of a subsystem, whose errors are too large to travel with each result: the
    /// `errno`, and `None` where the documented behaviour is to leave it alone.
    Errno(Option<i32>),
}

impl Error {
    /// The `errno` that C sees; `None` where it is left alone.
    pub(super) fn errno(self) -> Option<i32> {
        Some(match self {
            Self::Null | Self::NotOpen => libc::EINVAL,
            Self::OutOfMemory => libc::ENOMEM,
            Self::AlreadyOpen => libc::EBUSY,
            Self::ForeignMessage => libc::ENOENT,
            Self::Closed => libc::EBADF,
            Self::Errno(errno) => return errno,
        })
    }
}

/// The `errno` that C sees for an error of the socket.
pub(in crate::capi) fn errno_of(error: netlink::Error) -> i32 {
    use netlink::Error;
    match error {
        Error::Refused(errno) | Error::System { errno, .. } => errno,
        Error::OutOfMemory => libc::ENOMEM,
        Error::Overrun | Error::Truncated(_) => libc::ENOBUFS,
        Error::NoMessage | Error::BadStatus => libc::EBADMSG,
        Error::BadSender => libc::EINVAL,
        Error::NotFromKernel => libc::ENOMSG,
        Error::TimedOut => libc::EAGAIN,
        Error::Stopped => libc::EINTR,
        Error::BadSequence => libc::EILSEQ,
        Error::ShortMessage | Error::TooLong { .. } => libc::ENOSPC,
        Error::ProgramTooLong(_) => libc::E2BIG,
    }
}

impl From<netlink::Error> for Error {
    #[cold]
    #[inline(never)]
    fn from(error: netlink::Error) -> Self {
        Self::Errno(Some(errno_of(error)))
    }
}

impl From<std::collections::TryReserveError> for Error {
    fn from(_: std::collections::TryReserveError) -> Self {
        Self::OutOfMemory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_the_socket_has_the_errno_that_programs_know() {
        let known = [
            (netlink::Error::Refused(libc::EEXIST), libc::EEXIST),
            (netlink::Error::System { call: "bind", errno: libc::EPERM }, libc::EPERM),
            (netlink::Error::OutOfMemory, libc::ENOMEM),
            (netlink::Error::Overrun, libc::ENOBUFS),
            (netlink::Error::Truncated(9), libc::ENOBUFS),
            (netlink::Error::NoMessage, libc::EBADMSG),
            (netlink::Error::BadSender, libc::EINVAL),
            (netlink::Error::NotFromKernel, libc::ENOMSG),
            (netlink::Error::TimedOut, libc::EAGAIN),
            (netlink::Error::Stopped, libc::EINTR),
            (netlink::Error::BadSequence, libc::EILSEQ),
            (netlink::Error::BadStatus, libc::EBADMSG),
            (netlink::Error::ShortMessage, libc::ENOSPC),
            (netlink::Error::TooLong { needed: 2, room: 1 }, libc::ENOSPC),
            (netlink::Error::ProgramTooLong(5000), libc::E2BIG),
        ];
        for (error, errno) in known {
            assert_eq!(Error::from(error).errno(), Some(errno), "{error:?}");
        }
    }

    #[test]
    fn every_error_of_a_handle_has_the_errno_that_programs_know() {
        let known = [
            (Error::Null, Some(libc::EINVAL)),
            (Error::NotOpen, Some(libc::EINVAL)),
            (Error::OutOfMemory, Some(libc::ENOMEM)),
            (Error::AlreadyOpen, Some(libc::EBUSY)),
            (Error::ForeignMessage, Some(libc::ENOENT)),
            (Error::Closed, Some(libc::EBADF)),
            (Error::Errno(Some(7)), Some(7)),
            (Error::Errno(None), None),
        ];
        for (error, errno) in known {
            assert_eq!(error.errno(), errno, "{error:?}");
        }
    }
}
