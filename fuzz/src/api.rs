//! Sequences of calls on a few objects, with a model of what must come back.

use super::attributes::{Kind, entries, expectations, groups};
use super::input::Input;
use super::objects::{Ct, Exp};
use ctrs::capi::conntrack::attr::{
    nfct_attr_is_set, nfct_attr_is_set_array, nfct_attr_unset, nfct_get_attr, nfct_get_attr_u8,
    nfct_get_attr_u16, nfct_get_attr_u32, nfct_get_attr_u64, nfct_set_attr, nfct_set_attr_l,
    nfct_set_attr_u8, nfct_set_attr_u16, nfct_set_attr_u32, nfct_set_attr_u64,
};
use ctrs::capi::conntrack::bitmask::{
    nfct_bitmask_clear, nfct_bitmask_clone, nfct_bitmask_destroy, nfct_bitmask_equal,
    nfct_bitmask_maxbit, nfct_bitmask_new, nfct_bitmask_set_bit, nfct_bitmask_test_bit,
    nfct_bitmask_unset_bit,
};
use ctrs::capi::conntrack::entry::{
    nfct_cmp, nfct_copy, nfct_copy_attr, nfct_getobjopt, nfct_setobjopt,
};
use ctrs::capi::conntrack::expect::{
    nfexp_attr_is_set, nfexp_attr_unset, nfexp_clone, nfexp_cmp, nfexp_get_attr, nfexp_get_attr_u8,
    nfexp_get_attr_u16, nfexp_get_attr_u32, nfexp_set_attr, nfexp_set_attr_u8, nfexp_set_attr_u16,
    nfexp_set_attr_u32,
};
use ctrs::capi::conntrack::group::{
    nfct_attr_grp_is_set, nfct_attr_grp_unset, nfct_get_attr_grp, nfct_set_attr_grp,
};
use ctrs::capi::conntrack::nlmsg::nfct_payload_parse;
use ctrs::capi::conntrack::types::{nf_conntrack, nf_expect, nfct_bitmask};
use std::ffi::CStr;

const CONNLABELS: [u32; 2] = [66, 67];
/// Room for what an object of these sequences is built into: two bitmasks and helper data.
const ROOM: usize = 4096;

/// Objects to work on; a bitmask may be NULL.
struct World {
    entries: [Ct; 3],
    expectations: [Exp; 2],
    masks: [*mut nfct_bitmask; 2],
}

/// Input: operations with what they need.
pub fn api(data: &[u8]) {
    let mut input = Input(data);
    let mut world = World {
        entries: [Ct::new(), Ct::new(), Ct::new()],
        expectations: [Exp::new(), Exp::new()],
        masks: [std::ptr::null_mut(); 2],
    };
    let mut budget = 400;
    while !input.is_empty() && budget > 0 {
        world.step(&mut input);
        budget -= 1;
    }
    for ct in &world.entries {
        ct.text([1, 0, 5]);
        ct.text([1, 1, 0]);
        ct.built(ROOM);
    }
    for exp in &world.expectations {
        exp.text([1, 0, 0]);
        exp.built(1024);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for mask in self.masks {
            // SAFETY: the bitmask is NULL or live, and not used again.
            unsafe { nfct_bitmask_destroy(mask) };
        }
    }
}

impl World {
    fn step(&mut self, input: &mut Input<'_>) {
        let (operation, which) = (input.u8(), input.u8());
        let ct = self.entries[usize::from(which % 3)].0;
        let other = self.entries[usize::from(which / 3 % 3)].0;
        let exp = self.expectations[usize::from(which & 1)].0;
        let number = u32::from(input.u8());
        // SAFETY: all objects are live; what is passed has the size that is asked for.
        unsafe {
            match operation & 15 {
                0 => set_number(ct, number, input),
                1 => set_bytes(ct, number, input),
                2 => get(ct, number),
                3 => unset(ct, number),
                4 => group(ct, number, input),
                5 => nfct_copy(ct, other, number),
                6 => nfct_copy_attr(ct, other, number),
                7 => options(ct, other, number),
                8 => self.bitmask(which, number, input),
                9 => self.give_mask(which, number),
                10 => expectation(exp, number, input, ct),
                11 => self.copy_expectation(which),
                12 => self.replace(which),
                13 => parse(ct, number, input),
                14 => {
                    let array: Vec<u32> =
                        input.filled(number as usize & 7).iter().map(|n| (*n).into()).collect();
                    nfct_attr_is_set_array(ct, array.as_ptr(), array.len() as i32);
                }
                _ => {
                    Ct::text(
                        &self.entries[usize::from(which % 3)],
                        [number & 7, number >> 3 & 3, number >> 4],
                    );
                }
            }
        }
    }

