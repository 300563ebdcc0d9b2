//! User-space helpers: made, freed, and what is set of them.

use super::types::{RawHelperAttr, nfct_helper};
use crate::capi::ffi::alloc;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::helper::object::{Attr, Helper, Number};
use crate::helper::policy::{NAME_SIZE, Policy};
use libc::{c_char, c_void};
use std::ptr::NonNull;

/// Makes a helper without attributes. Release it with nfct_helper_free().
///
/// Returns the helper; NULL with ENOMEM when there is no memory.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_alloc() -> *mut nfct_helper {
    boundary(std::ptr::null_mut(), alloc::create)
}

/// Frees a helper and its policies, each once.
///
/// Sets errno to EINVAL for NULL, which is ignored.
///
/// # Safety
/// `h` is NULL or a live helper; neither it nor its policies are used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_free(h: *mut nfct_helper) {
    boundary((), || {
        ptr::not_null(h)?;
        // SAFETY: `h` is not NULL, so it is live, and the caller does not use it again.
        unsafe { alloc::destroy(h) };
        Ok(())
    });
}

/// Changes an attribute of a helper; a number that is none is ignored.
///
/// # Safety
/// `h` is NULL or a live helper.
unsafe fn set(
    h: *mut nfct_helper,
    number: RawHelperAttr,
    set: impl FnOnce(&mut Helper, Attr) -> Result<(), Error>,
) -> Result<(), Error> {
    // SAFETY: `h` is NULL or live, and used by nobody else during the call.
    let helper = unsafe { ptr::unique(h) }?;
    Attr::try_from(number).map_or(Ok(()), |attr| set(helper, attr))
}

/// Sets an attribute from what `data` points to: a C string, of which 15 bytes are kept, or a
/// number of the attribute's width and any alignment.
///
/// Of NFCTH_ATTR_POLICY1 and its like, `data` is a policy itself, which the helper owns from
/// then on; NULL takes the policy away. The policy that was there is freed, unless the helper
/// has it in another place too. Each place of a helper may have the same policy, two helpers
/// must not.
///
/// An unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `h` is NULL or a live helper; `data` is NULL or points to what the attribute's value is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_attr_set(
    h: *mut nfct_helper,
    r#type: RawHelperAttr,
    data: *const c_void,
) {
    // SAFETY: `h` is NULL or live; `data` is NULL, or a C string that may end behind what is kept, or a
    // number of the attribute's width, or a policy that the helper owns from now on.
    boundary((), || unsafe {
        set(h, r#type, |helper, attr| {
            if let Attr::Policy(place) = attr {
                let policy = NonNull::new(data.cast_mut().cast::<Policy>());
                return Ok(helper.policies.put(place, policy)?);
            }
            ptr::not_null(data)?;
            match attr {
                Attr::Number(number) => helper.set(number, read(data, number)?),
                _ => helper.set_name(ptr::text(data.cast(), NAME_SIZE - 1)),
            }
            Ok(())
        })
    });
}

/// The value of a number, as it lies in memory.
///
/// # Safety
/// `data` points to as many readable bytes as the number has, of any alignment.
unsafe fn read(data: *const c_void, of: Number) -> Result<u32, Error> {
    // SAFETY: `data` points to that many bytes.
    unsafe {
        Ok(match of.width() {
            1 => ptr::read::<u8>(data)?.into(),
            2 => ptr::read::<u16>(data)?.into(),
            _ => ptr::read(data)?,
        })
    }
}

/// Sets the name of a helper from a C string, of which 15 bytes are kept. A number gets the
/// bytes of the string as they lie in memory, and zero behind its end; a policy is not set. An
/// unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL, and for a policy.
///
/// # Safety
/// `h` is NULL or a live helper; `name` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_attr_set_str(
    h: *mut nfct_helper,
    r#type: RawHelperAttr,
    name: *const c_char,
) {
    // SAFETY: `h` is NULL or live; `name` is NULL or a C string, of which nothing behind its end is
    // read.
    boundary((), || unsafe {
        set(h, r#type, |helper, attr| {
            ptr::not_null(name)?;
            match attr {
                Attr::Name => helper.set_name(ptr::text(name, NAME_SIZE - 1)),
                Attr::Number(number) => {
                    let bytes: [u8; 4] = ptr::padded(name);
                    helper.set(number, read(bytes.as_ptr().cast(), number)?);
                }
                Attr::Policy(_) => return Err(Error::of(libc::EINVAL)),
            }
            Ok(())
        })
    });
}

/// Sets an attribute from the bytes of a number as they lie in memory; one that is wider is
/// extended with zero bytes.
///
/// # Safety
/// `h` is NULL or a live helper.
unsafe fn set_number(
    h: *mut nfct_helper,
    number: RawHelperAttr,
    bytes: &[u8],
) -> Result<(), Error> {
    let mut padded = [0; 4];
    padded.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
    // SAFETY: `h` is NULL or live; no number has more than four bytes.
    unsafe {
        set(h, number, |helper, attr| {
            match attr {
                Attr::Name => helper.set_name(bytes),
                Attr::Number(number) => helper.set(number, read(padded.as_ptr().cast(), number)?),
                Attr::Policy(_) => return Err(Error::of(libc::EINVAL)),
            }
            Ok(())
        })
    }
}

