//! Event filters for the tests: the goldens, filters at their limits, and what a filter should say.
#![allow(dead_code, reason = "each test uses its part")]

use capi_tests::corpus::{host_order, message_kind, unhex};
use ctrs::conntrack::filter::event::{EventFilter, FilterAttr};
use serde_json::{Value, json};

/// The names the goldens use, by number of the attribute.
pub const NAMES: [&str; 8] =
    ["L4PROTO", "L4PROTO_STATE", "SRC_IPV4", "DST_IPV4", "SRC_IPV6", "DST_IPV6", "MARK", "ZONE"];

/// A datagram.
pub struct Message {
    pub desc: String,
    pub bytes: Vec<u8>,
    pub malformed: bool,
}

/// A filter and, for each message, whether it is accepted; `None` where that is not defined.
pub struct Case {
    pub desc: String,
    pub ops: Vec<Value>,
    pub verdicts: Vec<Option<bool>>,
}

/// The goldens, and how many instructions the reference needs for each case. They say nothing of
/// what is mended: entries beyond the reference's limits, and zones of one direction.
pub fn goldens() -> (Vec<Message>, Vec<(Case, usize)>) {
    let (mut messages, mut cases) = (Vec::new(), Vec::new());
    for line in include_str!("../../goldens/filter.jsonl").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        match text(&line, "kind") {
            "msg" => messages.push(message(&line)),
            _ => cases.push((case(&line), number(&line["insns"]) as usize)),
        }
    }
    assert_eq!((messages.len(), cases.len()), (89, 223));
    for (case, _) in &mut cases {
        let by_zone = entries(&case.ops, 7).next().is_some();
        for (message, verdict) in messages.iter().zip(&mut case.verdicts) {
            let mended = is_over_limits(&case.ops) || by_zone && has_zone_of_one_direction(message);
            *verdict = verdict.filter(|_| !mended);
        }
    }
    (messages, cases)
}

/// Whether a filter has more entries than the reference takes.
pub fn is_over_limits(ops: &[Value]) -> bool {
    let limits = [255, usize::MAX, 127, 127, 20, 20, 127, 127];
    (0..).zip(limits).any(|(attr, limit)| entries(ops, attr).count() > limit)
}

fn entries(ops: &[Value], attr: usize) -> impl Iterator<Item = &Value> {
    ops.iter().filter(move |op| op[0] == "add" && op[1] == NAMES[attr]).map(|op| &op[2])
}

fn has_zone_of_one_direction(message: &Message) -> bool {
    let has = |path: &[u16]| message.bytes.get(20..).and_then(|bytes| find(bytes, path)).is_some();
    !has(&[18]) && (has(&[1, 3]) || has(&[2, 3]))
}

fn message(line: &Value) -> Message {
    Message {
        desc: text(line, "desc").to_owned(),
        bytes: host_order(unhex(text(line, "hex"))),
        malformed: line.get("malformed").is_some(),
    }
}

fn case(line: &Value) -> Case {
    let intent = line.get("intent").and_then(Value::as_str).unwrap_or_default();
    Case {
        desc: text(line, "desc").to_owned(),
        ops: line["ops"].as_array().unwrap().clone(),
        verdicts: intent.chars().map(|c| (c != 'x').then_some(c == '1')).collect(),
    }
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap() as u32
}

fn words(value: &Value) -> [u32; 4] {
    std::array::from_fn(|at| number(&value[at]))
}

/// The filter that the operations make.
pub fn build(ops: &[Value]) -> EventFilter {
    let mut filter = EventFilter::new();
    for op in ops {
        let name = NAMES.iter().position(|name| op[1] == *name).unwrap();
        let (attr, value) = (FilterAttr::try_from(name as u32).unwrap(), &op[2]);
        if op[0] == "logic" {
            let _refused = filter.set_logic(attr, number(value));
            continue;
        }
        match attr {
            FilterAttr::L4Proto => filter.add_protocol(number(value)),
            FilterAttr::L4ProtoState => {
                filter.add_state(number(&value[0]) as u16, number(&value[1]) as u16);
            }
            FilterAttr::SrcIpv4 | FilterAttr::DstIpv4 => {
                filter.add_ipv4(attr, number(&value[0]), number(&value[1]));
            }
            FilterAttr::SrcIpv6 | FilterAttr::DstIpv6 => {
                filter.add_ipv6(attr, words(&value[0]), words(&value[1]));
            }
            FilterAttr::Mark => filter.add_mark(number(&value[0]), number(&value[1])),
            FilterAttr::Zone => filter.add_zone(number(value) as u16),
        }
    }
    filter
}

