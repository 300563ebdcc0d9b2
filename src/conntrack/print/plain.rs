//! A conntrack entry as one line of fields, each followed by a blank but the last.
#![forbid(unsafe_code)]

use super::names;
use super::{SHOW_ID, SHOW_LAYER3, SHOW_TIMESTAMPS, Style, label_names};
use crate::conntrack::error::Error;
use crate::conntrack::heap::Text;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::{Conntrack, Counters, Flat, Tuple};
use crate::conntrack::object::layer4::Layer4;
use crate::text::time;
use crate::text::writer::Writer;
use crate::uapi::ips;

/// Prints the line; on failure what precedes the missing protocol.
pub(super) fn conntrack(
    out: &mut Writer<'_>,
    ct: &Conntrack,
    style: &Style<'_>,
) -> Result<(), Error> {
    event(out, style.message);
    protocols(out, ct, style)?;
    state(out, ct);
    original(out, ct);
    reply(out, ct);
    marks(out, ct);
    times(out, ct, style);
    rest(out, ct, style);
    out.trim_blank();
    Ok(())
}

/// The event, if `message` is one.
pub(super) fn event(out: &mut Writer<'_>, message: u32) {
    match message {
        names::NEW => out.text(b"    [NEW] "),
        names::UPDATE => out.text(b" [UPDATE] "),
        names::DESTROY => out.text(b"[DESTROY] "),
        _ => {}
    }
}

/// The addresses of a tuple behind the given keys, if its family is known.
pub(super) fn addresses(out: &mut Writer<'_>, tuple: &Tuple, [src, dst]: [&[u8]; 2]) {
    match i32::from(tuple.l3proto) {
        libc::AF_INET => {
            let [a, b, c, d, ..] = tuple.src;
            out.text(src);
            out.ipv4([a, b, c, d]);
            let [a, b, c, d, ..] = tuple.dst;
            out.text(dst);
            out.ipv4([a, b, c, d]);
        }
        libc::AF_INET6 => {
            out.text(src);
            out.ipv6(&tuple.src);
            out.text(dst);
            out.ipv6(&tuple.dst);
        }
        _ => return,
    }
    out.text(b" ");
}

/// What the tuple's layer 4 protocol adds to the addresses.
pub(super) fn layer4(out: &mut Writer<'_>, tuple: &Tuple) {
    let [src, dst] = [tuple.l4src, tuple.l4dst].map(u16::from_be_bytes);
    match Layer4::of(tuple.l4proto) {
        Layer4::Ports => {
            field(out, b"sport=", src.into());
            field(out, b"dport=", dst.into());
        }
        Layer4::Keys => {
            out.text(b"srckey=0x");
            out.hex(src);
            out.text(b" dstkey=0x");
            out.hex(dst);
            out.text(b" ");
        }
        Layer4::Icmp => {
            let [kind, code] = tuple.l4dst;
            field(out, b"type=", kind.into());
            field(out, b"code=", code.into());
            field(out, b"id=", src.into());
        }
        Layer4::Nothing => {}
    }
}

/// A field with a number.
#[inline(always)]
pub(super) fn field(out: &mut Writer<'_>, key: &[u8], value: u64) {
    out.text(key);
    out.decimal(value);
    out.text(b" ");
}

fn protocols(out: &mut Writer<'_>, ct: &Conntrack, style: &Style<'_>) -> Result<(), Error> {
    let Tuple { l3proto, l4proto, .. } = ct.flat.orig;
    if style.shows(SHOW_LAYER3) {
        if !ct.has(Attr::OrigL3Proto) {
            return Err(Error::Unprintable);
        }
        field(out, &names::layer3(l3proto).column, l3proto.into());
    }
    if !ct.has(Attr::OrigL4Proto) {
        return Err(Error::Unprintable);
    }
    field(out, &names::layer4(l4proto).column, l4proto.into());
    Ok(())
}

fn state(out: &mut Writer<'_>, ct: &Conntrack) {
    if ct.has(Attr::Timeout) {
        field(out, b"", ct.flat.timeout.into());
    }
    let [state, ..] = ct.flat.protoinfo.0;
    for (attr, states) in [
        (Attr::TcpState, &names::TCP),
        (Attr::SctpState, &names::SCTP),
        (Attr::DccpState, &names::DCCP),
    ] {
        if ct.has(attr) {
            out.text(states.name(state));
            out.text(b" ");
        }
    }
}

