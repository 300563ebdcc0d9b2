//! Messages of a real kernel, decoded and encoded again, cut short and damaged.

use ctrs::conntrack::dump::Listed;
use ctrs::conntrack::object::attr::Attr;
use ctrs::conntrack::object::entry::Conntrack;
use ctrs::conntrack::object::expectation::Expect;
use ctrs::conntrack::wire::{decode, encode, expect};
use ctrs::netlink::builder::{Builder, Header};
use ctrs::netlink::message::Message;
use ctrs::uapi::cta;
use ctrs::{Flow, Tuple};
use serde_json::{Value, json};

/// The messages about flows, and some that only claim to be.
fn corpus() -> Vec<(String, Vec<u8>)> {
    capi_tests::corpus::messages(|file| file != "12-nflog.hex")
}

/// The conntrack entries of the corpus: NEW and DELETE messages of the subsystem.
fn entries() -> Vec<(String, Vec<u8>)> {
    let is_entry = |(_, bytes): &(String, Vec<u8>)| {
        let message = Message::first(bytes).unwrap();
        message.subsystem() == cta::SUBSYS_CT && [0, 2].contains(&message.number())
    };
    corpus().into_iter().filter(is_entry).collect()
}

fn decoded(bytes: &[u8]) -> Conntrack {
    let message = Message::first(bytes).unwrap();
    let mut ct = Conntrack::new();
    decode::conntrack(&mut ct, message.attributes(), message.family()).unwrap();
    ct
}

fn encoded(ct: &Conntrack, family: u8) -> Vec<u8> {
    let mut buffer = vec![0; 4096];
    let mut builder = Builder::message(&mut buffer, Header { family, ..Header::default() });
    encode::conntrack(&mut builder, ct).unwrap();
    let length = builder.finish().unwrap();
    buffer.truncate(length);
    buffer
}

/// The attributes of a request that an entry of the kernel has too, as bytes by number.
fn attributes(bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let message = Message::first(bytes).unwrap();
    ctrs::netlink::message::Attributes::new(message.attributes())
        .map(|attribute| (attribute.kind, attribute.value.to_vec()))
        .collect()
}

#[test]
fn the_corpus_is_whole() {
    assert_eq!(corpus().len(), 298);
    assert!(entries().len() > 150, "{}", entries().len());
}

#[test]
fn what_is_decoded_is_encoded_as_the_kernel_sent_it() {
    for (description, bytes) in entries() {
        let family = Message::first(&bytes).unwrap().family();
        if decoded(&bytes).get(Attr::OrigL4Proto) == Some(&[libc::IPPROTO_DCCP as u8]) {
            // A kernel without a DCCP tracker sends no ports; a request always has them.
            continue;
        }
        let sent = attributes(&bytes);
        for (kind, value) in attributes(&encoded(&decoded(&bytes), family)) {
            let original = sent.iter().find(|(other, _)| *other == kind);
            let Some((_, original)) = original else { panic!("{description}: {kind} is new") };
            match kind {
                cta::PROTOINFO | cta::TUPLE_ORIG | cta::TUPLE_REPLY => {
                    // The members may stand in another order.
                    let sorted = |bytes: &[u8]| {
                        let mut bytes = bytes.to_vec();
                        bytes.sort_unstable();
                        bytes
                    };
                    assert_eq!(sorted(&value), sorted(original), "{description}: {kind}");
                }
                // A status is always sent as confirmed.
                cta::STATUS => {
                    let [a, b, c, d] = original[..] else { panic!() };
                    assert_eq!(value, [a, b, c, d | 8], "{description}");
                }
                _ => assert_eq!(&value, original, "{description}: {kind}"),
            }
        }
    }
}

#[test]
fn encoding_what_was_encoded_changes_nothing() {
    for (description, bytes) in entries() {
        let family = Message::first(&bytes).unwrap().family();
        let once = encoded(&decoded(&bytes), family);
        assert_eq!(encoded(&decoded(&once), family), once, "{description}");
    }
}

