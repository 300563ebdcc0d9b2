//! What an expression can ask of a flow: a row a field, which parser, printer, evaluation, kernel
//! programs, explanations and the documentation read from.
#![forbid(unsafe_code)]

use crate::conntrack::filter::criteria::End;
use crate::conntrack::object::status::Status;
use crate::conntrack::values::Direction;
use End::{Destination, Source};
use Side::{Any, Original, Plain, Reply};

/// The word before a field that says of which direction it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// None: of tuples the original one.
    Plain,
    Original,
    Reply,
    Any,
}

/// A number or the like of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// Something that every flow has.
    Always,
    Family,
    Protocol,
    Address(Direction, End),
    Port(Direction, End),
    Key(Direction, End),
    IcmpType,
    IcmpCode,
    IcmpId,
    Mark,
    /// The zone, or that of a direction.
    Zone(Option<Direction>),
    State(Stateful),
    /// Whether one of these bits is set.
    Status(Status),
    Label,
    Helper,
    Id,
    Timeout,
    Age,
    /// Of a direction, or the sum of both.
    Bytes(Option<Direction>),
    Packets(Option<Direction>),
}

/// A protocol whose flows have states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stateful {
    Tcp,
    Sctp,
    Dccp,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    None,
    /// Seconds: s m h d.
    Time,
    /// Powers of 1,000 and 1,024: k M G Ki Mi Gi.
    Count,
}

/// What follows a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Flag,
    Family,
    Protocol,
    Address,
    /// A number up to this one.
    Number(u64, Unit),
    Mark,
    State(Stateful),
    Label,
    Helper,
}

/// Whether the kernel can decide a term on an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InEvents {
    /// Yes, and the answer never changes for a flow.
    Fixed,
    /// Yes, but the answer is that of the moment.
    Changing,
    /// No.
    No,
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name: a word, or two.
    pub name: &'static str,
    /// The directions it can be of, and what is read for each. A term is true when it is of one of
    /// the values.
    pub sides: &'static [(Side, &'static [Read])],
    pub kind: Kind,
    /// What a value is, behind "expected".
    pub value: &'static str,
    pub meaning: &'static str,
    /// Whether the kernel decides it in lists.
    pub in_lists: &'static str,
    pub in_events: InEvents,
}

/// The same field has the same row.
impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const O: Direction = Direction::Original;
const R: Direction = Direction::Reply;

/// A field of tuples: one read of the original, one of the reply, and both.
macro_rules! ends {
    ($read:ident: $($end:ident),+) => {
        &[
            (Plain, &[$(Read::$read(O, $end)),+]),
            (Reply, &[$(Read::$read(R, $end)),+]),
            (Any, &[$(Read::$read(O, $end),)+ $(Read::$read(R, $end)),+]),
        ]
    };
}

macro_rules! counter {
    ($read:ident) => {
        &[
            (Plain, &[Read::$read(None)]),
            (Original, &[Read::$read(Some(O))]),
            (Reply, &[Read::$read(Some(R))]),
        ]
    };
}

macro_rules! plain {
    ($read:expr) => {
        &[(Plain, &[$read])]
    };
}

const ADDRESS: &str = "an address or a prefix, as 10.0.0.1, 10.0.0.0/8 or fc00::/7";
const PORT: &str = "a port: 0 to 65535";
const NUMBER_OF_BYTE: &str = "a number: 0 to 255";
const ONE_ADDRESS: &str = "one IPv4 address";
const ONE_PORT: &str = "one port, beside a family and `tcp` or `udp`";
const ONE_ICMP: &str = "one number, beside a family and `icmp` or `icmpv6`";
const COUNT: &str = "a number, as 1000, 10k, 1M, 4Ki";
const TIME: &str = "a time, as 30, 30s, 5m, 1h or 2d";
const BYTE: Kind = Kind::Number(u8::MAX as u64, Unit::None);
const HALF: Kind = Kind::Number(u16::MAX as u64, Unit::None);

const fn flag(name: &'static str, sides: &'static [(Side, &'static [Read])]) -> Field {
    Field {
        name,
        sides,
        kind: Kind::Flag,
        value: "",
        meaning: "",
        in_lists: "yes",
        in_events: InEvents::Changing,
    }
}

const fn state(
    name: &'static str,
    of: Stateful,
    sides: &'static [(Side, &'static [Read])],
) -> Field {
    Field {
        name,
        sides,
        kind: Kind::State(of),
        value: "a state as it is printed, in small letters: `established`, `syn_sent`, ...",
        meaning: "how far the connection has come",
        in_lists: "its protocol, beside a family",
        in_events: InEvents::Changing,
    }
}

const fn tuple(
    name: &'static str,
    sides: &'static [(Side, &'static [Read])],
    (kind, value): (Kind, &'static str),
    in_lists: &'static str,
    meaning: &'static str,
) -> Field {
    Field { name, sides, kind, value, meaning, in_lists, in_events: InEvents::Fixed }
}

