//! What each header is made of, and in which order a C reader finds it.

pub mod cdef;
mod conntrack;
pub mod ctrs;
mod helper;
mod nflog;
mod timeout;

/// One header.
pub struct Header {
    /// Below `include/`.
    pub path: &'static str,
    pub guard: &'static str,
    /// The files of its declarations, below `src/capi`.
    pub sources: &'static [&'static str],
    /// C text before the declarations: what cbindgen has no way to say.
    pub text: Text,
    /// The order of the declarations; where there are none it is cbindgen's.
    pub sections: &'static [Section],
}

pub enum Text {
    Here(&'static str),
    /// In this file below `src/capi`.
    File(&'static str),
}

/// Declarations that belong together, under a heading.
pub struct Section {
    pub title: &'static str,
    /// C text between heading and declarations.
    pub text: &'static str,
    /// Their names, in order. `*` at the end stands for any rest, in the order of the sources; of
    /// several that fit a name the longest counts.
    pub names: &'static [&'static str],
}

const PLAIN: Header =
    Header { path: "", guard: "", sources: &[], text: Text::Here(""), sections: &[] };

pub const HEADERS: [Header; 15] = [
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack.h",
        guard: "_LIBNETFILTER_CONNTRACK_H_",
        sources: &[
            "conntrack/types.rs",
            "conntrack/header/attr.rs",
            "conntrack/header/api.rs",
            "conntrack/handle.rs",
            "conntrack/callback.rs",
            "conntrack/query.rs",
            "conntrack/entry.rs",
            "conntrack/attr.rs",
            "conntrack/group.rs",
            "conntrack/bitmask.rs",
            "conntrack/labelmap.rs",
            "conntrack/print.rs",
            "conntrack/event_filter.rs",
            "conntrack/dump_filter.rs",
            "conntrack/nlmsg.rs",
            "conntrack/expect.rs",
        ],
        text: Text::File("conntrack/header/top.h"),
        sections: &conntrack::SECTIONS,
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_tcp.h",
        guard: "_LIBNETFILTER_CONNTRACK_TCP_H_",
        sources: &["conntrack/header/tcp.rs"],
        ..PLAIN
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_sctp.h",
        guard: "_LIBNETFILTER_CONNTRACK_SCTP_H_",
        sources: &["conntrack/header/sctp.rs"],
        ..PLAIN
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_dccp.h",
        guard: "_LIBNETFILTER_CONNTRACK_DCCP_H_",
        sources: &["conntrack/header/dccp.rs"],
        ..PLAIN
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_udp.h",
        guard: "_LIBNETFILTER_CONNTRACK_UDP_H_",
        sources: &["conntrack/header/udp.rs"],
        ..PLAIN
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_icmp.h",
        guard: "_LIBNETFILTER_CONNTRACK_ICMP_H_",
        sources: &["conntrack/header/icmp.rs"],
        ..PLAIN
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_ipv4.h",
        guard: "_LIBNETFILTER_CONNTRACK_IPV4_H_",
        text: Text::Here(EMPTY),
        ..PLAIN
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_ipv6.h",
        guard: "_LIBNETFILTER_CONNTRACK_IPV6_H_",
        text: Text::Here(EMPTY),
        ..PLAIN
    },
    Header {
        path: "libnetfilter_conntrack/linux_nf_conntrack_common.h",
        guard: "_NF_CONNTRACK_COMMON_H",
        sources: &["conntrack/header/linux_nf_conntrack_common.rs"],
        text: Text::Here(COMMON),
        ..PLAIN
    },
    Header {
        path: "libnetfilter_conntrack/linux_nfnetlink_conntrack.h",
        guard: "_IPCONNTRACK_NETLINK_H",
        sources: &["conntrack/header/linux_nfnetlink_conntrack.rs"],
        text: Text::Here(CTNETLINK),
        ..PLAIN
    },
    Header {
        path: "libnetfilter_log/linux_nfnetlink_log.h",
        guard: "_NFNETLINK_LOG_H",
        sources: &["nflog/header/linux_nfnetlink_log.rs"],
        text: Text::Here(nflog::MESSAGES),
        ..PLAIN
    },
    Header {
        path: "libnetfilter_log/libnetfilter_log.h",
        guard: "__LIBNETFILTER_LOG_H",
        sources: &[
            "nflog/types.rs",
            "nflog/header/api.rs",
            "nflog/handle.rs",
            "nflog/group.rs",
            "nflog/dispatch.rs",
            "nflog/packet.rs",
            "nflog/print.rs",
            "nflog/nlmsg.rs",
            "nflog/errno.rs",
        ],
        text: Text::File("nflog/header/top.h"),
        sections: nflog::SECTIONS,
    },
    Header {
        path: "libnetfilter_cttimeout/libnetfilter_cttimeout.h",
        guard: "_LIBNETFILTER_CTTIMEOUT_H_",
        sources: &[
            "timeout/types.rs",
            "timeout/header/api.rs",
            "timeout/policy.rs",
            "timeout/nlmsg.rs",
            "timeout/print.rs",
        ],
        text: Text::Here(timeout::TOP),
        sections: timeout::SECTIONS,
    },
    Header {
        path: "libnetfilter_cthelper/libnetfilter_cthelper.h",
        guard: "_LIBNETFILTER_CTHELPER_H_",
        sources: &[
            "helper/types.rs",
            "helper/header/api.rs",
            "helper/helper.rs",
            "helper/policy.rs",
            "helper/nlmsg.rs",
            "helper/print.rs",
        ],
        text: Text::Here(helper::TOP),
        sections: helper::SECTIONS,
    },
    Header {
        path: "ctrs.h",
        guard: "CTRS_H",
        sources: &[
            "ffi/explained.rs",
            "version.rs",
            "ctrs/open.rs",
            "ctrs/error.rs",
            "ctrs/diagnose.rs",
            "ctrs/wake.rs",
            "ctrs/flow.rs",
            "ctrs/batch.rs",
            "ctrs/delete.rs",
            "ctrs/types.rs",
            "ctrs/header/constants.rs",
            "ctrs/attr.rs",
            "../conntrack/record/layout.rs",
            "ctrs/record.rs",
            "../nflog/record/layout.rs",
            "ctrs/packet.rs",
            "../timeout/record.rs",
            "ctrs/timeout.rs",
            "ctrs/helper.rs",
            "ctrs/nflog.rs",
            "ctrs/nflog_read.rs",
            "ctrs/packet_flow.rs",
            "ctrs/packet_json.rs",
            "ctrs/pcap.rs",
            "ctrs/json.rs",
            "../conntrack/stream/record.rs",
            "ctrs/event.rs",
            "../namespaces/record.rs",
            "ctrs/namespaces.rs",
            "../conntrack/mirror/record.rs",
            "ctrs/mirror.rs",
            "ctrs/mirror_find.rs",
            "ctrs/dump.rs",
            "ctrs/expect_dump.rs",
            "ctrs/stats.rs",
            "ctrs/filter.rs",
        ],
        text: Text::Here(ctrs::TOP),
        sections: ctrs::SECTIONS,
    },
];

/// Before the declarations of the header that stands for the kernel's `nfnetlink_conntrack.h`.
const CTNETLINK: &str = "\
/* The numbers of messages and attributes of ctnetlink, as the kernel's header of the same guard has
 * them. Numbers in messages are in network byte order unless more is said. */

#ifdef __has_include
#if __has_include(<libnfnetlink/linux_nfnetlink.h>)
#include <libnfnetlink/linux_nfnetlink.h>
#else
#include <linux/netfilter/nfnetlink.h>
#endif
#else
#include <libnfnetlink/linux_nfnetlink.h>
#endif";

/// cbindgen has no macros with arguments.
const COMMON: &str = "\
/* Status bits and events of entries, as the kernel's header of the same guard has them. */

/// State bit of packets with this `enum ip_conntrack_info`, in either direction.
#define NF_CT_STATE_BIT(ctinfo) (1 << ((ctinfo) % IP_CT_IS_REPLY + 1))";

/// A pragma, for `#warning` would break builds that make warnings errors.
const EMPTY: &str = "#pragma message(\"this header is empty: there is no need to include it\")";
