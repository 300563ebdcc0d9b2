//! Whether two objects are the same, or one fits the other.
#![forbid(unsafe_code)]

mod blocks;
mod expectation;

pub use expectation::expect;

use self::blocks::{identical, same_slot, without_equal_blocks};
use crate::conntrack::heap::Text;
use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::object::attr::{Attr, Class, Compared, ROWS, Storage};
use crate::conntrack::object::entry::{Conntrack, Flat};
use crate::conntrack::object::layer4::Layer4;
use std::mem::offset_of;

/// How to compare. With none of them, or with the last two alone, everything is compared that ever
/// is. Any other bit chooses nothing, but ends that "everything": so do the timeout flags of C.
pub mod flags {
    /// The original tuple only.
    pub const ORIGINAL: u32 = 1;
    /// The reply tuple only; with `ORIGINAL`, both tuples.
    pub const REPLY: u32 = 2;
    /// What the first object has, the second must have.
    pub const MASK: u32 = 32;
    /// What one object has, the other must have.
    pub const STRICT: u32 = 64;
}

/// A set of attributes: a bit for each number. One integer, where
/// [`Presence`](crate::conntrack::object::attr::Presence) is three.
type Set = u128;

/// The set of the given attributes.
const fn set(attrs: &[Attr]) -> Set {
    match attrs {
        [first, rest @ ..] => 1 << *first as u32 | set(rest),
        [] => 0,
    }
}

/// The attributes that are present.
#[inline(always)]
fn bits(flat: &Flat) -> Set {
    let word = |at: usize| {
        let bytes = flat.bytes().get(offset_of!(Flat, present) + 4 * at..);
        let word = bytes.and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        Set::from(u32::from_ne_bytes(word))
    };
    word(0) | word(1) << 32 | word(2) << 64
}

/// The attributes whose row is one that counts so, and of this class, if any.
const fn rows(class: Option<Class>, compared: Compared) -> Set {
    let (mut all, mut number) = (0, 0);
    while number < ROWS.len() {
        #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        let row = &ROWS[number];
        let of_class = match class {
            Some(class) => row.class as u8 == class as u8,
            None => true,
        };
        if of_class && row.compared as u8 == compared as u8 {
            all |= set(&[row.attr]);
        }
        number += 1;
    }
    all
}

/// What is compared of one direction.
struct Direction {
    flag: u32,
    attrs: Set,
    l4proto: Attr,
    /// Compared when both layer 4 protocols are the same one with ports.
    ports: Set,
}

const ORIGINAL: Direction = Direction {
    flag: flags::ORIGINAL,
    attrs: rows(Some(Class::Original), Compared::Value) | rows(None, Compared::OriginalZone),
    l4proto: Attr::OrigL4Proto,
    ports: rows(Some(Class::Original), Compared::Ports),
};

const REPLY: Direction = Direction {
    flag: flags::REPLY,
    attrs: rows(Some(Class::Reply), Compared::Value) | rows(None, Compared::ReplyZone),
    l4proto: Attr::ReplL4Proto,
    ports: rows(Some(Class::Reply), Compared::Ports),
};

/// Compared when both layer 4 protocols are ICMP or both are ICMPv6, in either direction.
const ICMP: Set = rows(None, Compared::Icmp);

/// Compared of what is in neither tuple.
const META: Set = rows(Some(Class::Meta), Compared::Value) | rows(None, Compared::OrZero);

/// Where these are absent, they count as zero.
const ZERO_IF_ABSENT: Set = rows(None, Compared::OrZero)
    | rows(None, Compared::OriginalZone)
    | rows(None, Compared::ReplyZone);

/// Whether `b` equals `a`, as far as both have what is compared; `flags` say what is compared and
/// what both must have. The status matches if `b` has all bits of `a`.
///
/// Ports and ICMP fields count only where both have the same layer 4 protocol, one that has them.
#[must_use]
#[inline(always)]
pub fn conntrack(a: &Conntrack, b: &Conntrack, flags: u32) -> bool {
    let original = is_chosen(flags::ORIGINAL, flags);
    !(original && differ_in_source(&a.flat, &b.flat)) && same(a, b, flags)
}

