//! The enums and macros of the main header that are not attributes.

/// The groups of events about entries, for nfct_open(): new, changed and destroyed.
pub const NFCT_ALL_CT_GROUPS: u32 =
    NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_UPDATE | NF_NETLINK_CONNTRACK_DESTROY;
/// Original direction: that of the first packet.
pub const NFCT_DIR_ORIGINAL: i32 = 0;
/// Reply direction: that of the answers.
pub const NFCT_DIR_REPLY: i32 = 1;
/// Number of directions.
pub const NFCT_DIR_MAX: i32 = NFCT_DIR_REPLY + 1;
/// Size of a helper's name with its NUL, in bytes.
pub const NFCT_HELPER_NAME_MAX: i32 = 16;
/// The last option of nfct_setobjopt().
pub const NFCT_SOPT_MAX: i32 = __NFCT_SOPT_MAX - 1;
/// The last option of nfct_getobjopt().
pub const NFCT_GOPT_MAX: i32 = __NFCT_GOPT_MAX - 1;

/// What a handle of nfct_open() is for; 0 stands for both.
#[repr(C)]
pub enum nfct_subsystem {
    /// Entries.
    CONNTRACK = 1,
    /// Expectations.
    EXPECT = 2,
}

/// What happened to the entry or expectation of a message; as a mask, what a callback is called
/// for.
#[repr(C)]
pub enum nf_conntrack_msg_type {
    /// Nothing known.
    NFCT_T_UNKNOWN = 0,
    /// Bit number of `NFCT_T_NEW`.
    NFCT_T_NEW_BIT = 0,
    /// It is new.
    NFCT_T_NEW = 1 << NFCT_T_NEW_BIT,
    /// Bit number of `NFCT_T_UPDATE`.
    NFCT_T_UPDATE_BIT = 1,
    /// It has changed, or it is the answer to a request.
    NFCT_T_UPDATE = 1 << NFCT_T_UPDATE_BIT,
    /// Bit number of `NFCT_T_DESTROY`.
    NFCT_T_DESTROY_BIT = 2,
    /// It is gone.
    NFCT_T_DESTROY = 1 << NFCT_T_DESTROY_BIT,
    /// All of these.
    NFCT_T_ALL = NFCT_T_NEW | NFCT_T_UPDATE | NFCT_T_DESTROY,
    /// Bit number of `NFCT_T_ERROR`.
    NFCT_T_ERROR_BIT = 31,
    /// The message is an error.
    NFCT_T_ERROR = -2147483647 - 1,
}

/// What a function returns that nfct_callback_register(), nfct_callback_register2(),
/// nfexp_callback_register() or nfexp_callback_register2() registers.
#[repr(C)]
pub enum nfct_callback_result {
    /// End the loop: the call that runs it returns -1, with errno as the callback left it. Other
    /// negative numbers are returned likewise.
    NFCT_CB_FAILURE = -1,
    /// End the loop: the call that runs it returns 0.
    NFCT_CB_STOP = 0,
    /// Go on with the next message.
    NFCT_CB_CONTINUE = 1,
    /// As `NFCT_CB_CONTINUE`, and the object is the program's from now on, which destroys it.
    NFCT_CB_STOLEN = 2,
}

/// Options of nfct_setobjopt(): changes that concern several attributes.
#[repr(C)]
pub enum nfct_set_option {
    /// Make the source NAT that the tuples show an instruction for creating the entry anew.
    NFCT_SOPT_UNDO_SNAT = 0,
    /// The same for destination NAT.
    NFCT_SOPT_UNDO_DNAT = 1,
    /// The same for the port of source NAT.
    NFCT_SOPT_UNDO_SPAT = 2,
    /// The same for the port of destination NAT.
    NFCT_SOPT_UNDO_DPAT = 3,
    /// Fill in the original tuple from the reply tuple.
    NFCT_SOPT_SETUP_ORIGINAL = 4,
    /// Fill in the reply tuple from the original tuple.
    NFCT_SOPT_SETUP_REPLY = 5,
    /// Number of options.
    __NFCT_SOPT_MAX = 6,
}

/// Options of nfct_getobjopt(): questions that concern several attributes.
#[repr(C)]
pub enum nfct_get_option {
    /// Has source NAT changed the address?
    NFCT_GOPT_IS_SNAT = 0,
    /// Has destination NAT changed the address?
    NFCT_GOPT_IS_DNAT = 1,
    /// Has source NAT changed the port?
    NFCT_GOPT_IS_SPAT = 2,
    /// Has destination NAT changed the port?
    NFCT_GOPT_IS_DPAT = 3,
    /// Number of options.
    __NFCT_GOPT_MAX = 4,
}