/// Filters with every list at its limit, for various logics from all positive to all negative, and
/// for masks that need the most instructions or whole addresses. What the messages hold is the
/// `at`th entry.
pub fn maximal(at: usize, whole: bool) -> Vec<Case> {
    let mut ops = Vec::new();
    for n in 0..127u32 {
        let mask = |n| if whole { u32::MAX } else { u32::MAX - 1 - (n & 1) * 4 };
        let hit = n as usize == at;
        let host = |hit_host| if hit { hit_host } else { 0x0a00_0100 + n * 16 };
        ops.push(json!(["add", "SRC_IPV4", [host(0x0a00_0001), mask(n)]]));
        ops.push(json!(["add", "DST_IPV4", [host(0x0a00_0002), mask(n)]]));
        ops.push(json!(["add", "MARK", [if hit { 0 } else { 0x100 + n * 16 }, mask(n)]]));
        ops.push(json!(["add", "ZONE", if hit { 0 } else { 100 + n }]));
    }
    for n in 0..20u32 {
        let mask = [if whole { u32::MAX } else { u32::MAX - 1 }; 4];
        let last = |hit| if n as usize == at % 20 { hit } else { 0x100 + n };
        ops.push(json!(["add", "SRC_IPV6", [[0x2001_0db8, 0, 0, last(1)], mask]]));
        ops.push(json!(["add", "DST_IPV6", [[0x2001_0db8, 0, 0, last(2)], mask]]));
    }
    for state in 0..16 {
        for protocol in [6, 33, 132] {
            ops.push(json!(["add", "L4PROTO_STATE", [protocol, state]]));
        }
    }
    // 255 of the 263 numbers; which eight are left out decides whether a message can hold one.
    let left_out = if whole { 255..263 } else { 10..18 };
    for protocol in (0..263).filter(|protocol| !left_out.contains(protocol)) {
        ops.push(json!(["add", "L4PROTO", protocol]));
    }
    (0..256).step_by(15).map(|logics| with_logics(&ops, logics)).collect()
}

fn with_logics(ops: &[Value], logics: u32) -> Case {
    let logic = |attr: usize| json!(["logic", NAMES[attr], logics >> attr & 1]);
    let ops: Vec<_> = ops.iter().cloned().chain((0..8).map(logic)).collect();
    Case { desc: format!("maximal, logics {logics:#b}"), ops, verdicts: Vec::new() }
}

/// Whether a filter should accept a well-formed message, without any program.
pub fn intended(ops: &[Value], message: &[u8]) -> bool {
    message_kind(message)[0] != 1 || (0..NAMES.len()).all(|attr| passes(ops, attr, message))
}

fn passes(ops: &[Value], attr: usize, message: &[u8]) -> bool {
    let of_attr = |op: &&Value| op[1] == NAMES[attr];
    let negative = ops.iter().filter(of_attr).any(|op| op[0] == "logic" && op[2] == 1);
    let added = || entries(ops, attr);
    let field = |path: &[u16]| find(&message[20..], path);
    let check = |value: Option<Vec<u32>>, entries: Vec<(Vec<u32>, Vec<u32>)>| match value {
        Some(value) if !entries.is_empty() => entries.iter().any(|e| hits(e, &value)) != negative,
        _ => true,
    };
    let full = |value: u32| (vec![value], vec![u32::MAX]);
    let pair = |value: &Value| (list(&value[0]), list(&value[1]));
    let address = |kind| check(field(&[1, 1, kind]), added().map(pair).collect());
    let valid = |protocol: &u32| *protocol < 263;
    match attr {
        0 => check(field(&[1, 2, 1]), added().map(number).filter(valid).map(full).collect()),
        1 => [(6, 1), (33, 2), (132, 3)].iter().all(|(protocol, nest)| {
            let own = |value: &&Value| number(&value[0]) == *protocol && number(&value[1]) < 16;
            check(
                field(&[4, *nest, 1]),
                added().filter(own).map(|value| full(number(&value[1]))).collect(),
            )
        }),
        2 => address(1),
        3 => address(2),
        4 => address(3),
        5 => address(4),
        6 => check(field(&[8]).or(Some(vec![0])), added().map(pair).collect()),
        _ => {
            let of_one_direction = || field(&[1, 3]).or_else(|| field(&[2, 3]));
            let zone = field(&[18]).or_else(of_one_direction).or(Some(vec![0]));
            check(zone, added().map(|zone| full(number(zone))).collect())
        }
    }
}

fn list(value: &Value) -> Vec<u32> {
    match value.as_array() {
        Some(words) => words.iter().map(number).collect(),
        None => vec![number(value)],
    }
}

fn hits((wanted, mask): &(Vec<u32>, Vec<u32>), value: &[u32]) -> bool {
    wanted.iter().zip(mask).zip(value).all(|((wanted, mask), value)| wanted & mask == value & mask)
}

/// The words of the attribute at the end of a path of attribute types.
fn find(mut attributes: &[u8], path: &[u16]) -> Option<Vec<u32>> {
    let (wanted, rest) = path.split_first()?;
    while let [a, b, c, d, ..] = *attributes {
        let (length, kind) = (u16::from_ne_bytes([a, b]) as usize, u16::from_ne_bytes([c, d]));
        let payload = attributes.get(4..length)?;
        if kind & 0x3fff == *wanted {
            return if rest.is_empty() { Some(to_words(payload)) } else { find(payload, rest) };
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
    None
}

fn to_words(payload: &[u8]) -> Vec<u32> {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    payload.chunks(4).map(number).collect()
}
