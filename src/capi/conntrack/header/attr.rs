//! The attributes of both objects, for the main header.

/// Attributes of a conntrack entry.
///
/// The type before the colon says which accessor takes the value: nfct_get_attr_u8() and
/// nfct_set_attr_u8() for u8, and so on; all others are passed by address, with nfct_get_attr()
/// and nfct_set_attr().
#[repr(C)]
pub enum nf_conntrack_attr {
    /// u32: source address of the original direction, IPv4, network byte order.
    ATTR_ORIG_IPV4_SRC = 0,
    /// The same as `ATTR_ORIG_IPV4_SRC`.
    ATTR_IPV4_SRC = ATTR_ORIG_IPV4_SRC,
    /// u32: destination address of the original direction, IPv4, network byte order.
    ATTR_ORIG_IPV4_DST = 1,
    /// The same as `ATTR_ORIG_IPV4_DST`.
    ATTR_IPV4_DST = ATTR_ORIG_IPV4_DST,
    /// u32: source address of the reply direction, IPv4, network byte order.
    ATTR_REPL_IPV4_SRC = 2,
    /// u32: destination address of the reply direction, IPv4, network byte order.
    ATTR_REPL_IPV4_DST = 3,
    /// 16 bytes: source address of the original direction, IPv6, network byte order.
    ATTR_ORIG_IPV6_SRC = 4,
    /// The same as `ATTR_ORIG_IPV6_SRC`.
    ATTR_IPV6_SRC = ATTR_ORIG_IPV6_SRC,
    /// 16 bytes: destination address of the original direction, IPv6, network byte order.
    ATTR_ORIG_IPV6_DST = 5,
    /// The same as `ATTR_ORIG_IPV6_DST`.
    ATTR_IPV6_DST = ATTR_ORIG_IPV6_DST,
    /// 16 bytes: source address of the reply direction, IPv6, network byte order.
    ATTR_REPL_IPV6_SRC = 6,
    /// 16 bytes: destination address of the reply direction, IPv6, network byte order.
    ATTR_REPL_IPV6_DST = 7,
    /// u16: source port of the original direction, network byte order.
    ATTR_ORIG_PORT_SRC = 8,
    /// The same as `ATTR_ORIG_PORT_SRC`.
    ATTR_PORT_SRC = ATTR_ORIG_PORT_SRC,
    /// u16: destination port of the original direction, network byte order.
    ATTR_ORIG_PORT_DST = 9,
    /// The same as `ATTR_ORIG_PORT_DST`.
    ATTR_PORT_DST = ATTR_ORIG_PORT_DST,
    /// u16: source port of the reply direction, network byte order.
    ATTR_REPL_PORT_SRC = 10,
    /// u16: destination port of the reply direction, network byte order.
    ATTR_REPL_PORT_DST = 11,
    /// u8: ICMP or ICMPv6 type.
    ATTR_ICMP_TYPE = 12,
    /// u8: ICMP or ICMPv6 code.
    ATTR_ICMP_CODE = 13,
    /// u16: ICMP or ICMPv6 id, network byte order.
    ATTR_ICMP_ID = 14,
    /// u8: layer 3 protocol of the original direction: `AF_INET` or `AF_INET6`.
    ATTR_ORIG_L3PROTO = 15,
    /// The same as `ATTR_ORIG_L3PROTO`.
    ATTR_L3PROTO = ATTR_ORIG_L3PROTO,
    /// u8: layer 3 protocol of the reply direction.
    ATTR_REPL_L3PROTO = 16,
    /// u8: layer 4 protocol of the original direction: `IPPROTO_*`.
    ATTR_ORIG_L4PROTO = 17,
    /// The same as `ATTR_ORIG_L4PROTO`.
    ATTR_L4PROTO = ATTR_ORIG_L4PROTO,
    /// u8: layer 4 protocol of the reply direction.
    ATTR_REPL_L4PROTO = 18,
    /// u8: state of a TCP connection, `enum tcp_state`.
    ATTR_TCP_STATE = 19,
    /// u32: address that source NAT gives the flow, IPv4, network byte order; set before creating.
    ATTR_SNAT_IPV4 = 20,
    /// u32: address that destination NAT gives the flow, IPv4, network byte order; set before
    /// creating.
    ATTR_DNAT_IPV4 = 21,
    /// u16: port that source NAT gives the flow, network byte order; set before creating.
    ATTR_SNAT_PORT = 22,
    /// u16: port that destination NAT gives the flow, network byte order; set before creating.
    ATTR_DNAT_PORT = 23,
    /// u32: seconds until the entry expires, host byte order.
    ATTR_TIMEOUT = 24,
    /// u32: mark of the entry, host byte order.
    ATTR_MARK = 25,
    /// u64: packets seen in the original direction, host byte order; only the kernel sets it.
    ATTR_ORIG_COUNTER_PACKETS = 26,
    /// u64: packets seen in the reply direction, host byte order; only the kernel sets it.
    ATTR_REPL_COUNTER_PACKETS = 27,
    /// u64: bytes seen in the original direction, host byte order; only the kernel sets it.
    ATTR_ORIG_COUNTER_BYTES = 28,
    /// u64: bytes seen in the reply direction, host byte order; only the kernel sets it.
    ATTR_REPL_COUNTER_BYTES = 29,
    /// u32: reference count of the entry, host byte order; only the kernel sets it.
    ATTR_USE = 30,
    /// u32: identifier the kernel gave the entry, host byte order.
    ATTR_ID = 31,
    /// u32: status bits `IPS_*`, host byte order.
    ATTR_STATUS = 32,
    /// u8: TCP flags of the original direction, `IP_CT_TCP_FLAG_*`.
    ATTR_TCP_FLAGS_ORIG = 33,
    /// u8: TCP flags of the reply direction.
    ATTR_TCP_FLAGS_REPL = 34,
    /// u8: which TCP flags of the original direction an update changes.
    ATTR_TCP_MASK_ORIG = 35,
    /// u8: which TCP flags of the reply direction an update changes.
    ATTR_TCP_MASK_REPL = 36,
    /// u32: source address of the master entry, IPv4, network byte order.
    ATTR_MASTER_IPV4_SRC = 37,
    /// u32: destination address of the master entry, IPv4, network byte order.
    ATTR_MASTER_IPV4_DST = 38,
    /// 16 bytes: source address of the master entry, IPv6, network byte order.
    ATTR_MASTER_IPV6_SRC = 39,
    /// 16 bytes: destination address of the master entry, IPv6, network byte order.
    ATTR_MASTER_IPV6_DST = 40,
    /// u16: source port of the master entry, network byte order.
    ATTR_MASTER_PORT_SRC = 41,
    /// u16: destination port of the master entry, network byte order.
    ATTR_MASTER_PORT_DST = 42,
    /// u8: layer 3 protocol of the master entry.
    ATTR_MASTER_L3PROTO = 43,
    /// u8: layer 4 protocol of the master entry.
    ATTR_MASTER_L4PROTO = 44,
    /// u32: security mark, host byte order.
    ATTR_SECMARK = 45,
    /// u32: sequence adjustment of the original direction: position of the correction, host byte
    /// order.
    ATTR_ORIG_NAT_SEQ_CORRECTION_POS = 46,
    /// u32: sequence adjustment of the original direction: offset before it, host byte order.
    ATTR_ORIG_NAT_SEQ_OFFSET_BEFORE = 47,
    /// u32: sequence adjustment of the original direction: offset after it, host byte order.
    ATTR_ORIG_NAT_SEQ_OFFSET_AFTER = 48,
    /// u32: sequence adjustment of the reply direction: position of the correction, host byte
    /// order.
    ATTR_REPL_NAT_SEQ_CORRECTION_POS = 49,
    /// u32: sequence adjustment of the reply direction: offset before it, host byte order.
    ATTR_REPL_NAT_SEQ_OFFSET_BEFORE = 50,
    /// u32: sequence adjustment of the reply direction: offset after it, host byte order.
    ATTR_REPL_NAT_SEQ_OFFSET_AFTER = 51,
    /// u8: state of an SCTP association, `enum sctp_state`.
    ATTR_SCTP_STATE = 52,
    /// u32: SCTP verification tag of the original direction, host byte order.
    ATTR_SCTP_VTAG_ORIG = 53,
    /// u32: SCTP verification tag of the reply direction, host byte order.
    ATTR_SCTP_VTAG_REPL = 54,
    /// Name of the helper: a C string of at most 15 characters.
    ATTR_HELPER_NAME = 55,
    /// u8: state of a DCCP connection, `enum dccp_state`.
    ATTR_DCCP_STATE = 56,
    /// u8: role of the DCCP originator, `enum dccp_roles`.
    ATTR_DCCP_ROLE = 57,
    /// u64: DCCP handshake sequence number, host byte order.
    ATTR_DCCP_HANDSHAKE_SEQ = 58,
    /// u8: TCP window scale of the original direction.
    ATTR_TCP_WSCALE_ORIG = 59,
    /// u8: TCP window scale of the reply direction.
    ATTR_TCP_WSCALE_REPL = 60,
    /// u16: zone of both directions, host byte order.
    ATTR_ZONE = 61,
    /// Security context: a C string; only the kernel sets it.
    ATTR_SECCTX = 62,
    /// u64: when the entry was made, nanoseconds since 1970, host byte order; only the kernel sets
    /// it.
    ATTR_TIMESTAMP_START = 63,
    /// u64: when the entry ended, nanoseconds since 1970, host byte order; only the kernel sets it.
    ATTR_TIMESTAMP_STOP = 64,
    /// Private data of the helper: bytes with a length.
    ATTR_HELPER_INFO = 65,
    /// Labels: a bitmask, which the object takes over.
    ATTR_CONNLABELS = 66,
    /// Which labels an update changes: a bitmask, which the object takes over. Its size may differ
    /// from that of the labels.
    ATTR_CONNLABELS_MASK = 67,
    /// u16: zone of the original direction alone, host byte order.
    ATTR_ORIG_ZONE = 68,
    /// u16: zone of the reply direction alone, host byte order.
    ATTR_REPL_ZONE = 69,
    /// 16 bytes: address that source NAT gives the flow, IPv6, network byte order; set before
    /// creating.
    ATTR_SNAT_IPV6 = 70,
    /// 16 bytes: address that destination NAT gives the flow, IPv6, network byte order; set before
    /// creating.
    ATTR_DNAT_IPV6 = 71,
    /// u32: SYN proxy: initial sequence number, host byte order.
    ATTR_SYNPROXY_ISN = 72,
    /// u32: SYN proxy: initial timestamp, host byte order.
    ATTR_SYNPROXY_ITS = 73,
    /// u32: SYN proxy: timestamp offset, host byte order.
    ATTR_SYNPROXY_TSOFF = 74,
    /// u64: when the event happened, nanoseconds since 1970, host byte order; only the kernel sets
    /// it.
    ATTR_TIMESTAMP_EVENT = 75,
    /// Number of attributes.
    ATTR_MAX = 76,
}

