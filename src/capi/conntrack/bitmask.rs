//! Label bitmasks.

use super::types::nfct_bitmask;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::conntrack::heap::Words;
use crate::conntrack::labels::bitmask::Bitmask;
use libc::{c_int, c_uint};
use std::mem::ManuallyDrop;

/// The bitmask behind a pointer, which stays C's, or [`Error::NULL`].
///
/// # Safety
/// `b` is NULL or a live bitmask, used by nobody else meanwhile.
unsafe fn borrow(b: *const nfct_bitmask) -> Result<ManuallyDrop<Bitmask>, Error> {
    // SAFETY: `b` is NULL or the block of a live bitmask, which `ManuallyDrop` leaves to C.
    let words = unsafe { Words::from_raw(b.cast_mut().cast()) };
    words.map(|words| ManuallyDrop::new(Bitmask(words))).ok_or(Error::NULL)
}

/// Makes an empty bitmask for labels 0 to `maxbit`, rounded up to a multiple of 32. Release it with
/// nfct_bitmask_destroy(), unless an entry took it over.
///
/// Returns the bitmask; NULL with ENOMEM when there is no memory; NULL with errno untouched if
/// `maxbit` is above 65535.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_new(maxbit: c_uint) -> *mut nfct_bitmask {
    boundary(std::ptr::null_mut(), || {
        let mask = Bitmask::new(maxbit)?;
        Ok(mask.map_or(std::ptr::null_mut(), |mask| mask.0.into_raw().cast()))
    })
}

/// Copies a bitmask. Release the copy with nfct_bitmask_destroy(), unless an entry took it over.
///
/// Returns the copy; NULL with EINVAL for NULL, with ENOMEM when there is no memory.
///
/// # Safety
/// `b` is NULL or a live bitmask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_clone(b: *const nfct_bitmask) -> *mut nfct_bitmask {
    boundary(std::ptr::null_mut(), || {
        // SAFETY: `b` is NULL or live, and changed by nobody during the call.
        let mask = unsafe { borrow(b) }?;
        Ok(mask.try_clone()?.0.into_raw().cast())
    })
}

/// The highest label that a bitmask has room for.
///
/// Returns its number; 0 with EINVAL for NULL.
///
/// # Safety
/// `b` is NULL or a live bitmask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_maxbit(b: *const nfct_bitmask) -> c_uint {
    // SAFETY: `b` is NULL or live, and changed by nobody during the call.
    boundary(0, || unsafe { borrow(b) }.map(|mask| mask.max_bit()))
}

/// Adds a label; one above nfct_bitmask_maxbit() is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `b` is NULL or a live bitmask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_set_bit(b: *mut nfct_bitmask, bit: c_uint) {
    // SAFETY: `b` is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { borrow(b) }.map(|mut mask| mask.set(bit)));
}

/// Tells whether a label is in a bitmask.
///
/// Returns 1 if it is, 0 if not; 0 with EINVAL for NULL.
///
/// # Safety
/// `b` is NULL or a live bitmask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_test_bit(b: *const nfct_bitmask, bit: c_uint) -> c_int {
    // SAFETY: `b` is NULL or live, and changed by nobody during the call.
    boundary(0, || unsafe { borrow(b) }.map(|mask| mask.has(bit).into()))
}

/// Removes a label; one above nfct_bitmask_maxbit() is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `b` is NULL or a live bitmask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_unset_bit(b: *mut nfct_bitmask, bit: c_uint) {
    // SAFETY: `b` is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { borrow(b) }.map(|mut mask| mask.unset(bit)));
}

/// Destroys a bitmask that no entry took over. NULL is ignored; errno is left alone.
///
/// # Safety
/// `b` is NULL or a live bitmask that no object took over, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_destroy(b: *mut nfct_bitmask) {
    boundary((), || {
        // SAFETY: `b` is NULL or the block of a live bitmask, which the caller does not use again.
        drop(unsafe { Words::from_raw(b.cast()) });
        Ok(())
    });
}

/// Removes all labels; the room for them stays.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `b` is NULL or a live bitmask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_clear(b: *mut nfct_bitmask) {
    // SAFETY: `b` is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { borrow(b) }.map(|mut mask| mask.clear()));
}

/// Compares two bitmasks, their labels and their room for them.
///
/// Returns true if they are equal, false if not; false with EINVAL for NULL.
///
/// # Safety
/// Each is NULL or a live bitmask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_bitmask_equal(
    b1: *const nfct_bitmask,
    b2: *const nfct_bitmask,
) -> bool {
    boundary(false, || {
        // SAFETY: each is NULL or live, and changed by nobody during the call.
        let (a, b) = unsafe { (borrow(b1)?, borrow(b2)?) };
        Ok(*a == *b)
    })
}
