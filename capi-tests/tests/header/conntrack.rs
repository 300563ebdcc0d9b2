//! What the main header of libnetfilter_conntrack is made of.

use super::Section;

/// Types come first: C knows a structure from its first mention on.
pub const SECTIONS: [Section; 15] = [
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