/// Groups of attributes that are read and written together, as one structure.
#[repr(C)]
pub enum nf_conntrack_attr_grp {
    /// struct nfct_attr_grp_ipv4: addresses of the original direction.
    ATTR_GRP_ORIG_IPV4 = 0,
    /// struct nfct_attr_grp_ipv4: addresses of the reply direction.
    ATTR_GRP_REPL_IPV4 = 1,
    /// struct nfct_attr_grp_ipv6: addresses of the original direction.
    ATTR_GRP_ORIG_IPV6 = 2,
    /// struct nfct_attr_grp_ipv6: addresses of the reply direction.
    ATTR_GRP_REPL_IPV6 = 3,
    /// struct nfct_attr_grp_port: ports of the original direction.
    ATTR_GRP_ORIG_PORT = 4,
    /// struct nfct_attr_grp_port: ports of the reply direction.
    ATTR_GRP_REPL_PORT = 5,
    /// struct nfct_attr_grp_icmp: type, code and id.
    ATTR_GRP_ICMP = 6,
    /// struct nfct_attr_grp_ipv4: addresses of the master entry.
    ATTR_GRP_MASTER_IPV4 = 7,
    /// struct nfct_attr_grp_ipv6: addresses of the master entry.
    ATTR_GRP_MASTER_IPV6 = 8,
    /// struct nfct_attr_grp_port: ports of the master entry.
    ATTR_GRP_MASTER_PORT = 9,
    /// struct nfct_attr_grp_ctrs: counters of the original direction; only the kernel sets them.
    ATTR_GRP_ORIG_COUNTERS = 10,
    /// struct nfct_attr_grp_ctrs: counters of the reply direction; only the kernel sets them.
    ATTR_GRP_REPL_COUNTERS = 11,
    /// union nfct_attr_grp_addr: source address of the original direction, of either family;
    /// to be read only.
    ATTR_GRP_ORIG_ADDR_SRC = 12,
    /// union nfct_attr_grp_addr: destination address of the original direction; to be read only.
    ATTR_GRP_ORIG_ADDR_DST = 13,
    /// union nfct_attr_grp_addr: source address of the reply direction; to be read only.
    ATTR_GRP_REPL_ADDR_SRC = 14,
    /// union nfct_attr_grp_addr: destination address of the reply direction; to be read only.
    ATTR_GRP_REPL_ADDR_DST = 15,
    /// Number of groups.
    ATTR_GRP_MAX = 16,
}

