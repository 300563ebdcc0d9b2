//! Messages and attributes of ctnetlink, guarded as the kernel's own header is.

/// The name it had when there was only one.
pub const CTA_NAT: i32 = CTA_NAT_SRC;
pub const CTA_MAX: i32 = __CTA_MAX - 1;
pub const CTA_TUPLE_MAX: i32 = __CTA_TUPLE_MAX - 1;
pub const CTA_IP_MAX: i32 = __CTA_IP_MAX - 1;
pub const CTA_PROTO_MAX: i32 = __CTA_PROTO_MAX - 1;
pub const CTA_PROTOINFO_MAX: i32 = __CTA_PROTOINFO_MAX - 1;
pub const CTA_PROTOINFO_TCP_MAX: i32 = __CTA_PROTOINFO_TCP_MAX - 1;
pub const CTA_PROTOINFO_DCCP_MAX: i32 = __CTA_PROTOINFO_DCCP_MAX - 1;
pub const CTA_PROTOINFO_SCTP_MAX: i32 = __CTA_PROTOINFO_SCTP_MAX - 1;
pub const CTA_COUNTERS_MAX: i32 = __CTA_COUNTERS_MAX - 1;
pub const CTA_TIMESTAMP_MAX: i32 = __CTA_TIMESTAMP_MAX - 1;
/// The name it had before IPv6.
pub const CTA_NAT_MINIP: i32 = CTA_NAT_V4_MINIP;
/// The name it had before IPv6.
pub const CTA_NAT_MAXIP: i32 = CTA_NAT_V4_MAXIP;
pub const CTA_NAT_MAX: i32 = __CTA_NAT_MAX - 1;
pub const CTA_PROTONAT_MAX: i32 = __CTA_PROTONAT_MAX - 1;
pub const CTA_SEQADJ_MAX: i32 = __CTA_SEQADJ_MAX - 1;
pub const CTA_NAT_SEQ_MAX: i32 = __CTA_NAT_SEQ_MAX - 1;
pub const CTA_SYNPROXY_MAX: i32 = __CTA_SYNPROXY_MAX - 1;
pub const CTA_EXPECT_MAX: i32 = __CTA_EXPECT_MAX - 1;
pub const CTA_EXPECT_NAT_MAX: i32 = __CTA_EXPECT_NAT_MAX - 1;
pub const CTA_HELP_MAX: i32 = __CTA_HELP_MAX - 1;
pub const CTA_SECCTX_MAX: i32 = __CTA_SECCTX_MAX - 1;
pub const CTA_STATS_MAX: i32 = __CTA_STATS_MAX - 1;
pub const CTA_STATS_GLOBAL_MAX: i32 = __CTA_STATS_GLOBAL_MAX - 1;
pub const CTA_STATS_EXP_MAX: i32 = __CTA_STATS_EXP_MAX - 1;
pub const CTA_FILTER_MAX: i32 = __CTA_FILTER_MAX - 1;
/// For `CTA_FILTER_ORIG_FLAGS` and `CTA_FILTER_REPLY_FLAGS`: the source address counts.
pub const CTA_FILTER_FLAG_CTA_IP_SRC: i32 = 1 << 0;
/// The destination address counts.
pub const CTA_FILTER_FLAG_CTA_IP_DST: i32 = 1 << 1;
/// The zone counts.
pub const CTA_FILTER_FLAG_CTA_TUPLE_ZONE: i32 = 1 << 2;
/// The layer 4 protocol counts.
pub const CTA_FILTER_FLAG_CTA_PROTO_NUM: i32 = 1 << 3;
/// The source port counts.
pub const CTA_FILTER_FLAG_CTA_PROTO_SRC_PORT: i32 = 1 << 4;
/// The destination port counts.
pub const CTA_FILTER_FLAG_CTA_PROTO_DST_PORT: i32 = 1 << 5;
/// The ICMP type counts.
pub const CTA_FILTER_FLAG_CTA_PROTO_ICMP_TYPE: i32 = 1 << 6;
/// The ICMP code counts.
pub const CTA_FILTER_FLAG_CTA_PROTO_ICMP_CODE: i32 = 1 << 7;
/// The ICMP id counts.
pub const CTA_FILTER_FLAG_CTA_PROTO_ICMP_ID: i32 = 1 << 8;
/// The ICMPv6 type counts.
pub const CTA_FILTER_FLAG_CTA_PROTO_ICMPV6_TYPE: i32 = 1 << 9;
/// The ICMPv6 code counts.
pub const CTA_FILTER_FLAG_CTA_PROTO_ICMPV6_CODE: i32 = 1 << 10;
/// The ICMPv6 id counts.
pub const CTA_FILTER_FLAG_CTA_PROTO_ICMPV6_ID: i32 = 1 << 11;

