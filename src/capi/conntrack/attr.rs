//! Attributes of conntrack objects.

use super::types::{RawAttr, nf_conntrack};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::conntrack::heap::Words;
use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::object::attr::{Attr, Row, Storage};
use crate::conntrack::object::entry::Conntrack;
use crate::width::with_width;
use libc::{c_int, c_void, size_t};

/// Takes over a bitmask that C made. It is not read here: a pointer to something else does no harm
/// until the labels are read or freed. The same one may be the labels and their mask.
///
/// # Safety
/// `value` came from `nfct_bitmask_new` or `nfct_bitmask_clone`, or is held by `ct`.
unsafe fn set_labels(ct: &mut Conntrack, attr: Attr, value: *const c_void) -> Result<(), Error> {
    // SAFETY: `value` is a bitmask's block, which the entry takes over; of one held twice it frees
    // one.
    let words = unsafe { Words::from_raw(value.cast_mut().cast()) };
    let labels = words.map(Bitmask).ok_or(Error::NULL)?;
    ct.set_labels(labels, attr == Attr::ConnlabelsMask);
    Ok(())
}

/// Sets an attribute from the value behind a pointer.
///
/// # Safety
/// `ct` is NULL or a live object; `value` is NULL or what the attribute's value is.
#[inline(always)]
unsafe fn set_from(
    ct: *mut nf_conntrack,
    number: RawAttr,
    value: *const c_void,
    length: size_t,
) -> Result<(), Error> {
    // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
    let ct = unsafe { ptr::unique(ct) }?;
    ptr::not_null(value)?;
    match Row::of(number) {
        Ok(row @ Row { storage: Storage::Plain(width), .. }) => {
            // SAFETY: the value is as wide as the attribute.
            unsafe { with_width!(width, N => set_slot::<N>(ct, row, value)) };
            Ok(())
        }
        Ok(row) => {
            // SAFETY: `value` is not NULL, so it points to what the attribute's value is.
            unsafe { set_by_storage(ct, row, value, length) };
            Ok(())
        }
        Err(_) => Ok(()),
    }
}

/// Sets an attribute that is a slot of `N` bytes.
///
/// # Safety
/// `value` points to `N` readable bytes, of any alignment.
#[inline]
unsafe fn set_slot<const N: usize>(ct: &mut Conntrack, row: &Row, value: *const c_void) {
    // SAFETY: `value` points to `N` readable bytes; an array of bytes needs no alignment.
    ct.flat.store_bytes(row.offset.into(), unsafe { value.cast::<[u8; N]>().read() });
    ct.flat.present.set(row.attr);
}

/// As `set_from`, for attributes that are not just one slot. It tells C about its errors itself: a
/// result that both ways share would lie in memory, where the short one need not go.
///
/// # Safety
/// `value` is what the attribute's value is.
#[inline(never)]
unsafe fn set_by_storage(ct: &mut Conntrack, row: &Row, value: *const c_void, length: size_t) {
    boundary((), || {
        match row.storage {
            Storage::Name(room) => {
                // SAFETY: the value is a C string.
                ct.set_helper_name(unsafe { ptr::text(value.cast(), usize::from(room) - 1) })
            }
            // SAFETY: the value is `length` bytes.
            Storage::HelperInfo => ct.set_helper_info(unsafe { ptr::bytes(value, length) })?,
            // SAFETY: the value is a bitmask.
            Storage::Labels => unsafe { set_labels(ct, row.attr, value) }?,
            Storage::FromKernel(_) | Storage::Context => ct.set_value(row, 0),
            // SAFETY: the value is as wide as the attribute.
            storage => ct.set_value(row, unsafe { ptr::value(value, storage.width() as u8) }),
        }
        Ok(())
    });
}

/// Sets an attribute from a number.
///
/// # Safety
/// `ct` is NULL or a live object.
#[inline(always)]
unsafe fn set_number<const N: usize>(
    ct: *mut nf_conntrack,
    number: RawAttr,
    bytes: [u8; N],
) -> Result<(), Error> {
    // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
    Ok(unsafe { ptr::unique(ct) }?.set_bytes(number, bytes)?)
}

