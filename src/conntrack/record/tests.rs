//! What goes into a record comes back out of it.
#![forbid(unsafe_code)]

use super::layout::{ExpectationRecord, FlowRecord, TupleRecord};
use super::places::{Form, Place};
use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::object::attr::{Attr, Storage};
use crate::conntrack::object::entry::{Conntrack, Tuple};
use crate::conntrack::object::expectation::{EXPECT_ATTR_COUNT, Expect, ExpectAttr};
use crate::record::Record;

/// Bytes that differ from place to place, none of them zero.
fn bytes(seed: u8) -> impl Iterator<Item = u8> {
    (0..).map(move |at: u8| (at.wrapping_mul(7) ^ seed) | 1)
}

/// Gives an object a value of the attribute, as a message of the kernel may.
fn give(ct: &mut Conntrack, attr: Attr, seed: u8) {
    let row = attr.row();
    match row.storage {
        Storage::Labels => {
            let mut labels = Bitmask::new(127).unwrap().unwrap();
            (0..128)
                .filter(|bit| (bit * 7 + u32::from(seed)) % 5 == 0)
                .for_each(|bit| labels.set(bit));
            ct.set_labels(labels, attr == Attr::ConnlabelsMask);
        }
        Storage::Name(_) => {
            ct.set_helper_name(&bytes(seed).take(seed as usize % 16).collect::<Vec<_>>())
        }
        Storage::HelperInfo => ct.set_helper_info(&[seed; 3]).unwrap(),
        Storage::Context => ct.set_value(row, 0),
        storage => {
            let length = storage.width()
                + if let Storage::Range { stride, .. } = storage { stride.into() } else { 0 };
            let slot = &mut ct.flat.bytes_mut()[row.offset.into()..][..length];
            slot.iter_mut().zip(bytes(seed)).for_each(|(to, from)| *to = from);
            ct.flat.present.set(attr);
        }
    }
}

/// All that an object has, as a program asks for it.
fn told(ct: &Conntrack) -> Vec<(Attr, Vec<u8>)> {
    let stored = |attr: &Attr| Place::of(*attr).form != Form::Nowhere;
    let value = |attr: Attr| {
        let labels = match attr {
            Attr::Connlabels => ct.labels(),
            Attr::ConnlabelsMask => ct.labels_mask(),
            _ => return ct.get(attr).unwrap().to_vec(),
        };
        labels.unwrap().words().iter().flat_map(|word| word.to_ne_bytes()).collect()
    };
    ct.flat.present.iter().filter(stored).map(|attr| (attr, value(attr))).collect()
}

fn back(record: &FlowRecord) -> Conntrack {
    let mut ct = Conntrack::new();
    give(&mut ct, Attr::Secmark, 9);
    record.to(&mut ct).unwrap();
    ct
}

#[test]
fn every_attribute_alone_comes_back_and_all_else_is_zero() {
    for attr in Attr::all() {
        for seed in [1, 15, 0x80, 0xff] {
            let mut ct = Conntrack::new();
            ct.flat.bytes_mut().fill(0xee);
            ct.flat.present = Default::default();
            give(&mut ct, attr, seed);
            let record = FlowRecord::of(&ct);
            let (place, stored) = (Place::of(attr), Place::of(attr).form != Form::Nowhere);
            assert_eq!(record.has(attr), stored, "{attr:?}");
            let mine = usize::from(place.offset)..place.end(attr.row());
            let mut all = record;
            all.present = [0; 2];
            let reply = std::mem::offset_of!(FlowRecord, reply);
            for (at, byte) in all.as_bytes().iter().enumerate() {
                let of_reply = (reply..reply + size_of::<TupleRecord>()).contains(&at);
                assert!(*byte == 0 || stored && mine.contains(&at), "{attr:?} {at} {of_reply}");
            }
            assert_eq!(told(&back(&record)), told(&ct), "{attr:?}");
        }
    }
}

