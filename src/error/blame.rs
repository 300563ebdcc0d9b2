//! The attribute that a refusal is about.
#![forbid(unsafe_code)]

use super::RequestKind;
use super::companions;
use crate::conntrack::error::Error;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::expectation::ExpectAttr;
use crate::invalid::Invalid;
use crate::uapi::{cta, nful};

/// An attribute, or part of one, that is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blame {
    /// Its number in C, of `enum nf_conntrack_attr` or of `enum nf_expect_attr`, as the request is
    /// about flows or expectations. Of a tuple, the first that a program sets.
    pub number: Option<u32>,
    /// What it is called in a sentence.
    pub name: &'static str,
}

const fn flow(attr: Attr, name: &'static str) -> Option<Blame> {
    Some(Blame { number: Some(attr as u32), name })
}

const fn expectation(attr: ExpectAttr, name: &'static str) -> Option<Blame> {
    Some(Blame { number: Some(attr as u32), name })
}

const fn unnumbered(name: &'static str) -> Option<Blame> {
    Some(Blame { number: None, name })
}

/// Nothing in particular.
pub(super) const NOTHING: Option<Blame> = None;
pub(super) const ORIGINAL: Option<Blame> = flow(Attr::OrigL3Proto, "original tuple");
pub(super) const REPLY: Option<Blame> = flow(Attr::ReplL3Proto, "reply tuple");
pub(super) const REPLY_PROTOCOL: Option<Blame> =
    flow(Attr::ReplL4Proto, "protocol of the reply tuple");
pub(super) const ICMP_TYPE: Option<Blame> = flow(Attr::IcmpType, "ICMP type");
pub(super) const STATUS: Option<Blame> = flow(Attr::Status, "status");
pub(super) const TCP_STATE: Option<Blame> = flow(Attr::TcpState, "TCP state");
pub(super) const SCTP_STATE: Option<Blame> = flow(Attr::SctpState, "SCTP state");
pub(super) const DCCP_STATE: Option<Blame> = flow(Attr::DccpState, "DCCP state");
pub(super) const HELPER: Option<Blame> = flow(Attr::HelperName, "helper");
pub(super) const SOURCE_NAT: Option<Blame> = flow(Attr::SnatIpv4, "source NAT");
pub(super) const DESTINATION_NAT: Option<Blame> = flow(Attr::DnatIpv4, "destination NAT");
pub(super) const TIMEOUT: Option<Blame> = flow(Attr::Timeout, "timeout");
pub(super) const MARK: Option<Blame> = flow(Attr::Mark, "mark");
pub(super) const MASTER: Option<Blame> = flow(Attr::MasterL3Proto, "master");
pub(super) const ZONE: Option<Blame> = flow(Attr::Zone, "zone");
pub(super) const ID: Option<Blame> = flow(Attr::Id, "id");
pub(super) const LABELS: Option<Blame> = flow(Attr::Connlabels, "labels");
pub(super) const LABELS_MASK: Option<Blame> = flow(Attr::ConnlabelsMask, "mask of the labels");
pub(super) const SEQ_ORIGINAL: Option<Blame> =
    flow(Attr::OrigNatSeqCorrectionPos, "sequence adjustment");
pub(super) const SEQ_REPLY: Option<Blame> =
    flow(Attr::ReplNatSeqCorrectionPos, "sequence adjustment of the reply");
pub(super) const SYNPROXY: Option<Blame> = flow(Attr::SynproxyIsn, "synproxy state");
pub(super) const LOG_FLAGS: Option<Blame> = unnumbered("flags");
pub(super) const FILTER: Option<Blame> = unnumbered("filter of tuples");

pub(super) const EXPECT_CLASS: Option<Blame> = expectation(ExpectAttr::Class, "class");
pub(super) const EXPECT_FN: Option<Blame> = expectation(ExpectAttr::Function, "function");
pub(super) const EXPECT_MASTER: Option<Blame> = expectation(ExpectAttr::Master, "master");
pub(super) const EXPECT_TUPLE: Option<Blame> = expectation(ExpectAttr::Expected, "expected tuple");
pub(super) const EXPECT_MASK: Option<Blame> = expectation(ExpectAttr::Mask, "mask");
pub(super) const EXPECT_FLAGS: Option<Blame> = expectation(ExpectAttr::Flags, "flags");

