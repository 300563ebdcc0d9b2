//! Logged packets of a real kernel, whole and cut short, as Rust and C read them.

#[path = "../../fuzz/src/lib.rs"]
mod bodies;

use ctrs::capi::nflog::nlmsg::{nflog_nlmsg_parse, nflog_nlmsg_snprintf};
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

/// The body of the fuzz target: what Rust and C tell of the packet is the same, among other things.
fn look(message: &[u8]) {
    let (_, body) = *bodies::BODIES.iter().find(|(name, _)| *name == "nflog").unwrap();
    body(&[&[0, 0xff, 100, 0, 0, 0, 0], message].concat());
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
        look(&bytes);
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
            look(&cut);
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
