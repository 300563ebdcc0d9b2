//! An expectation to JSON.
#![forbid(unsafe_code)]

use super::{Style, tuple, words, write};
use crate::conntrack::object::expectation::{Expect, ExpectAttr};
use crate::conntrack::object::tuple::ORIG;
use crate::text::json::{JsonWriter, Word};
use crate::text::writer::Writer;

/// Writes an expectation as one object of what is present.
pub fn expect(out: &mut Writer<'_>, expect: &Expect, style: &Style<'_>) {
    let mut out = JsonWriter::new(out);
    out.begin_object();
    write::event(&mut out, style.message);
    for (key, attr) in &MEMBERS {
        if expect.has(*attr) {
            member(&mut out, expect, key, *attr);
        }
    }
    out.end_object();
}

static MEMBERS: [(Word, ExpectAttr); 11] = [
    (Word::key("expected"), ExpectAttr::Expected),
    (Word::key("mask"), ExpectAttr::Mask),
    (Word::key("master"), ExpectAttr::Master),
    (Word::key("nat"), ExpectAttr::NatTuple),
    (Word::key("nat_direction"), ExpectAttr::NatDir),
    (Word::key("zone"), ExpectAttr::Zone),
    (Word::key("timeout"), ExpectAttr::Timeout),
    (Word::key("flags"), ExpectAttr::Flags),
    (Word::key("class"), ExpectAttr::Class),
    (Word::key("helper"), ExpectAttr::HelperName),
    (Word::key("function"), ExpectAttr::Function),
];

fn member(out: &mut JsonWriter<'_, '_>, expect: &Expect, key: &Word, attr: ExpectAttr) {
    let number = expect.number(attr).unwrap_or(0);
    if attr == ExpectAttr::NatDir {
        return words::write(out, key, number, &words::DIRECTIONS);
    }
    out.word(key);
    if let Some(ct) = expect.tuple(attr) {
        return tuple::write(out, &ct.flat.present, &ct.flat.orig, &ORIG);
    }
    match attr {
        ExpectAttr::HelperName => out.text(expect.helper_name()),
        ExpectAttr::Function => out.text(expect.function()),
        ExpectAttr::Flags => words::write_bits(out, number, &words::EXPECT_FLAGS),
        _ => out.number(number.into()),
    }
}
