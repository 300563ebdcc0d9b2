//! The attributes of entries, groups of them, and attributes of expectations.

/// Attributes of an entry.
///
/// Each line says: the type, the byte order of a number of more than one byte, what it is.
/// u8, u16, u32 and u64 name the accessors, nfct_get_attr_u8() and nfct_set_attr_u8() and so on;
/// everything else is passed by address, with nfct_get_attr() and nfct_set_attr().
///
/// Unless more is said, the kernel reports the attribute and requests carry it. "Read-only": only
/// the kernel fills it; setting it marks it as set, without a value. "Request only": the kernel
/// never reports it. "When creating": a change of an entry cannot have it. "Linux 4.3": the first
/// kernel that knows it; older ones leave it out and ignore it in requests. No number: 3.0 or
/// before.
#[repr(C)]
pub enum nf_conntrack_attr {
    /// u32, network byte order: IPv4 source address, original direction.
    ATTR_ORIG_IPV4_SRC = 0,
    /// The same as `ATTR_ORIG_IPV4_SRC`.
    ATTR_IPV4_SRC = ATTR_ORIG_IPV4_SRC,
    /// u32, network byte order: IPv4 destination address, original direction.
    ATTR_ORIG_IPV4_DST = 1,
    /// The same as `ATTR_ORIG_IPV4_DST`.
    ATTR_IPV4_DST = ATTR_ORIG_IPV4_DST,
    /// u32, network byte order: IPv4 source address, reply direction.
    ATTR_REPL_IPV4_SRC = 2,
    /// u32, network byte order: IPv4 destination address, reply direction.
    ATTR_REPL_IPV4_DST = 3,
    /// 16 bytes, network byte order: IPv6 source address, original direction.
    ATTR_ORIG_IPV6_SRC = 4,
    /// The same as `ATTR_ORIG_IPV6_SRC`.
    ATTR_IPV6_SRC = ATTR_ORIG_IPV6_SRC,
    /// 16 bytes, network byte order: IPv6 destination address, original direction.
    ATTR_ORIG_IPV6_DST = 5,
    /// The same as `ATTR_ORIG_IPV6_DST`.
    ATTR_IPV6_DST = ATTR_ORIG_IPV6_DST,
    /// 16 bytes, network byte order: IPv6 source address, reply direction.
    ATTR_REPL_IPV6_SRC = 6,
    /// 16 bytes, network byte order: IPv6 destination address, reply direction.
    ATTR_REPL_IPV6_DST = 7,
    /// u16, network byte order: source port, original direction; of GRE the key.
    ATTR_ORIG_PORT_SRC = 8,
    /// The same as `ATTR_ORIG_PORT_SRC`.
    ATTR_PORT_SRC = ATTR_ORIG_PORT_SRC,
    /// u16, network byte order: destination port, original direction; of GRE the key.
    ATTR_ORIG_PORT_DST = 9,
    /// The same as `ATTR_ORIG_PORT_DST`.
    ATTR_PORT_DST = ATTR_ORIG_PORT_DST,
    /// u16, network byte order: source port, reply direction; of GRE the key.
    ATTR_REPL_PORT_SRC = 10,
    /// u16, network byte order: destination port, reply direction; of GRE the key.
    ATTR_REPL_PORT_DST = 11,
    /// u8: ICMP or ICMPv6 type. Setting it sets the reply direction's too. It shares its place with
    /// the ports, as the code and the id do.
    ATTR_ICMP_TYPE = 12,
    /// u8: ICMP or ICMPv6 code, of both directions.
    ATTR_ICMP_CODE = 13,
    /// u16, network byte order: ICMP or ICMPv6 id, of both directions.
    ATTR_ICMP_ID = 14,
    /// u8: layer 3 protocol, original direction: AF_INET or AF_INET6. Every request needs it.
    ATTR_ORIG_L3PROTO = 15,
    /// The same as `ATTR_ORIG_L3PROTO`.
    ATTR_L3PROTO = ATTR_ORIG_L3PROTO,
    /// u8: layer 3 protocol, reply direction: AF_INET or AF_INET6.
    ATTR_REPL_L3PROTO = 16,
    /// u8: layer 4 protocol, original direction: IPPROTO_*.
    ATTR_ORIG_L4PROTO = 17,
    /// The same as `ATTR_ORIG_L4PROTO`.
    ATTR_L4PROTO = ATTR_ORIG_L4PROTO,
    /// u8: layer 4 protocol, reply direction: IPPROTO_*.
    ATTR_REPL_L4PROTO = 18,
    /// u8: state of a TCP connection, enum tcp_state. It shares its place with the states of other
    /// protocols.
    ATTR_TCP_STATE = 19,
    /// u32, network byte order: IPv4 address that source NAT is to give the flow. Request only,
    /// when creating.
    ATTR_SNAT_IPV4 = 20,
    /// u32, network byte order: IPv4 address that destination NAT is to give the flow. Request
    /// only, when creating.
    ATTR_DNAT_IPV4 = 21,
    /// u16, network byte order: port that source NAT is to give the flow. Request only, when
    /// creating.
    ATTR_SNAT_PORT = 22,
    /// u16, network byte order: port that destination NAT is to give the flow. Request only, when
    /// creating.
    ATTR_DNAT_PORT = 23,
    /// u32, host byte order: seconds until the entry expires. Creating needs it. Not reported of
    /// flows that the flow table or the hardware forwards.
    ATTR_TIMEOUT = 24,
    /// u32, host byte order: mark of the entry.
    ATTR_MARK = 25,
    /// u64, host byte order: packets, original direction. Read-only; counted while the sysctl
    /// net.netfilter.nf_conntrack_acct is 1, as the next three are.
    ATTR_ORIG_COUNTER_PACKETS = 26,
    /// u64, host byte order: packets, reply direction. Read-only.
    ATTR_REPL_COUNTER_PACKETS = 27,
    /// u64, host byte order: bytes, original direction. Read-only.
    ATTR_ORIG_COUNTER_BYTES = 28,
    /// u64, host byte order: bytes, reply direction. Read-only.
    ATTR_REPL_COUNTER_BYTES = 29,
    /// u32, host byte order: reference count of the entry. Read-only; not in events.
    ATTR_USE = 30,
    /// u32, host byte order: number that the kernel gave the entry. Requests do not carry it.
    ATTR_ID = 31,
    /// u32, host byte order: status bits IPS_*. Requests may set some of them, and clear none that
    /// the entry has.
    ATTR_STATUS = 32,
    /// u8: TCP flags, original direction: IP_CT_TCP_FLAG_*.
    ATTR_TCP_FLAGS_ORIG = 33,
    /// u8: TCP flags, reply direction: IP_CT_TCP_FLAG_*.
    ATTR_TCP_FLAGS_REPL = 34,
    /// u8: which TCP flags of the original direction a request changes. The kernel reports 0.
    ATTR_TCP_MASK_ORIG = 35,
    /// u8: which TCP flags of the reply direction a request changes. The kernel reports 0.
    ATTR_TCP_MASK_REPL = 36,
    /// u32, network byte order: IPv4 source address of the master entry. When creating, as the
    /// other attributes of the master.
    ATTR_MASTER_IPV4_SRC = 37,
    /// u32, network byte order: IPv4 destination address of the master entry. When creating.
    ATTR_MASTER_IPV4_DST = 38,
    /// 16 bytes, network byte order: IPv6 source address of the master entry. When creating.
    ATTR_MASTER_IPV6_SRC = 39,
    /// 16 bytes, network byte order: IPv6 destination address of the master entry. When creating.
    ATTR_MASTER_IPV6_DST = 40,
    /// u16, network byte order: source port of the master entry. When creating.
    ATTR_MASTER_PORT_SRC = 41,
    /// u16, network byte order: destination port of the master entry. When creating.
    ATTR_MASTER_PORT_DST = 42,
    /// u8: layer 3 protocol of the master entry: AF_INET or AF_INET6. When creating.
    ATTR_MASTER_L3PROTO = 43,
    /// u8: layer 4 protocol of the master entry: IPPROTO_*. When creating.
    ATTR_MASTER_L4PROTO = 44,
    /// u32, host byte order: security mark, of old kernels; today's neither report nor take it.
    ATTR_SECMARK = 45,
    /// u32, host byte order: TCP sequence adjustment, original direction: where the last correction
    /// was. A request needs all three of a direction.
    ATTR_ORIG_NAT_SEQ_CORRECTION_POS = 46,
    /// u32, host byte order: TCP sequence adjustment, original direction: offset before it, signed.
    ATTR_ORIG_NAT_SEQ_OFFSET_BEFORE = 47,
    /// u32, host byte order: TCP sequence adjustment, original direction: offset after it, signed.
    ATTR_ORIG_NAT_SEQ_OFFSET_AFTER = 48,
    /// u32, host byte order: TCP sequence adjustment, reply direction: where the last correction
    /// was.
    ATTR_REPL_NAT_SEQ_CORRECTION_POS = 49,
    /// u32, host byte order: TCP sequence adjustment, reply direction: offset before it, signed.
    ATTR_REPL_NAT_SEQ_OFFSET_BEFORE = 50,
    /// u32, host byte order: TCP sequence adjustment, reply direction: offset after it, signed.
    ATTR_REPL_NAT_SEQ_OFFSET_AFTER = 51,
    /// u8: state of an SCTP association, enum sctp_state. A request needs both tags too.
    ATTR_SCTP_STATE = 52,
    /// u32, host byte order: SCTP verification tag, original direction.
    ATTR_SCTP_VTAG_ORIG = 53,
    /// u32, host byte order: SCTP verification tag, reply direction.
    ATTR_SCTP_VTAG_REPL = 54,
    /// C string of at most 15 characters: name of the helper. Not in destroy events.
    ATTR_HELPER_NAME = 55,
    /// u8: state of a DCCP connection, enum dccp_state. Linux 6.17 and later track no DCCP.
    ATTR_DCCP_STATE = 56,
    /// u8: role of the side that sent the first DCCP packet, enum dccp_roles.
    ATTR_DCCP_ROLE = 57,
    /// u64, host byte order: DCCP handshake sequence number.
    ATTR_DCCP_HANDSHAKE_SEQ = 58,
    /// u8: TCP window scale, original direction: 0 to 14. A request needs both scales, and both
    /// directions IP_CT_TCP_FLAG_WINDOW_SCALE.
    ATTR_TCP_WSCALE_ORIG = 59,
    /// u8: TCP window scale, reply direction: 0 to 14.
    ATTR_TCP_WSCALE_REPL = 60,
    /// u16, host byte order: zone of both directions. Zone 0 is not reported.
    ATTR_ZONE = 61,
    /// C string: security context. Read-only; not in destroy events.
    ATTR_SECCTX = 62,
    /// u64, host byte order: when the entry was made, nanoseconds since 1970. Read-only; known
    /// while the sysctl net.netfilter.nf_conntrack_timestamp is 1, as all times are.
    ATTR_TIMESTAMP_START = 63,
    /// u64, host byte order: when the entry ended, nanoseconds since 1970. Read-only; in destroy
    /// events.
    ATTR_TIMESTAMP_STOP = 64,
    /// Bytes, set by nfct_set_attr_l(): private data of the helper. Linux 3.6.
    ATTR_HELPER_INFO = 65,
    /// struct nfct_bitmask, which the entry takes over: labels. Linux 3.9.
    ATTR_CONNLABELS = 66,
    /// struct nfct_bitmask, which the entry takes over: which labels a request changes. Its size
    /// may differ from that of the labels. Request only. Linux 3.11.
    ATTR_CONNLABELS_MASK = 67,
    /// u16, host byte order: zone of the original direction alone. Linux 4.3.
    ATTR_ORIG_ZONE = 68,
    /// u16, host byte order: zone of the reply direction alone. Linux 4.3.
    ATTR_REPL_ZONE = 69,
    /// 16 bytes, network byte order: IPv6 address that source NAT is to give the flow. Request
    /// only, when creating. Linux 3.7.
    ATTR_SNAT_IPV6 = 70,
    /// 16 bytes, network byte order: IPv6 address that destination NAT is to give the flow. Request
    /// only, when creating. Linux 3.7.
    ATTR_DNAT_IPV6 = 71,
    /// u32, host byte order: SYN proxy: initial sequence number. A request needs all three.
    /// Linux 4.17.
    ATTR_SYNPROXY_ISN = 72,
    /// u32, host byte order: SYN proxy: initial timestamp. Linux 4.17.
    ATTR_SYNPROXY_ITS = 73,
    /// u32, host byte order: SYN proxy: timestamp offset. Linux 4.17.
    ATTR_SYNPROXY_TSOFF = 74,
    /// u64, host byte order: when the event happened, nanoseconds since 1970. Read-only: setting it
    /// is ignored. Linux 6.14.
    ATTR_TIMESTAMP_EVENT = 75,
    /// Number of attributes.
    ATTR_MAX = 76,
}

