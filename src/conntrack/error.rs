//! What goes wrong with an object, and with a request made of it.
#![forbid(unsafe_code)]

use crate::conntrack::syntax::Syntax;
use crate::invalid::Invalid;
use crate::netlink;
use crate::netlink::words::Words;
use crate::text::json;

/// What is wrong with an object, an attribute or a request, before the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The message could not be built.
    #[error(transparent)]
    Netlink(netlink::Error),
    /// The request makes no sense.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A text cannot be read.
    #[error(transparent)]
    Syntax(#[from] Syntax),
    /// No memory was left; what the call was to change is unchanged.
    #[error("out of memory")]
    OutOfMemory,
    /// A file cannot be opened, for this `errno`.
    #[error("cannot open the file: {}", Words(*.0))]
    File(i32),
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
        "a tuple has no layer 3 protocol: set ATTR_ORIG_L3PROTO (ATTR_REPL_L3PROTO, \
             ATTR_MASTER_L3PROTO) to AF_INET or AF_INET6"
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
    /// The kernel cannot flush by tuple.
    #[error("a flush cannot be filtered by tuple: dump with the filter, and delete each entry")]
    TupleInFlush,
    /// A label attribute of more than 8192 bytes.
    #[error("a label attribute of {0} bytes")]
    LabelsTooLong(usize),
    /// A message that is none about an entry or an expectation.
    #[error("a message of another subsystem")]
    ForeignMessage,
    /// The handle was closed while a call was at work on it.
    #[error("the handle was closed")]
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
}

impl From<netlink::Error> for Error {
    fn from(error: netlink::Error) -> Self {
        match error {
            netlink::Error::OutOfMemory => Self::OutOfMemory,
            other => Self::Netlink(other),
        }
    }
}

impl From<std::collections::TryReserveError> for Error {
    fn from(_: std::collections::TryReserveError) -> Self {
        Self::OutOfMemory
    }
}

impl From<json::Error> for Error {
    fn from(error: json::Error) -> Self {
        Self::Syntax(Syntax::says(error.offset, error.what))
    }
}

/// No memory was left, and nothing else can go wrong: a result that travels in a register.
#[cfg(feature = "capi")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfMemory;
