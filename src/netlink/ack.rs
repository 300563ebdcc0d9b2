//! What an answer says beside its status: extended acknowledgements.
//!
//! ```text
//! error: | nlmsghdr | i32 status | nlmsghdr of the request | rest of it, pad | attribute | pad | ...
//! capped (always so where the status is 0):  ...  the request | attribute | pad | ...
//! end of a dump:   | nlmsghdr | i32 status | attribute | pad | ...
//! ```
#![forbid(unsafe_code)]

use super::message::{ATTRIBUTE_HEADER_SIZE, Attributes, FAMILY_HEADER_SIZE, HEADER_SIZE};
use super::message::{Message, align};
use super::name::until_nul;
use std::fmt::{self, Debug, Display, Formatter};

const NLMSG_ERROR: u16 = libc::NLMSG_ERROR as u16;
/// `NLM_F_CAPPED`: of the request, only the header is there.
const CAPPED: u16 = 0x100;
/// `NLM_F_ACK_TLVS`: attributes follow.
const HAS_ATTRIBUTES: u16 = 0x200;
/// Bytes of the status.
const STATUS_SIZE: usize = 4;

/// `enum nlmsgerr_attrs` of `linux/netlink.h`.
const MSG: u16 = 1;
const OFFS: u16 = 2;
const POLICY: u16 = 4;
const MISS_TYPE: u16 = 5;

/// `enum netlink_policy_type_attr`: what [`POLICY`] holds.
const POLICY_TYPE: u16 = 1;
const POLICY_MIN_LENGTH: u16 = 6;
const POLICY_MAX_LENGTH: u16 = 7;

/// `enum netlink_attribute_type`: numbers, and their bytes.
const NUMBERS: &[(u32, usize)] = &[(2, 1), (3, 2), (4, 4), (5, 8)];

/// Bytes kept of the kernel's words, of which the longest of netfilter's are half as long.
const TEXT_SIZE: usize = 127;

/// What the kernel says of a request, beside the status: its words, and where in the request it
/// points.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Said {
    text: [u8; TEXT_SIZE],
    length: u8,
    /// The byte of the request, from its header on, at which the attribute in question begins.
    pub offset: Option<u32>,
    /// The number of an attribute that is missing.
    pub missing: Option<u32>,
    /// What the attribute in question has to be.
    pub expected: Option<Expected>,
}

/// What an attribute has to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// `enum netlink_attribute_type`.
    pub kind: u32,
    /// The fewest bytes, where there is such a limit.
    pub min_length: Option<u32>,
    /// The most bytes, where there is such a limit.
    pub max_length: Option<u32>,
}

impl Said {
    /// What an acknowledgement, a refusal or the end of a dump says; `None` if that is nothing.
    #[must_use]
    pub fn of(answer: &Message<'_>) -> Option<Self> {
        if answer.flags & HAS_ATTRIBUTES == 0 {
            return None;
        }
        let mut said =
            Self { text: [0; TEXT_SIZE], length: 0, offset: None, missing: None, expected: None };
        for attribute in Attributes::new(attributes(answer)?) {
            match attribute.kind {
                MSG => said.keep(attribute.value),
                OFFS => said.offset = number(attribute.value),
                MISS_TYPE => said.missing = number(attribute.value),
                POLICY => said.expected = Some(Expected::of(attribute.value)),
                _ => {}
            }
        }
        Some(said)
    }

    /// The kernel's words; empty if it has none.
    #[must_use]
    pub fn text(&self) -> &str {
        let text = self.text.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// Keeps the words, as far as there is room; what is no printable ASCII is a question mark.
    fn keep(&mut self, words: &[u8]) {
        self.length = 0;
        let words = until_nul(words).iter();
        for (byte, room) in words.zip(&mut self.text) {
            *room = if matches!(byte, b' '..=b'~') { *byte } else { b'?' };
            self.length += 1;
        }
    }

    /// The number of the attribute in question, at the top level of the request.
    #[must_use]
    pub fn attribute(&self, request: &[u8]) -> Option<u16> {
        let offset = self.offset? as usize;
        let mut at = HEADER_SIZE + FAMILY_HEADER_SIZE;
        for attribute in Attributes::new(request.get(at..)?) {
            let end = at + align(ATTRIBUTE_HEADER_SIZE + attribute.value.len());
            if (at..end).contains(&offset) {
                return Some(attribute.kind);
            }
            at = end;
        }
        None
    }
}

impl Expected {
    fn of(policy: &[u8]) -> Self {
        let mut expected = Self::default();
        for attribute in Attributes::new(policy) {
            let value = number(attribute.value);
            match attribute.kind {
                POLICY_TYPE => expected.kind = value.unwrap_or(0),
                POLICY_MIN_LENGTH => expected.min_length = value,
                POLICY_MAX_LENGTH => expected.max_length = value,
                _ => {}
            }
        }
        expected
    }
}

/// As it follows the attribute's name: ", which has 4 bytes".
impl Display for Expected {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let size = NUMBERS.iter().find(|row| row.0 == self.kind).map(|row| row.1);
        match (size, self.min_length, self.max_length) {
            (Some(size), ..) => write!(f, ", which has {size} bytes"),
            (_, Some(min), Some(max)) => write!(f, ", which has {min} to {max} bytes"),
            (_, Some(min), None) => write!(f, ", which has at least {min} bytes"),
            (_, None, Some(max)) => write!(f, ", which has at most {max} bytes"),
            _ => Ok(()),
        }
    }
}

/// Where the attributes of an answer begin.
fn attributes<'a>(answer: &Message<'a>) -> Option<&'a [u8]> {
    let payload = answer.payload();
    if answer.kind != NLMSG_ERROR {
        return payload.get(STATUS_SIZE..);
    }
    let rest = payload.get(STATUS_SIZE..)?;
    let echoed = if answer.flags & CAPPED == 0 { number(rest)? as usize } else { HEADER_SIZE };
    rest.get(echoed..)?;
    rest.get(align(echoed)..)
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().copied().map(u32::from_ne_bytes)
}