/// Groups of attributes that are read and written together, as one structure.
#[repr(C)]
pub enum nf_conntrack_attr_grp {
    /// struct nfct_attr_grp_ipv4: addresses, original direction.
    ATTR_GRP_ORIG_IPV4 = 0,
    /// struct nfct_attr_grp_ipv4: addresses, reply direction.
    ATTR_GRP_REPL_IPV4 = 1,
    /// struct nfct_attr_grp_ipv6: addresses, original direction.
    ATTR_GRP_ORIG_IPV6 = 2,
    /// struct nfct_attr_grp_ipv6: addresses, reply direction.
    ATTR_GRP_REPL_IPV6 = 3,
    /// struct nfct_attr_grp_port: ports, original direction.
    ATTR_GRP_ORIG_PORT = 4,
    /// struct nfct_attr_grp_port: ports, reply direction.
    ATTR_GRP_REPL_PORT = 5,
    /// struct nfct_attr_grp_icmp: type, code and id.
    ATTR_GRP_ICMP = 6,
    /// struct nfct_attr_grp_ipv4: addresses of the master entry.
    ATTR_GRP_MASTER_IPV4 = 7,
    /// struct nfct_attr_grp_ipv6: addresses of the master entry.
    ATTR_GRP_MASTER_IPV6 = 8,
    /// struct nfct_attr_grp_port: ports of the master entry.
    ATTR_GRP_MASTER_PORT = 9,
    /// struct nfct_attr_grp_ctrs: counters, original direction. Read-only.
    ATTR_GRP_ORIG_COUNTERS = 10,
    /// struct nfct_attr_grp_ctrs: counters, reply direction. Read-only.
    ATTR_GRP_REPL_COUNTERS = 11,
    /// union nfct_attr_grp_addr: source address of either family, original direction. Read-only.
    ATTR_GRP_ORIG_ADDR_SRC = 12,
    /// union nfct_attr_grp_addr: destination address, original direction. Read-only.
    ATTR_GRP_ORIG_ADDR_DST = 13,
    /// union nfct_attr_grp_addr: source address, reply direction. Read-only.
    ATTR_GRP_REPL_ADDR_SRC = 14,
    /// union nfct_attr_grp_addr: destination address, reply direction. Read-only.
    ATTR_GRP_REPL_ADDR_DST = 15,
    /// Number of groups.
    ATTR_GRP_MAX = 16,
}

