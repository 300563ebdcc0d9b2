//! What an event says of which attributes, and how that is put into what is kept.
#![forbid(unsafe_code)]

use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::sets::{DCCP, SCTP, SEQ_ORIG, SEQ_REPLY, SYNPROXY, TCP};
use crate::conntrack::wire::Change;

/// What every event tells that is not an end, even if only by leaving it out: then there is none.
pub(super) const ALWAYS: Presence =
    Presence::of(&[Attr::Mark, Attr::HelperName, Attr::HelperInfo, Attr::Secmark, Attr::Secctx]);

/// What one tells so that a request has caused.
pub(super) const BY_REQUEST: Presence = Presence::of(&[Attr::Connlabels])
    .with(TCP)
    .with(SCTP)
    .with(DCCP)
    .with(SEQ_ORIG)
    .with(SEQ_REPLY)
    .with(SYNPROXY);

/// What no event tells before the flow has ended.
pub(super) const COUNTED: Presence = Presence::of(&[
    Attr::TimestampStart,
    Attr::OrigCounterPackets,
    Attr::OrigCounterBytes,
    Attr::ReplCounterPackets,
    Attr::ReplCounterBytes,
    Attr::Use,
]);

/// What packets change without an event.
const VOLATILE: Presence = Presence::of(&[
    Attr::Timeout,
    Attr::TimestampStop,
    Attr::TimestampEvent,
    Attr::TcpFlagsOrig,
    Attr::TcpFlagsRepl,
    Attr::TcpMaskOrig,
    Attr::TcpMaskRepl,
])
.with(COUNTED);

/// All that a message can tell.
pub(super) const ALL: Presence = Presence::all();

/// What an event tells of.
pub(super) fn told(change: Change, by_request: bool, ct: &Conntrack) -> Presence {
    let present = ct.flat.present;
    match change {
        Change::New => ALL.without(COUNTED),
        Change::Update if by_request => present.with(ALWAYS).with(BY_REQUEST),
        Change::Update => present.with(ALWAYS),
        Change::Destroy => present.with(Presence::of(&[Attr::Mark])),
    }
}

/// Whether two states of a flow differ in more than what packets change without an event.
pub(super) fn differ(a: &Conntrack, b: &Conntrack) -> bool {
    let [of_a, of_b] = [a, b].map(|ct| ct.flat.present.without(VOLATILE));
    // An absent mark is 0, as an absent zone is; others are not there.
    let zero = Presence::of(&[Attr::Mark]);
    let mark = |ct: &Conntrack| if ct.has(Attr::Mark) { ct.flat.mark } else { 0 };
    of_a.without(zero) != of_b.without(zero)
        || mark(a) != mark(b)
        || labels(a) != labels(b)
        || of_a.without(zero).iter().any(|attr| a.get(attr) != b.get(attr))
}

fn labels(ct: &Conntrack) -> Option<&[u32]> {
    ct.labels().map(Bitmask::words)
}
