//! Whole messages about an object, with a number and flags of the caller's.
#![forbid(unsafe_code)]

use super::{encode, expect};
use crate::conntrack::error::Error;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::expectation::Expect;
use crate::netlink::builder::{Builder, Header};
use crate::uapi::cta;

/// Number and flags of a message.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// The message number of the subsystem.
    pub number: u16,
    /// `NLM_F_*`.
    pub flags: u16,
}

fn begin(
    buffer: &mut [u8],
    subsystem: u8,
    Kind { number, flags }: Kind,
    family: u8,
) -> Builder<'_> {
    let kind = u16::from(subsystem) << 8 | number;
    Builder::message(buffer, Header { kind, flags, family, ..Header::default() })
}

/// Builds a message about an entry, and returns its length.
///
/// # Errors
/// As [`encode::conntrack`]; [`netlink::Error::TooLong`](crate::netlink::Error::TooLong).
pub(crate) fn of_entry(buffer: &mut [u8], kind: Kind, ct: &Conntrack) -> Result<usize, Error> {
    let mut to = begin(buffer, cta::SUBSYS_CT, kind, ct.flat.orig.l3proto);
    encode::conntrack(&mut to, ct)?;
    Ok(to.finish()?)
}

/// Builds a message about an expectation of this family, and returns its length.
///
/// # Errors
/// [`netlink::Error::TooLong`](crate::netlink::Error::TooLong).
pub(crate) fn of_expectation(
    buffer: &mut [u8],
    kind: Kind,
    family: u8,
    object: &Expect,
) -> Result<usize, Error> {
    let mut to = begin(buffer, cta::SUBSYS_EXP, kind, family);
    expect::encode(&mut to, object);
    Ok(to.finish()?)
}
