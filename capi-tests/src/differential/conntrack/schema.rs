//! What the reference accepts of a message: the lengths it checks by ending the process, and the
//! attribute types with which it writes out of bounds. Messages outside go to ctrs only.

/// Bytes in front of the attributes: `nlmsghdr` and `nfgenmsg`.
pub const HEADER: usize = 20;

/// What an attribute holds.
#[derive(Clone, Copy)]
pub enum Rule {
    /// Exactly this many bytes.
    Fixed(usize),
    /// At least this many bytes.
    AtLeast(usize),
    /// A string with its NUL, at most so long.
    Text(usize),
    /// Any bytes, at most so many.
    Bytes(usize),
    /// Attributes.
    Nest(&'static Level),
    /// Attributes, or any garbage shorter than a header.
    LooseNest(&'static Level),
    /// The reference writes out of bounds.
    Overrun,
}

/// The attributes of a nest, or of a message.
pub struct Level {
    /// The types with a rule; all others hold what they like.
    pub rules: &'static [(u16, Rule)],
}

use Rule::{AtLeast, Bytes, Fixed, LooseNest, Nest, Overrun, Text};

static IP: Level = Level { rules: &[(1, Fixed(4)), (2, Fixed(4)), (3, Fixed(16)), (4, Fixed(16))] };
static PROTO: Level = Level {
    rules: &[
        (1, Fixed(1)),
        (2, Fixed(2)),
        (3, Fixed(2)),
        (4, Fixed(2)),
        (5, Fixed(1)),
        (6, Fixed(1)),
        (7, Fixed(2)),
        (8, Fixed(1)),
        (9, Fixed(1)),
    ],
};
static TUPLE: Level = Level { rules: &[(1, Nest(&IP)), (2, Nest(&PROTO)), (3, Fixed(2))] };
static TCP: Level =
    Level { rules: &[(1, Fixed(1)), (2, Fixed(1)), (3, Fixed(1)), (4, Fixed(2)), (5, Fixed(2))] };
static DCCP: Level = Level { rules: &[(1, Fixed(1)), (2, Fixed(1)), (3, Fixed(8))] };
static SCTP: Level = Level { rules: &[(1, Fixed(1)), (2, Fixed(4)), (3, Fixed(4))] };
static PROTOINFO: Level = Level {
    rules: &[(1, Nest(&TCP)), (2, Nest(&DCCP)), (3, Nest(&SCTP)), (4, Overrun), (5, Overrun)],
};
static HELP: Level = Level { rules: &[(1, Text(40)), (2, Bytes(64))] };
static COUNTERS: Level =
    Level { rules: &[(1, Fixed(8)), (2, Fixed(8)), (3, Fixed(4)), (4, Fixed(4))] };
static SEQ_ADJUST: Level = Level { rules: &[(1, Fixed(4)), (2, Fixed(4)), (3, Fixed(4))] };
static SECCTX: Level = Level { rules: &[(1, Text(80))] };
static TIMESTAMP: Level = Level { rules: &[(1, Fixed(8)), (2, Fixed(8))] };

/// `CTA_HELP`, and in it `CTA_HELP_NAME` and `CTA_HELP_INFO`.
pub const CTA_HELP: (u16, u16, u16) = (5, 1, 2);
/// `CTA_TIMESTAMP_EVENT`.
pub const CTA_TIMESTAMP_EVENT: u16 = 27;

/// A conntrack message.
pub static CONNTRACK: Level = Level {
    rules: &[
        (1, Nest(&TUPLE)),
        (2, Nest(&TUPLE)),
        (3, Fixed(4)),
        (4, Nest(&PROTOINFO)),
        (5, Nest(&HELP)),
        (7, Fixed(4)),
        (8, Fixed(4)),
        (9, Nest(&COUNTERS)),
        (10, Nest(&COUNTERS)),
        (11, Fixed(4)),
        (12, Fixed(4)),
        (14, Nest(&TUPLE)),
        (15, Nest(&SEQ_ADJUST)),
        (16, Nest(&SEQ_ADJUST)),
        (17, Fixed(4)),
        (18, Fixed(2)),
        (19, Nest(&SECCTX)),
        (20, Nest(&TIMESTAMP)),
        (22, Bytes(256)),
        (24, LooseNest(&SEQ_ADJUST)),
        (CTA_TIMESTAMP_EVENT, Fixed(8)),
    ],
};

static EXPECT_NAT: Level = Level {
    rules: &[
        (1, Fixed(4)),
        (2, Nest(&TUPLE)),
        (3, Overrun),
        (4, Overrun),
        (5, Overrun),
        (27, Overrun),
    ],
};

/// An expectation message.
pub static EXPECT: Level = Level {
    rules: &[
        (1, Nest(&TUPLE)),
        (2, Nest(&TUPLE)),
        (3, Nest(&TUPLE)),
        (4, Fixed(4)),
        (5, Fixed(4)),
        (6, Text(40)),
        (7, Fixed(2)),
        (8, Fixed(4)),
        (9, AtLeast(4)),
        (10, LooseNest(&EXPECT_NAT)),
        (11, Text(24)),
    ],
};

impl Level {
    /// The rule of a type.
    #[must_use]
    pub fn rule(&self, kind: u16) -> Option<Rule> {
        let overruns = std::ptr::eq(self, &raw const EXPECT_NAT) && (3..=27).contains(&kind);
        match self.rules.iter().find(|(of, _)| *of == kind) {
            _ if overruns => Some(Overrun),
            found => found.map(|(_, rule)| *rule),
        }
    }

    /// Whether the reference parses these attributes without ending the process.
    #[must_use]
    pub fn accepts(&self, bytes: &[u8]) -> bool {
        attributes(bytes).all(|(kind, payload)| match self.rule(kind) {
            None => true,
            Some(Fixed(len)) => payload.len() == len,
            Some(AtLeast(len)) => payload.len() >= len,
            Some(Text(most)) => payload.contains(&0) && payload.len() <= most,
            Some(Bytes(most)) => payload.len() <= most,
            Some(Nest(level)) => payload.is_empty() || payload.len() >= 4 && level.accepts(payload),
            Some(LooseNest(level)) => level.accepts(payload),
            Some(Overrun) => false,
        })
    }
}

/// The attributes of a stream, as types without their flags and payloads, up to the first one that
/// does not fit.
pub fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let header = bytes.first_chunk::<4>()?;
        let len = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & 0x3fff;
        if len < 4 || len > bytes.len() {
            return None;
        }
        let payload = &bytes[4..len];
        bytes = &bytes[(len.next_multiple_of(4)).min(bytes.len())..];
        Some((kind, payload))
    })
}

/// The payload of the last attribute of a type: the one that counts.
#[must_use]
pub fn last(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes).filter(|(of, _)| *of == kind).map(|(_, payload)| payload).last()
}

/// The attributes of a whole message, up to `nlmsg_len`.
#[must_use]
pub fn body(message: &[u8]) -> &[u8] {
    let len = message.first_chunk::<4>().map_or(0, |len| u32::from_ne_bytes(*len) as usize);
    message.get(HEADER..len).unwrap_or(&[])
}

/// An attribute with its padding.
#[must_use]
pub fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
    let len = (4 + payload.len()) as u16;
    let mut bytes = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
