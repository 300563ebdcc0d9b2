//! Timeout policies: made, freed, and what is set of them.

use super::types::nfct_timeout;
use crate::capi::ffi::alloc;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::timeout::object::{Attr, NAME_SIZE};
use crate::timeout::states;
use libc::{c_char, c_int, c_void};

/// Makes a policy without attributes. Release it with nfct_timeout_free().
///
/// Returns the policy; NULL with ENOMEM when there is no memory.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_alloc() -> *mut nfct_timeout {
    boundary(std::ptr::null_mut(), alloc::create)
}

/// Frees a policy.
///
/// Sets errno to EINVAL for NULL, which is ignored.
///
/// # Safety
/// `t` is NULL or a live policy, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_free(t: *mut nfct_timeout) {
    boundary((), || {
        ptr::not_null(t)?;
        // SAFETY: `t` is not NULL, so it is live, and the caller does not use it again.
        unsafe { alloc::destroy(t) };
        Ok(())
    });
}

/// Sets an attribute, one of `enum nfct_timeout_attr`, from what `data` points to: a C string,
/// of which 31 bytes are kept; a uint16_t; a uint8_t; of any alignment.
/// NFCT_TIMEOUT_ATTR_POLICY is set by nfct_timeout_policy_attr_set_u32(), here nothing is.
///
/// Returns 0; -1 with EINVAL for NULL and for numbers that are none of an attribute.
///
/// # Safety
/// `t` is NULL or a live policy; `data` is NULL or points to what the attribute's value is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_attr_set(
    t: *mut nfct_timeout,
    r#type: u32,
    data: *const c_void,
) -> c_int {
    boundary(-1, || {
        // SAFETY: `t` is NULL or live, and used by nobody else during the call.
        let policy = unsafe { ptr::unique(t) }?;
        let attr = Attr::try_from(r#type)?;
        ptr::not_null(data)?;
        match attr {
            // SAFETY: `data` is not NULL, so it is a C string, which may end behind what is kept.
            Attr::Name => policy.set_name(unsafe { ptr::text(data.cast(), NAME_SIZE - 1) }),
            // SAFETY: `data` is not NULL, so it points to two bytes.
            Attr::L3Proto => policy.set_l3proto(unsafe { ptr::read(data) }?),
            // SAFETY: `data` is not NULL, so it points to a byte.
            Attr::L4Proto => policy.set_l4proto(unsafe { ptr::read(data) }?),
            Attr::Policy => {}
        }
        Ok(0)
    })
}

/// Sets an attribute from a number whose bytes, as they lie in memory, are `bytes`.
///
/// # Safety
/// `t` is NULL or a live policy.
unsafe fn set_number(t: *mut nfct_timeout, number: u32, bytes: &[u8]) -> Result<c_int, Error> {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    // SAFETY: `t` is NULL or live, and used by nobody else during the call.
    let policy = unsafe { ptr::unique(t) }?;
    match Attr::try_from(number)? {
        Attr::Name => policy.set_name(bytes),
        Attr::L3Proto => policy.set_l3proto(u16::from_ne_bytes([byte(0), byte(1)])),
        Attr::L4Proto => policy.set_l4proto(byte(0)),
        Attr::Policy => {}
    }
    Ok(0)
}

/// Sets an 8-bit attribute. A wider one gets the number as its first byte in memory and zero in
/// the other, the name that one character.
///
/// Returns as nfct_timeout_attr_set().
///
/// # Safety
/// `t` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_attr_set_u8(
    t: *mut nfct_timeout,
    r#type: u32,
    data: u8,
) -> c_int {
    // SAFETY: `t` is NULL or live.
    boundary(-1, || unsafe { set_number(t, r#type, &[data]) })
}

/// Sets a 16-bit attribute. A narrower one gets the number's first byte as it lies in memory, the
/// low one on little-endian machines only, and the name both.
///
/// Returns as nfct_timeout_attr_set().
///
/// # Safety
/// `t` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_attr_set_u16(
    t: *mut nfct_timeout,
    r#type: u32,
    data: u16,
) -> c_int {
    // SAFETY: `t` is NULL or live.
    boundary(-1, || unsafe { set_number(t, r#type, &data.to_ne_bytes()) })
}

/// Marks an attribute as not set. Its value stays: once a timeout is set, those set before are
/// there again.
///
/// Sets errno to EINVAL for NULL; numbers that are none of an attribute are ignored.
///
/// # Safety
/// `t` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_attr_unset(t: *mut nfct_timeout, r#type: u32) {
    boundary((), || {
        // SAFETY: `t` is NULL or live, and used by nobody else during the call.
        let policy = unsafe { ptr::unique(t) }?;
        if let Ok(attr) = Attr::try_from(r#type) {
            policy.unset(attr);
        }
        Ok(())
    });
}

/// Sets the timeout of a state, in seconds. `type` is a state of the policy's protocol, which
/// must be set before: `enum nfct_timeout_tcp_attr` and its like. A policy whose protocol is
/// changed keeps timeouts by their number. A protocol that has no timeouts takes number 0,
/// which is printed, and never sent.
///
/// Returns 0; -1 with EINVAL for NULL, if no protocol is set, and for a state that it does not
/// have.
///
/// # Safety
/// `t` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_policy_attr_set_u32(
    t: *mut nfct_timeout,
    r#type: u32,
    data: u32,
) -> c_int {
    boundary(-1, || {
        // SAFETY: `t` is NULL or live, and used by nobody else during the call.
        let policy = unsafe { ptr::unique(t) }?;
        policy.set_original(r#type, data)?;
        Ok(0)
    })
}

/// The name of a state, as nfct_timeout_snprintf() prints it: "SYN_SENT".
///
/// Returns a string that stays; NULL with EINVAL if the protocol has no such state, or no
/// timeouts.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_policy_attr_to_name(
    l4proto: u8,
    state: u32,
) -> *const c_char {
    boundary(std::ptr::null(), || {
        let row = states::of(l4proto).filter(|row| (state as usize) < row.original);
        let name = row.and_then(|row| row.states.get(state as usize));
        name.map(|name| name.as_ptr()).ok_or(Error::of(libc::EINVAL))
    })
}
