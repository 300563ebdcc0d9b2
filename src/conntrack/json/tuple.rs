//! A tuple as an object. Its layer 4 part is called by what its protocol has: ports, keys of GRE, or
//! type, code and id of ICMP.
#![forbid(unsafe_code)]

use super::{usual, value, words};
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::{Flat, Tuple};
use crate::conntrack::object::icmp;
use crate::conntrack::object::layer4::Layer4;
use crate::conntrack::object::tuple::{ICMP, TupleAttrs};
use crate::text::json::{self, JsonWriter, Reader, Word};

const FAMILY: Word = Word::key("family");
const SRC: Word = Word::open("src");
const DST: Word = Word::open("dst");
const PROTOCOL: Word = Word::key("protocol");
const PORTS: [Word; 2] = [Word::key("sport"), Word::key("dport")];
const KEYS: [Word; 2] = [Word::key("srckey"), Word::key("dstkey")];
const TYPE: Word = Word::key("type");
const CODE: Word = Word::key("code");
const ID: Word = Word::key("id");
const ZONE: Word = Word::key("zone");

/// Writes a tuple, as far as it is present.
#[inline]
pub(super) fn write(
    out: &mut JsonWriter<'_, '_>,
    present: &Presence,
    tuple: &Tuple,
    attrs: &TupleAttrs,
) {
    if !usual::tuple(out, present, tuple, attrs) {
        write_parts(out, present, tuple, attrs);
    }
}

#[inline(never)]
pub(super) fn write_parts(
    out: &mut JsonWriter<'_, '_>,
    present: &Presence,
    tuple: &Tuple,
    attrs: &TupleAttrs,
) {
    out.begin_object();
    if present.has(attrs.l3proto) {
        words::write(out, &FAMILY, tuple.l3proto.into(), &words::FAMILIES);
    }
    let ([src4, dst4], [src6, dst6]) = (attrs.ipv4, attrs.ipv6);
    address(out, &SRC, &tuple.src, is_ipv6(present, [src4, src6], tuple.l3proto));
    address(out, &DST, &tuple.dst, is_ipv6(present, [dst4, dst6], tuple.l3proto));
    if present.has(attrs.l4proto) {
        words::write(out, &PROTOCOL, tuple.l4proto.into(), &words::PROTOCOLS);
    }
    layer4(out, present, tuple, attrs);
    if attrs.zone.is_some_and(|attr| present.has(attr)) {
        out.word(&ZONE);
        out.number(tuple.zone.into());
    }
    out.end_object();
}

/// Which of two attributes that share their bytes an address is; `None` if neither is present.
#[inline]
pub(super) fn is_ipv6(present: &Presence, [ipv4, ipv6]: [Attr; 2], l3proto: u8) -> Option<bool> {
    match (present.has(ipv4), present.has(ipv6)) {
        (false, false) => None,
        (true, true) => Some(i32::from(l3proto) == libc::AF_INET6),
        (_, ipv6) => Some(ipv6),
    }
}

/// Writes an address, if it is one.
#[inline]
pub(super) fn address(
    out: &mut JsonWriter<'_, '_>,
    key: &Word,
    bytes: &[u8; 16],
    ipv6: Option<bool>,
) {
    let [a, b, c, d, ..] = *bytes;
    match ipv6 {
        Some(false) => {
            out.word(key);
            out.ipv4([a, b, c, d]);
        }
        Some(true) => {
            out.word(key);
            out.ipv6(bytes);
        }
        None => {}
    }
}

#[inline]
fn layer4(out: &mut JsonWriter<'_, '_>, present: &Presence, tuple: &Tuple, attrs: &TupleAttrs) {
    let [source, destination] = attrs.ports;
    let kind = if present.has(attrs.l4proto) { Layer4::of(tuple.l4proto) } else { Layer4::Nothing };
    if is_icmp(present, kind, attrs) {
        let [kind, code] = tuple.l4dst;
        member(out, present.has(Attr::IcmpType), &TYPE, kind.into());
        member(out, present.has(Attr::IcmpCode), &CODE, code.into());
        member(out, present.has(Attr::IcmpId), &ID, u16::from_be_bytes(tuple.l4src));
        return;
    }
    let [src, dst] = if kind == Layer4::Keys { &KEYS } else { &PORTS };
    member(out, present.has(source), src, u16::from_be_bytes(tuple.l4src));
    member(out, present.has(destination), dst, u16::from_be_bytes(tuple.l4dst));
}

/// Whether the shared bytes of layer 4 are those of ICMP.
fn is_icmp(present: &Presence, kind: Layer4, attrs: &TupleAttrs) -> bool {
    let without_ports = attrs.is_original() && !present.has_any(Presence::of(&attrs.ports));
    present.has_any(ICMP) && (kind == Layer4::Icmp || without_ports)
}

#[inline]
fn member(out: &mut JsonWriter<'_, '_>, there: bool, key: &Word, value: u16) {
    if there {
        out.word(key);
        out.number(value.into());
    }
}

