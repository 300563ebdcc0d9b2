//! Numbers of the kernel's UAPI headers, each written once.
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "the names are the kernel's, without the prefix of their module")]

/// `linux/netfilter/nfnetlink.h` and `nfnetlink_conntrack.h`: subsystems, messages, and the
/// attributes `CTA_*` of ctnetlink.
pub mod cta {
    /// Subsystem of conntrack messages, `NFNL_SUBSYS_CTNETLINK`.
    pub const SUBSYS_CT: u8 = 1;
    /// Subsystem of expectation messages, `NFNL_SUBSYS_CTNETLINK_EXP`.
    pub const SUBSYS_EXP: u8 = 2;

    /// `IPCTNL_MSG_CT_NEW` and `IPCTNL_MSG_EXP_NEW`.
    pub const MSG_NEW: u8 = 0;
    /// `IPCTNL_MSG_CT_GET` and `IPCTNL_MSG_EXP_GET`.
    pub const MSG_GET: u8 = 1;
    /// `IPCTNL_MSG_CT_DELETE` and `IPCTNL_MSG_EXP_DELETE`.
    pub const MSG_DELETE: u8 = 2;
    /// `IPCTNL_MSG_CT_GET_CTRZERO`.
    pub const MSG_GET_CTRZERO: u8 = 3;
    /// `IPCTNL_MSG_CT_GET_STATS_CPU`.
    pub const MSG_GET_STATS_CPU: u8 = 4;
    /// `IPCTNL_MSG_CT_GET_STATS`.
    pub const MSG_GET_STATS: u8 = 5;
    /// `IPCTNL_MSG_CT_GET_DYING`.
    pub const MSG_GET_DYING: u8 = 6;
    /// `IPCTNL_MSG_EXP_GET_STATS_CPU`.
    pub const MSG_EXP_GET_STATS_CPU: u8 = 3;

    // Top level of a conntrack message.
    pub const TUPLE_ORIG: u16 = 1;
    pub const TUPLE_REPLY: u16 = 2;
    pub const STATUS: u16 = 3;
    pub const PROTOINFO: u16 = 4;
    pub const HELP: u16 = 5;
    pub const NAT_SRC: u16 = 6;
    pub const TIMEOUT: u16 = 7;
    pub const MARK: u16 = 8;
    pub const COUNTERS_ORIG: u16 = 9;
    pub const COUNTERS_REPLY: u16 = 10;
    pub const USE: u16 = 11;
    pub const ID: u16 = 12;
    pub const NAT_DST: u16 = 13;
    pub const TUPLE_MASTER: u16 = 14;
    pub const SEQ_ADJ_ORIG: u16 = 15;
    pub const SEQ_ADJ_REPLY: u16 = 16;
    pub const SECMARK: u16 = 17;
    pub const ZONE: u16 = 18;
    pub const SECCTX: u16 = 19;
    pub const TIMESTAMP: u16 = 20;
    pub const MARK_MASK: u16 = 21;
    pub const LABELS: u16 = 22;
    pub const LABELS_MASK: u16 = 23;
    pub const SYNPROXY: u16 = 24;
    pub const FILTER: u16 = 25;
    pub const STATUS_MASK: u16 = 26;
    pub const TIMESTAMP_EVENT: u16 = 27;

    // In a tuple.
    pub const TUPLE_IP: u16 = 1;
    pub const TUPLE_PROTO: u16 = 2;
    pub const TUPLE_ZONE: u16 = 3;
    pub const IP_V4_SRC: u16 = 1;
    pub const IP_V4_DST: u16 = 2;
    pub const IP_V6_SRC: u16 = 3;
    pub const IP_V6_DST: u16 = 4;
    pub const PROTO_NUM: u16 = 1;
    pub const PROTO_SRC_PORT: u16 = 2;
    pub const PROTO_DST_PORT: u16 = 3;
    pub const PROTO_ICMP_ID: u16 = 4;
    pub const PROTO_ICMP_TYPE: u16 = 5;
    pub const PROTO_ICMP_CODE: u16 = 6;
    pub const PROTO_ICMPV6_ID: u16 = 7;
    pub const PROTO_ICMPV6_TYPE: u16 = 8;
    pub const PROTO_ICMPV6_CODE: u16 = 9;

