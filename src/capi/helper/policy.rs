//! The policies of helpers: made, freed, and what is set of them.

use super::types::{RawHelperPolicyAttr, nfct_helper_policy};
use crate::capi::ffi::alloc;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::helper::policy::{NAME_SIZE, Policy, PolicyAttr};
use libc::{c_char, c_void};

/// Makes a policy: without a name, timeout and maximum 0. Give it to a helper with
/// nfct_helper_attr_set(), which frees it; or release it with nfct_helper_policy_free().
///
/// Returns the policy; NULL with ENOMEM when there is no memory.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_policy_alloc() -> *mut nfct_helper_policy {
    boundary(std::ptr::null_mut(), alloc::create)
}

/// Frees a policy that no helper has. NULL is ignored; errno is left alone.
///
/// # Safety
/// `p` is NULL or a live policy that no helper has, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_policy_free(p: *mut nfct_helper_policy) {
    boundary((), || {
        if !p.is_null() {
            // SAFETY: `p` is not NULL, so it is live, and the caller does not use it again.
            unsafe { alloc::destroy(p) };
        }
        Ok(())
    });
}

/// Changes an attribute of a policy; a number that is none is ignored.
///
/// # Safety
/// `p` is NULL or a live policy.
unsafe fn set(
    p: *mut nfct_helper_policy,
    number: RawHelperPolicyAttr,
    set: impl FnOnce(&mut Policy, PolicyAttr) -> Result<(), Error>,
) -> Result<(), Error> {
    // SAFETY: `p` is NULL or live, and used by nobody else during the call.
    let policy = unsafe { ptr::unique(p) }?;
    PolicyAttr::try_from(number).map_or(Ok(()), |attr| set(policy, attr))
}

/// Sets an attribute from what `data` points to: a C string, of which 15 bytes are kept; a
/// uint32_t of any alignment. An unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `p` is NULL or a live policy; `data` is NULL or points to what the attribute's value is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_policy_attr_set(
    p: *mut nfct_helper_policy,
    r#type: RawHelperPolicyAttr,
    data: *const c_void,
) {
    // SAFETY: `p` is NULL or live; `data` is NULL, or a C string that may end behind what is kept, or
    // four bytes, as the attribute says.
    boundary((), || unsafe {
        set(p, r#type, |policy, attr| {
            ptr::not_null(data)?;
            match attr {
                PolicyAttr::Name => policy.set_name(ptr::text(data.cast(), NAME_SIZE - 1)),
                PolicyAttr::Timeout => policy.timeout = ptr::read(data)?,
                PolicyAttr::Max => policy.max = ptr::read(data)?,
            }
            Ok(())
        })
    });
}

/// Sets the name of a policy from a C string, of which 15 bytes are kept. A number gets the
/// bytes of the string as they lie in memory, and zero behind its end. An unknown attribute is
/// ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `p` is NULL or a live policy; `name` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_policy_attr_set_str(
    p: *mut nfct_helper_policy,
    r#type: RawHelperPolicyAttr,
    name: *const c_char,
) {
    // SAFETY: `p` is NULL or live; `name` is NULL or a C string, of which nothing behind its end is
    // read.
    boundary((), || unsafe {
        set(p, r#type, |policy, attr| {
            ptr::not_null(name)?;
            match attr {
                PolicyAttr::Name => policy.set_name(ptr::text(name, NAME_SIZE - 1)),
                PolicyAttr::Timeout => policy.timeout = u32::from_ne_bytes(ptr::padded(name)),
                PolicyAttr::Max => policy.max = u32::from_ne_bytes(ptr::padded(name)),
            }
            Ok(())
        })
    });
}

/// Sets the timeout or the maximum of a policy. The name gets the bytes of the number as they
/// lie in memory. An unknown attribute is ignored.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `p` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_policy_attr_set_u32(
    p: *mut nfct_helper_policy,
    r#type: RawHelperPolicyAttr,
    value: u32,
) {
    // SAFETY: `p` is NULL or live.
    boundary((), || unsafe {
        set(p, r#type, |policy, attr| {
            match attr {
                PolicyAttr::Name => policy.set_name(&value.to_ne_bytes()),
                PolicyAttr::Timeout => policy.timeout = value,
                PolicyAttr::Max => policy.max = value,
            }
            Ok(())
        })
    });
}
