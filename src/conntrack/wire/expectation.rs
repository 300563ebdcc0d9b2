//! Expectations in the requests of Rust programs: all that the kernel takes of one, and what names
//! one.
#![forbid(unsafe_code)]

use super::encode;
use super::nest::last;
use crate::conntrack::error::Error;
use crate::conntrack::expectation::create::NewExpectation;
use crate::conntrack::expectation::key::ExpectationKey;
use crate::conntrack::values::Direction;
use crate::invalid::Invalid;
use crate::netlink::builder::Builder;
use crate::netlink::message::Message;
use crate::netlink::number::be32;
use crate::uapi::cta;

/// The address family of a request about an expectation.
///
/// # Errors
/// [`Invalid::NoTuple`]: the kernel would take it for a request about all.
pub fn family(key: &ExpectationKey) -> Result<u8, Error> {
    key.tuple.family().map(|family| family.number()).ok_or(Invalid::NoTuple.into())
}

/// Appends what names one expectation: a tuple and its zone; with `guarded` its id too, if it has
/// one.
///
/// # Errors
/// As [`family`].
pub fn key(to: &mut Builder<'_>, key: &ExpectationKey, guarded: bool) -> Result<(), Error> {
    family(key)?;
    encode::tuple(to, cta::EXPECT_TUPLE, key.tuple.object(), None)?;
    zone(to, key.zone);
    if let Some(id) = key.id.filter(|_| guarded) {
        to.put_be32(cta::EXPECT_ID, id.0);
    }
    Ok(())
}

fn zone(to: &mut Builder<'_>, zone: u16) {
    if zone != 0 {
        to.put_be16(cta::EXPECT_ZONE, zone);
    }
}

/// Appends an expectation to be created.
///
/// # Errors
/// As [`family`]; [`Invalid::Family`].
pub fn create(to: &mut Builder<'_>, new: &NewExpectation) -> Result<(), Error> {
    let expected = new.expected.tuple();
    if expected.is_ipv4() != new.master.is_ipv4() {
        return Err(Invalid::Family.into());
    }
    encode::tuple(to, cta::EXPECT_TUPLE, expected.object(), None)?;
    encode::tuple(to, cta::EXPECT_MASK, &new.expected.mask(), None)?;
    encode::tuple(to, cta::EXPECT_MASTER, new.master.object(), None)?;
    if let Some((tuple, direction)) = &new.nat {
        let nest = to.begin(cta::EXPECT_NAT);
        to.put_be32(cta::EXPECT_NAT_DIR, u32::from(*direction == Direction::Reply));
        encode::tuple(to, cta::EXPECT_NAT_TUPLE, tuple.object(), None)?;
        to.end(nest);
    }
    zone(to, new.zone);
    to.put_be32(cta::EXPECT_FLAGS, new.flags.bits());
    to.put_be32(cta::EXPECT_CLASS, new.class);
    if let Some(function) = &new.function {
        to.put_text(cta::EXPECT_FN, function.as_bytes());
    }
    Ok(())
}

/// The id of the expectation that a message tells of.
#[must_use]
pub fn id(message: &Message<'_>) -> Option<u32> {
    last(message.attributes(), cta::EXPECT_ID).and_then(be32)
}
