//! What the headers of libnetfilter_log are made of.

use super::Section;

/// In place of the kernel's header: its structures, in the kernel's types.
pub const MESSAGES: &str = "\
/* The numbers of messages and attributes of NFLOG, as the kernel's header of the same guard has
 * them. Numbers in messages are in network byte order. */

#include <linux/types.h>
#include <linux/netfilter/nfnetlink.h>

/** Value of NFULA_PACKET_HDR. */
struct nfulnl_msg_packet_hdr {
    /** EtherType, network byte order. */
    __be16 hw_protocol;
    /** Hook of netfilter. */
    __u8 hook;
    __u8 _pad;
};

/** Value of NFULA_HWADDR. */
struct nfulnl_msg_packet_hw {
    /** Bytes of the address, network byte order. */
    __be16 hw_addrlen;
    __u16 _pad;
    /** The address. */
    __u8 hw_addr[8];
};

/** Value of NFULA_TIMESTAMP. */
struct nfulnl_msg_packet_timestamp {
    /** Seconds since 1970, network byte order. */
    __aligned_be64 sec;
    /** And microseconds, network byte order. */
    __aligned_be64 usec;
};

/** Value of NFULA_CFG_CMD. */
struct __attribute__((packed)) nfulnl_msg_config_cmd {
    /** One of NFULNL_CFG_CMD_*. */
    __u8 command;
};

/** Value of NFULA_CFG_MODE. */
struct __attribute__((packed)) nfulnl_msg_config_mode {
    /** Most bytes of a packet, network byte order; 0 stands for all that fit. */
    __be32 copy_range;
    /** One of NFULNL_COPY_*. */
    __u8 copy_mode;
    __u8 _pad;
};";

/// Types come first: C knows a structure from its first mention on.
pub const SECTIONS: &[Section] = &[
    Section {
        title: "Handles and groups",
        text: CALLBACK,
        names: &[
            "nflog_handle",
            "nflog_g_handle",
            "nflog_data",
            "nflog_open",
            "nflog_open_nfnl",
            "nflog_close",
            "nflog_fd",
            "nflog_nfnlh",
            "nflog_bind_pf",
            "nflog_unbind_pf",
            "nflog_bind_group",
            "nflog_unbind_group",
            "nflog_set_*",
            "nflog_callback_register",
            "nflog_handle_packet",
            "nflog_errno",
        ],
    },
    Section { title: "What a packet has", text: "", names: &["nflog_get_*"] },
    Section {
        title: "Text",
        text: XML_FLAGS,
        names: &["nflog_output_type", "nflog_snprintf_xml", "nflog_nlmsg_snprintf"],
    },
    Section {
        title: "Messages, built and parsed without a handle",
        text: "",
        names: &["nflog_nlmsg_*", "nflog_attr_*"],
    },
];

/// A type of functions, and not of pointers to them, is nothing that cbindgen has.
const CALLBACK: &str = "\
struct nflog_g_handle;
struct nflog_data;

/// A function that is called for each packet of a group: with the group, the head of its message,
/// the packet, and the pointer that it was registered with.
///
/// The rest of the message lies around its head, in the buffer that nflog_handle_packet() was given.
///
/// Returns 0 or more to go on; less than 0 ends the handling of the datagram.
typedef int nflog_callback(struct nflog_g_handle *gh, struct nfgenmsg *nfmsg,
                           struct nflog_data *nfd, void *data);";

/// The value of all flags is no int, as C wants it of an enumerator.
const XML_FLAGS: &str = "\
/// What nflog_snprintf_xml() writes: flags.
__extension__
enum {
    /// The prefix of the rule.
    NFLOG_XML_PREFIX = 1,
    /// The protocol on the link, and the address of the sender.
    NFLOG_XML_HW = 2,
    /// The mark.
    NFLOG_XML_MARK = 4,
    /// The interfaces.
    NFLOG_XML_DEV = 8,
    /// The ports of a bridge.
    NFLOG_XML_PHYSDEV = 16,
    /// The bytes of the packet.
    NFLOG_XML_PAYLOAD = 32,
    /// The time at which the text is written.
    NFLOG_XML_TIME = 64,
    /// The id of the entry of the flow.
    NFLOG_XML_CTID = 128,
    /// All of these.
    NFLOG_XML_ALL = 0xffffffffU
};";
