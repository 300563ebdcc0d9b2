//! Calls on label bitmasks and label maps.

use std::ffi::{CStr, CString};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use super::api::{Api, ConstPtr, ffi};
use super::attrs::{CONNLABELS, CONNLABELS_MASK};
use super::world::{World, errno_of, number};
use crate::differential::record::{Outcome, hex, quoted};
use crate::differential::rng::Rng;

/// What is in a bitmask, through the functions for it.
pub fn content(api: &Api, mask: ConstPtr) -> String {
    if mask.is_null() {
        return "NULL".to_string();
    }
    let (highest, errno) = ffi!(api, nfct_bitmask_maxbit(mask));
    let is_set = |bit: &u32| ffi!(api, nfct_bitmask_test_bit(mask, *bit)).0 != 0;
    let bits: Vec<u32> = (0..=highest.min(4096)).filter(is_set).collect();
    format!("up to {highest} errno={errno}: {bits:?}")
}

/// Makes, changes, compares and destroys bitmasks that no object owns.
pub fn bitmask(w: &mut World, rng: &mut Rng) {
    let at = rng.index(2);
    let mask = w.masks[at];
    if mask.is_null() {
        return new_mask(w, rng, at);
    }
    let api = &w.api;
    let bit = if rng.one_in(5) { rng.next() as u32 } else { rng.below(160) as u32 };
    match rng.below(10) {
        0..=3 => w.out.call(format!("nfct_bitmask_set_bit(mask{at}, {bit})"), || {
            errno_of(ffi!(api, nfct_bitmask_set_bit(mask, bit)))
        }),
        4 => w.out.call(format!("nfct_bitmask_unset_bit(mask{at}, {bit})"), || {
            errno_of(ffi!(api, nfct_bitmask_unset_bit(mask, bit)))
        }),
        5 => w.out.call(format!("nfct_bitmask_test_bit(mask{at}, {bit})"), || {
            number(ffi!(api, nfct_bitmask_test_bit(mask, bit)))
        }),
        6 => w.out.call(format!("content of mask{at}"), || content(api, mask)),
        7 => w.out.call(format!("nfct_bitmask_clear(mask{at})"), || {
            errno_of(ffi!(api, nfct_bitmask_clear(mask)))
        }),
        8 if !w.masks[1 - at].is_null() => {
            let other = w.masks[1 - at];
            w.out.call("nfct_bitmask_equal(mask0, mask1)", || {
                number(ffi!(api, nfct_bitmask_equal(mask, other)))
            });
        }
        _ => {
            ffi!(api, nfct_bitmask_destroy(mask));
            w.masks[at] = std::ptr::null_mut();
        }
    }
}

/// Makes a bitmask, at times as a clone of the other.
fn new_mask(w: &mut World, rng: &mut Rng, at: usize) {
    let (api, other) = (&w.api, w.masks[1 - at]);
    let highest = rng.pick(&[0, 1, 31, 32, 63, 64, 127, 127, 127, 128, 1023, 65_536, 0xffff_ffff]);
    let clone = !other.is_null() && rng.one_in(2);
    let call =
        format!("mask{at} = {}", if clone { "clone".into() } else { format!("new({highest})") });
    let mut made = std::ptr::null_mut();
    w.out.call(call, || {
        let (mask, errno) = match clone {
            true => ffi!(api, nfct_bitmask_clone(other)),
            false => ffi!(api, nfct_bitmask_new(highest)),
        };
        made = mask;
        format!("{} errno={errno}", content(api, mask))
    });
    w.masks[at] = made;
}

/// Bitmasks of the largest sizes, which no message has room for.
pub fn large_bitmask(w: &mut World, rng: &mut Rng) {
    let api = &w.api;
    let highest = rng.pick(&[65_534, 65_535, 40_000]);
    let bit = rng.range(30_000, 66_000) as u32;
    w.out.call(format!("bitmask of {highest}, bit {bit}"), || {
        let (mask, errno) = ffi!(api, nfct_bitmask_new(highest));
        ffi!(api, nfct_bitmask_set_bit(mask, bit));
        let (is_set, _) = ffi!(api, nfct_bitmask_test_bit(mask, bit));
        let (end, _) = ffi!(api, nfct_bitmask_maxbit(mask));
        ffi!(api, nfct_bitmask_destroy(mask));
        format!("{end} {is_set} errno={errno}")
    });
}

/// Hands a bitmask over to an object, or changes the one that the object has.
pub fn set_labels(w: &mut World, rng: &mut Rng) {
    let (at, which) = (rng.index(w.cts.len()), rng.index(2));
    let attr = rng.pick(&[CONNLABELS, CONNLABELS, CONNLABELS_MASK]);
    let (api, ct) = (&w.api, w.cts[at].ptr);
    if rng.one_in(4) {
        let bit = rng.below(130) as u32;
        w.out.call(format!("set bit {bit} of ct{at}'s {attr} in place"), || {
            let (held, errno) = ffi!(api, nfct_get_attr(ct, attr));
            if !held.is_null() {
                ffi!(api, nfct_bitmask_set_bit(held.cast_mut(), bit));
            }
            format!("{} errno={errno}", content(api, held))
        });
        return;
    }
    let mask = w.masks[which];
    if mask.is_null() {
        return new_mask(w, rng, which);
    }
    w.masks[which] = std::ptr::null_mut();
    let twice = rng.one_in(5);
    w.out.call(format!("nfct_set_attr(ct{at}, {attr}, mask{which}), twice: {twice}"), || {
        let result = errno_of(ffi!(api, nfct_set_attr(ct, attr, mask)));
        if twice {
            ffi!(api, nfct_set_attr(ct, attr, mask));
        }
        let (held, _) = ffi!(api, nfct_get_attr(ct, attr));
        format!("{result} the same: {}", held == mask.cast_const())
    });
}

