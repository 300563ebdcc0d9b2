//! Calls that set, get and unset attributes of conntrack objects.

use std::ffi::CStr;

use super::api::{Api, ConstPtr, ffi};
use super::attrs::{self, COUNT, HELPER_INFO, HELPER_NAME, SECCTX, TIMESTAMP_EVENT, width};
use super::repair;
use super::world::{Ct, World, errno_of, number, two_of};
use crate::differential::record::{Outcome, hex, quoted};
use crate::differential::rng::Rng;

/// Sets a scalar or an address, through a setter at least as wide as it.
pub fn set(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.cts.len());
    let attr = attrs::any_attr(rng);
    set_attr(w, rng, at, attr);
}

/// Sets this attribute.
pub fn set_attr(w: &mut World, rng: &mut Rng, at: usize, attr: u32) {
    let value = attrs::likely_value(rng, attr);
    match attr {
        HELPER_NAME => set_name(w, rng, at),
        HELPER_INFO => set_info(w, rng, at),
        attrs::CONNLABELS | attrs::CONNLABELS_MASK => super::labels::set_labels(w, rng),
        _ => set_number(w, rng, at, attr, value),
    }
}

fn set_number(w: &mut World, rng: &mut Rng, at: usize, attr: u32, value: [u8; 16]) {
    let (api, ct) = (&w.api, w.cts[at].ptr);
    let [low, second, third, fourth, ..] = value;
    let wide = u64::from_ne_bytes(*value.first_chunk().expect("8 bytes"));
    let half = u32::from_ne_bytes([low, second, third, fourth]);
    let narrowest = width(attr).max(1);
    let widths: Vec<usize> =
        [1, 2, 4, 8, 16, 17].into_iter().filter(|of| *of >= narrowest).collect();
    let with = rng.pick(&widths);
    let text = hex(&value);
    w.out.call(format!("set width {with} (ct{at}, {attr}, {text})"), || {
        let pointer: ConstPtr = value.as_ptr().cast();
        errno_of(match with {
            1 => ffi!(api, nfct_set_attr_u8(ct, attr, low)),
            2 => ffi!(api, nfct_set_attr_u16(ct, attr, u16::from_ne_bytes([low, second]))),
            4 => ffi!(api, nfct_set_attr_u32(ct, attr, half)),
            8 => ffi!(api, nfct_set_attr_u64(ct, attr, wide)),
            16 => ffi!(api, nfct_set_attr(ct, attr, pointer)),
            _ => ffi!(api, nfct_set_attr_l(ct, attr, pointer, (wide % 9) as usize)),
        })
    });
}

fn set_name(w: &mut World, rng: &mut Rng, at: usize) {
    let (api, ct) = (&w.api, w.cts[at].ptr);
    let mut name = rng.text(24);
    name.push(0);
    w.out.call(format!("nfct_set_attr(ct{at}, HELPER_NAME, {})", quoted(&name)), || {
        errno_of(ffi!(api, nfct_set_attr(ct, HELPER_NAME, name.as_ptr().cast())))
    });
}

fn set_info(w: &mut World, rng: &mut Rng, at: usize) {
    let (api, ct) = (&w.api, w.cts[at].ptr);
    let len = rng.index(40);
    let mut info = rng.bytes(len.max(8));
    let how = rng.below(4);
    info.truncate([len, 0, 4, 8][how as usize]);
    w.out.call(format!("set how {how} (ct{at}, HELPER_INFO, {})", hex(&info)), || {
        let pointer: ConstPtr = info.as_ptr().cast();
        let four = info.first_chunk().copied().map_or(0, u32::from_ne_bytes);
        let eight = info.first_chunk().copied().map_or(0, u64::from_ne_bytes);
        errno_of(match how {
            0 => ffi!(api, nfct_set_attr_l(ct, HELPER_INFO, pointer, info.len())),
            1 => ffi!(api, nfct_set_attr(ct, HELPER_INFO, pointer)),
            2 => ffi!(api, nfct_set_attr_u32(ct, HELPER_INFO, four)),
            _ => ffi!(api, nfct_set_attr_u64(ct, HELPER_INFO, eight)),
        })
    });
    w.cts[at].info = Some(info);
    repair::helper_info(w, at);
}

/// Gives an object what a message needs: both tuples.
pub fn set_tuples(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.cts.len());
    for attr in [15, 17, 16, 18, 8, 9, 10, 11, 12, 14] {
        if !rng.one_in(5) {
            let value = attrs::likely_value(rng, attr);
            set_number(w, rng, at, attr, value);
        }
    }
}