    /// Replaces an object by a copy of another.
    fn replace(&mut self, which: u8) {
        let copy = self.entries[usize::from(which / 3 % 3)].copy();
        self.entries[usize::from(which % 3)] = copy;
    }

    /// Replaces an expectation by a copy of another.
    fn copy_expectation(&mut self, which: u8) {
        let exp = self.expectations[usize::from(which & 1)].0;
        // SAFETY: the object is live.
        unsafe {
            let copy = Exp(nfexp_clone(exp));
            assert_eq!(nfexp_cmp(exp, copy.0, which.into()), 1);
            self.expectations[usize::from(which >> 1 & 1)] = copy;
        }
    }

    fn bitmask(&mut self, which: u8, number: u32, input: &mut Input<'_>) {
        let bit = u32::from(input.u16());
        let slot = &mut self.masks[usize::from(which & 1)];
        let mask = *slot;
        // SAFETY: a bitmask is NULL or live.
        unsafe {
            match number & 7 {
                0 | 1 => {
                    nfct_bitmask_destroy(mask);
                    let most = if number < 0xf8 { bit % 4096 } else { 65536 + bit };
                    *slot = nfct_bitmask_new(most);
                }
                2 | 3 => {
                    nfct_bitmask_set_bit(mask, bit);
                    let fits = !mask.is_null() && bit <= nfct_bitmask_maxbit(mask);
                    assert_eq!(nfct_bitmask_test_bit(mask, bit) == 1, fits);
                }
                4 => {
                    nfct_bitmask_unset_bit(mask, bit);
                    assert_eq!(nfct_bitmask_test_bit(mask, bit), 0);
                }
                5 => nfct_bitmask_clear(mask),
                6 => {
                    let copy = nfct_bitmask_clone(mask);
                    assert_eq!(nfct_bitmask_equal(mask, copy), !mask.is_null());
                    nfct_bitmask_destroy(copy);
                }
                _ => {
                    nfct_bitmask_equal(mask, self.masks[usize::from(which >> 1 & 1)]);
                }
            }
        }
    }

    /// Gives a bitmask to an object, or one that an attribute of the object holds already.
    fn give_mask(&mut self, which: u8, number: u32) {
        let ct = self.entries[usize::from(which % 3)].0;
        let attr = CONNLABELS[number as usize & 1];
        // SAFETY: the object takes over a bitmask that is given up here, or one of its own.
        unsafe {
            let own = nfct_get_attr(ct, CONNLABELS[number as usize >> 1 & 1]);
            if number & 4 != 0 && !own.is_null() {
                nfct_set_attr(ct, attr, own);
            } else {
                let slot = &mut self.masks[usize::from(which & 1)];
                let given = std::mem::replace(slot, std::ptr::null_mut());
                nfct_set_attr(ct, attr, given.cast());
                if !given.is_null() {
                    assert_eq!(nfct_get_attr(ct, attr), given.cast_const().cast());
                }
            }
        }
    }
}

