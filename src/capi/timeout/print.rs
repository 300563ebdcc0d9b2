//! Timeout policies as text.

use super::types::nfct_timeout;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::capi::ffi::text::print;
use crate::timeout::print;
use libc::{c_char, c_int, c_uint, size_t};

/// Prints a policy into a buffer of `size` bytes: its name, protocols, and the timeouts of all
/// states, those that are not set as 0. `type` is NFCT_TIMEOUT_O_DEFAULT; `flags` are ignored.
/// The text is cut to fit and always ends with a NUL. With a `size` of 0 it is only measured,
/// and `buf` may be NULL.
///
/// Returns the length of the whole text in bytes, without its NUL: it was cut if that is
/// `size` or more; 0 with the buffer untouched for another `type`; -1 with EINVAL for NULL.
///
/// # Safety
/// `buf` is NULL or points to `size` bytes; `t` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_snprintf(
    buf: *mut c_char,
    size: size_t,
    t: *const nfct_timeout,
    r#type: c_uint,
    flags: c_uint,
) -> c_int {
    let _ = flags;
    // SAFETY: `t` is NULL or live, and changed by nobody during the call; `buf` has `size` bytes.
    boundary(-1, || unsafe {
        let policy = ptr::shared(t)?;
        if r#type != 0 {
            return Ok(0);
        }
        print(buf, size, |out| {
            print::policy(out, policy);
            Ok::<_, Error>(())
        })
    })
}