/// An attribute, more often than not one that the object has.
pub fn attr_of(w: &World, rng: &mut Rng, at: usize) -> u32 {
    let present = |attr: &u32| ffi!(w.api, nfct_attr_is_set(w.cts[at].ptr, *attr)).0 == 1;
    let set: Vec<u32> = (0..COUNT - 1).filter(present).collect();
    if set.is_empty() || rng.one_in(3) { attrs::any_attr(rng) } else { rng.pick(&set) }
}

/// Gets an attribute through its pointer or as a number.
pub fn get(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.cts.len());
    let attr = attr_of(w, rng, at);
    if rng.one_in(3) {
        return get_pointer(w, at, attr);
    }
    let (api, ct, mend) = (&w.api, &w.cts[at], w.mend);
    let bytes = rng.pick(&[1, 2, 4, 8]);
    let bytes = if may_read(api, ct, attr, bytes) { bytes } else { 1 };
    if !may_read(api, ct, attr, bytes) {
        return;
    }
    w.out.call(format!("nfct_get_attr_u{}(ct{at}, {attr})", bytes * 8), || {
        let result = match bytes {
            1 => number(ffi!(api, nfct_get_attr_u8(ct.ptr, attr))),
            2 => number(ffi!(api, nfct_get_attr_u16(ct.ptr, attr))),
            4 => number(ffi!(api, nfct_get_attr_u32(ct.ptr, attr))),
            _ => number(ffi!(api, nfct_get_attr_u64(ct.ptr, attr))),
        };
        // Its first bytes.
        let event = match cfg!(target_endian = "big") {
            true => ct.event >> (64 - 8 * bytes),
            false => ct.event & (u64::MAX >> (64 - 8 * bytes)),
        };
        let meant = if ct.has_event { (event, 0) } else { (0, libc::ENODATA) };
        if_event(mend, attr, result, || number(meant))
    });
}

/// Adds what ctrs is to say about the attribute that 1.0.9 does not have.
fn if_event(mend: bool, attr: u32, result: String, meant: impl FnOnce() -> String) -> Outcome {
    let mended = (mend && attr == TIMESTAMP_EVENT).then(|| ("timestamp-event", meant()));
    Outcome { result, mended }
}

/// Whether reading so many bytes at an attribute shows nothing that is undefined or hidden.
fn may_read(api: &Api, ct: &Ct, attr: u32, bytes: usize) -> bool {
    let unset = ffi!(api, nfct_attr_is_set(ct.ptr, attr)).0 != 1;
    unset
        || match attr {
            // What lies behind: the highest NAT port, and bytes after the NUL of a name.
            20..=23 | 61 | 70 | 71 => bytes <= width(attr),
            31 => bytes < 8,
            HELPER_NAME | SECCTX => bytes == 1,
            attrs::CONNLABELS | attrs::CONNLABELS_MASK => bytes <= 4,
            HELPER_INFO => ct.info.as_ref().is_none_or(|info| info.len() >= bytes),
            _ => true,
        }
}

fn get_pointer(w: &mut World, at: usize, attr: u32) {
    let (api, ct, mend) = (&w.api, &w.cts[at], w.mend);
    w.out.call(format!("nfct_get_attr(ct{at}, {attr})"), || {
        let (pointer, errno) = ffi!(api, nfct_get_attr(ct.ptr, attr));
        let result = format!("{} errno={errno}", describe(api, ct, attr, pointer));
        let meant = || match ct.has_event {
            true => format!("{} errno=0", hex(&ct.event.to_ne_bytes())),
            false => format!("NULL errno={}", libc::ENODATA),
        };
        if_event(mend, attr, result, meant)
    });
}

/// What a pointer that `nfct_get_attr` returned points at.
fn describe(api: &Api, ct: &Ct, attr: u32, pointer: ConstPtr) -> String {
    if pointer.is_null() {
        return "NULL".to_string();
    }
    // SAFETY: the pointer is to as many bytes as the attribute has, or to a C string.
    let bytes = |len: usize| unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), len) };
    match attr {
        // SAFETY: as above.
        HELPER_NAME | SECCTX => quoted(unsafe { CStr::from_ptr(pointer.cast()) }.to_bytes()),
        HELPER_INFO => hex(bytes(ct.info.as_ref().map_or(0, Vec::len))),
        attrs::CONNLABELS | attrs::CONNLABELS_MASK => super::labels::content(api, pointer),
        _ => hex(bytes(width(attr))),
    }
}

