//! The causes of refusals of timeout policies and user-space helpers, and the attributes to blame.
#![forbid(unsafe_code)]

use super::RequestKind::{
    self, CreateHelper, CreateTimeoutPolicy, DeleteHelper, DeleteTimeoutPolicy, FlushHelpers,
    FlushTimeoutPolicies, GetDefaultTimeouts, GetHelper, GetTimeoutPolicy, ListHelpers,
    ListTimeoutPolicies, ReplaceTimeoutPolicy, SetDefaultTimeouts,
};
use super::blame::{Blame, NOTHING};
use super::fact::Look;
use super::refusals::{Cause, Refusal};
use super::signs::Sign::Any;
use crate::uapi::{helper, timeout};

const fn numbered(number: u32, name: &'static str) -> Option<Blame> {
    Some(Blame { number: Some(number), name })
}

const NAME: Option<Blame> = numbered(0, "name");
const PROTOCOL: Option<Blame> = numbered(2, "protocol");

/// The kernel's attributes of timeout policies, with the numbers of `enum nfct_timeout_attr`.
pub(super) const OF_TIMEOUTS: &[(u16, Option<Blame>)] = &[
    (timeout::NAME, NAME),
    (timeout::L3PROTO, numbered(1, "family")),
    (timeout::L4PROTO, PROTOCOL),
    (timeout::DATA, numbered(3, "timeouts")),
];

/// The kernel's attributes of helpers, with the numbers of `enum nfct_helper_attr_type`.
pub(super) const OF_HELPERS: &[(u16, Option<Blame>)] = &[
    (helper::NAME, NAME),
    (helper::TUPLE, numbered(2, "protocols")),
    (helper::QUEUE_NUM, numbered(1, "queue")),
    (helper::POLICY, numbered(5, "policies")),
    (helper::PRIV_DATA_LEN, numbered(4, "length of private data")),
    (helper::STATUS, numbered(9, "status")),
];

impl RequestKind {
    /// Whether it is about timeout policies or defaults.
    pub(super) fn is_of_timeouts(self) -> bool {
        OF_ANY_TIMEOUT.contains(&self)
    }

    /// Whether it is about helpers.
    pub(super) fn is_of_helpers(self) -> bool {
        OF_ANY_HELPER.contains(&self)
    }
}

const OF_ANY_TIMEOUT: &[RequestKind] = &[
    CreateTimeoutPolicy,
    ReplaceTimeoutPolicy,
    GetTimeoutPolicy,
    DeleteTimeoutPolicy,
    FlushTimeoutPolicies,
    ListTimeoutPolicies,
    GetDefaultTimeouts,
    SetDefaultTimeouts,
];
const OF_ANY_HELPER: &[RequestKind] =
    &[CreateHelper, GetHelper, DeleteHelper, FlushHelpers, ListHelpers];
/// Requests that name a protocol.
const PROTOCOLS: &[RequestKind] =
    &[CreateTimeoutPolicy, ReplaceTimeoutPolicy, GetDefaultTimeouts, SetDefaultTimeouts];

pub(super) const REFUSALS: &[Refusal] = &[
    (&[CreateTimeoutPolicy], libc::EEXIST, Look::Nowhere, POLICY_EXISTS),
    (&[ReplaceTimeoutPolicy], libc::EINVAL, Look::Nowhere, OTHER_POLICY),
    (PROTOCOLS, libc::EOPNOTSUPP, Look::Nowhere, NO_TRACKER),
    (&[GetTimeoutPolicy, DeleteTimeoutPolicy], libc::ENOENT, Look::Nowhere, NO_POLICY),
    (&[DeleteTimeoutPolicy], libc::EBUSY, Look::Nowhere, POLICY_IN_USE),
    (OF_ANY_TIMEOUT, libc::EINVAL, Look::Nowhere, NO_TIMEOUTS),
    (OF_ANY_HELPER, libc::EPERM, Look::Nowhere, FIRST_NAMESPACE),
    (OF_ANY_HELPER, libc::EINVAL, Look::Nowhere, NO_HELPERS),
    (&[CreateHelper], libc::EEXIST, Look::Nowhere, HELPER_EXISTS),
    (&[CreateHelper], libc::EBUSY, Look::Nowhere, OTHER_HELPER),
    (&[DeleteHelper, FlushHelpers], libc::EBUSY, Look::Nowhere, HELPER_IN_USE),
    (&[GetHelper, DeleteHelper], libc::ENOENT, Look::Nowhere, NO_HELPER),
];

