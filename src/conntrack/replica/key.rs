//! What the kernel finds a flow by: the tuple of a direction, in the zone that this direction has.
#![forbid(unsafe_code)]

use crate::conntrack::key::Key;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::{Conntrack, Tuple};
use crate::conntrack::values::Direction;
use std::hash::{BuildHasher, RandomState};

/// A tuple and its zone, as words that are compared and hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TupleKey([u64; 5]);

impl TupleKey {
    #[inline]
    fn new(tuple: &Tuple, zone: u16) -> Self {
        let half = |address: &[u8; 16], at| {
            let bytes = address.get(at..).and_then(<[u8]>::first_chunk);
            u64::from_ne_bytes(bytes.copied().unwrap_or_default())
        };
        let Tuple { src, dst, l3proto, l4proto, l4src: [a, b], l4dst: [c, d], .. } = tuple;
        let [e, f] = zone.to_ne_bytes();
        let layer4 = u64::from_ne_bytes([*l3proto, *l4proto, *a, *b, *c, *d, e, f]);
        Self([half(src, 0), half(src, 8), half(dst, 0), half(dst, 8), layer4])
    }

    /// That of a direction of a flow. A zone that is of one direction alone leaves the other in 0.
    #[inline]
    pub fn of(ct: &Conntrack, direction: Direction) -> Self {
        let (tuple, own) = match direction {
            Direction::Original => (&ct.flat.orig, Attr::OrigZone),
            Direction::Reply => (&ct.flat.reply, Attr::ReplZone),
        };
        let zone = if ct.has(Attr::Zone) {
            ct.flat.zone
        } else if ct.has(own) {
            tuple.zone
        } else {
            0
        };
        Self::new(tuple, zone)
    }

    /// What a key of a program's names.
    #[inline]
    pub fn named_by(key: &Key) -> Self {
        let zone = key.zone();
        let here = zone.only().is_none_or(|only| only == key.direction());
        Self::new(key.tuple.object(), if here { zone.number() } else { 0 })
    }
}

/// Hashes that nobody outside can foresee, so that nobody can make flows whose hashes are the same.
#[derive(Debug)]
pub(super) struct Hashing([u64; 5]);

impl Hashing {
    pub fn new() -> Self {
        let random = RandomState::new();
        Self([0, 1, 2, 3, 4].map(|number: u8| random.hash_one(number)))
    }

    #[inline]
    pub fn tuple(&self, TupleKey([a, b, c, d, e]): &TupleKey) -> u32 {
        let [k, l, m, n, o] = self.0;
        let mixed = fold(a ^ k, b ^ l) ^ fold(c ^ m, d ^ n);
        (fold(mixed ^ e, o) >> 32) as u32
    }

    #[inline]
    pub fn id(&self, id: u32) -> u32 {
        let [k, l, ..] = self.0;
        (fold(u64::from(id) ^ k, l) >> 32) as u32
    }
}

/// Both halves of the product in one: each bit depends on all.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}
