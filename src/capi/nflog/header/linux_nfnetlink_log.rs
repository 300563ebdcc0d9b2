//! Messages and attributes of NFLOG, guarded as the kernel's own header is.

pub const NFULA_MAX: i32 = __NFULA_MAX - 1;
pub const NFULA_CFG_MAX: i32 = __NFULA_CFG_MAX - 1;
/// Copy mode: no byte of the packet.
pub const NFULNL_COPY_NONE: i32 = 0;
/// The same as `NFULNL_COPY_NONE`: all but the packet itself.
pub const NFULNL_COPY_META: i32 = 1;
/// Copy mode: the packet, as far as the range says.
pub const NFULNL_COPY_PACKET: i32 = 2;
/// Flag: packets are numbered within the group.
pub const NFULNL_CFG_F_SEQ: i32 = 1;
/// Flag: packets are numbered over all groups.
pub const NFULNL_CFG_F_SEQ_GLOBAL: i32 = 2;
/// Flag: packets come with the entry of their flow. Since Linux 4.4.
pub const NFULNL_CFG_F_CONNTRACK: i32 = 4;

/// Messages of NFLOG.
#[repr(C)]
pub enum nfulnl_msg_types {
    /// From the kernel: a packet.
    NFULNL_MSG_PACKET = 0,
    /// To the kernel: a command and settings of a group.
    NFULNL_MSG_CONFIG = 1,
    NFULNL_MSG_MAX = 2,
}

/// Attributes of a packet.
#[repr(C)]
pub enum nfulnl_attr_type {
    NFULA_UNSPEC = 0,
    /// `struct nfulnl_msg_packet_hdr`.
    NFULA_PACKET_HDR = 1,
    /// u32: the mark, absent if it is 0.
    NFULA_MARK = 2,
    /// `struct nfulnl_msg_packet_timestamp`: when the packet was received; not of what is sent.
    NFULA_TIMESTAMP = 3,
    /// u32: the interface that the packet came in by, of a bridge the bridge.
    NFULA_IFINDEX_INDEV = 4,
    /// u32: the interface that it leaves by, of a bridge the bridge.
    NFULA_IFINDEX_OUTDEV = 5,
    /// u32: the port of the bridge that it came in by.
    NFULA_IFINDEX_PHYSINDEV = 6,
    /// u32: the port of the bridge that it leaves by.
    NFULA_IFINDEX_PHYSOUTDEV = 7,
    /// `struct nfulnl_msg_packet_hw`: the address of the sender on the link.
    NFULA_HWADDR = 8,
    /// Bytes of the packet, mostly from its network header on.
    NFULA_PAYLOAD = 9,
    /// C string: the prefix that the rule says.
    NFULA_PREFIX = 10,
    /// u32: the user that owns the socket which sent it.
    NFULA_UID = 11,
    /// u32: number within the group, from 0.
    NFULA_SEQ = 12,
    /// u32: number over all groups of the network namespace.
    NFULA_SEQ_GLOBAL = 13,
    /// u32: the group that owns the socket which sent it.
    NFULA_GID = 14,
    /// u16: type of the link, `ARPHRD_*`.
    NFULA_HWTYPE = 15,
    /// Bytes of the link header.
    NFULA_HWHEADER = 16,
    /// u16: length of the link header, bytes.
    NFULA_HWLEN = 17,
    /// Nest of ctnetlink attributes: the entry of the flow. Since Linux 4.4.
    NFULA_CT = 18,
    /// u32: `enum ip_conntrack_info`. Since Linux 4.4.
    NFULA_CT_INFO = 19,
    __NFULA_MAX = 20,
}

/// Commands of NFULA_CFG_CMD.
#[repr(C)]
pub enum nfulnl_msg_config_cmds {
    NFULNL_CFG_CMD_NONE = 0,
    /// Binds the group to this socket.
    NFULNL_CFG_CMD_BIND = 1,
    /// Unbinds the group.
    NFULNL_CFG_CMD_UNBIND = 2,
    /// Makes NFLOG what logs for an address family where no rule says.
    NFULNL_CFG_CMD_PF_BIND = 3,
    /// Takes away whatever logs for the address family.
    NFULNL_CFG_CMD_PF_UNBIND = 4,
}

/// Attributes of a configuration.
#[repr(C)]
pub enum nfulnl_attr_config {
    NFULA_CFG_UNSPEC = 0,
    /// `struct nfulnl_msg_config_cmd`.
    NFULA_CFG_CMD = 1,
    /// `struct nfulnl_msg_config_mode`.
    NFULA_CFG_MODE = 2,
    /// u32: size of the buffer in the kernel that packets gather in, bytes.
    NFULA_CFG_NLBUFSIZ = 3,
    /// u32: longest time that packets gather, 1/100 s.
    NFULA_CFG_TIMEOUT = 4,
    /// u32: most packets that gather.
    NFULA_CFG_QTHRESH = 5,
    /// u16: `NFULNL_CFG_F_*`.
    NFULA_CFG_FLAGS = 6,
    __NFULA_CFG_MAX = 7,
}
