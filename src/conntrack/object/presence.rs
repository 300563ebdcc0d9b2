//! Sets of attributes.
#![forbid(unsafe_code)]

use super::attr::{ATTR_COUNT, Attr, Class, ROWS};
use super::layout::Presence;

impl Presence {
    /// The set of the given attributes.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "an Attr is below 96")]
    pub const fn of(attrs: &[Attr]) -> Self {
        let mut words = [0; 3];
        let mut at = 0;
        while at < attrs.len() {
            let number = attrs[at] as usize;
            words[number / 32] |= 1 << (number % 32);
            at += 1;
        }
        Self(words)
    }

    /// All attributes.
    #[must_use]
    pub const fn all() -> Self {
        Self::of_class(Class::Original)
            .with(Self::of_class(Class::Reply))
            .with(Self::of_class(Class::Meta))
    }

    /// The attributes of a class.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    pub const fn of_class(class: Class) -> Self {
        let mut all = Self([0; 3]);
        let mut at = 0;
        while at < ATTR_COUNT {
            if ROWS[at].class as u8 == class as u8 {
                all.set(ROWS[at].attr);
            }
            at += 1;
        }
        all
    }

    /// Whether the attribute with this number is present; no number above 95 is.
    #[must_use]
    #[inline(always)]
    pub fn has_number(&self, number: u32) -> bool {
        self.0.get(number as usize / 32).is_some_and(|word| word & (1 << (number % 32)) != 0)
    }

    /// Whether `attr` is present.
    #[must_use]
    #[inline(always)]
    #[allow(clippy::indexing_slicing, reason = "an Attr is below 96")]
    pub const fn has(&self, attr: Attr) -> bool {
        self.0[attr as usize / 32] & (1 << (attr as u32 % 32)) != 0
    }

    /// Marks `attr` present.
    #[inline(always)]
    #[allow(clippy::indexing_slicing, reason = "an Attr is below 96")]
    pub const fn set(&mut self, attr: Attr) {
        self.0[attr as usize / 32] |= 1 << (attr as u32 % 32);
    }

    /// Marks `attr` absent.
    #[inline(always)]
    #[allow(clippy::indexing_slicing, reason = "an Attr is below 96")]
    pub const fn unset(&mut self, attr: Attr) {
        self.0[attr as usize / 32] &= !(1 << (attr as u32 % 32));
    }

    /// Both sets in one.
    #[must_use]
    #[inline(always)]
    pub const fn with(self, other: Self) -> Self {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        Self([a | d, b | e, c | f])
    }

    /// Marks all of `other` present.
    #[inline(always)]
    pub fn insert(&mut self, other: Self) {
        *self = self.with(other);
    }

    /// Marks all of `other` absent.
    #[inline(always)]
    pub fn remove(&mut self, other: Self) {
        *self = self.without(other);
    }

    /// Marks all but `other` absent.
    #[inline(always)]
    pub fn retain(&mut self, other: Self) {
        *self = self.among(other);
    }

    /// Those that are in `other` too.
    #[must_use]
    #[inline(always)]
    pub const fn among(self, other: Self) -> Self {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        Self([a & d, b & e, c & f])
    }

    /// Those that are not in `other`.
    #[must_use]
    #[inline(always)]
    pub const fn without(self, other: Self) -> Self {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        Self([a & !d, b & !e, c & !f])
    }

    /// Whether all of `other` are present.
    #[must_use]
    #[inline(always)]
    pub fn has_all(&self, other: Self) -> bool {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        !a & d | !b & e | !c & f == 0
    }

    /// Whether any of `other` is present.
    #[must_use]
    #[inline(always)]
    pub const fn has_any(&self, other: Self) -> bool {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        a & d | b & e | c & f != 0
    }

    /// The set as two words: attribute `n` is bit `n % 64` of word `n / 64`.
    #[must_use]
    #[inline(always)]
    pub const fn words(&self) -> [u64; 2] {
        let [a, b, c] = self.0;
        [a as u64 | (b as u64) << 32, c as u64]
    }

    /// The attributes present, by number.
    pub fn iter(&self) -> impl Iterator<Item = Attr> + use<> {
        let [a, b, c] = self.0;
        let mut bits = u128::from(a) | u128::from(b) << 32 | u128::from(c) << 64;
        std::iter::from_fn(move || {
            let number = bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
            Attr::try_from(number).ok()
        })
    }
}
