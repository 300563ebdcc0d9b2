//! The one error type, and the `errno` each error has at the C boundary.
#![forbid(unsafe_code)]

/// What went wrong, in terms of what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused a request.
    #[error("the kernel answered: {}", Explained(*.0))]
    Kernel(i32),
    /// A system call failed.
    #[error("{call} failed: {}", Explained(*.errno))]
    System {
        /// The system call.
        call: &'static str,
        /// Its `errno`.
        errno: i32,
    },
    /// No memory was left; what the call was to change is unchanged.
    #[error("out of memory")]
    OutOfMemory,
    /// A pointer that must not be NULL was.
    #[error("{0} is NULL")]
    Null(&'static str),
    /// No attribute has this number.
    #[error("unknown attribute number {0}")]
    UnknownAttribute(u32),
    /// No group of attributes has this number.
    #[error("unknown attribute group number {0}")]
    UnknownGroup(u32),
    /// The attribute, or a member of the group, is not set.
    #[error("the attribute is not set")]
    NotSet,
    /// No object option has this number.
    #[error("unknown object option {0}")]
    UnknownOption(u32),
    /// No query has this number, or not for this kind of object.
    #[error("query {0} is unknown or not defined for this kind of object")]
    UnknownQuery(u32),
    /// No output format has this number.
    #[error("unknown output format {0}")]
    UnknownFormat(u32),
    /// The format needs an attribute that the object lacks.
    #[error("cannot print the object: its protocol is not set")]
    Unprintable,
    /// A tuple without layer 3 protocol, which every request about an entry needs.
    #[error(
        "a tuple has no layer 3 protocol: set Attr::OrigL3Proto (ReplL3Proto, MasterL3Proto) to \
             AF_INET or AF_INET6"
    )]
    NoFamily,
    /// A tuple's layer 3 protocol is neither `AF_INET` nor `AF_INET6`.
    #[error("layer 3 protocol {0} is neither AF_INET nor AF_INET6")]
    BadFamily(u8),
    /// Addresses of IPv4 and IPv6 where all must have one family: the two of a flow, its NAT, a
    /// filter and its tuple.
    #[error("IPv4 and IPv6 do not go together in one flow or filter")]
    FamilyConflict,
    /// An attribute was given a value that it cannot have.
    #[error(
        "attribute {0} cannot be set to that: another type, another address family, too large, \
             or an attribute that only the kernel sets"
    )]
    BadValue(u32),
    /// An ICMP type that nothing answers, so that it begins no flow.
    #[error("ICMP type {0} begins no flow: a flow is a query, as an echo request, and its answer")]
    NoIcmpQuery(u8),
    /// Part of a tuple, where a whole one must name an entry.
    #[error(
        "the tuple is not complete: one entry is named by its layer 3 and 4 protocol, both \
             addresses, and both ports or the ICMP type and id; a filter selects entries by less"
    )]
    PartialTuple,
    /// The kernel cannot flush by tuple.
    #[error("a flush cannot be filtered by tuple: dump with the filter, and delete each entry")]
    TupleInFlush,
    /// The message does not fit its buffer.
    #[error("the message needs {needed} bytes, the buffer has {room}")]
    TooLong {
        /// The length of the message.
        needed: usize,
        /// The length of the buffer.
        room: usize,
    },
    /// A label attribute of more than 8192 bytes.
    #[error("a label attribute of {0} bytes")]
    LabelsTooLong(usize),
    /// The kernel dropped messages because the socket's buffer was full.
    #[error("messages were lost: the receive buffer of the socket is too small for the rate")]
    Overrun,
    /// A datagram was longer than the receive buffer; the buffer has grown since.
    #[error("a datagram of {0} bytes was cut short")]
    Truncated(usize),
    /// A datagram in which no message could be found.
    #[error("a datagram without a netlink message")]
    NoMessage,
    /// A datagram with a sender address of the wrong size.
    #[error("a datagram from an unexpected kind of address")]
    BadSender,
    /// A datagram that another process sent.
    #[error("a datagram that is not from the kernel")]
    NotFromKernel,
    /// An answer to a request that this handle did not make.
    #[error("an answer to a request that was not made here")]
    BadSequence,
    /// An acknowledgement or end marker without its status.
    #[error("an acknowledgement without a status")]
    BadStatus,
    /// A message too short for its header.
    #[error("a message without its netfilter header")]
    ShortMessage,
    /// A message of a subsystem that is not open on this handle.
    #[error("a message of a subsystem that is not open on this handle")]
    ForeignMessage,
    /// The operation needs a subsystem that the handle was opened without.
    #[error("the handle was opened without this subsystem")]
    NotOpen,
    /// The subsystem is open already.
    #[error("the subsystem is already open on this handle")]
    AlreadyOpen,
    /// The handle was closed while the call was at work.
    #[error("the handle was closed during the call")]
    Closed,
    /// A logic that was set to negative cannot be changed.
    #[error("the logic of this filter attribute is already set")]
    LogicAlreadySet,
    /// The logic of a filter is positive or negative.
    #[error("unknown filter logic {0}")]
    UnknownLogic(u32),
    /// No filter attribute has this number.
    #[error("unknown filter attribute {0}")]
    UnknownFilter(u32),
    /// An event filter has more entries than a program of the kernel has room for.
    #[error("the filter needs a program of {0} instructions, the kernel takes 4096")]
    FilterTooLong(usize),
}