/// Sets an 8-bit attribute. A wider one gets the number as its first byte in memory and zero in
/// the others, the name that one character; a policy is not set. An unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL, and for a policy.
///
/// # Safety
/// `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_attr_set_u8(
    h: *mut nfct_helper,
    r#type: RawHelperAttr,
    value: u8,
) {
    // SAFETY: `h` is NULL or live.
    boundary((), || unsafe { set_number(h, r#type, &[value]) });
}

/// Sets a 16-bit attribute. Others get the number's bytes as they lie in memory: a narrower one
/// and the name those they have room for, a wider one zero behind them; a policy is not set. An
/// unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL, and for a policy.
///
/// # Safety
/// `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_attr_set_u16(
    h: *mut nfct_helper,
    r#type: RawHelperAttr,
    value: u16,
) {
    // SAFETY: `h` is NULL or live.
    boundary((), || unsafe { set_number(h, r#type, &value.to_ne_bytes()) });
}

/// Sets a 32-bit attribute. A narrower one gets the number's first bytes as they lie in memory, the
/// low ones on little-endian machines only, and the name all of them; a policy is not set. An
/// unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL, and for a policy.
///
/// # Safety
/// `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_attr_set_u32(
    h: *mut nfct_helper,
    r#type: RawHelperAttr,
    value: u32,
) {
    // SAFETY: `h` is NULL or live.
    boundary((), || unsafe { set_number(h, r#type, &value.to_ne_bytes()) });
}

/// Marks the name of a helper as not set; it stays to be read. All other attributes are left
/// as they are: a policy is taken away with nfct_helper_attr_set().
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_attr_unset(h: *mut nfct_helper, r#type: RawHelperAttr) {
    boundary((), || {
        // SAFETY: `h` is NULL or live, and used by nobody else during the call.
        let helper = unsafe { ptr::unique(h) }?;
        if Attr::try_from(r#type) == Ok(Attr::Name) {
            helper.unset_name();
        }
        Ok(())
    });
}

/// The value of an attribute, set or not: at first the name is empty and numbers are 0. It
/// stays the helper's, and shows later changes; of a policy, until another takes its place.
///
/// Returns a pointer into the helper, or to a policy; NULL with EINVAL if there is no such
/// policy, for an unknown attribute, and for NULL.
///
/// # Safety
/// `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_attr_get(
    h: *mut nfct_helper,
    r#type: RawHelperAttr,
) -> *const c_void {
    // SAFETY: `h` is NULL or live.
    boundary(std::ptr::null(), || unsafe { place(h, r#type) })
}

/// # Safety
/// `h` is NULL or a live helper.
unsafe fn place(h: *mut nfct_helper, number: RawHelperAttr) -> Result<*const c_void, Error> {
    // SAFETY: `h` is NULL or live, and changed by nobody during the call.
    let helper = unsafe { ptr::shared(h) }?;
    Ok(match Attr::try_from(number)? {
        Attr::Name => helper.name_in_room().as_ptr().cast(),
        Attr::Number(number) => helper.place(number).cast(),
        Attr::Policy(place) => {
            helper.policies.pointer(place).ok_or(Error::of(libc::EINVAL))?.as_ptr().cast()
        }
    })
}

/// The value of an attribute, as nfct_helper_attr_get(): the name, as a C string.
///
/// Returns as nfct_helper_attr_get().
///
/// # Safety
/// `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_attr_get_str(
    h: *mut nfct_helper,
    r#type: RawHelperAttr,
) -> *const c_char {
    // SAFETY: `h` is NULL or live.
    boundary(std::ptr::null(), || unsafe { place(h, r#type) }.map(<*const _>::cast))
}

/// A number of this many bytes; of a wider attribute its first bytes in memory.
///
/// # Safety
/// `h` is NULL or a live helper.
unsafe fn number(h: *mut nfct_helper, number: RawHelperAttr, bytes: usize) -> Result<u32, Error> {
    // SAFETY: `h` is NULL or live, and changed by nobody during the call.
    let helper = unsafe { ptr::shared(h) }?;
    let (value, width) = match Attr::try_from(number)? {
        Attr::Number(number) => (helper.number(number), number.width()),
        Attr::Name => (first(helper.name_in_room()), 4),
        Attr::Policy(place) => {
            let policy = helper.policies.get(place).ok_or(Error::of(libc::EINVAL))?;
            (u32::from_ne_bytes(policy.first_bytes()), 4)
        }
    };
    let hidden = 8 * width.saturating_sub(bytes);
    Ok(if cfg!(target_endian = "big") { value >> hidden } else { value })
}

fn first(name: &[u8; NAME_SIZE]) -> u32 {
    name.first_chunk().copied().map_or(0, u32::from_ne_bytes)
}

/// The value of an 8-bit attribute, set or not.
///
/// Returns the value, of a wider attribute its first byte; 0 with EINVAL if there is no such
/// policy, for an unknown attribute, and for NULL.
///
/// # Safety
/// `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_attr_get_u8(h: *mut nfct_helper, r#type: RawHelperAttr) -> u8 {
    // SAFETY: `h` is NULL or live.
    boundary(0, || unsafe { number(h, r#type, 1) }.map(|value| value as u8))
}

/// The value of a 16-bit attribute, set or not.
///
/// Returns the value, of a wider attribute its first two bytes; 0 with errno as
/// nfct_helper_attr_get_u8().
///
/// # Safety
/// `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_attr_get_u16(
    h: *mut nfct_helper,
    r#type: RawHelperAttr,
) -> u16 {
    // SAFETY: `h` is NULL or live.
    boundary(0, || unsafe { number(h, r#type, 2) }.map(|value| value as u16))
}

/// The value of a 32-bit attribute, set or not.
///
/// Returns the value, of the name and of a policy the first four bytes; 0 with errno as
/// nfct_helper_attr_get_u8().
///
/// # Safety
/// `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_attr_get_u32(
    h: *mut nfct_helper,
    r#type: RawHelperAttr,
) -> u32 {
    // SAFETY: `h` is NULL or live.
    boundary(0, || unsafe { number(h, r#type, 4) })
}
