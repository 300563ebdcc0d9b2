//! Messages that a real kernel has sent.

use std::path::Path;

/// The messages of the files of the corpus whose name fits, each with the line that describes it.
///
/// # Panics
/// When there are no such files.
#[must_use]
pub fn messages(fits: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut messages = Vec::new();
    for file in std::fs::read_dir(folder).expect("the corpus") {
        let path = file.expect("a file").path();
        if !path.file_name().and_then(|name| name.to_str()).is_some_and(&fits) {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("text");
        let mut description = String::new();
        for line in text.lines() {
            match line.strip_prefix("# ") {
                Some(comment) => comment.clone_into(&mut description),
                None => messages.push((description.clone(), host_order(unhex(line)))),
            }
        }
    }
    assert!(!messages.is_empty(), "no messages");
    messages
}

/// A message that a little-endian machine had, as this one would have it: what netlink has in host order
/// is turned round, the attributes of nests included.
#[must_use]
pub fn host_order(mut message: Vec<u8>) -> Vec<u8> {
    if cfg!(target_endian = "big") {
        turn(&mut message, &[4, 2, 2, 4, 4]);
        let is_control = message.len() > HEADER && message_kind(&message)[0] == 0;
        match message.get_mut(HEADER..) {
            // NLMSG_ERROR and NLMSG_DONE: an error, and the header of the request.
            Some(payload) if is_control => turn(payload, &[4, 4, 2, 2, 4, 4]),
            Some([_, _, _, _, attributes @ ..]) => turn_attributes(attributes),
            _ => {}
        }
    }
    message
}

/// Attributes of words, bits in host order: `CTA_LABELS` and its mask.
const LABELS: [u16; 2] = [22, 23];
/// Bytes of a netlink header.
const HEADER: usize = 16;

/// The subsystem of a message, and what it is there.
///
/// # Panics
/// When it is shorter than a netlink header.
#[must_use]
pub fn message_kind(message: &[u8]) -> [u8; 2] {
    u16::from_ne_bytes([message[4], message[5]]).to_be_bytes()
}

/// Turns numbers of these widths round, as many as there are.
fn turn(bytes: &mut [u8], widths: &[usize]) {
    let mut at = 0;
    for width in widths {
        bytes.get_mut(at..at + width).unwrap_or_default().reverse();
        at += width;
    }
}

/// Length and type of the attribute that bytes of a little-endian machine begin with, if it is whole.
fn attribute(bytes: &[u8]) -> Option<(usize, u16)> {
    let [a, b, c, d] = *bytes.first_chunk()?;
    let length = usize::from(u16::from_le_bytes([a, b]));
    (4..=bytes.len()).contains(&length).then_some((length, u16::from_le_bytes([c, d])))
}

/// Whether a value is attributes to its end.
fn is_nest(mut value: &[u8]) -> bool {
    let mut found = false;
    while let Some((length, _)) = attribute(value) {
        value = value.get(length.next_multiple_of(4)..).unwrap_or_default();
        found = true;
    }
    found && value.is_empty()
}

/// Nests are those that are marked as such, unless they begin with no attribute that there is, and what
/// looks like one.
fn turn_attributes(mut bytes: &mut [u8]) {
    while let Some((length, kind)) = attribute(bytes) {
        turn(bytes, &[2, 2]);
        let value = &mut bytes[4..length];
        let known = attribute(value).is_some_and(|(_, kind)| kind & 0x3fff < 256);
        if kind & 0x8000 != 0 && known || is_nest(value) {
            turn_attributes(value);
        } else if LABELS.contains(&kind) {
            turn(value, &[4; 32]);
        }
        let end = length.next_multiple_of(4).min(bytes.len());
        bytes = bytes.split_at_mut(end).1;
    }
    if bytes.len() >= 4 {
        turn(bytes, &[2, 2]);
    }
}

/// The bytes of a line.
///
/// # Panics
/// When it is not hexadecimal.
#[must_use]
pub fn unhex(line: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&line[at..at + 2], 16).expect("digits");
    (0..line.len()).step_by(2).map(byte).collect()
}
