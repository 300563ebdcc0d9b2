//! What most entries have, written in few pieces: the table of members says the same, and is slower.
#![forbid(unsafe_code)]

use super::words;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::{Counters, Flat, Tuple};
use crate::conntrack::object::layer4::Layer4;
use crate::conntrack::object::tuple::TupleAttrs;
use crate::text::json::{JsonWriter, Word};

/// Writes text of the compiler and numbers in turn.
macro_rules! pieces {
    ($out:ident: $($text:literal $($number:expr)?),*) => {
        $($out.piece($text); $($out.number($number.into());)?)*
    };
}

/// Writes a tuple with IPv4 addresses and ports, and says whether it is one.
#[inline]
pub(super) fn tuple(
    out: &mut JsonWriter<'_, '_>,
    present: &Presence,
    tuple: &Tuple,
    attrs: &TupleAttrs,
) -> bool {
    let family = present.has(attrs.l3proto) && i32::from(tuple.l3proto) == libc::AF_INET;
    let zone = attrs.zone.is_some_and(|attr| present.has(attr));
    let usual = family && !zone && present.has_all(attrs.ipv4_shape);
    let other = present.has(attrs.ipv6[0]) || present.has(attrs.ipv6[1]);
    let Some(protocol) = words::PROTOCOLS.get(usize::from(tuple.l4proto)) else { return false };
    if !usual || other || Layer4::of(tuple.l4proto) != Layer4::Ports {
        return false;
    }
    let ([a, b, c, d, ..], [e, f, g, h, ..]) = (tuple.src, tuple.dst);
    out.piece(br#"{"family":"ipv4","src":""#);
    out.ipv4([a, b, c, d]);
    out.piece(br#","dst":""#);
    out.ipv4([e, f, g, h]);
    out.word(protocol);
    pieces!(out: br#","sport":"# u16::from_be_bytes(tuple.l4src), br#","dport":"# u16::from_be_bytes(tuple.l4dst), b"}");
    true
}

const COUNTED: Presence = Presence::of(&[
    Attr::OrigCounterPackets,
    Attr::OrigCounterBytes,
    Attr::ReplCounterPackets,
    Attr::ReplCounterBytes,
]);

/// Writes the members of counters, of both directions, and says whether they are there.
#[inline]
pub(super) fn counters(out: &mut JsonWriter<'_, '_>, flat: &Flat) -> bool {
    let [Counters { packets, bytes }, reply] = flat.counters;
    if !flat.present.has_all(COUNTED) {
        return false;
    }
    pieces!(out: br#"{"original":{"packets":"# packets, br#","bytes":"# bytes,
        br#"},"reply":{"packets":"# reply.packets, br#","bytes":"# reply.bytes, b"}}");
    true
}

const TCP: Presence = Presence::of(&[
    Attr::TcpState,
    Attr::TcpFlagsOrig,
    Attr::TcpMaskOrig,
    Attr::TcpWscaleOrig,
    Attr::TcpFlagsRepl,
    Attr::TcpMaskRepl,
    Attr::TcpWscaleRepl,
]);
const STATE: Word = Word::key("state");

/// Writes the members of a TCP connection, of both directions, and says whether they are there.
#[inline]
pub(super) fn tcp(out: &mut JsonWriter<'_, '_>, flat: &Flat) -> bool {
    let [state, flags, mask, reply_flags, reply_mask, scale, reply_scale, ..] = flat.protoinfo.0;
    if !flat.present.has_all(TCP) {
        return false;
    }
    out.begin_object();
    words::write(out, &STATE, state.into(), &words::TCP_STATES);
    pieces!(out: br#","original":{"flags":"# flags, br#","flags_mask":"# mask,
        br#","window_scale":"# scale, br#"},"reply":{"flags":"# reply_flags,
        br#","flags_mask":"# reply_mask, br#","window_scale":"# reply_scale, b"}}");
    true
}

#[cfg(test)]
mod tests {
    use super::super::members::{FLOW, Shape};
    use super::super::{STRINGS, Style, tuple, write};
    use super::*;
    use crate::conntrack::object::entry::Conntrack;
    use crate::conntrack::object::tuple::{ORIG, REPLY};
    use crate::text::writer::Writer;

    fn text(write: impl Fn(&mut Writer<'_>)) -> String {
        let mut buffer = [0; 2048];
        let mut out = Writer::new(&mut buffer);
        write(&mut out);
        let length = out.finish();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// An entry whose bytes are as this number makes them, with all that is usual.
    fn entry(seed: u8) -> Conntrack {
        let mut ct = Conntrack::new();
        let bytes = ct.flat.bytes_mut().iter_mut();
        bytes.zip(0u8..=255).for_each(|(byte, at)| *byte = at.wrapping_mul(seed) >> (seed % 8));
        ct.flat.present = ORIG.ipv4_shape.with(REPLY.ipv4_shape).with(COUNTED).with(TCP);
        ct.flat.present.insert(Presence::of(&[ORIG.l3proto, REPLY.l3proto]));
        for tuple in [&mut ct.flat.orig, &mut ct.flat.reply] {
            tuple.l3proto = libc::AF_INET as u8;
            tuple.l4proto = if seed % 2 == 0 { 6 } else { 136 };
        }
        ct.flat.protoinfo.0[0] = seed % 12;
        ct
    }

    #[test]
    fn the_table_says_the_same() {
        for seed in 0..=255 {
            let ct = entry(seed);
            let (present, flat) = (&ct.flat.present, &ct.flat);
            for (of, attrs) in [(&flat.orig, &ORIG), (&flat.reply, &REPLY)] {
                let quick = text(|out| {
                    assert!(super::tuple(&mut JsonWriter::new(out), present, of, attrs));
                });
                let table =
                    text(|out| tuple::write_parts(&mut JsonWriter::new(out), present, of, attrs));
                assert_eq!(quick, table);
            }
            let quick = text(|out| write(out, &ct, &Style::default()));
            // Numbers as strings are the table's, but for their quotes.
            let table = text(|out| write(out, &ct, &Style { flags: STRINGS, ..Style::default() }));
            let strip = |text: &str| text.replace(":\"", ":").replace('"', "");
            assert_eq!(strip(&quick), strip(&table));
        }
    }

    #[test]
    fn what_lacks_a_part_is_left_to_the_table() {
        let usual = FLOW.iter().flat_map(|part| part.members);
        let usual = usual.filter_map(|member| match member.shape {
            Shape::Usual(members, usually) => Some((members, usually)),
            _ => None,
        });
        let mut seen = 0;
        for (members, usually) in usual {
            let whole = entry(7);
            for attr in crate::conntrack::json::members::any(members).iter() {
                let mut ct = whole.clone();
                ct.unset(attr);
                assert_eq!(text(|out| assert!(!usually(&mut JsonWriter::new(out), &ct.flat))), "");
                seen += 1;
            }
            text(|out| assert!(usually(&mut JsonWriter::new(out), &whole.flat)));
        }
        assert_eq!(seen, 11);
    }
}
