//! Expectations: made, destroyed, compared, and their attributes.

use super::types::{RawExpectAttr, nf_conntrack, nf_expect};
use crate::capi::ffi::alloc::Object;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::conntrack::object::attr::Storage;
use crate::conntrack::object::compare;
use crate::conntrack::object::expectation::{Expect, ExpectAttr};
use libc::{c_int, c_uint, c_void, size_t};

/// Makes an expectation without attributes. Release it with nfexp_destroy().
///
/// Returns the expectation; NULL with ENOMEM when there is no memory.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_new() -> *mut nf_expect {
    boundary(std::ptr::null_mut(), || Object::<nf_expect>::create().map(<*mut _>::cast))
}

/// Destroys an expectation. NULL is ignored; errno is left alone.
///
/// # Safety
/// `exp` is NULL or a live object on the heap, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_destroy(exp: *mut nf_expect) {
    boundary((), || {
        if !exp.is_null() {
            // SAFETY: `exp` is not NULL, so it is live, and the caller does not use it again.
            unsafe { Object::<nf_expect>::destroy(exp.cast()) };
        }
        Ok(())
    });
}

/// Copies an expectation. Release the copy with nfexp_destroy().
///
/// Returns the copy; NULL with EINVAL for NULL, with ENOMEM when there is no memory.
///
/// # Safety
/// `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_clone(exp: *const nf_expect) -> *mut nf_expect {
    boundary(std::ptr::null_mut(), || {
        ptr::not_null(exp)?;
        let copy = Object::<nf_expect>::create()?;
        // SAFETY: `exp` is not NULL, so it is live; it owns nothing, so its bytes are all of it,
        // and the copy's are new.
        unsafe { copy.cast::<Expect>().copy_from_nonoverlapping(exp.cast(), 1) };
        Ok(copy.cast())
    })
}

/// The size of an expectation, in bytes, as nfexp_maxsize() tells it.
///
/// Returns the size; 0 with EINVAL for NULL.
///
/// # Safety
/// `exp` is not looked into.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_sizeof(exp: *const nf_expect) -> size_t {
    boundary(0, || ptr::not_null(exp).map(|()| Object::<nf_expect>::SIZE))
}

/// The size of an expectation, in bytes. That many zero bytes, aligned for any type, are an
/// expectation without attributes, and copying them copies it.
///
/// Returns the size; it does not fail.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_maxsize() -> size_t {
    boundary(0, || Ok(Object::<nf_expect>::SIZE))
}

/// Compares two expectations, but for their timeouts. Of `flags` NFCT_CMP_MASK and NFCT_CMP_STRICT
/// count, as in nfct_cmp().
///
/// Returns 1 if they match, 0 if not; 0 with EINVAL for NULL.
///
/// # Safety
/// Each is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_cmp(
    exp1: *const nf_expect,
    exp2: *const nf_expect,
    flags: c_uint,
) -> c_int {
    boundary(0, || {
        // SAFETY: each is NULL or live, and changed by nobody during the call.
        let (a, b) = unsafe { (ptr::shared(exp1)?, ptr::shared(exp2)?) };
        Ok(compare::expect(a, b, flags).into())
    })
}

/// Sets an attribute from what `value` points to: a tuple from a `struct nf_conntrack`, of which
/// the original tuple is copied; a name from a C string, which is cut to fit; a number, in host
/// byte order, from its own type, of any alignment. An unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `exp` is NULL or a live object; `value` is NULL or points to what the attribute's value is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_set_attr(
    exp: *mut nf_expect,
    r#type: RawExpectAttr,
    value: *const c_void,
) {
    boundary((), || {
        ptr::not_null(exp)?;
        ptr::not_null(value)?;
        let Ok(attr) = ExpectAttr::try_from(r#type) else { return Ok(()) };
        // SAFETY: `value` points to the value of the attribute. A tuple may be one of this very
        // object, so it is copied before the object is borrowed.
        unsafe {
            match attr.row().storage {
                Storage::Tuple => {
                    let flat = ptr::shared(value.cast::<nf_conntrack>())?.flat;
                    ptr::unique(exp)?.set_flat(attr, &flat);
                }
                Storage::Name(room) => {
                    let name = ptr::text(value.cast(), usize::from(room) - 1);
                    ptr::unique(exp)?.store_name(attr, name);
                }
                Storage::Plain(2) => {
                    ptr::unique(exp)?.store_number(attr, ptr::read::<u16>(value)?.into());
                }
                _ => ptr::unique(exp)?.store_number(attr, ptr::read(value)?),
            }
        }
        Ok(())
    });
}

/// Sets a numeric attribute from the bytes of a number in host order.
///
/// # Safety
/// `exp` is NULL or a live object.
unsafe fn set_number<const N: usize>(
    exp: *mut nf_expect,
    number: RawExpectAttr,
    bytes: [u8; N],
) -> Result<(), Error> {
    // SAFETY: `exp` is NULL or live, and used by nobody else during the call.
    unsafe { ptr::unique(exp) }?.set_bytes(number, bytes);
    Ok(())
}

/// Sets a number's first byte in memory, which is the low one on little-endian machines only, and
/// its others to zero. Tuples and names are left alone; an unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_set_attr_u8(exp: *mut nf_expect, r#type: RawExpectAttr, value: u8) {
    // SAFETY: `exp` is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { set_number(exp, r#type, value.to_ne_bytes()) });
}

