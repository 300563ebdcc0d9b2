//! A conntrack entry as XML. Strings are not escaped.
#![forbid(unsafe_code)]

use super::names;
use super::{SHOW_NOW, SHOW_TIMESTAMPS, Style, label_names};
use crate::conntrack::heap::Text;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::{Conntrack, Counters, Flat, Tuple};
use crate::conntrack::object::layer4::Layer4;
use crate::text::time;
use crate::text::writer::Writer;
use crate::text::xml::{number, string, when};
use crate::uapi::ips;

/// Prints a `flow` element.
pub(super) fn conntrack(out: &mut Writer<'_>, ct: &Conntrack, style: &Style<'_>) {
    let Flat { orig, reply, counters: [sent, received], .. } = &ct.flat;
    // Counters of the original direction open those of both.
    let counted = ct.flat.present.has_all(COUNTED);
    open(out, style.message);
    out.text(b"<meta direction=\"original\">");
    direction(out, orig, ct.has(Attr::OrigZone), counted.then_some(sent));
    out.text(b"</meta><meta direction=\"reply\">");
    direction(out, reply, ct.has(Attr::ReplZone), counted.then_some(received));
    out.text(b"</meta>");
    independent(out, ct, style);
    // Without a time there is no helper either.
    let told = !style.shows(SHOW_NOW) || now(out, style);
    if told && ct.has(Attr::HelperName) {
        string(out, b"<helper>", ct.helper_name(), b"</helper>");
    }
    out.text(b"</flow>");
}

const COUNTED: Presence = Presence::of(&[Attr::OrigCounterPackets, Attr::OrigCounterBytes]);

/// The start tag of the `flow` element.
pub(super) fn open(out: &mut Writer<'_>, message: u32) {
    out.text(match message {
        names::NEW => b"<flow type=\"new\">",
        names::UPDATE => b"<flow type=\"update\">",
        names::DESTROY => b"<flow type=\"destroy\">",
        _ => b"<flow>",
    });
}

/// The start tag of a `layer3` element.
pub(super) fn open_layer3(out: &mut Writer<'_>, family: u8) {
    number(out, b"<layer3 protonum=\"", family.into(), b"\" protoname=\"");
    out.text(names::layer3(family).text.as_bytes());
    out.text(b"\">");
}

/// The start tag of a `layer4` element.
pub(super) fn open_layer4(out: &mut Writer<'_>, protocol: u8) {
    number(out, b"<layer4 protonum=\"", protocol.into(), b"\" protoname=\"");
    out.text(names::layer4(protocol).text.as_bytes());
    out.text(b"\">");
}

/// The `src` and `dst` elements of a tuple, empty if its family is unknown.
pub(super) fn addresses(out: &mut Writer<'_>, tuple: &Tuple) {
    out.text(b"<src>");
    address(out, tuple.l3proto, &tuple.src);
    out.text(b"</src><dst>");
    address(out, tuple.l3proto, &tuple.dst);
    out.text(b"</dst>");
}

fn address(out: &mut Writer<'_>, family: u8, address: &[u8; 16]) {
    let [a, b, c, d, ..] = *address;
    match i32::from(family) {
        libc::AF_INET => out.ipv4([a, b, c, d]),
        libc::AF_INET6 => out.ipv6(address),
        _ => {}
    }
}

/// The elements of a tuple's layer 4 protocol; ICMP has none.
pub(super) fn layer4(out: &mut Writer<'_>, tuple: &Tuple) {
    let [src, dst] = [tuple.l4src, tuple.l4dst].map(u16::from_be_bytes);
    match Layer4::of(tuple.l4proto) {
        Layer4::Ports => {
            number(out, b"<sport>", src.into(), b"</sport><dport>");
            out.decimal(dst.into());
            out.text(b"</dport>");
        }
        Layer4::Keys => {
            out.text(b"<srckey>0x");
            out.hex(src);
            out.text(b"</srckey><dstkey>0x");
            out.hex(dst);
            out.text(b"</dstkey>");
        }
        Layer4::Icmp | Layer4::Nothing => {}
    }
}

/// The `when` element with the local time; nothing, and `false`, if there is no such time.
pub(super) fn now(out: &mut Writer<'_>, style: &Style<'_>) -> bool {
    let Some(time) = style.clock.local(style.clock.now(), false) else { return false };
    when(out, &time);
    true
}

