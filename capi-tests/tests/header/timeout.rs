//! What the header of libnetfilter_cttimeout is made of.

use super::Section;

/// Before the declarations.
pub const TOP: &str = "\
/* libnetfilter_cttimeout: policies that say how long flows stay in the states of their protocol.
 * Rules of the firewall give them to flows (CT --timeout).
 *
 * The functions build, read and print; the program sends the messages, in a socket of its own.
 * The numbers of messages are in <linux/netfilter/nfnetlink_cttimeout.h>.
 *
 * No function crashes for NULL: where it needs an object it does nothing, sets errno to EINVAL
 * and returns its error value. errno is left alone by success; EFAULT is a defect of the library
 * itself. An object is used by one thread at a time. */

#include <stdint.h>
#include <sys/types.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

struct nlmsghdr;";

/// Types come first: C knows a structure from its first mention on.
pub const SECTIONS: &[Section] = &[
    Section {
        title: "Policies",
        text: "",
        names: &[
            "nfct_timeout",
            "nfct_timeout_attr",
            "nfct_timeout_alloc",
            "nfct_timeout_free",
            "nfct_timeout_attr_*",
        ],
    },
    Section {
        title: "States of protocols",
        text: "",
        names: &["nfct_timeout_*", "nfct_timeout_policy_*"],
    },
    Section { title: "Messages", text: "", names: &["nfct_timeout_nlmsg_*"] },
    Section {
        title: "Text",
        text: "",
        names: &["nfct_timeout_output_type", "nfct_timeout_snprintf"],
    },
];