impl Debug for Said {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Said")
            .field("text", &self.text())
            .field("offset", &self.offset)
            .field("missing", &self.missing)
            .field("expected", &self.expected)
            .finish()
    }
}

// Of messages that a machine of little endian recorded.
#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const POLICY_WORDS: &str = "Attribute failed policy validation";

    fn bytes(hex: &str) -> Vec<u8> {
        let hex: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
        hex.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }

    fn said(hex: &str) -> Option<Said> {
        Said::of(&Message::first(&bytes(hex)).unwrap())
    }

    /// Answers of a kernel, each behind a line that tells what it is.
    fn recorded(what: &str) -> Option<Said> {
        let corpus = include_str!("../../capi-tests/corpus/08-errors-acks.hex");
        let mut lines = corpus.lines().skip_while(|line| !line.contains(what));
        said(lines.nth(1).expect(what))
    }

    /// A mark of one byte, refused: capped, without its request's attributes.
    const SHORT_MARK: &str =
        "780000000200000338000000eb600000deffffff50000000000105003800000000000000
        27000100417474726962757465206661696c656420706f6c6963792076616c69646174696f6e0000
        0800020048000000 240004800c00040000000000000000000c000500ffffffff000000000800010004000000";

    #[test]
    fn words_offset_and_policy_are_read_behind_a_capped_request() {
        let said = said(SHORT_MARK).unwrap();
        assert_eq!((said.text(), said.offset, said.missing), (POLICY_WORDS, Some(72), None));
        let number = Expected { kind: 4, ..Expected::default() };
        assert_eq!(said.expected, Some(number));
    }

    #[test]
    fn words_offset_and_policy_are_read_behind_a_whole_request() {
        for what in ["offset and policy", "CAP_ACK: request not echoed", "CTA_TIMESTAMP_EVENT"] {
            let said = recorded(what).unwrap();
            assert_eq!((said.text(), said.offset), (POLICY_WORDS, Some(124)), "{what}");
        }
        let labels = recorded("labels too long").unwrap();
        assert_eq!(labels.expected.and_then(|expected| expected.max_length), Some(16));
    }

    #[test]
    fn a_success_can_have_words_too() {
        let said = recorded("success ack with warning text").unwrap();
        assert_eq!(said.text(), "bytes leftover after parsing attributes");
        assert_eq!((said.offset, said.expected), (None, None));
    }

    #[test]
    fn most_answers_say_nothing() {
        for what in ["ack, no options", "EEXIST with EXT_ACK", "EEXIST with CAP_ACK", "# ENOENT"] {
            assert_eq!(recorded(what), None, "{what}");
        }
    }

    #[test]
    fn the_attribute_in_question_is_the_one_around_the_offset() {
        let request = bytes(
            "50000000000105003800000000000000 02000000 0800030000000001 3400018014000180080001000a000001
             080002000a0000021c0002800500010011000000060002000035000006000300 03e80000 05000800 07000000",
        );
        let mut said = said(SHORT_MARK).unwrap();
        for (offset, attribute) in
            [(0, None), (19, None), (20, Some(3)), (28, Some(1)), (79, Some(1)), (80, Some(8))]
        {
            said.offset = Some(offset);
            assert_eq!(said.attribute(&request), attribute, "{offset}");
        }
        for offset in [88, 4000, u32::MAX] {
            said.offset = Some(offset);
            assert_eq!(said.attribute(&request), None);
        }
        said.offset = Some(20);
        assert_eq!(said.attribute(&request[..18]), None);
    }

    #[test]
    fn the_end_of_a_dump_has_its_attributes_behind_the_status() {
        let said = said("20000000030002020000000000000000 ffffffff 0c000100 6e6f2100 ff000000");
        assert_eq!(said.unwrap().text(), "no!");
    }

    #[test]
    fn words_are_kept_as_far_as_there_is_room_and_printable() {
        let long = [b'x'; 200];
        let head =
            bytes("0000000002000003380000000000000000000000 10000000000000000000000000000000");
        let mut message = [&head[..], &204_u16.to_ne_bytes(), &1_u16.to_ne_bytes(), &long].concat();
        let size = message.len() as u32;
        message[..4].copy_from_slice(&size.to_ne_bytes());
        let words = |message: &[u8]| Said::of(&Message::first(message).unwrap()).unwrap();
        assert_eq!(words(&message).text(), "x".repeat(TEXT_SIZE));
        message[40..44].copy_from_slice(b"a\n\xff\0");
        assert_eq!(words(&message).text(), "a??");
    }

    #[test]
    fn no_bytes_can_hurt() {
        let good = bytes(SHORT_MARK);
        for length in HEADER_SIZE..good.len() {
            let mut cut = good[..length].to_vec();
            cut[..4].copy_from_slice(&(length as u32).to_ne_bytes());
            let said = Said::of(&Message::first(&cut).unwrap());
            assert!(said.is_none_or(|said| POLICY_WORDS.starts_with(said.text())));
        }
        // The length of the request is what it says it is.
        for echoed in [0, 1, 12, 85, 4000, u32::MAX - 1, u32::MAX] {
            let mut whole = good.clone();
            whole[6..8].copy_from_slice(&HAS_ATTRIBUTES.to_ne_bytes());
            whole[20..24].copy_from_slice(&echoed.to_ne_bytes());
            let said = Said::of(&Message::first(&whole).unwrap());
            assert!(said.is_none_or(|said| said.text() != POLICY_WORDS), "{echoed}");
        }
    }
}
