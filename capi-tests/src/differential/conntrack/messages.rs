//! Messages to parse: those a kernel sent, mutations of them, and ones made up from the schema.

use super::schema::{self, CONNTRACK, EXPECT, HEADER, Level, Rule, attributes, body};
use crate::differential::rng::Rng;
use capi_tests::corpus::{host_order, message_kind, unhex};

const CORPUS: [&str; 11] = [
    include_str!("../../../corpus/01-traffic-ipv4.hex"),
    include_str!("../../../corpus/02-traffic-ipv6.hex"),
    include_str!("../../../corpus/03-nat.hex"),
    include_str!("../../../corpus/04-zones-labels-marks.hex"),
    include_str!("../../../corpus/05-helpers-expectations.hex"),
    include_str!("../../../corpus/06-synproxy.hex"),
    include_str!("../../../corpus/07-stats.hex"),
    include_str!("../../../corpus/08-errors-acks.hex"),
    include_str!("../../../corpus/09-cttimeout.hex"),
    include_str!("../../../corpus/10-nflog.hex"),
    include_str!("../../../corpus/11-acct-timestamp-off.hex"),
];

/// The messages that a parser may get.
pub struct Messages {
    conntrack: Vec<Vec<u8>>,
    expect: Vec<Vec<u8>>,
    /// All of them, whatever they are.
    pub all: Vec<Vec<u8>>,
}

impl Messages {
    /// Reads the corpus.
    #[must_use]
    pub fn load() -> Self {
        let lines = CORPUS.iter().flat_map(|file| file.lines()).filter(is_message);
        let all: Vec<Vec<u8>> = lines.map(|line| host_order(unhex(line))).collect();
        let of = |subsystem: u8, level: &Level| -> Vec<Vec<u8>> {
            let fits = |message: &&Vec<u8>| {
                message_kind(message)[0] == subsystem && level.accepts(body(message))
            };
            all.iter().filter(fits).cloned().collect()
        };
        let (conntrack, expect) = (of(1, &CONNTRACK), of(2, &EXPECT));
        assert!(conntrack.len() > 150 && expect.len() > 10, "the corpus is incomplete");
        Self { conntrack, expect, all }
    }

    /// A conntrack message inside what the reference parses.
    pub fn conntrack(&self, rng: &mut Rng) -> Vec<u8> {
        draw(rng, &self.conntrack, &CONNTRACK, 0x100)
    }

    /// An expectation message inside what the reference parses.
    pub fn expect(&self, rng: &mut Rng) -> Vec<u8> {
        draw(rng, &self.expect, &EXPECT, 0x200)
    }

    /// Any bytes behind a netlink header that a kernel gone mad could send.
    pub fn wild(&self, rng: &mut Rng) -> Vec<u8> {
        let mut message = self.all[rng.index(self.all.len())].clone();
        message.resize(message.len().max(HEADER), 0);
        for _ in 0..rng.range(1, 4) {
            mutate(rng, &mut message);
        }
        message
    }
}

fn is_message(line: &&str) -> bool {
    !line.starts_with('#') && !line.is_empty()
}

/// A message of the corpus, a mutation of one, or one made up.
fn draw(rng: &mut Rng, corpus: &[Vec<u8>], level: &'static Level, family: u16) -> Vec<u8> {
    let original = &corpus[rng.index(corpus.len())];
    let message = match rng.below(4) {
        0 => original.clone(),
        1 => make_up(rng, level, family),
        _ => {
            let mut message = original.clone();
            for _ in 0..rng.range(1, 3) {
                mutate(rng, &mut message);
            }
            message
        }
    };
    if level.accepts(body(&message)) { message } else { original.clone() }
}

/// An attribute with its payload taken apart, where it is a nest.
#[derive(Clone)]
struct Node {
    kind: u16,
    payload: Payload,
}

#[derive(Clone)]
enum Payload {
    Bytes(Vec<u8>),
    Nest(Vec<Node>),
}

fn take_apart(bytes: &[u8], level: Option<&Level>) -> Vec<Node> {
    let node = |(kind, payload): (u16, &[u8])| match level.and_then(|level| level.rule(kind)) {
        Some(Rule::Nest(inner) | Rule::LooseNest(inner)) => {
            Node { kind: kind | 0x8000, payload: Payload::Nest(take_apart(payload, Some(inner))) }
        }
        _ => Node { kind, payload: Payload::Bytes(payload.to_vec()) },
    };
    attributes(bytes).map(node).collect()
}

fn put_together(nodes: &[Node], out: &mut Vec<u8>) {
    for node in nodes {
        let start = out.len();
        out.extend([0; 4]);
        match &node.payload {
            Payload::Bytes(bytes) => out.extend(bytes),
            Payload::Nest(inner) => put_together(inner, out),
        }
        let len = (out.len() - start) as u16;
        out[start..start + 2].copy_from_slice(&len.to_ne_bytes());
        out[start + 2..start + 4].copy_from_slice(&node.kind.to_ne_bytes());
        out.resize(out.len().next_multiple_of(4), 0);
    }
}

/// Some level of the tree, at random.
fn some_level<'a>(rng: &mut Rng, nodes: &'a mut Vec<Node>) -> &'a mut Vec<Node> {
    let is_nest = |node: &Node| matches!(node.payload, Payload::Nest(_));
    let nests: Vec<usize> = (0..nodes.len()).filter(|at| is_nest(&nodes[*at])).collect();
    if nests.is_empty() || rng.one_in(3) {
        return nodes;
    }
    let at = rng.pick(&nests);
    match &mut nodes[at].payload {
        Payload::Nest(inner) => some_level(rng, inner),
        Payload::Bytes(_) => unreachable!("only nests were picked"),
    }
}

