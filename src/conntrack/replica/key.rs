//! What the kernel finds a flow by: the tuple of a direction, in the zone that this direction has.
#![forbid(unsafe_code)]

use crate::conntrack::key::Key;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::{Conntrack, Tuple};
use crate::conntrack::object::layer4::Layer4;
use crate::conntrack::object::tuple::{ORIG, REPLY};
use crate::conntrack::tuple::Tuple as Whole;
use crate::conntrack::values::Direction;
use std::hash::{BuildHasher, RandomState};

/// The bytes that an IPv4 address has of a word.
const IPV4: u64 = u64::from_ne_bytes([255, 255, 255, 255, 0, 0, 0, 0]);

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

    /// That of a direction of a flow.
    #[inline]
    pub fn of(ct: &Conntrack, direction: Direction) -> Self {
        let tuple = match direction {
            Direction::Original => &ct.flat.orig,
            Direction::Reply => &ct.flat.reply,
        };
        Self::new(tuple, zone_of(ct, direction))
    }

    /// As [`Self::of`], of an object that a program has made; `None` if the tuple is not whole.
    #[inline]
    fn named_in(ct: &Conntrack, direction: Direction) -> Option<Self> {
        let (tuple, attrs) = match direction {
            Direction::Original => (&ct.flat.orig, &ORIG),
            Direction::Reply => (&ct.flat.reply, &REPLY),
        };
        let whole = attrs.whole(tuple.l3proto, tuple.l4proto)?;
        if !Layer4::of(tuple.l4proto).has_ends() || !ct.flat.present.has_all(whole) {
            let tuple = Whole::of(ct, direction)?;
            return Some(Self::new(tuple.object(), zone_of(ct, direction)));
        }
        let Self([a, b, c, d, layer4]) = Self::of(ct, direction);
        // What is behind an IPv4 address may be of an IPv6 one that the object had before.
        Some(match i32::from(tuple.l3proto) {
            libc::AF_INET => Self([a & IPV4, 0, c & IPV4, 0, layer4]),
            _ => Self([a, b, c, d, layer4]),
        })
    }
}

/// What a program looks up.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    pub(super) key: TupleKey,
    pub(super) direction: Direction,
}

impl Name {
    /// The flow of which an object has the tuple of a direction, and the zone, whatever its id; `None`
    /// if the tuple is not whole.
    #[inline]
    pub fn of(ct: &Conntrack, direction: Direction) -> Option<Self> {
        Some(Self { key: TupleKey::named_in(ct, direction)?, direction })
    }
}

/// The flow that a key names, whatever its id.
impl From<&Key> for Name {
    #[inline]
    fn from(key: &Key) -> Self {
        let (zone, direction) = (key.zone(), key.direction());
        let here = zone.only().is_none_or(|only| only == direction);
        let key = TupleKey::new(key.tuple.object(), if here { zone.number() } else { 0 });
        Self { key, direction }
    }
}

/// The zone that a direction of an object has: 0 if it is of the other alone.
#[inline]
fn zone_of(ct: &Conntrack, direction: Direction) -> u16 {
    let (own, zone) = match direction {
        Direction::Original => (Attr::OrigZone, ct.flat.orig.zone),
        Direction::Reply => (Attr::ReplZone, ct.flat.reply.zone),
    };
    if ct.has(Attr::Zone) {
        ct.flat.zone
    } else if ct.has(own) {
        zone
    } else {
        0
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::object::entry::Slot;

    /// Objects of every kind of tuple, some of which lack a part, and what others have left in them.
    fn objects() -> impl Iterator<Item = Conntrack> {
        let attrs = [
            [Attr::OrigIpv4Src, Attr::OrigIpv4Dst, Attr::OrigIpv6Src, Attr::OrigIpv6Dst],
            [Attr::OrigPortSrc, Attr::OrigPortDst, Attr::IcmpType, Attr::IcmpId],
            [Attr::IcmpCode, Attr::Zone, Attr::OrigZone, Attr::Id],
        ];
        let families = [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX];
        let protocols =
            [libc::IPPROTO_TCP, libc::IPPROTO_GRE, libc::IPPROTO_ICMP, libc::IPPROTO_ESP];
        let kinds =
            families.into_iter().flat_map(move |l3| protocols.map(|l4| (l3 as u8, l4 as u8)));
        kinds.flat_map(move |(l3, l4)| {
            (0..1 << 12).map(move |lacks: u32| {
                let mut ct = Conntrack::new();
                for (number, attr) in attrs.into_iter().flatten().enumerate() {
                    // An echo request.
                    let value: Slot = [8; 16];
                    ct.set(attr, value);
                    if lacks & 1 << number != 0 {
                        ct.unset(attr);
                    }
                }
                ct.set(Attr::OrigL3Proto, [l3; 16]);
                ct.set(Attr::OrigL4Proto, [l4; 16]);
                ct
            })
        })
    }

    #[test]
    fn an_object_has_the_name_of_its_key() {
        let mut whole = 0;
        for ct in objects() {
            let key = Key::of(&ct, Direction::Original);
            // Of one with a zone of both directions and one of its own, a key knows the latter.
            if ct.has(Attr::Zone) && ct.has(Attr::OrigZone) {
                continue;
            }
            let name = Name::of(&ct, Direction::Original);
            assert_eq!(name.map(|name| name.key), key.map(|key| Name::from(&key).key), "{ct:?}");
            whole += usize::from(name.is_some());
        }
        assert!(whole > 1_000, "{whole}");
    }
}
