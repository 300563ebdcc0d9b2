//! The members of an entry's object: where each attribute stands, and what it is written as.
#![forbid(unsafe_code)]

use super::usual;
use super::words::{self, Words};
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::Flat;
use crate::conntrack::object::tuple::{MASTER, ORIG, REPLY, TupleAttrs};
use crate::text::json::{JsonWriter, Word};

/// What a member is.
pub(super) enum Shape {
    /// A number of as many bits as the attribute has.
    Number(Attr),
    /// A number in network order.
    Port(Attr),
    /// A number by its name.
    Name(Attr, &'static Words),
    /// A set of bits by their names.
    Bits(Attr, &'static Words),
    /// Nanoseconds since 1970, as seconds and nanoseconds.
    Time(Attr),
    /// The helper's name, the security context, or the helper's data.
    Bytes(Attr),
    /// Labels, or those that an update changes.
    Labels(Attr),
    /// An address, of IPv4 or of IPv6.
    Address([Attr; 2]),
    /// One direction of a flow.
    Tuple(&'static TupleAttrs),
    /// What belongs together.
    Object(&'static [Member]),
    /// As `Object`, of numbers that are written in few pieces where all are there.
    Usual(&'static [Member], Usually),
}

/// Writes an object whose members are all there, and says whether they are.
type Usually = fn(&mut JsonWriter<'_, '_>, &Flat) -> bool;

/// A member of an object.
pub(super) struct Member {
    pub(super) key: Word,
    pub(super) shape: Shape,
    /// It is there if any of these attributes is.
    pub(super) present: Presence,
}

const fn member(key: &str, shape: Shape) -> Member {
    let present = match &shape {
        Shape::Number(attr)
        | Shape::Port(attr)
        | Shape::Name(attr, _)
        | Shape::Bits(attr, _)
        | Shape::Time(attr)
        | Shape::Bytes(attr)
        | Shape::Labels(attr) => Presence::of(&[*attr]),
        Shape::Address(attrs) => Presence::of(attrs),
        Shape::Tuple(attrs) => attrs.any(),
        Shape::Object(members) | Shape::Usual(members, _) => any(members),
    };
    let key = match &shape {
        Shape::Address(_) => Word::open(key),
        _ => Word::key(key),
    };
    Member { key, shape, present }
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
pub(super) const fn any(members: &[Member]) -> Presence {
    let mut present = Presence::of(&[]);
    let mut at = 0;
    while at < members.len() {
        present = present.with(members[at].present);
        at += 1;
    }
    present
}

/// Shorter names for the table.
mod short {
    use super::{Attr, Member, Shape, Words, member};

    pub(super) const fn number(key: &str, attr: Attr) -> Member {
        member(key, Shape::Number(attr))
    }

    pub(super) const fn name(key: &str, attr: Attr, words: &'static Words) -> Member {
        member(key, Shape::Name(attr, words))
    }

    pub(super) const fn bytes(key: &str, attr: Attr) -> Member {
        member(key, Shape::Bytes(attr))
    }

    pub(super) const fn object(key: &str, members: &'static [Member]) -> Member {
        member(key, Shape::Object(members))
    }
}

use short::{bytes, name, number, object};

/// All of an entry: what most have, and what few do.
pub(super) static FLOW: [Part; 2] = [Part::new(MOST), Part::new(FEW)];

/// Members of an object.
pub(super) struct Part {
    pub(super) members: &'static [Member],
    /// Some are there if any of these attributes is.
    pub(super) present: Presence,
}

impl Part {
    const fn new(members: &'static [Member]) -> Self {
        Self { members, present: any(members) }
    }
}

const MOST: &[Member] = &[
    member("original", Shape::Tuple(&ORIG)),
    member("reply", Shape::Tuple(&REPLY)),
    number("id", Attr::Id),
    member("status", Shape::Bits(Attr::Status, &words::STATUS)),
    number("timeout", Attr::Timeout),
    number("mark", Attr::Mark),
    number("use", Attr::Use),
    member("tcp", Shape::Usual(TCP, usual::tcp)),
    member("counters", Shape::Usual(COUNTERS, usual::counters)),
    member("start", Shape::Time(Attr::TimestampStart)),
];

const FEW: &[Member] = &[
    member("stop", Shape::Time(Attr::TimestampStop)),
    member("event_time", Shape::Time(Attr::TimestampEvent)),
    member("master", Shape::Tuple(&MASTER)),
    number("zone", Attr::Zone),
    member("labels", Shape::Labels(Attr::Connlabels)),
    member("labels_mask", Shape::Labels(Attr::ConnlabelsMask)),
    object("helper", &[bytes("name", Attr::HelperName), bytes("info", Attr::HelperInfo)]),
    object("sctp", SCTP),
    object("dccp", DCCP),
    number("secmark", Attr::Secmark),
    bytes("secctx", Attr::Secctx),
    object("snat", NAT_SOURCE),
    object("dnat", NAT_DESTINATION),
    object("seq_adjust", SEQ_ADJUST),
    object("synproxy", SYNPROXY),
];

const TCP: &[Member] = &[
    name("state", Attr::TcpState, &words::TCP_STATES),
    object(
        "original",
        &[
            number("flags", Attr::TcpFlagsOrig),
            number("flags_mask", Attr::TcpMaskOrig),
            number("window_scale", Attr::TcpWscaleOrig),
        ],
    ),
    object(
        "reply",
        &[
            number("flags", Attr::TcpFlagsRepl),
            number("flags_mask", Attr::TcpMaskRepl),
            number("window_scale", Attr::TcpWscaleRepl),
        ],
    ),
];

const SCTP: &[Member] = &[
    name("state", Attr::SctpState, &words::SCTP_STATES),
    object("original", &[number("tag", Attr::SctpVtagOrig)]),
    object("reply", &[number("tag", Attr::SctpVtagRepl)]),
];

const DCCP: &[Member] = &[
    name("state", Attr::DccpState, &words::DCCP_STATES),
    name("role", Attr::DccpRole, &words::DCCP_ROLES),
    number("handshake_seq", Attr::DccpHandshakeSeq),
];

const COUNTERS: &[Member] = &[
    object(
        "original",
        &[number("packets", Attr::OrigCounterPackets), number("bytes", Attr::OrigCounterBytes)],
    ),
    object(
        "reply",
        &[number("packets", Attr::ReplCounterPackets), number("bytes", Attr::ReplCounterBytes)],
    ),
];

const NAT_SOURCE: &[Member] = &[
    member("address", Shape::Address([Attr::SnatIpv4, Attr::SnatIpv6])),
    member("port", Shape::Port(Attr::SnatPort)),
];

const NAT_DESTINATION: &[Member] = &[
    member("address", Shape::Address([Attr::DnatIpv4, Attr::DnatIpv6])),
    member("port", Shape::Port(Attr::DnatPort)),
];

const SEQ_ADJUST: &[Member] = &[
    object(
        "original",
        &[
            number("position", Attr::OrigNatSeqCorrectionPos),
            number("offset_before", Attr::OrigNatSeqOffsetBefore),
            number("offset_after", Attr::OrigNatSeqOffsetAfter),
        ],
    ),
    object(
        "reply",
        &[
            number("position", Attr::ReplNatSeqCorrectionPos),
            number("offset_before", Attr::ReplNatSeqOffsetBefore),
            number("offset_after", Attr::ReplNatSeqOffsetAfter),
        ],
    ),
];

const SYNPROXY: &[Member] = &[
    number("initial_sequence", Attr::SynproxyIsn),
    number("initial_timestamp", Attr::SynproxyIts),
    number("timestamp_offset", Attr::SynproxyTsoff),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::object::attr::ATTR_COUNT;

    fn count(members: &[Member], seen: &mut [u8; ATTR_COUNT]) {
        for member in members {
            match member.shape {
                Shape::Object(members) | Shape::Usual(members, _) => count(members, seen),
                _ => member.present.iter().for_each(|attr| seen[attr as usize] += 1),
            }
        }
    }

    #[test]
    fn every_attribute_stands_in_one_place() {
        let mut seen = [0; ATTR_COUNT];
        FLOW.iter().for_each(|part| count(part.members, &mut seen));
        assert_eq!(seen, [1; ATTR_COUNT]);
    }
}
