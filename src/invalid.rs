//! What a request was given that no kernel could make sense of.
#![forbid(unsafe_code)]

/// Why something cannot be asked of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// Addresses of IPv4 and IPv6, or those of one and an ICMP of the other, where all must have
    /// one family.
    #[error("IPv4 and IPv6 do not go together in one flow")]
    Family,
    /// A tuple of a protocol that has ports, keys or an ICMP id, without them.
    #[error("a tuple of this protocol has ports, keys or an id")]
    NeedsPorts,
    /// A query that this family's ICMP does not have.
    #[error("ICMP of this family has no such query")]
    IcmpQuery,
    /// No protocol has this name.
    #[error("no protocol has this name: it is one as tcp, or a number up to 255")]
    Protocol,
    /// A helper's name is empty, has more than 15 bytes, or a NUL.
    #[error("the name of a helper has 1 to 15 bytes and no NUL")]
    Name,
    /// A protocol that has no timeouts of its own.
    #[error("this protocol has no timeouts: those of all without are generic, number 255")]
    NoTimeouts,
    /// The name of a timeout policy is empty, has more than 31 bytes, or a NUL.
    #[error("the name of a timeout policy has 1 to 31 bytes and no NUL")]
    PolicyName,
    /// A timeout of more seconds than this kernel counts: the most are here.
    #[error("this kernel takes timeouts of at most {0} seconds, and makes longer ones shorter")]
    TimeoutTooLong(u32),
    /// A label above 127, the last that the kernel has.
    #[error("labels are 0 to 127")]
    Label,
    /// A name that the map of labels does not have.
    #[error("no label has this name in the map of labels")]
    LabelName,
    /// A label that is both to be set and to be cleared.
    #[error("a label cannot be set and cleared at once")]
    LabelTwice,
    /// An update that changes nothing.
    #[error("the update changes nothing")]
    NothingToChange,
    /// A status bit to be set by a batch, where the flow's other bits are not known.
    #[error("a batch sets no status: the kernel takes it whole, and has to be asked for it first")]
    StatusInBatch,
    /// A request about many flows in a batch.
    #[error("a batch holds requests to create, update, delete or get one flow each")]
    NotInBatch,
    /// Status bits that are the kernel's to set.
    #[error(
        "of the status an update can set SEEN_REPLY, ASSURED and FIXED_TIMEOUT; the kernel sets the \
         other bits itself, and clears none"
    )]
    Status,
    /// The state of another protocol than the flow's.
    #[error("the state is one of another protocol than the flow's")]
    State,
    /// A flow that holds no whole tuple, as one that nothing was read into.
    #[error(
        "the flow has no tuple that is whole: both addresses, the protocol, and its ports, or the \
         type, code and id of an ICMP query"
    )]
    NoTuple,
    /// A network is an address and the length of its prefix, and other bits of the address are 0.
    #[error(
        "a network is an address, as 10.0.0.0, and a prefix, as /8, with no bits set behind it"
    )]
    Net,
    /// A call with arguments that it does not take, as this says.
    #[error("{0}")]
    Argument(&'static str),
}