/// Decodes bytes as both kinds of objects and uses the result; the bytes may be anything.
fn survive(bytes: &[u8]) {
    let Some(message) = Message::first(bytes) else { return };
    let mut ct = Conntrack::new();
    let _ = decode::conntrack(&mut ct, message.attributes(), message.family());
    let _ = ct.to_string();
    let mut buffer = [0; 4096];
    let mut builder = Builder::message(&mut buffer, Header::default());
    if encode::conntrack(&mut builder, &ct).is_ok() {
        let _ = builder.finish();
    }
    let mut object = Expect::new();
    expect::decode(&mut object, message.attributes(), message.family());
    expect::encode(&mut Builder::new(&mut buffer, 20), &object);
}

#[test]
fn a_message_cut_at_any_length_is_decoded_as_far_as_it_goes() {
    for (description, bytes) in corpus() {
        for length in 0..bytes.len() {
            let mut cut = bytes[..length].to_vec();
            if let Some(field) = cut.first_chunk_mut() {
                *field = (length as u32).to_ne_bytes();
            }
            survive(&cut);
            if length < 16 {
                assert!(Message::first(&cut).is_none(), "{description}: {length}");
            }
        }
    }
}

#[test]
fn a_message_cut_before_an_attribute_lacks_only_what_follows() {
    for (description, bytes) in entries() {
        let whole = decoded(&bytes);
        let cut: Vec<_> = bytes[..bytes.len() - 4].to_vec();
        let mut ct = Conntrack::new();
        decode::conntrack(&mut ct, &cut[20..], bytes[16]).unwrap();
        for attr in Attr::all().filter(|attr| ct.has(*attr)) {
            assert!(whole.has(attr), "{description}: {attr:?}");
            assert_eq!(ct.get(attr), whole.get(attr), "{description}: {attr:?}");
        }
    }
}

#[test]
fn any_byte_may_be_anything() {
    for (_, bytes) in corpus() {
        for at in 0..bytes.len() {
            for value in [0, 1, 3, 4, 5, 0x7f, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                survive(&damaged);
            }
        }
    }
}

/// What the feature `serde` writes of a message's flow.
fn written(bytes: &[u8]) -> (Flow, Value) {
    let message = Message::first(bytes).unwrap();
    let mut flow = Flow::default();
    flow.read(&message).unwrap();
    let value = serde_json::to_value(&flow).unwrap();
    (flow, value)
}

#[test]
fn tuples_of_flows_are_written_so_that_they_are_read_again() {
    for (description, bytes) in entries() {
        let (flow, value) = written(&bytes);
        let tuple = |name: &str| {
            // Of some flows the kernel tells a part of a tuple, which is none.
            value.get(name).and_then(|tuple| serde_json::from_value::<Tuple>(tuple.clone()).ok())
        };
        for (name, told) in [("original", flow.tuple()), ("reply", flow.reply())] {
            match (tuple(name), told) {
                // Of DCCP the kernel tells no ports, and a tuple of it has 0.
                (None, Some(_)) => assert_eq!(value[name]["protocol"], "dccp", "{description}"),
                (read, told) => assert_eq!(read, told, "{description}"),
            }
        }
        assert_eq!(tuple("master"), flow.master(), "{description}");
    }
}

#[test]
fn flows_are_written_as_they_were_told() {
    let of = |start: &str| entries().into_iter().find(|(it, _)| it.starts_with(start)).unwrap().1;
    let (_, value) = written(&of("dump: plain IPv4 table with acct+timestamp"));
    let side = json!({ "flags": 0x23, "flags_mask": 0, "window_scale": 10 });
    let flow = json!({
        "original": { "family": "ipv4", "src": "10.1.0.2", "dst": "10.2.0.2",
                      "protocol": "tcp", "sport": 40003, "dport": 80 },
        "reply": { "family": "ipv4", "src": "10.2.0.2", "dst": "10.1.0.2",
                   "protocol": "tcp", "sport": 80, "dport": 40003 },
        "id": 1_627_002_122,
        "mark": 0,
        "use": 1,
        "status": ["seen_reply", "assured", "confirmed"],
        "timeout": 431_987,
        "tcp": { "state": "ESTABLISHED", "original": side, "reply": side },
        "counters": { "original": { "packets": 4, "bytes": 221 },
                      "reply": { "packets": 3, "bytes": 169 } },
        "start": { "sec": 1_795_191_250, "nsec": 71_666_109 },
    });
    assert_eq!(value, flow);
}