/// Messages about entries.
#[repr(C)]
pub enum cntl_msg_types {
    /// Create or change; also every report about an entry that exists.
    IPCTNL_MSG_CT_NEW = 0,
    /// Get one or all.
    IPCTNL_MSG_CT_GET = 1,
    /// Destroy one or all; also the report about it.
    IPCTNL_MSG_CT_DELETE = 2,
    /// Get, setting the counters to zero.
    IPCTNL_MSG_CT_GET_CTRZERO = 3,
    /// Get the statistics of each CPU. Linux 3.6.
    IPCTNL_MSG_CT_GET_STATS_CPU = 4,
    /// Get the statistics of the table. Linux 3.6.
    IPCTNL_MSG_CT_GET_STATS = 5,
    /// Get the entries that are being removed. Linux 3.8.
    IPCTNL_MSG_CT_GET_DYING = 6,
    /// Get the entries whose first packet has not left yet. Linux 3.8; none since 5.19.
    IPCTNL_MSG_CT_GET_UNCONFIRMED = 7,
    /// Number of messages.
    IPCTNL_MSG_MAX = 8,
}

/// Messages about expectations.
#[repr(C)]
pub enum ctnl_exp_msg_types {
    /// Create or change; also every report about one that exists.
    IPCTNL_MSG_EXP_NEW = 0,
    /// Get one or all.
    IPCTNL_MSG_EXP_GET = 1,
    /// Destroy one or all; also the report about it.
    IPCTNL_MSG_EXP_DELETE = 2,
    /// Get the statistics of each CPU. Linux 3.6.
    IPCTNL_MSG_EXP_GET_STATS_CPU = 3,
    /// Number of messages.
    IPCTNL_MSG_EXP_MAX = 4,
}

