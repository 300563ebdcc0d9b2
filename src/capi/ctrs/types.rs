//! The enums of `ctrs.h` that functions return.

/// What the value of an attribute is, and how nfct_get_attr() and its like give it.
#[allow(non_camel_case_types, reason = "its name in C")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum ctrs_attr_kind {
    /// A number of 8 bits.
    CTRS_ATTR_U8 = 1,
    /// A number of 16 bits, in host byte order.
    CTRS_ATTR_U16 = 2,
    /// A number of 32 bits, in host byte order.
    CTRS_ATTR_U32 = 3,
    /// A number of 64 bits, in host byte order.
    CTRS_ATTR_U64 = 4,
    /// A port, or what stands in its place (id of ICMP, key of GRE): 16 bits, in network byte
    /// order.
    CTRS_ATTR_PORT = 5,
    /// An IPv4 address: 4 bytes, in network byte order.
    CTRS_ATTR_IPV4 = 6,
    /// An IPv6 address: 16 bytes, in network byte order.
    CTRS_ATTR_IPV6 = 7,
    /// A C string.
    CTRS_ATTR_STRING = 8,
    /// Bytes, of which nfct_set_attr_l() takes the length.
    CTRS_ATTR_BYTES = 9,
    /// A set of labels: a struct nfct_bitmask.
    CTRS_ATTR_LABELS = 10,
}