/// All fields.
pub(super) static FIELDS: &[Field] = &[
    Field {
        meaning: "every flow",
        in_events: InEvents::Fixed,
        ..flag("all", plain!(Read::Always))
    },
    tuple(
        "family",
        plain!(Read::Family),
        (Kind::Family, "`ipv4` or `ipv6`"),
        "yes",
        "the layer 3 protocol; `ipv4`, `ipv6` alone say the same",
    ),
    tuple(
        "proto",
        plain!(Read::Protocol),
        (Kind::Protocol, "a protocol: `tcp`, `udp`, `icmp`, ..., or a number up to 255"),
        "one, beside a family",
        "the layer 4 protocol; a name alone says the same",
    ),
    tuple("src", ends!(Address: Source), (Kind::Address, ADDRESS), ONE_ADDRESS, "the source"),
    tuple(
        "dst",
        ends!(Address: Destination),
        (Kind::Address, ADDRESS),
        ONE_ADDRESS,
        "the destination",
    ),
    tuple(
        "host",
        ends!(Address: Source, Destination),
        (Kind::Address, ADDRESS),
        "no",
        "the source or the destination",
    ),
    tuple("sport", ends!(Port: Source), (HALF, PORT), ONE_PORT, "the source port"),
    tuple("dport", ends!(Port: Destination), (HALF, PORT), ONE_PORT, "the destination port"),
    tuple(
        "port",
        ends!(Port: Source, Destination),
        (HALF, PORT),
        "no",
        "the source or the destination port",
    ),
    tuple(
        "icmp type",
        plain!(Read::IcmpType),
        (BYTE, NUMBER_OF_BYTE),
        ONE_ICMP,
        "of ICMP and ICMPv6",
    ),
    tuple(
        "icmp code",
        plain!(Read::IcmpCode),
        (BYTE, NUMBER_OF_BYTE),
        ONE_ICMP,
        "of ICMP and ICMPv6",
    ),
    tuple(
        "icmp id",
        plain!(Read::IcmpId),
        (HALF, "a number: 0 to 65535"),
        ONE_ICMP,
        "of ICMP and ICMPv6",
    ),
    tuple(
        "gre key",
        ends!(Key: Source, Destination),
        (HALF, "a number: 0 to 65535"),
        "no",
        "either key of the tuple",
    ),
    Field {
        name: "mark",
        sides: plain!(Read::Mark),
        kind: Kind::Mark,
        value: "a mark, as 0x2a, or one with a mask, as 0x2a/0xff",
        meaning: "the mark, or some of its bits",
        in_lists: "one, with or without a mask",
        in_events: InEvents::Changing,
    },
    tuple(
        "zone",
        &[
            (Plain, &[Read::Zone(None)]),
            (Original, &[Read::Zone(Some(O))]),
            (Reply, &[Read::Zone(Some(R))]),
        ],
        (HALF, "a zone: 0 to 65535"),
        "one; of one direction as far as it is a zone of either",
        "the zone, whichever direction it is for; with a direction, that one's",
    ),
    state("tcp state", Stateful::Tcp, plain!(Read::State(Stateful::Tcp))),
    state("sctp state", Stateful::Sctp, plain!(Read::State(Stateful::Sctp))),
    state("dccp state", Stateful::Dccp, plain!(Read::State(Stateful::Dccp))),
    Field {
        meaning: "not dropped early when the table is full",
        ..flag("assured", plain!(Read::Status(Status::ASSURED)))
    },
    Field {
        meaning: "packets were seen in both directions",
        ..flag("replied", plain!(Read::Status(Status::SEEN_REPLY)))
    },
    Field {
        meaning: "a helper of another flow expected it",
        ..flag("expected", plain!(Read::Status(Status::EXPECTED)))
    },
    Field {
        meaning: "the source is translated",
        ..flag("snat", plain!(Read::Status(Status::SRC_NAT)))
    },
    Field {
        meaning: "the destination is translated",
        ..flag("dnat", plain!(Read::Status(Status::DST_NAT)))
    },
    Field {
        meaning: "`snat or dnat`",
        in_lists: "`not natted`",
        ..flag("natted", plain!(Read::Status(Status::SRC_NAT.union(Status::DST_NAT))))
    },
    Field { meaning: "being removed", ..flag("dying", plain!(Read::Status(Status::DYING))) },
    Field {
        meaning: "packets take the software or the hardware fast path",
        in_lists: "`not offloaded`",
        ..flag("offloaded", plain!(Read::Status(Status::OFFLOAD.union(Status::HW_OFFLOAD))))
    },
    Field {
        meaning: "the timeout cannot be changed",
        ..flag("fixed-timeout", plain!(Read::Status(Status::FIXED_TIMEOUT)))
    },
    Field {
        name: "label",
        sides: plain!(Read::Label),
        kind: Kind::Label,
        value: "a label: its name in quotes, or 0 to 127",
        meaning: "has that label",
        in_lists: "no",
        in_events: InEvents::No,
    },
    Field {
        name: "helper",
        sides: plain!(Read::Helper),
        kind: Kind::Helper,
        value: "the name of a helper in quotes, as \"ftp\"",
        meaning: "has that helper",
        in_lists: "no",
        in_events: InEvents::No,
    },
    tuple(
        "id",
        plain!(Read::Id),
        (Kind::Number(u32::MAX as u64, Unit::None), "a number: 0 to 4294967295"),
        "no",
        "what tells it from another flow with the same tuple",
    ),
    Field {
        name: "timeout",
        sides: plain!(Read::Timeout),
        kind: Kind::Number(u32::MAX as u64, Unit::Time),
        value: TIME,
        meaning: "how long it lasts if no packet comes, whole seconds",
        in_lists: "no",
        in_events: InEvents::Changing,
    },
    Field {
        name: "age",
        sides: plain!(Read::Age),
        kind: Kind::Number(u64::MAX, Unit::Time),
        value: TIME,
        meaning: "how long ago it began, or how long it lasted; whole seconds",
        in_lists: "no",
        in_events: InEvents::No,
    },
    Field {
        name: "bytes",
        sides: counter!(Bytes),
        kind: Kind::Number(u64::MAX, Unit::Count),
        value: COUNT,
        meaning: "both directions added, or one",
        in_lists: "no",
        in_events: InEvents::No,
    },
    Field {
        name: "packets",
        sides: counter!(Packets),
        kind: Kind::Number(u64::MAX, Unit::Count),
        value: COUNT,
        meaning: "both directions added, or one",
        in_lists: "no",
        in_events: InEvents::No,
    },
];

