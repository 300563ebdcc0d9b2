//! The one table of conntrack attributes: number, storage and class of each.
#![forbid(unsafe_code)]

pub use super::layout::Presence;
use super::layout::{Flat, NatRange, Tuple};
use crate::conntrack::error::Error;
use std::mem::offset_of;

/// Number of attributes, and the first invalid attribute number.
pub const ATTR_COUNT: usize = 76;

/// How an attribute is stored, and what its setter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// This many bytes, stored as given.
    Plain(u8),
    /// This many bytes that only a message of the kernel fills: setting marks them present.
    FromKernel(u8),
    /// As `FromKernel`, and setting does nothing at all.
    Unsettable(u8),
    /// ICMP type, code or id, which a setter also writes to the reply tuple.
    Icmp(u8),
    /// The minimum of a NAT range; the maximum lies `stride` bytes further and is set with it.
    Range {
        /// Bytes of each end.
        width: u8,
        /// From minimum to maximum.
        stride: u8,
    },
    /// A string in the object itself, in this many bytes with its NUL.
    Name(u8),
    /// A tuple, as an entry of its own in the object: of expectations.
    Tuple,
    /// The security context string, on the heap; only a message of the kernel fills it.
    Context,
    /// Private data of a helper, on the heap.
    HelperInfo,
    /// A label bitmask, on the heap.
    Labels,
}

/// Which part of an object an attribute belongs to, as [`super::copy`] selects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The original tuple.
    Original,
    /// The reply tuple.
    Reply,
    /// All the rest.
    Meta,
}

/// How an attribute counts when two objects are compared, as [`super::compare`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// It does not.
    Never,
    /// Where both have it, the values count.
    Value,
    /// As `Value`, and where it is absent it is zero.
    OrZero,
    /// As `OrZero`, with the original tuple.
    OriginalZone,
    /// As `OrZero`, with the reply tuple.
    ReplyZone,
    /// Where both have the same layer 4 protocol, one with ports.
    Ports,
    /// Where both have ICMP, or both ICMPv6.
    Icmp,
}

/// A row of the attribute table.
#[derive(Debug, Clone, Copy)]
pub struct Row<A = Attr> {
    /// The attribute.
    pub attr: A,
    /// How it is stored.
    pub storage: Storage,
    /// Where its slot begins in the object; [`Row::ON_HEAP`] for what lies on the heap.
    pub offset: u16,
    /// The class it is copied with.
    pub class: Class,
    /// How it counts in comparisons.
    pub compared: Compared,
}

macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident = $number:literal: $class:ident, $offset:expr, $storage:expr, $compared:ident;)*) => {
        /// A conntrack attribute, numbered as `enum nf_conntrack_attr` is.
        ///
        /// "Network order" and "host order" say how the bytes of the value lie in memory.
        ///
        /// ```
        /// let attribute = ctrs::Attribute::try_from(25).unwrap();
        /// assert_eq!(attribute, ctrs::Attribute::Mark);
        /// assert!(ctrs::Attribute::try_from(76).is_err());
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Attr { $($(#[$doc])* $name = $number),* }

        static TABLE: [Row; ATTR_COUNT] = ROWS;
        /// The table, for what the compiler derives of it.
        pub(crate) const ROWS: [Row; ATTR_COUNT] = [$(Row {
            attr: Attr::$name,
            storage: $storage,
            offset: $offset as u16,
            class: Class::$class,
            compared: Compared::$compared,
        }),*];
    };
}

const HEAP: usize = Row::ON_HEAP as usize;
const ORIG: usize = offset_of!(Flat, orig);
const REPLY: usize = offset_of!(Flat, reply);
const MASTER: usize = offset_of!(Flat, master);
const SRC: usize = offset_of!(Tuple, src);
const DST: usize = offset_of!(Tuple, dst);
const L3: usize = offset_of!(Tuple, l3proto);
const L4: usize = offset_of!(Tuple, l4proto);
const TUPLE_ZONE: usize = offset_of!(Tuple, zone);
const L4SRC: usize = offset_of!(Tuple, l4src);
const L4DST: usize = offset_of!(Tuple, l4dst);
const PROTO: usize = offset_of!(Flat, protoinfo);
const SNAT: usize = offset_of!(Flat, snat);
const DNAT: usize = offset_of!(Flat, dnat);
const MIN: usize = offset_of!(NatRange, min);
const MIN_PORT: usize = offset_of!(NatRange, min_port);
const SEQ: usize = offset_of!(Flat, seq_adjust);
const COUNTERS: usize = offset_of!(Flat, counters);
const SYNPROXY: usize = offset_of!(Flat, synproxy);

const U8: Storage = Storage::Plain(1);
const U16: Storage = Storage::Plain(2);
const U32: Storage = Storage::Plain(4);
const U64: Storage = Storage::Plain(8);
const IPV4: Storage = Storage::Plain(4);
const IPV6: Storage = Storage::Plain(16);
const NAT_V4: Storage = Storage::Range { width: 4, stride: 16 };
const NAT_V6: Storage = Storage::Range { width: 16, stride: 16 };
const NAT_PORT: Storage = Storage::Range { width: 2, stride: 2 };

attributes! {
    /// Source address of the original direction, IPv4, network order.
    OrigIpv4Src = 0: Original, ORIG + SRC, IPV4, Value;
    /// Destination address of the original direction, IPv4, network order.
    OrigIpv4Dst = 1: Original, ORIG + DST, IPV4, Value;
    /// Source address of the reply direction, IPv4, network order.
    ReplIpv4Src = 2: Reply, REPLY + SRC, IPV4, Value;
    /// Destination address of the reply direction, IPv4, network order.
    ReplIpv4Dst = 3: Reply, REPLY + DST, IPV4, Value;
    /// Source address of the original direction, IPv6, network order.
    OrigIpv6Src = 4: Original, ORIG + SRC, IPV6, Value;
    /// Destination address of the original direction, IPv6, network order.
    OrigIpv6Dst = 5: Original, ORIG + DST, IPV6, Value;
    /// Source address of the reply direction, IPv6, network order.
    ReplIpv6Src = 6: Reply, REPLY + SRC, IPV6, Value;
    /// Destination address of the reply direction, IPv6, network order.
    ReplIpv6Dst = 7: Reply, REPLY + DST, IPV6, Value;
    /// Source port of the original direction, network order.
    OrigPortSrc = 8: Original, ORIG + L4SRC, U16, Ports;
    /// Destination port of the original direction, network order.
    OrigPortDst = 9: Original, ORIG + L4DST, U16, Ports;
    /// Source port of the reply direction, network order.
    ReplPortSrc = 10: Reply, REPLY + L4SRC, U16, Ports;
    /// Destination port of the reply direction, network order.
    ReplPortDst = 11: Reply, REPLY + L4DST, U16, Ports;
    /// ICMP or ICMPv6 type.
    IcmpType = 12: Original, ORIG + L4DST, Storage::Icmp(1), Icmp;
    /// ICMP or ICMPv6 code.
    IcmpCode = 13: Original, ORIG + L4DST + 1, Storage::Icmp(1), Icmp;
    /// ICMP or ICMPv6 id, network order.
    IcmpId = 14: Original, ORIG + L4SRC, Storage::Icmp(2), Icmp;
    /// Layer 3 protocol of the original direction: `AF_INET` or `AF_INET6`.
    OrigL3Proto = 15: Original, ORIG + L3, U8, Value;
    /// Layer 3 protocol of the reply direction.
    ReplL3Proto = 16: Reply, REPLY + L3, U8, Value;
    /// Layer 4 protocol of the original direction: `IPPROTO_*`.
    OrigL4Proto = 17: Original, ORIG + L4, U8, Value;
    /// Layer 4 protocol of the reply direction.
    ReplL4Proto = 18: Reply, REPLY + L4, U8, Value;
    /// State of a TCP connection, `enum tcp_state`.
    TcpState = 19: Meta, PROTO, U8, Value;
    /// Address that source NAT gives the flow, IPv4, network order; set before creating.
    SnatIpv4 = 20: Meta, SNAT + MIN, NAT_V4, Never;
    /// Address that destination NAT gives the flow, IPv4, network order; set before creating.
    DnatIpv4 = 21: Meta, DNAT + MIN, NAT_V4, Never;
    /// Port that source NAT gives the flow, network order; set before creating.
    SnatPort = 22: Meta, SNAT + MIN_PORT, NAT_PORT, Never;
    /// Port that destination NAT gives the flow, network order; set before creating.
    DnatPort = 23: Meta, DNAT + MIN_PORT, NAT_PORT, Never;
    /// Seconds until the entry expires, host order.
    Timeout = 24: Meta, offset_of!(Flat, timeout), U32, Value;
    /// Mark of the entry, host order.
    Mark = 25: Meta, offset_of!(Flat, mark), U32, OrZero;
    /// Packets seen in the original direction, host order; only the kernel sets it.
    OrigCounterPackets = 26: Meta, COUNTERS, Storage::FromKernel(8), Never;
    /// Packets seen in the reply direction, host order; only the kernel sets it.
    ReplCounterPackets = 27: Meta, COUNTERS + 16, Storage::FromKernel(8), Never;
    /// Bytes seen in the original direction, host order; only the kernel sets it.
    OrigCounterBytes = 28: Meta, COUNTERS + 8, Storage::FromKernel(8), Never;
    /// Bytes seen in the reply direction, host order; only the kernel sets it.
    ReplCounterBytes = 29: Meta, COUNTERS + 24, Storage::FromKernel(8), Never;
    /// Reference count of the entry, host order; only the kernel sets it.
    Use = 30: Meta, offset_of!(Flat, use_count), Storage::FromKernel(4), Never;
    /// Identifier the kernel gave the entry, host order.
    Id = 31: Meta, offset_of!(Flat, id), U32, Value;
    /// Status bits `IPS_*`, host order.
    Status = 32: Meta, offset_of!(Flat, status), U32, Value;
    /// TCP flags of the original direction, `IP_CT_TCP_FLAG_*`.
    TcpFlagsOrig = 33: Meta, PROTO + 1, U8, Never;
    /// TCP flags of the reply direction.
    TcpFlagsRepl = 34: Meta, PROTO + 3, U8, Never;
    /// Which TCP flags of the original direction an update changes.
    TcpMaskOrig = 35: Meta, PROTO + 2, U8, Never;
    /// Which TCP flags of the reply direction an update changes.
    TcpMaskRepl = 36: Meta, PROTO + 4, U8, Never;
    /// Source address of the master entry, IPv4, network order.
    MasterIpv4Src = 37: Meta, MASTER + SRC, IPV4, Never;
    /// Destination address of the master entry, IPv4, network order.
    MasterIpv4Dst = 38: Meta, MASTER + DST, IPV4, Never;
    /// Source address of the master entry, IPv6, network order.
    MasterIpv6Src = 39: Meta, MASTER + SRC, IPV6, Never;
    /// Destination address of the master entry, IPv6, network order.
    MasterIpv6Dst = 40: Meta, MASTER + DST, IPV6, Never;
    /// Source port of the master entry, network order.
    MasterPortSrc = 41: Meta, MASTER + L4SRC, U16, Never;
    /// Destination port of the master entry, network order.
    MasterPortDst = 42: Meta, MASTER + L4DST, U16, Never;
    /// Layer 3 protocol of the master entry.
    MasterL3Proto = 43: Meta, MASTER + L3, U8, Never;
    /// Layer 4 protocol of the master entry.
    MasterL4Proto = 44: Meta, MASTER + L4, U8, Never;
    /// Security mark, host order.
    Secmark = 45: Meta, offset_of!(Flat, secmark), U32, Never;
    /// Sequence adjustment of the original direction: position of the correction, host order.
    OrigNatSeqCorrectionPos = 46: Meta, SEQ, U32, Never;
    /// Sequence adjustment of the original direction: offset before it, host order.
    OrigNatSeqOffsetBefore = 47: Meta, SEQ + 4, U32, Never;
    /// Sequence adjustment of the original direction: offset after it, host order.
    OrigNatSeqOffsetAfter = 48: Meta, SEQ + 8, U32, Never;
    /// Sequence adjustment of the reply direction: position of the correction, host order.
    ReplNatSeqCorrectionPos = 49: Meta, SEQ + 12, U32, Never;
    /// Sequence adjustment of the reply direction: offset before it, host order.
    ReplNatSeqOffsetBefore = 50: Meta, SEQ + 16, U32, Never;
    /// Sequence adjustment of the reply direction: offset after it, host order.
    ReplNatSeqOffsetAfter = 51: Meta, SEQ + 20, U32, Never;
    /// State of an SCTP association, `enum sctp_state`.
    SctpState = 52: Meta, PROTO, U8, Value;
    /// SCTP verification tag of the original direction, host order.
    SctpVtagOrig = 53: Meta, PROTO + 4, U32, Never;
    /// SCTP verification tag of the reply direction, host order.
    SctpVtagRepl = 54: Meta, PROTO + 8, U32, Never;
    /// Name of the helper: a C string of at most 15 characters.
    HelperName = 55: Meta, offset_of!(Flat, helper_name), Storage::Name(16), Never;
    /// State of a DCCP connection, `enum dccp_state`.
    DccpState = 56: Meta, PROTO, U8, Value;
    /// Role of the DCCP originator, `enum dccp_roles`.
    DccpRole = 57: Meta, PROTO + 1, U8, Never;
    /// DCCP handshake sequence number, host order.
    DccpHandshakeSeq = 58: Meta, PROTO + 8, U64, Never;
    /// TCP window scale of the original direction.
    TcpWscaleOrig = 59: Meta, PROTO + 5, U8, Never;
    /// TCP window scale of the reply direction.
    TcpWscaleRepl = 60: Meta, PROTO + 6, U8, Never;
    /// Zone of both directions, host order.
    Zone = 61: Meta, offset_of!(Flat, zone), U16, OrZero;
    /// Security context: a C string; only the kernel sets it.
    Secctx = 62: Meta, HEAP, Storage::Context, Value;
    /// When the entry was made, nanoseconds since 1970, host order; only the kernel sets it.
    TimestampStart = 63: Meta, offset_of!(Flat, start), Storage::FromKernel(8), Never;
    /// When the entry ended, nanoseconds since 1970, host order; only the kernel sets it.
    TimestampStop = 64: Meta, offset_of!(Flat, stop), Storage::FromKernel(8), Never;
    /// Private data of the helper: bytes with a length.
    HelperInfo = 65: Meta, HEAP, Storage::HelperInfo, Never;
    /// Labels: a bitmask, which the object takes over.
    Connlabels = 66: Meta, HEAP, Storage::Labels, Value;
    /// Which labels an update changes: a bitmask, which the object takes over.
    ConnlabelsMask = 67: Meta, HEAP, Storage::Labels, Value;
    /// Zone of the original direction alone, host order.
    OrigZone = 68: Meta, ORIG + TUPLE_ZONE, U16, OriginalZone;
    /// Zone of the reply direction alone, host order.
    ReplZone = 69: Meta, REPLY + TUPLE_ZONE, U16, ReplyZone;
    /// Address that source NAT gives the flow, IPv6, network order; set before creating.
    SnatIpv6 = 70: Meta, SNAT + MIN, NAT_V6, Never;
    /// Address that destination NAT gives the flow, IPv6, network order; set before creating.
    DnatIpv6 = 71: Meta, DNAT + MIN, NAT_V6, Never;
    /// SYN proxy: initial sequence number, host order.
    SynproxyIsn = 72: Meta, SYNPROXY, U32, Never;
    /// SYN proxy: initial timestamp, host order.
    SynproxyIts = 73: Meta, SYNPROXY + 4, U32, Never;
    /// SYN proxy: timestamp offset, host order.
    SynproxyTsoff = 74: Meta, SYNPROXY + 8, U32, Never;
    /// When the event happened, nanoseconds since 1970, host order; only the kernel sets it.
    TimestampEvent = 75: Meta, offset_of!(Flat, event_time), Storage::Unsettable(8), Never;
}

const _: () = {
    let mut number = 0;
    while number < ATTR_COUNT {
        #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        let row = ROWS[number];
        assert!(row.attr as usize == number, "the table is sorted by number");
        assert!(row.offset == Row::ON_HEAP || row.offset as usize + 8 <= size_of::<Flat>());
        number += 1;
    }
    assert!(size_of::<Row>() == 8);
};

impl Row {
    /// In place of an offset, for what lies on the heap.
    pub const ON_HEAP: u16 = u16::MAX;

    /// The row of the attribute with this number.
    ///
    /// # Errors
    /// [`Error::UnknownAttribute`].
    #[inline]
    pub fn of(number: u32) -> Result<&'static Self, Error> {
        TABLE.get(number as usize).ok_or(Error::UnknownAttribute(number))
    }
}

impl Attr {
    /// The attribute's row of the table.
    #[must_use]
    #[inline]
    #[allow(clippy::indexing_slicing, reason = "an Attr is below ATTR_COUNT, as asserted above")]
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// All attributes, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.attr)
    }
}