    // In PROTOINFO.
    pub const PROTOINFO_TCP: u16 = 1;
    pub const PROTOINFO_DCCP: u16 = 2;
    pub const PROTOINFO_SCTP: u16 = 3;
    pub const TCP_STATE: u16 = 1;
    pub const TCP_WSCALE_ORIGINAL: u16 = 2;
    pub const TCP_WSCALE_REPLY: u16 = 3;
    pub const TCP_FLAGS_ORIGINAL: u16 = 4;
    pub const TCP_FLAGS_REPLY: u16 = 5;
    pub const DCCP_STATE: u16 = 1;
    pub const DCCP_ROLE: u16 = 2;
    pub const DCCP_HANDSHAKE_SEQ: u16 = 3;
    pub const SCTP_STATE: u16 = 1;
    pub const SCTP_VTAG_ORIGINAL: u16 = 2;
    pub const SCTP_VTAG_REPLY: u16 = 3;

    // In the smaller nests.
    pub const COUNTERS_PACKETS: u16 = 1;
    pub const COUNTERS_BYTES: u16 = 2;
    pub const COUNTERS32_PACKETS: u16 = 3;
    pub const COUNTERS32_BYTES: u16 = 4;
    pub const TIMESTAMP_START: u16 = 1;
    pub const TIMESTAMP_STOP: u16 = 2;
    pub const SEQADJ_CORRECTION_POS: u16 = 1;
    pub const SEQADJ_OFFSET_BEFORE: u16 = 2;
    pub const SEQADJ_OFFSET_AFTER: u16 = 3;
    pub const SYNPROXY_ISN: u16 = 1;
    pub const SYNPROXY_ITS: u16 = 2;
    pub const SYNPROXY_TSOFF: u16 = 3;
    pub const HELP_NAME: u16 = 1;
    pub const HELP_INFO: u16 = 2;
    pub const SECCTX_NAME: u16 = 1;
    pub const NAT_V4_MINIP: u16 = 1;
    pub const NAT_PROTO: u16 = 3;
    pub const NAT_V6_MINIP: u16 = 4;
    pub const PROTONAT_PORT_MIN: u16 = 1;
    pub const PROTONAT_PORT_MAX: u16 = 2;
    pub const FILTER_ORIG_FLAGS: u16 = 1;
    pub const FILTER_REPLY_FLAGS: u16 = 2;

    // Top level of an expectation message.
    pub const EXPECT_MASTER: u16 = 1;
    pub const EXPECT_TUPLE: u16 = 2;
    pub const EXPECT_MASK: u16 = 3;
    pub const EXPECT_TIMEOUT: u16 = 4;
    pub const EXPECT_ID: u16 = 5;
    pub const EXPECT_HELP_NAME: u16 = 6;
    pub const EXPECT_ZONE: u16 = 7;
    pub const EXPECT_FLAGS: u16 = 8;
    pub const EXPECT_CLASS: u16 = 9;
    pub const EXPECT_NAT: u16 = 10;
    pub const EXPECT_FN: u16 = 11;
    pub const EXPECT_NAT_DIR: u16 = 1;
    pub const EXPECT_NAT_TUPLE: u16 = 2;

