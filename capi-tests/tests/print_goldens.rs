//! Recorded texts: every line of `goldens/print.jsonl` printed by the Rust API, into buffers of
//! every size.

use capi_tests::attributes::{Attribute, entries, expectations};
use capi_tests::corpus::{host_order, unhex};
use ctrs::conntrack::error::Error;
use ctrs::conntrack::labels::bitmask::Bitmask;
use ctrs::conntrack::labels::map::LabelMap;
use ctrs::conntrack::object::attr::Attr;
use ctrs::conntrack::object::entry::{Conntrack, Slot};
use ctrs::conntrack::object::expectation::{Expect, ExpectAttr};
use ctrs::conntrack::print::{self, Style};
use ctrs::text::time::Utc;
use ctrs::text::writer::Writer;
use serde_json::Value;
use std::net::{Ipv4Addr, Ipv6Addr};

const GOLDENS: &str = include_str!("../goldens/print.jsonl");
const LINES: usize = 593;
/// Bytes of a netlink header and of the netfilter header behind it.
const HEADERS: usize = 20;
/// Where the address family lies in those.
const FAMILY: usize = 16;

/// Texts that differ from the recorded ones: there, the address family of a message's tuple went to
/// another tuple of the expectation.
const MENDED: [(&str, &str); 5] = [
    ("msg-exp-partial-tuple-only-def", "proto=6 src=10.0.0.2 dst=10.0.0.1 sport=0 dport=41739"),
    (
        "msg-exp-partial-master-only-def",
        "proto=0 master-src=10.0.0.1 master-dst=10.0.0.2 sport=36390 dport=21",
    ),
    (
        "msg-exp-partial-mask-only-def",
        "proto=0 mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535",
    ),
    (
        "msg-exp-partial-tuple-mask-def",
        "proto=6 src=10.0.0.2 dst=10.0.0.1 sport=0 dport=41739 \
         mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535",
    ),
    (
        "msg-exp-partial-master-tuple-def",
        "proto=6 src=10.0.0.2 dst=10.0.0.1 sport=0 dport=41739 \
         master-src=10.0.0.1 master-dst=10.0.0.2 sport=36390 dport=21",
    ),
];

enum Object {
    Entry(Box<Conntrack>),
    Expectation(Box<Expect>),
}

#[test]
fn goldens_print_in_full_and_cut() {
    let mut lines = 0;
    for line in GOLDENS.lines() {
        check(&serde_json::from_str(line).unwrap());
        lines += 1;
    }
    assert_eq!(lines, LINES);
}

fn check(golden: &Value) {
    let name = &golden["name"];
    let object = object(golden);
    let text = golden["labels"].as_str().unwrap_or_default();
    let labels = LabelMap::parse(text.as_bytes()).unwrap();
    let style = Style {
        message: number(&golden["msg_type"]) as u32,
        format: number(&golden["out_type"]) as u32,
        flags: number(&golden["out_flags"]) as u32,
        labels: labels.as_ref(),
        clock: &Utc,
    };
    let expected = expected(golden);
    let result = match (golden["ret"].as_i64(), golden["errno"].as_i64()) {
        (Some(-1), Some(0)) => Err(Error::Unprintable),
        (Some(-1), _) => Err(Error::UnknownFormat(style.format)),
        _ => Ok(()),
    };
    for size in (0..=expected.len() + 2).chain([8192]) {
        let mut buf = vec![0xaa; size];
        let mut out = Writer::new(&mut buf);
        let got = match &object {
            Object::Entry(ct) => print::conntrack(&mut out, ct, &style),
            Object::Expectation(expect) => print::expect(&mut out, expect, &style),
        };
        assert_eq!(got, result, "{name} into {size} bytes");
        assert_eq!(out.finish(), expected.len(), "{name} into {size} bytes");
        check_buffer(&buf, expected, &format!("{name} into {size} bytes"));
    }
}

/// The text that is due; on failure, what is written before it.
fn expected(golden: &Value) -> &[u8] {
    let text = golden["expect"].as_str().unwrap_or_default();
    let ret = golden["ret"].as_i64();
    assert!(ret == Some(-1) || ret == Some(text.len() as i64), "{}", golden["name"]);
    let mended = MENDED.iter().find(|(name, _)| golden["name"] == *name);
    mended.map_or(text, |(_, text)| text).as_bytes()
}