/// Attributes of an entry.
#[repr(C)]
pub enum ctattr_type {
    CTA_UNSPEC = 0,
    /// Nest of ctattr_tuple: original direction.
    CTA_TUPLE_ORIG = 1,
    /// Nest of ctattr_tuple: reply direction.
    CTA_TUPLE_REPLY = 2,
    /// u32: status bits `IPS_*`.
    CTA_STATUS = 3,
    /// Nest of ctattr_protoinfo: state of the layer 4 protocol.
    CTA_PROTOINFO = 4,
    /// Nest of ctattr_help: the helper.
    CTA_HELP = 5,
    /// Nest of ctattr_nat: source NAT to set up.
    CTA_NAT_SRC = 6,
    /// u32: seconds until the entry expires.
    CTA_TIMEOUT = 7,
    /// u32: mark.
    CTA_MARK = 8,
    /// Nest of ctattr_counters: original direction.
    CTA_COUNTERS_ORIG = 9,
    /// Nest of ctattr_counters: reply direction.
    CTA_COUNTERS_REPLY = 10,
    /// u32: reference count.
    CTA_USE = 11,
    /// 4 bytes, which are no number: identifier.
    CTA_ID = 12,
    /// Nest of ctattr_nat: destination NAT to set up.
    CTA_NAT_DST = 13,
    /// Nest of ctattr_tuple: the entry that this one is related to.
    CTA_TUPLE_MASTER = 14,
    /// Nest of ctattr_seqadj: original direction.
    CTA_SEQ_ADJ_ORIG = 15,
    /// The same as `CTA_SEQ_ADJ_ORIG`.
    CTA_NAT_SEQ_ADJ_ORIG = CTA_SEQ_ADJ_ORIG,
    /// Nest of ctattr_seqadj: reply direction.
    CTA_SEQ_ADJ_REPLY = 16,
    /// The same as `CTA_SEQ_ADJ_REPLY`.
    CTA_NAT_SEQ_ADJ_REPLY = CTA_SEQ_ADJ_REPLY,
    /// u32: security mark; superseded by `CTA_SECCTX`.
    CTA_SECMARK = 17,
    /// u16: zone.
    CTA_ZONE = 18,
    /// Nest of ctattr_secctx: security context.
    CTA_SECCTX = 19,
    /// Nest of ctattr_tstamp: when the entry began and ended.
    CTA_TIMESTAMP = 20,
    /// u32: which bits of the mark count. Linux 3.4.
    CTA_MARK_MASK = 21,
    /// Words of 32 bits in host byte order: labels. Linux 3.9.
    CTA_LABELS = 22,
    /// Words of 32 bits in host byte order: which labels an update changes. Linux 3.11.
    CTA_LABELS_MASK = 23,
    /// Nest of ctattr_synproxy. Linux 4.17.
    CTA_SYNPROXY = 24,
    /// Nest of ctattr_filter: what of a tuple selects entries. Linux 5.8.
    CTA_FILTER = 25,
    /// u32: which status bits count. Linux 5.15.
    CTA_STATUS_MASK = 26,
    /// u64: when the event happened, nanoseconds since 1970. Linux 6.14.
    CTA_TIMESTAMP_EVENT = 27,
    __CTA_MAX = 28,
}

/// Attributes of a tuple.
#[repr(C)]
pub enum ctattr_tuple {
    CTA_TUPLE_UNSPEC = 0,
    /// Nest of ctattr_ip.
    CTA_TUPLE_IP = 1,
    /// Nest of ctattr_l4proto.
    CTA_TUPLE_PROTO = 2,
    /// u16: zone of this direction alone. Linux 4.3.
    CTA_TUPLE_ZONE = 3,
    __CTA_TUPLE_MAX = 4,
}

/// Addresses of a tuple.
#[repr(C)]
pub enum ctattr_ip {
    CTA_IP_UNSPEC = 0,
    /// 4 bytes: source.
    CTA_IP_V4_SRC = 1,
    /// 4 bytes: destination.
    CTA_IP_V4_DST = 2,
    /// 16 bytes: source.
    CTA_IP_V6_SRC = 3,
    /// 16 bytes: destination.
    CTA_IP_V6_DST = 4,
    __CTA_IP_MAX = 5,
}

/// Layer 4 of a tuple.
#[repr(C)]
pub enum ctattr_l4proto {
    CTA_PROTO_UNSPEC = 0,
    /// u8: protocol, `IPPROTO_*`.
    CTA_PROTO_NUM = 1,
    /// u16: source port.
    CTA_PROTO_SRC_PORT = 2,
    /// u16: destination port.
    CTA_PROTO_DST_PORT = 3,
    /// u16: ICMP id.
    CTA_PROTO_ICMP_ID = 4,
    /// u8: ICMP type.
    CTA_PROTO_ICMP_TYPE = 5,
    /// u8: ICMP code.
    CTA_PROTO_ICMP_CODE = 6,
    /// u16: ICMPv6 id.
    CTA_PROTO_ICMPV6_ID = 7,
    /// u8: ICMPv6 type.
    CTA_PROTO_ICMPV6_TYPE = 8,
    /// u8: ICMPv6 code.
    CTA_PROTO_ICMPV6_CODE = 9,
    __CTA_PROTO_MAX = 10,
}

