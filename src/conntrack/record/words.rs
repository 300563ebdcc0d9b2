//! Sets of attributes as records have them: attribute n is bit n % 64 of word n / 64.
#![forbid(unsafe_code)]

use crate::conntrack::object::attr::Attr;

/// A set of attributes.
pub(super) type Words = [u64; 2];

/// The set of the given attributes.
#[allow(clippy::indexing_slicing, reason = "an Attr is below 128")]
pub(super) const fn words_of(attrs: &[Attr]) -> Words {
    let (mut words, mut at) = ([0; 2], 0);
    while at < attrs.len() {
        let number = attrs[at] as usize;
        words[number / 64] |= 1 << (number % 64);
        at += 1;
    }
    words
}

/// Whether a number is in the set.
#[inline(always)]
pub(super) fn has(words: Words, number: usize) -> bool {
    words.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
}

/// What both sets have.
#[inline(always)]
pub(super) const fn common([a, b]: Words, [c, d]: Words) -> Words {
    [a & c, b & d]
}

/// Takes a number out of the set.
pub(super) fn unset(words: &mut Words, number: usize) {
    if let Some(word) = words.get_mut(number / 64) {
        *word &= !(1 << (number % 64));
    }
}

/// The attributes of the set, by number. Numbers that none has are passed over.
#[inline]
pub(super) fn numbers([low, high]: Words) -> impl Iterator<Item = Attr> {
    let mut bits = u128::from(high) << 64 | u128::from(low);
    std::iter::from_fn(move || {
        let number = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        Attr::try_from(number).ok()
    })
}