/// Attributes of an expectation.
///
/// The lines read as those of enum nf_conntrack_attr; the accessors are nfexp_get_attr_u8() and so
/// on. "Tuple" is a struct nf_conntrack whose original direction counts: setting copies it, getting
/// returns a pointer into the expectation, which is not to be destroyed.
#[repr(C)]
pub enum nf_expect_attr {
    /// Tuple: the entry whose helper expects the flow.
    ATTR_EXP_MASTER = 0,
    /// Tuple: the expected flow.
    ATTR_EXP_EXPECTED = 1,
    /// Tuple: which bits of the expected tuple count.
    ATTR_EXP_MASK = 2,
    /// u32, host byte order: seconds until the expectation expires. The helper's policy decides it
    /// when an expectation is created; a change has it.
    ATTR_EXP_TIMEOUT = 3,
    /// u16, host byte order: zone. Request only.
    ATTR_EXP_ZONE = 4,
    /// u32, host byte order: NF_CT_EXPECT_*.
    ATTR_EXP_FLAGS = 5,
    /// C string of at most 15 characters: name of the helper.
    ATTR_EXP_HELPER_NAME = 6,
    /// u32, host byte order: class of the helper's policy. Requests do not carry it. Linux 3.3.
    ATTR_EXP_CLASS = 7,
    /// Tuple: what NAT makes of the expected flow. Requests do not carry it. Linux 3.3.
    ATTR_EXP_NAT_TUPLE = 8,
    /// u8 or u32, host byte order: direction that NAT applies to, NFCT_DIR_*. Requests do not carry
    /// it. Linux 3.3.
    ATTR_EXP_NAT_DIR = 9,
    /// C string of at most 23 characters: name of the function called for the flow. Requests do not
    /// carry it. Linux 3.4.
    ATTR_EXP_FN = 10,
    /// Number of attributes.
    ATTR_EXP_MAX = 11,
}