/// State of the layer 4 protocol.
#[repr(C)]
pub enum ctattr_protoinfo {
    CTA_PROTOINFO_UNSPEC = 0,
    /// Nest of ctattr_protoinfo_tcp.
    CTA_PROTOINFO_TCP = 1,
    /// Nest of ctattr_protoinfo_dccp.
    CTA_PROTOINFO_DCCP = 2,
    /// Nest of ctattr_protoinfo_sctp.
    CTA_PROTOINFO_SCTP = 3,
    __CTA_PROTOINFO_MAX = 4,
}

/// State of a TCP connection.
#[repr(C)]
pub enum ctattr_protoinfo_tcp {
    CTA_PROTOINFO_TCP_UNSPEC = 0,
    /// u8: `TCP_CONNTRACK_*`.
    CTA_PROTOINFO_TCP_STATE = 1,
    /// u8: window scale, original direction.
    CTA_PROTOINFO_TCP_WSCALE_ORIGINAL = 2,
    /// u8: window scale, reply direction.
    CTA_PROTOINFO_TCP_WSCALE_REPLY = 3,
    /// u8 flags, u8 mask: original direction.
    CTA_PROTOINFO_TCP_FLAGS_ORIGINAL = 4,
    /// u8 flags, u8 mask: reply direction.
    CTA_PROTOINFO_TCP_FLAGS_REPLY = 5,
    __CTA_PROTOINFO_TCP_MAX = 6,
}

/// State of a DCCP connection.
#[repr(C)]
pub enum ctattr_protoinfo_dccp {
    CTA_PROTOINFO_DCCP_UNSPEC = 0,
    /// u8: `DCCP_CONNTRACK_*`.
    CTA_PROTOINFO_DCCP_STATE = 1,
    /// u8: `DCCP_CONNTRACK_ROLE_*`.
    CTA_PROTOINFO_DCCP_ROLE = 2,
    /// u64: handshake sequence number.
    CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ = 3,
    CTA_PROTOINFO_DCCP_PAD = 4,
    __CTA_PROTOINFO_DCCP_MAX = 5,
}

/// State of an SCTP association.
#[repr(C)]
pub enum ctattr_protoinfo_sctp {
    CTA_PROTOINFO_SCTP_UNSPEC = 0,
    /// u8: `SCTP_CONNTRACK_*`.
    CTA_PROTOINFO_SCTP_STATE = 1,
    /// u32: verification tag, original direction.
    CTA_PROTOINFO_SCTP_VTAG_ORIGINAL = 2,
    /// u32: verification tag, reply direction.
    CTA_PROTOINFO_SCTP_VTAG_REPLY = 3,
    __CTA_PROTOINFO_SCTP_MAX = 4,
}

/// Counters of one direction.
#[repr(C)]
pub enum ctattr_counters {
    CTA_COUNTERS_UNSPEC = 0,
    /// u64: packets.
    CTA_COUNTERS_PACKETS = 1,
    /// u64: bytes.
    CTA_COUNTERS_BYTES = 2,
    /// u32: packets; of old kernels.
    CTA_COUNTERS32_PACKETS = 3,
    /// u32: bytes; of old kernels.
    CTA_COUNTERS32_BYTES = 4,
    CTA_COUNTERS_PAD = 5,
    __CTA_COUNTERS_MAX = 6,
}

/// Times of an entry, nanoseconds since 1970.
#[repr(C)]
pub enum ctattr_tstamp {
    CTA_TIMESTAMP_UNSPEC = 0,
    /// u64: when it began.
    CTA_TIMESTAMP_START = 1,
    /// u64: when it ended.
    CTA_TIMESTAMP_STOP = 2,
    CTA_TIMESTAMP_PAD = 3,
    __CTA_TIMESTAMP_MAX = 4,
}