impl Error {
    /// The `errno` a C caller sees; `None` where the documented behaviour is to leave it alone.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        Some(match *self {
            Self::Kernel(errno) | Self::System { errno, .. } => errno,
            Self::OutOfMemory => libc::ENOMEM,
            Self::Null(_)
            | Self::UnknownAttribute(_)
            | Self::UnknownGroup(_)
            | Self::NoFamily
            | Self::BadFamily(_)
            | Self::FamilyConflict
            | Self::BadValue(_)
            | Self::NoIcmpQuery(_)
            | Self::PartialTuple
            | Self::LabelsTooLong(_)
            | Self::BadSender
            | Self::UnknownLogic(_)
            | Self::NotOpen => libc::EINVAL,
            Self::NotSet => libc::ENODATA,
            Self::UnknownOption(_)
            | Self::UnknownQuery(_)
            | Self::UnknownFilter(_)
            | Self::TupleInFlush => libc::ENOTSUP,
            Self::UnknownFormat(_) | Self::ForeignMessage => libc::ENOENT,
            Self::Unprintable => return None,
            Self::TooLong { .. } | Self::ShortMessage => libc::ENOSPC,
            Self::Overrun | Self::Truncated(_) => libc::ENOBUFS,
            Self::NoMessage | Self::BadStatus => libc::EBADMSG,
            Self::NotFromKernel => libc::ENOMSG,
            Self::FilterTooLong(_) => libc::E2BIG,
            Self::BadSequence => libc::EILSEQ,
            Self::AlreadyOpen | Self::LogicAlreadySet => libc::EBUSY,
            Self::Closed => libc::EBADF,
        })
    }

    /// The error of a system call that just failed, from the thread's `errno`.
    pub(crate) fn last_os(call: &'static str) -> Self {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        match (call, errno) {
            ("recvfrom", libc::ENOBUFS) => Self::Overrun,
            (_, libc::ENOMEM) => Self::OutOfMemory,
            _ => Self::System { call, errno },
        }
    }
}

impl From<std::collections::TryReserveError> for Error {
    fn from(_: std::collections::TryReserveError) -> Self {
        Self::OutOfMemory
    }
}

/// An errno of ctnetlink, with what to do about it.
struct Explained(i32);

impl std::fmt::Display for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let advice = match self.0 {
            libc::EPERM => {
                "CAP_NET_ADMIN is needed in the user namespace that owns the network namespace"
            }
            libc::ENOENT => "no such entry",
            libc::EEXIST => "the entry exists already",
            libc::EBUSY => "the kernel refuses this change, or a dump is already running",
            libc::ENOSPC => {
                "the entry has no label extension: no rule of this namespace uses labels"
            }
            libc::EPROTONOSUPPORT => {
                "this kernel has no netfilter netlink: CONFIG_NETFILTER_NETLINK"
            }
            libc::EINVAL => "invalid request, or a kernel without CONFIG_NF_CT_NETLINK",
            libc::EOPNOTSUPP => "this kernel does not support it",
            _ => return std::io::Error::from_raw_os_error(self.0).fmt(f),
        };
        write!(f, "{advice} (errno {})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_privilege_is_named() {
        assert!(Error::Kernel(libc::EPERM).to_string().contains("CAP_NET_ADMIN"));
    }

    #[test]
    fn every_error_but_one_has_an_errno() {
        assert_eq!(Error::Unprintable.errno(), None);
        assert_eq!(Error::Overrun.errno(), Some(libc::ENOBUFS));
        assert_eq!(Error::Kernel(17).errno(), Some(17));
    }
}
