//! Wide comparisons of what lies side by side: where such a block is equal, all of its attributes
//! are.
#![forbid(unsafe_code)]

use super::{REPLY, Set, bits, set};
use crate::conntrack::object::attr::{Attr, Compared, ROWS, Row};
use crate::conntrack::object::entry::Flat;
use crate::width::with_width;
use std::mem::offset_of;

/// Whether two objects are the same in all that is ever compared, whatever the flags: mostly those
/// are that do not differ early.
#[inline(always)]
pub(super) fn identical(a: &Flat, b: &Flat) -> bool {
    let [one, two] = [a, b].map(|flat| flat.bytes().first_chunk::<COMPARED_SIZE>());
    one == two && bits(a) & ON_HEAP == 0
}

/// The bytes at the beginning of an object that hold which attributes it has, and the values of all
/// that are compared but those on the heap.
const COMPARED_SIZE: usize = offset_of!(Flat, counters);

/// The attributes on the heap that are compared.
const ON_HEAP: Set = {
    let (mut all, mut number) = (0, 0);
    while number < ROWS.len() {
        #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        let row = &ROWS[number];
        if row.compared as u8 != Compared::Never as u8 {
            match row.offset {
                Row::ON_HEAP => all |= set(&[row.attr]),
                offset => assert!((offset as usize) < COMPARED_SIZE),
            }
        }
        number += 1;
    }
    all
};

/// All that is stored in the reply tuple.
const REPLY_BLOCK: Set = REPLY.attrs | REPLY.ports;
/// What is stored from the timeout to the id.
const META_BLOCK: Set = set(&[Attr::Timeout, Attr::Mark, Attr::Status, Attr::Id]);

/// What is stored in the first byte of the protocol's state.
const STATES: Set = set(&[Attr::TcpState, Attr::SctpState, Attr::DccpState]);

/// Leaves out attributes that a few wide comparisons find equal, which saves one for each.
#[inline(always)]
pub(super) fn without_equal_blocks(a: &Flat, b: &Flat, mut attrs: Set) -> Set {
    if attrs & REPLY_BLOCK != 0 && same_words::<5>(a, b, offset_of!(Flat, reply)) {
        attrs &= !REPLY_BLOCK;
    }
    if attrs & META_BLOCK != 0 && same_words::<3>(a, b, offset_of!(Flat, timeout)) {
        attrs &= !META_BLOCK;
    }
    if same_bytes::<1>(a, b, offset_of!(Flat, protoinfo)) {
        attrs &= !STATES;
    }
    attrs
}

/// Compares the slot of an attribute.
#[inline(always)]
pub(super) fn same_slot(a: &Flat, b: &Flat, offset: usize, width: u8) -> bool {
    with_width!(width, N => same_bytes::<N>(a, b, offset))
}

/// Compares a fixed number of 64-bit words, all at once.
#[inline(always)]
fn same_words<const COUNT: usize>(a: &Flat, b: &Flat, offset: usize) -> bool {
    let word = |flat: &Flat, at: usize| {
        let bytes = flat.bytes().get(offset + 8 * at..).and_then(<[u8]>::first_chunk);
        u64::from_ne_bytes(bytes.copied().unwrap_or_default())
    };
    (0..COUNT).fold(0, |differing, at| differing | word(a, at) ^ word(b, at)) == 0
}

/// Compares a fixed number of bytes, for which no call is needed.
#[inline(always)]
fn same_bytes<const LENGTH: usize>(a: &Flat, b: &Flat, offset: usize) -> bool {
    let a = a.bytes().get(offset..).and_then(<[u8]>::first_chunk::<LENGTH>);
    let b = b.bytes().get(offset..).and_then(<[u8]>::first_chunk::<LENGTH>);
    a == b
}
