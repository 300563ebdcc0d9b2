//! An entry to JSON.
#![forbid(unsafe_code)]

use super::members::{FLOW, Member, Shape};
use super::{STRINGS, Style, tuple, words};
use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::{Conntrack, Flat, Tuple};
use crate::conntrack::object::tuple::TupleAttrs;
use crate::text::json::{JsonWriter, Word};
use crate::text::writer::Writer;

/// Writes an entry as one object of what is present.
pub fn conntrack(out: &mut Writer<'_>, ct: &Conntrack, style: &Style<'_>) {
    flow(&mut JsonWriter::new(out), ct, style);
}

/// Writes an entry as a value.
pub(crate) fn flow(out: &mut JsonWriter<'_, '_>, ct: &Conntrack, style: &Style<'_>) {
    out.begin_object();
    event(out, style.message);
    for part in FLOW.iter().filter(|part| ct.flat.present.has_any(part.present)) {
        members(out, ct, part.members, style);
    }
    out.end_object();
}

/// The event, if `message` is one.
pub(super) fn event(out: &mut JsonWriter<'_, '_>, message: u32) {
    if let Some(word) = words::EVENTS.get(message as usize).filter(|word| !word.is_none()) {
        out.word(word);
    }
}

fn members(out: &mut JsonWriter<'_, '_>, ct: &Conntrack, members: &[Member], style: &Style<'_>) {
    for member in members {
        if ct.flat.present.has_any(member.present) {
            write(out, ct, member, style);
        }
    }
}

#[inline]
fn write(out: &mut JsonWriter<'_, '_>, ct: &Conntrack, member: &Member, style: &Style<'_>) {
    let (flat, key) = (&ct.flat, &member.key);
    match member.shape {
        Shape::Name(attr, names) => words::write(out, key, value(flat, attr) as u32, names),
        Shape::Bytes(attr) => bytes(out, ct, key, attr),
        Shape::Labels(attr) => labels(out, ct, key, attr, style),
        Shape::Number(attr) => {
            out.word(key);
            number(out, flat, attr, style);
        }
        Shape::Port(attr) => {
            out.word(key);
            out.number(u16::from_be(value(flat, attr) as u16).into());
        }
        Shape::Bits(attr, names) => {
            out.word(key);
            words::write_bits(out, value(flat, attr) as u32, names);
        }
        Shape::Time(attr) => {
            out.word(key);
            time(out, value(flat, attr));
        }
        Shape::Address(attrs) => address(out, flat, key, attrs),
        Shape::Tuple(attrs) => {
            out.word(key);
            tuple::write(out, &flat.present, tuple_of(flat, attrs), attrs);
        }
        Shape::Usual(inside, usually) => {
            out.word(key);
            if style.flags & STRINGS != 0 || !usually(out, flat) {
                object(out, ct, inside, style);
            }
        }
        Shape::Object(inside) => {
            out.word(key);
            object(out, ct, inside, style);
        }
    }
}

fn object(out: &mut JsonWriter<'_, '_>, ct: &Conntrack, inside: &[Member], style: &Style<'_>) {
    out.begin_object();
    members(out, ct, inside, style);
    out.end_object();
}

/// The tuple that has these attributes.
fn tuple_of<'a>(flat: &'a Flat, attrs: &TupleAttrs) -> &'a Tuple {
    match attrs.l3proto {
        Attr::OrigL3Proto => &flat.orig,
        Attr::ReplL3Proto => &flat.reply,
        _ => &flat.master,
    }
}

/// The number that an attribute of up to 8 bytes holds, in host order.
#[inline]
fn value(flat: &Flat, attr: Attr) -> u64 {
    let row = attr.row();
    let bytes = flat.bytes().get(row.offset.into()..).and_then(<[u8]>::first_chunk::<8>);
    let [a, b, c, d, ..] = *bytes.unwrap_or(&[0; 8]);
    match row.storage.width() {
        1 => a.into(),
        2 => u16::from_ne_bytes([a, b]).into(),
        4 => u32::from_ne_bytes([a, b, c, d]).into(),
        _ => u64::from_ne_bytes(*bytes.unwrap_or(&[0; 8])),
    }
}

#[inline]
fn number(out: &mut JsonWriter<'_, '_>, flat: &Flat, attr: Attr, style: &Style<'_>) {
    let value = value(flat, attr);
    match attr.row().storage.width() {
        8 if style.flags & STRINGS != 0 => out.quoted_number(value),
        _ => out.number(value),
    }
}

/// Writes a time in nanoseconds since 1970.
pub(crate) fn time(out: &mut JsonWriter<'_, '_>, nanoseconds: u64) {
    out.begin_object();
    out.word(&const { Word::key("sec") });
    out.number(nanoseconds / 1_000_000_000);
    out.word(&const { Word::key("nsec") });
    out.number(nanoseconds % 1_000_000_000);
    out.end_object();
}

fn address(out: &mut JsonWriter<'_, '_>, flat: &Flat, key: &Word, attrs: [Attr; 2]) {
    let [ipv4, _] = attrs;
    let bytes = if ipv4 == Attr::SnatIpv4 { &flat.snat.min } else { &flat.dnat.min };
    tuple::address(out, key, bytes, tuple::is_ipv6(&flat.present, attrs, flat.orig.l3proto));
}

/// Text or bytes, which may be marked present and never have been filled.
fn bytes(out: &mut JsonWriter<'_, '_>, ct: &Conntrack, key: &Word, attr: Attr) {
    let Some(bytes) = ct.get(attr) else { return };
    out.word(key);
    match attr {
        Attr::HelperInfo => out.bytes(bytes),
        _ => out.text(bytes),
    }
}

fn labels(out: &mut JsonWriter<'_, '_>, ct: &Conntrack, key: &Word, attr: Attr, style: &Style<'_>) {
    let mask = attr == Attr::ConnlabelsMask;
    let Some(labels) = (if mask { ct.labels_mask() } else { ct.labels() }) else { return };
    out.word(key);
    out.begin_array();
    for label in set_bits(labels) {
        let name = style.labels.and_then(|map| map.name(label)).filter(|name| !name.is_empty());
        out.element();
        match name {
            Some(name) => out.text(name),
            None => out.number(label.into()),
        }
    }
    out.end_array();
}

/// The labels that are set, by number.
fn set_bits(labels: &Bitmask) -> impl Iterator<Item = u32> + '_ {
    let used = labels.words().iter().zip(0u32..).filter(|(word, _)| **word != 0);
    used.flat_map(|(word, at)| {
        (0..32).filter(move |bit| word >> bit & 1 != 0).map(move |bit| at * 32 + bit)
    })
}