/// # Safety
/// `ct` is live.
unsafe fn set_number(ct: *mut nf_conntrack, number: u32, input: &mut Input<'_>) {
    let (width, value) = (input.u8() & 3, input.u64());
    let row = entries().get(number as usize);
    // SAFETY: the object is live.
    unsafe {
        match width {
            0 => nfct_set_attr_u8(ct, number, value as u8),
            1 => nfct_set_attr_u16(ct, number, value as u16),
            2 => nfct_set_attr_u32(ct, number, value as u32),
            _ => nfct_set_attr_u64(ct, number, value),
        }
        if let Some(row) = row.filter(|row| row.kind == Kind::Plain) {
            assert_eq!(nfct_attr_is_set(ct, number), 1);
            // The first bytes in memory, of the number of this width and of what is got.
            let size = 1usize << width;
            let given = if cfg!(target_endian = "big") { value << (64 - 8 * size) } else { value };
            let [got, given] = [nfct_get_attr_u64(ct, number), given].map(u64::to_ne_bytes);
            let size = size.min(row.bytes);
            assert_eq!(got[..size], given[..size], "{number}");
        }
    }
}

/// # Safety
/// `ct` is live.
unsafe fn set_bytes(ct: *mut nf_conntrack, number: u32, input: &mut Input<'_>) {
    let length = usize::from(input.u8());
    let Some(row) = entries().get(number as usize) else { return };
    let value = match row.kind {
        Kind::Labels => return,
        Kind::Data => input.filled(length),
        Kind::Text => {
            let mut text = input.filled(length);
            text.push(0);
            text
        }
        _ => input.filled(row.bytes),
    };
    // SAFETY: the object is live, the value has the attribute's width, or the length.
    unsafe {
        // Also where no number can be aligned.
        let mut memory = vec![0u8; length & 1];
        memory.extend_from_slice(&value);
        let value = memory[length & 1..].as_ptr().cast();
        nfct_set_attr_l(ct, number, value, memory.len() - (length & 1));
        if row.kind == Kind::Plain {
            let got = nfct_get_attr(ct, number).cast::<u8>();
            let got = std::slice::from_raw_parts(got, row.bytes);
            assert_eq!(got, &memory[length & 1..], "{number}");
        }
    }
}

/// # Safety
/// `ct` is live.
unsafe fn get(ct: *mut nf_conntrack, number: u32) {
    // SAFETY: the object is live, and a value as long as its attribute.
    unsafe {
        let value = nfct_get_attr(ct, number);
        let set = nfct_attr_is_set(ct, number);
        assert_eq!(set == -1, number as usize >= entries().len());
        assert!(set == 1 || value.is_null());
        let wide = nfct_get_attr_u64(ct, number);
        let first = wide.to_ne_bytes();
        assert_eq!(nfct_get_attr_u32(ct, number).to_ne_bytes(), first[..4]);
        assert_eq!(nfct_get_attr_u16(ct, number).to_ne_bytes(), first[..2]);
        assert_eq!(nfct_get_attr_u8(ct, number), first[0]);
        let Some(row) = entries().get(number as usize).filter(|_| !value.is_null()) else { return };
        match row.kind {
            Kind::Labels => {
                nfct_bitmask_maxbit(value.cast());
            }
            Kind::Text | Kind::Context => {
                std::hint::black_box(CStr::from_ptr(value.cast()).to_bytes().len());
            }
            // Programs read as much as their helper's data has.
            Kind::Data => {
                std::hint::black_box(value.cast::<[u8; 32]>().read());
            }
            _ => {
                let bytes = std::slice::from_raw_parts(value.cast::<u8>(), row.bytes);
                std::hint::black_box(bytes.to_vec());
            }
        }
    }
}

/// # Safety
/// `ct` is live.
unsafe fn unset(ct: *mut nf_conntrack, number: u32) {
    // SAFETY: the object is live.
    unsafe {
        let result = nfct_attr_unset(ct, number);
        assert_eq!(result, if (number as usize) < entries().len() { 0 } else { -1 });
        assert_eq!(nfct_attr_is_set(ct, number), result);
        assert!(nfct_get_attr(ct, number).is_null());
    }
}

