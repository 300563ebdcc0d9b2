//! The `errno` of what goes wrong with an object or a request.

use crate::capi::ffi::error::{Error, errno_of};
use crate::conntrack::error;

impl From<error::Error> for Error {
    /// What getters and setters meet is a constant where it arises, and keeps them as short as they are.
    #[inline]
    fn from(error: error::Error) -> Self {
        use error::Error::{NotSet, UnknownAttribute, UnknownGroup};
        match error {
            NotSet | UnknownAttribute(_) | UnknownGroup(_) => of(error),
            _ => rare(error),
        }
    }
}

impl From<error::OutOfMemory> for Error {
    #[inline]
    fn from(_: error::OutOfMemory) -> Self {
        Self::OUT_OF_MEMORY
    }
}

#[cold]
#[inline(never)]
fn rare(error: error::Error) -> Error {
    of(error)
}

#[inline(always)]
fn of(error: error::Error) -> Error {
    errno(error).map_or(Error::UNTOLD, Error::of)
}

/// `None` where the documented behaviour is to leave it alone.
#[inline(always)]
fn errno(error: error::Error) -> Option<i32> {
    use error::Error;
    Some(match error {
        Error::Netlink(error) => errno_of(error),
        Error::OutOfMemory => libc::ENOMEM,
        Error::File(errno) => errno,
        Error::UnknownAttribute(_)
        | Error::UnknownGroup(_)
        | Error::NoFamily
        | Error::BadFamily(_)
        | Error::FamilyConflict
        | Error::BadValue(_)
        | Error::Invalid(_)
        | Error::LabelsTooLong(_)
        | Error::UnknownLogic(_) => libc::EINVAL,
        Error::NotSet => libc::ENODATA,
        Error::UnknownOption(_)
        | Error::UnknownQuery(_)
        | Error::UnknownFilter(_)
        | Error::TupleInFlush => libc::ENOTSUP,
        Error::UnknownFormat(_) | Error::ForeignMessage => libc::ENOENT,
        Error::Unprintable => return None,
        Error::LogicAlreadySet => libc::EBUSY,
        Error::Closed => libc::EBADF,
        Error::Syntax(_) => libc::EINVAL,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invalid::Invalid;
    use crate::netlink;
    use error::Error as Of;

    #[test]
    fn every_error_of_an_object_has_the_errno_that_programs_know() {
        let known = [
            (Of::Netlink(netlink::Error::TooLong { needed: 2, room: 1 }), Some(libc::ENOSPC)),
            (Of::OutOfMemory, Some(libc::ENOMEM)),
            (Of::File(libc::ENOENT), Some(libc::ENOENT)),
            (Of::UnknownAttribute(99), Some(libc::EINVAL)),
            (Of::UnknownGroup(99), Some(libc::EINVAL)),
            (Of::NotSet, Some(libc::ENODATA)),
            (Of::UnknownOption(99), Some(libc::ENOTSUP)),
            (Of::UnknownQuery(99), Some(libc::ENOTSUP)),
            (Of::UnknownFormat(99), Some(libc::ENOENT)),
            (Of::Unprintable, None),
            (Of::NoFamily, Some(libc::EINVAL)),
            (Of::BadFamily(1), Some(libc::EINVAL)),
            (Of::FamilyConflict, Some(libc::EINVAL)),
            (Of::BadValue(1), Some(libc::EINVAL)),
            (Of::Invalid(Invalid::Family), Some(libc::EINVAL)),
            (Of::TupleInFlush, Some(libc::ENOTSUP)),
            (Of::LabelsTooLong(9000), Some(libc::EINVAL)),
            (Of::ForeignMessage, Some(libc::ENOENT)),
            (Of::LogicAlreadySet, Some(libc::EBUSY)),
            (Of::Closed, Some(libc::EBADF)),
            (Of::UnknownLogic(9), Some(libc::EINVAL)),
            (Of::UnknownFilter(9), Some(libc::ENOTSUP)),
        ];
        for (error, expected) in known {
            assert_eq!(errno(error), expected, "{error:?}");
        }
    }
}
