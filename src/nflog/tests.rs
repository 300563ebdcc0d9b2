//! Packets of every attribute, whole and damaged.
#![forbid(unsafe_code)]

use super::packet::Packet;
use super::values::{CtInfo, CtState, Vlan};
use super::xml::XmlParts;
use crate::conntrack::values::Direction;
use crate::netlink::builder::{Builder, Header};
use crate::uapi::{cta, nful};
use std::time::{Duration, UNIX_EPOCH};

/// A message of type `kind` for group 258 with what `put` puts.
fn message(kind: u16, put: impl Fn(&mut Builder<'_>)) -> Vec<u8> {
    let mut buffer = vec![0; 1024];
    let header = Header { kind, family: 7, resource: 258, ..Header::default() };
    let mut builder = Builder::message(&mut buffer, header);
    put(&mut builder);
    let length = builder.finish().unwrap();
    buffer.truncate(length);
    buffer
}

pub(super) fn packet(put: impl Fn(&mut Builder<'_>)) -> Vec<u8> {
    message(nful::PACKET, put)
}

/// A packet with one attribute.
pub(super) fn with(kind: u16, value: &[u8]) -> Vec<u8> {
    packet(|to| to.put(kind, value))
}

const TIMESTAMP: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 9];
const HW: [u8; 12] = [0, 6, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/// A packet of all attributes.
pub(super) fn whole() -> Vec<u8> {
    packet(|to| {
        to.put(nful::PACKET_HDR, &[0x86, 0xdd, 3, 0]);
        to.put_text(nful::PREFIX, b"ab");
        for kind in [nful::MARK, 4, 5, 6, 7, nful::UID, nful::SEQ, nful::SEQ_GLOBAL, nful::GID] {
            to.put_be32(kind, 0x0102_0300 + u32::from(kind));
        }
        to.put(nful::TIMESTAMP, &TIMESTAMP);
        to.put(nful::HWADDR, &HW);
        to.put_be16(nful::HWTYPE, 772);
        to.put_be16(nful::HWLEN, 2);
        to.put(nful::HWHEADER, b"head");
        let nest = to.begin(nful::CT);
        to.put_be32(cta::ID, 7);
        to.end(nest);
        to.put_be32(nful::CT_INFO, 4);
        let nest = to.begin(nful::VLAN);
        to.put_be16(nful::VLAN_TCI, 0xb123);
        to.put_be16(nful::VLAN_PROTO, 0x88a8);
        to.end(nest);
        to.put(nful::L2HDR, b"link");
        to.put(nful::PAYLOAD, b"data");
    })
}

#[test]
fn every_attribute_is_told() {
    let bytes = whole();
    let packet = Packet::read(&bytes).unwrap();
    assert_eq!((packet.group(), packet.family(), packet.message()), (258, 7, &bytes[..]));
    assert_eq!((packet.hook(), packet.protocol()), (Some(3), Some(0x86dd)));
    assert_eq!((packet.prefix(), packet.prefix_lossy().as_deref()), (Some(&b"ab"[..]), Some("ab")));
    let devices = [packet.indev(), packet.outdev(), packet.physindev(), packet.physoutdev()];
    assert_eq!(devices, [4, 5, 6, 7].map(|number| Some(0x0102_0300 + number)));
    let numbers = [packet.mark(), packet.uid(), packet.seq(), packet.seq_global(), packet.gid()];
    assert_eq!(numbers, [2, 11, 12, 13, 14].map(|number| Some(0x0102_0300 + number)));
    let time = UNIX_EPOCH + Duration::new(3, 9_000);
    assert_eq!((packet.timestamp(), packet.raw_timestamp()), (Some(time), Some((3, 9))));
    assert_eq!(packet.hardware_address(), Some(&HW[4..10]));
    assert_eq!((packet.hardware_type(), packet.hardware_header()), (Some(772), Some(&b"he"[..])));
    assert_eq!(packet.conntrack_id(), Some(7));
    let related = CtInfo { state: CtState::Related, direction: Direction::Reply };
    assert_eq!((packet.conntrack_info(), packet.raw_conntrack_info()), (Some(related), Some(4)));
    let vlan = packet.vlan().unwrap();
    assert_eq!(vlan, Vlan { protocol: 0x88a8, tci: 0xb123 });
    assert_eq!((vlan.id(), vlan.priority(), vlan.drop_eligible()), (0x123, 5, true));
    assert_eq!((packet.link_header(), packet.payload()), (Some(&b"link"[..]), Some(&b"data"[..])));
    let kinds: Vec<_> = packet.attributes().map(|(kind, _)| kind).collect();
    assert_eq!((kinds.len(), kinds[0], kinds[20]), (21, nful::PACKET_HDR, nful::PAYLOAD));
}

/// What a packet has, one bit for each part.
fn parts(packet: &Packet<'_>) -> u32 {
    let parts = [
        packet.hook().is_some() && packet.protocol().is_some(),
        packet.mark().is_some(),
        packet.timestamp().is_some(),
        packet.indev().is_some(),
        packet.outdev().is_some(),
        packet.physindev().is_some(),
        packet.physoutdev().is_some(),
        packet.hardware_address().is_some(),
        packet.payload().is_some(),
        packet.prefix().is_some(),
        packet.uid().is_some(),
        packet.seq().is_some(),
        packet.seq_global().is_some(),
        packet.gid().is_some(),
        packet.hardware_type().is_some(),
        packet.hardware_header().is_some(),
        packet.hardware_length().is_some(),
        packet.conntrack_attributes().is_some(),
        packet.conntrack_info().is_some(),
        packet.vlan().is_some(),
        packet.link_header().is_some(),
    ];
    parts.iter().rev().fold(0, |bits, part| bits << 1 | u32::from(*part))
}

#[test]
fn a_part_that_is_missing_or_short_is_absent() {
    let bytes = whole();
    let whole = Packet::read(&bytes).unwrap();
    assert_eq!(parts(&whole), (1 << 21) - 1);
    assert_eq!(parts(&Packet::read(&packet(|_| ())).unwrap()), 0);
    let any_length = [nful::PAYLOAD, nful::HWHEADER, nful::CT, nful::L2HDR];
    for (kind, value) in whole.attributes() {
        let bit = 1 << (kind - 1);
        for length in 0..=value.len() {
            let bytes = with(kind, &value[..length]);
            // The padding of the last tag is none of its value.
            let needed = value.len() - if kind == nful::VLAN { 2 } else { 0 };
            let has = length >= needed || any_length.contains(&kind);
            let expected = if has { bit } else { 0 };
            assert_eq!(parts(&Packet::read(&bytes).unwrap()), expected, "{kind}: {length}");
        }
        let longer = with(kind, &[value, &[0; 9]].concat());
        assert_eq!(parts(&Packet::read(&longer).unwrap()), bit, "longer {kind}");
    }
}

#[test]
fn a_packet_cut_at_any_length_is_none_or_has_less() {
    let bytes = whole();
    for length in 0..bytes.len() {
        assert!(Packet::read(&bytes[..length]).is_none());
        let mut cut = bytes[..length].to_vec();
        if let Some(field) = cut.first_chunk_mut() {
            *field = (length as u32).to_ne_bytes();
        }
        assert_eq!(Packet::read(&cut).is_some(), length >= 20, "{length}");
        if let Some(packet) = Packet::read(&cut) {
            assert_ne!(parts(&packet), (1 << 21) - 1);
            let told = packet.attributes().filter(|(kind, _)| packet.attribute(*kind).is_some());
            assert_eq!(told.count(), packet.attributes().count());
        }
    }
}

#[test]
fn addresses_and_headers_are_no_longer_than_they_are() {
    let hw = |length: u16| with(nful::HWADDR, &[&length.to_be_bytes()[..], &HW[2..]].concat());
    for length in 0..=8 {
        let bytes = hw(length);
        let address = Packet::read(&bytes).unwrap().hardware_address().unwrap();
        assert_eq!(address.len(), usize::from(length));
    }
    for length in [9, 255, 256, 65_535] {
        assert_eq!(Packet::read(&hw(length)).unwrap().hardware_address(), None);
    }
    for (told, expected) in [(0, &b""[..]), (3, b"hea"), (4, b"head"), (5, b"head")] {
        let bytes = packet(|to| {
            to.put_be16(nful::HWLEN, told);
            to.put(nful::HWHEADER, b"head");
        });
        assert_eq!(Packet::read(&bytes).unwrap().hardware_header(), Some(expected));
    }
}

#[test]
fn the_last_of_equal_attributes_counts_and_unknown_ones_do_not() {
    let bytes = packet(|to| {
        to.put_be32(nful::MARK, 1);
        to.put_be32(nful::MARK | 0x8000, 2);
        to.put_be32(nful::MARK | 0x4000, 3);
        to.put_be32(0, 4);
        to.put_be32(22, 5);
        to.put_be32(0x7fff, 6);
    });
    let packet = Packet::read(&bytes).unwrap();
    assert_eq!((packet.mark(), packet.attributes().count()), (Some(2), 6));
    for number in [0, 22, 0x4002, u16::MAX] {
        assert_eq!(packet.attribute(number), None);
    }
    let short = self::packet(|to| {
        to.put_be32(nful::MARK, 1);
        to.put(nful::MARK, &[2]);
    });
    assert_eq!(Packet::read(&short).unwrap().mark(), None);
}

#[test]
fn times_beyond_all_calendars_are_none() {
    for (value, expected) in [
        ([0xff; 16], None),
        ([0; 16], Some(UNIX_EPOCH)),
        (u128::from(u64::MAX).to_be_bytes(), Some(UNIX_EPOCH + Duration::from_micros(u64::MAX))),
    ] {
        assert_eq!(Packet::read(&with(nful::TIMESTAMP, &value)).unwrap().timestamp(), expected);
    }
}

#[test]
fn messages_about_something_else_are_no_packets() {
    for kind in [nful::PACKET + 1, 0x0100, 3, 0] {
        assert!(Packet::read(&message(kind, |_| ())).is_none());
    }
}

#[test]
fn a_copy_says_the_same() {
    let bytes = whole();
    let copy = Packet::read(&bytes).unwrap().copied().unwrap();
    drop(bytes);
    assert_eq!((parts(&copy.packet()), copy.packet().message()), ((1 << 21) - 1, &whole()[..]));
}

/// A packet as XML, checked for every size of the buffer.
fn xml(bytes: &[u8], parts: XmlParts) -> String {
    let xml = Packet::read(bytes).unwrap().xml(parts);
    let mut whole = [0xaa; 512];
    let length = xml.write(&mut whole);
    for size in 1..=length {
        let mut cut = [0xaa; 512];
        assert_eq!(xml.write(&mut cut[..size]), length);
        assert_eq!((&cut[..size - 1], cut[size - 1], cut[size]), (&whole[..size - 1], 0, 0xaa));
    }
    let text = String::from_utf8_lossy(&whole[..length]).into_owned();
    assert_eq!((xml.to_string(), xml.write(&mut [])), (text.clone(), length));
    text
}

#[test]
fn xml_has_the_parts_that_are_asked_for_in_their_order() {
    let bytes = whole();
    let all = XmlParts::all() - XmlParts::TIME;
    let pieces = [
        (XmlParts::PREFIX, "<prefix>ab</prefix>"),
        (XmlParts::empty(), "<hook>3</hook>"),
        (XmlParts::HW, "<hw><proto>86dd</proto><src>010203040506</src></hw>"),
        (XmlParts::MARK, "<mark>16909058</mark>"),
        (XmlParts::DEV, "<indev>16909060</indev><outdev>16909061</outdev>"),
        (XmlParts::PHYSDEV, "<physindev>16909062</physindev><physoutdev>16909063</physoutdev>"),
        (XmlParts::CTID, "<ctid>7</ctid>"),
        (XmlParts::PAYLOAD, "<payload>64617461</payload>"),
    ];
    let joined = |of: XmlParts| {
        let pieces = pieces.iter().filter(|(part, _)| of.contains(*part));
        format!("<log>{}</log>", pieces.map(|(_, text)| *text).collect::<String>())
    };
    for parts in (0..256).map(XmlParts::from_bits_retain).filter(|parts| all.contains(*parts)) {
        assert_eq!(xml(&bytes, parts), joined(parts));
    }
    assert_eq!(xml(&packet(|_| ()), all), "<log></log>");
    let time = XmlParts::TIME;
    assert!(Packet::read(&bytes).unwrap().xml(time).to_string().starts_with("<log><when><hour>"));
}

#[test]
fn xml_leaves_out_numbers_that_are_0_and_has_empty_strings() {
    let bytes = packet(|to| {
        to.put_text(nful::PREFIX, b"");
        (nful::MARK..=nful::IFINDEX_PHYSOUTDEV).for_each(|kind| to.put_be32(kind, 0));
        to.put(nful::PAYLOAD, b"");
        to.put_text(nful::PREFIX, b"\xff<");
    });
    let text = "<log><prefix>\u{fffd}<</prefix><payload></payload></log>";
    assert_eq!(xml(&bytes, XmlParts::all() - XmlParts::TIME), text);
    let long = with(nful::PAYLOAD, &[0xa5; 700]);
    let text = Packet::read(&long).unwrap().xml(XmlParts::PAYLOAD).to_string();
    assert_eq!(text, format!("<log><payload>{}</payload></log>", "a5".repeat(700)));
}