/// The start of the text, a NUL, and nothing else but the NUL of a trimmed blank.
fn check_buffer(buf: &[u8], expected: &[u8], what: &str) {
    let Some(room) = buf.len().checked_sub(1) else { return };
    let fits = expected.len().min(room);
    assert_eq!(lossy(&buf[..fits]), lossy(&expected[..fits]), "{what}");
    assert_eq!(buf[fits], 0, "{what}");
    assert!(buf.iter().skip(fits + 2).all(|byte| *byte == 0xaa), "{what}: beyond the text");
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn object(golden: &Value) -> Object {
    let message = golden["nlmsg"].as_str().map(|hex| host_order(unhex(hex)));
    if golden["kind"] == "ct" {
        let mut ct = Conntrack::new();
        if let Some(message) = message {
            ctrs::conntrack::wire::decode::conntrack(&mut ct, &message[HEADERS..], message[FAMILY])
                .unwrap();
        }
        set_all(&mut ct, &golden["attrs"]);
        return Object::Entry(Box::new(ct));
    }
    let mut expect = Expect::new();
    if let Some(message) = message {
        ctrs::conntrack::wire::expect::decode(&mut expect, &message[HEADERS..], message[FAMILY]);
    }
    for [name, kind, value] in triples(&golden["attrs"]) {
        set_expect(&mut expect, expect_attr(name), kind.as_str().unwrap(), value);
    }
    Object::Expectation(Box::new(expect))
}

/// The `[attribute, type, value]` entries of a list.
fn triples(list: &Value) -> impl Iterator<Item = [&Value; 3]> {
    list.as_array().unwrap().iter().map(|entry| [&entry[0], &entry[1], &entry[2]])
}

fn set_all(ct: &mut Conntrack, attrs: &Value) {
    for [name, kind, value] in triples(attrs) {
        let attr = attr(name);
        match kind.as_str().unwrap() {
            "unset" => ct.unset(attr),
            "bits" => ct.set_labels(bitmask(value), attr == Attr::ConnlabelsMask),
            _ if attr == Attr::HelperInfo => {
                ct.set_helper_info(value.as_str().unwrap().as_bytes()).unwrap();
            }
            kind => ct.set(attr, slot(kind, value)),
        }
    }
}

fn set_expect(expect: &mut Expect, attr: ExpectAttr, kind: &str, value: &Value) {
    match kind {
        "unset" => expect.unset(attr),
        "str" => {
            // C programs give longer ones, which are cut.
            let room = expectations()[attr as usize].bytes - 1;
            let name = value.as_str().unwrap().as_bytes();
            expect.set_name(attr, &name[..name.len().min(room)]).unwrap();
        }
        "ct" => {
            let mut ct = Conntrack::new();
            set_all(&mut ct, value);
            expect.set_tuple(attr, &ct).unwrap();
        }
        _ => expect.set_number(attr, number(value) as u32).unwrap(),
    }
}

/// The number of a name in the table of attributes.
fn number_of(rows: &[Attribute], name: &Value) -> u32 {
    let row = rows.iter().find(|row| name == row.name);
    row.unwrap_or_else(|| panic!("{name} is unknown")).number
}

fn attr(name: &Value) -> Attr {
    Attr::try_from(number_of(entries(), name)).unwrap()
}

fn expect_attr(name: &Value) -> ExpectAttr {
    ExpectAttr::try_from(number_of(expectations(), name)).unwrap()
}

fn bitmask(value: &Value) -> Bitmask {
    let mut mask = Bitmask::new(number(&value[0]) as u32).unwrap().unwrap();
    value[1].as_array().unwrap().iter().for_each(|bit| mask.set(number(bit) as u32));
    mask
}

/// The value as its setter would find it in memory.
fn slot(kind: &str, value: &Value) -> Slot {
    let text = || value.as_str().unwrap();
    let bytes = match kind {
        "u8" => vec![number(value) as u8],
        "u16" => (number(value) as u16).to_ne_bytes().to_vec(),
        "u32" => (number(value) as u32).to_ne_bytes().to_vec(),
        "u64" => number(value).to_ne_bytes().to_vec(),
        "be16" => (number(value) as u16).to_be_bytes().to_vec(),
        "ipv4" => text().parse::<Ipv4Addr>().unwrap().octets().to_vec(),
        "ipv6" => text().parse::<Ipv6Addr>().unwrap().octets().to_vec(),
        "str" => text().as_bytes().to_vec(),
        kind => panic!("{kind} is unknown"),
    };
    let mut slot = Slot::default();
    slot.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    slot
}
