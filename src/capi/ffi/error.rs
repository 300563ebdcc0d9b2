//! What went wrong, as far as C is told: the `errno` of each error.

use crate::netlink;

/// An error of a call from C: its `errno`, and nothing more, so that results travel in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(in crate::capi) struct Error(i32);

impl Error {
    /// A pointer that must not be NULL was.
    pub const NULL: Self = Self(libc::EINVAL);
    /// No memory was left; what the call was to change is unchanged.
    pub const OUT_OF_MEMORY: Self = Self(libc::ENOMEM);
    /// The operation needs a subsystem that the handle was opened without.
    pub const NOT_OPEN: Self = Self(libc::EINVAL);
    /// The subsystem is open already.
    pub const ALREADY_OPEN: Self = Self(libc::EBUSY);
    /// A message of a subsystem that is not open on the handle.
    pub const FOREIGN_MESSAGE: Self = Self(libc::ENOENT);
    /// The handle was closed while the call was at work.
    pub const CLOSED: Self = Self(libc::EBADF);
    /// One of which the documented behaviour is to leave `errno` alone.
    pub const UNTOLD: Self = Self(0);

    /// The error that C knows by this `errno`.
    #[inline]
    pub const fn of(errno: i32) -> Self {
        Self(errno)
    }

    /// The `errno` that C sees; `None` where it is left alone.
    pub const fn errno(self) -> Option<i32> {
        if self.0 == Self::UNTOLD.0 { None } else { Some(self.0) }
    }
}

/// The `errno` that C sees for an error of the socket.
pub(in crate::capi) fn errno_of(error: netlink::Error) -> i32 {
    use netlink::Error;
    match error {
        Error::Refused(errno) | Error::System { errno, .. } => errno,
        Error::OutOfMemory => libc::ENOMEM,
        Error::Overrun | Error::Missed(_) | Error::Undelivered(_) | Error::Truncated(_) => {
            libc::ENOBUFS
        }
        Error::NoMessage | Error::BadStatus => libc::EBADMSG,
        Error::BadSender => libc::EINVAL,
        Error::NotFromKernel => libc::ENOMSG,
        Error::TimedOut => libc::ETIMEDOUT,
        Error::Stopped => libc::ECANCELED,
        Error::BadSequence => libc::EILSEQ,
        Error::ShortMessage | Error::TooLong { .. } => libc::ENOSPC,
        Error::NotSent => libc::ECANCELED,
        Error::ProgramTooLong(_) => libc::E2BIG,
    }
}

impl From<netlink::Error> for Error {
    #[cold]
    #[inline(never)]
    fn from(error: netlink::Error) -> Self {
        Self::of(errno_of(error))
    }
}

impl From<std::collections::TryReserveError> for Error {
    fn from(_: std::collections::TryReserveError) -> Self {
        Self::OUT_OF_MEMORY
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
            (netlink::Error::TimedOut, libc::ETIMEDOUT),
            (netlink::Error::Stopped, libc::ECANCELED),
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
            (Error::NULL, Some(libc::EINVAL)),
            (Error::NOT_OPEN, Some(libc::EINVAL)),
            (Error::OUT_OF_MEMORY, Some(libc::ENOMEM)),
            (Error::ALREADY_OPEN, Some(libc::EBUSY)),
            (Error::FOREIGN_MESSAGE, Some(libc::ENOENT)),
            (Error::CLOSED, Some(libc::EBADF)),
            (Error::of(7), Some(7)),
            (Error::UNTOLD, None),
        ];
        for (error, errno) in known {
            assert_eq!(error.errno(), errno, "{error:?}");
        }
    }
}
