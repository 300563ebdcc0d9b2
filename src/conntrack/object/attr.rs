//! The one table of conntrack attributes: number, storage and class of each.
#![forbid(unsafe_code)]

pub use super::layout::Presence;
use super::layout::{DccpInfo, Flat, NatRange, Tuple};
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

/// What the value of an attribute is.
///
/// ```
/// use ctrs::{Attribute, AttributeKind};
///
/// let addresses = Attribute::all().filter(|attr| attr.kind() == AttributeKind::Address);
/// assert_eq!(addresses.map(Attribute::name).next(), Some("orig_ipv4_src"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number in host order.
    Number,
    /// A port, or what stands in its place, in network order.
    Port,
    /// An address in network order.
    Address,
    /// A C string.
    Text,
    /// Bytes with a length.
    Bytes,
    /// A label bitmask.
    Labels,
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
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal, $kind:ident:
        $class:ident, $offset:expr, $storage:expr, $compared:ident;)*) => {
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
        /// What the values are.
        pub(crate) const KINDS: [Kind; ATTR_COUNT] = [$(Kind::$kind),*];
        static KIND_TABLE: [Kind; ATTR_COUNT] = KINDS;
        /// The names, each with its NUL, in one piece: a list of them is three times as large.
        static NAMES: &str = concat!($($text, "\0"),*);
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
const HANDSHAKE: usize = offset_of!(DccpInfo, handshake_seq);
const SNAT: usize = offset_of!(Flat, snat);
const DNAT: usize = offset_of!(Flat, dnat);
const MIN: usize = offset_of!(NatRange, min);
const MIN_PORT: usize = offset_of!(NatRange, min_port);
const SEQ: usize = offset_of!(Flat, seq_adjust);
const COUNTERS: usize = offset_of!(Flat, counters);
const SYNPROXY: usize = offset_of!(Flat, synproxy);
const HELPER: usize = offset_of!(Flat, helper_name);
const EVENT_TIME: usize = offset_of!(Flat, event_time);

const U8: Storage = Storage::Plain(1);
const U16: Storage = Storage::Plain(2);
const U32: Storage = Storage::Plain(4);
const U64: Storage = Storage::Plain(8);
const IPV4: Storage = Storage::Plain(4);
const IPV6: Storage = Storage::Plain(16);
const COUNTER: Storage = Storage::FromKernel(8);
const NAT_V4: Storage = Storage::Range { width: 4, stride: 16 };
const NAT_V6: Storage = Storage::Range { width: 16, stride: 16 };
const NAT_PORT: Storage = Storage::Range { width: 2, stride: 2 };

attributes! {
    /// Source address of the original direction, IPv4, network order.
    OrigIpv4Src = 0 "orig_ipv4_src", Address: Original, ORIG + SRC, IPV4, Value;
    /// Destination address of the original direction, IPv4, network order.
    OrigIpv4Dst = 1 "orig_ipv4_dst", Address: Original, ORIG + DST, IPV4, Value;
    /// Source address of the reply direction, IPv4, network order.
    ReplIpv4Src = 2 "repl_ipv4_src", Address: Reply, REPLY + SRC, IPV4, Value;
    /// Destination address of the reply direction, IPv4, network order.
    ReplIpv4Dst = 3 "repl_ipv4_dst", Address: Reply, REPLY + DST, IPV4, Value;
    /// Source address of the original direction, IPv6, network order.
    OrigIpv6Src = 4 "orig_ipv6_src", Address: Original, ORIG + SRC, IPV6, Value;
    /// Destination address of the original direction, IPv6, network order.
    OrigIpv6Dst = 5 "orig_ipv6_dst", Address: Original, ORIG + DST, IPV6, Value;
    /// Source address of the reply direction, IPv6, network order.
    ReplIpv6Src = 6 "repl_ipv6_src", Address: Reply, REPLY + SRC, IPV6, Value;
    /// Destination address of the reply direction, IPv6, network order.
    ReplIpv6Dst = 7 "repl_ipv6_dst", Address: Reply, REPLY + DST, IPV6, Value;
    /// Source port of the original direction, network order.
    OrigPortSrc = 8 "orig_port_src", Port: Original, ORIG + L4SRC, U16, Ports;
    /// Destination port of the original direction, network order.
    OrigPortDst = 9 "orig_port_dst", Port: Original, ORIG + L4DST, U16, Ports;
    /// Source port of the reply direction, network order.
    ReplPortSrc = 10 "repl_port_src", Port: Reply, REPLY + L4SRC, U16, Ports;
    /// Destination port of the reply direction, network order.
    ReplPortDst = 11 "repl_port_dst", Port: Reply, REPLY + L4DST, U16, Ports;
    /// ICMP or ICMPv6 type.
    IcmpType = 12 "icmp_type", Number: Original, ORIG + L4DST, Storage::Icmp(1), Icmp;
    /// ICMP or ICMPv6 code.
    IcmpCode = 13 "icmp_code", Number: Original, ORIG + L4DST + 1, Storage::Icmp(1), Icmp;
    /// ICMP or ICMPv6 id, network order.
    IcmpId = 14 "icmp_id", Port: Original, ORIG + L4SRC, Storage::Icmp(2), Icmp;
    /// Layer 3 protocol of the original direction: `AF_INET` or `AF_INET6`.
    OrigL3Proto = 15 "orig_l3proto", Number: Original, ORIG + L3, U8, Value;
    /// Layer 3 protocol of the reply direction.
    ReplL3Proto = 16 "repl_l3proto", Number: Reply, REPLY + L3, U8, Value;
    /// Layer 4 protocol of the original direction: `IPPROTO_*`.
    OrigL4Proto = 17 "orig_l4proto", Number: Original, ORIG + L4, U8, Value;
    /// Layer 4 protocol of the reply direction.
    ReplL4Proto = 18 "repl_l4proto", Number: Reply, REPLY + L4, U8, Value;
    /// State of a TCP connection, `enum tcp_state`.
    TcpState = 19 "tcp_state", Number: Meta, PROTO, U8, Value;
    /// Address that source NAT gives the flow, IPv4, network order; set before creating.
    SnatIpv4 = 20 "snat_ipv4", Address: Meta, SNAT + MIN, NAT_V4, Never;
    /// Address that destination NAT gives the flow, IPv4, network order; set before creating.
    DnatIpv4 = 21 "dnat_ipv4", Address: Meta, DNAT + MIN, NAT_V4, Never;
    /// Port that source NAT gives the flow, network order; set before creating.
    SnatPort = 22 "snat_port", Port: Meta, SNAT + MIN_PORT, NAT_PORT, Never;
    /// Port that destination NAT gives the flow, network order; set before creating.
    DnatPort = 23 "dnat_port", Port: Meta, DNAT + MIN_PORT, NAT_PORT, Never;
    /// Seconds until the entry expires, host order.
    Timeout = 24 "timeout", Number: Meta, offset_of!(Flat, timeout), U32, Value;
    /// Mark of the entry, host order.
    Mark = 25 "mark", Number: Meta, offset_of!(Flat, mark), U32, OrZero;
    /// Packets seen in the original direction, host order; only the kernel sets it.
    OrigCounterPackets = 26 "orig_counter_packets", Number: Meta, COUNTERS, COUNTER, Never;
    /// Packets seen in the reply direction, host order; only the kernel sets it.
    ReplCounterPackets = 27 "repl_counter_packets", Number: Meta, COUNTERS + 16, COUNTER, Never;
    /// Bytes seen in the original direction, host order; only the kernel sets it.
    OrigCounterBytes = 28 "orig_counter_bytes", Number: Meta, COUNTERS + 8, COUNTER, Never;
    /// Bytes seen in the reply direction, host order; only the kernel sets it.
    ReplCounterBytes = 29 "repl_counter_bytes", Number: Meta, COUNTERS + 24, COUNTER, Never;
    /// Reference count of the entry, host order; only the kernel sets it.
    Use = 30 "use", Number: Meta, offset_of!(Flat, use_count), Storage::FromKernel(4), Never;
    /// Identifier the kernel gave the entry, host order.
    Id = 31 "id", Number: Meta, offset_of!(Flat, id), U32, Value;
    /// Status bits `IPS_*`, host order.
    Status = 32 "status", Number: Meta, offset_of!(Flat, status), U32, Value;
    /// TCP flags of the original direction, `IP_CT_TCP_FLAG_*`.
    TcpFlagsOrig = 33 "tcp_flags_orig", Number: Meta, PROTO + 1, U8, Never;
    /// TCP flags of the reply direction.
    TcpFlagsRepl = 34 "tcp_flags_repl", Number: Meta, PROTO + 3, U8, Never;
    /// Which TCP flags of the original direction an update changes.
    TcpMaskOrig = 35 "tcp_mask_orig", Number: Meta, PROTO + 2, U8, Never;
    /// Which TCP flags of the reply direction an update changes.
    TcpMaskRepl = 36 "tcp_mask_repl", Number: Meta, PROTO + 4, U8, Never;
    /// Source address of the master entry, IPv4, network order.
    MasterIpv4Src = 37 "master_ipv4_src", Address: Meta, MASTER + SRC, IPV4, Never;
    /// Destination address of the master entry, IPv4, network order.
    MasterIpv4Dst = 38 "master_ipv4_dst", Address: Meta, MASTER + DST, IPV4, Never;
    /// Source address of the master entry, IPv6, network order.
    MasterIpv6Src = 39 "master_ipv6_src", Address: Meta, MASTER + SRC, IPV6, Never;
    /// Destination address of the master entry, IPv6, network order.
    MasterIpv6Dst = 40 "master_ipv6_dst", Address: Meta, MASTER + DST, IPV6, Never;
    /// Source port of the master entry, network order.
    MasterPortSrc = 41 "master_port_src", Port: Meta, MASTER + L4SRC, U16, Never;
    /// Destination port of the master entry, network order.
    MasterPortDst = 42 "master_port_dst", Port: Meta, MASTER + L4DST, U16, Never;
    /// Layer 3 protocol of the master entry.
    MasterL3Proto = 43 "master_l3proto", Number: Meta, MASTER + L3, U8, Never;
    /// Layer 4 protocol of the master entry.
    MasterL4Proto = 44 "master_l4proto", Number: Meta, MASTER + L4, U8, Never;
    /// Security mark, host order.
    Secmark = 45 "secmark", Number: Meta, offset_of!(Flat, secmark), U32, Never;
    /// Sequence adjustment of the original direction: position of the correction, host order.
    OrigNatSeqCorrectionPos = 46 "orig_nat_seq_correction_pos", Number: Meta, SEQ, U32, Never;
    /// Sequence adjustment of the original direction: offset before it, host order.
    OrigNatSeqOffsetBefore = 47 "orig_nat_seq_offset_before", Number: Meta, SEQ + 4, U32, Never;
    /// Sequence adjustment of the original direction: offset after it, host order.
    OrigNatSeqOffsetAfter = 48 "orig_nat_seq_offset_after", Number: Meta, SEQ + 8, U32, Never;
    /// Sequence adjustment of the reply direction: position of the correction, host order.
    ReplNatSeqCorrectionPos = 49 "repl_nat_seq_correction_pos", Number: Meta, SEQ + 12, U32, Never;
    /// Sequence adjustment of the reply direction: offset before it, host order.
    ReplNatSeqOffsetBefore = 50 "repl_nat_seq_offset_before", Number: Meta, SEQ + 16, U32, Never;
    /// Sequence adjustment of the reply direction: offset after it, host order.
    ReplNatSeqOffsetAfter = 51 "repl_nat_seq_offset_after", Number: Meta, SEQ + 20, U32, Never;
    /// State of an SCTP association, `enum sctp_state`.
    SctpState = 52 "sctp_state", Number: Meta, PROTO, U8, Value;
    /// SCTP verification tag of the original direction, host order.
    SctpVtagOrig = 53 "sctp_vtag_orig", Number: Meta, PROTO + 4, U32, Never;
    /// SCTP verification tag of the reply direction, host order.
    SctpVtagRepl = 54 "sctp_vtag_repl", Number: Meta, PROTO + 8, U32, Never;
    /// Name of the helper: a C string of at most 15 characters.
    HelperName = 55 "helper_name", Text: Meta, HELPER, Storage::Name(16), Never;
    /// State of a DCCP connection, `enum dccp_state`.
    DccpState = 56 "dccp_state", Number: Meta, PROTO, U8, Value;
    /// Role of the DCCP originator, `enum dccp_roles`.
    DccpRole = 57 "dccp_role", Number: Meta, PROTO + 1, U8, Never;
    /// DCCP handshake sequence number, host order.
    DccpHandshakeSeq = 58 "dccp_handshake_seq", Number: Meta, PROTO + HANDSHAKE, U64, Never;
    /// TCP window scale of the original direction.
    TcpWscaleOrig = 59 "tcp_wscale_orig", Number: Meta, PROTO + 5, U8, Never;
    /// TCP window scale of the reply direction.
    TcpWscaleRepl = 60 "tcp_wscale_repl", Number: Meta, PROTO + 6, U8, Never;
    /// Zone of both directions, host order.
    Zone = 61 "zone", Number: Meta, offset_of!(Flat, zone), U16, OrZero;
    /// Security context: a C string; only the kernel sets it.
    Secctx = 62 "secctx", Text: Meta, HEAP, Storage::Context, Value;
    /// When the entry was made, nanoseconds since 1970, host order; only the kernel sets it.
    TimestampStart = 63 "timestamp_start", Number: Meta, offset_of!(Flat, start), COUNTER, Never;
    /// When the entry ended, nanoseconds since 1970, host order; only the kernel sets it.
    TimestampStop = 64 "timestamp_stop", Number: Meta, offset_of!(Flat, stop), COUNTER, Never;
    /// Private data of the helper: bytes with a length.
    HelperInfo = 65 "helper_info", Bytes: Meta, HEAP, Storage::HelperInfo, Never;
    /// Labels: a bitmask, which the object takes over.
    Connlabels = 66 "connlabels", Labels: Meta, HEAP, Storage::Labels, Value;
    /// Which labels an update changes: a bitmask, which the object takes over.
    ConnlabelsMask = 67 "connlabels_mask", Labels: Meta, HEAP, Storage::Labels, Value;
    /// Zone of the original direction alone, host order.
    OrigZone = 68 "orig_zone", Number: Meta, ORIG + TUPLE_ZONE, U16, OriginalZone;
    /// Zone of the reply direction alone, host order.
    ReplZone = 69 "repl_zone", Number: Meta, REPLY + TUPLE_ZONE, U16, ReplyZone;
    /// Address that source NAT gives the flow, IPv6, network order; set before creating.
    SnatIpv6 = 70 "snat_ipv6", Address: Meta, SNAT + MIN, NAT_V6, Never;
    /// Address that destination NAT gives the flow, IPv6, network order; set before creating.
    DnatIpv6 = 71 "dnat_ipv6", Address: Meta, DNAT + MIN, NAT_V6, Never;
    /// SYN proxy: initial sequence number, host order.
    SynproxyIsn = 72 "synproxy_isn", Number: Meta, SYNPROXY, U32, Never;
    /// SYN proxy: initial timestamp, host order.
    SynproxyIts = 73 "synproxy_its", Number: Meta, SYNPROXY + 4, U32, Never;
    /// SYN proxy: timestamp offset, host order.
    SynproxyTsoff = 74 "synproxy_tsoff", Number: Meta, SYNPROXY + 8, U32, Never;
    /// When the event happened, nanoseconds since 1970, host order; only the kernel sets it.
    TimestampEvent = 75 "timestamp_event", Number: Meta, EVENT_TIME, Storage::Unsettable(8), Never;
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
    #[inline(always)]
    #[allow(clippy::indexing_slicing, reason = "an Attr is below ATTR_COUNT, as asserted above")]
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// Its name: that of the constant of C in small letters, without the prefix, as
    /// `orig_ipv4_src`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name_with_nul().trim_end_matches('\0')
    }

    /// As [`name`](Self::name), with a NUL at its end.
    #[must_use]
    pub(crate) fn name_with_nul(self) -> &'static str {
        names().nth(self as usize).unwrap_or("\0")
    }

    /// The attribute of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let number = names().position(|known| known.strip_suffix('\0') == Some(name))?;
        Self::try_from(number as u32).ok()
    }

    /// Bytes of its value, of a name the most with its NUL; `None` for what has no fixed size.
    #[must_use]
    pub fn size(self) -> Option<usize> {
        Some(self.row().storage.width()).filter(|width| *width != 0)
    }

    /// What its value is.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "there is one for each attribute")]
    pub fn kind(self) -> Kind {
        KIND_TABLE[self as usize]
    }

    /// All attributes, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.attr)
    }
}

/// The names, by number, each with its NUL.
fn names() -> impl Iterator<Item = &'static str> {
    NAMES.split_inclusive('\0')
}

impl TryFrom<u32> for Attr {
    type Error = Error;

    #[inline]
    fn try_from(number: u32) -> Result<Self, Error> {
        Row::of(number).map(|row| row.attr)
    }
}

impl Storage {
    /// Bytes in the object; 0 for what lies on the heap, and for tuples.
    #[must_use]
    #[inline(always)]
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