/// Sets an attribute from what `value` points to.
///
/// Numbers, addresses and ports are copied as they lie in memory, in the byte order of the
/// attribute, from any alignment. A name is a C string, of which 15 characters are kept. A label
/// bitmask is taken over as it is: the entry destroys it, the caller must not; it may be both the
/// labels and their mask. Read-only attributes are marked as set, without a value. An unknown
/// attribute is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `ct` is NULL or a live object; `value` is NULL or points to what the attribute's value is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr(
    ct: *mut nf_conntrack,
    r#type: RawAttr,
    value: *const c_void,
) {
    // SAFETY: `set_from` asks of `ct` and `value` what this function asks.
    boundary((), || unsafe { set_from(ct, r#type, value, 0) });
}

/// Sets an attribute as nfct_set_attr() does; of ATTR_HELPER_INFO it copies `len` bytes. For all
/// others `len` is ignored.
///
/// Sets errno to EINVAL for NULL, to ENOMEM when there is no memory for ATTR_HELPER_INFO; the entry
/// is then unchanged.
///
/// # Safety
/// As nfct_set_attr(); for ATTR_HELPER_INFO `value` points to `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_l(
    ct: *mut nf_conntrack,
    r#type: RawAttr,
    value: *const c_void,
    len: size_t,
) {
    // SAFETY: `set_from` asks of `ct` and `value` what this function asks.
    boundary((), || unsafe { set_from(ct, r#type, value, len) });
}

/// Sets an 8-bit attribute. A wider one gets zero in its other bytes. An unknown attribute is
/// ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_u8(ct: *mut nf_conntrack, r#type: RawAttr, value: u8) {
    // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { set_number(ct, r#type, value.to_ne_bytes()) });
}

/// Sets a 16-bit attribute from a number in the byte order of the attribute. Another width gets the
/// number's bytes as they lie in memory: a narrower one the first, which are the low ones on
/// little-endian machines only, a wider one zero behind them. An unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_u16(ct: *mut nf_conntrack, r#type: RawAttr, value: u16) {
    // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { set_number(ct, r#type, value.to_ne_bytes()) });
}

/// Sets a 32-bit attribute from a number in the byte order of the attribute. Another width gets the
/// number's bytes as nfct_set_attr_u16() says. An unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_u32(ct: *mut nf_conntrack, r#type: RawAttr, value: u32) {
    // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { set_number(ct, r#type, value.to_ne_bytes()) });
}

/// Sets a 64-bit attribute from a number in host byte order. A narrower one gets the number's first
/// bytes as nfct_set_attr_u16() says. An unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_set_attr_u64(ct: *mut nf_conntrack, r#type: RawAttr, value: u64) {
    // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
    boundary((), || unsafe { set_number(ct, r#type, value.to_ne_bytes()) });
}

/// The value of an attribute, in the byte order of the attribute. It stays the entry's, and shows
/// later changes; it is valid until the attribute is set again or the entry destroyed.
///
/// Returns a pointer into the entry, or to what the entry owns; NULL with ENODATA if the attribute
/// is not set, with EINVAL if the attribute is unknown or `ct` is NULL; NULL with errno untouched
/// if it is set without a value.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr(ct: *const nf_conntrack, r#type: RawAttr) -> *const c_void {
    boundary(std::ptr::null(), || {
        // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
        let object = unsafe { ptr::shared(ct) }?;
        let row = object.present_row::<Error>(r#type)?;
        if row.offset == Row::ON_HEAP {
            return Ok(value_on_heap(object, row.attr));
        }
        Ok(ct.cast::<u8>().wrapping_add(row.offset.into()).cast())
    })
}

/// The value of an attribute on the heap, NULL if it has none.
#[inline(never)]
fn value_on_heap(ct: &Conntrack, attr: Attr) -> *const c_void {
    let value = match attr {
        Attr::Secctx => ct.heap.secctx.as_ref().map(|text| text.as_ptr().cast()),
        Attr::HelperInfo => ct.heap.helper_info.get().map(|bytes| bytes.as_ptr().cast()),
        _ => ct.label_attr(attr).map(|mask| mask.0.as_ptr().cast_const().cast()),
    };
    value.unwrap_or(std::ptr::null())
}

/// The first bytes of an attribute's value, made into a number.
///
/// # Safety
/// `ct` is NULL or a live object.
#[inline]
unsafe fn read_number<const N: usize, T>(
    ct: *const nf_conntrack,
    number: RawAttr,
    make: fn([u8; N]) -> T,
) -> Result<T, Error> {
    // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
    unsafe { ptr::shared(ct) }?.first_bytes(number, make)
}

/// The value of an 8-bit attribute.
///
/// Returns the value, of a wider attribute its first byte; 0 with ENODATA if the attribute is not
/// set, with EINVAL if the attribute is unknown or `ct` is NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr_u8(ct: *const nf_conntrack, r#type: RawAttr) -> u8 {
    // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
    boundary(0, || unsafe { read_number(ct, r#type, u8::from_ne_bytes) })
}

/// The value of a 16-bit attribute, in the byte order of the attribute.
///
/// Returns the value, of a wider attribute its first two bytes; 0 with ENODATA if the attribute is
/// not set, with EINVAL if the attribute is unknown or `ct` is NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr_u16(ct: *const nf_conntrack, r#type: RawAttr) -> u16 {
    // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
    boundary(0, || unsafe { read_number(ct, r#type, u16::from_ne_bytes) })
}

/// The value of a 32-bit attribute, in the byte order of the attribute.
///
/// Returns the value, of a wider attribute its first four bytes; 0 with ENODATA if the attribute is
/// not set, with EINVAL if the attribute is unknown or `ct` is NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr_u32(ct: *const nf_conntrack, r#type: RawAttr) -> u32 {
    // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
    boundary(0, || unsafe { read_number(ct, r#type, u32::from_ne_bytes) })
}

/// The value of a 64-bit attribute, in host byte order.
///
/// Returns the value; 0 with ENODATA if the attribute is not set, with EINVAL if the attribute is
/// unknown or `ct` is NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_get_attr_u64(ct: *const nf_conntrack, r#type: RawAttr) -> u64 {
    // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
    boundary(0, || unsafe { read_number(ct, r#type, u64::from_ne_bytes) })
}

/// Tells whether an attribute is set.
///
/// Returns 1 if it is, 0 if not; -1 with EINVAL if the attribute is unknown or `ct` is NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_attr_is_set(ct: *const nf_conntrack, r#type: RawAttr) -> c_int {
    boundary(-1, || {
        // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
        let ct = unsafe { ptr::shared(ct) }?;
        Row::of(r#type)?;
        Ok(ct.flat.present.has_number(r#type).into())
    })
}

/// Tells whether all attributes of an array are set, of which there are `size`. The search ends at
/// the first that is not.
///
/// Returns 1 if they are, and for an empty array; 0 if one is not; -1 with EINVAL if an unknown
/// attribute is met, or if `ct` or a `type_array` that is not empty is NULL.
///
/// # Safety
/// `ct` is NULL or a live object; `type_array` is NULL or points to `size` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_attr_is_set_array(
    ct: *const nf_conntrack,
    type_array: *const RawAttr,
    size: c_int,
) -> c_int {
    boundary(-1, || {
        // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
        let ct = unsafe { ptr::shared(ct) }?;
        for at in 0..usize::try_from(size).unwrap_or(0) {
            ptr::not_null(type_array)?;
            // SAFETY: the array has `size` elements.
            let number = unsafe { type_array.add(at).read_unaligned() };
            if !ct.has(Attr::try_from(number)?) {
                return Ok(0);
            }
        }
        Ok(1)
    })
}

/// Marks an attribute as not set.
///
/// Returns 0; -1 with EINVAL if the attribute is unknown or `ct` is NULL.
///
/// # Safety
/// `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_attr_unset(ct: *mut nf_conntrack, r#type: RawAttr) -> c_int {
    boundary(-1, || {
        // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
        let ct = unsafe { ptr::unique(ct) }?;
        ct.unset(Attr::try_from(r#type)?);
        Ok(0)
    })
}
