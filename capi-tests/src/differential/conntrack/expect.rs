//! Calls on expectations.

use super::api::{Api, ConstPtr, Ptr, ffi};
use super::build::{Built, built, plain_header};
use super::copy::clean_errno;
use super::schema::{attributes, body};
use super::world::{World, errno_of, number};
use crate::differential::record::{Outcome, hex, quoted};
use crate::differential::rng::Rng;
use capi_tests::attributes::{Attribute, Kind, entries, expectations};

const MASTER: u32 = 0;
const EXPECTED: u32 = 1;
const MASK: u32 = 2;
const TIMEOUT: u32 = 3;
const FLAGS: u32 = 5;
const CLASS: u32 = 7;
const DESTROY: u32 = 2;
const ZONE: u32 = 4;

/// How an attribute is stored.
fn kind(attr: u32) -> Option<Kind> {
    expectations().get(attr as usize).map(|row| row.kind)
}

/// The attributes that are tuples.
fn tuples() -> Vec<u32> {
    let tuples = expectations().iter().filter(|row| row.kind == Kind::Tuple);
    tuples.map(|row| row.number).collect()
}

/// The attributes that a tuple of an expectation has: those of one direction, and its zone.
fn in_tuple() -> impl Iterator<Item = &'static Attribute> {
    entries().iter().filter(|row| row.class == 1 || row.name == "ATTR_ORIG_ZONE")
}

fn any_attr(rng: &mut Rng) -> u32 {
    if rng.one_in(20) { rng.pick(&[11, 12, 0xffff_ffff]) } else { rng.below(11) as u32 }
}

/// Sets an attribute.
pub fn set(w: &mut World, rng: &mut Rng) {
    let (at, from) = (rng.index(w.exps.len()), rng.index(w.cts.len()));
    let (api, exp, attr) = (&w.api, w.exps[at], any_attr(rng));
    if kind(attr) == Some(Kind::Tuple) {
        let ct = w.cts[from].ptr;
        w.out.call(format!("nfexp_set_attr(exp{at}, {attr}, ct{from})"), || {
            errno_of(ffi!(api, nfexp_set_attr(exp, attr, ct)))
        });
        return;
    }
    if kind(attr) == Some(Kind::Text) {
        let mut name = rng.text(32);
        name.push(0);
        w.out.call(format!("nfexp_set_attr(exp{at}, {attr}, {})", quoted(&name)), || {
            errno_of(ffi!(api, nfexp_set_attr(exp, attr, name.as_ptr().cast())))
        });
        return;
    }
    let value = rng.value() as u32;
    let how = if attr == ZONE { rng.below(3) } else { rng.below(2) };
    w.out.call(format!("set how {how} (exp{at}, {attr}, {value})"), || {
        errno_of(match how {
            0 => ffi!(api, nfexp_set_attr_u32(exp, attr, value)),
            1 => ffi!(api, nfexp_set_attr(exp, attr, (&raw const value).cast())),
            _ => ffi!(api, nfexp_set_attr_u16(exp, attr, value as u16)),
        })
    });
}

/// Sets a number from a narrower one, looks at as much of it, and sets it whole: the reference leaves the
/// rest as it was on its stack.
pub fn set_narrow(w: &mut World, rng: &mut Rng) {
    let (at, value) = (rng.index(w.exps.len()), rng.value() as u32);
    let (api, exp, attr) = (&w.api, w.exps[at], rng.pick(&[TIMEOUT, FLAGS, CLASS]));
    let low = rng.one_in(2);
    w.out.call(format!("set narrow {low} (exp{at}, {attr}, {value})"), || {
        if low {
            ffi!(api, nfexp_set_attr_u8(exp, attr, value as u8));
        } else {
            ffi!(api, nfexp_set_attr_u16(exp, attr, value as u16));
        }
        let read = match low {
            true => number(ffi!(api, nfexp_get_attr_u8(exp, attr))),
            false => number(ffi!(api, nfexp_get_attr_u16(exp, attr))),
        };
        ffi!(api, nfexp_set_attr_u32(exp, attr, value));
        read
    });
}