/// Output formats of nfct_snprintf(), nfct_snprintf_labels() and nfexp_snprintf().
#[repr(C)]
pub enum nfct_output_type {
    /// One line of text.
    NFCT_O_PLAIN = 0,
    /// The same as `NFCT_O_PLAIN`.
    NFCT_O_DEFAULT = NFCT_O_PLAIN,
    /// An XML element.
    NFCT_O_XML = 1,
    /// Number of formats.
    NFCT_O_MAX = 2,
}

/// Output flags of nfct_snprintf(), nfct_snprintf_labels() and nfexp_snprintf().
#[repr(C)]
pub enum nfct_output_flags {
    /// Bit number of `NFCT_OF_SHOW_LAYER3`.
    NFCT_OF_SHOW_LAYER3_BIT = 0,
    /// Show the layer 3 protocol (text only).
    NFCT_OF_SHOW_LAYER3 = 1 << NFCT_OF_SHOW_LAYER3_BIT,
    /// Bit number of `NFCT_OF_TIME`.
    NFCT_OF_TIME_BIT = 1,
    /// Show the time of the call (XML only).
    NFCT_OF_TIME = 1 << NFCT_OF_TIME_BIT,
    /// Bit number of `NFCT_OF_ID`.
    NFCT_OF_ID_BIT = 2,
    /// Show the identifier (text; XML always does).
    NFCT_OF_ID = 1 << NFCT_OF_ID_BIT,
    /// Bit number of `NFCT_OF_TIMESTAMP`.
    NFCT_OF_TIMESTAMP_BIT = 3,
    /// Show when the entry began and ended.
    NFCT_OF_TIMESTAMP = 1 << NFCT_OF_TIMESTAMP_BIT,
}

/// Flags of nfct_cmp() and nfexp_cmp().
#[repr(C)]
pub enum nfct_compare_flags {
    /// Compare both tuples and the other attributes.
    NFCT_CMP_ALL = 0,
    /// Compare the original tuple.
    NFCT_CMP_ORIG = 1 << 0,
    /// Compare the reply tuple.
    NFCT_CMP_REPL = 1 << 1,
    /// Accepted, without effect on timeouts; so are the next four.
    NFCT_CMP_TIMEOUT_EQ = 1 << 2,
    /// See `NFCT_CMP_TIMEOUT_EQ`.
    NFCT_CMP_TIMEOUT_GT = 1 << 3,
    /// See `NFCT_CMP_TIMEOUT_EQ`.
    NFCT_CMP_TIMEOUT_GE = NFCT_CMP_TIMEOUT_EQ | NFCT_CMP_TIMEOUT_GT,
    /// See `NFCT_CMP_TIMEOUT_EQ`.
    NFCT_CMP_TIMEOUT_LT = 1 << 4,
    /// See `NFCT_CMP_TIMEOUT_EQ`.
    NFCT_CMP_TIMEOUT_LE = NFCT_CMP_TIMEOUT_EQ | NFCT_CMP_TIMEOUT_LT,
    /// What the first one has, the second must have too.
    NFCT_CMP_MASK = 1 << 5,
    /// Either both have an attribute, or neither has.
    NFCT_CMP_STRICT = 1 << 6,
}

/// Flags of nfct_copy().
#[repr(C)]
pub enum nfct_copy_flags {
    /// Copy every attribute that the source has.
    NFCT_CP_ALL = 0,
    /// Copy the original tuple.
    NFCT_CP_ORIG = 1 << 0,
    /// Copy the reply tuple.
    NFCT_CP_REPL = 1 << 1,
    /// Copy what belongs to neither tuple.
    NFCT_CP_META = 1 << 2,
    /// Make the destination a copy of the source, whatever it held.
    NFCT_CP_OVERRIDE = 1 << 3,
}