/// Asks for presence, of one attribute or of several.
pub fn is_set(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.cts.len());
    let (api, ct, mend) = (&w.api, &w.cts[at], w.mend);
    if rng.one_in(2) {
        let attr = attr_of(w, rng, at);
        let (api, ct) = (&w.api, &w.cts[at]);
        w.out.call(format!("nfct_attr_is_set(ct{at}, {attr})"), || {
            let result = number(ffi!(api, nfct_attr_is_set(ct.ptr, attr)));
            if_event(mend, attr, result, || number((u8::from(ct.has_event), 0)))
        });
        return;
    }
    let len = rng.index(5);
    let array: Vec<u32> =
        (0..len).map(|_| attrs::any_attr(rng) % 81).filter(|attr| *attr != 75).collect();
    let size = if rng.one_in(8) { -1 } else { array.len() as i32 };
    let pointer = if size <= 0 && rng.one_in(2) { std::ptr::null() } else { array.as_ptr() };
    w.out.call(format!("nfct_attr_is_set_array(ct{at}, {array:?}, {size})"), || {
        number(ffi!(api, nfct_attr_is_set_array(ct.ptr, pointer, size)))
    });
}

/// Unsets an attribute.
pub fn unset(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.cts.len());
    let attr = attr_of(w, rng, at);
    unset_attr(w, at, attr);
}

/// Unsets this attribute.
pub fn unset_attr(w: &mut World, at: usize, attr: u32) {
    let (api, ct, mend) = (&w.api, &mut w.cts[at], w.mend);
    w.out.call(format!("nfct_attr_unset(ct{at}, {attr})"), || {
        let result = number(ffi!(api, nfct_attr_unset(ct.ptr, attr)));
        if_event(mend, attr, result, || number((0, 0)))
    });
    ct.has_event &= attr != TIMESTAMP_EVENT;
}

/// Sets, gets, asks for or unsets a group of attributes.
pub fn group(w: &mut World, rng: &mut Rng) {
    let (at, _) = two_of(rng, w.cts.len());
    let (api, ct) = (&w.api, w.cts[at].ptr);
    let group =
        if rng.one_in(12) { rng.pick(&[16, 17, 0xffff_ffff]) } else { rng.below(16) as u32 };
    let mut data = rng.bytes(32);
    data[3] = attrs::likely_value(rng, 12)[0];
    match rng.below(5) {
        0 | 1 => w.out.call(format!("nfct_set_attr_grp(ct{at}, {group}, {})", hex(&data)), || {
            let unused = (10..16).contains(&group) && data[0] & 1 == 0;
            let pointer = if unused { std::ptr::null() } else { data.as_ptr() };
            errno_of(ffi!(api, nfct_set_attr_grp(ct, group, pointer.cast())))
        }),
        2 => get_group(w, at, group),
        3 => w.out.call(format!("nfct_attr_grp_is_set(ct{at}, {group})"), || {
            number(ffi!(api, nfct_attr_grp_is_set(ct, group)))
        }),
        _ => w.out.call(format!("nfct_attr_grp_unset(ct{at}, {group})"), || {
            number(ffi!(api, nfct_attr_grp_unset(ct, group)))
        }),
    }
}

fn get_group(w: &mut World, at: usize, group: u32) {
    let (api, ct) = (&w.api, w.cts[at].ptr);
    w.out.call(format!("nfct_get_attr_grp(ct{at}, {group})"), || {
        let mut data = [0xa5; 40];
        let (value, errno) = ffi!(api, nfct_get_attr_grp(ct, group, data.as_mut_ptr().cast()));
        format!("{value} errno={errno} {}", hex(&data))
    });
}

/// Sets or asks for an option of the object.
pub fn option(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.cts.len());
    let (api, ct) = (&w.api, w.cts[at].ptr);
    let option = rng.pick(&[0, 1, 2, 3, 4, 5, 5, 6, 0xffff_ffff]);
    if rng.one_in(2) {
        w.out.call(format!("nfct_setobjopt(ct{at}, {option})"), || {
            number(ffi!(api, nfct_setobjopt(ct, option)))
        });
    } else {
        w.out.call(format!("nfct_getobjopt(ct{at}, {option})"), || {
            number(ffi!(api, nfct_getobjopt(ct, option)))
        });
    }
}

/// Shows everything an object has: presence, of attributes and groups, then the values.
pub fn inspect(w: &mut World, at: usize) {
    let (api, ct) = (&w.api, w.cts[at].ptr);
    let present = |attr: &u32| ffi!(api, nfct_attr_is_set(ct, *attr)).0 == 1;
    let set: Vec<u32> = (0..COUNT - 1).filter(present).collect();
    w.out.call(format!("what is set in ct{at}"), || format!("{set:?}"));
    w.out.call(format!("groups set in ct{at}"), || {
        let set = |group: &u32| ffi!(api, nfct_attr_grp_is_set(ct, *group)).0 == 1;
        format!("{:?}", (0..16).filter(set).collect::<Vec<u32>>())
    });
    for attr in set.into_iter().chain([TIMESTAMP_EVENT]) {
        get_pointer(w, at, attr);
    }
}