/// Gets an attribute.
pub fn get(w: &mut World, rng: &mut Rng) {
    let (at, attr) = (rng.index(w.exps.len()), any_attr(rng));
    let (api, exp) = (&w.api, w.exps[at]);
    let is_number = kind(attr).is_none_or(|kind| kind == Kind::Plain);
    let how = if is_number { rng.below(4) } else { 3 };
    match how {
        3 => get_pointer(w, at, attr),
        _ => w.out.call(format!("nfexp_get_attr how {how} (exp{at}, {attr})"), || match how {
            0 => number(ffi!(api, nfexp_get_attr_u8(exp, attr))),
            1 => number(ffi!(api, nfexp_get_attr_u16(exp, attr))),
            _ => number(ffi!(api, nfexp_get_attr_u32(exp, attr))),
        }),
    }
}

fn get_pointer(w: &mut World, at: usize, attr: u32) {
    let (api, exp) = (&w.api, w.exps[at]);
    w.out.call(format!("nfexp_get_attr(exp{at}, {attr})"), || {
        let (pointer, errno) = ffi!(api, nfexp_get_attr(exp, attr));
        format!("{} errno={errno}", describe(api, attr, pointer))
    });
}

fn describe(api: &Api, attr: u32, pointer: ConstPtr) -> String {
    if pointer.is_null() {
        return "NULL".to_string();
    }
    let row = expectations()[attr as usize];
    match row.kind {
        Kind::Tuple => describe_tuple(api, pointer),
        Kind::Text => {
            // SAFETY: the pointer is to a C string.
            quoted(unsafe { std::ffi::CStr::from_ptr(pointer.cast()) }.to_bytes())
        }
        _ => {
            // SAFETY: the pointer is to as many bytes as the attribute has.
            hex(unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), row.bytes) })
        }
    }
}

/// What the functions for conntrack objects say of a tuple inside an expectation.
fn describe_tuple(api: &Api, tuple: ConstPtr) -> String {
    let mut text = String::new();
    for Attribute { number: attr, bytes: len, .. } in in_tuple() {
        let (pointer, errno) = ffi!(api, nfct_get_attr(tuple, *attr));
        if pointer.is_null() {
            text += &format!("{attr}: errno={errno}; ");
            continue;
        }
        // SAFETY: the pointer is to as many bytes as the attribute has.
        let bytes = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), *len) };
        text += &format!("{attr}: {}; ", hex(bytes));
    }
    for group in [0, 2, 4, 6, 12, 13] {
        text += &format!("group {group}: {}; ", ffi!(api, nfct_attr_grp_is_set(tuple, group)).0);
    }
    text
}

/// Asks for presence, or unsets.
pub fn presence(w: &mut World, rng: &mut Rng) {
    let (at, attr) = (rng.index(w.exps.len()), any_attr(rng));
    let (api, exp) = (&w.api, w.exps[at]);
    if rng.one_in(2) {
        w.out.call(format!("nfexp_attr_is_set(exp{at}, {attr})"), || {
            number(ffi!(api, nfexp_attr_is_set(exp, attr)))
        });
    } else {
        w.out.call(format!("nfexp_attr_unset(exp{at}, {attr})"), || {
            number(ffi!(api, nfexp_attr_unset(exp, attr)))
        });
    }
}

/// Uses a tuple of an expectation as the conntrack object it looks like.
pub fn tuple(w: &mut World, rng: &mut Rng) {
    let (at, to) = (rng.index(w.exps.len()), rng.index(w.cts.len()));
    let tuples = tuples();
    let (attr, other) = (rng.pick(&tuples), rng.pick(&tuples));
    let (api, exp) = (&w.api, w.exps[at]);
    let (pointer, _) = ffi!(api, nfexp_get_attr(exp, attr));
    if pointer.is_null() {
        return;
    }
    let icmp =
        super::attrs::ICMP.iter().any(|attr| ffi!(api, nfct_attr_is_set(pointer, *attr)).0 == 1);
    match rng.below(3) {
        0 if !icmp => w.out.call(format!("nfct_copy(ct{to}, exp{at}.{attr}, ORIG)"), || {
            errno_of(ffi!(api, nfct_copy(w.cts[to].ptr, pointer, 1)))
        }),
        1 => w.out.call(format!("nfexp_set_attr(exp{}, {other}, exp{at}.{attr})", 1 - at), || {
            errno_of(ffi!(api, nfexp_set_attr(w.exps[1 - at], other, pointer)))
        }),
        _ => {
            let flags = 1 | rng.pick(&[0, 32, 64, 96]);
            w.out.call(format!("nfct_cmp(exp{at}.{attr}, ct{to}, {flags})"), || {
                clean_errno(w.mend, ffi!(api, nfct_cmp(pointer, w.cts[to].ptr, flags)))
            });
        }
    }
}