/// As `conntrack`, for objects whose original tuples do not differ in family and source.
#[inline(never)]
fn same(a: &Conntrack, b: &Conntrack, flags: u32) -> bool {
    identical(&a.flat, &b.flat) || matching(a, b, flags)
}

/// As `same`, attribute by attribute.
#[inline(never)]
fn matching(a: &Conntrack, b: &Conntrack, flags: u32) -> bool {
    let (in_a, in_b) = (bits(&a.flat), bits(&b.flat));
    if is_chosen(flags::ORIGINAL, flags) && differ_further(&a.flat, &b.flat) {
        return false;
    }
    let compared = compared(&a.flat, &b.flat, in_a & in_b, flags);
    let lacking = lacking(in_a, in_b, flags) & compared;
    if lacking != 0 && !lacking_zeros(a, b, lacking) {
        return false;
    }
    let differing = compared & in_a & in_b & !SEEN;
    let differing = without_equal_blocks(&a.flat, &b.flat, differing);
    members(differing).all(|attr| same_value(a, b, attr))
}

/// What is compared, of the flags.
#[inline(always)]
fn selector(flags: u32) -> u32 {
    flags & !(flags::MASK | flags::STRICT)
}

/// Whether a direction is compared.
#[inline(always)]
fn is_chosen(direction: u32, flags: u32) -> bool {
    selector(flags) == 0 || selector(flags) & direction != 0
}

// Objects that differ mostly do so in their original tuples, at their beginning. Here no branch but
// the last depends on what is there: one guessed wrong waits for memory, where it is not cached, and
// so does all that comes after it.

/// All bits where both have an attribute with a number below 64, else none.
#[inline(always)]
fn has(a: &Flat, b: &Flat, attr: Attr) -> u64 {
    let both = bits(a) as u64 & bits(b) as u64;
    (both >> attr as u32 & 1).wrapping_neg()
}

/// Bits in which an address differs that both have.
#[inline(always)]
fn differing_addresses(a: &[u8; 16], b: &[u8; 16], ipv4: u64, ipv6: u64) -> u64 {
    let half = |slot: &[u8; 16], at: usize| {
        let bytes = slot.get(at..).and_then(<[u8]>::first_chunk);
        u64::from_ne_bytes(bytes.copied().unwrap_or_default())
    };
    let (first, last) = (half(a, 0) ^ half(b, 0), half(a, 8) ^ half(b, 8));
    (first & (ipv4 & IPV4 | ipv6)) | (last & ipv6)
}

/// The bytes of an IPv4 address in the first half of its slot.
const IPV4: u64 = u64::from_ne_bytes([255, 255, 255, 255, 0, 0, 0, 0]);

/// Whether the original tuples differ in family or source.
#[inline(always)]
fn differ_in_source(a: &Flat, b: &Flat) -> bool {
    let has = |attr| has(a, b, attr);
    let family = u64::from(a.orig.l3proto ^ b.orig.l3proto) & has(Attr::OrigL3Proto);
    let [ipv4, ipv6] = [has(Attr::OrigIpv4Src), has(Attr::OrigIpv6Src)];
    let source = differing_addresses(&a.orig.src, &b.orig.src, ipv4, ipv6);
    family | source != 0
}

/// Whether they differ in destination, protocol or ports.
#[inline(always)]
fn differ_further(a: &Flat, b: &Flat) -> bool {
    let has = |attr| has(a, b, attr);
    let [ipv4, ipv6] = [has(Attr::OrigIpv4Dst), has(Attr::OrigIpv6Dst)];
    let destination = differing_addresses(&a.orig.dst, &b.orig.dst, ipv4, ipv6);
    let port = |a, b, attr| u64::from(u16::from_ne_bytes(a) ^ u16::from_ne_bytes(b)) & has(attr);
    let (one, two) = (&a.orig, &b.orig);
    let ports = port(one.l4src, two.l4src, Attr::OrigPortSrc)
        | port(one.l4dst, two.l4dst, Attr::OrigPortDst);
    // Where the protocols are not the same, they are a difference anyway.
    let with_ports = u64::from(Layer4::of(one.l4proto) == Layer4::Ports).wrapping_neg();
    let layer4 = u64::from(one.l4proto ^ two.l4proto) | (ports & with_ports);
    destination | (layer4 & has(Attr::OrigL4Proto)) != 0
}

