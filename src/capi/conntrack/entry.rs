//! Conntrack objects: made, destroyed, copied, compared, and their options.

use super::types::{RawAttr, nf_conntrack};
use crate::capi::ffi::alloc::Object;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::ptr;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::{compare, copy};
use libc::{c_int, c_uint, size_t};

/// Makes an entry without attributes. Release it with nfct_destroy().
///
/// Returns the entry; NULL with ENOMEM when there is no memory.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_new() -> *mut nf_conntrack {
    boundary(std::ptr::null_mut(), || Object::<nf_conntrack>::create().map(<*mut _>::cast))
}

/// Destroys an entry with all it owns. NULL is ignored; errno is left alone.
///
/// # Safety
/// `ct` is NULL or a live object on the heap, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_destroy(ct: *mut nf_conntrack) {
    boundary((), || {
        if !ct.is_null() {
            // SAFETY: `ct` is not NULL, so it is live, and the caller does not use it again.
            unsafe { Object::<nf_conntrack>::destroy(ct.cast()) };
        }
        Ok(())
    });
}

/// Copies an entry with all it owns. Release the copy with nfct_destroy().
///
/// Returns the copy; NULL with EINVAL for NULL, with ENOMEM when there is no memory.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_clone(ct: *const nf_conntrack) -> *mut nf_conntrack {
    boundary(std::ptr::null_mut(), || {
        // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
        let ct = unsafe { ptr::shared(ct) }?;
        Object::copy_of(ct).map(<*mut _>::cast)
    })
}

/// The size of an entry, in bytes, as nfct_maxsize() tells it.
///
/// Returns the size; 0 with EINVAL for NULL.
///
/// # Safety
/// `ct` is not looked into.
#[deprecated]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_sizeof(ct: *const nf_conntrack) -> size_t {
    boundary(0, || ptr::not_null(ct).map(|()| Object::<nf_conntrack>::SIZE))
}

/// The size of an entry, in bytes. That many zero bytes, aligned for any type, are an entry without
/// attributes.
///
/// Returns the size; it does not fail.
///
/// # Safety
/// Always safe to call.
#[deprecated]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_maxsize() -> size_t {
    boundary(0, || Ok(Object::<nf_conntrack>::SIZE))
}

/// Derives parts of an entry from others; `option` is one of `NFCT_SOPT_*`.
///
/// UNDO_SNAT, UNDO_DNAT, UNDO_SPAT and UNDO_DPAT move the translated address or port out of the
/// reply tuple into the NAT attributes; SETUP_ORIGINAL and SETUP_REPLY derive one tuple from the
/// other.
///
/// Returns 0; -1 with EOPNOTSUPP for an unknown option, with EINVAL for NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_setobjopt(ct: *mut nf_conntrack, option: c_uint) -> c_int {
    boundary(-1, || {
        // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
        let ct = unsafe { ptr::unique(ct) }?;
        ct.set_option(option)?;
        Ok(0)
    })
}

/// Tells whether a flow is translated; `option` is one of `NFCT_GOPT_*`: its source or destination,
/// address or port.
///
/// Returns 1 if it is, 0 if not; -1 with EOPNOTSUPP for an unknown option, with EINVAL for NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_getobjopt(ct: *const nf_conntrack, option: c_uint) -> c_int {
    boundary(-1, || {
        // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
        let ct = unsafe { ptr::shared(ct) }?;
        Ok(ct.get_option(option)?.into())
    })
}

/// Copies the attributes that `source` has, and that `flags` (`NFCT_CP_*`) select, into `dest`.
///
/// What `source` lacks stays in `dest`. With NFCT_CP_OVERRIDE `dest` becomes a copy of `source`
/// instead, and what it owned is released. Labels, helper data and security context are copied, not
/// shared.
///
/// Sets errno to EINVAL for NULL, to ENOMEM when there is no memory; `dest` is then unchanged.
///
/// # Safety
/// Each is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_copy(
    dest: *mut nf_conntrack,
    source: *const nf_conntrack,
    flags: c_uint,
) {
    boundary((), || {
        ptr::not_null(dest)?;
        if std::ptr::eq(dest, source) {
            return Ok(());
        }
        // SAFETY: each is NULL or live; they are different objects, so that writing to one leaves
        // the other alone.
        let (dest, source) = unsafe { (ptr::unique(dest)?, ptr::shared(source)?) };
        Ok(dest.copy_from(source, flags)?)
    });
}

/// Copies one attribute from `ct2` into `ct1`, if `ct2` has it. An unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL, to ENOMEM when there is no memory; `ct1` is then unchanged.
///
/// # Safety
/// Each is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_copy_attr(
    ct1: *mut nf_conntrack,
    ct2: *const nf_conntrack,
    r#type: RawAttr,
) {
    boundary((), || {
        ptr::not_null(ct1)?;
        ptr::not_null(ct2)?;
        let Ok(attr) = Attr::try_from(r#type) else { return Ok(()) };
        if std::ptr::eq(ct1, ct2) {
            return Ok(());
        }
        // SAFETY: each is NULL or live; they are different objects, so that writing to one leaves
        // the other alone.
        let (dest, source) = unsafe { (ptr::unique(ct1)?, ptr::shared(ct2)?) };
        Ok(dest.copy_attr(source, attr)?)
    });
}

/// Compares two entries, as nfct_cmp() does with NFCT_CMP_ALL.
///
/// Returns 1 if they match, 0 if not; 0 with EINVAL for NULL.
///
/// # Safety
/// Each is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_compare(ct1: *const nf_conntrack, ct2: *const nf_conntrack) -> c_int {
    // SAFETY: `nfct_cmp` asks of both what this function asks.
    boundary(0, || Ok(unsafe { nfct_cmp(ct1, ct2, copy::flags::ALL) }))
}

/// Compares two entries in the parts that `flags` (`NFCT_CMP_*`) select.
///
/// An attribute that only one of the two has does not count; with NFCT_CMP_MASK one that only `ct1`
/// has does, with NFCT_CMP_STRICT one that either has. Timeouts are compared by NFCT_CMP_ALL alone.
///
/// Returns 1 if they match, 0 if not; 0 with EINVAL for NULL.
///
/// # Safety
/// Each is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_cmp(
    ct1: *const nf_conntrack,
    ct2: *const nf_conntrack,
    flags: c_uint,
) -> c_int {
    boundary(0, || {
        // SAFETY: each is NULL or live, and changed by nobody during the call.
        let (a, b) = unsafe { (ptr::shared(ct1)?, ptr::shared(ct2)?) };
        Ok(compare::conntrack(a, b, flags).into())
    })
}
