//! Calls that copy, clone and compare conntrack objects.

use super::api::ffi;
use super::attrs::{HELPER_INFO, TIMESTAMP_EVENT, copied_by};
use super::repair;
use super::world::{Ct, World, errno_of, number, two_of};
use crate::differential::record::Outcome;
use crate::differential::rng::Rng;

const OVERRIDE: u32 = 8;

/// Copies one object to another.
pub fn copy(w: &mut World, rng: &mut Rng) {
    let (to, from) = two_of(rng, w.cts.len());
    let flags = rng.pick(&[0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 15, 16, 32, 17]);
    let (api, dest, src) = (&w.api, w.cts[to].ptr, w.cts[from].ptr);
    w.out.call(format!("nfct_copy(ct{to}, ct{from}, {flags})"), || {
        errno_of(ffi!(api, nfct_copy(dest, src, flags)))
    });
    if flags & OVERRIDE != 0 {
        w.cts[to] = Ct { ptr: dest, ..w.cts[from].clone() };
    } else {
        remember(w, to, from, &|attr| copied_by(flags, attr));
    }
}

/// Copies one attribute.
pub fn copy_attr(w: &mut World, rng: &mut Rng) {
    let (to, from) = two_of(rng, w.cts.len());
    let attr = if rng.one_in(4) { rng.below(96) as u32 } else { super::ct::attr_of(w, rng, from) };
    if attr > 95 {
        return; // beyond the reference's presence bits
    }
    let (api, dest, src) = (&w.api, w.cts[to].ptr, w.cts[from].ptr);
    w.out.call(format!("nfct_copy_attr(ct{to}, ct{from}, {attr})"), || {
        errno_of(ffi!(api, nfct_copy_attr(dest, src, attr)))
    });
    remember(w, to, from, &|of| of == attr);
}

/// Keeps track of what an attribute-wise copy took along.
fn remember(w: &mut World, to: usize, from: usize, taken: &dyn Fn(u32) -> bool) {
    repair::after_copy(w, to, from, taken);
    let src = w.cts[from].clone();
    if taken(TIMESTAMP_EVENT) && src.has_event {
        w.cts[to].has_event = true;
        w.cts[to].event = src.event;
    }
    let has_info = ffi!(w.api, nfct_attr_is_set(src.ptr, HELPER_INFO)).0 == 1;
    if taken(HELPER_INFO) && has_info && src.info.is_some() {
        w.cts[to].info = src.info;
        repair::helper_info(w, to);
    }
}

/// Replaces an object by a clone of another.
pub fn clone(w: &mut World, rng: &mut Rng) {
    let (to, from) = two_of(rng, w.cts.len());
    clone_to(w, to, from);
}

fn clone_to(w: &mut World, to: usize, from: usize) {
    let (api, old, src) = (&w.api, w.cts[to].ptr, w.cts[from].ptr);
    let mut ptr = std::ptr::null_mut();
    w.out.call(format!("ct{to} = nfct_clone(ct{from})"), || {
        let (clone, errno) = ffi!(api, nfct_clone(src));
        ptr = clone;
        format!("{} errno={errno}", !clone.is_null())
    });
    ffi!(api, nfct_destroy(old));
    w.cts[to] = Ct { ptr, ..w.cts[from].clone() };
}

/// Compares two objects, or one with itself.
pub fn compare(w: &mut World, rng: &mut Rng) {
    let (one, mut other) = two_of(rng, w.cts.len());
    if rng.one_in(10) {
        other = one;
    }
    let (api, a, b, mend) = (&w.api, w.cts[one].ptr, w.cts[other].ptr, w.mend);
    if rng.one_in(6) {
        w.out.call(format!("nfct_compare(ct{one}, ct{other})"), || {
            number(ffi!(api, nfct_compare(a, b)))
        });
        return;
    }
    let flags = match rng.below(3) {
        0 => rng.pick(&[0, 32, 64, 96]),
        1 => rng.pick(&[1, 2, 3]) | rng.pick(&[0, 32, 64, 96]),
        _ => rng.below(256) as u32,
    };
    w.out.call(format!("nfct_cmp(ct{one}, ct{other}, {flags})"), || {
        clean_errno(mend, ffi!(api, nfct_cmp(a, b, flags)))
    });
}

/// Compares an object with a copy of it that differs in one attribute, if at all.
pub fn compare_changed(w: &mut World, rng: &mut Rng) {
    let (one, other) = two_of(rng, w.cts.len());
    clone_to(w, other, one);
    let attr = super::ct::attr_of(w, rng, one);
    match rng.below(3) {
        0 => super::ct::unset_attr(w, other, attr),
        1 => super::ct::set_attr(w, rng, other, attr),
        _ => super::ct::set(w, rng),
    }
    let (api, mend) = (&w.api, w.mend);
    for (a, b) in [(one, other), (other, one)] {
        for flags in [0, 1, 2, 32, 64, 96, 3 | 96] {
            w.out.call(format!("nfct_cmp(ct{a}, ct{b}, {flags})"), || {
                clean_errno(mend, ffi!(api, nfct_cmp(w.cts[a].ptr, w.cts[b].ptr, flags)))
            });
        }
    }
}

/// A result that is a success: ctrs leaves `errno` alone where the reference leaves something in it.
pub fn clean_errno(mend: bool, (value, errno): (i32, i32)) -> Outcome {
    Outcome {
        result: number((value, errno)),
        mended: mend.then(|| ("errno-after-success", number((value, 0)))),
    }
}
