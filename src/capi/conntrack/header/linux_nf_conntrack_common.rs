//! The kernel's status, event and expectation flags, guarded as the kernel's own header is.

/// State bit of packets that belong to no entry.
pub const NF_CT_STATE_INVALID_BIT: i32 = 1 << 0;
/// State bit of packets that are exempt from tracking.
pub const NF_CT_STATE_UNTRACKED_BIT: i32 = 1 << 6;
/// The expectation stays when a flow has matched it.
pub const NF_CT_EXPECT_PERMANENT: i32 = 1;
/// The expectation matches nothing for now.
pub const NF_CT_EXPECT_INACTIVE: i32 = 2;
/// The expectation was made by a helper in user space.
pub const NF_CT_EXPECT_USERSPACE: i32 = 4;

/// How a packet relates to its entry.
#[repr(C)]
pub enum ip_conntrack_info {
    /// It belongs to a flow that has been answered.
    IP_CT_ESTABLISHED = 0,
    /// It starts a flow that another one led to, or is an ICMP error about a flow.
    IP_CT_RELATED = 1,
    /// It starts a flow, or no answer has been seen yet.
    IP_CT_NEW = 2,
    /// From here on: the reply direction.
    IP_CT_IS_REPLY = 3,
    /// As `IP_CT_ESTABLISHED`, in the reply direction.
    IP_CT_ESTABLISHED_REPLY = IP_CT_ESTABLISHED + IP_CT_IS_REPLY,
    /// As `IP_CT_RELATED`, in the reply direction.
    IP_CT_RELATED_REPLY = IP_CT_RELATED + IP_CT_IS_REPLY,
    /// Number of values.
    IP_CT_NUMBER = 5,
    /// The same as `IP_CT_NUMBER`.
    IP_CT_NEW_REPLY = IP_CT_NUMBER,
}

