//! Filters of events.

use super::types::{RawFilterAttr, RawFilterLogic, nfct_filter};
use crate::capi::ffi::alloc::{create, destroy};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::ptr;
use crate::conntrack::filter::event::FilterAttr;
use crate::netlink::socket;
use libc::{c_int, c_void};

/// Makes an empty filter, which lets all events pass. Release it with nfct_filter_destroy().
///
/// Returns the filter; NULL with ENOMEM when there is no memory.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_create() -> *mut nfct_filter {
    boundary(std::ptr::null_mut(), create)
}

/// Destroys a filter; where it is attached it stays so. NULL is ignored; errno is left alone.
///
/// # Safety
/// `filter` is NULL or a live filter, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_destroy(filter: *mut nfct_filter) {
    boundary((), || {
        if !filter.is_null() {
            // SAFETY: the filter is not NULL, so it is live, and the caller does not use it again.
            unsafe { destroy(filter) };
        }
        Ok(())
    });
}

/// Adds a value to a criterion, of the type said at enum nfct_filter_attr. It is copied.
///
/// Values of one criterion are alternatives; all criteria must hold. There may be as many as a
/// program of 4096 instructions has room for: some 4000 IPv4 addresses, marks and zones in all, or
/// 500 IPv6 addresses; with more, or without memory for one, nfct_filter_attach() fails. An unknown
/// criterion and a number out of range are ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `filter` is NULL or a live filter; `value` is NULL or points to what the value is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_add_attr(
    filter: *mut nfct_filter,
    attr: RawFilterAttr,
    value: *const c_void,
) {
    boundary((), || {
        // SAFETY: `filter` is NULL or live, and used by nobody else during the call.
        let filter = unsafe { ptr::unique(filter) }?;
        ptr::not_null(value)?;
        let Ok(attr) = FilterAttr::try_from(attr) else { return Ok(()) };
        // SAFETY: `value` is not NULL, so it points to the criterion's value, which has this size.
        filter.add(attr, unsafe { ptr::bytes(value, attr.value_size()) });
        Ok(())
    });
}

/// Adds a number, in host byte order, to a criterion that takes one: NFCT_FILTER_L4PROTO,
/// NFCT_FILTER_ZONE (its low 16 bits) or NFCT_FILTER_L4PROTO_STATE (as a struct nfct_filter_proto
/// lies in memory: on little-endian machines the protocol in the low half, on others in the high
/// one). Others are ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `filter` is NULL or a live filter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_add_attr_u32(
    filter: *mut nfct_filter,
    attr: RawFilterAttr,
    value: u32,
) {
    boundary((), || {
        // SAFETY: `filter` is NULL or live, and used by nobody else during the call.
        let filter = unsafe { ptr::unique(filter) }?;
        if let Ok(attr) = FilterAttr::try_from(attr) {
            filter.add_number(attr, value);
        }
        Ok(())
    });
}

/// Says what a criterion does with the events it matches: NFCT_FILTER_LOGIC_POSITIVE (the default)
/// lets only them pass, NFCT_FILTER_LOGIC_NEGATIVE drops them. A negative logic stays.
///
/// Returns 0; -1 with ENOTSUP for an unknown criterion, with EBUSY once the logic is negative, with
/// EINVAL for an unknown logic or NULL.
///
/// # Safety
/// `filter` is NULL or a live filter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_set_logic(
    filter: *mut nfct_filter,
    attr: RawFilterAttr,
    logic: RawFilterLogic,
) -> c_int {
    boundary(-1, || {
        let attr = FilterAttr::try_from(attr)?;
        // SAFETY: `filter` is NULL or live, and used by nobody else during the call.
        let filter = unsafe { ptr::unique(filter) }?;
        filter.set_logic(attr, logic)?;
        Ok(0)
    })
}

/// Attaches a filter to a socket, in place of one attached before. The filter may be destroyed or
/// changed afterwards: the kernel has its own copy.
///
/// Returns 0; -1 with E2BIG for a filter of more values than the kernel takes, with ENOMEM if the
/// program is too large for net.core.optmem_max and when there is no memory, or was none for a
/// value, with errno of setsockopt(), with EINVAL for NULL. What was attached before stays then.
///
/// # Safety
/// `filter` is NULL or a live filter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_attach(fd: c_int, filter: *mut nfct_filter) -> c_int {
    boundary(-1, || {
        // SAFETY: `filter` is NULL or live, and changed by nobody during the call.
        let program = unsafe { ptr::shared(filter) }?.program()?;
        socket::attach_filter(fd, &program)?;
        Ok(0)
    })
}

/// Detaches the filter of a socket.
///
/// Returns 0; -1 with ENOENT if the socket has no filter, with errno of setsockopt().
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_filter_detach(fd: c_int) -> c_int {
    boundary(-1, || Ok(socket::detach_filter(fd).map(|()| 0)?))
}