/// The keys of a tuple's addresses.
pub(super) const ADDRESSES: [&[u8]; 2] = [b"src=", b" dst="];

fn original(out: &mut Writer<'_>, ct: &Conntrack) {
    const COUNTED: Presence = Presence::of(&[Attr::OrigCounterPackets, Attr::OrigCounterBytes]);
    let Flat { orig, counters: [counted, _], status, .. } = &ct.flat;
    addresses(out, orig, ADDRESSES);
    layer4(out, orig);
    if ct.has(Attr::OrigZone) {
        field(out, b"zone-orig=", orig.zone.into());
    }
    if ct.flat.present.has_all(COUNTED) {
        counters(out, counted);
    }
    if ct.has(Attr::Status) && status & ips::SEEN_REPLY == 0 {
        out.text(b"[UNREPLIED] ");
    }
}

fn reply(out: &mut Writer<'_>, ct: &Conntrack) {
    const COUNTED: Presence = Presence::of(&[Attr::ReplCounterPackets, Attr::ReplCounterBytes]);
    let Flat { reply, counters: [_, counted], .. } = &ct.flat;
    addresses(out, reply, ADDRESSES);
    layer4(out, reply);
    if ct.has(Attr::ReplZone) {
        field(out, b"zone-reply=", reply.zone.into());
    }
    if ct.flat.present.has_all(COUNTED) {
        counters(out, counted);
    }
}

fn counters(out: &mut Writer<'_>, counters: &Counters) {
    field(out, b"packets=", counters.packets);
    field(out, b"bytes=", counters.bytes);
}

fn marks(out: &mut Writer<'_>, ct: &Conntrack) {
    let flat = &ct.flat;
    if ct.has(Attr::Status) {
        match flat.status {
            status if status & ips::HW_OFFLOAD != 0 => out.text(b"[HW_OFFLOAD] "),
            status if status & ips::OFFLOAD != 0 => out.text(b"[OFFLOAD] "),
            status if status & ips::ASSURED != 0 => out.text(b"[ASSURED] "),
            _ => {}
        }
    }
    if ct.has(Attr::Mark) {
        field(out, b"mark=", flat.mark.into());
    }
    if ct.has(Attr::Secmark) {
        field(out, b"secmark=", flat.secmark.into());
    }
    if ct.has(Attr::Secctx) {
        out.text(b"secctx=");
        out.text(ct.heap.secctx.as_ref().map_or(names::NO_STRING, Text::as_bytes));
        out.text(b" ");
    }
    if ct.has(Attr::Zone) {
        field(out, b"zone=", flat.zone.into());
    }
}

fn times(out: &mut Writer<'_>, ct: &Conntrack, style: &Style<'_>) {
    let Flat { start, stop, .. } = ct.flat;
    if ct.has(Attr::TimestampStart) {
        let end = if stop == 0 { style.clock.now() as u64 } else { time::seconds(stop) };
        field(out, b"delta-time=", end.wrapping_sub(time::seconds(start)));
    }
    if style.shows(SHOW_TIMESTAMPS) {
        if ct.has(Attr::TimestampStart) {
            moment(out, b"[start=", start, style);
        }
        if ct.has(Attr::TimestampStop) {
            moment(out, b"[stop=", stop, style);
        }
    }
}

fn moment(out: &mut Writer<'_>, key: &[u8], nanoseconds: u64, style: &Style<'_>) {
    if let Some(moment) = style.clock.local(time::seconds(nanoseconds) as i64, true) {
        out.text(key);
        time::ctime(out, &moment);
        out.text(b"] ");
    }
}

fn rest(out: &mut Writer<'_>, ct: &Conntrack, style: &Style<'_>) {
    if ct.has(Attr::HelperName) {
        out.text(b"helper=");
        out.text(ct.helper_name());
        out.text(b" ");
    }
    if ct.has(Attr::Use) {
        field(out, b"use=", ct.flat.use_count.into());
    }
    if style.shows(SHOW_ID) && ct.has(Attr::Id) {
        field(out, b"id=", ct.flat.id.into());
    }
    if let (Some(map), true) = (style.labels, ct.has(Attr::Connlabels)) {
        out.text(b"labels");
        let mut separator = b"=";
        for name in label_names(ct, map) {
            out.text(separator);
            out.text(name);
            separator = b",";
        }
        out.text(b" ");
    }
}
