//! An expectation to JSON, and back.
#![forbid(unsafe_code)]

use super::{Style, tuple, value, words, write};
use crate::conntrack::error::Error;
use crate::conntrack::object::attr::Storage;
use crate::conntrack::object::entry::Flat;
use crate::conntrack::object::expectation::{Expect, ExpectAttr};
use crate::conntrack::object::tuple::ORIG;
use crate::text::json::{JsonWriter, Reader, Word};
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

/// Reads an expectation as [`expect`] writes it, into one that is new.
///
/// # Errors
/// [`Error::Syntax`]; [`Error::OutOfMemory`].
pub fn read(text: &[u8], into: &mut Expect) -> Result<(), Error> {
    let mut reader = Reader::new(text);
    reader.begin_object()?;
    while let Some(key) = reader.key()? {
        match MEMBERS.iter().find(|(word, _)| key.is(word.name())) {
            Some((_, attr)) => told(&mut reader, into, *attr)?,
            None => reader.skip()?,
        }
    }
    Ok(reader.end()?)
}

fn told(reader: &mut Reader<'_>, into: &mut Expect, attr: ExpectAttr) -> Result<(), Error> {
    let number = match attr.row().storage {
        Storage::Tuple => {
            let mut flat = Flat::default();
            tuple::read(reader, &mut flat.present, &mut flat.orig, &ORIG)?;
            into.set_flat(attr, &flat);
            return Ok(());
        }
        Storage::Name(room) => {
            into.store_name(attr, &value::name_of_c(reader, usize::from(room) - 1)?);
            return Ok(());
        }
        Storage::Plain(2) => value::number(reader, u16::MAX.into())? as u32,
        _ if attr == ExpectAttr::Flags => value::bits(reader, &words::EXPECT_FLAGS)?,
        _ if attr == ExpectAttr::NatDir => value::named(reader, &words::DIRECTIONS)?.into(),
        _ => value::number(reader, u32::MAX.into())? as u32,
    };
    into.store_number(attr, number);
    Ok(())
}