/// Sets a number from 16 bits, in host byte order. A wider one gets them as its first two bytes in
/// memory, which are the low ones on little-endian machines only, and zero in the others. Tuples
/// and names are left alone; an unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_set_attr_u16(
    exp: *mut nf_expect,
    r#type: RawExpectAttr,
    value: u16,
) {
    // SAFETY: `exp` is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { set_number(exp, r#type, value.to_ne_bytes()) });
}

/// Sets a number from 32 bits, in host byte order, of which the zone takes the first two bytes in
/// memory, the low half on little-endian machines only. Tuples and names are left alone; an unknown
/// attribute is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_set_attr_u32(
    exp: *mut nf_expect,
    r#type: RawExpectAttr,
    value: u32,
) {
    // SAFETY: `exp` is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { set_number(exp, r#type, value.to_ne_bytes()) });
}

/// The value of an attribute. It stays the expectation's, and is valid until that is destroyed. A
/// tuple is a `const struct nf_conntrack`, to be read and not destroyed.
///
/// Returns a pointer into the expectation; NULL with ENODATA if the attribute is not set, with
/// EINVAL if the attribute is unknown or `exp` is NULL.
///
/// # Safety
/// `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_get_attr(
    exp: *const nf_expect,
    r#type: RawExpectAttr,
) -> *const c_void {
    boundary(std::ptr::null(), || {
        // SAFETY: `exp` is NULL or live, and changed by nobody during the call.
        let attr = unsafe { ptr::shared(exp) }?.present_attr(r#type)?;
        Ok(exp.cast::<u8>().wrapping_add(attr.row().offset.into()).cast())
    })
}

/// The first bytes of an attribute's value.
///
/// # Safety
/// `exp` is NULL or a live object.
unsafe fn read_bytes<const N: usize>(
    exp: *const nf_expect,
    number: RawExpectAttr,
) -> Result<[u8; N], Error> {
    // SAFETY: `exp` is NULL or live, and changed by nobody during the call.
    Ok(unsafe { ptr::shared(exp) }?.first_bytes(number)?)
}

/// The value of an 8-bit attribute.
///
/// Returns the value, of a wider attribute its first byte; 0 with ENODATA if the attribute is not
/// set, with EINVAL if the attribute is unknown or `exp` is NULL.
///
/// # Safety
/// `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_get_attr_u8(exp: *const nf_expect, r#type: RawExpectAttr) -> u8 {
    // SAFETY: `exp` is NULL or live, and changed by nobody during the call.
    boundary(0, || unsafe { read_bytes(exp, r#type) }.map(u8::from_ne_bytes))
}

/// The value of a 16-bit attribute, in host byte order.
///
/// Returns the value, of a wider attribute its first two bytes; 0 with ENODATA if the attribute is
/// not set, with EINVAL if the attribute is unknown or `exp` is NULL.
///
/// # Safety
/// `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_get_attr_u16(exp: *const nf_expect, r#type: RawExpectAttr) -> u16 {
    // SAFETY: `exp` is NULL or live, and changed by nobody during the call.
    boundary(0, || unsafe { read_bytes(exp, r#type) }.map(u16::from_ne_bytes))
}

/// The value of a 32-bit attribute, in host byte order.
///
/// Returns the value; 0 with ENODATA if the attribute is not set, with EINVAL if the attribute is
/// unknown or `exp` is NULL.
///
/// # Safety
/// `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_get_attr_u32(exp: *const nf_expect, r#type: RawExpectAttr) -> u32 {
    // SAFETY: `exp` is NULL or live, and changed by nobody during the call.
    boundary(0, || unsafe { read_bytes(exp, r#type) }.map(u32::from_ne_bytes))
}

/// Tells whether an attribute is set.
///
/// Returns 1 if it is, 0 if not; -1 with EINVAL if the attribute is unknown or `exp` is NULL.
///
/// # Safety
/// `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_attr_is_set(exp: *const nf_expect, r#type: RawExpectAttr) -> c_int {
    boundary(-1, || {
        // SAFETY: `exp` is NULL or live, and changed by nobody during the call.
        let exp = unsafe { ptr::shared(exp) }?;
        Ok(exp.has(ExpectAttr::try_from(r#type)?).into())
    })
}

/// Marks an attribute as not set.
///
/// Returns 0; -1 with EINVAL if the attribute is unknown or `exp` is NULL.
///
/// # Safety
/// `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_attr_unset(exp: *mut nf_expect, r#type: RawExpectAttr) -> c_int {
    boundary(-1, || {
        // SAFETY: `exp` is NULL or live, and used by nobody else during the call.
        let exp = unsafe { ptr::unique(exp) }?;
        exp.unset(ExpectAttr::try_from(r#type)?);
        Ok(0)
    })
}