#[test]
fn all_attributes_together_come_back() {
    for seed in 0..=u8::MAX {
        let mut ct = Conntrack::new();
        Attr::all().for_each(|attr| give(&mut ct, attr, seed));
        let record = FlowRecord::of(&ct);
        assert_eq!(told(&back(&record)), told(&ct));
        assert_eq!(FlowRecord::of(&back(&record)), record);
    }
}

#[test]
fn every_two_attributes_come_back() {
    for one in Attr::all() {
        for other in Attr::all() {
            let mut ct = Conntrack::new();
            give(&mut ct, one, 0x35);
            give(&mut ct, other, 0xca);
            assert_eq!(told(&back(&FlowRecord::of(&ct))), told(&ct), "{one:?} {other:?}");
        }
    }
}

#[test]
fn numbers_are_in_host_order_and_addresses_are_bytes() {
    let mut ct = Conntrack::new();
    ct.flat.orig.src = [0xee; 16];
    ct.flat.orig.src[..4].copy_from_slice(&[192, 0, 2, 1]);
    ct.flat.orig.l4src = 40_000_u16.to_be_bytes();
    ct.flat.snat.min_port = 1024_u16.to_be_bytes();
    ct.flat.snat.max_port = 2047_u16.to_be_bytes();
    ct.flat.mark = 7;
    let given = [Attr::OrigIpv4Src, Attr::OrigPortSrc, Attr::SnatPort, Attr::Mark];
    given.iter().for_each(|attr| ct.flat.present.set(*attr));
    let record = FlowRecord::of(&ct);
    assert_eq!(record.orig.src, [192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!((record.orig.sport, record.mark), (40_000, 7));
    assert_eq!((record.snat.min_port, record.snat.max_port), (1024, 2047));
    assert_eq!(record.present, [1 | 1 << 8 | 1 << 22 | 1 << 25, 0]);
    let ct = back(&record);
    assert_eq!((ct.flat.snat.min_port, ct.flat.snat.max_port), ([4, 0], [7, 255]));
}

#[test]
fn labels_are_bits_of_bytes_and_end_at_127() {
    let mut labels = Bitmask::new(255).unwrap().unwrap();
    [0, 9, 127, 128, 255].iter().for_each(|bit| labels.set(*bit));
    let mut ct = Conntrack::new();
    ct.set_labels(labels, false);
    let record = FlowRecord::of(&ct);
    assert_eq!(record.labels, [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]);
    assert_eq!(back(&record).labels().unwrap().max_bit(), 127);
}

#[test]
fn the_reply_of_icmp_is_its_own_or_the_answer() {
    let mut ct = Conntrack::new();
    ct.flat.reply = Tuple { l4proto: 1, l4src: [0, 9], l4dst: [14, 3], ..Tuple::default() };
    ct.flat.orig =
        Tuple { l3proto: 2, l4proto: 1, l4src: [0, 8], l4dst: [13, 0], ..Tuple::default() };
    let given =
        [Attr::OrigL3Proto, Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId, Attr::ReplL4Proto];
    given.iter().for_each(|attr| ct.flat.present.set(*attr));
    let mut record = FlowRecord::of(&ct);
    let reply = |record: &FlowRecord| {
        let TupleRecord { icmp_type, icmp_code, icmp_id, .. } = record.reply;
        (icmp_type, icmp_code, icmp_id)
    };
    assert_eq!(reply(&record), (14, 3, 9));
    let flat = back(&record).flat;
    assert_eq!((flat.reply.l4src, flat.reply.l4dst), ([0, 9], [14, 3]));
    ct.unset(Attr::ReplL4Proto);
    record = FlowRecord::of(&ct);
    assert_eq!(reply(&record), (0, 0, 0));
    let flat = back(&record).flat;
    assert_eq!((flat.reply.l4src, flat.reply.l4dst), ([0, 8], [14, 0]));
}

#[test]
fn what_is_not_marked_as_present_counts_for_nothing() {
    let mut whole = FlowRecord::default();
    whole.as_bytes_mut().fill(0xff);
    whole.present = [0; 2];
    for attr in [Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId, Attr::Mark] {
        let mut garbage = whole;
        garbage.present[0] = 1 << attr as u32;
        let clean = FlowRecord::of(&back(&garbage));
        assert_eq!(back(&garbage).flat.bytes(), back(&clean).flat.bytes(), "{attr:?}");
    }
}

#[test]
fn what_is_cut_is_not_there() {
    let mut ct = Conntrack::new();
    Attr::all().for_each(|attr| give(&mut ct, attr, 5));
    let whole = FlowRecord::of(&ct);
    for size in (16..=size_of::<FlowRecord>()).step_by(8) {
        let mut cut = whole;
        cut.cut(size);
        for attr in Attr::all().filter(|attr| whole.has(*attr)) {
            assert_eq!(cut.has(attr), Place::of(attr).end(attr.row()) <= size, "{attr:?} {size}");
        }
    }
}

#[test]
fn attributes_of_newer_libraries_are_passed_over() {
    let record = FlowRecord { present: [0, u64::MAX << 12 | 1 << 1], ..FlowRecord::default() };
    assert!(back(&record).flat.present == Default::default(), "76 to 127, and ATTR_HELPER_INFO");
}

fn give_expectation(expect: &mut Expect, attr: ExpectAttr, seed: u8) {
    let mut tuple = Conntrack::new();
    let mut parts =
        Attr::all().filter(|attr| (*attr as u8) < 18 && !format!("{attr:?}").starts_with("Repl"));
    parts
        .by_ref()
        .filter(|attr| seed >> (*attr as u8 % 8) & 1 != 0)
        .for_each(|attr| give(&mut tuple, attr, seed));
    if seed % 3 == 0 {
        give(&mut tuple, Attr::OrigZone, seed);
    }
    let name: Vec<u8> = bytes(seed).take(seed as usize % 16).collect();
    let taken = [
        expect.set_tuple(attr, &tuple).is_ok(),
        expect.set_name(attr, &name).is_ok(),
        expect.set_number(attr, u32::from(seed) << 8 | 3).is_ok(),
    ];
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
}

fn told_of(expect: &Expect) -> Vec<String> {
    let attrs = (0..EXPECT_ATTR_COUNT).map(|number| ExpectAttr::try_from(number).unwrap());
    let value = |attr| match expect.tuple(attr) {
        Some(tuple) => format!("{attr:?} {:?}", told(tuple)),
        None => format!(
            "{attr:?} {:?} {:?} {:?}",
            expect.number(attr),
            expect.helper_name(),
            expect.function()
        ),
    };
    attrs.filter(|attr| expect.has(*attr)).map(value).collect()
}

#[test]
fn expectations_come_back() {
    for seed in 0..=u8::MAX {
        let mut all = Expect::new();
        for number in 0..EXPECT_ATTR_COUNT {
            let mut expect = Expect::new();
            let attr = ExpectAttr::try_from(number).unwrap();
            give_expectation(&mut expect, attr, seed);
            give_expectation(&mut all, attr, seed);
            for expect in [&expect, &all] {
                let record = ExpectationRecord::of(expect);
                let mut back = Expect::new();
                give_expectation(&mut back, ExpectAttr::Zone, 1);
                record.to(&mut back);
                assert_eq!(told_of(&back), told_of(expect), "{attr:?}");
            }
        }
    }
}

#[test]
fn an_expectation_that_is_cut_keeps_what_is_whole() {
    let mut expect = Expect::new();
    (0..EXPECT_ATTR_COUNT)
        .for_each(|n| give_expectation(&mut expect, ExpectAttr::try_from(n).unwrap(), 9));
    let mut record = ExpectationRecord::of(&expect);
    record.set_id(3);
    for (size, present) in
        [(320, 1 << 63 | 0x7ff), (288, 1 << 63 | 0x3ff), (272, 1 << 63 | 0x3bf), (8, 0)]
    {
        record.cut(size);
        assert_eq!(record.present, present, "{size}");
    }
}