/// What a key of a tuple says.
#[derive(Clone, Copy)]
enum Part {
    Family,
    Source,
    Destination,
    Protocol,
    SourcePort,
    DestinationPort,
    Type,
    Code,
    Id,
    Zone,
}

static PARTS: [(Word, Part); 12] = [
    (FAMILY, Part::Family),
    (SRC, Part::Source),
    (DST, Part::Destination),
    (PROTOCOL, Part::Protocol),
    (PORTS[0], Part::SourcePort),
    (PORTS[1], Part::DestinationPort),
    (KEYS[0], Part::SourcePort),
    (KEYS[1], Part::DestinationPort),
    (TYPE, Part::Type),
    (CODE, Part::Code),
    (ID, Part::Id),
    (ZONE, Part::Zone),
];

/// Reads a tuple, and says whether it has anything of ICMP.
pub(super) fn read(
    reader: &mut Reader<'_>,
    present: &mut Presence,
    tuple: &mut Tuple,
    attrs: &TupleAttrs,
) -> Result<bool, json::Error> {
    reader.kind()?;
    let before = reader.clone();
    let mut told = Presence::default();
    reader.begin_object()?;
    while let Some(key) = reader.key()? {
        match PARTS.iter().find(|(word, _)| key.is(word.name())) {
            Some((_, part)) => told_part(reader, &mut told, tuple, attrs, *part)?,
            None => reader.skip()?,
        }
    }
    check(&told, tuple, attrs).map_err(|what| before.error(what))?;
    // Of two objects the last counts.
    let mut before = attrs.any();
    before.remove(ICMP);
    present.remove(before);
    present.insert(told);
    Ok(told.has_any(ICMP))
}

fn told_part(
    reader: &mut Reader<'_>,
    told: &mut Presence,
    tuple: &mut Tuple,
    attrs: &TupleAttrs,
    part: Part,
) -> Result<(), json::Error> {
    let number = |reader: &mut Reader<'_>, max: u16| value::number(reader, max.into());
    let ([src4, dst4], [src6, dst6]) = (attrs.ipv4, attrs.ipv6);
    let attr = match part {
        Part::Family => {
            tuple.l3proto = value::named(reader, &words::FAMILIES)?;
            attrs.l3proto
        }
        Part::Protocol => {
            tuple.l4proto = value::named(reader, &words::PROTOCOLS)?;
            attrs.l4proto
        }
        Part::Source => told_address(reader, &mut tuple.src, [src4, src6])?,
        Part::Destination => told_address(reader, &mut tuple.dst, [dst4, dst6])?,
        Part::SourcePort => {
            tuple.l4src = (number(reader, u16::MAX)? as u16).to_be_bytes();
            attrs.ports[0]
        }
        Part::DestinationPort => {
            tuple.l4dst = (number(reader, u16::MAX)? as u16).to_be_bytes();
            attrs.ports[1]
        }
        Part::Type => {
            tuple.l4dst[0] = number(reader, u8::MAX.into())? as u8;
            Attr::IcmpType
        }
        Part::Code => {
            tuple.l4dst[1] = number(reader, u8::MAX.into())? as u8;
            Attr::IcmpCode
        }
        Part::Id => {
            tuple.l4src = (number(reader, u16::MAX)? as u16).to_be_bytes();
            Attr::IcmpId
        }
        Part::Zone => {
            let Some(attr) = attrs.zone else { return reader.skip() };
            tuple.zone = number(reader, u16::MAX)? as u16;
            attr
        }
    };
    told.set(attr);
    Ok(())
}

fn told_address(
    reader: &mut Reader<'_>,
    to: &mut [u8; 16],
    [ipv4, ipv6]: [Attr; 2],
) -> Result<Attr, json::Error> {
    let (address, is_ipv6) = value::address(reader)?;
    *to = address;
    Ok(if is_ipv6 { ipv6 } else { ipv4 })
}

/// Whether the parts of a tuple go together.
fn check(told: &Presence, tuple: &Tuple, attrs: &TupleAttrs) -> Result<(), &'static str> {
    let [ipv4, ipv6] = [attrs.ipv4, attrs.ipv6].map(|pair| told.has_any(Presence::of(&pair)));
    let family = i32::from(tuple.l3proto);
    let foreign = told.has(attrs.l3proto)
        && (ipv4 && family != libc::AF_INET || ipv6 && family != libc::AF_INET6);
    if ipv4 && ipv6 || foreign {
        return Err("a tuple with addresses of another family");
    }
    if told.has_any(ICMP) && told.has_any(Presence::of(&attrs.ports)) {
        return Err("a tuple with ports and what ICMP has");
    }
    Ok(())
}

/// Completes the reply tuple of an entry of ICMP that does not tell what that has.
pub(super) fn answer_icmp(flat: &mut Flat) {
    let Flat { orig, reply, .. } = flat;
    if flat.present.has_any(ICMP) && Layer4::of(orig.l4proto) == Layer4::Icmp {
        let [kind, code] = orig.l4dst;
        reply.l4dst = [icmp::reply_type(orig.l3proto, kind), code];
        reply.l4src = orig.l4src;
    }
}