const PIECES: [&[u8]; 30] = [
    b"one",
    b"two",
    b"five five",
    b"a-b",
    b" ",
    b"\t",
    b"\r",
    b"\x0b",
    b"#",
    b"0x1f",
    b"010",
    b"08",
    b"0x",
    b"-1",
    b"+4",
    b"1024",
    b"1023",
    b"a_b",
    b"x.y",
    b"\"q\"",
    b"\0",
    b"\xc3\xa4",
    b"99999999999999999999",
    b"0b11",
    b"1e3",
    b"-18446744073709551615",
    b"ONE",
    b"\n",
    b"  ",
    b"zz",
];

/// The content of a label file.
fn label_file(rng: &mut Rng) -> Vec<u8> {
    let mut file = Vec::new();
    for line in 0..rng.below(14) {
        if rng.one_in(3) {
            for _ in 0..rng.below(5) {
                file.extend(rng.pick(&PIECES));
            }
        } else {
            let bit = if rng.one_in(3) { rng.below(1030) } else { rng.below(40) };
            file.extend(format!("{bit} label-{}", rng.below(40) + line).bytes());
        }
        if rng.one_in(30) {
            file.extend(std::iter::repeat_n(b'a', rng.range(900, 1100) as usize));
            file.extend(b"7 spill");
        }
        if !rng.one_in(20) {
            file.push(b'\n');
        }
    }
    file
}

/// Reads a label file.
pub fn new_map(w: &mut World, rng: &mut Rng) {
    let file = label_file(rng);
    let odd = rng.below(30);
    let path = match odd {
        0 => c"/nonexistent/connlabel.conf".to_owned(),
        1 => c"/".to_owned(),
        2 => c"".to_owned(),
        3 => c"/dev/null".to_owned(),
        _ => {
            w.label_file.set_len(0).expect("a file for labels");
            w.label_file.write_all_at(&file, 0).expect("a file for labels");
            CString::new(format!("/proc/self/fd/{}", w.label_file.as_raw_fd())).unwrap_or_default()
        }
    };
    let pointer = if odd == 4 { std::ptr::null() } else { path.as_ptr() };
    let (api, old, mend) = (&w.api, w.map, w.mend);
    let mut map = std::ptr::null_mut();
    w.out.call(format!("nfct_labelmap_new (case {odd}, {})", quoted(&file)), || {
        let (made, errno) = ffi!(api, nfct_labelmap_new(pointer));
        map = made;
        let ok = !made.is_null();
        let clean = format!("{ok} errno=0");
        let mended = (mend && ok).then_some(("errno-after-success", clean));
        Outcome { result: format!("{ok} errno={errno}"), mended }
    });
    if !old.is_null() {
        ffi!(api, nfct_labelmap_destroy(old));
    }
    w.map = map;
    if !map.is_null() {
        show_map(w);
    }
}

/// All names of the map, up to the end.
fn show_map(w: &mut World) {
    let (api, map) = (&w.api, w.map);
    w.out.call("all names of the map", || {
        let mut names = String::new();
        for bit in 0..1100 {
            let (name, errno) = ffi!(api, nfct_labelmap_get_name(map, bit));
            if name.is_null() {
                return format!("{names} end at {bit} errno={errno}");
            }
            // SAFETY: the name is a C string that lives as long as the map.
            let name = unsafe { CStr::from_ptr(name) }.to_bytes();
            if !name.is_empty() {
                names += &format!("{bit}={} ", quoted(name));
            }
        }
        format!("{names} no end")
    });
}

/// Looks names and numbers up.
pub fn look_up(w: &mut World, rng: &mut Rng) {
    let (api, map) = (&w.api, w.map);
    if rng.one_in(12) {
        w.out.call("nfct_labels_get_path()", || {
            let (path, errno) = ffi!(api, nfct_labels_get_path());
            // SAFETY: the path is a C string that lives for ever.
            format!("{} errno={errno}", quoted(unsafe { CStr::from_ptr(path) }.to_bytes()))
        });
        return;
    }
    let name = match rng.below(4) {
        0 => CString::new(rng.text(12)).unwrap_or_default(),
        1 => c"one".to_owned(),
        _ => CString::new(format!("label-{}", rng.below(54))).unwrap_or_default(),
    };
    w.out.call(format!("nfct_labelmap_get_bit({})", hex(name.as_bytes())), || {
        number(ffi!(api, nfct_labelmap_get_bit(map, name.as_ptr())))
    });
}
