//! What `ctrs.h` is made of.

use super::Section;

/// Before the declarations: the rules.
pub const TOP: &str = "\
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

#include \"libnetfilter_conntrack/libnetfilter_conntrack.h\"

/* Of libnetfilter_cttimeout and libnetfilter_cthelper, whose headers declare them. */
struct nfct_timeout;
struct nfct_helper;
struct nfct_helper_policy;";

/// What `capi-tests/tests/headers.rs` puts the numbers of the package into.
const VERSION: &str = "\
/// The version of this header, as text.
#define CTRS_VERSION \"@VERSION@\"
/// The version of this header, to compare: 0x010203 is 1.2.3.
#define CTRS_VERSION_NUMBER @NUMBER@";

/// What ctrs adds. Types come first, as in the main header.
pub const SECTIONS: &[Section] = &[
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
        title: "Events, read as they are wanted",
        text: "",
        names: &[
            "ctrs_event_change",
            "ctrs_event_flags",
            "ctrs_event",
            "ctrs_event_*",
            "ctrs_expectation_event",
            "ctrs_expectation_event_*",
        ],
    },
    Section {
        title: "The network namespaces that events come from",
        text: "",
        names: &["ctrs_namespace_flags", "ctrs_namespace", "ctrs_namespaces"],
    },
    Section {
        title: "Mirrors: the flow table as it is, with what changes in it",
        text: "",
        names: &[
            "ctrs_mirror_change",
            "ctrs_change_flags",
            "ctrs_change",
            "ctrs_mirror_flags",
            "ctrs_mirror_info",
            "ctrs_flow_flags",
            "ctrs_mirror",
            "ctrs_mirror_open",
            "ctrs_mirror_next",
            "ctrs_mirror_find",
            "ctrs_mirror_find_all",
            "ctrs_mirror_find_id",
            "ctrs_mirror_read",
            "ctrs_mirror_get_info",
            "ctrs_mirror_verify",
            "ctrs_mirror_verify_every",
            "ctrs_mirror_fd",
            "ctrs_mirror_wake",
            "ctrs_mirror_last_error",
            "ctrs_mirror_close",
        ],
    },
    Section {
        title: "Statistics",
        text: "",
        names: &["ctrs_stats", "ctrs_count", "ctrs_cpu_stats", "ctrs_expect_stats", "ctrs_stats_*"],
    },
    Section {
        title: "Timeout policies, and the timeouts of flows without one",
        text: "",
        names: &[
            "ctrs_timeout",
            "ctrs_timeout_state",
            "ctrs_timeout_flags",
            "ctrs_timeout_set",
            "ctrs_timeout_get",
            "ctrs_timeout_delete",
            "ctrs_timeout_flush",
            "ctrs_timeout_get_defaults",
            "ctrs_timeout_set_defaults",
            "ctrs_timeout_dump",
            "ctrs_timeout_dump_*",
            "ctrs_timeout_*",
        ],
    },
    Section {
        title: "Helpers in user space",
        text: "",
        names: &[
            "ctrs_helper_flags",
            "ctrs_helper_set",
            "ctrs_helper_get",
            "ctrs_helper_delete",
            "ctrs_helper_flush",
            "ctrs_helper_dump",
            "ctrs_helper_dump_*",
            "ctrs_helper_*",
        ],
    },
    Section {
        title: "Logged packets as plain data",
        text: "",
        names: &["ctrs_packet_field", "ctrs_part", "ctrs_packet", "ctrs_packet_from"],
    },
    Section {
        title: "Logged packets, read as they are wanted",
        text: "",
        names: &[
            "ctrs_nflog_setting",
            "ctrs_nflog_mode",
            "ctrs_nflog_flags",
            "ctrs_nflog_settings",
            "ctrs_nflog",
            "ctrs_nflog_open",
            "ctrs_nflog_bind",
            "ctrs_nflog_set",
            "ctrs_nflog_unbind",
            "ctrs_nflog_next",
            "ctrs_nflog_read",
            "ctrs_nflog_fd",
            "ctrs_nflog_receive_buffer",
            "ctrs_nflog_*",
        ],
    },
    Section {
        title: "Flows of logged packets",
        text: "",
        names: &["ctrs_lookup_flags", "ctrs_packet_conntrack", "ctrs_packet_flow"],
    },
    Section {
        title: "Logged packets as JSON, and in files that tcpdump and Wireshark read",
        text: "",
        names: &[
            "ctrs_packet_snprintf_json",
            "ctrs_link_type",
            "ctrs_pcap_size",
            "ctrs_pcap_header",
            "ctrs_packet_pcap",
        ],
    },
];

/// What is in titles of libraries that can be left out, and what says so: the header is installed with
/// `#define`s of those that were.
pub const LEFT_OUT: [(&str, &str); 3] = [
    ("Timeout policies", "CTRS_NO_TIMEOUT"),
    ("Helpers in user space", "CTRS_NO_HELPER"),
    ("ogged packets", "CTRS_NO_NFLOG"),
];

/// Without a sign: cbindgen would write a number that C90 has no type for on machines of 32 bits.
const NOWHERE: &str = "\
/// In the attribute or the offset of an error: there is none to blame.
#define CTRS_ERROR_NOWHERE 0xffffffffu";
