//! Messages about packets: those of a real kernel, changed, and others put together by chance.

use crate::differential::rng::Rng;
use crate::differential::wire::{HEADERS, attribute, message};
use capi_tests::corpus::{host_order, unhex};

const CORPUS: [&str; 2] =
    [include_str!("../../../corpus/10-nflog.hex"), include_str!("../../../corpus/12-nflog.hex")];

/// The type of a message about a packet.
pub const PACKET: u16 = 0x0400;
const HWADDR: u16 = 8;
const PREFIX: u16 = 10;
const CT: u16 = 18;
/// Most that the reference has an attribute for.
pub const MOST: u16 = 19;

/// The bytes that an attribute needs, by its number; the reference reads them, whatever there is.
const NEEDED: [usize; 20] = [0, 4, 4, 16, 4, 4, 4, 4, 12, 0, 1, 4, 4, 4, 4, 2, 0, 2, 0, 4];
/// The most that the reference reads beyond an attribute which is too short.
const BEYOND: usize = 128;

/// An attribute where it is in a message.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// Its type, flags included.
    pub kind: u16,
    /// Where it begins.
    pub at: usize,
    pub value: &'a [u8],
}

/// The attributes of a message, as every reader of netlink finds them.
#[must_use]
pub fn found(message: &[u8]) -> Vec<Found<'_>> {
    let (mut found, mut at) = (Vec::new(), HEADERS);
    while let Some([a, b, c, d]) = message.get(at..).and_then(<[u8]>::first_chunk) {
        let length = usize::from(u16::from_ne_bytes([*a, *b]));
        let Some(value) = message.get(at + 4..at + length) else { break };
        found.push(Found { kind: u16::from_ne_bytes([*c, *d]), at, value });
        at += length.next_multiple_of(4);
    }
    found
}

/// Whether the reference reads beyond an attribute.
#[must_use]
pub fn is_bad(kind: u16, value: &[u8]) -> bool {
    let needed = NEEDED.get(usize::from(kind)).is_some_and(|needed| value.len() < *needed);
    let long = || kind == HWADDR && (value[0] > 0 || value[1] > 8);
    needed || long() || kind == PREFIX && !value.contains(&0)
}

/// Where the last attribute of each number is, by the number less 1; NULL if it is `bad` and those are
/// left out. The message is at `base`.
#[must_use]
pub fn pointers(message: &[u8], base: usize, bad: bool) -> [usize; MOST as usize] {
    let mut pointers = [0; MOST as usize];
    for Found { kind, at, value } in found(message) {
        let kind = kind & 0x7fff;
        if let Some(pointer) = pointers.get_mut(usize::from(kind).wrapping_sub(1)) {
            *pointer = if bad || !is_bad(kind, value) { base + at } else { 0 };
        }
    }
    pointers
}

/// The messages of a kernel.
pub struct Messages(Vec<Vec<u8>>);

impl Messages {
    #[must_use]
    pub fn load() -> Self {
        let lines = CORPUS.iter().flat_map(|text| text.lines());
        let lines = lines.filter(|line| !line.starts_with('#'));
        let mut messages: Vec<_> = lines.map(|line| host_order(unhex(line))).collect();
        messages.retain(|bytes| bytes[4..6] == PACKET.to_ne_bytes());
        assert!(messages.len() > 100);
        Self(messages)
    }

    /// A packet's message, and zeros behind it where the reference reads beyond an attribute.
    pub fn packet(&self, rng: &mut Rng) -> (Vec<u8>, usize) {
        let mut bytes = match rng.below(3) {
            0 => message(PACKET, &any_attributes(rng)),
            _ => self.changed(rng),
        };
        bytes[16] = rng.pick(&[2, 10, 7, 3, 5, 0, 255]);
        shorten_addresses(&mut bytes);
        let length = bytes.len();
        if found(&bytes).iter().any(|it| is_bad(it.kind & 0x7fff, it.value)) {
            bytes.resize(length + BEYOND, 0);
        }
        (bytes, length)
    }

    /// A message of the kernel, some attributes left out, changed, or put in again.
    fn changed(&self, rng: &mut Rng) -> Vec<u8> {
        let of_kernel = &self.0[rng.index(self.0.len())];
        let mut attributes = Vec::new();
        for Found { kind, value, .. } in found(of_kernel) {
            let mut value = value.to_vec();
            match rng.below(12) {
                0 => continue,
                1 => any_attribute(rng, &mut attributes),
                2 => change(&mut value, rng),
                _ => {}
            }
            attributes.extend(attribute(kind, &value));
        }
        message(PACKET, &attributes)
    }
}

/// Has hardware addresses end where something lies behind the message: the reference believes them.
fn shorten_addresses(message: &mut [u8]) {
    let addresses = found(message).into_iter().filter(|it| it.kind & 0x7fff == HWADDR);
    for at in addresses.map(|it| it.at + 4).collect::<Vec<_>>() {
        if let Some([high, low]) = message.get_mut(at..at + 2) {
            (*high, *low) = (0, *low % 64);
        }
    }
}

fn change(value: &mut Vec<u8>, rng: &mut Rng) {
    let at = rng.index(value.len() + 1);
    match (rng.below(4), value.get_mut(at)) {
        (0, _) => value.truncate(at),
        (1, _) => value.extend(rng.bytes(3)),
        (_, Some(byte)) => *byte = rng.value() as u8,
        _ => {}
    }
}

fn any_attributes(rng: &mut Rng) -> Vec<u8> {
    let mut attributes = Vec::new();
    for _ in 0..rng.below(12) {
        any_attribute(rng, &mut attributes);
    }
    attributes
}

/// Appends an attribute, mostly one that a packet may have.
fn any_attribute(rng: &mut Rng, to: &mut Vec<u8>) {
    let kind = if rng.one_in(20) { rng.pick(&[0, 20, 21, 22, 0x3fff]) } else { rng.range(1, 19) };
    let kind = kind as u16;
    let needed = NEEDED.get(usize::from(kind)).copied().unwrap_or(4);
    let mut value = match kind {
        PREFIX => [rng.text(127), vec![0]].concat(),
        CT => any_nest(rng),
        HWADDR => [vec![0, rng.pick(&[6, 6, 0, 8, 9, 20])], rng.bytes(10)].concat(),
        _ if needed == 0 => {
            let length = rng.pick(&[0, 1, 14, 40, 100, 1500]);
            rng.bytes(length)
        }
        _ => rng.value().to_be_bytes().repeat(2)[16 - needed..].to_vec(),
    };
    if rng.one_in(12) {
        change(&mut value, rng);
    }
    let flags = if rng.one_in(10) { rng.pick(&[0x8000, 0x4000, 0xc000]) } else { 0 };
    to.extend(attribute(kind | flags, &value));
}

/// Attributes of a flow, at times with an id.
fn any_nest(rng: &mut Rng) -> Vec<u8> {
    let mut nest = Vec::new();
    for _ in 0..rng.below(4) {
        let kind = rng.pick(&[12, 12, 12 | 0x4000, 12 | 0x8000, 3, 8]);
        let length = rng.pick(&[4, 4, 4, 4, 3, 5, 0, 8]);
        nest.extend(attribute(kind, &rng.bytes(length)));
    }
    nest
}
