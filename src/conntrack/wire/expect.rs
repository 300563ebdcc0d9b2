//! Expectations: messages into objects and back.
#![forbid(unsafe_code)]

use super::encode;
use super::nest::{Members, keep};
use super::tuple::{self, ORIG};
use crate::conntrack::error::Error;
use crate::conntrack::object::attr::Presence;
use crate::conntrack::object::entry::{Conntrack, Flat};
use crate::conntrack::object::expectation::{Expect, ExpectAttr};
use crate::netlink::builder::Builder;
use crate::netlink::message::Attributes;
use crate::netlink::number::{be16, be32};
use crate::uapi::cta;

/// Bytes of the longest function name attribute that is taken.
const FUNCTION_MAX: usize = 24;

/// Decodes the attributes of an expectation message of address family `family`.
///
/// As for entries, what cannot be is skipped; there is nothing that can fail.
pub fn decode(expect: &mut Expect, attributes: &[u8], family: u8) {
    let (mut master, mut expected, mut mask, mut nat) = (None, None, None, None);
    for attribute in Attributes::new(attributes) {
        let value = attribute.value;
        let number = be32(value);
        match attribute.kind {
            cta::EXPECT_MASTER => keep(&mut master, value),
            cta::EXPECT_TUPLE => keep(&mut expected, value),
            cta::EXPECT_MASK => keep(&mut mask, value),
            cta::EXPECT_NAT => keep(&mut nat, value),
            cta::EXPECT_TIMEOUT => set(expect, ExpectAttr::Timeout, number),
            cta::EXPECT_FLAGS => set(expect, ExpectAttr::Flags, number),
            cta::EXPECT_CLASS => {
                set(
                    expect,
                    ExpectAttr::Class,
                    value.first_chunk().copied().map(u32::from_be_bytes),
                );
            }
            cta::EXPECT_ZONE => set(expect, ExpectAttr::Zone, be16(value).map(u32::from)),
            cta::EXPECT_HELP_NAME if !value.is_empty() => {
                expect.store_name(ExpectAttr::HelperName, value);
            }
            cta::EXPECT_FN if value.len() <= FUNCTION_MAX => {
                expect.store_name(ExpectAttr::Function, value);
            }
            _ => {}
        }
    }
    tuple(expect, ExpectAttr::Master, master, family);
    tuple(expect, ExpectAttr::Expected, expected, family);
    tuple(expect, ExpectAttr::Mask, mask, family);
    if let Some(nest) = nat {
        decode_nat(expect, nest, family);
    }
}

fn set(expect: &mut Expect, attr: ExpectAttr, number: Option<u32>) {
    if let Some(number) = number {
        expect.store_number(attr, number);
    }
}

/// Decodes a tuple into the object that the attribute is.
fn tuple(expect: &mut Expect, attr: ExpectAttr, nest: Option<&[u8]>, family: u8) {
    let Some(nest) = nest else { return };
    let object = match attr {
        ExpectAttr::Master => &mut expect.master,
        ExpectAttr::Expected => &mut expect.expected,
        ExpectAttr::Mask => &mut expect.mask,
        _ => &mut expect.nat,
    };
    let Flat { orig, present, .. } = &mut object.flat;
    tuple::tuple(orig, present, nest, family, &ORIG);
    expect.mark(attr);
}

fn decode_nat(expect: &mut Expect, nest: &[u8], family: u8) {
    let direction = Members::read(nest, &[0, 4]).get(cta::EXPECT_NAT_DIR);
    set(expect, ExpectAttr::NatDir, direction.map(|number| number as u32));
    let mut inner = None;
    for attribute in Attributes::new(nest).filter(|a| a.kind == cta::EXPECT_NAT_TUPLE) {
        keep(&mut inner, attribute.value);
    }
    // The family is known even when no tuple follows.
    expect.nat.flat.orig.l3proto = family;
    expect.nat.flat.present.insert(FAMILY);
    tuple(expect, ExpectAttr::NatTuple, inner, family);
}

const FAMILY: Presence = Presence::of(&[crate::conntrack::object::attr::Attr::OrigL3Proto]);

/// The address family of a request about an expectation: the master's, else the expected flow's.
///
/// # Errors
/// [`Error::NoFamily`].
pub fn family(expect: &Expect) -> Result<u8, Error> {
    [&expect.master, &expect.expected]
        .into_iter()
        .find(|object| object.flat.present.has_all(FAMILY))
        .map(|object| object.flat.orig.l3proto)
        .ok_or(Error::NoFamily)
}

/// Appends what the kernel is told of an expectation; tuples of an unusable family are left out.
pub fn encode(to: &mut Builder<'_>, expect: &Expect) {
    for (attr, kind, object) in [
        (ExpectAttr::Expected, cta::EXPECT_TUPLE, &expect.expected),
        (ExpectAttr::Master, cta::EXPECT_MASTER, &expect.master),
        (ExpectAttr::Mask, cta::EXPECT_MASK, &expect.mask),
    ] {
        if expect.has(attr) {
            // An unusable family leaves the message as it was.
            let _ = append_tuple(to, kind, object);
        }
    }
    if let Some(timeout) = expect.number(ExpectAttr::Timeout) {
        to.put_be32(cta::EXPECT_TIMEOUT, timeout);
    }
    if let Some(flags) = expect.number(ExpectAttr::Flags) {
        to.put_be32(cta::EXPECT_FLAGS, flags);
    }
    if expect.has(ExpectAttr::Zone) {
        to.put_be16(cta::EXPECT_ZONE, expect.flat.zone);
    }
    if expect.has(ExpectAttr::HelperName) {
        to.put_text(cta::EXPECT_HELP_NAME, expect.helper_name());
    }
}

fn append_tuple(to: &mut Builder<'_>, kind: u16, object: &Conntrack) -> Result<(), Error> {
    encode::tuple(to, kind, &object.flat.orig, None)
}

/// Whether a request to delete would name the expectation: without a tuple the kernel takes it as
/// one to delete all.
///
/// # Errors
/// [`Error::NoFamily`], [`Error::BadFamily`].
pub fn check_deletable(expect: &Expect) -> Result<(), Error> {
    if !expect.has(ExpectAttr::Expected) {
        return Err(Error::NoFamily);
    }
    append_tuple(&mut Builder::new(&mut [], 0), cta::EXPECT_TUPLE, &expect.expected)
}
