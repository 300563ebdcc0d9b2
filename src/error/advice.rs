//! What the kernel's `errno` leaves open, and the request tells: it has a few numbers for many
//! causes, and seldom a word of its own.
#![forbid(unsafe_code)]

use super::RequestKind::{
    self, Create, CreateExpectation, Delete, DeleteExpectation, Flush, Get, GetExpectation, List,
    Update,
};

/// What to do when messages were lost.
pub(super) const LOST: &str = "messages were lost: list the table again if a copy of it is kept, \
                               and give the socket a larger receive buffer";

/// Requests, `errno`, cause. The first row that fits counts.
type Row = (&'static [RequestKind], i32, &'static str);

const REFUSALS: &[Row] = &[
    (
        &[Update],
        libc::EPERM,
        "CAP_NET_ADMIN is needed in the user namespace that owns the network namespace; or the \
         flow has a fixed timeout, which cannot be changed",
    ),
    (&[], libc::EPERM, PRIVILEGE),
    (
        &[Create],
        libc::EINVAL,
        "something is missing or does not go together: a timeout, the reply tuple, an ICMP type \
         that begins a flow, one zone, whole TCP, SCTP, sequence or synproxy state; or the kernel \
         was built without CONFIG_NF_CT_NETLINK",
    ),
    (&[Create], libc::EEXIST, "the tuple, or the reply tuple, belongs to another flow"),
    (
        &[Create],
        libc::EOPNOTSUPP,
        "the helper is not loaded or is one of another protocol, or the kernel has no NAT",
    ),
    (&[Create], libc::ENOMEM, "the table is full: see net.netfilter.nf_conntrack_max"),
    (&[Update], libc::EBUSY, "this status cannot be changed, or the flow has another helper"),
    (
        &[Update],
        libc::EOPNOTSUPP,
        "NAT and the master of a flow cannot be changed, nor the helper of one created without",
    ),
    (
        &[Update],
        libc::ENOSPC,
        "the flow has no room for labels: no rule of this namespace used labels when it began",
    ),
    (
        &[Get, Update, Delete],
        libc::ENOENT,
        "no such flow, or another took its place (its id differs), or it is in another zone",
    ),
    (
        &[CreateExpectation],
        libc::EINVAL,
        "the class is above the highest of the helper, or the kernel has no function of this name; \
         or it was built without CONFIG_NF_CT_NETLINK",
    ),
    (&[CreateExpectation], libc::ENOENT, "no flow has the master's tuple, or not in this zone"),
    (&[CreateExpectation], libc::EOPNOTSUPP, "the master has no helper, or the kernel has no NAT"),
    (&[CreateExpectation], libc::EEXIST, "there is an expectation of such flows already"),
    (&[CreateExpectation], libc::EBUSY, "another expectation is met by some of the same flows"),
    (
        &[CreateExpectation],
        libc::EMFILE,
        "the table is full: see net.netfilter.nf_conntrack_expect_max",
    ),
    (
        &[GetExpectation, DeleteExpectation],
        libc::ENOENT,
        "no such expectation, or another took its place (its id differs), or it is in another zone",
    ),
    (&[List], libc::EBUSY, "another list is being read from this socket"),
    (
        &[List, Flush],
        libc::EINVAL,
        "the filter is incomplete, or the kernel was built without CONFIG_NF_CT_NETLINK",
    ),
    (
        &[],
        libc::EINVAL,
        "the request is invalid, or the kernel was built without CONFIG_NF_CT_NETLINK",
    ),
];

const PRIVILEGE: &str =
    "CAP_NET_ADMIN is needed in the user namespace that owns the network namespace";

/// System call, `errno`, cause.
const FAILURES: &[(&str, i32, &str)] = &[
    ("bind", libc::EPERM, PRIVILEGE),
    (
        "setsockopt",
        libc::EPERM,
        "CAP_NET_BROADCAST is needed to listen to all namespaces, in the user namespace that owns \
         the network namespace",
    ),
    ("socket", libc::EPROTONOSUPPORT, "this kernel has no CONFIG_NETFILTER_NETLINK"),
    ("setns", libc::EPERM, "CAP_SYS_ADMIN is needed in that network namespace's user namespace"),
    ("setns", libc::EINVAL, "this is no network namespace"),
];

/// The cause of a refusal.
pub(super) fn refused(request: Option<RequestKind>, errno: i32) -> Option<&'static str> {
    let fits = |requests: &[RequestKind]| {
        requests.is_empty() || request.is_some_and(|request| requests.contains(&request))
    };
    REFUSALS.iter().find(|(requests, of, _)| *of == errno && fits(requests)).map(|row| row.2)
}

