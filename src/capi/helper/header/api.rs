//! The enums of the header: the attributes of a helper and of its policies.

/// Attributes of a policy.
#[repr(C)]
pub enum nfct_helper_policy_attr_type {
    /// C string, 15 bytes and the NUL: the class of the expectations.
    NFCTH_ATTR_POLICY_NAME = 0,
    /// u32, host byte order: seconds that an expectation lives.
    NFCTH_ATTR_POLICY_TIMEOUT = 1,
    /// u32, host byte order: the most expectations of a flow at a time.
    NFCTH_ATTR_POLICY_MAX = 2,
}

/// Attributes of a helper.
#[repr(C)]
pub enum nfct_helper_attr_type {
    /// C string, 15 bytes and the NUL: the name of the helper.
    NFCTH_ATTR_NAME = 0,
    /// u32, host byte order: the queue that packets go to.
    NFCTH_ATTR_QUEUE_NUM = 1,
    /// u16, host byte order: the address family, `AF_INET` or `AF_INET6`.
    NFCTH_ATTR_PROTO_L3NUM = 2,
    /// u8: the protocol, `IPPROTO_*`.
    NFCTH_ATTR_PROTO_L4NUM = 3,
    /// u32, host byte order: bytes that the helper keeps with each flow.
    NFCTH_ATTR_PRIV_DATA_LEN = 4,
    /// The same as `NFCTH_ATTR_POLICY1`.
    NFCTH_ATTR_POLICY = 5,
    /// `struct nfct_helper_policy`: the first policy.
    NFCTH_ATTR_POLICY1 = 5,
    /// The second policy.
    NFCTH_ATTR_POLICY2 = 6,
    /// The third policy.
    NFCTH_ATTR_POLICY3 = 7,
    /// The fourth policy.
    NFCTH_ATTR_POLICY4 = 8,
    /// u32, host byte order: `NFCT_HELPER_STATUS_DISABLED` or `NFCT_HELPER_STATUS_ENABLED`.
    NFCTH_ATTR_STATUS = 9,
}
