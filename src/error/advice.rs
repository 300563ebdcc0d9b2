//! What the kernel's `errno` leaves open, and the request tells: it has a few numbers for many
//! causes, and seldom a word of its own.
#![forbid(unsafe_code)]

use super::RequestKind;
use super::asked::Asked;
use super::companions;
use super::fact::Look;
use super::refusals::{Cause, PRIVILEGE, REFUSALS};
use crate::facts::privilege::{NET_ADMIN, NET_BROADCAST, SYS_ADMIN};
use crate::netlink::nsid::RTM_GETNSID;

/// What to do when messages were lost.
pub(super) const LOST: &str = "messages were lost: list the table again if a copy of it is kept, \
                               and give the socket a larger receive buffer";

/// A system call, `errno`, cause, and what is looked up.
type Failure = (&'static str, i32, &'static str, Look);

const FAILURES: &[Failure] = &[
    ("bind", libc::EPERM, PRIVILEGE, Look::Privilege(NET_ADMIN)),
    (
        "setsockopt",
        libc::EPERM,
        "CAP_NET_BROADCAST is needed to listen to all namespaces, in the user namespace that owns \
         the network namespace",
        Look::Privilege(NET_BROADCAST),
    ),
    (
        "setsockopt",
        libc::ENOPROTOOPT,
        "Linux 4.2 is needed to listen to all namespaces",
        Look::Nowhere,
    ),
    (
        RTM_GETNSID,
        libc::EOPNOTSUPP,
        "Linux 4.2 is needed to listen to all namespaces, and to know which those are",
        Look::Nowhere,
    ),
    (
        "ioctl",
        libc::ENOTTY,
        "Linux 4.10 is needed to ask for something beside events or a list: use another handle",
        Look::Nowhere,
    ),
    ("recvfrom", libc::ENOSYS, "Linux 2.6.33 is needed, for recvmmsg", Look::Nowhere),
    ("socket", libc::EPROTONOSUPPORT, "this kernel has no CONFIG_NETFILTER_NETLINK", Look::Nowhere),
    (
        "socket",
        libc::EMFILE,
        "this process has as many files open as it may: see ulimit -n",
        Look::Nowhere,
    ),
    (
        "setns",
        libc::EPERM,
        "CAP_SYS_ADMIN is needed in that network namespace's user namespace",
        Look::Privilege(SYS_ADMIN),
    ),
    ("setns", libc::EINVAL, "this is no network namespace", Look::Nowhere),
    ("open", libc::ENOENT, "there is no network namespace of this name", Look::Nowhere),
    ("open", libc::EACCES, "this user may not open that network namespace", Look::Nowhere),
];

/// The cause of a refusal, of a request that may be known, and what is looked up.
pub(super) fn refused(
    request: Option<RequestKind>,
    errno: i32,
    asked: Option<&Asked<'_>>,
) -> Option<(&'static Cause, Look)> {
    let fits = |requests: &[RequestKind]| {
        requests.is_empty() || request.is_some_and(|request| requests.contains(&request))
    };
    let all = companions::REFUSALS.iter().chain(REFUSALS);
    all.filter(|(requests, of, ..)| *of == errno && fits(requests)).find_map(
        |(_, _, look, causes)| {
            let cause = causes.iter().find(|cause| cause.0.is_shown(asked))?;
            Some((cause, *look))
        },
    )
}

/// The cause of a system call's failure, and what is looked up.
pub(super) fn failed(call: &str, errno: i32) -> Option<(&'static str, Look)> {
    FAILURES.iter().find(|row| (row.0, row.1) == (call, errno)).map(|row| (row.2, row.3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use RequestKind::{
        BindLogFamily, BindLogGroup, ChangeLogGroup, Create, CreateExpectation, Delete,
        DeleteExpectation, Flush, Get, GetExpectation, List, UnbindLogGroup, Update,
    };

    /// The cause of a refusal of a request that is not known.
    fn cause(request: Option<RequestKind>, errno: i32) -> Option<&'static str> {
        refused(request, errno, None).map(|((_, _, cause), _)| *cause)
    }

    fn says(request: RequestKind, errno: i32, words: &str) {
        let advice = cause(Some(request), errno).unwrap_or_default();
        assert!(advice.contains(words), "{request:?} {errno}: {advice}");
    }

    #[test]
    fn any_eperm_names_the_capability() {
        for request in [Create, Update, Get, Delete, Flush, List] {
            says(request, libc::EPERM, "CAP_NET_ADMIN");
        }
        assert_eq!(cause(None, libc::EPERM), Some(PRIVILEGE));
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
        assert_eq!(cause(Some(List), libc::ENOMEM), None);
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
        assert_eq!(cause(Some(Create), libc::ENOENT), None);
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
    fn groups_of_logged_packets_have_causes_of_their_own() {
        for request in [BindLogGroup, ChangeLogGroup, UnbindLogGroup] {
            says(request, libc::EPERM, "CAP_NET_ADMIN");
            says(request, libc::ENODEV, "no socket has bound");
            says(request, libc::EINVAL, "CONFIG_NETFILTER_NETLINK_LOG");
        }
        says(BindLogGroup, libc::EBUSY, "already");
        says(BindLogFamily, libc::EINVAL, "address family");
        assert_eq!(cause(Some(ChangeLogGroup), libc::EBUSY), None);
    }

    #[test]
    fn system_calls_that_fail_are_explained_too() {
        let failed = |call, errno| failed(call, errno).map(|row| row.0);
        assert_eq!(failed("bind", libc::EPERM), Some(PRIVILEGE));
        let all = failed("setsockopt", libc::EPERM);
        assert!(all.is_some_and(|text| text.contains("CAP_NET_BROADCAST")));
        assert!(failed("setns", libc::EPERM).is_some_and(|text| text.contains("CAP_SYS_ADMIN")));
        assert!(failed("setns", libc::EINVAL).is_some_and(|text| text.contains("no network")));
        let socket = failed("socket", libc::EPROTONOSUPPORT);
        assert!(socket.is_some_and(|text| text.contains("CONFIG_NETFILTER_NETLINK")));
        assert_eq!(failed("bind", libc::ENOMEM), None);
        for (call, errno, version) in [
            ("setsockopt", libc::ENOPROTOOPT, "4.2 "),
            (RTM_GETNSID, libc::EOPNOTSUPP, "4.2 "),
            ("ioctl", libc::ENOTTY, "4.10 "),
            ("recvfrom", libc::ENOSYS, "2.6.33 "),
        ] {
            let text = failed(call, errno).unwrap_or_default();
            assert!(text.contains(&format!("Linux {version}")), "{text}");
        }
    }
}