/// # Safety
/// `ct` is live.
unsafe fn group(ct: *mut nf_conntrack, number: u32, input: &mut Input<'_>) {
    let group = number & 31;
    let Some(size) = groups().get(group as usize).map(|row| row.bytes) else {
        // SAFETY: the object is live, and an unknown group has no value.
        unsafe { assert_eq!(nfct_attr_grp_is_set(ct, group), -1) };
        return;
    };
    let mut value = vec![0xa5u8; size];
    // SAFETY: the object is live, the value has the size of the group's structure.
    unsafe {
        match number >> 5 {
            0..=2 => nfct_set_attr_grp(ct, group, input.filled(size).as_ptr().cast()),
            3..=5 => {
                let set = nfct_attr_grp_is_set(ct, group);
                let result = nfct_get_attr_grp(ct, group, value.as_mut_ptr().cast());
                assert!(result == 0 || value.iter().all(|byte| *byte == 0xa5));
                assert!(set == 1 || result == -1, "group {group}");
            }
            _ => {
                assert_eq!(nfct_attr_grp_unset(ct, group), 0);
                assert_eq!(nfct_attr_grp_is_set(ct, group), 0);
            }
        }
    }
}

/// # Safety
/// Both are live.
unsafe fn options(ct: *mut nf_conntrack, other: *mut nf_conntrack, number: u32) {
    let option = number & 7;
    // SAFETY: the objects are live.
    unsafe {
        match number >> 6 {
            0 | 1 => {
                nfct_setobjopt(ct, option);
            }
            2 => assert_eq!(nfct_getobjopt(ct, option) == -1, option > 3),
            _ => {
                assert_eq!(nfct_cmp(ct, ct, number), 1);
                nfct_cmp(ct, other, number);
            }
        }
    }
}

/// # Safety
/// Both are live.
unsafe fn expectation(
    exp: *mut nf_expect,
    number: u32,
    input: &mut Input<'_>,
    ct: *mut nf_conntrack,
) {
    let attr = number & 15;
    // SAFETY: the objects are live; a value is a tuple's object, a C string, or a number.
    unsafe {
        match number >> 4 {
            0..=3 => nfexp_set_attr_u32(exp, attr, input.u32()),
            4 => nfexp_set_attr_u16(exp, attr, input.u16()),
            5 => nfexp_set_attr_u8(exp, attr, input.u8()),
            6..=9 => set_expectation(exp, attr, input, ct),
            10 => {
                nfexp_attr_unset(exp, attr);
                assert!(nfexp_attr_is_set(exp, attr) <= 0);
            }
            _ => {
                let value = nfexp_get_attr(exp, attr);
                assert_eq!(value.is_null(), nfexp_attr_is_set(exp, attr) != 1);
                let first = nfexp_get_attr_u32(exp, attr).to_ne_bytes();
                assert_eq!(nfexp_get_attr_u16(exp, attr).to_ne_bytes(), first[..2]);
                assert_eq!(nfexp_get_attr_u8(exp, attr), first[0]);
                // A tuple is an object to read.
                let kind = expectations().get(attr as usize).map(|row| row.kind);
                if !value.is_null() && kind == Some(Kind::Tuple) {
                    nfct_copy(ct, value.cast(), input.u8().into());
                }
            }
        }
    }
}

/// # Safety
/// Both are live.
unsafe fn set_expectation(
    exp: *mut nf_expect,
    attr: u32,
    input: &mut Input<'_>,
    ct: *mut nf_conntrack,
) {
    // SAFETY: the objects are live; the value is what the attribute takes.
    unsafe {
        match expectations().get(attr as usize).map(|row| row.kind) {
            Some(Kind::Tuple) => nfexp_set_attr(exp, attr, ct.cast_const().cast()),
            Some(Kind::Text) => {
                let length = input.u8();
                let mut text = input.filled(length.into());
                text.push(0);
                nfexp_set_attr(exp, attr, text.as_ptr().cast());
            }
            _ => nfexp_set_attr(exp, attr, input.filled(4).as_ptr().cast()),
        }
    }
}

/// # Safety
/// `ct` is live.
unsafe fn parse(ct: *mut nf_conntrack, number: u32, input: &mut Input<'_>) {
    let length = input.u16() % 512;
    let bytes = input.bytes(length.into());
    // SAFETY: the bytes have the length, the object is live.
    unsafe { nfct_payload_parse(bytes.as_ptr().cast(), bytes.len(), number as u16, ct) };
}