    // Statistics: of the table, of a CPU, of its expectations.
    pub const STATS_GLOBAL_ENTRIES: u16 = 1;
    pub const STATS_GLOBAL_MAX_ENTRIES: u16 = 2;
    pub const STATS_FOUND: u16 = 2;
    pub const STATS_INVALID: u16 = 4;
    pub const STATS_INSERT: u16 = 8;
    pub const STATS_INSERT_FAILED: u16 = 9;
    pub const STATS_DROP: u16 = 10;
    pub const STATS_EARLY_DROP: u16 = 11;
    pub const STATS_ERROR: u16 = 12;
    pub const STATS_SEARCH_RESTART: u16 = 13;
    pub const STATS_CLASH_RESOLVE: u16 = 14;
    pub const STATS_CHAIN_TOOLONG: u16 = 15;
    pub const STATS_EXP_NEW: u16 = 1;
    pub const STATS_EXP_CREATE: u16 = 2;
    pub const STATS_EXP_DELETE: u16 = 3;
}

/// `linux/netfilter/nf_conntrack_common.h`: the status bits `IPS_*` of an entry.
pub mod ips {
    pub const EXPECTED: u32 = 1 << 0;
    pub const SEEN_REPLY: u32 = 1 << 1;
    pub const ASSURED: u32 = 1 << 2;
    pub const CONFIRMED: u32 = 1 << 3;
    pub const SRC_NAT: u32 = 1 << 4;
    pub const DST_NAT: u32 = 1 << 5;
    pub const SEQ_ADJUST: u32 = 1 << 6;
    pub const SRC_NAT_DONE: u32 = 1 << 7;
    pub const DST_NAT_DONE: u32 = 1 << 8;
    pub const DYING: u32 = 1 << 9;
    pub const FIXED_TIMEOUT: u32 = 1 << 10;
    pub const TEMPLATE: u32 = 1 << 11;
    /// The second entry that two packets made of one flow: hidden from lists, until it expires.
    pub const NAT_CLASH: u32 = 1 << 12;
    pub const HELPER: u32 = 1 << 13;
    pub const OFFLOAD: u32 = 1 << 14;
    pub const HW_OFFLOAD: u32 = 1 << 15;
}

/// In no header of the kernel: what flags in `CTA_FILTER_ORIG_FLAGS` and
/// `CTA_FILTER_REPLY_FLAGS` have compared.
pub mod filter {
    pub const SRC: u32 = 1 << 0;
    pub const DST: u32 = 1 << 1;
    pub const ZONE: u32 = 1 << 2;
    pub const PROTO_NUM: u32 = 1 << 3;
    pub const SRC_PORT: u32 = 1 << 4;
    pub const DST_PORT: u32 = 1 << 5;
    pub const ICMP_TYPE: u32 = 1 << 6;
    pub const ICMPV6_TYPE: u32 = 1 << 9;
    /// Ports, and type, code and id of both ICMPs: the kernel wants `PROTO_NUM` beside them.
    pub const OF_PROTOCOL: u32 = 0xff0;
}

/// `linux/netfilter/nfnetlink_log.h`: logged packets.
pub mod nful {
    /// Subsystem of logged packets, `NFNL_SUBSYS_ULOG`.
    pub const SUBSYS_ULOG: u8 = 4;
    /// The type of a message about a packet, `NFULNL_MSG_PACKET` of the subsystem.
    pub const PACKET: u16 = (SUBSYS_ULOG as u16) << 8;
    /// The type of a message that sets something, `NFULNL_MSG_CONFIG` of the subsystem.
    pub const CONFIG: u16 = PACKET | 1;

    // `NFULA_*` of a packet.
    pub const PACKET_HDR: u16 = 1;
    pub const MARK: u16 = 2;
    pub const TIMESTAMP: u16 = 3;
    pub const IFINDEX_INDEV: u16 = 4;
    pub const IFINDEX_OUTDEV: u16 = 5;
    pub const IFINDEX_PHYSINDEV: u16 = 6;
    pub const IFINDEX_PHYSOUTDEV: u16 = 7;
    pub const HWADDR: u16 = 8;
    pub const PAYLOAD: u16 = 9;
    pub const PREFIX: u16 = 10;
    pub const UID: u16 = 11;
    pub const SEQ: u16 = 12;
    pub const SEQ_GLOBAL: u16 = 13;
    pub const GID: u16 = 14;
    pub const HWTYPE: u16 = 15;
    pub const HWHEADER: u16 = 16;
    pub const HWLEN: u16 = 17;
    pub const CT: u16 = 18;
    pub const CT_INFO: u16 = 19;
    pub const VLAN: u16 = 20;
    pub const L2HDR: u16 = 21;

