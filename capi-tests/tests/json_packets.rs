//! Packets as JSON: what a schema validator makes of them.
#![forbid(unsafe_code)]

#[allow(dead_code, reason = "each test program uses some")]
mod schema;

use capi_tests::corpus::message_kind;
use ctrs::Packet;
use schema::{recorded, validated};
use std::time::{Duration, UNIX_EPOCH};

const CT: u16 = 18;
const CT_INFO: u16 = 19;
const PREFIX: u16 = 10;

/// A message with one more attribute.
fn with(message: &[u8], kind: u16, value: &[u8]) -> Vec<u8> {
    let header = [(value.len() + 4) as u16, kind].map(u16::to_ne_bytes).concat();
    let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
    let mut message = [message, &header, value, &padding].concat();
    let length = message.len() as u32;
    message[..4].copy_from_slice(&length.to_ne_bytes());
    message
}

/// An ICMP error in place of the payload, about it.
fn error(message: &[u8]) -> Option<Vec<u8>> {
    const PAYLOAD: u16 = 9;
    let payload = Packet::read(message)?.payload();
    let payload = payload.filter(|payload| payload.len() >= 28 && payload[0] == 0x45)?;
    let length = (28 + payload.len()) as u16;
    let mut header = [&[0x45, 0][..], &length.to_be_bytes(), &[0, 0, 0, 0, 64, 1, 0, 0]].concat();
    header.extend([9, 9, 9, 9]);
    header.extend(&payload[12..16]);
    Some(with(message, PAYLOAD, &[&header, &[3, 1, 0, 0, 0, 0, 0, 0][..], payload].concat()))
}

/// Packets that the kernel has sent, and such with flows, errors and other prefixes.
fn varied() -> Vec<Vec<u8>> {
    let (packets, others): (Vec<_>, Vec<_>) =
        recorded().into_iter().partition(|message| message_kind(message) == [4, 0]);
    let mut flows = others.iter().filter(|message| message_kind(message) == [1, 0]).cycle();
    let mut all = packets.clone();
    for (packet, info) in packets.iter().step_by(2).zip((0..6).cycle()) {
        let packet = with(packet, CT, &flows.next().unwrap()[20..]);
        all.push(with(&packet, CT_INFO, &[0, 0, 0, info]));
        all.push(with(&packet, PREFIX, &[0xff, b'"', info, 0]));
        all.extend(error(&packet));
    }
    all
}

#[test]
fn the_schema_takes_all_that_is_written_and_nothing_damaged() {
    let messages = varied();
    let mut lines = String::new();
    for (message, at) in messages.iter().zip(0..) {
        let json = Packet::read(message).unwrap().json();
        let json = if at % 2 == 0 { json.wide_numbers_as_strings() } else { json };
        let received = UNIX_EPOCH + Duration::new(at, at as u32);
        lines += &(json.received(received).to_string() + "\n");
    }
    let (told, members) = validated("packet.schema.json", &lines);
    assert_eq!(told["lines"], messages.len());
    assert!(messages.len() > 300 && told["refused"].as_u64().unwrap() > 900, "{told}");
    // All that the schema tells of came to pass; what others describe is tested with those.
    let seen: Vec<String> = serde_json::from_value(told["members"].clone()).unwrap();
    let own = |member: &String| {
        let whole = ["flow", "tuple", "inside", "timestamp", "received"];
        !whole.iter().any(|name| member.starts_with(&format!("{name}.")))
    };
    assert_eq!(seen.into_iter().filter(own).collect::<Vec<_>>(), members);
}