/// Sets `nlmsg_len` to the bytes there are.
fn fix_length(message: &mut [u8]) {
    let len = message.len() as u32;
    message[..4].copy_from_slice(&len.to_ne_bytes());
}

/// Changes a message in one way.
fn mutate(rng: &mut Rng, message: &mut Vec<u8>) {
    match rng.below(8) {
        0..=4 => mutate_tree(rng, message),
        5 if message.len() > HEADER => {
            let at = HEADER + rng.index(message.len() - HEADER);
            message[at] =
                rng.pick(&[0, 1, 0xff, 0x80, message[at] ^ 1, message[at].wrapping_add(4)]);
        }
        6 => {
            let mut len = HEADER + rng.index(message.len() - HEADER + 1);
            if message_kind(message)[0] == 2 {
                len &= !3; // the reference reads up to the next multiple of 4, past the message
            }
            message.truncate(len);
            fix_length(message);
        }
        _ => message[16] = rng.pick(&[2, 10, 0, 7]),
    }
}

fn mutate_tree(rng: &mut Rng, message: &mut Vec<u8>) {
    let top = if message_kind(message)[0] == 2 { &EXPECT } else { &CONNTRACK };
    let mut tree = take_apart(&message[HEADER..], Some(top));
    let level = some_level(rng, &mut tree);
    mutate_level(rng, level);
    message.truncate(HEADER);
    put_together(&tree, message);
    fix_length(message);
}

fn mutate_level(rng: &mut Rng, nodes: &mut Vec<Node>) {
    let kind = rng.pick(&[0, 1, 2, 3, 4, 6, 8, 13, 21, 23, 25, 26, 28, 40, 0x3fff]);
    if nodes.is_empty() {
        let len = rng.pick(&[0, 1, 2, 4, 8]);
        nodes.push(Node { kind, payload: Payload::Bytes(rng.bytes(len)) });
        return;
    }
    let (at, other) = (rng.index(nodes.len()), rng.index(nodes.len()));
    match rng.below(8) {
        0 => nodes.swap(at, other),
        1 => drop(nodes.remove(at)),
        2 => nodes.insert(other, nodes[at].clone()),
        3 => nodes[at].kind = kind,
        4 => nodes[at].kind ^= rng.pick(&[0x8000, 0x4000]),
        5 => {
            let len = rng.pick(&[0, 1, 2, 4, 8, 16]);
            nodes.insert(at, Node { kind, payload: Payload::Bytes(rng.bytes(len)) });
        }
        _ => {
            if let Payload::Bytes(bytes) = &mut nodes[at].payload {
                *bytes = rng.bytes(bytes.len());
            }
        }
    }
}

/// A message with some of the attributes of the schema.
fn make_up(rng: &mut Rng, level: &'static Level, family: u16) -> Vec<u8> {
    let kind = family | rng.pick(&[0, 0, 0, 1, 2]);
    let flags = rng.pick(&[0u16, 0x600, 0x200, 0x400, 2, 0x100]);
    let mut message = vec![0; HEADER];
    message[4..6].copy_from_slice(&kind.to_ne_bytes());
    message[6..8].copy_from_slice(&flags.to_ne_bytes());
    message[16] = rng.pick(&[2, 2, 2, 10, 10, 0]);
    let nodes = make_up_level(rng, level, 2);
    put_together(&nodes, &mut message);
    fix_length(&mut message);
    message
}

fn make_up_level(rng: &mut Rng, level: &'static Level, skip_one_in: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    for (kind, rule) in level.rules {
        if rng.one_in(skip_one_in) {
            continue;
        }
        let payload = match *rule {
            Rule::Fixed(len) | Rule::AtLeast(len) => fixed(rng, *kind, len),
            Rule::Text(most) => {
                let mut text = rng.text(most as u64 - 1);
                text.push(0);
                text
            }
            Rule::Bytes(most) => {
                let len = rng.index(most / 4 + 1);
                rng.bytes(len)
            }
            Rule::Nest(inner) | Rule::LooseNest(inner) => {
                let payload = Payload::Nest(make_up_level(rng, inner, 6));
                nodes.push(Node { kind: kind | 0x8000, payload });
                continue;
            }
            Rule::Overrun => continue,
        };
        nodes.push(Node { kind: *kind, payload: Payload::Bytes(payload) });
    }
    nodes
}

/// A number; where it could be a protocol or a state, one that means something.
fn fixed(rng: &mut Rng, kind: u16, len: usize) -> Vec<u8> {
    match (kind, len) {
        (1, 1) => vec![rng.pick(&[6, 17, 1, 58, 132, 33, 47, 136, 3, 4, 0])],
        (_, 1) => vec![rng.pick(&[0, 1, 8, 128, 129, 3, 255])],
        (_, 8) => rng.value().to_be_bytes().to_vec(),
        _ => rng.bytes(len),
    }
}

/// The private data of the helper that a message brings, as far as the parser takes it.
#[must_use]
pub fn helper_info(attributes: &[u8]) -> Option<Vec<u8>> {
    let (help, name, info) = schema::CTA_HELP;
    let help = schema::last(attributes, help)?;
    schema::last(help, name)?;
    schema::last(help, info).map(<[u8]>::to_vec)
}

/// The time of the event that a message brings.
#[must_use]
pub fn event_time(attributes: &[u8]) -> Option<u64> {
    let payload = schema::last(attributes, schema::CTA_TIMESTAMP_EVENT)?;
    payload.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}
