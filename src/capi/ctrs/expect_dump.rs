//! Expectations that are listed.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::with_handle;
use super::dump::NO_SEARCH;
use super::reading::{self, Lists, last_error, with_list};
use crate::capi::conntrack::types::{nf_expect, nfct_handle};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::without_cancellation;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::ctrs_error;
use crate::capi::ffi::ptr;
use crate::conntrack::dump::{Order, What, WithId};
use crate::conntrack::record::ExpectationRecord;
use crate::error::{Error, Invalid};
use libc::{c_int, size_t, ssize_t};

/// A list of expectations that is read.
///
/// Made by ctrs_expect_dump_begin(), released with ctrs_expect_dump_end(); as a list of flows.
pub struct ctrs_expect_dump {
    _private: [u8; 0],
}

impl Lists for ctrs_expect_dump {
    type Entry = WithId;
}

fn order(flags: u32) -> Result<Order<'static>, Error> {
    if flags & !NO_SEARCH != 0 {
        return Err(Invalid::Argument("ctrs_expect_dump_begin() has no such flags").into());
    }
    Ok(Order { search: flags & NO_SEARCH == 0, ..Order::of(What::Expectations) })
}

fn fill(record: &mut ExpectationRecord, WithId { expect, id }: &WithId) {
    *record = ExpectationRecord::of(expect);
    id.iter().for_each(|id| record.set_id(*id));
}

/// Begins to list the expectations of the handle's network namespace. Of enum ctrs_dump_flags,
/// `flags` may be CTRS_DUMP_NO_DUPLICATE_SEARCH.
///
/// Returns the list; NULL as ctrs_dump_begin().
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_expect_dump_begin(
    h: *mut nfct_handle,
    flags: u32,
) -> *mut ctrs_expect_dump {
    // SAFETY: `h` is NULL or a live handle.
    unsafe {
        with_handle(h, std::ptr::null_mut(), |extended| {
            reading::begin(extended, order(flags)?, None)
        })
    }
}

/// Reads the next expectation into an object, in place of what that holds.
///
/// Returns 1 with an expectation; 0 at the end; -1 with errno as ctrs_dump_next(). In both cases
/// the object is as it was.
///
/// # Safety
/// `dump` is NULL or a live list; `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_expect_dump_next(
    dump: *mut ctrs_expect_dump,
    exp: *mut nf_expect,
) -> c_int {
    // SAFETY: `dump` and `exp` are NULL or live, and used by nobody else during the call.
    unsafe {
        with_list(dump, -1, |list| {
            let none = Invalid::Argument("there is no expectation: NULL");
            let exp = ptr::unique(exp).map_err(|_| none)?;
            let found = list.next()?;
            Ok(found.map(|entry| std::mem::swap(&mut entry.expect, exp)).map_or(0, |()| 1))
        })
    }
}

/// Reads the next expectations into an array of `n` records, with their ids. `size` is
/// sizeof(struct ctrs_expectation) as the program was compiled, as in ctrs_expectation_from().
///
/// Returns how many records it has filled, as ctrs_dump_read(); -1 with errno as ctrs_dump_read().
///
/// # Safety
/// `dump` is NULL or a live list; `expectations` is NULL or points to `n` times `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_expect_dump_read(
    dump: *mut ctrs_expect_dump,
    expectations: *mut ExpectationRecord,
    n: size_t,
    size: size_t,
) -> ssize_t {
    // SAFETY: `dump` is NULL or live, and used by nobody else during the call; the array is as large
    // as `n` and `size` say.
    unsafe { with_list(dump, -1, |list| list.read(expectations, n, size, fill)) }
}

/// Ends a list, at its end or before, and releases it.
///
/// Returns CTRS_CONSISTENT or CTRS_INCONSISTENT; -1 with errno as ctrs_dump_end(). The list is gone
/// whatever is returned.
///
/// # Safety
/// `dump` is NULL or a live list, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_expect_dump_end(dump: *mut ctrs_expect_dump) -> c_int {
    // SAFETY: `dump` is NULL or live, and not used again.
    without_cancellation(|| boundary(-1, || unsafe { reading::end(dump) }))
}

/// What went wrong in the last call on a list.
///
/// Returns the error, as ctrs_dump_last_error().
///
/// # Safety
/// `dump` is NULL or a live list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_expect_dump_last_error(
    dump: *const ctrs_expect_dump,
) -> *const ctrs_error {
    boundary(std::ptr::null(), || {
        ptr::not_null(dump)?;
        // SAFETY: `dump` is not NULL, so it is live.
        Ok::<_, Errno>(unsafe { last_error(dump) })
    })
}
