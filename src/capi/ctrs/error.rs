//! What the last call on a handle said went wrong.

use crate::capi::conntrack::state::State;
use crate::capi::conntrack::types::nfct_handle;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::explained::{ctrs_error, ctrs_error_kind};

static NO_HANDLE: ctrs_error = ctrs_error::fixed(
    libc::EINVAL,
    ctrs_error_kind::CTRS_ERROR_INVALID,
    "there is no handle: NULL was passed, or opening one has failed",
);

/// What went wrong in the last call of a function of this header on a handle.
///
/// Functions of libnetfilter_conntrack leave it alone; they tell errno only.
///
/// Returns the error, which is the handle's and stays until the next call on it: with an err of 0
/// and empty texts if that call succeeded. For NULL it is one that says so, whose err is EINVAL,
/// and stays for ever; errno is left alone.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_last_error(h: *const nfct_handle) -> *const ctrs_error {
    boundary(&raw const NO_HANDLE, || {
        if h.is_null() {
            return Ok(&raw const NO_HANDLE);
        }
        // SAFETY: the handle is not NULL, so it is live.
        Ok(unsafe { State::error(h) })
    })
}
