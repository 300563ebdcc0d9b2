//! States of SCTP entries.

/// States of an SCTP association, as `ATTR_SCTP_STATE` holds them.
#[repr(C)]
pub enum sctp_state {
    /// Nothing seen yet.
    SCTP_CONNTRACK_NONE = 0,
    /// The association is closed.
    SCTP_CONNTRACK_CLOSED = 1,
    /// INIT was sent.
    SCTP_CONNTRACK_COOKIE_WAIT = 2,
    /// COOKIE ECHO was sent.
    SCTP_CONNTRACK_COOKIE_ECHOED = 3,
    /// The association is open.
    SCTP_CONNTRACK_ESTABLISHED = 4,
    /// The originator has sent SHUTDOWN.
    SCTP_CONNTRACK_SHUTDOWN_SENT = 5,
    /// The responder has sent SHUTDOWN.
    SCTP_CONNTRACK_SHUTDOWN_RECD = 6,
    /// SHUTDOWN was acknowledged.
    SCTP_CONNTRACK_SHUTDOWN_ACK_SENT = 7,
    /// A HEARTBEAT was seen on a path without an association.
    SCTP_CONNTRACK_HEARTBEAT_SENT = 8,
    /// That HEARTBEAT was acknowledged.
    SCTP_CONNTRACK_HEARTBEAT_ACKED = 9,
    /// Number of states.
    SCTP_CONNTRACK_MAX = 10,
}