/// Compares two expectations, at times copies with one difference.
pub fn compare(w: &mut World, rng: &mut Rng) {
    if rng.one_in(2) {
        clone(w, rng);
        set(w, rng);
    }
    let (api, [a, b]) = (&w.api, w.exps);
    let flags = if rng.one_in(3) { rng.below(256) as u32 } else { rng.pick(&[0, 32, 64, 96]) };
    w.out.call(format!("nfexp_cmp(exp0, exp1, {flags})"), || {
        clean_errno(w.mend, ffi!(api, nfexp_cmp(a, b, flags)))
    });
}

/// Replaces an expectation by a clone of the other, or by a plain copy of its bytes.
pub fn clone(w: &mut World, rng: &mut Rng) {
    let (api, at) = (&w.api, rng.index(2));
    let (old, src) = (w.exps[at], w.exps[1 - at]);
    if rng.one_in(2) {
        let (len, _) = ffi!(api, nfexp_maxsize());
        assert_eq!(ffi!(api, nfexp_sizeof(src)).0, len, "nfexp_sizeof and nfexp_maxsize differ");
        // SAFETY: both objects are at least that large; programs copy expectations so.
        unsafe { std::ptr::copy_nonoverlapping(src.cast::<u8>(), old.cast::<u8>(), len) };
        return;
    }
    let mut clone = std::ptr::null_mut();
    w.out.call(format!("exp{at} = nfexp_clone(exp{})", 1 - at), || {
        let (ptr, errno) = ffi!(api, nfexp_clone(src));
        clone = ptr;
        format!("{} errno={errno}", !ptr.is_null())
    });
    ffi!(api, nfexp_destroy(old));
    w.exps[at] = clone;
}

/// Parses a message inside what the reference defines.
pub fn parse(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.exps.len());
    let message = w.messages.expect(rng);
    let mask = rng.pick(&[0, 7, 7, 7, 1, 2, 4]);
    let deprecated = rng.one_in(4);
    let data = w.guarded.place(&message);
    let (api, exp, mend) = (&w.api, w.exps[at], w.mend);
    let before = Families::of(exp);
    let mut parsed = false;
    w.out.call(format!("nfexp parse ({deprecated}, {mask}, {}, exp{at})", hex(&message)), || {
        let (value, errno) = match deprecated {
            true => ffi!(api, nfexp_parse_expect(mask, data, exp)),
            false => ffi!(api, nfexp_nlmsg_parse(data, exp)),
        };
        parsed = !deprecated || value > 0;
        Outcome {
            result: number((value, errno)),
            mended: mend.then(|| ("errno-after-success", number((value, 0)))),
        }
    });
    if mend && parsed && before.put_right(exp, &message) {
        w.out.met("expect-family");
    }
}

/// Family and presence word of the first three tuples of an expectation of the reference.
#[derive(PartialEq)]
struct Families([(u8, u32); 3]);

/// Where the reference keeps the tuples of CTA_EXPECT_MASTER, _TUPLE and _MASK.
const PLACES: [usize; 3] = [0, 52, 104];
const FAMILY: usize = 32;
const PRESENCE: usize = 40;
const HAS_FAMILY: u32 = 1 << 15;

impl Families {
    fn of(exp: Ptr) -> Self {
        Self(PLACES.map(|place| {
            let tuple = exp.cast::<u8>().wrapping_add(place);
            // SAFETY: all three tuples lie inside the object, also inside that of ctrs.
            unsafe { (*tuple.add(FAMILY), tuple.add(PRESENCE).cast::<u32>().read_unaligned()) }
        }))
    }