/// The kernel's attributes of flows.
const OF_FLOWS: &[(u16, Option<Blame>)] = &[
    (cta::TUPLE_ORIG, ORIGINAL),
    (cta::TUPLE_REPLY, REPLY),
    (cta::STATUS, STATUS),
    (cta::PROTOINFO, unnumbered("state of the protocol")),
    (cta::HELP, HELPER),
    (cta::NAT_SRC, SOURCE_NAT),
    (cta::TIMEOUT, TIMEOUT),
    (cta::MARK, MARK),
    (cta::USE, flow(Attr::Use, "count of references")),
    (cta::ID, ID),
    (cta::NAT_DST, DESTINATION_NAT),
    (cta::TUPLE_MASTER, MASTER),
    (cta::SEQ_ADJ_ORIG, SEQ_ORIGINAL),
    (cta::SEQ_ADJ_REPLY, SEQ_REPLY),
    (cta::SECMARK, flow(Attr::Secmark, "security mark")),
    (cta::ZONE, ZONE),
    (cta::SECCTX, flow(Attr::Secctx, "security context")),
    (cta::TIMESTAMP, flow(Attr::TimestampStart, "times")),
    (cta::MARK_MASK, flow(Attr::Mark, "mask of the mark")),
    (cta::LABELS, LABELS),
    (cta::LABELS_MASK, LABELS_MASK),
    (cta::SYNPROXY, SYNPROXY),
    (cta::FILTER, FILTER),
    (cta::STATUS_MASK, flow(Attr::Status, "mask of the status")),
    (cta::TIMESTAMP_EVENT, flow(Attr::TimestampEvent, "time of the event")),
];

/// The kernel's attributes of expectations.
const OF_EXPECTATIONS: &[(u16, Option<Blame>)] = &[
    (cta::EXPECT_MASTER, EXPECT_MASTER),
    (cta::EXPECT_TUPLE, EXPECT_TUPLE),
    (cta::EXPECT_MASK, EXPECT_MASK),
    (cta::EXPECT_TIMEOUT, expectation(ExpectAttr::Timeout, "timeout")),
    (cta::EXPECT_ID, unnumbered("id")),
    (cta::EXPECT_HELP_NAME, expectation(ExpectAttr::HelperName, "helper")),
    (cta::EXPECT_ZONE, expectation(ExpectAttr::Zone, "zone")),
    (cta::EXPECT_FLAGS, EXPECT_FLAGS),
    (cta::EXPECT_CLASS, EXPECT_CLASS),
    (cta::EXPECT_NAT, expectation(ExpectAttr::NatTuple, "NAT")),
    (cta::EXPECT_FN, EXPECT_FN),
];

/// The kernel's attributes of the settings of a group of logged packets.
const OF_LOG_GROUPS: &[(u16, Option<Blame>)] = &[
    (nful::CFG_MODE, unnumbered("copy mode")),
    (nful::CFG_NLBUFSIZ, unnumbered("buffer")),
    (nful::CFG_TIMEOUT, unnumbered("timeout")),
    (nful::CFG_QTHRESH, unnumbered("threshold")),
    (nful::CFG_FLAGS, LOG_FLAGS),
];

/// What is wrong with a request before the kernel sees it.
pub(super) fn of_invalid(invalid: Invalid) -> Option<Blame> {
    match invalid {
        Invalid::IcmpQuery => ICMP_TYPE,
        Invalid::Name => HELPER,
        Invalid::Label => LABELS,
        Invalid::NoTuple => ORIGINAL,
        _ => NOTHING,
    }
}

/// What is wrong with an object before a request is made of it.
pub(super) fn of_object(error: Error) -> Option<Blame> {
    match error {
        Error::NoFamily | Error::BadFamily(_) => ORIGINAL,
        Error::LabelsTooLong(_) => LABELS,
        _ => NOTHING,
    }
}

/// What the kernel's number of an attribute stands for in a request.
pub(super) fn of_kernel(request: Option<RequestKind>, kind: u16) -> Option<Blame> {
    let table = match request {
        Some(request) if request.is_of_log() => OF_LOG_GROUPS,
        Some(request) if request.is_of_expectations() => OF_EXPECTATIONS,
        Some(request) if request.is_of_timeouts() => companions::OF_TIMEOUTS,
        Some(request) if request.is_of_helpers() => companions::OF_HELPERS,
        _ => OF_FLOWS,
    };
    table.iter().find(|row| row.0 == kind).and_then(|row| row.1)
}