/// Attributes of an expectation.
///
/// The type before the colon says which accessor takes the value, as for a conntrack entry. A
/// tuple is passed as a struct nf_conntrack whose original direction counts: setting copies it, and
/// getting returns a pointer into the expectation, which is not to be destroyed.
#[repr(C)]
pub enum nf_expect_attr {
    /// Tuple: the entry whose helper expects the flow.
    ATTR_EXP_MASTER = 0,
    /// Tuple: the expected flow.
    ATTR_EXP_EXPECTED = 1,
    /// Tuple: which bits of the expected tuple count.
    ATTR_EXP_MASK = 2,
    /// u32: seconds until the expectation expires, host byte order.
    ATTR_EXP_TIMEOUT = 3,
    /// u16: zone, host byte order.
    ATTR_EXP_ZONE = 4,
    /// u32: `NF_CT_EXPECT_*`, host byte order.
    ATTR_EXP_FLAGS = 5,
    /// Name of the helper: a C string of at most 15 characters.
    ATTR_EXP_HELPER_NAME = 6,
    /// u32: class of the helper's policy, host byte order.
    ATTR_EXP_CLASS = 7,
    /// Tuple: what NAT makes of the expected flow.
    ATTR_EXP_NAT_TUPLE = 8,
    /// u8 or u32: direction that NAT applies to, `NFCT_DIR_*`, host byte order.
    ATTR_EXP_NAT_DIR = 9,
    /// Name of the function called for the flow: a C string of at most 23 characters.
    ATTR_EXP_FN = 10,
    /// Number of attributes.
    ATTR_EXP_MAX = 11,
}
