//! What a refused request shows of the cause.
#![forbid(unsafe_code)]

use super::asked::Asked;
use super::fact::{Fact, Look};
use crate::facts::privilege::Held;
use crate::uapi::{cta, filter, nful};

/// What a request shows, or what was looked up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    /// Nothing is asked of the request, which need not be known.
    Any,
    /// The request is known.
    Known,
    /// It has an attribute.
    Has(u16),
    /// It lacks an attribute.
    Lacks(u16),
    /// It has the first, and lacks the second.
    Without(u16, u16),
    /// It has a nest that lacks a member of 1 to the second number.
    Part(u16, u16),
    /// It has the state of a protocol.
    State(u16),
    /// It has the state of a protocol that lacks a member of 1 to the second number.
    PartOfState(u16, u16),
    /// It has a status with one of these bits.
    Bits(u32),
    /// It has a status that lacks one of these bits.
    LacksBits(u32),
    /// Something of its own.
    Is(fn(&Asked<'_>) -> bool),
}

impl Sign {
    /// Whether a request, or what is known of it, shows that.
    pub fn is_shown(self, asked: Option<&Asked<'_>>) -> bool {
        let Some(asked) = asked else { return matches!(self, Self::Any) };
        match self {
            Self::Any | Self::Known => true,
            Self::Has(kind) => asked.has(kind),
            Self::Lacks(kind) => !asked.has(kind),
            Self::Without(kind, other) => asked.has(kind) && !asked.has(other),
            Self::Part(kind, last) => asked.value(kind).is_some_and(|nest| is_part(nest, last)),
            Self::State(kind) => asked.state(kind).is_some(),
            Self::PartOfState(kind, last) => {
                asked.state(kind).is_some_and(|nest| is_part(nest, last))
            }
            Self::Bits(bits) => asked.number(cta::STATUS).is_some_and(|it| it & bits != 0),
            Self::LacksBits(bits) => asked.number(cta::STATUS).is_some_and(|it| !it & bits != 0),
            Self::Is(of_its_own) => of_its_own(asked),
        }
    }
}

/// Whether the request is for flows that have ended.
pub(super) fn of_the_dying(asked: &Asked<'_>) -> bool {
    asked.message().is_some_and(|message| message.number() == cta::MSG_GET_DYING)
}

fn is_part(nest: &[u8], last: u16) -> bool {
    (1..=last).any(|member| super::asked::find(nest, member).is_none())
}

/// What a thread with all privileges was refused.
pub(super) fn privileged(asked: &Asked<'_>) -> bool {
    asked.privilege() == Some(Held::Yes)
}

/// Connection tracking data, asked for with the packets of a group.
pub(super) fn log_conntrack(asked: &Asked<'_>) -> bool {
    let flags = asked.value(nful::CFG_FLAGS).and_then(<[u8]>::first_chunk);
    flags.is_some_and(|flags| u16::from_be_bytes(*flags) & nful::CFG_F_CONNTRACK != 0)
}

/// A timeout that a thread with all privileges was refused.
pub(super) fn privileged_timeout(asked: &Asked<'_>) -> bool {
    asked.has(cta::TIMEOUT) && privileged(asked)
}

/// A timeout that was refused, maybe for the privileges of the thread.
pub(super) fn timeout_of_unknown(asked: &Asked<'_>) -> bool {
    asked.has(cta::TIMEOUT) && asked.privilege().is_none()
}

pub(super) fn no_tuple(asked: &Asked<'_>) -> bool {
    ![cta::TUPLE_ORIG, cta::TUPLE_REPLY].iter().any(|tuple| asked.has(*tuple))
}

pub(super) fn zone_twice(asked: &Asked<'_>) -> bool {
    asked.zones() > 1
}

pub(super) fn zone(asked: &Asked<'_>) -> bool {
    asked.zones() > 0
}

pub(super) fn no_query(asked: &Asked<'_>) -> bool {
    [cta::TUPLE_ORIG, cta::TUPLE_REPLY].iter().any(|tuple| asked.is_no_query(*tuple))
}

pub(super) fn original_of_another_family(asked: &Asked<'_>) -> bool {
    asked.is_of_another_family(cta::TUPLE_ORIG)
}

pub(super) fn reply_of_another_family(asked: &Asked<'_>) -> bool {
    asked.is_of_another_family(cta::TUPLE_REPLY)
}

pub(super) fn master_of_another_family(asked: &Asked<'_>) -> bool {
    asked.is_of_another_family(cta::TUPLE_MASTER)
}

pub(super) fn foreign_family(asked: &Asked<'_>) -> bool {
    !matches!(asked.family(), Some(libc::AF_INET | libc::AF_INET6))
}

pub(super) fn protocols_differ(asked: &Asked<'_>) -> bool {
    asked.protocol(cta::TUPLE_ORIG) != asked.protocol(cta::TUPLE_REPLY)
}

pub(super) fn odd_labels(asked: &Asked<'_>) -> bool {
    let [labels, mask] = [cta::LABELS, cta::LABELS_MASK].map(|kind| asked.value(kind));
    let length = labels.map_or(0, <[u8]>::len);
    length % 4 != 0 || mask.is_some_and(|mask| mask.len() != length)
}

pub(super) fn helper_loaded(asked: &Asked<'_>) -> bool {
    asked.helper_module() == Some(true)
}

pub(super) fn helper_missing(asked: &Asked<'_>) -> bool {
    asked.helper_module() == Some(false)
}

/// A table with room for more.
pub(super) fn table_not_full(asked: &Asked<'_>) -> bool {
    Look::Table.up(Some(asked)).is_some_and(Fact::is_of_room)
}

/// A status in a filter of which no bit counts.
pub(super) fn no_status_bits(asked: &Asked<'_>) -> bool {
    let value = asked.number(cta::STATUS);
    value.is_some() && asked.number(cta::STATUS_MASK).or(value) == Some(0)
}

pub(super) fn filter_without_protocol(asked: &Asked<'_>) -> bool {
    asked
        .filter_flags()
        .iter()
        .any(|flags| flags & filter::OF_PROTOCOL != 0 && flags & filter::PROTO_NUM == 0)
}