    /// The reference gives the family of each tuple to the next one. Says whether that mattered.
    fn put_right(self, exp: Ptr, message: &[u8]) -> bool {
        let after = Self::of(exp);
        let mut changed = false;
        for (at, place) in PLACES.into_iter().enumerate() {
            let (old_family, old_bits) = self.0[at];
            let (_, bits) = after.0[at];
            // CTA_EXPECT_MASTER 1, CTA_EXPECT_TUPLE 2, CTA_EXPECT_MASK 3.
            let sent = attributes(body(message)).any(|(kind, _)| usize::from(kind) == at + 1);
            let new = match sent {
                true => (message[16], bits | HAS_FAMILY),
                false => (old_family, bits & !HAS_FAMILY | old_bits & HAS_FAMILY),
            };
            changed |= new != after.0[at];
            let tuple = exp.cast::<u8>().wrapping_add(place);
            // SAFETY: as above; only the reference's objects get here.
            unsafe {
                *tuple.add(FAMILY) = new.0;
                tuple.add(PRESENCE).cast::<u32>().write_unaligned(new.1);
            }
        }
        changed
    }
}

/// Builds from an expectation.
pub fn build(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.exps.len());
    let exp = w.exps[at];
    let header = plain_header(0x0200);
    let how = rng.below(3);
    let usable = usable(w, exp);
    if how != 0 && usable == Usable::PartOfIt {
        return;
    }
    let (query, flags) = (rng.pick(&[0, 7, 3, DESTROY]), rng.next() as u16);
    // Without the expected flow, the kernel takes it for a request to remove all.
    let flushes =
        how == 2 && query == DESTROY && ffi!(w.api, nfexp_attr_is_set(exp, EXPECTED)).0 == 0;
    let mut ssh = [0_u64; 4];
    let unused: Ptr = ssh.as_mut_ptr().cast();
    let start: &[u8] = if how == 0 { &header } else { &[] };
    let result = built(w, start, |w, to| match how {
        0 => ffi!(w.api, nfexp_nlmsg_build(to, exp)),
        1 => ffi!(w.api, nfexp_build_expect(unused, to, 4096, query as u16, flags, exp)),
        _ => ffi!(w.api, nfexp_build_query(unused, query, exp, to, 4096)),
    });
    let refused = Built { ret: -1, errno: libc::EINVAL, message: Vec::new() };
    let id = if how == 1 { "build-refusal" } else { "incomplete-request" };
    let refuses = flushes || how != 0 && usable == Usable::Nothing;
    let mended = (w.mend && refuses).then(|| (id, refused.show()));
    w.out.call(format!("build how {how} ({query}, {flags}, exp{at})"), || Outcome {
        result: result.show(),
        mended,
    });
}

#[derive(PartialEq)]
enum Usable {
    /// No family to put into the header.
    Nothing,
    /// Some tuple has none.
    PartOfIt,
    /// Every tuple that is present can be built.
    All,
}

/// Whether a request can be made of all that an expectation has.
fn usable(w: &World, exp: Ptr) -> Usable {
    const L3PROTO: u32 = 15;
    // For a tuple that is present: its family, if that is present.
    let family = |attr: u32| {
        let (pointer, _) = ffi!(w.api, nfexp_get_attr(exp, attr));
        let present = || ffi!(w.api, nfct_attr_is_set(pointer, L3PROTO)).0 == 1;
        let value = || ffi!(w.api, nfct_get_attr_u8(pointer, L3PROTO)).0;
        (!pointer.is_null()).then(|| present().then(value))
    };
    let tuples = [MASTER, EXPECTED, MASK].map(family);
    match tuples {
        [Some(None), Some(None), _] => Usable::Nothing,
        [None, None, _] => Usable::PartOfIt,
        _ if tuples.iter().flatten().all(|family| matches!(family, Some(2 | 10))) => Usable::All,
        _ => Usable::PartOfIt,
    }
}

/// Shows everything an expectation has.
pub fn inspect(w: &mut World, at: usize) {
    for attr in 0..11 {
        get_pointer(w, at, attr);
    }
}