/// The cause of a system call's failure.
pub(super) fn failed(call: &str, errno: i32) -> Option<&'static str> {
    FAILURES.iter().find(|row| (row.0, row.1) == (call, errno)).map(|row| row.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(request: RequestKind, errno: i32, words: &str) {
        let advice = refused(Some(request), errno).unwrap_or_default();
        assert!(advice.contains(words), "{request:?} {errno}: {advice}");
    }

    #[test]
    fn any_eperm_names_the_capability() {
        for request in [Create, Update, Get, Delete, Flush, List] {
            says(request, libc::EPERM, "CAP_NET_ADMIN");
        }
        assert_eq!(refused(None, libc::EPERM), Some(PRIVILEGE));
        says(Update, libc::EPERM, "fixed timeout");
    }

    #[test]
    fn any_einval_names_the_option_of_the_kernel() {
        for request in [Create, Update, Get, Delete, Flush, List] {
            says(request, libc::EINVAL, "CONFIG_NF_CT_NETLINK");
        }
    }

    #[test]
    fn create_einval_lists_what_a_flow_needs() {
        for words in
            ["a timeout", "reply tuple", "ICMP type", "one zone", "SCTP, sequence or synproxy"]
        {
            says(Create, libc::EINVAL, words);
        }
    }

    #[test]
    fn create_eexist_may_be_about_the_reply() {
        says(Create, libc::EEXIST, "or the reply tuple");
    }

    #[test]
    fn create_eopnotsupp_is_about_helper_or_nat() {
        says(Create, libc::EOPNOTSUPP, "helper is not loaded");
        says(Create, libc::EOPNOTSUPP, "no NAT");
    }

    #[test]
    fn create_enomem_is_a_full_table() {
        says(Create, libc::ENOMEM, "nf_conntrack_max");
        assert_eq!(refused(Some(List), libc::ENOMEM), None);
    }

    #[test]
    fn update_ebusy_is_about_status_or_helper() {
        says(Update, libc::EBUSY, "status cannot be changed");
        says(Update, libc::EBUSY, "another helper");
    }

    #[test]
    fn update_eopnotsupp_is_about_nat_master_or_helper() {
        for words in ["NAT", "master", "helper"] {
            says(Update, libc::EOPNOTSUPP, words);
        }
    }

    #[test]
    fn update_enospc_is_about_labels() {
        says(Update, libc::ENOSPC, "no rule of this namespace used labels");
    }

    #[test]
    fn enoent_of_one_flow_may_be_about_id_or_zone() {
        for request in [Get, Update, Delete] {
            says(request, libc::ENOENT, "id differs");
            says(request, libc::ENOENT, "another zone");
        }
        assert_eq!(refused(Some(Create), libc::ENOENT), None);
    }

    #[test]
    fn list_ebusy_is_another_list() {
        says(List, libc::EBUSY, "another list");
    }

    #[test]
    fn einval_of_a_filtered_request_is_about_the_filter() {
        says(List, libc::EINVAL, "filter is incomplete");
        says(Flush, libc::EINVAL, "filter is incomplete");
    }

    #[test]
    fn expectations_have_causes_of_their_own() {
        says(CreateExpectation, libc::EINVAL, "class");
        says(CreateExpectation, libc::EINVAL, "function");
        says(CreateExpectation, libc::ENOENT, "master's tuple");
        says(CreateExpectation, libc::EOPNOTSUPP, "no helper");
        says(CreateExpectation, libc::EEXIST, "already");
        says(CreateExpectation, libc::EBUSY, "another expectation");
        says(CreateExpectation, libc::EMFILE, "nf_conntrack_expect_max");
        for request in [GetExpectation, DeleteExpectation] {
            says(request, libc::ENOENT, "id differs");
        }
        for request in [RequestKind::FlushExpectations, RequestKind::ListExpectations] {
            says(request, libc::EPERM, "CAP_NET_ADMIN");
        }
    }

    #[test]
    fn system_calls_that_fail_are_explained_too() {
        assert_eq!(failed("bind", libc::EPERM), Some(PRIVILEGE));
        let all = failed("setsockopt", libc::EPERM);
        assert!(all.is_some_and(|text| text.contains("CAP_NET_BROADCAST")));
        assert!(failed("setns", libc::EPERM).is_some_and(|text| text.contains("CAP_SYS_ADMIN")));
        assert!(failed("setns", libc::EINVAL).is_some_and(|text| text.contains("no network")));
        let socket = failed("socket", libc::EPROTONOSUPPORT);
        assert!(socket.is_some_and(|text| text.contains("CONFIG_NETFILTER_NETLINK")));
        assert_eq!(failed("bind", libc::ENOMEM), None);
    }
}
