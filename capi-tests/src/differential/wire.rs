//! Netlink messages, put together for the libraries.

use super::api::Ptr;
use super::record::hex;
use super::rng::Rng;

/// Bytes of both headers.
pub const HEADERS: usize = 20;

/// An attribute with its padding.
#[must_use]
pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 4).expect("a short value");
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Room for the messages that a library builds.
const ROOM: usize = 4096;

/// The headers that `begin` writes, and whether it touches anything behind them.
pub fn headers(begin: impl FnOnce(Ptr) -> Ptr) -> String {
    let mut buffer = [0xa5_u8; 64];
    let start = buffer.as_mut_ptr().cast();
    format!("{} {}", begin(start) == start, hex(&buffer))
}

/// The message that `build` makes, and the errno that it leaves.
pub fn built(build: impl FnOnce(Ptr) -> i32) -> String {
    let mut buffer = vec![0_u8; ROOM];
    let errno = build(buffer.as_mut_ptr().cast());
    let length = u32::from_ne_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]);
    format!("{} errno {errno}", hex(&buffer[..length as usize]))
}

/// A message of a subsystem with these attributes.
#[must_use]
pub fn message(kind: u16, attributes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADERS + attributes.len()).expect("a short message");
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend([0; HEADERS - 6]);
    bytes.extend(attributes);
    bytes
}

/// The same message, broken in a few places; its length stays that of its bytes.
#[must_use]
pub fn broken(mut message: Vec<u8>, rng: &mut Rng) -> Vec<u8> {
    for _ in 0..rng.range(1, 4) {
        let at = rng.range(HEADERS as u64, message.len() as u64) as usize;
        match (rng.below(3), message.get_mut(at)) {
            (0, Some(byte)) => *byte = rng.next() as u8,
            (1, Some(byte)) => *byte = byte.wrapping_add(1),
            _ => message.truncate(at),
        }
    }
    let length = u32::try_from(message.len()).expect("a short message");
    message[..4].copy_from_slice(&length.to_ne_bytes());
    message
}
