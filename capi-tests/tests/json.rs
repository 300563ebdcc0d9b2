//! Flows as JSON: what a schema validator, jq and serde make of them.
#![forbid(unsafe_code)]

mod schema;

use ctrs::conntrack::object::attr::{Attr, Storage};
use ctrs::conntrack::object::entry::Conntrack;
use ctrs::conntrack::wire::decode;
use ctrs::conntrack::{json, labels::bitmask::Bitmask};
use ctrs::netlink::message::Message;
use ctrs::text::json::Reader;
use ctrs::text::writer::Writer;
use ctrs::{Change, Flow, LabelMap};
use schema::{ask, validated};
use std::process::Command;

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % limit
    }

    fn slot(&mut self) -> [u8; 16] {
        std::array::from_fn(|_| self.below(256) as u8)
    }
}

/// Messages about entries that a real kernel has sent.
fn recorded() -> Vec<Vec<u8>> {
    let mut all = schema::recorded();
    all.retain(|bytes| {
        let message = Message::first(bytes).unwrap();
        message.subsystem() == 1 && [0, 2].contains(&message.number())
    });
    all
}

fn decoded(bytes: &[u8]) -> Conntrack {
    let mut ct = Conntrack::new();
    decode::as_far_as_possible(&mut ct, &Message::first(bytes).unwrap()).unwrap();
    ct
}

/// Entries as the kernel tells them, and such with other bytes in places and with more attributes.
fn varied(variations: usize) -> Vec<Conntrack> {
    let mut dice = Dice(1);
    let mut all = Vec::new();
    for message in recorded() {
        all.push(decoded(&message));
        for _ in 0..variations {
            let mut bytes = message.clone();
            for _ in 0..dice.below(6) {
                let at = 20 + dice.below(bytes.len() - 20);
                bytes[at] = dice.below(256) as u8;
            }
            let mut ct = decoded(&bytes);
            for _ in 0..dice.below(4) {
                add(&mut ct, &mut dice);
            }
            all.push(ct);
        }
    }
    all
}

/// Sets an attribute that goes with the others.
fn add(ct: &mut Conntrack, dice: &mut Dice) {
    let attr = Attr::try_from(dice.below(76) as u32).unwrap();
    match attr.row().storage {
        Storage::HelperInfo => ct.set_helper_info(&dice.slot()[..dice.below(16)]).unwrap(),
        Storage::Labels => {
            let mut labels = Bitmask::new(127).unwrap().unwrap();
            (0..dice.below(4)).for_each(|_| labels.set(dice.below(128) as u32));
            ct.set_labels(labels, attr == Attr::ConnlabelsMask);
        }
        Storage::Plain(_) | Storage::Range { .. } if attr > Attr::ReplL4Proto => {
            ct.set(attr, dice.slot());
        }
        _ => {}
    }
}

fn names() -> LabelMap {
    LabelMap::parse(&b"1 one\n2 two words\n33 three-3\n"[..]).unwrap().unwrap()
}

fn written(ct: &Conntrack, style: &json::Style<'_>) -> String {
    let mut room = vec![0; 1 << 16];
    let mut out = Writer::new(&mut room);
    json::write(&mut out, ct, style);
    let length = out.finish();
    String::from_utf8(room[..length].to_vec()).unwrap()
}

/// What is written is what docs/flow.schema.json describes, and that describes nothing else.
#[test]
fn the_schema_takes_all_that_is_written_and_nothing_damaged() {
    let (map, mut dice) = (names(), Dice(2));
    let entries = varied(15);
    let lines: String = entries
        .iter()
        .map(|ct| {
            let style = json::Style {
                message: [0, 1, 2, 4][dice.below(4)],
                flags: [0, json::STRINGS][dice.below(2)],
                labels: Some(&map).filter(|_| dice.below(2) == 0),
            };
            written(ct, &style) + "\n"
        })
        .collect();
    let (told, mut members) = validated("flow.schema.json", &lines);
    assert_eq!(told["lines"], entries.len());
    assert!(entries.len() > 3000 && told["refused"].as_u64().unwrap() > 9000, "{told}");
    // All that the schema tells of came to pass.
    let mut seen: Vec<String> = serde_json::from_value(told["members"].clone()).unwrap();
    // What a master has is that of any tuple.
    for all in [&mut seen, &mut members] {
        all.retain(|member| !member.starts_with("master."));
    }
    assert_eq!(seen, members);
}

/// jq 1.6 keeps numbers as doubles. What it makes of lines that have no larger ones is read as before.
#[test]
fn lines_go_through_jq() {
    let style = json::Style { flags: json::STRINGS, ..json::Style::default() };
    let lines: Vec<String> = varied(2).iter().map(|ct| written(ct, &style)).collect();
    let out = ask(Command::new("jq").args(["-c", "."]), &(lines.join("\n") + "\n"));
    assert_eq!(out.lines().count(), lines.len());
    for (before, after) in lines.iter().zip(out.lines()) {
        let [before, after] = [&**before, after].map(|text| Flow::from_json(text).ok());
        assert!(before == after);
    }
}