const POLICY_EXISTS: &[Cause] = &[(Any, NAME, "there is a policy of this name already")];

const OTHER_POLICY: &[Cause] = &[(
    Any,
    PROTOCOL,
    "the policy of this name has another family or protocol; or the kernel was built without \
     CONFIG_NF_CT_NETLINK_TIMEOUT",
)];

const NO_TRACKER: &[Cause] = &[(
    Any,
    PROTOCOL,
    "this kernel keeps no timeouts of the protocol: those of all it does not track are generic, number \
     255 (it has none of DCCP since Linux 6.17)",
)];

const NO_POLICY: &[Cause] = &[(
    Any,
    NAME,
    "there is no policy of this name in this network namespace; timeouts of nftables are none",
)];

const POLICY_IN_USE: &[Cause] = &[(Any, NAME, "a rule uses the policy: delete the rule first")];

const NO_TIMEOUTS: &[Cause] = &[(
    Any,
    NOTHING,
    "the kernel has no timeout policies: the module nfnetlink_cttimeout is missing, or it was built \
     without CONFIG_NF_CT_NETLINK_TIMEOUT",
)];

const FIRST_NAMESPACE: &[Cause] = &[(
    Any,
    NOTHING,
    "CAP_NET_ADMIN is needed in the first user namespace, whatever namespace this is",
)];

const NO_HELPERS: &[Cause] = &[(
    Any,
    NOTHING,
    "the kernel has no helpers in user space: it was built without CONFIG_NF_CT_NETLINK_HELPER, which \
     needs CONFIG_NETFILTER_NETLINK_GLUE_CT, or the module nfnetlink_cthelper is missing; or a part of \
     the helper is",
)];

const HELPER_EXISTS: &[Cause] =
    &[(Any, NAME, "there is a helper of this name, family and protocol already")];

const OTHER_HELPER: &[Cause] = &[(
    Any,
    NOTHING,
    "the helper of this name has another length of private data, or other policies, which cannot be \
     changed",
)];

const HELPER_IN_USE: &[Cause] = &[(Any, NAME, "a rule or a flow uses the helper")];

const NO_HELPER: &[Cause] = &[(Any, NAME, "there is no helper of this name, family and protocol")];

#[cfg(test)]
mod tests {
    use super::super::advice;
    use super::*;

    fn says(request: RequestKind, errno: i32, words: &str) {
        let found = advice::refused(Some(request), errno, None);
        let cause = found.map(|(cause, _)| cause.2).unwrap_or_default();
        assert!(cause.contains(words), "{request:?} {errno}: {cause}");
    }

    #[test]
    fn refusals_of_policies_say_what_is_in_the_way() {
        says(CreateTimeoutPolicy, libc::EEXIST, "already");
        says(ReplaceTimeoutPolicy, libc::EINVAL, "another family or protocol");
        says(DeleteTimeoutPolicy, libc::EBUSY, "a rule uses");
        says(GetTimeoutPolicy, libc::ENOENT, "no policy of this name");
        for request in PROTOCOLS {
            says(*request, libc::EOPNOTSUPP, "generic");
        }
        for request in OF_ANY_TIMEOUT {
            says(*request, libc::EINVAL, "CONFIG_NF_CT_NETLINK_TIMEOUT");
            says(*request, libc::EPERM, "that owns the network namespace");
        }
    }

    #[test]
    fn refusals_of_helpers_name_the_option_of_the_kernel() {
        for request in OF_ANY_HELPER {
            says(*request, libc::EINVAL, "CONFIG_NF_CT_NETLINK_HELPER");
            says(*request, libc::EPERM, "first user namespace");
        }
        says(DeleteHelper, libc::EBUSY, "uses the helper");
        says(CreateHelper, libc::EBUSY, "private data");
    }
}