/// NAT to set up: a range of addresses.
#[repr(C)]
pub enum ctattr_nat {
    CTA_NAT_UNSPEC = 0,
    /// 4 bytes: first address.
    CTA_NAT_V4_MINIP = 1,
    /// 4 bytes: last address.
    CTA_NAT_V4_MAXIP = 2,
    /// Nest of ctattr_protonat.
    CTA_NAT_PROTO = 3,
    /// 16 bytes: first address.
    CTA_NAT_V6_MINIP = 4,
    /// 16 bytes: last address.
    CTA_NAT_V6_MAXIP = 5,
    __CTA_NAT_MAX = 6,
}

/// NAT to set up: a range of ports.
#[repr(C)]
pub enum ctattr_protonat {
    CTA_PROTONAT_UNSPEC = 0,
    /// u16: first port.
    CTA_PROTONAT_PORT_MIN = 1,
    /// u16: last port.
    CTA_PROTONAT_PORT_MAX = 2,
    __CTA_PROTONAT_MAX = 3,
}

/// Sequence adjustment of one direction.
#[repr(C)]
pub enum ctattr_seqadj {
    CTA_SEQADJ_UNSPEC = 0,
    /// u32: position of the last correction.
    CTA_SEQADJ_CORRECTION_POS = 1,
    /// u32: offset before it.
    CTA_SEQADJ_OFFSET_BEFORE = 2,
    /// u32: offset after it.
    CTA_SEQADJ_OFFSET_AFTER = 3,
    __CTA_SEQADJ_MAX = 4,
}

/// The names that ctattr_seqadj had before.
#[repr(C)]
pub enum ctattr_natseq {
    CTA_NAT_SEQ_UNSPEC = 0,
    /// See `CTA_SEQADJ_CORRECTION_POS`.
    CTA_NAT_SEQ_CORRECTION_POS = 1,
    /// See `CTA_SEQADJ_OFFSET_BEFORE`.
    CTA_NAT_SEQ_OFFSET_BEFORE = 2,
    /// See `CTA_SEQADJ_OFFSET_AFTER`.
    CTA_NAT_SEQ_OFFSET_AFTER = 3,
    __CTA_NAT_SEQ_MAX = 4,
}

/// Data of the SYN proxy.
#[repr(C)]
pub enum ctattr_synproxy {
    CTA_SYNPROXY_UNSPEC = 0,
    /// u32: initial sequence number.
    CTA_SYNPROXY_ISN = 1,
    /// u32: initial timestamp.
    CTA_SYNPROXY_ITS = 2,
    /// u32: timestamp offset.
    CTA_SYNPROXY_TSOFF = 3,
    __CTA_SYNPROXY_MAX = 4,
}

/// Attributes of an expectation.
#[repr(C)]
pub enum ctattr_expect {
    CTA_EXPECT_UNSPEC = 0,
    /// Nest of ctattr_tuple: the entry whose helper expects the flow.
    CTA_EXPECT_MASTER = 1,
    /// Nest of ctattr_tuple: the expected flow.
    CTA_EXPECT_TUPLE = 2,
    /// Nest of ctattr_tuple: which bits of it count.
    CTA_EXPECT_MASK = 3,
    /// u32: seconds until the expectation expires.
    CTA_EXPECT_TIMEOUT = 4,
    /// 4 bytes, which are no number: identifier.
    CTA_EXPECT_ID = 5,
    /// String: name of the helper.
    CTA_EXPECT_HELP_NAME = 6,
    /// u16: zone.
    CTA_EXPECT_ZONE = 7,
    /// u32: `NF_CT_EXPECT_*`.
    CTA_EXPECT_FLAGS = 8,
    /// u32: class of the helper's policy.
    CTA_EXPECT_CLASS = 9,
    /// Nest of ctattr_expect_nat.
    CTA_EXPECT_NAT = 10,
    /// String: name of the function called for the flow.
    CTA_EXPECT_FN = 11,
    __CTA_EXPECT_MAX = 12,
}