/// The feature `serde` writes the same text, and reads it.
#[test]
fn serde_gives_the_same_json() {
    for ct in varied(0) {
        let flow = Flow::from_json(written(&ct, &json::Style::default())).unwrap();
        values(&flow, &serde_json::to_value(&flow).unwrap());
    }
    let mut read = 0;
    for ct in varied(5) {
        let plain = written(&ct, &json::Style::default());
        let Ok(flow) = Flow::from_json(&plain) else { continue };
        assert_eq!(flow.json().to_string(), plain);
        assert_eq!(serde_json::to_string(&flow).unwrap(), plain);
        let value: serde_json::Value = serde_json::from_str(&plain).unwrap();
        assert_eq!(serde_json::from_str::<Flow>(&plain).unwrap(), flow);
        assert_eq!(serde_json::from_value::<Flow>(value).unwrap(), flow);
        read += 1;
    }
    assert!(read > 500, "{read}");
}

/// The parts of a flow are written as the flow writes them.
fn values(flow: &Flow, value: &serde_json::Value) {
    let part = |member: &str, value: serde_json::Value, of: &serde_json::Value| {
        if !value.is_null() {
            assert_eq!(of[member], value, "{member}");
        }
    };
    let json = |value: Option<ctrs::Tuple>| serde_json::to_value(value).unwrap();
    let zoneless = |member: &str| {
        let mut tuple = value[member].clone();
        tuple.as_object_mut().map(|tuple| tuple.remove("zone"));
        serde_json::json!({ member: tuple })
    };
    // A tuple of DCCP has ports of 0 where the kernel told none.
    let told = |tuple: &ctrs::Tuple, member: &str| {
        tuple.protocol() != ctrs::Protocol::Dccp || value[member].get("sport").is_some()
    };
    let original = flow.tuple().filter(|tuple| told(tuple, "original"));
    part("original", json(original), &zoneless("original"));
    part("reply", json(flow.reply().filter(|tuple| told(tuple, "reply"))), &zoneless("reply"));
    part("master", json(flow.master()), value);
    part("id", serde_json::to_value(flow.id()).unwrap(), value);
    part("synproxy", serde_json::to_value(flow.synproxy()).unwrap(), value);
    part("sctp", serde_json::to_value(flow.sctp_info()).unwrap(), value);
    part("labels", serde_json::to_value(flow.labels()).unwrap(), value);
    if value.get("status").is_some() {
        part("status", serde_json::to_value(flow.status()).unwrap(), value);
    }
}

#[test]
fn an_event_is_its_flow_and_what_happened() {
    let flow = Flow::from_json(r#"{"mark":1}"#).unwrap();
    assert_eq!(flow.json().event(Change::Destroy).to_string(), r#"{"event":"destroy","mark":1}"#);
    let error = serde_json::from_str::<Flow>(r#"{"mark":null}"#).unwrap_err().to_string();
    assert!(error.contains("a number is expected here"), "{error}");
}

/// What is JSON and what is none, another reader says too: of texts with some bytes changed.
#[test]
fn the_reader_is_as_strict_as_another() {
    let style = json::Style { message: 1, ..json::Style::default() };
    let mut texts: Vec<Vec<u8>> = varied(0).iter().map(|ct| written(ct, &style).into()).collect();
    texts.extend([
        br#" [1.5e+3, -0, 0.1E-2, true, false, null, "\u00e4\ud83d\ude00\\\"\/\b\f\n\r\t", {}] "#
            .to_vec(),
        "{\"ä€😀\":[[],{\"a\":{}}],\"b\":12345678901234567890}\r\n\t".as_bytes().to_vec(),
    ]);
    let mut dice = Dice(3);
    let (mut taken, mut refused) = (0, 0);
    for text in texts.iter().cycle().take(30_000) {
        let mut text = text.clone();
        for _ in 0..dice.below(3) {
            let at = dice.below(text.len());
            match dice.below(4) {
                0 => drop(text.remove(at)),
                1 => text.truncate(at.max(1)),
                2 => text[at] = br#"{}[]",:\/019-+.eEtfnul dD8c"#[dice.below(27)],
                _ => text[at] = dice.below(256) as u8,
            }
        }
        let theirs = serde_json::from_slice::<serde_json::Value>(&text);
        let mut reader = Reader::new(&text);
        let ours = reader.skip().and_then(|()| reader.end());
        // A number of JSON may be too large for a double.
        let too_large = matches!(&theirs, Err(error) if error.to_string().contains("out of range"));
        assert!(
            theirs.is_ok() == ours.is_ok() || too_large,
            "{:?}",
            String::from_utf8_lossy(&text)
        );
        *(if ours.is_ok() { &mut taken } else { &mut refused }) += 1;
    }
    assert!(taken > 5000 && refused > 5000, "{taken} {refused}");
}
