//! The types that C sees: opaque objects, value structures, and the numbers C passes as enums.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]
#![allow(dead_code, reason = "value structures travel as `void *`; some only the header names")]

use libc::{c_int, c_uint};

/// An entry of the flow table, or what a request says about one.
///
/// Made by nfct_new(), released with nfct_destroy(). `nfct_maxsize()` zero bytes, suitably aligned,
/// are an entry without attributes too.
pub struct nf_conntrack {
    _private: [u8; 0],
}

/// An expectation: a flow that a helper expects to see.
///
/// Made by nfexp_new(), released with nfexp_destroy(). It owns no other memory: copying
/// `nfexp_maxsize()` bytes from one to another copies it.
pub struct nf_expect {
    _private: [u8; 0],
}

/// A netlink socket with the callbacks for what it receives.
///
/// Made by nfct_open() or nfct_open_nfnl(), released with nfct_close().
pub struct nfct_handle {
    _private: [u8; 0],
}

/// A set of labels, which are numbers.
///
/// Made by nfct_bitmask_new(), released with nfct_bitmask_destroy(), or owned by the entry whose
/// attribute it is.
pub struct nfct_bitmask {
    _private: [u8; 0],
}

/// The names of labels, read from a file.
///
/// Made by nfct_labelmap_new(), released with nfct_labelmap_destroy().
pub struct nfct_labelmap {
    _private: [u8; 0],
}

/// A filter of events, which runs in the kernel on the socket it is attached to.
///
/// Made by nfct_filter_create(), released with nfct_filter_destroy().
pub struct nfct_filter {
    _private: [u8; 0],
}

/// A filter of the entries that a dump hands out or a flush destroys.
///
/// Made by nfct_filter_dump_create(), released with nfct_filter_dump_destroy().
pub struct nfct_filter_dump {
    _private: [u8; 0],
}

/// A netlink handle of libnfnetlink, or one laid out like it.
pub struct nfnl_handle {
    _private: [u8; 0],
}

/// A subsystem that is open on a netlink handle of libnfnetlink.
pub struct nfnl_subsys_handle {
    _private: [u8; 0],
}

/// Any number where C has an `enum nf_conntrack_attr`.
pub type RawAttr = c_uint;
/// Any number where C has an `enum nf_conntrack_attr_grp`.
pub type RawGroup = c_uint;
/// Any number where C has an `enum nf_conntrack_query`.
pub type RawQuery = c_uint;
/// Any number where C has an `enum nf_conntrack_msg_type`, the one signed enum.
pub type RawMsgType = c_int;
/// Any number where C has an `enum nf_expect_attr`.
pub type RawExpectAttr = c_uint;
/// Any number where C has an `enum nfct_filter_attr`.
pub type RawFilterAttr = c_uint;
/// Any number where C has an `enum nfct_filter_logic`.
pub type RawFilterLogic = c_uint;
/// Any number where C has an `enum nfct_filter_dump_attr`.
pub type RawDumpAttr = c_uint;

/// Value of the groups `ATTR_GRP_*_IPV4`: both addresses of a tuple.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct nfct_attr_grp_ipv4 {
    /// Source address, network byte order.
    pub src: u32,
    /// Destination address, network byte order.
    pub dst: u32,
}

/// Value of the groups `ATTR_GRP_*_IPV6`: both addresses of a tuple.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct nfct_attr_grp_ipv6 {
    /// Source address, network byte order.
    pub src: [u32; 4],
    /// Destination address, network byte order.
    pub dst: [u32; 4],
}

/// Value of the groups `ATTR_GRP_*_PORT`: both ports of a tuple.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct nfct_attr_grp_port {
    /// Source port, network byte order.
    pub sport: u16,
    /// Destination port, network byte order.
    pub dport: u16,
}

/// Value of the group `ATTR_GRP_ICMP`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct nfct_attr_grp_icmp {
    /// Identifier, network byte order.
    pub id: u16,
    /// Code.
    pub code: u8,
    /// Type.
    pub r#type: u8,
}

/// Value of the groups `ATTR_GRP_*_COUNTERS`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct nfct_attr_grp_ctrs {
    /// Packets seen, host byte order.
    pub packets: u64,
    /// Bytes seen, host byte order.
    pub bytes: u64,
}

/// Value of the groups `ATTR_GRP_*_ADDR_*`: one address of either family.
#[derive(Clone, Copy)]
#[repr(C)]
pub union nfct_attr_grp_addr {
    /// IPv4 address, network byte order; 12 zero bytes follow.
    pub ip: u32,
    /// IPv6 address, network byte order.
    pub ip6: [u32; 4],
    /// All 16 bytes, whatever the family.
    pub addr: [u32; 4],
}

/// Value of `NFCT_FILTER_L4PROTO_STATE`: one state of one protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct nfct_filter_proto {
    /// Layer 4 protocol, `IPPROTO_*`, host byte order.
    pub proto: u16,
    /// State of that protocol, for example `TCP_CONNTRACK_ESTABLISHED`, host byte order.
    pub state: u16,
}

/// Value of `NFCT_FILTER_SRC_IPV4` and `NFCT_FILTER_DST_IPV4`: a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct nfct_filter_ipv4 {
    /// Address, host byte order.
    pub addr: u32,
    /// Mask, host byte order.
    pub mask: u32,
}

/// Value of `NFCT_FILTER_SRC_IPV6` and `NFCT_FILTER_DST_IPV6`: a network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct nfct_filter_ipv6 {
    /// Address: four words from the first to the last, each in host byte order.
    pub addr: [u32; 4],
    /// Mask, in the form of the address.
    pub mask: [u32; 4],
}

/// Value of `NFCT_FILTER_MARK`, `NFCT_FILTER_DUMP_MARK` and `NFCT_FILTER_DUMP_STATUS`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct nfct_filter_dump_mark {
    /// The bits' values, host byte order.
    pub val: u32,
    /// Which bits count, host byte order.
    pub mask: u32,
}

const _: () = assert!(
    size_of::<nfct_attr_grp_ipv4>() == 8
        && size_of::<nfct_attr_grp_ipv6>() == 32
        && size_of::<nfct_attr_grp_port>() == 4
        && size_of::<nfct_attr_grp_icmp>() == 4
        && size_of::<nfct_attr_grp_ctrs>() == 16
        && size_of::<nfct_attr_grp_addr>() == 16
        && size_of::<nfct_filter_proto>() == 4
        && size_of::<nfct_filter_ipv4>() == 8
        && size_of::<nfct_filter_ipv6>() == 32
        && size_of::<nfct_filter_dump_mark>() == 8
);
