//! Enumerators for macros and for constants of headers that `ctrs.h` does not include: generators
//! of bindings see no macro.

/// Groups of events, as nfct_open() and ctrs_open() take them: `NF_NETLINK_CONNTRACK_*`.
#[repr(C)]
pub enum ctrs_group {
    /// Entries that are new.
    CTRS_GROUP_NEW = 1,
    /// Entries that have changed.
    CTRS_GROUP_UPDATE = 2,
    /// Entries that are gone.
    CTRS_GROUP_DESTROY = 4,
    /// The same as `NFCT_ALL_CT_GROUPS`: all events of entries.
    CTRS_GROUP_ALL = 7,
    /// Expectations that are new.
    CTRS_GROUP_EXP_NEW = 8,
    /// Expectations that have changed: the kernel sends none.
    CTRS_GROUP_EXP_UPDATE = 16,
    /// Expectations that are gone.
    CTRS_GROUP_EXP_DESTROY = 32,
    /// All events of expectations.
    CTRS_GROUP_EXP_ALL = 56,
}

/// Flags of TCP, as `ATTR_TCP_FLAGS_*` and tcp_flags hold them: `IP_CT_TCP_FLAG_*`.
#[repr(C)]
pub enum ctrs_tcp_flag {
    /// The sender advertises window scaling.
    CTRS_TCP_FLAG_WINDOW_SCALE = 0x01,
    /// The sender permits selective acknowledgements.
    CTRS_TCP_FLAG_SACK_PERM = 0x02,
    /// The sender has sent the first FIN.
    CTRS_TCP_FLAG_CLOSE_INIT = 0x04,
    /// Packets outside the window are not invalid.
    CTRS_TCP_FLAG_BE_LIBERAL = 0x08,
}

/// Flags of an expectation, as `ATTR_EXP_FLAGS` and flags hold them: `NF_CT_EXPECT_*`.
#[repr(C)]
pub enum ctrs_expect_flag {
    /// The expectation stays when a flow has matched it.
    CTRS_EXPECT_PERMANENT = 1,
    /// The expectation matches nothing for now.
    CTRS_EXPECT_INACTIVE = 2,
    /// The expectation was made by a helper in user space.
    CTRS_EXPECT_USERSPACE = 4,
}

/// States of a TCP connection, as `ATTR_TCP_STATE` and tcp_state hold them: `TCP_CONNTRACK_*`.
#[repr(C)]
pub enum ctrs_tcp_state {
    /// Nothing seen yet.
    CTRS_TCP_NONE = 0,
    /// The originator has sent a SYN.
    CTRS_TCP_SYN_SENT = 1,
    /// The responder has answered with SYN and ACK.
    CTRS_TCP_SYN_RECV = 2,
    /// The connection is open.
    CTRS_TCP_ESTABLISHED = 3,
    /// One side has sent a FIN.
    CTRS_TCP_FIN_WAIT = 4,
    /// That FIN has been acknowledged.
    CTRS_TCP_CLOSE_WAIT = 5,
    /// Both sides have sent a FIN.
    CTRS_TCP_LAST_ACK = 6,
    /// Both FINs have been acknowledged.
    CTRS_TCP_TIME_WAIT = 7,
    /// The connection was reset.
    CTRS_TCP_CLOSE = 8,
    /// Both sides have sent a SYN: a simultaneous open.
    CTRS_TCP_SYN_SENT2 = 9,
}

/// States of an SCTP association, as `ATTR_SCTP_STATE` and sctp_state hold them:
/// `SCTP_CONNTRACK_*`.
#[repr(C)]
pub enum ctrs_sctp_state {
    /// Nothing seen yet.
    CTRS_SCTP_NONE = 0,
    /// The association is closed.
    CTRS_SCTP_CLOSED = 1,
    /// INIT was sent.
    CTRS_SCTP_COOKIE_WAIT = 2,
    /// COOKIE ECHO was sent.
    CTRS_SCTP_COOKIE_ECHOED = 3,
    /// The association is open.
    CTRS_SCTP_ESTABLISHED = 4,
    /// The originator has sent SHUTDOWN.
    CTRS_SCTP_SHUTDOWN_SENT = 5,
    /// The responder has sent SHUTDOWN.
    CTRS_SCTP_SHUTDOWN_RECD = 6,
    /// SHUTDOWN was acknowledged.
    CTRS_SCTP_SHUTDOWN_ACK_SENT = 7,
    /// A HEARTBEAT was seen on a path without an association.
    CTRS_SCTP_HEARTBEAT_SENT = 8,
    /// That HEARTBEAT was acknowledged.
    CTRS_SCTP_HEARTBEAT_ACKED = 9,
}

/// States of a DCCP connection, as `ATTR_DCCP_STATE` and dccp_state hold them: `DCCP_CONNTRACK_*`.
#[repr(C)]
pub enum ctrs_dccp_state {
    /// Nothing seen yet.
    CTRS_DCCP_NONE = 0,
    /// The client has sent a REQUEST.
    CTRS_DCCP_REQUEST = 1,
    /// The server has sent a RESPONSE.
    CTRS_DCCP_RESPOND = 2,
    /// The client has acknowledged the RESPONSE.
    CTRS_DCCP_PARTOPEN = 3,
    /// The connection is open.
    CTRS_DCCP_OPEN = 4,
    /// The server has asked the client to close.
    CTRS_DCCP_CLOSEREQ = 5,
    /// One side is closing.
    CTRS_DCCP_CLOSING = 6,
    /// The connection has ended.
    CTRS_DCCP_TIMEWAIT = 7,
}

/// Who sent the first packet of DCCP, as `ATTR_DCCP_ROLE` and dccp_role hold it:
/// `DCCP_CONNTRACK_ROLE_*`.
#[repr(C)]
pub enum ctrs_dccp_role {
    /// It is the client.
    CTRS_DCCP_ROLE_CLIENT = 0,
    /// It is the server.
    CTRS_DCCP_ROLE_SERVER = 1,
}
