//! A packet as XML.
#![forbid(unsafe_code)]

use super::attr::Find;
use super::packet::Packet;
use crate::text::display::display;
use crate::text::time::{Clock, Utc};
use crate::text::writer::Writer;
use crate::text::xml::{hex, number, string, when};
use crate::uapi::nful;
use std::fmt;

bitflags::bitflags! {
    /// What of a packet is told as XML, besides its hook.
    ///
    /// ```
    /// use ctrs::XmlParts;
    /// assert_eq!((XmlParts::PREFIX | XmlParts::PAYLOAD).bits(), 33);
    /// ```
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct XmlParts: u32 {
        /// The rule's prefix, byte for byte.
        const PREFIX = 1;
        /// Protocol and hardware address.
        const HW = 2;
        /// The mark, unless it is 0.
        const MARK = 4;
        /// The devices' indices.
        const DEV = 8;
        /// The indices of a bridge's ports.
        const PHYSDEV = 16;
        /// The payload in hexadecimal.
        const PAYLOAD = 32;
        /// The time at which it is printed: the packet's own is not told.
        const TIME = 64;
        /// The id of the packet's flow.
        const CTID = 128;
    }
}

/// Numbers that are told unless they are 0: with which parts, of which attribute, and their tags.
const NUMBERS: [(XmlParts, u16, &[u8], &[u8]); 5] = [
    (XmlParts::MARK, nful::MARK, b"<mark>", b"</mark>"),
    (XmlParts::DEV, nful::IFINDEX_INDEV, b"<indev>", b"</indev>"),
    (XmlParts::DEV, nful::IFINDEX_OUTDEV, b"<outdev>", b"</outdev>"),
    (XmlParts::PHYSDEV, nful::IFINDEX_PHYSINDEV, b"<physindev>", b"</physindev>"),
    (XmlParts::PHYSDEV, nful::IFINDEX_PHYSOUTDEV, b"<physoutdev>", b"</physoutdev>"),
];

/// Prints a `log` element.
pub fn print<'a, F: Find<'a>>(
    out: &mut Writer<'_>,
    packet: &Packet<'a, F>,
    parts: XmlParts,
    clock: &dyn Clock,
) {
    out.text(b"<log>");
    let now = || clock.local(clock.now(), false);
    if let Some(time) = parts.contains(XmlParts::TIME).then(now).flatten() {
        when(out, &time);
    }
    if let Some(prefix) = packet.prefix().filter(|_| parts.contains(XmlParts::PREFIX)) {
        string(out, b"<prefix>", prefix, b"</prefix>");
    }
    header(out, packet, parts);
    for (part, kind, open, close) in NUMBERS {
        if let Some(value) = packet.be32(kind).filter(|value| *value != 0 && parts.contains(part)) {
            number(out, open, value.into(), close);
        }
    }
    if parts.contains(XmlParts::CTID) {
        if let Some(id) = packet.conntrack_id() {
            number(out, b"<ctid>", id.into(), b"</ctid>");
        }
    }
    if let Some(payload) = packet.payload().filter(|_| parts.contains(XmlParts::PAYLOAD)) {
        hex(out, b"<payload>", payload, b"</payload>");
    }
    out.text(b"</log>");
}

/// What is told with the header: the hook, whatever the parts, and the hardware's.
fn header<'a, F: Find<'a>>(out: &mut Writer<'_>, packet: &Packet<'a, F>, parts: XmlParts) {
    let Some([a, b, hook, _]) = packet.header() else { return };
    number(out, b"<hook>", hook.into(), b"</hook>");
    if parts.contains(XmlParts::HW) {
        hex(out, b"<hw><proto>", &[a, b], b"</proto>");
        if let Some(address) = packet.hardware_address() {
            hex(out, b"<src>", address, b"</src>");
        }
        out.text(b"</hw>");
    }
}

/// A packet as XML: see [`Packet::xml`].
///
/// ```
/// use ctrs::{Packet, Xml, XmlParts};
///
/// /// Whether a text fits, with the NUL behind it.
/// fn fits(packet: &Packet<'_>, room: &mut [u8]) -> bool {
///     let xml: Xml<'_> = packet.xml(XmlParts::PREFIX | XmlParts::PAYLOAD);
///     xml.write(room) < room.len()
/// }
/// assert!(Packet::read(&[]).is_none_or(|packet| fits(&packet, &mut [0; 4096])));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Xml<'a> {
    packet: Packet<'a>,
    parts: XmlParts,
}

impl<'a> Packet<'a> {
    /// The packet as XML on one line, as `ulogd` writes it: prefix and all else as it is, for nothing
    /// is escaped. Times are UTC.
    ///
    /// ```
    /// use ctrs::{Packet, XmlParts};
    ///
    /// fn print(message: &[u8]) -> Option<String> {
    ///     Some(Packet::read(message)?.xml(XmlParts::all() - XmlParts::TIME).to_string())
    /// }
    /// assert_eq!(print(b"no message"), None);
    /// ```
    #[must_use]
    pub fn xml(&self, parts: XmlParts) -> Xml<'a> {
        Xml { packet: *self, parts }
    }
}

impl Xml<'_> {
    /// Writes as much of the text as `room` has room for, and a NUL behind it, and returns the length
    /// of the whole text.
    pub fn write(&self, room: &mut [u8]) -> usize {
        let mut out = Writer::new(room);
        print(&mut out, &self.packet, self.parts, &Utc);
        out.finish()
    }
}

/// What is not UTF-8 is replaced.
impl fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(f, &|out| print(out, &self.packet, self.parts, &Utc))
    }
}
