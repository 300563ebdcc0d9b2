//! User-space helpers as text.

use super::types::nfct_helper;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::capi::ffi::text::print;
use crate::helper::print;
use libc::{c_char, c_int, c_uint, size_t};

/// Prints a helper into a buffer of `size` bytes: all but its policies, what is not set as 0.
/// `type` and `flags` are ignored. The text is cut to fit and always ends with a NUL. With a
/// `size` of 0 it is only measured, and `buf` may be NULL.
///
/// Returns the length of the whole text in bytes, without its NUL: it was cut if that is
/// `size` or more; -1 with EINVAL for NULL.
///
/// # Safety
/// `buf` is NULL or points to `size` bytes; `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_snprintf(
    buf: *mut c_char,
    size: size_t,
    h: *mut nfct_helper,
    r#type: c_uint,
    flags: c_uint,
) -> c_int {
    let _ = (r#type, flags);
    // SAFETY: `h` is NULL or live, and changed by nobody during the call; `buf` has `size` bytes.
    boundary(-1, || unsafe {
        let helper = ptr::shared(h)?;
        print(buf, size, |out| {
            print::helper(out, helper);
            Ok::<_, Error>(())
        })
    })
}