/// NAT of an expected flow.
#[repr(C)]
pub enum ctattr_expect_nat {
    CTA_EXPECT_NAT_UNSPEC = 0,
    /// u32: direction.
    CTA_EXPECT_NAT_DIR = 1,
    /// Nest of ctattr_tuple: what NAT makes of the flow.
    CTA_EXPECT_NAT_TUPLE = 2,
    __CTA_EXPECT_NAT_MAX = 3,
}

/// Attributes of a helper.
#[repr(C)]
pub enum ctattr_help {
    CTA_HELP_UNSPEC = 0,
    /// String: name.
    CTA_HELP_NAME = 1,
    /// Bytes: private data.
    CTA_HELP_INFO = 2,
    __CTA_HELP_MAX = 3,
}

/// Attributes of a security context.
#[repr(C)]
pub enum ctattr_secctx {
    CTA_SECCTX_UNSPEC = 0,
    /// String: the context.
    CTA_SECCTX_NAME = 1,
    __CTA_SECCTX_MAX = 2,
}

/// Statistics of one CPU; each is a u32.
#[repr(C)]
pub enum ctattr_stats_cpu {
    CTA_STATS_UNSPEC = 0,
    /// Lookups; of old kernels.
    CTA_STATS_SEARCHED = 1,
    /// Lookups that found an entry.
    CTA_STATS_FOUND = 2,
    /// Entries added; of old kernels.
    CTA_STATS_NEW = 3,
    /// Packets that could not be tracked.
    CTA_STATS_INVALID = 4,
    /// Packets that were tracked already; of old kernels.
    CTA_STATS_IGNORE = 5,
    /// Entries removed; of old kernels.
    CTA_STATS_DELETE = 6,
    /// Entries put on the list of the dying; of old kernels.
    CTA_STATS_DELETE_LIST = 7,
    /// Entries inserted.
    CTA_STATS_INSERT = 8,
    /// Entries that were there already.
    CTA_STATS_INSERT_FAILED = 9,
    /// Packets dropped because tracking failed.
    CTA_STATS_DROP = 10,
    /// Entries dropped to make room in a full table.
    CTA_STATS_EARLY_DROP = 11,
    /// ICMP packets that could not be tracked.
    CTA_STATS_ERROR = 12,
    /// Lookups repeated because the table was resized.
    CTA_STATS_SEARCH_RESTART = 13,
    /// Insertions that met a racing entry and were merged with it.
    CTA_STATS_CLASH_RESOLVE = 14,
    /// Entries dropped because their chain was too long.
    CTA_STATS_CHAIN_TOOLONG = 15,
    __CTA_STATS_MAX = 16,
}

/// Statistics of the table; each is a u32.
#[repr(C)]
pub enum ctattr_stats_global {
    CTA_STATS_GLOBAL_UNSPEC = 0,
    /// Entries in the table.
    CTA_STATS_GLOBAL_ENTRIES = 1,
    /// Entries the table may have.
    CTA_STATS_GLOBAL_MAX_ENTRIES = 2,
    __CTA_STATS_GLOBAL_MAX = 3,
}

/// Statistics about expectations of one CPU; each is a u32.
#[repr(C)]
pub enum ctattr_expect_stats {
    CTA_STATS_EXP_UNSPEC = 0,
    /// Entries that an expectation led to.
    CTA_STATS_EXP_NEW = 1,
    /// Expectations added.
    CTA_STATS_EXP_CREATE = 2,
    /// Expectations removed.
    CTA_STATS_EXP_DELETE = 3,
    __CTA_STATS_EXP_MAX = 4,
}

/// What of a tuple selects entries.
#[repr(C)]
pub enum ctattr_filter {
    CTA_FILTER_UNSPEC = 0,
    /// u32, host byte order: `CTA_FILTER_FLAG_*` for the original direction.
    CTA_FILTER_ORIG_FLAGS = 1,
    /// u32, host byte order: `CTA_FILTER_FLAG_*` for the reply direction.
    CTA_FILTER_REPLY_FLAGS = 2,
    __CTA_FILTER_MAX = 3,
}
