//! What each header is made of, and in which order a C reader finds it.

pub mod cdef;

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

pub const HEADERS: [Header; 11] = [
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
        sections: &SECTIONS,
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
        path: "ctrs.h",
        guard: "CTRS_H",
        sources: &[
            "ffi/explained.rs",
            "ctrs/version.rs",
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
            "ctrs/json.rs",
            "ctrs/dump.rs",
            "ctrs/expect_dump.rs",
            "ctrs/stats.rs",
            "ctrs/filter.rs",
        ],
        text: Text::Here(CTRS),
        sections: EXTENSIONS,
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

const CTRS: &str = "\
/* What ctrs has beyond the interface of libnetfilter_conntrack. The rules at the top of that header
 * hold here too, and these:
 *
 * Handles. Where a function takes a handle, it takes any: that of nfct_open() too. What it asks
 * of the kernel goes through a socket that the handle opens for this in its network namespace.
 * Events stay where they are, in order, for whoever reads them.
 *
 * Failure. It is -1 or NULL, errno, and an explanation: ctrs_last_error() of the handle; where
 * there is none, the struct ctrs_error that the caller has room for, or NULL.
 *
 * Sizes. Structures grow at their end, in later versions. The caller tells its sizeof, in the
 * first field or beside the pointer: what that lacks is cut, and what the library lacks is zero.
 * So a program goes on with newer libraries, and with older ones as far as they go.
 *
 * Waiting. Answers of the kernel are waited for as long as the handle was opened to. A wait ends
 * by ctrs_wake() with ECANCELED, when its time is over with ETIMEDOUT, and with EINTR when the
 * handler of a signal ran, whatever its SA_RESTART says.
 *
 * Threads. Any thread may call ctrs_wake() on a handle that another uses. After fork() the child
 * may only close what it got.
 *
 * Cancellation. A thread that was cancelled ends when it calls a function that opens or takes a
 * handle, and not while that is at work. Nor is a handler of a signal to jump out of it: it
 * calls ctrs_wake(), or returns. */

#include \"libnetfilter_conntrack/libnetfilter_conntrack.h\"";

/// What `capi-tests/tests/headers.rs` puts the numbers of the package into.
const VERSION: &str = "\
/// The version of this header, as text.
#define CTRS_VERSION \"@VERSION@\"
/// The version of this header, to compare: 0x010203 is 1.2.3.
#define CTRS_VERSION_NUMBER @NUMBER@";

/// What ctrs adds. Types come first, as in the main header.
const EXTENSIONS: &[Section] = &[
    Section { title: "Version", text: VERSION, names: &["ctrs_version"] },
    Section {
        title: "Numbers that other headers have as macros, or apart",
        text: "",
        names: &[
            "ctrs_direction",
            "ctrs_group",
            "ctrs_tcp_state",
            "ctrs_tcp_flag",
            "ctrs_sctp_state",
            "ctrs_dccp_state",
            "ctrs_dccp_role",
            "ctrs_expect_flag",
        ],
    },
    Section {
        title: "Attributes, asked about at run time",
        text: "",
        names: &["ctrs_attr_kind", "ctrs_attr_count", "ctrs_attr_*"],
    },
    Section {
        title: "Errors",
        text: NOWHERE,
        names: &["ctrs_error_kind", "ctrs_error", "ctrs_last_error"],
    },
    Section { title: "Why nothing is heard, or counted", text: "", names: &["ctrs_diagnose"] },
    Section {
        title: "Handles, opened with options",
        text: "",
        names: &["ctrs_open_flags", "ctrs_open_options", "ctrs_open", "ctrs_receive_buffer"],
    },
    Section { title: "Waits, ended from elsewhere", text: "", names: &["ctrs_wake"] },
    Section {
        title: "One flow",
        text: "",
        names: &[
            "ctrs_get",
            "ctrs_create",
            "ctrs_update",
            "ctrs_mark",
            "ctrs_labels",
            "ctrs_delete",
        ],
    },
    Section {
        title: "Many flows: batches",
        text: "",
        names: &[
            "ctrs_batch",
            "ctrs_batch_flags",
            "ctrs_batch_new",
            "ctrs_batch_add",
            "ctrs_batch_run",
            "ctrs_batch_result",
            "ctrs_batch_clear",
            "ctrs_batch_free",
        ],
    },
    Section {
        title: "Records: flows and expectations as plain data",
        text: "",
        names: &[
            "ctrs_tuple",
            "ctrs_nat",
            "ctrs_seq_adjust",
            "ctrs_synproxy",
            "ctrs_flow",
            "ctrs_expectation",
            "ctrs_flow_from",
            "ctrs_flow_to",
            "ctrs_expectation_*",
        ],
    },
    Section {
        title: "JSON",
        text: "",
        names: &[
            "ctrs_json_flags",
            "ctrs_snprintf_json",
            "ctrs_flow_snprintf_json",
            "ctrs_expect_snprintf_json",
            "ctrs_parse_json",
            "ctrs_expect_parse_json",
        ],
    },
    Section {
        title: "Filters: expressions that select flows",
        text: "",
        names: &[
            "ctrs_filter",
            "ctrs_truth",
            "ctrs_filter_compile",
            "ctrs_filter_match*",
            "ctrs_filter_print",
            "ctrs_filter_explain",
            "ctrs_filter_attach",
            "ctrs_filter_free",
        ],
    },
    Section {
        title: "Many flows: deleted by filter",
        text: "",
        names: &["ctrs_delete_flags", "ctrs_deleted", "ctrs_delete_matching"],
    },
    Section {
        title: "Lists, read as they are wanted",
        text: "",
        names: &[
            "ctrs_dump_flags",
            "ctrs_dump_verdict",
            "ctrs_dump",
            "ctrs_dump_*",
            "ctrs_expect_dump",
            "ctrs_expect_dump_*",
        ],
    },
    Section {
        title: "Statistics",
        text: "",
        names: &["ctrs_stats", "ctrs_count", "ctrs_cpu_stats", "ctrs_expect_stats", "ctrs_stats_*"],
    },
];

/// The main header. Types come first: C knows a structure from its first mention on.
const SECTIONS: [Section; 15] = [
    Section {
        title: "Objects",
        text: "",
        names: &[
            "nf_conntrack",
            "nf_expect",
            "nfct_handle",
            "nfct_bitmask",
            "nfct_labelmap",
            "nfct_filter",
            "nfct_filter_dump",
            "nfnl_handle",
            "nfnl_subsys_handle",
            "nfct_new",
            "nfct_clone",
            "nfct_destroy",
            "nfct_maxsize",
            "nfct_sizeof",
        ],
    },
    Section {
        title: "Attributes",
        text: FLAGS_OF_TCP,
        names: &[
            "NFCT_DIR_*",
            "NFCT_HELPER_NAME_MAX",
            "nf_conntrack_attr",
            "nfct_set_attr*",
            "nfct_get_attr*",
            "nfct_attr_*",
        ],
    },
    Section {
        title: "Groups of attributes",
        text: "",
        names: &[
            "nf_conntrack_attr_grp",
            "nfct_attr_grp_ipv4",
            "nfct_attr_grp_ipv6",
            "nfct_attr_grp_port",
            "nfct_attr_grp_icmp",
            "nfct_attr_grp_ctrs",
            "nfct_attr_grp_addr",
            "nfct_set_attr_grp",
            "nfct_get_attr_grp",
            "nfct_attr_grp_*",
        ],
    },
    Section {
        title: "NAT, and one tuple from the other",
        text: "",
        names: &[
            "nfct_get_option",
            "NFCT_GOPT_MAX",
            "nfct_getobjopt",
            "nfct_set_option",
            "NFCT_SOPT_MAX",
            "nfct_setobjopt",
        ],
    },
    Section {
        title: "Comparing and copying",
        text: "",
        names: &["nfct_compare_flags", "nfct_cmp", "nfct_compare", "nfct_copy_flags", "nfct_copy*"],
    },
    Section {
        title: "Labels",
        text: "",
        names: &[
            "nfct_bitmask_new",
            "nfct_bitmask_clone",
            "nfct_bitmask_destroy",
            "nfct_bitmask_*",
            "nfct_labels_get_path",
            "nfct_labelmap_*",
        ],
    },
    Section {
        title: "Printing",
        text: "",
        names: &["nfct_output_type", "nfct_output_flags", "nfct_snprintf*"],
    },
    Section {
        title: "Handles",
        text: "",
        names: &[
            "nfct_subsystem",
            "NFCT_ALL_CT_GROUPS",
            "nfct_open",
            "nfct_open_nfnl",
            "nfct_close",
            "nfct_fd",
            "nfct_nfnlh",
        ],
    },
    Section {
        title: "Events and answers: the callbacks",
        text: "",
        names: &[
            "nf_conntrack_msg_type",
            "nfct_callback_result",
            "nfct_callback_register",
            "nfct_callback_*",
        ],
    },
    Section {
        title: "Queries",
        text: "",
        names: &["nf_conntrack_query", "nfct_query", "nfct_send", "nfct_catch"],
    },
    Section {
        title: "Filters of events",
        text: "",
        names: &[
            "nfct_filter_attr",
            "nfct_filter_logic",
            "nfct_filter_proto",
            "nfct_filter_ipv4",
            "nfct_filter_ipv6",
            "nfct_filter_dump_mark",
            "nfct_filter_*",
        ],
    },
    Section {
        title: "Filters of dumps and flushes",
        text: "",
        names: &["nfct_filter_dump_attr", "nfct_filter_dump_*"],
    },
    Section {
        title: "Messages, built and parsed without a handle",
        text: "",
        names: &["nfct_nlmsg_*", "nfct_payload_parse", "nfct_parse_conntrack", "nfct_build_*"],
    },
    Section {
        title: "Expectations",
        text: "",
        names: &[
            "nf_expect_attr",
            "nfexp_new",
            "nfexp_clone",
            "nfexp_destroy",
            "nfexp_maxsize",
            "nfexp_sizeof",
            "nfexp_set_attr*",
            "nfexp_get_attr*",
            "nfexp_attr_*",
            "nfexp_cmp",
            "nfexp_snprintf",
        ],
    },
    Section {
        title: "Expectations: callbacks, queries, messages",
        text: "",
        names: &["nfexp_callback_*", "nfexp_query", "nfexp_send", "nfexp_catch", "nfexp_*"],
    },
];

/// Without a sign: cbindgen would write a number that C90 has no type for on machines of 32 bits.
const NOWHERE: &str = "\
/// In the attribute or the offset of an error: there is none to blame.
#define CTRS_ERROR_NOWHERE 0xffffffffu";

/// Spelled as in the kernel's `nf_conntrack_tcp.h`, which programs may include as well.
const FLAGS_OF_TCP: &str = "\
/// Flag of `ATTR_TCP_FLAGS_*`: the sender advertises window scaling.
#define IP_CT_TCP_FLAG_WINDOW_SCALE 0x01
/// Flag of `ATTR_TCP_FLAGS_*`: the sender permits selective acknowledgements.
#define IP_CT_TCP_FLAG_SACK_PERM 0x02
/// Flag of `ATTR_TCP_FLAGS_*`: the sender has sent the first FIN.
#define IP_CT_TCP_FLAG_CLOSE_INIT 0x04
/// Flag of `ATTR_TCP_FLAGS_*`: packets outside the window are not invalid.
#define IP_CT_TCP_FLAG_BE_LIBERAL 0x08";