/// What these two have compared.
const SEEN: Set = ORIGINAL.attrs & !set(&[Attr::OrigZone]) | ORIGINAL.ports;

/// The attributes that count for two objects.
#[inline(always)]
fn compared(a: &Flat, b: &Flat, both: Set, flags: u32) -> Set {
    let mut compared = if selector(flags) == 0 { META } else { 0 };
    for (direction, a, b) in [(&ORIGINAL, &a.orig, &b.orig), (&REPLY, &a.reply, &b.reply)] {
        if is_chosen(direction.flag, flags) {
            compared |= direction.attrs;
            if both & set(&[direction.l4proto]) != 0 && a.l4proto == b.l4proto {
                compared |= layer4(a.l4proto, direction.ports);
            }
        }
    }
    compared
}

/// What a common layer 4 protocol adds; keys of GRE never counted.
#[inline(always)]
fn layer4(proto: u8, ports: Set) -> Set {
    match Layer4::of(proto) {
        Layer4::Ports => ports,
        Layer4::Icmp => ICMP,
        Layer4::Keys | Layer4::Nothing => 0,
    }
}

/// What one object has and the other lacks against the flags.
#[inline(always)]
fn lacking(a: Set, b: Set, flags: u32) -> Set {
    let first = if flags & (flags::MASK | flags::STRICT) == 0 { 0 } else { a & !b };
    let second = if flags & flags::STRICT == 0 { 0 } else { b & !a };
    first | second
}

/// Whether what is lacking on one side counts as zero there and is zero on the other.
fn lacking_zeros(a: &Conntrack, b: &Conntrack, lacking: Set) -> bool {
    let zero = |attr| {
        let slot = a.get(attr).or_else(|| b.get(attr)).unwrap_or_default();
        slot.iter().all(|byte| *byte == 0)
    };
    lacking & !ZERO_IF_ABSENT == 0 && members(lacking).all(zero)
}

/// The attributes in a set.
#[inline(always)]
fn members(mut attrs: Set) -> impl Iterator<Item = Attr> {
    std::iter::from_fn(move || {
        let number = attrs.trailing_zeros();
        attrs &= attrs.wrapping_sub(1);
        Attr::try_from(number).ok()
    })
}

/// Whether the values of an attribute that both have match.
#[inline(always)]
fn same_value(a: &Conntrack, b: &Conntrack, attr: Attr) -> bool {
    let row = attr.row();
    match row.storage {
        Storage::Plain(width) | Storage::Icmp(width) if attr != Attr::Status => {
            same_slot(&a.flat, &b.flat, row.offset.into(), width)
        }
        _ => same_other_storage(a, b, attr),
    }
}

/// As `same_value`, for attributes that are not just a slot; of others than these, none is ever
/// compared.
#[inline(never)]
fn same_other_storage(a: &Conntrack, b: &Conntrack, attr: Attr) -> bool {
    match attr {
        Attr::Status => a.flat.status & b.flat.status == a.flat.status,
        Attr::Secctx => context(a) == context(b),
        Attr::Connlabels => same_labels(a.labels(), b.labels()),
        Attr::ConnlabelsMask => same_labels(a.labels_mask(), b.labels_mask()),
        _ => true,
    }
}

fn context(ct: &Conntrack) -> Option<&[u8]> {
    ct.heap.secctx.as_ref().map(Text::as_bytes)
}

