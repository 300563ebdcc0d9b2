//! Comparison answers as recorded from libnetfilter_conntrack, given by the Rust API.

use capi_tests::attributes::expectations;
use ctrs::conntrack::labels::bitmask::Bitmask;
use ctrs::conntrack::object::attr::Attr;
use ctrs::conntrack::object::compare;
use ctrs::conntrack::object::entry::Conntrack;
use ctrs::conntrack::object::expectation::{Expect, ExpectAttr};
use serde_json::Value;

/// A pair of objects as lists of `[attribute, kind, value]`, how to compare, and the answer.
const GOLDENS: &str = include_str!("../goldens/compare.jsonl");

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a number: {value}"))
}

fn entries(list: &Value) -> impl Iterator<Item = (u32, &str, &Value)> {
    list.as_array().unwrap().iter().map(|entry| {
        let kind = entry[1].as_str().unwrap();
        (number(&entry[0]) as u32, kind, &entry[2])
    })
}

/// The bytes of a value, as many as its kind has.
fn bytes(kind: &str, value: &Value) -> Vec<u8> {
    match kind {
        "u8" => vec![number(value) as u8],
        // Bytes in memory: ports, of which those of ICMP are parts.
        "u16" => (number(value) as u16).to_le_bytes().into(),
        "u32" => (number(value) as u32).to_ne_bytes().into(),
        "u64" => number(value).to_ne_bytes().into(),
        "str" => value.as_str().unwrap().into(),
        "hex" => {
            let text = value.as_str().unwrap();
            let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            (0..text.len()).step_by(2).map(byte).collect()
        }
        _ => panic!("unknown kind {kind}"),
    }
}

fn labels(value: &Value) -> Bitmask {
    let mut labels = Bitmask::new(number(&value["max"]) as u32).unwrap().unwrap();
    value["set"].as_array().unwrap().iter().for_each(|bit| labels.set(number(bit) as u32));
    labels
}

fn conntrack(list: &Value) -> Conntrack {
    let mut ct = Conntrack::new();
    for (attr, kind, value) in entries(list) {
        let attr = Attr::try_from(attr).unwrap();
        match kind {
            "unset" => ct.unset(attr),
            "labels" => ct.set_labels(labels(value), attr == Attr::ConnlabelsMask),
            _ => {
                let mut slot = [0; 16];
                slot.iter_mut().zip(bytes(kind, value)).for_each(|(to, from)| *to = from);
                ct.set(attr, slot);
            }
        }
    }
    ct
}

fn expect(list: &Value) -> Expect {
    let mut expect = Expect::new();
    for (attr, kind, value) in entries(list) {
        let attr = ExpectAttr::try_from(attr).unwrap();
        match kind {
            "unset" => expect.unset(attr),
            "tuple" => expect.set_tuple(attr, &conntrack(value)).unwrap(),
            "str" => {
                // C programs give longer ones, which are cut.
                let room = expectations()[attr as usize].bytes - 1;
                let name = bytes(kind, value).into_iter().take_while(|byte| *byte != 0).take(room);
                expect.set_name(attr, &name.collect::<Vec<_>>()).unwrap();
            }
            _ => expect.set_number(attr, number(value) as u32).unwrap(),
        }
    }
    expect
}

#[test]
fn answers_are_those_recorded() {
    let mut compared = 0;
    for line in GOLDENS.lines() {
        let golden: Value = serde_json::from_str(line).unwrap();
        let flags = number(&golden["flags"]) as u32;
        let (a, b) = (&golden["a"], &golden["b"]);
        let answer = match golden["fn"].as_str().unwrap() {
            "nfct_cmp" => compare::conntrack(&conntrack(a), &conntrack(b), flags),
            "nfexp_cmp" => compare::expect(&expect(a), &expect(b), flags),
            other => panic!("unknown function {other}"),
        };
        assert_eq!(u64::from(answer), number(&golden["expect"]), "{line}");
        compared += 1;
    }
    assert_eq!(compared, 1260);
}