fn direction(out: &mut Writer<'_>, tuple: &Tuple, zone: bool, counted: Option<&Counters>) {
    open_layer3(out, tuple.l3proto);
    addresses(out, tuple);
    out.text(b"</layer3>");
    open_layer4(out, tuple.l4proto);
    layer4(out, tuple);
    out.text(b"</layer4>");
    if zone {
        number(out, b"<zone>", tuple.zone.into(), b"</zone>");
    }
    if let Some(Counters { packets, bytes }) = counted {
        number(out, b"<counters><packets>", *packets, b"</packets><bytes>");
        out.decimal(*bytes);
        out.text(b"</bytes></counters>");
    }
}

/// What opens the part on neither direction. The security context does not.
const INDEPENDENT: Presence = Presence::of(&[
    Attr::TcpState,
    Attr::SctpState,
    Attr::DccpState,
    Attr::Timeout,
    Attr::Mark,
    Attr::Secmark,
    Attr::Zone,
    Attr::Use,
    Attr::Status,
    Attr::Id,
    Attr::Connlabels,
    Attr::TimestampStart,
    Attr::TimestampStop,
]);

fn independent(out: &mut Writer<'_>, ct: &Conntrack, style: &Style<'_>) {
    let enclosed = ct.flat.present.has_any(INDEPENDENT);
    if enclosed {
        out.text(b"<meta direction=\"independent\">");
    }
    state(out, ct);
    marks(out, ct, style);
    status(out, ct);
    times(out, ct, style);
    if enclosed {
        out.text(b"</meta>");
    }
}

fn state(out: &mut Writer<'_>, ct: &Conntrack) {
    let [state, ..] = ct.flat.protoinfo.0;
    // All three have the names of TCP: programs have learnt to expect them.
    for attr in [Attr::TcpState, Attr::SctpState, Attr::DccpState] {
        if ct.has(attr) {
            string(out, b"<state>", names::TCP.name(state), b"</state>");
        }
    }
    if ct.has(Attr::Timeout) {
        number(out, b"<timeout>", ct.flat.timeout.into(), b"</timeout>");
    }
}

fn marks(out: &mut Writer<'_>, ct: &Conntrack, style: &Style<'_>) {
    if ct.has(Attr::Mark) {
        number(out, b"<mark>", ct.flat.mark.into(), b"</mark>");
    }
    if let (Some(map), true) = (style.labels, ct.has(Attr::Connlabels)) {
        out.text(b"<labels>");
        for name in label_names(ct, map) {
            string(out, b"<label>", name, b"</label>");
        }
        out.text(b"</labels>");
    }
    if ct.has(Attr::Secmark) {
        number(out, b"<secmark>", ct.flat.secmark.into(), b"</secmark>");
    }
    if ct.has(Attr::Secctx) {
        let context = ct.heap.secctx.as_ref().map_or(names::NO_STRING, Text::as_bytes);
        string(out, b"<secctx>", context, b"</secctx>");
    }
    if ct.has(Attr::Zone) {
        number(out, b"<zone>", ct.flat.zone.into(), b"</zone>");
    }
    if ct.has(Attr::Use) {
        number(out, b"<use>", ct.flat.use_count.into(), b"</use>");
    }
    if ct.has(Attr::Id) {
        number(out, b"<id>", ct.flat.id.into(), b"</id>");
    }
}

fn status(out: &mut Writer<'_>, ct: &Conntrack) {
    if ct.has(Attr::Status) {
        if ct.flat.status & ips::ASSURED != 0 {
            out.text(b"<assured/>");
        }
        if ct.flat.status & ips::SEEN_REPLY == 0 {
            out.text(b"<unreplied/>");
        }
    }
}

fn times(out: &mut Writer<'_>, ct: &Conntrack, style: &Style<'_>) {
    let Flat { start, stop, .. } = ct.flat;
    let [started, stopped] = [Attr::TimestampStart, Attr::TimestampStop].map(|attr| ct.has(attr));
    if style.shows(SHOW_TIMESTAMPS) && (started || stopped) {
        out.text(b"<timestamp>");
        if started {
            number(out, b"<start>", start, b"</start>");
        }
        if stopped {
            number(out, b"<stop>", stop, b"</stop>");
        }
        out.text(b"</timestamp>");
    }
    if started {
        let lasted = match stopped {
            true => time::seconds(stop.wrapping_sub(start)),
            false => (style.clock.now() as u64).wrapping_sub(time::seconds(start)),
        };
        number(out, b"<deltatime>", lasted, b"</deltatime>");
    }
}