/// Status bits of an entry, as `ATTR_STATUS` holds them.
#[repr(C)]
pub enum ip_conntrack_status {
    /// Bit number of `IPS_EXPECTED`.
    IPS_EXPECTED_BIT = 0,
    /// An expectation led to this entry.
    IPS_EXPECTED = 1 << IPS_EXPECTED_BIT,
    /// Bit number of `IPS_SEEN_REPLY`.
    IPS_SEEN_REPLY_BIT = 1,
    /// Packets were seen in both directions.
    IPS_SEEN_REPLY = 1 << IPS_SEEN_REPLY_BIT,
    /// Bit number of `IPS_ASSURED`.
    IPS_ASSURED_BIT = 2,
    /// The entry is not dropped early when the table is full.
    IPS_ASSURED = 1 << IPS_ASSURED_BIT,
    /// Bit number of `IPS_CONFIRMED`.
    IPS_CONFIRMED_BIT = 3,
    /// The entry is in the table: its first packet has left.
    IPS_CONFIRMED = 1 << IPS_CONFIRMED_BIT,
    /// Bit number of `IPS_SRC_NAT`.
    IPS_SRC_NAT_BIT = 4,
    /// Source NAT applies to the original direction.
    IPS_SRC_NAT = 1 << IPS_SRC_NAT_BIT,
    /// Bit number of `IPS_DST_NAT`.
    IPS_DST_NAT_BIT = 5,
    /// Destination NAT applies to the original direction.
    IPS_DST_NAT = 1 << IPS_DST_NAT_BIT,
    /// Either NAT applies.
    IPS_NAT_MASK = IPS_DST_NAT | IPS_SRC_NAT,
    /// Bit number of `IPS_SEQ_ADJUST`.
    IPS_SEQ_ADJUST_BIT = 6,
    /// TCP sequence numbers are adjusted.
    IPS_SEQ_ADJUST = 1 << IPS_SEQ_ADJUST_BIT,
    /// Bit number of `IPS_SRC_NAT_DONE`.
    IPS_SRC_NAT_DONE_BIT = 7,
    /// Source NAT has been set up.
    IPS_SRC_NAT_DONE = 1 << IPS_SRC_NAT_DONE_BIT,
    /// Bit number of `IPS_DST_NAT_DONE`.
    IPS_DST_NAT_DONE_BIT = 8,
    /// Destination NAT has been set up.
    IPS_DST_NAT_DONE = 1 << IPS_DST_NAT_DONE_BIT,
    /// Both NATs have been set up.
    IPS_NAT_DONE_MASK = IPS_DST_NAT_DONE | IPS_SRC_NAT_DONE,
    /// Bit number of `IPS_DYING`.
    IPS_DYING_BIT = 9,
    /// The entry is being removed.
    IPS_DYING = 1 << IPS_DYING_BIT,
    /// Bit number of `IPS_FIXED_TIMEOUT`.
    IPS_FIXED_TIMEOUT_BIT = 10,
    /// Packets do not renew the timeout.
    IPS_FIXED_TIMEOUT = 1 << IPS_FIXED_TIMEOUT_BIT,
    /// Bit number of `IPS_TEMPLATE`.
    IPS_TEMPLATE_BIT = 11,
    /// A template for entries, not an entry.
    IPS_TEMPLATE = 1 << IPS_TEMPLATE_BIT,
    /// Bit number of `IPS_UNTRACKED`.
    IPS_UNTRACKED_BIT = 12,
    /// Stood for packets exempt from tracking; not used by today's kernels.
    IPS_UNTRACKED = 1 << IPS_UNTRACKED_BIT,
    /// Bit number of `IPS_HELPER`.
    IPS_HELPER_BIT = 13,
    /// A helper was assigned by a rule or over netlink.
    IPS_HELPER = 1 << IPS_HELPER_BIT,
    /// Bit number of `IPS_OFFLOAD`.
    IPS_OFFLOAD_BIT = 14,
    /// The flow table forwards this flow.
    IPS_OFFLOAD = 1 << IPS_OFFLOAD_BIT,
    /// Bit number of `IPS_HW_OFFLOAD`.
    IPS_HW_OFFLOAD_BIT = 15,
    /// The hardware forwards this flow.
    IPS_HW_OFFLOAD = 1 << IPS_HW_OFFLOAD_BIT,
    /// The bits that a request cannot change.
    IPS_UNCHANGEABLE_MASK = IPS_NAT_DONE_MASK
        | IPS_NAT_MASK
        | IPS_EXPECTED
        | IPS_CONFIRMED
        | IPS_DYING
        | IPS_SEQ_ADJUST
        | IPS_TEMPLATE
        | IPS_UNTRACKED
        | IPS_OFFLOAD
        | IPS_HW_OFFLOAD,
    /// Number of bits.
    __IPS_MAX_BIT = 16,
}

/// What happened to an entry; bit numbers.
#[repr(C)]
pub enum ip_conntrack_events {
    /// It is new.
    IPCT_NEW = 0,
    /// It is new, and related to another one.
    IPCT_RELATED = 1,
    /// It is gone.
    IPCT_DESTROY = 2,
    /// It has been answered.
    IPCT_REPLY = 3,
    /// It has become assured.
    IPCT_ASSURED = 4,
    /// Its protocol state has changed.
    IPCT_PROTOINFO = 5,
    /// It was given a helper.
    IPCT_HELPER = 6,
    /// Its mark has changed.
    IPCT_MARK = 7,
    /// Its sequence adjustment has changed.
    IPCT_SEQADJ = 8,
    /// The same as `IPCT_SEQADJ`.
    IPCT_NATSEQADJ = IPCT_SEQADJ,
    /// Its security mark has changed.
    IPCT_SECMARK = 9,
    /// Its labels have changed.
    IPCT_LABEL = 10,
    /// Its SYN proxy data has changed.
    IPCT_SYNPROXY = 11,
}

/// What happened to an expectation; bit numbers.
#[repr(C)]
pub enum ip_conntrack_expect_events {
    /// It is new.
    IPEXP_NEW = 0,
    /// It is gone.
    IPEXP_DESTROY = 1,
}
