//! States and roles of DCCP entries.

/// The last role.
pub const DCCP_ROLE_MAX: i32 = __DCCP_CONNTRACK_ROLE_MAX - 1;

/// States of a DCCP connection, as `ATTR_DCCP_STATE` holds them.
#[repr(C)]
pub enum dccp_state {
    /// Nothing seen yet.
    DCCP_CONNTRACK_NONE = 0,
    /// The client has sent a REQUEST.
    DCCP_CONNTRACK_REQUEST = 1,
    /// The server has sent a RESPONSE.
    DCCP_CONNTRACK_RESPOND = 2,
    /// The client has acknowledged the RESPONSE.
    DCCP_CONNTRACK_PARTOPEN = 3,
    /// The connection is open.
    DCCP_CONNTRACK_OPEN = 4,
    /// The server has asked the client to close.
    DCCP_CONNTRACK_CLOSEREQ = 5,
    /// One side is closing.
    DCCP_CONNTRACK_CLOSING = 6,
    /// The connection has ended.
    DCCP_CONNTRACK_TIMEWAIT = 7,
    /// Not a state of an entry: a packet that changes none.
    DCCP_CONNTRACK_IGNORE = 8,
    /// Not a state of an entry: a packet that does not belong here.
    DCCP_CONNTRACK_INVALID = 9,
    /// Number of states.
    DCCP_CONNTRACK_MAX = 10,
}

/// Roles of the side that sent the first packet, as `ATTR_DCCP_ROLE` holds them.
#[repr(C)]
pub enum dccp_roles {
    /// It is the client.
    DCCP_CONNTRACK_ROLE_CLIENT = 0,
    /// It is the server.
    DCCP_CONNTRACK_ROLE_SERVER = 1,
    /// Number of roles.
    __DCCP_CONNTRACK_ROLE_MAX = 2,
}
