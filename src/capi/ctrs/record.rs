//! Flows and expectations as plain data.

use crate::capi::conntrack::types::{nf_conntrack, nf_expect};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::conntrack::record::{ExpectationRecord, FlowRecord};
use crate::record::Record;
use libc::{c_int, size_t};

/// How large a program says its records are: from its presence bits on, in steps of 8.
///
/// # Errors
/// `EINVAL` for what is no size of a record.
pub(in crate::capi) fn checked_size<R: Record>(size: size_t) -> Result<usize, Error> {
    if R::fits(size) { Ok(size) } else { Err(Error::of(libc::EINVAL)) }
}

/// Writes a record into `size` bytes: what they lack is cut, what the record lacks is zero.
///
/// # Safety
/// `to` points to `size` writable bytes, of any alignment; `size` is checked.
#[inline]
pub(in crate::capi) unsafe fn put<R: Record>(to: *mut R, size: usize, mut record: R) {
    if size < size_of::<R>() {
        record.cut(size);
    }
    let both = size.min(size_of::<R>());
    let to = to.cast::<u8>();
    // SAFETY: both have that many bytes, and the rest of `size` are writable too.
    unsafe {
        std::ptr::copy_nonoverlapping(record.as_bytes().as_ptr(), to, both);
        std::ptr::write_bytes(to.add(both), 0, size - both);
    }
}

/// As [`put`], of a record that `fill` makes of an empty one: where it lies in the end, if that can be.
///
/// # Safety
/// As [`put`].
#[inline]
pub(in crate::capi) unsafe fn put_filled<R: Record>(
    to: *mut R,
    size: usize,
    fill: impl FnOnce(&mut R),
) {
    if size == size_of::<R>() && to.is_aligned() {
        // SAFETY: there is room for a record, which is aligned, and empty with all bytes zero.
        fill(unsafe {
            to.write_bytes(0, 1);
            &mut *to
        });
        return;
    }
    let mut record = R::default();
    fill(&mut record);
    // SAFETY: `to` points to `size` writable bytes, which is checked.
    unsafe { put(to, size, record) };
}

/// Reads a record of `size` bytes, as `put` writes it.
///
/// # Errors
/// `EINVAL` for NULL and for what is no size of a record.
///
/// # Safety
/// `from` is NULL or points to `size` readable bytes, of any alignment.
#[inline]
pub(in crate::capi) unsafe fn take<R: Record>(from: *const R, size: size_t) -> Result<R, Error> {
    ptr::not_null(from)?;
    let size = checked_size::<R>(size)?;
    // SAFETY: `from` is not NULL, so it points to `size` readable bytes.
    R::read(unsafe { ptr::bytes(from.cast(), size) }).ok_or(Error::NULL)
}

/// Writes an entry into a record: every attribute of fixed size, and labels below 128. `size` is
/// sizeof(struct ctrs_flow) as the program was compiled: what that lacks is cut and not marked as
/// present, what this library lacks is zero.
///
/// Returns 0; -1 with EINVAL for NULL, and for a `size` that is no multiple of 8, less than 16 or
/// above 65,536.
///
/// # Safety
/// `flow` is NULL or points to `size` writable bytes; `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_flow_from(
    flow: *mut FlowRecord,
    size: size_t,
    ct: *const nf_conntrack,
) -> c_int {
    boundary(-1, || {
        ptr::not_null(flow)?;
        let size = checked_size::<FlowRecord>(size)?;
        // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
        let ct = unsafe { ptr::shared(ct) }?;
        // SAFETY: `flow` is not NULL, so it points to `size` writable bytes.
        unsafe { put_filled(flow, size, |record: &mut FlowRecord| record.fill(ct)) };
        Ok(0)
    })
}

/// Makes an entry what a record says. What the record does not say, the entry has no more, as if
/// it were new; so it has no security context and no data of a helper. Unlike the setters this
/// fills what only the kernel tells, counters and times, too. Attributes that the library does not
/// know are passed over. `size` is as in ctrs_flow_from().
///
/// Returns 0; -1 with EINVAL for NULL and for a wrong `size`, with ENOMEM when there is no memory
/// for the labels. The entry is then unchanged.
///
/// # Safety
/// `ct` is NULL or a live object; `flow` is NULL or points to `size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_flow_to(
    ct: *mut nf_conntrack,
    flow: *const FlowRecord,
    size: size_t,
) -> c_int {
    boundary(-1, || {
        // SAFETY: `flow` is NULL or points to `size` readable bytes.
        let record = unsafe { take(flow, size) }?;
        // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
        record.to(unsafe { ptr::unique(ct) }?)?;
        Ok(0)
    })
}

/// Writes an expectation into a record: every attribute. `size` is sizeof(struct
/// ctrs_expectation), as in ctrs_flow_from().
///
/// Returns 0; -1 with EINVAL for NULL, and for a `size` that is no multiple of 8, less than 8 or
/// above 65,536.
///
/// # Safety
/// `expectation` is NULL or points to `size` writable bytes; `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_expectation_from(
    expectation: *mut ExpectationRecord,
    size: size_t,
    exp: *const nf_expect,
) -> c_int {
    boundary(-1, || {
        ptr::not_null(expectation)?;
        let size = checked_size::<ExpectationRecord>(size)?;
        // SAFETY: `exp` is NULL or live, and changed by nobody during the call.
        let exp = unsafe { ptr::shared(exp) }?;
        // SAFETY: `expectation` is not NULL, so it points to `size` writable bytes.
        unsafe { put(expectation, size, ExpectationRecord::of(exp)) };
        Ok(0)
    })
}

/// Makes an expectation what a record says. What the record does not say, the expectation has no
/// more. The id is passed over: an expectation has none. `size` is as in ctrs_expectation_from().
///
/// Returns 0; -1 with EINVAL for NULL and for a wrong `size`. The expectation is then unchanged.
///
/// # Safety
/// `exp` is NULL or a live object; `expectation` is NULL or points to `size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_expectation_to(
    exp: *mut nf_expect,
    expectation: *const ExpectationRecord,
    size: size_t,
) -> c_int {
    boundary(-1, || {
        // SAFETY: `expectation` is NULL or points to `size` readable bytes.
        let record = unsafe { take(expectation, size) }?;
        // SAFETY: `exp` is NULL or live, and used by nobody else during the call.
        record.to(unsafe { ptr::unique(exp) }?);
        Ok(0)
    })
}
