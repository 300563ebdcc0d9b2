//! Numbers that have names, as JSON has them: a number without a name stays one.
#![forbid(unsafe_code)]

use crate::conntrack::values::{DccpState, Protocol, SctpState, TcpState};
use crate::text::json::{JsonWriter, Text, Word};

/// Names by number; [`Word::NONE`] where there is none.
pub(super) type Words = [Word];

macro_rules! words_of {
    ($($name:ident: $type:ident, $key:literal, $count:literal;)*) => {$(
        #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        pub(super) static $name: [Word; $count] = {
            let mut words = [Word::NONE; $count];
            let mut number = 0;
            while number < $count {
                if let Some(name) = $type::Other(number as u8).name() {
                    words[number] = Word::member($key, name);
                }
                number += 1;
            }
            words
        };
    )*};
}

words_of! {
    PROTOCOLS: Protocol, "protocol", 137;
    TCP_STATES: TcpState, "state", 10;
    SCTP_STATES: SctpState, "state", 10;
    DCCP_STATES: DccpState, "state", 10;
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn named<const SIZE: usize>(key: Option<&str>, names: &[(usize, &str)]) -> [Word; SIZE] {
    let mut words = [Word::NONE; SIZE];
    let mut at = 0;
    while at < names.len() {
        let (number, name) = names[at];
        words[number] = match key {
            Some(key) => Word::member(key, name),
            None => Word::element(name),
        };
        at += 1;
    }
    words
}

pub(super) static FAMILIES: [Word; 11] =
    named(Some("family"), &[(libc::AF_INET as usize, "ipv4"), (libc::AF_INET6 as usize, "ipv6")]);
pub(super) static DCCP_ROLES: [Word; 2] = named(Some("role"), &[(0, "client"), (1, "server")]);
pub(super) static DIRECTIONS: [Word; 2] =
    named(Some("nat_direction"), &[(0, "original"), (1, "reply")]);
/// Kinds of events, by `NFCT_T_*`.
pub(super) static EVENTS: [Word; 5] =
    named(Some("event"), &[(1, "new"), (2, "update"), (4, "destroy")]);
/// Bits of the status, as the kernel's `IPS_*`.
pub(super) static STATUS: [Word; 16] = named(
    None,
    &[
        (0, "expected"),
        (1, "seen_reply"),
        (2, "assured"),
        (3, "confirmed"),
        (4, "src_nat"),
        (5, "dst_nat"),
        (6, "seq_adjust"),
        (7, "src_nat_done"),
        (8, "dst_nat_done"),
        (9, "dying"),
        (10, "fixed_timeout"),
        (11, "template"),
        (13, "helper"),
        (14, "offload"),
        (15, "hw_offload"),
    ],
);
/// Flags of an expectation, `NF_CT_EXPECT_*`.
pub(super) static EXPECT_FLAGS: [Word; 3] =
    named(None, &[(0, "permanent"), (1, "inactive"), (2, "userspace")]);

/// Writes a member that is a number with a name, or the number.
#[inline]
pub(super) fn write(out: &mut JsonWriter<'_, '_>, key: &Word, number: u32, words: &Words) {
    match words.get(number as usize).filter(|word| !word.is_none()) {
        Some(word) => out.word(word),
        None => {
            out.word(key);
            out.number(number.into());
        }
    }
}

/// Writes the bits that are set, as an array of names; one without a name is its value.
pub(super) fn write_bits(out: &mut JsonWriter<'_, '_>, mut bits: u32, words: &Words) {
    out.begin_array();
    while bits != 0 {
        let bit = bits.trailing_zeros();
        bits &= bits - 1;
        match words.get(bit as usize).filter(|word| !word.is_none()) {
            Some(word) => out.word(word),
            None => {
                out.element();
                out.number(1 << bit);
            }
        }
    }
    out.end_array();
}

/// The number that has this name.
pub(super) fn number(name: &Text<'_>, words: &Words) -> Option<u32> {
    let found = words.iter().position(|word| !word.is_none() && name.is(word.name()))?;
    u32::try_from(found).ok()
}
