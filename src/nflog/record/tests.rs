//! Records of every attribute, whole and damaged.
#![forbid(unsafe_code)]

use super::fill::nanoseconds;
use super::layout::{ENDS, PacketField, PacketRecord};
use crate::netlink::message::Message;
use crate::nflog::tests::{packet, whole, with};
use crate::uapi::nful;

const FIELDS: [PacketField; 22] = [
    PacketField::Message,
    PacketField::Header,
    PacketField::Mark,
    PacketField::Timestamp,
    PacketField::Indev,
    PacketField::Outdev,
    PacketField::Physindev,
    PacketField::Physoutdev,
    PacketField::Hwaddr,
    PacketField::Payload,
    PacketField::Prefix,
    PacketField::Uid,
    PacketField::Seq,
    PacketField::SeqGlobal,
    PacketField::Gid,
    PacketField::Hwtype,
    PacketField::Hwheader,
    PacketField::Conntrack,
    PacketField::ConntrackInfo,
    PacketField::Vlan,
    PacketField::L2header,
    PacketField::Received,
];

#[test]
fn every_attribute_goes_into_the_record() {
    let message = whole();
    let record = PacketRecord::of(&message).unwrap();
    for field in FIELDS {
        assert_eq!(record.has(field), field != PacketField::Received, "{field:?}");
    }
    assert_eq!((record.group, record.family), (258, 7));
    assert_eq!((record.hw_protocol, record.hook, record.hwtype), (0x86dd, 3, 772));
    let devices = [record.indev, record.outdev, record.physindev, record.physoutdev];
    assert_eq!(devices, [4, 5, 6, 7].map(|number| 0x0102_0300 + number));
    let numbers = [record.mark, record.uid, record.seq, record.seq_global, record.gid];
    assert_eq!(numbers, [2, 11, 12, 13, 14].map(|number| 0x0102_0300 + number));
    assert_eq!((record.timestamp, record.conntrack_info), (3_000_009_000, 4));
    assert_eq!((record.hwaddr_length, record.hwaddr), (6, [1, 2, 3, 4, 5, 6, 0, 0]));
    assert_eq!((record.vlan_protocol, record.vlan_tci), (0x88a8, 0xb123));
    let parts = [record.prefix, record.hwheader, record.l2header, record.payload];
    let bytes = parts.map(|part| part.of(&message).unwrap());
    assert_eq!(bytes, [&b"ab"[..], b"he", b"link", b"data"]);
    assert_eq!(record.conntrack.of(&message).unwrap()[4..], [0, 0, 0, 7]);
    assert_eq!(record.message.of(&message), Some(&message[..]));
    assert_eq!(record.message.of(&message[1..]), None);
}

#[test]
fn parts_are_places_in_the_buffer_that_has_the_message() {
    let mut record = PacketRecord::default();
    let message = whole();
    record.fill(&Message::first(&message).unwrap(), 1000);
    let buffer = [&[0; 1000][..], &message].concat();
    assert_eq!(record.payload.of(&buffer), Some(&b"data"[..]));
    assert_eq!(record.message.of(&buffer), Some(&message[..]));
}

#[test]
fn an_attribute_alone_leaves_all_else_empty() {
    for number in 1..=22 {
        let record = PacketRecord::of(&with(number, &[0, 1, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1]));
        let record = record.unwrap();
        let short = matches!(number, nful::TIMESTAMP | nful::HWLEN | nful::VLAN | 22);
        let expected = 1 | u64::from(!short) << number;
        assert_eq!(record.present, expected, "{number}");
        let empty = PacketRecord::of(&with(number, &[])).unwrap();
        let part = matches!(number, nful::PAYLOAD | nful::HWHEADER | nful::CT | nful::L2HDR);
        assert_eq!(empty.present, 1 | u64::from(part) << number, "{number}");
        let all = PacketRecord { present: 1, message: empty.message, ..Default::default() };
        let of = |record| PacketRecord { group: 258, family: 7, ..record };
        assert!(part || empty == of(all), "{number}");
    }
    assert_eq!(PacketRecord::of(&whole()[..40]), None);
}

#[test]
fn what_a_shorter_record_lacks_is_absent() {
    let whole = PacketRecord::of(&whole()).unwrap();
    for size in (8..=size_of::<PacketRecord>()).step_by(8) {
        let cut = PacketRecord::from_bytes(&whole.as_bytes()[..size]).unwrap();
        for (field, end) in ENDS {
            assert_eq!(cut.has(*field), whole.has(*field) && *end <= size, "{field:?} {size}");
        }
    }
    let known = FIELDS.iter().filter(|field| ENDS.iter().any(|(of, _)| of == *field));
    assert_eq!(known.count(), FIELDS.len());
}

#[test]
fn a_time_beyond_64_bits_is_absent() {
    let times = [(3, 9), (0, 0), (u64::MAX, 0), (1, u64::MAX), (18_446_744_073, 709_551)];
    let expected = [Some(3_000_009_000), Some(0), None, None, Some(u64::MAX - 615)];
    assert_eq!(times.map(nanoseconds), expected);
}

#[test]
fn of_several_attributes_of_a_number_the_last_counts() {
    let twice = |second: &[u8]| {
        let message = packet(|to| {
            to.put_be32(nful::MARK, 7);
            to.put(nful::MARK, second);
        });
        let record = PacketRecord::of(&message).unwrap();
        (record.has(PacketField::Mark), record.mark)
    };
    assert_eq!((twice(&[0, 0, 0, 9]), twice(&[0, 0, 9])), ((true, 9), (false, 0)));
}