fn same_labels(a: Option<&Bitmask>, b: Option<&Bitmask>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.same_labels(b),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::object::expectation::{Expect, ExpectAttr};

    fn with(attrs: &[(Attr, u32)]) -> Conntrack {
        let mut ct = Conntrack::new();
        for (attr, value) in attrs {
            let bytes = match attr.row().storage.width() {
                1 => vec![*value as u8],
                2 => (*value as u16).to_ne_bytes().to_vec(),
                _ => value.to_ne_bytes().to_vec(),
            };
            let mut slot = [0; 16];
            slot[..bytes.len()].copy_from_slice(&bytes);
            ct.set(*attr, slot);
        }
        ct
    }

    /// Results under no flag, MASK, STRICT and both, then the same with the objects swapped.
    fn results(a: &Conntrack, b: &Conntrack) -> [bool; 8] {
        let mut all = [false; 8];
        for (at, flags) in [0, 32, 64, 96].into_iter().enumerate() {
            all[at] = conntrack(a, b, flags);
            all[at + 4] = conntrack(b, a, flags);
        }
        all
    }

    const YES: [bool; 8] = [true; 8];
    const NO: [bool; 8] = [false; 8];

    #[test]
    fn presence_counts_by_flag() {
        let empty = Conntrack::new();
        let one_sided = [true, false, false, false, true, true, false, false];
        for attr in [Attr::OrigIpv4Src, Attr::ReplIpv6Dst, Attr::Timeout, Attr::TcpState, Attr::Id]
        {
            for value in [0, 1] {
                assert_eq!(results(&with(&[(attr, value)]), &empty), one_sided, "{attr:?}");
            }
            assert_eq!(results(&with(&[(attr, 1)]), &with(&[(attr, 1)])), YES);
            assert_eq!(results(&with(&[(attr, 1)]), &with(&[(attr, 2)])), NO);
        }
        for attr in [Attr::Mark, Attr::Zone, Attr::OrigZone, Attr::ReplZone] {
            assert_eq!(results(&with(&[(attr, 0)]), &empty), YES, "{attr:?}");
            assert_eq!(results(&with(&[(attr, 9)]), &empty), one_sided, "{attr:?}");
        }
        for attr in [Attr::Use, Attr::SnatIpv4, Attr::HelperName, Attr::Secmark, Attr::DccpRole] {
            assert_eq!(results(&with(&[(attr, 7)]), &empty), YES, "{attr:?}");
        }
    }

    #[test]
    fn selectors() {
        let (orig, repl) = (Attr::OrigIpv4Src, Attr::ReplIpv4Src);
        let empty = with(&[(orig, 0), (repl, 0), (Attr::Timeout, 0)]);
        for (attr, differing) in [
            (orig, [0, 32, 64, 96, 1, 3, 5, 97]),
            (repl, [0, 32, 64, 96, 2, 3, 6, 34]),
            (Attr::Timeout, [0, 32, 64, 96, 0, 0, 0, 0]),
        ] {
            let mut other = with(&[(orig, 0), (repl, 0), (Attr::Timeout, 0)]);
            other.set(attr, [1; 16]);
            for flags in [0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 20, 32, 34, 64, 96, 97, 128, 1 << 31] {
                let want = !differing.contains(&flags);
                assert_eq!(conntrack(&empty, &other, flags), want, "{attr:?} {flags}");
            }
        }
    }

    #[test]
    fn status_is_a_subset() {
        let (few, many) = (with(&[(Attr::Status, 2)]), with(&[(Attr::Status, 14)]));
        assert!(conntrack(&few, &many, 0) && !conntrack(&many, &few, 0));
    }

    #[test]
    fn ports_count_with_their_protocol() {
        use Attr::{IcmpId, OrigL4Proto, OrigPortSrc, ReplL4Proto, ReplPortDst};
        let pair = |proto_attr, attr, proto| {
            let a = with(&[(proto_attr, proto), (attr, 1)]);
            let b = with(&[(proto_attr, proto), (attr, 2)]);
            (conntrack(&a, &b, 0), conntrack(&a, &with(&[(proto_attr, proto)]), flags::MASK))
        };
        for proto in 0..=255 {
            let ports = [6, 17, 33, 132, 136].contains(&proto);
            let icmp = [1, 58].contains(&proto);
            assert_eq!(pair(OrigL4Proto, OrigPortSrc, proto), (!ports, !ports));
            assert_eq!(pair(ReplL4Proto, ReplPortDst, proto), (!ports, !ports));
            assert_eq!(pair(OrigL4Proto, IcmpId, proto), (!icmp, !icmp));
            assert_eq!(pair(ReplL4Proto, IcmpId, proto), (!icmp, !icmp));
        }
        assert!(conntrack(&with(&[(OrigPortSrc, 1)]), &with(&[(OrigPortSrc, 2)]), flags::STRICT));
        let no_proto = with(&[(OrigPortSrc, 2)]);
        assert!(conntrack(&with(&[(OrigPortSrc, 1), (OrigL4Proto, 6)]), &no_proto, 0));
    }

    #[test]
    fn contexts_and_labels_by_content() {
        let context = |text: Option<&[u8]>| {
            let mut ct = with(&[(Attr::Secctx, 0)]);
            ct.heap.secctx = text.map(|text| Text::new(text).unwrap());
            ct
        };
        assert_eq!(results(&context(Some(b"x")), &context(Some(b"x"))), YES);
        assert_eq!(results(&context(Some(b"x")), &context(Some(b"xy"))), NO);
        assert_eq!(results(&context(None), &context(Some(b"x"))), NO);
        assert_eq!(results(&context(None), &context(None)), YES);
        let labels = |capacity, bit, mask| {
            let mut labels = Bitmask::new(capacity).unwrap().unwrap();
            labels.set(bit);
            let mut ct = Conntrack::new();
            ct.set_labels(labels, mask);
            ct
        };
        for mask in [false, true] {
            assert_eq!(results(&labels(31, 5, mask), &labels(127, 5, mask)), YES);
            assert_eq!(results(&labels(31, 5, mask), &labels(31, 6, mask)), NO);
        }
    }

    #[test]
    fn equal_blocks_do_not_hide_absent_attributes() {
        let mut a = with(&[(Attr::OrigIpv4Src, 1), (Attr::Timeout, 1)]);
        let b = with(&[(Attr::OrigIpv4Src, 1), (Attr::Timeout, 1)]);
        assert_eq!(results(&a, &b), YES);
        a.unset(Attr::OrigIpv4Src);
        assert_eq!(results(&b, &a), [true, false, false, false, true, true, false, false]);
    }

    #[test]
    fn expectations() {
        let expect_with = |port: u32, proto: u32| {
            let mut expect = Expect::new();
            let ct =
                with(&[(Attr::OrigL4Proto, proto), (Attr::OrigPortDst, port), (Attr::Mark, port)]);
            expect.set_flat(ExpectAttr::Mask, &ct.flat);
            expect
        };
        let a = expect_with(1, 6);
        assert!(expect(&a, &expect_with(1, 6), flags::STRICT));
        assert!(!expect(&a, &expect_with(2, 6), 0));
        assert!(expect(&expect_with(1, 47), &expect_with(2, 47), flags::STRICT));
        let mut b = expect_with(1, 6);
        b.set_number(ExpectAttr::Timeout, 5).unwrap();
        assert!(expect(&a, &b, flags::STRICT));
        b.set_number(ExpectAttr::Zone, 0).unwrap();
        assert_eq!([0, 32, 64].map(|flags| expect(&a, &b, flags)), [true, true, false]);
        assert_eq!([0, 32, 64].map(|flags| expect(&b, &a, flags)), [true, false, false]);
        b.unset(ExpectAttr::Zone);
        let mut c = expect_with(1, 6);
        for (b_name, c_name, same) in [("ftp", "ftp", true), ("ftp", "tftp", false)] {
            b.set_name(ExpectAttr::HelperName, b_name.as_bytes()).unwrap();
            c.set_name(ExpectAttr::HelperName, c_name.as_bytes()).unwrap();
            assert_eq!(expect(&b, &c, 0), same);
        }
    }
}
