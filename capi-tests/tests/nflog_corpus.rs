//! Logged packets of a real kernel, cut short and damaged, as Rust and C read them.

use ctrs::capi::nflog::data::{Attributes, Data};
use ctrs::capi::nflog::nlmsg::{nflog_nlmsg_parse, nflog_nlmsg_snprintf};
use ctrs::capi::nflog::packet::*;
use ctrs::capi::nflog::print::nflog_snprintf_xml;
use ctrs::capi::nflog::types::nflog_data;
use ctrs::netlink::message::Message;
use ctrs::nflog::packet::Packet;
use ctrs::nflog::xml::XmlParts;
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::ptr::null_mut;

fn packets() -> Vec<(String, Vec<u8>)> {
    let mut messages = capi_tests::corpus::messages(|file| file.ends_with("-nflog.hex"));
    messages.retain(|(_, bytes)| Packet::read(bytes).is_some());
    messages
}

const ALL: XmlParts = XmlParts::all().difference(XmlParts::TIME);

/// The first bytes of a message, said to be all of it.
fn cut(message: &[u8], length: usize) -> Vec<u8> {
    let mut cut = message[..length].to_vec();
    if let Some(field) = cut.first_chunk_mut() {
        *field = (length as u32).to_ne_bytes();
    }
    cut
}

/// What Rust and C tell of the same packet is the same.
fn agree(message: &[u8]) {
    let Some(packet) = Packet::read(message) else { return };
    let attributes = Attributes::of(&Message::first(message).unwrap());
    let mut data = Data::of(&attributes);
    let data: *mut nflog_data = (&raw mut data).cast();
    let mut number = 0;
    let mut payload = null_mut();
    // SAFETY: a packet, whose attributes are in the message; room for what is stored.
    unsafe {
        assert_eq!(!nflog_get_msg_packet_hdr(data).is_null(), packet.hook().is_some());
        assert_eq!(!nflog_get_prefix(data).is_null(), packet.prefix().is_some());
        assert_eq!(!nflog_get_packet_hw(data).is_null(), packet.hardware_address().is_some());
        assert_eq!(nflog_get_hwtype(data), packet.hardware_type().unwrap_or(0));
        assert_eq!(nflog_get_nfmark(data), packet.mark().unwrap_or(0));
        assert_eq!(nflog_get_indev(data), packet.indev().unwrap_or(0));
        assert_eq!(nflog_get_outdev(data), packet.outdev().unwrap_or(0));
        assert_eq!(nflog_get_physindev(data), packet.physindev().unwrap_or(0));
        assert_eq!(nflog_get_physoutdev(data), packet.physoutdev().unwrap_or(0));
        let header = packet.hardware_header().unwrap_or_default();
        assert!(usize::from(nflog_get_msg_packet_hwhdrlen(data)) <= header.len());
        let length = nflog_get_payload(data, &raw mut payload);
        assert_eq!(usize::try_from(length).ok(), packet.payload().map(<[u8]>::len));
        let got = nflog_get_uid(data, &raw mut number);
        assert_eq!((got == 0).then_some(number), packet.uid());
        let got = nflog_get_ctid(data, &raw mut number);
        assert_eq!((got == 0).then_some(number), packet.conntrack_id());
        let length = nflog_snprintf_xml(null_mut(), 0, data, ALL.bits() as c_int);
        assert_eq!(length as usize, packet.xml(ALL).write(&mut []));
    }
    let _ = (packet.timestamp(), packet.vlan(), packet.conntrack_info(), packet.link_header());
}

/// What the functions of libmnl's manner make of a message.
fn parsed(message: &[u8]) -> (c_int, usize, c_int) {
    let mut places = [null_mut(); 20];
    let (nlh, array) = (message.as_ptr().cast(), places.as_mut_ptr());
    // SAFETY: a message of the length that it says, an array of 20 places.
    unsafe {
        let parsed = nflog_nlmsg_parse(nlh, array);
        let length = nflog_nlmsg_snprintf(null_mut(), 0, nlh, array, 0, ALL.bits());
        (parsed, places.iter().filter(|place| !place.is_null()).count(), length)
    }
}

#[test]
fn the_corpus_has_packets_of_every_family() {
    let mut families = BTreeMap::new();
    for (_, bytes) in packets() {
        *families.entry(Packet::read(&bytes).unwrap().family()).or_insert(0) += 1;
        agree(&bytes);
        let packet = Packet::read(&bytes).unwrap();
        let known = packet.attributes().filter(|(kind, _)| *kind <= 19).count();
        let xml = packet.xml(ALL).write(&mut []);
        assert_eq!(parsed(&bytes), (1, known, xml as c_int));
    }
    // IPv4, ARP, devices, bridges, IPv6.
    let expected = [(2, 78), (3, 2), (5, 19), (7, 36), (10, 14)];
    assert_eq!(families, BTreeMap::from(expected));
}

#[test]
fn a_packet_cut_at_any_length_has_what_came_before() {
    for (description, bytes) in packets() {
        let whole: Vec<_> = Packet::read(&bytes).unwrap().attributes().collect();
        for length in 0..bytes.len() {
            let cut = cut(&bytes, length);
            agree(&cut);
            let Some(packet) = Packet::read(&cut) else {
                assert!(length < 20, "{description}: {length}");
                continue;
            };
            let left: Vec<_> = packet.attributes().collect();
            assert_eq!(left, whole[..left.len()], "{description}: {length}");
            let missing = whole[left.len()..].iter().map(|(kind, _)| *kind);
            assert!(missing.clone().all(|kind| packet.attribute(kind).is_none()), "{description}");
            let (result, found, _) = parsed(&cut);
            let known = left.iter().filter(|(kind, _)| *kind <= 19).count();
            assert_eq!((result, found), (1, known), "{description}: {length}");
        }
    }
}

#[test]
fn any_byte_of_a_packet_may_be_anything() {
    for (_, mut bytes) in packets() {
        for at in 0..bytes.len() {
            let byte = bytes[at];
            for value in [0, 3, 5, 0x7f, 0xff] {
                bytes[at] = value;
                agree(&bytes);
                if Message::first(&bytes).is_some() {
                    parsed(&bytes);
                }
            }
            bytes[at] = byte;
        }
    }
}
