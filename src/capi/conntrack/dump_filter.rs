//! Filters of dumps and flushes.

use super::types::{RawDumpAttr, nf_conntrack, nfct_filter_dump};
use crate::capi::ffi::alloc::{create, destroy};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::conntrack::filter::dump::{DumpAttr, Masked};
use libc::c_void;

/// Makes an empty filter, which selects all entries. Release it with nfct_filter_dump_destroy().
///
/// Returns the filter; NULL with ENOMEM when there is no memory.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_dump_create() -> *mut nfct_filter_dump {
    boundary(std::ptr::null_mut(), create)
}

/// Destroys a filter. NULL is ignored; errno is left alone.
///
/// # Safety
/// `filter` is NULL or a live filter, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_dump_destroy(filter: *mut nfct_filter_dump) {
    boundary((), || {
        if !filter.is_null() {
            // SAFETY: the filter is not NULL, so it is live, and the caller does not use it again.
            unsafe { destroy(filter) };
        }
        Ok(())
    });
}

/// Sets a criterion from the value behind a pointer.
///
/// # Safety
/// `filter` is NULL or a live filter; `data` is NULL or points to what the criterion's value is.
unsafe fn set(
    filter: *mut nfct_filter_dump,
    number: RawDumpAttr,
    data: *const c_void,
) -> Result<(), Error> {
    // SAFETY: `filter` is NULL or live, and used by nobody else during the call.
    let filter = unsafe { ptr::unique(filter) }?;
    ptr::not_null(data)?;
    let Ok(attr) = DumpAttr::try_from(number) else { return Ok(()) };
    // SAFETY: `data` points to the value of the criterion, whose type each arm reads.
    unsafe {
        match attr {
            DumpAttr::Mark => filter.set_mark(ptr::read::<Masked>(data)?),
            DumpAttr::Status => filter.set_status(ptr::read::<Masked>(data)?),
            DumpAttr::Family => filter.set_family(ptr::read(data)?),
            DumpAttr::Zone => filter.set_zone(ptr::read(data)?),
            DumpAttr::Tuple => filter.set_object(ptr::shared(data.cast::<nf_conntrack>())?)?,
        }
    }
    Ok(())
}

/// Sets a criterion to a value of the type said at enum nfct_filter_dump_attr. It is copied. An
/// unknown criterion is ignored.
///
/// Dumps by nfct_query() and nfct_send() hand out what the filter selects, whatever the kernel
/// knows. Otherwise a kernel ignores criteria that it does not know: then NFCT_Q_FLUSH_FILTER
/// destroys more, and NFCT_Q_DUMP_FILTER_RESET zeroes more. No kernel flushes by
/// NFCT_FILTER_DUMP_TUPLE: nfct_query() says what to do instead.
///
/// Sets errno to EINVAL for NULL, to ENOMEM when there is no memory for a tuple.
///
/// # Safety
/// `filter_dump` is NULL or a live filter; `data` is NULL or points to what the value is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_dump_set_attr(
    filter_dump: *mut nfct_filter_dump,
    r#type: RawDumpAttr,
    data: *const c_void,
) {
    // SAFETY: `set` asks of filter and data what this function asks.
    boundary((), || unsafe { set(filter_dump, r#type, data) });
}

/// Sets NFCT_FILTER_DUMP_L3NUM, or NFCT_FILTER_DUMP_ZONE, from 8 bits; other criteria are ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `filter_dump` is NULL or a live filter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_dump_set_attr_u8(
    filter_dump: *mut nfct_filter_dump,
    r#type: RawDumpAttr,
    data: u8,
) {
    // SAFETY: the filter is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { set_number(filter_dump, r#type, data.into()) });
}

/// Sets NFCT_FILTER_DUMP_ZONE, or NFCT_FILTER_DUMP_L3NUM by the low 8 bits, from 16 bits in host
/// byte order; other criteria are ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `filter_dump` is NULL or a live filter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_dump_set_attr_u16(
    filter_dump: *mut nfct_filter_dump,
    r#type: RawDumpAttr,
    data: u16,
) {
    // SAFETY: the filter is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { set_number(filter_dump, r#type, data) });
}

/// Sets a criterion that is a plain number.
///
/// # Safety
/// `filter` is NULL or a live filter.
unsafe fn set_number(
    filter: *mut nfct_filter_dump,
    number: RawDumpAttr,
    value: u16,
) -> Result<(), Error> {
    // SAFETY: `filter` is NULL or live, and used by nobody else during the call.
    let filter = unsafe { ptr::unique(filter) }?;
    if let Ok(attr) = DumpAttr::try_from(number) {
        filter.set_number(attr, value);
    }
    Ok(())
}
