//! Expectations compared.
#![forbid(unsafe_code)]

use super::{conntrack, flags};
use crate::conntrack::object::attr::Compared;
use crate::conntrack::object::expectation::{EXPECT_ATTR_COUNT, Expect, ExpectAttr, ROWS};

/// The expectation attributes that are compared: a bit for each number.
const COMPARED_OF_EXPECTATIONS: u32 = {
    let (mut all, mut number) = (0, 0);
    while number < ROWS.len() {
        #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        let compared = ROWS[number].compared as u8;
        if compared != Compared::Never as u8 {
            all |= 1 << number;
        }
        number += 1;
    }
    all
};

/// Whether `b` equals `a`, as far as both have what is compared: all but the timeout. Of the flags
/// only [`flags::MASK`] and [`flags::STRICT`] count.
#[must_use]
pub fn expect(a: &Expect, b: &Expect, flags: u32) -> bool {
    let [in_a, in_b] = [a, b].map(|expect| expect.flat.present & COMPARED_OF_EXPECTATIONS);
    let mask = flags & (flags::MASK | flags::STRICT);
    if (mask != 0 && in_a & !in_b != 0) || (mask & flags::STRICT != 0 && in_b & !in_a != 0) {
        return false;
    }
    let both = |number: &u32| in_a & in_b & (1 << number) != 0;
    let mut attrs = (0..EXPECT_ATTR_COUNT).filter(both).flat_map(ExpectAttr::try_from);
    attrs.all(|attr| match (attr, a.tuple(attr), b.tuple(attr)) {
        (_, Some(a), Some(b)) => conntrack(a, b, flags::ORIGINAL | mask),
        (ExpectAttr::HelperName, ..) => a.helper_name() == b.helper_name(),
        (ExpectAttr::Function, ..) => a.function() == b.function(),
        _ => a.number(attr) == b.number(attr),
    })
}
