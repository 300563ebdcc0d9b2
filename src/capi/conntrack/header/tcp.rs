//! States of TCP entries.

/// Both sides have sent a SYN: a simultaneous open.
pub const TCP_CONNTRACK_SYN_SENT2: i32 = TCP_CONNTRACK_LISTEN;

/// States of a TCP connection, as `ATTR_TCP_STATE` holds them.
#[repr(C)]
pub enum tcp_state {
    /// Nothing seen yet.
    TCP_CONNTRACK_NONE = 0,
    /// The originator has sent a SYN.
    TCP_CONNTRACK_SYN_SENT = 1,
    /// The responder has answered with SYN and ACK.
    TCP_CONNTRACK_SYN_RECV = 2,
    /// The connection is open.
    TCP_CONNTRACK_ESTABLISHED = 3,
    /// One side has sent a FIN.
    TCP_CONNTRACK_FIN_WAIT = 4,
    /// That FIN has been acknowledged.
    TCP_CONNTRACK_CLOSE_WAIT = 5,
    /// Both sides have sent a FIN.
    TCP_CONNTRACK_LAST_ACK = 6,
    /// Both FINs have been acknowledged.
    TCP_CONNTRACK_TIME_WAIT = 7,
    /// The connection was reset.
    TCP_CONNTRACK_CLOSE = 8,
    /// Not used by its own name: see `TCP_CONNTRACK_SYN_SENT2`.
    TCP_CONNTRACK_LISTEN = 9,
    /// Number of states.
    TCP_CONNTRACK_MAX = 10,
    /// Not a state of an entry: a packet that changes none.
    TCP_CONNTRACK_IGNORE = 11,
}

/// Has no use today; here for old programs.
#[repr(C)]
pub enum tcp_flags {
    TCP_ORIG_SPORT_BIT = 0,
    TCP_ORIG_SPORT = 1 << TCP_ORIG_SPORT_BIT,
    TCP_ORIG_DPORT_BIT = 1,
    TCP_ORIG_DPORT = 1 << TCP_ORIG_DPORT_BIT,
    TCP_REPL_SPORT_BIT = 2,
    TCP_REPL_SPORT = 1 << TCP_REPL_SPORT_BIT,
    TCP_REPL_DPORT_BIT = 3,
    TCP_REPL_DPORT = 1 << TCP_REPL_DPORT_BIT,
    TCP_MASK_SPORT_BIT = 4,
    TCP_MASK_SPORT = 1 << TCP_MASK_SPORT_BIT,
    TCP_MASK_DPORT_BIT = 5,
    TCP_MASK_DPORT = 1 << TCP_MASK_DPORT_BIT,
    TCP_STATE_BIT = 6,
    TCP_STATE = 1 << TCP_STATE_BIT,
    TCP_EXPTUPLE_SPORT_BIT = 7,
    TCP_EXPTUPLE_SPORT = 1 << TCP_EXPTUPLE_SPORT_BIT,
    TCP_EXPTUPLE_DPORT_BIT = 8,
    TCP_EXPTUPLE_DPORT = 1 << TCP_EXPTUPLE_DPORT_BIT,
}