/// Words that people write in place of a field's name, and what to say then.
pub(super) static MISTAKEN: &[(&str, &str)] = &[
    (
        "state",
        "whose state: `tcp state`, `sctp state` or `dccp state`; what firewalls call established \
         is `replied`",
    ),
    ("established", "write `replied`, or `tcp state established` for the state of TCP"),
    ("new", "write `not replied`"),
    ("related", "write `expected`"),
    ("unreplied", "write `not replied`"),
    ("saddr", "write `src`"),
    ("daddr", "write `dst`"),
    ("protocol", "write `proto`"),
    ("ip", "write `ipv4`, or `host` before an address"),
    ("ip6", "write `ipv6`, or `host` before an address"),
    ("net", "write `host` before a prefix"),
    ("type", "write `icmp type`"),
    ("code", "write `icmp code`"),
    ("key", "write `gre key`"),
    ("original", "write `orig`"),
    ("true", "write `all`"),
];

impl Side {
    /// The directions that have a word.
    pub const WORDS: [Self; 3] = [Original, Reply, Any];

    pub fn word(self) -> &'static str {
        match self {
            Plain => "",
            Original => "orig",
            Reply => "reply",
            Any => "any",
        }
    }
}

impl Field {
    /// The field with a name of one word, or of two.
    pub fn named(first: &str, second: &str) -> Option<&'static Self> {
        let words = |field: &&Self| field.name.split_once(' ').unwrap_or((field.name, ""));
        let with = |second| FIELDS.iter().find(|field| words(field) == (first, second));
        with(second).or_else(|| with(""))
    }

    /// How many words its name has.
    pub fn words(&self) -> usize {
        1 + usize::from(self.name.contains(' '))
    }

    /// The side that a word stands for: the original tuple needs none.
    pub fn side(&self, word: Side) -> Option<Side> {
        let has = |side| self.sides.iter().any(|(of, _)| *of == side);
        match word {
            Original if !has(Original) && has(Reply) => Some(Plain),
            side => has(side).then_some(side),
        }
    }

    /// What is read for a side.
    pub fn reads(&self, side: Side) -> &'static [Read] {
        self.sides.iter().find(|(of, _)| *of == side).map_or(&[], |(_, reads)| reads)
    }
}

impl Stateful {
    /// The number of a state from its name in small letters.
    pub fn number(self, name: &str) -> Option<u8> {
        (0..=u8::MAX).find(|number| {
            let known = self.name(*number);
            known.is_some_and(|known| known.len() == name.len() && lower(known).eq(name.chars()))
        })
    }

    /// The name of a state, in capitals.
    pub fn name(self, number: u8) -> Option<&'static str> {
        use crate::conntrack::values::{DccpState, SctpState, TcpState};
        match self {
            Self::Tcp => TcpState::from(number).name(),
            Self::Sctp => SctpState::from(number).name(),
            Self::Dccp => DccpState::from(number).name(),
        }
    }

    /// The number of the protocol.
    pub fn protocol(self) -> crate::conntrack::values::Protocol {
        use crate::conntrack::values::Protocol;
        match self {
            Self::Tcp => Protocol::Tcp,
            Self::Sctp => Protocol::Sctp,
            Self::Dccp => Protocol::Dccp,
        }
    }
}

/// The letters of a name, small.
pub(super) fn lower(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().map(|letter| letter.to_ascii_lowercase())
}
