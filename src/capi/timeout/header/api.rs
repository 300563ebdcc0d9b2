//! The enums of the header: the attributes of a policy, and the states of each protocol.

/// Attributes of a policy.
#[repr(C)]
pub enum nfct_timeout_attr {
    /// C string, 31 bytes and the NUL: the name of the policy.
    NFCT_TIMEOUT_ATTR_NAME = 0,
    /// u16, host byte order: the address family, `AF_INET` or `AF_INET6`.
    NFCT_TIMEOUT_ATTR_L3PROTO = 1,
    /// u8: the protocol, `IPPROTO_*`; `IPPROTO_RAW` for all that have no own states.
    NFCT_TIMEOUT_ATTR_L4PROTO = 2,
    /// There are timeouts; set by nfct_timeout_policy_attr_set_u32().
    NFCT_TIMEOUT_ATTR_POLICY = 3,
    /// Number of attributes.
    NFCT_TIMEOUT_ATTR_MAX = 4,
}

/// States of TCP, for nfct_timeout_policy_attr_set_u32(): u32, seconds.
#[repr(C)]
pub enum nfct_timeout_tcp_attr {
    NFCT_TIMEOUT_ATTR_TCP_SYN_SENT = 0,
    NFCT_TIMEOUT_ATTR_TCP_SYN_RECV = 1,
    NFCT_TIMEOUT_ATTR_TCP_ESTABLISHED = 2,
    NFCT_TIMEOUT_ATTR_TCP_FIN_WAIT = 3,
    NFCT_TIMEOUT_ATTR_TCP_CLOSE_WAIT = 4,
    NFCT_TIMEOUT_ATTR_TCP_LAST_ACK = 5,
    NFCT_TIMEOUT_ATTR_TCP_TIME_WAIT = 6,
    NFCT_TIMEOUT_ATTR_TCP_CLOSE = 7,
    /// Both sides have sent a SYN.
    NFCT_TIMEOUT_ATTR_TCP_SYN_SENT2 = 8,
    /// More was sent again than `nf_conntrack_tcp_max_retrans` allows.
    NFCT_TIMEOUT_ATTR_TCP_RETRANS = 9,
    /// Data was sent and not acknowledged; printed as UNACKNOWLEDGED.
    NFCT_TIMEOUT_ATTR_TCP_UNACK = 10,
    /// Number of states.
    NFCT_TIMEOUT_ATTR_TCP_MAX = 11,
}

/// States of UDP, for nfct_timeout_policy_attr_set_u32(): u32, seconds.
#[repr(C)]
pub enum nfct_timeout_udp_attr {
    NFCT_TIMEOUT_ATTR_UDP_UNREPLIED = 0,
    NFCT_TIMEOUT_ATTR_UDP_REPLIED = 1,
    /// Number of states.
    NFCT_TIMEOUT_ATTR_UDP_MAX = 2,
}

/// States of UDP-Lite, for nfct_timeout_policy_attr_set_u32(): u32, seconds.
#[repr(C)]
pub enum nfct_timeout_udplite_attr {
    NFCT_TIMEOUT_ATTR_UDPLITE_UNREPLIED = 0,
    NFCT_TIMEOUT_ATTR_UDPLITE_REPLIED = 1,
    /// Number of states.
    NFCT_TIMEOUT_ATTR_UDPLITE_MAX = 2,
}

/// States of DCCP, for nfct_timeout_policy_attr_set_u32(): u32, seconds.
#[repr(C)]
pub enum nfct_timeout_dccp_attr {
    NFCT_TIMEOUT_ATTR_DCCP_REQUEST = 0,
    NFCT_TIMEOUT_ATTR_DCCP_RESPOND = 1,
    NFCT_TIMEOUT_ATTR_DCCP_PARTOPEN = 2,
    NFCT_TIMEOUT_ATTR_DCCP_OPEN = 3,
    NFCT_TIMEOUT_ATTR_DCCP_CLOSEREQ = 4,
    NFCT_TIMEOUT_ATTR_DCCP_CLOSING = 5,
    NFCT_TIMEOUT_ATTR_DCCP_TIMEWAIT = 6,
    /// Number of states.
    NFCT_TIMEOUT_ATTR_DCCP_MAX = 7,
}

/// States of SCTP, for nfct_timeout_policy_attr_set_u32(): u32, seconds.
#[repr(C)]
pub enum nfct_timeout_sctp_attr {
    NFCT_TIMEOUT_ATTR_SCTP_CLOSED = 0,
    NFCT_TIMEOUT_ATTR_SCTP_COOKIE_WAIT = 1,
    NFCT_TIMEOUT_ATTR_SCTP_COOKIE_ECHOED = 2,
    NFCT_TIMEOUT_ATTR_SCTP_ESTABLISHED = 3,
    NFCT_TIMEOUT_ATTR_SCTP_SHUTDOWN_SENT = 4,
    NFCT_TIMEOUT_ATTR_SCTP_SHUTDOWN_RECD = 5,
    NFCT_TIMEOUT_ATTR_SCTP_SHUTDOWN_ACK_SENT = 6,
    /// Number of states.
    NFCT_TIMEOUT_ATTR_SCTP_MAX = 7,
}

/// States of ICMP, for nfct_timeout_policy_attr_set_u32(): u32, seconds.
#[repr(C)]
pub enum nfct_timeout_icmp_attr {
    NFCT_TIMEOUT_ATTR_ICMP = 0,
    /// Number of states.
    NFCT_TIMEOUT_ATTR_ICMP_MAX = 1,
}

/// States of ICMPv6, for nfct_timeout_policy_attr_set_u32(): u32, seconds.
#[repr(C)]
pub enum nfct_timeout_icmpv6_attr {
    NFCT_TIMEOUT_ATTR_ICMPV6 = 0,
    /// Number of states.
    NFCT_TIMEOUT_ATTR_ICMPV6_MAX = 1,
}

/// States of GRE, for nfct_timeout_policy_attr_set_u32(): u32, seconds.
#[repr(C)]
pub enum nfct_timeout_gre_attr {
    NFCT_TIMEOUT_ATTR_GRE_UNREPLIED = 0,
    NFCT_TIMEOUT_ATTR_GRE_REPLIED = 1,
    /// Number of states.
    NFCT_TIMEOUT_ATTR_GRE_MAX = 2,
}

/// States of all other protocols, for nfct_timeout_policy_attr_set_u32(): u32, seconds.
#[repr(C)]
pub enum nfct_timeout_generic_attr {
    NFCT_TIMEOUT_ATTR_GENERIC = 0,
    /// Number of states.
    NFCT_TIMEOUT_ATTR_GENERIC_MAX = 1,
}

/// Formats of nfct_timeout_snprintf().
#[repr(C)]
pub enum nfct_timeout_output_type {
    /// Text as a table of the states.
    NFCT_TIMEOUT_O_DEFAULT = 0,
}
