//! The causes of refusals, in the order in which they are looked for.
#![forbid(unsafe_code)]

use super::RequestKind::{
    self, BindLogFamily, BindLogGroup, ChangeLogGroup, Create, CreateExpectation, Delete,
    DeleteExpectation, Flush, Get, GetExpectation, List, UnbindLogGroup, Update,
};
use super::blame::{self, Blame, NOTHING};
use super::fact::Look;
use super::signs::Sign::{
    Any, Bits, Has, Is, Known, Lacks, LacksBits, Part, PartOfState, State, Without,
};
use super::signs::{self, Sign};
use crate::uapi::{cta, ips};

/// What shows it, what is to blame, and the cause in words.
pub(super) type Cause = (Sign, Option<Blame>, &'static str);

/// Requests (none: all), `errno`, what is looked up, causes. The first cause that shows counts.
pub(super) type Refusal = (&'static [RequestKind], i32, Look, &'static [Cause]);

/// Requests that make a flow what it is.
const CHANGE: &[RequestKind] = &[Create, Update];
/// Requests that name a flow that is there.
const NAME: &[RequestKind] = &[Get, Update, Delete];
/// Requests about one flow.
const ONE: &[RequestKind] = &[Create, Update, Get, Delete];
/// Requests about a group of logged packets.
const LOG_GROUP: &[RequestKind] = &[BindLogGroup, ChangeLogGroup, UnbindLogGroup];
/// Requests with settings of one.
const LOG_SETTINGS: &[RequestKind] = &[BindLogGroup, ChangeLogGroup];
/// Requests about many.
const MANY: &[RequestKind] = &[List, Flush];

pub(super) const REFUSALS: &[Refusal] = &[
    (&[Update], libc::EPERM, Look::Nowhere, FIXED_TIMEOUT),
    (LOG_GROUP, libc::EPERM, Look::LogGroup, ANOTHERS_GROUP),
    (&[BindLogGroup], libc::EBUSY, Look::Nowhere, OWN_GROUP),
    (LOG_GROUP, libc::ENODEV, Look::Nowhere, NO_GROUP),
    (LOG_SETTINGS, libc::EOPNOTSUPP, Look::Nowhere, NO_CONNTRACK_DATA),
    (LOG_GROUP, libc::EINVAL, Look::Nowhere, &[(Any, NOTHING, NO_LOG)]),
    (&[BindLogFamily], libc::EINVAL, Look::Nowhere, NO_LOGGER),
    (&[], libc::EPERM, Look::PrivilegeForSocket, &[(Any, NOTHING, PRIVILEGE)]),
    (ONE, libc::EINVAL, Look::Nowhere, INVALID_TUPLE),
    (&[Create], libc::EINVAL, Look::Nowhere, INCOMPLETE_FLOW),
    (CHANGE, libc::EINVAL, Look::Nowhere, INCOMPLETE_ATTRIBUTE),
    (&[Create], libc::EINVAL, Look::Kernel, INVALID_FLOW),
    (CHANGE, libc::ERANGE, Look::Nowhere, OUT_OF_RANGE),
    (ONE, libc::EOPNOTSUPP, Look::Nowhere, FOREIGN_FAMILY),
    (&[Create], libc::EEXIST, Look::Nowhere, FLOW_EXISTS),
    (&[Create], libc::EOPNOTSUPP, Look::Nowhere, CANNOT_CREATE),
    (&[Create], libc::ENOENT, Look::Nowhere, NO_MASTER),
    (&[Create], libc::EBUSY, Look::Nowhere, STATUS_OF_NEW),
    (&[Create], libc::ENOMEM, Look::Table, TABLE_FULL),
    (&[Update], libc::EBUSY, Look::Nowhere, CANNOT_CHANGE),
    (&[Update], libc::EOPNOTSUPP, Look::Nowhere, STAYS),
    (&[Update], libc::ENOSPC, Look::Nowhere, NO_LABELS),
    (NAME, libc::ENOENT, Look::Nowhere, NO_FLOW),
    (&[CreateExpectation], libc::EINVAL, Look::Kernel, INVALID_EXPECTATION),
    (&[CreateExpectation], libc::ENOENT, Look::Nowhere, EXPECTATION_NO_MASTER),
    (&[CreateExpectation], libc::EOPNOTSUPP, Look::Nowhere, EXPECTATION_NO_HELPER),
    (&[CreateExpectation], libc::EEXIST, Look::Nowhere, EXPECTATION_EXISTS),
    (&[CreateExpectation], libc::EBUSY, Look::Nowhere, EXPECTATION_CLASHES),
    (&[CreateExpectation], libc::EMFILE, Look::Expectations, EXPECTATIONS_FULL),
    (&[GetExpectation, DeleteExpectation], libc::ENOENT, Look::Nowhere, NO_EXPECTATION),
    (&[List], libc::EBUSY, Look::Holder, ANOTHER_LIST),
    (MANY, libc::EOPNOTSUPP, Look::Nowhere, NO_MARKS),
    (&[RequestKind::Statistics], libc::EINVAL, Look::Nowhere, NO_STATISTICS),
    (MANY, libc::EINVAL, Look::Nowhere, INVALID_FILTER),
    (MANY, libc::EINVAL, Look::Kernel, &[(Any, NOTHING, FILTER_OR_KERNEL)]),
    (&[], libc::EINVAL, Look::Kernel, &[(Any, NOTHING, INVALID_OR_KERNEL)]),
];

pub(super) const PRIVILEGE: &str =
    "CAP_NET_ADMIN is needed in the user namespace that owns the network namespace";

const FIXED_TIMEOUT: &[Cause] = &[
    (
        Is(signs::privileged_timeout),
        blame::TIMEOUT,
        "the flow has a fixed timeout, which cannot be changed",
    ),
    (
        Is(signs::timeout_of_unknown),
        NOTHING,
        "CAP_NET_ADMIN is needed in the user namespace that owns the network namespace; or the \
         flow has a fixed timeout, which cannot be changed",
    ),
];

const ANOTHERS_GROUP: &[Cause] =
    &[(Is(signs::privileged), NOTHING, "another socket has bound this group")];

const OWN_GROUP: &[Cause] = &[(Any, NOTHING, "this socket has bound the group already")];

const NO_GROUP: &[Cause] = &[(Any, NOTHING, "no socket has bound this group")];

const NO_CONNTRACK_DATA: &[Cause] = &[(
    Is(signs::log_conntrack),
    blame::LOG_FLAGS,
    "this kernel tells nothing of connection tracking with packets: it was built without \
     CONFIG_NETFILTER_NETLINK_GLUE_CT, or nf_conntrack_netlink is not loaded",
)];

const NO_LOG: &str = "this kernel has no CONFIG_NETFILTER_NETLINK_LOG";

const NO_LOGGER: &[Cause] = &[(
    Any,
    NOTHING,
    "the kernel logs nothing of this address family, or has no CONFIG_NETFILTER_NETLINK_LOG",
)];

const INVALID_TUPLE: &[Cause] = &[
    (
        Is(signs::zone_twice),
        blame::ZONE,
        "a zone is given twice: it is that of both directions, or of one",
    ),
    (
        Is(signs::no_query),
        blame::ICMP_TYPE,
        "the ICMP type is no query or its reply: only those of echo, timestamp, information and \
         address mask, of ICMPv6 those of echo and node information, are flows",
    ),
    (Is(signs::no_tuple), blame::ORIGINAL, "the request names no flow: it has no tuple"),
    (Is(signs::original_of_another_family), blame::ORIGINAL, "the original tuple lacks addresses"),
    (
        Is(signs::reply_of_another_family),
        blame::REPLY,
        "the reply tuple lacks addresses of the family of the original one",
    ),
];

const INCOMPLETE_FLOW: &[Cause] = &[
    (Lacks(cta::TUPLE_ORIG), blame::ORIGINAL, "the flow has no original tuple"),
    (Lacks(cta::TUPLE_REPLY), blame::REPLY, "the flow has no reply tuple"),
    (
        Is(signs::protocols_differ),
        blame::REPLY_PROTOCOL,
        "the reply tuple has another protocol than the original one",
    ),
    (Lacks(cta::TIMEOUT), blame::TIMEOUT, "the flow has no timeout"),
    (
        Is(signs::master_of_another_family),
        blame::MASTER,
        "the master lacks addresses of the family of the flow",
    ),
];

const SEQUENCE: &str =
    "the sequence adjustment is incomplete: it is a position and the offsets before and after it";

const INCOMPLETE_ATTRIBUTE: &[Cause] = &[
    (
        PartOfState(cta::PROTOINFO_SCTP, cta::SCTP_VTAG_REPLY),
        blame::SCTP_STATE,
        "the SCTP state is incomplete: it is the state and both verification tags",
    ),
    (
        PartOfState(cta::PROTOINFO_DCCP, cta::DCCP_ROLE),
        blame::DCCP_STATE,
        "the DCCP state is incomplete: it is the state and the role",
    ),
    (Part(cta::SEQ_ADJ_ORIG, cta::SEQADJ_OFFSET_AFTER), blame::SEQ_ORIGINAL, SEQUENCE),
    (Part(cta::SEQ_ADJ_REPLY, cta::SEQADJ_OFFSET_AFTER), blame::SEQ_REPLY, SEQUENCE),
    (
        Part(cta::SYNPROXY, cta::SYNPROXY_TSOFF),
        blame::SYNPROXY,
        "the synproxy state is incomplete: it is three numbers",
    ),
    (Part(cta::HELP, cta::HELP_NAME), blame::HELPER, "the helper has no name"),
    (
        Is(signs::odd_labels),
        blame::LABELS,
        "labels are whole words of 4 bytes, and their mask has the same size",
    ),
];

const INVALID_FLOW: &[Cause] = &[(
    Any,
    NOTHING,
    "something is missing or does not go together: a timeout, the reply tuple, an ICMP type that \
     begins a flow, one zone, whole TCP, SCTP, sequence or synproxy state; or the kernel was built \
     without CONFIG_NF_CT_NETLINK",
)];

const OUT_OF_RANGE: &[Cause] = &[
    (State(cta::PROTOINFO_TCP), blame::TCP_STATE, "the TCP state is none that the kernel has"),
    (State(cta::PROTOINFO_SCTP), blame::SCTP_STATE, "the SCTP state is none that the kernel has"),
];

const FOREIGN_FAMILY: &[Cause] = &[(
    Is(signs::foreign_family),
    blame::ORIGINAL,
    "the address family is neither AF_INET nor AF_INET6",
)];

const FLOW_EXISTS: &[Cause] = &[
    (Has(cta::NAT_SRC), NOTHING, EXISTS_BY_NAT),
    (Has(cta::NAT_DST), NOTHING, EXISTS_BY_NAT),
    (Any, NOTHING, "the tuple, or the reply tuple, belongs to another flow"),
];

const EXISTS_BY_NAT: &str = "the tuple, or the reply tuple that NAT makes, belongs to another flow";

const NO_NAT: &str = "the kernel has no NAT: it was built without, or its module is not loaded";

const CANNOT_CREATE: &[Cause] = &[
    (
        Is(signs::helper_loaded),
        blame::HELPER,
        "the kernel has this helper, but for another protocol or address family",
    ),
    (
        Is(signs::helper_missing),
        blame::HELPER,
        "the kernel has no helper of this name: its module is not loaded, or the name is wrong",
    ),
    (Has(cta::HELP), blame::HELPER, "the helper is not loaded or is one of another protocol"),
    (Has(cta::NAT_SRC), blame::SOURCE_NAT, NO_NAT),
    (Has(cta::NAT_DST), blame::DESTINATION_NAT, NO_NAT),
    (
        Any,
        NOTHING,
        "the helper is not loaded or is one of another protocol, or the kernel has no NAT",
    ),
];

const NO_MASTER: &[Cause] = &[(
    Has(cta::TUPLE_MASTER),
    blame::MASTER,
    "the master is no flow of the table, or is in another zone",
)];

const STATUS_OF_NEW: &[Cause] = &[(
    Bits(ips::EXPECTED | ips::DYING),
    blame::STATUS,
    "EXPECTED and DYING are status bits that only the kernel sets",
)];

const TABLE_FULL: &[Cause] = &[
    (Is(signs::table_not_full), NOTHING, "the kernel has no memory: the table is not full"),
    (Any, NOTHING, "the table is full: see net.netfilter.nf_conntrack_max"),
];

const CANNOT_CHANGE: &[Cause] = &[
    (
        Bits(ips::DYING),
        blame::STATUS,
        "DYING is a status bit that only the kernel sets: delete the flow instead",
    ),
    (
        LacksBits(ips::CONFIRMED),
        blame::STATUS,
        "CONFIRMED is a status bit that cannot be cleared: delete the flow instead",
    ),
    (Bits(ips::EXPECTED), blame::STATUS, "EXPECTED is a status bit that only the kernel sets"),
    (
        LacksBits(ips::SEEN_REPLY),
        blame::STATUS,
        "a status bit cannot be cleared: the flow has SEEN_REPLY, ASSURED or EXPECTED, and the \
         status of the request lacks it",
    ),
    (
        LacksBits(ips::ASSURED),
        blame::STATUS,
        "a status bit cannot be cleared: the flow has ASSURED or EXPECTED, and the status of the \
         request lacks it",
    ),
    (
        Has(cta::HELP),
        blame::HELPER,
        "the flow has another helper, or a master's helper expected it: a helper can be removed, \
         but not be replaced",
    ),
    (Any, NOTHING, "this status cannot be changed, or the flow has another helper"),
];

const NAT_STAYS: &str = "the NAT of a flow cannot be changed: it is given at its creation";

const STAYS: &[Cause] = &[
    (Has(cta::NAT_SRC), blame::SOURCE_NAT, NAT_STAYS),
    (Has(cta::NAT_DST), blame::DESTINATION_NAT, NAT_STAYS),
    (
        Has(cta::TUPLE_MASTER),
        blame::MASTER,
        "the master of a flow cannot be changed: it is given at its creation",
    ),
    (
        Has(cta::HELP),
        blame::HELPER,
        "the flow was created without a helper, and can get none later",
    ),
    (
        Any,
        NOTHING,
        "NAT and the master of a flow cannot be changed, nor the helper of one created without",
    ),
];

const NO_LABELS: &[Cause] = &[(
    Any,
    blame::LABELS,
    "the flow has no room for labels: no rule of this namespace used labels when it began",
)];

const NO_FLOW: &[Cause] = &[
    (
        Has(cta::ID),
        blame::ID,
        "no such flow, or another took its place: none has both this tuple and this id",
    ),
    (Is(signs::zone), blame::ZONE, "no such flow: none has this tuple in this zone"),
    (Known, NOTHING, "no such flow: none has this tuple, unless in another zone than 0"),
    (
        Any,
        NOTHING,
        "no such flow, or another took its place (its id differs), or it is in another zone",
    ),
];

const INVALID_EXPECTATION: &[Cause] = &[
    (Lacks(cta::EXPECT_TUPLE), blame::EXPECT_TUPLE, "the expectation has no expected tuple"),
    (Lacks(cta::EXPECT_MASK), blame::EXPECT_MASK, "the expectation has no mask"),
    (Lacks(cta::EXPECT_MASTER), blame::EXPECT_MASTER, "the expectation has no master"),
    (
        Without(cta::EXPECT_FN, cta::EXPECT_CLASS),
        blame::EXPECT_FN,
        "the kernel has no function of this name",
    ),
    (
        Without(cta::EXPECT_CLASS, cta::EXPECT_FN),
        blame::EXPECT_CLASS,
        "the class is above the highest of the helper",
    ),
    (
        Any,
        NOTHING,
        "the class is above the highest of the helper, or the kernel has no function of this name; \
         or it was built without CONFIG_NF_CT_NETLINK",
    ),
];

const EXPECTATION_NO_MASTER: &[Cause] =
    &[(Any, blame::EXPECT_MASTER, "no flow has the master's tuple, or not in this zone")];

const EXPECTATION_NO_HELPER: &[Cause] =
    &[(Any, blame::EXPECT_MASTER, "the master has no helper, or the kernel has no NAT")];

const EXPECTATION_EXISTS: &[Cause] =
    &[(Any, NOTHING, "there is an expectation of such flows already")];

const EXPECTATION_CLASHES: &[Cause] =
    &[(Any, NOTHING, "another expectation is met by some of the same flows")];

const EXPECTATIONS_FULL: &[Cause] =
    &[(Any, NOTHING, "the table is full: see net.netfilter.nf_conntrack_expect_max")];

const NO_EXPECTATION: &[Cause] = &[(
    Any,
    NOTHING,
    "no such expectation, or another took its place (its id differs), or it is in another zone",
)];

const ANOTHER_LIST: &[Cause] = &[(Any, NOTHING, "another list is being read from this socket")];

const NO_STATISTICS: &[Cause] = &[(
    Any,
    NOTHING,
    "Linux 3.6 is needed for statistics, and a kernel built with CONFIG_NF_CT_NETLINK",
)];

const NO_MARKS: &[Cause] = &[(Has(cta::MARK), blame::MARK, "this kernel keeps no marks of flows")];

const INVALID_FILTER: &[Cause] = &[
    (
        Is(signs::of_the_dying),
        NOTHING,
        "Linux 3.8 is needed to list flows that have ended, and a kernel built with \
         CONFIG_NF_CT_NETLINK",
    ),
    (
        Without(cta::MARK_MASK, cta::MARK),
        blame::MARK,
        "the filter has a mask of the mark, but no mark",
    ),
    (
        Without(cta::STATUS_MASK, cta::STATUS),
        blame::STATUS,
        "the filter has a mask of the status, but no status",
    ),
    (
        Is(signs::no_status_bits),
        blame::STATUS,
        "the filter looks at the status, but at none of its bits",
    ),
    (
        Is(signs::filter_without_protocol),
        blame::FILTER,
        "the filter has ports, or parts of ICMP, but no protocol",
    ),
    (Has(cta::FILTER), blame::FILTER, "the filter looks at parts of a tuple that it does not have"),
];

const FILTER_OR_KERNEL: &str =
    "the filter is incomplete, or the kernel was built without CONFIG_NF_CT_NETLINK";
const INVALID_OR_KERNEL: &str =
    "the request is invalid, or the kernel was built without CONFIG_NF_CT_NETLINK";