impl TryFrom<u32> for Attr {
    type Error = Error;

    #[inline]
    fn try_from(number: u32) -> Result<Self, Error> {
        Row::of(number).map(|row| row.attr)
    }
}

impl Presence {
    /// The set of the given attributes.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "an Attr is below 96")]
    pub const fn of(attrs: &[Attr]) -> Self {
        let mut words = [0; 3];
        let mut at = 0;
        while at < attrs.len() {
            let number = attrs[at] as usize;
            words[number / 32] |= 1 << (number % 32);
            at += 1;
        }
        Self(words)
    }

    /// The attributes of a class.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    pub const fn of_class(class: Class) -> Self {
        let mut all = Self([0; 3]);
        let mut at = 0;
        while at < ATTR_COUNT {
            if ROWS[at].class as u8 == class as u8 {
                all.set(ROWS[at].attr);
            }
            at += 1;
        }
        all
    }

    /// Whether the attribute with this number is present; no number above 95 is.
    #[must_use]
    #[inline]
    pub fn has_number(&self, number: u32) -> bool {
        self.0.get(number as usize / 32).is_some_and(|word| word & (1 << (number % 32)) != 0)
    }

    /// Whether `attr` is present.
    #[must_use]
    #[inline]
    #[allow(clippy::indexing_slicing, reason = "an Attr is below 96")]
    pub const fn has(&self, attr: Attr) -> bool {
        self.0[attr as usize / 32] & (1 << (attr as u32 % 32)) != 0
    }

    /// Marks `attr` present.
    #[inline]
    #[allow(clippy::indexing_slicing, reason = "an Attr is below 96")]
    pub const fn set(&mut self, attr: Attr) {
        self.0[attr as usize / 32] |= 1 << (attr as u32 % 32);
    }

    /// Marks `attr` absent.
    #[inline]
    #[allow(clippy::indexing_slicing, reason = "an Attr is below 96")]
    pub const fn unset(&mut self, attr: Attr) {
        self.0[attr as usize / 32] &= !(1 << (attr as u32 % 32));
    }

    /// Both sets in one.
    #[must_use]
    #[inline]
    pub const fn with(self, other: Self) -> Self {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        Self([a | d, b | e, c | f])
    }

    /// Marks all of `other` present.
    #[inline]
    pub fn insert(&mut self, other: Self) {
        *self = self.with(other);
    }

    /// Marks all of `other` absent.
    #[inline]
    pub fn remove(&mut self, other: Self) {
        for (word, less) in self.0.iter_mut().zip(other.0) {
            *word &= !less;
        }
    }

    /// Marks all but `other` absent.
    #[inline]
    pub fn retain(&mut self, other: Self) {
        for (word, keep) in self.0.iter_mut().zip(other.0) {
            *word &= keep;
        }
    }

    /// Whether all of `other` are present.
    #[must_use]
    #[inline]
    pub fn has_all(&self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(word, want)| word & want == want)
    }

    /// Whether any of `other` is present.
    #[must_use]
    #[inline]
    pub fn has_any(&self, other: Self) -> bool {
        self.0.iter().zip(other.0).any(|(word, want)| word & want != 0)
    }

    /// The set as two words: attribute `n` is bit `n % 64` of word `n / 64`.
    #[must_use]
    #[inline]
    pub const fn words(&self) -> [u64; 2] {
        let [a, b, c] = self.0;
        [a as u64 | (b as u64) << 32, c as u64]
    }

    /// The attributes present, by number.
    pub fn iter(&self) -> impl Iterator<Item = Attr> + use<> {
        let [a, b, c] = self.0;
        let mut bits = u128::from(a) | u128::from(b) << 32 | u128::from(c) << 64;
        std::iter::from_fn(move || {
            let number = bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
            Attr::try_from(number).ok()
        })
    }
}

impl Storage {
    /// Bytes in the object; 0 for what lies on the heap, and for tuples.
    #[must_use]
    #[inline]
    pub const fn width(self) -> usize {
        match self {
            Self::Plain(width)
            | Self::FromKernel(width)
            | Self::Unsettable(width)
            | Self::Icmp(width)
            | Self::Name(width)
            | Self::Range { width, .. } => width as usize,
            Self::Tuple | Self::Context | Self::HelperInfo | Self::Labels => 0,
        }
    }
}
