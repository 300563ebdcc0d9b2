//! What the header of libnetfilter_cthelper is made of.

use super::Section;

/// Before the declarations.
pub const TOP: &str = "\
/* libnetfilter_cthelper: helpers of connection tracking that are programs. The kernel sends them
 * the packets of flows, and takes the expectations that they make of them.
 *
 * The functions build, read and print; the program sends the messages, in a socket of its own.
 *
 * No function crashes for NULL: where it needs an object it does nothing, sets errno to EINVAL
 * and returns its error value. errno is left alone by success; EFAULT is a defect of the library
 * itself. An object is used by one thread at a time. */

#include <stdint.h>
#include <sys/types.h>
#include <linux/netfilter/nfnetlink_cthelper.h>

struct nlmsghdr;";

/// Types come first: C knows a structure from its first mention on.
pub const SECTIONS: &[Section] = &[
    Section {
        title: "Policies of expectations",
        text: "",
        names: &[
            "nfct_helper_policy",
            "nfct_helper_policy_attr_type",
            "nfct_helper_policy_alloc",
            "nfct_helper_policy_free",
            "nfct_helper_policy_attr_*",
        ],
    },
    Section {
        title: "Helpers",
        text: "",
        names: &[
            "nfct_helper",
            "nfct_helper_attr_type",
            "nfct_helper_alloc",
            "nfct_helper_free",
            "nfct_helper_attr_*",
        ],
    },
    Section { title: "Messages", text: "", names: &["nfct_helper_nlmsg_*"] },
    Section { title: "Text", text: "", names: &["nfct_helper_snprintf"] },
];