/// Queries of nfct_query() and nfct_send(), and what their `data` points to. Those of expectations,
/// nfexp_query() and nfexp_send(), take a struct nf_expect where these take a struct nf_conntrack.
///
/// Where an address family is asked for, it is a uint32_t, of which the low byte counts: AF_INET,
/// AF_INET6, or AF_UNSPEC for all. On little-endian machines a shorter number does, too.
#[repr(C)]
pub enum nf_conntrack_query {
    /// struct nf_conntrack: create it; one that exists is an error (EEXIST).
    NFCT_Q_CREATE = 0,
    /// struct nf_conntrack: change the entry with its tuple. Not for expectations.
    NFCT_Q_UPDATE = 1,
    /// struct nf_conntrack: destroy the entry with its tuple.
    NFCT_Q_DESTROY = 2,
    /// struct nf_conntrack: get the entry with its tuple.
    NFCT_Q_GET = 3,
    /// Address family, which is ignored: destroy all.
    NFCT_Q_FLUSH = 4,
    /// Address family: get all.
    NFCT_Q_DUMP = 5,
    /// Address family: get all, and set their counters to zero. Not for expectations.
    NFCT_Q_DUMP_RESET = 6,
    /// struct nf_conntrack: create it, or change the one that exists.
    NFCT_Q_CREATE_UPDATE = 7,
    /// struct nfct_filter_dump: get the entries that it selects. Not for expectations, nor are the
    /// next two.
    NFCT_Q_DUMP_FILTER = 8,
    /// struct nfct_filter_dump: get the entries that it selects, and set their counters to zero.
    NFCT_Q_DUMP_FILTER_RESET = 9,
    /// struct nfct_filter_dump: destroy the entries that it selects.
    NFCT_Q_FLUSH_FILTER = 10,
}

/// Criteria of an event filter. Each line says the type of a value; its numbers, addresses too, are
/// in host byte order.
#[repr(C)]
pub enum nfct_filter_attr {
    /// uint32_t: layer 4 protocol, `IPPROTO_*`.
    NFCT_FILTER_L4PROTO = 0,
    /// struct nfct_filter_proto: state of a TCP, SCTP or DCCP entry.
    NFCT_FILTER_L4PROTO_STATE = 1,
    /// struct nfct_filter_ipv4: source address of the original direction.
    NFCT_FILTER_SRC_IPV4 = 2,
    /// struct nfct_filter_ipv4: destination address of the original direction.
    NFCT_FILTER_DST_IPV4 = 3,
    /// struct nfct_filter_ipv6: source address of the original direction.
    NFCT_FILTER_SRC_IPV6 = 4,
    /// struct nfct_filter_ipv6: destination address of the original direction.
    NFCT_FILTER_DST_IPV6 = 5,
    /// struct nfct_filter_dump_mark: mark.
    NFCT_FILTER_MARK = 6,
    /// uint16_t: zone, of both directions or of one.
    NFCT_FILTER_ZONE = 7,
    /// Number of criteria.
    NFCT_FILTER_MAX = 8,
}

/// What an event filter does with a match.
#[repr(C)]
pub enum nfct_filter_logic {
    /// Events that match any value of the criterion pass, the others are dropped.
    NFCT_FILTER_LOGIC_POSITIVE = 0,
    /// Events that match any value of the criterion are dropped, the others pass.
    NFCT_FILTER_LOGIC_NEGATIVE = 1,
    /// Number of logics.
    NFCT_FILTER_LOGIC_MAX = 2,
}

/// Criteria of a dump filter. Each line says the type of the value, whose numbers are in host byte
/// order, and the first kernel that knows the criterion.
#[repr(C)]
pub enum nfct_filter_dump_attr {
    /// struct nfct_filter_dump_mark: mark. Linux 3.4, of a flush Linux 4.0.
    NFCT_FILTER_DUMP_MARK = 0,
    /// uint8_t: layer 3 protocol, `AF_INET` or `AF_INET6`. All kernels, of a flush Linux 5.3.
    NFCT_FILTER_DUMP_L3NUM = 1,
    /// struct nfct_filter_dump_mark: status bits `IPS_*`. Linux 5.15.
    NFCT_FILTER_DUMP_STATUS = 2,
    /// uint16_t: zone. Linux 6.8.
    NFCT_FILTER_DUMP_ZONE = 3,
    /// struct nf_conntrack: the attributes of either tuple that it has. It needs ATTR_ORIG_L3PROTO,
    /// with attributes of the reply ATTR_REPL_L3PROTO too, and with ports or ICMP attributes the
    /// layer 4 protocol. Those that its protocols do not have are ignored. Linux 5.8, of a flush
    /// none.
    NFCT_FILTER_DUMP_TUPLE = 4,
    /// Number of criteria.
    NFCT_FILTER_DUMP_MAX = 5,
}