    // Hooks in a packet's header, `NF_INET_*` of `linux/netfilter.h`.
    pub const PRE_ROUTING: u8 = 0;
    pub const FORWARD: u8 = 2;
    pub const OUTPUT: u8 = 3;
    pub const INGRESS: u8 = 5;

    // In `VLAN`.
    pub const VLAN_PROTO: u16 = 1;
    pub const VLAN_TCI: u16 = 2;

    // `NFULA_CFG_*`.
    pub const CFG_CMD: u16 = 1;
    pub const CFG_MODE: u16 = 2;
    pub const CFG_NLBUFSIZ: u16 = 3;
    pub const CFG_TIMEOUT: u16 = 4;
    pub const CFG_QTHRESH: u16 = 5;
    pub const CFG_FLAGS: u16 = 6;

    // `NFULNL_CFG_CMD_*`.
    pub const CMD_BIND: u8 = 1;
    pub const CMD_UNBIND: u8 = 2;
    pub const CMD_PF_BIND: u8 = 3;
    pub const CMD_PF_UNBIND: u8 = 4;

    // `NFULNL_COPY_*`.
    pub const COPY_META: u8 = 1;
    pub const COPY_PACKET: u8 = 2;

    // `NFULNL_CFG_F_*`.
    pub const CFG_F_SEQ: u16 = 1;
    pub const CFG_F_SEQ_GLOBAL: u16 = 2;
    pub const CFG_F_CONNTRACK: u16 = 4;
}

/// `linux/netfilter/nfnetlink_cttimeout.h`: messages and attributes `CTA_TIMEOUT_*`.
pub mod timeout {
    /// Subsystem, `NFNL_SUBSYS_CTNETLINK_TIMEOUT`.
    pub const SUBSYS: u8 = 8;

    pub const MSG_NEW: u8 = 0;
    pub const MSG_GET: u8 = 1;
    pub const MSG_DELETE: u8 = 2;
    pub const MSG_DEFAULT_SET: u8 = 3;
    pub const MSG_DEFAULT_GET: u8 = 4;

    pub const NAME: u16 = 1;
    pub const L3PROTO: u16 = 2;
    pub const L4PROTO: u16 = 3;
    pub const DATA: u16 = 4;
    pub const USE: u16 = 5;
}

/// `linux/netfilter/nfnetlink_cthelper.h`: messages and attributes `NFCTH_*`.
pub mod helper {
    /// Subsystem, `NFNL_SUBSYS_CTHELPER`.
    pub const SUBSYS: u8 = 9;

    pub const MSG_NEW: u8 = 0;
    pub const MSG_GET: u8 = 1;
    pub const MSG_DEL: u8 = 2;

    pub const NAME: u16 = 1;
    pub const TUPLE: u16 = 2;
    pub const QUEUE_NUM: u16 = 3;
    pub const POLICY: u16 = 4;
    pub const PRIV_DATA_LEN: u16 = 5;
    pub const STATUS: u16 = 6;

    // In TUPLE.
    pub const TUPLE_L3PROTONUM: u16 = 1;
    pub const TUPLE_L4PROTONUM: u16 = 2;

    // In POLICY; the sets are SET1 and the three numbers behind it.
    pub const POLICY_SET_NUM: u16 = 1;
    pub const POLICY_SET1: u16 = 2;

    // In a set.
    pub const SET_NAME: u16 = 1;
    pub const SET_EXPECT_MAX: u16 = 2;
    pub const SET_EXPECT_TIMEOUT: u16 = 3;
}
