//! Objects as text.

use super::labelmap;
use super::types::{nf_conntrack, nf_expect, nfct_labelmap};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::clock::LocalClock;
use crate::capi::ffi::ptr;
use crate::capi::ffi::text::print;
use crate::conntrack::error;
use crate::conntrack::print::{self, Style};
use libc::{c_char, c_int, c_uint};

/// Prints an entry as nfct_snprintf_labels() does, without labels.
///
/// Returns as nfct_snprintf_labels().
///
/// # Safety
/// As nfct_snprintf_labels().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_snprintf(
    buf: *mut c_char,
    size: c_uint,
    ct: *const nf_conntrack,
    msg_type: c_uint,
    out_type: c_uint,
    out_flags: c_uint,
) -> c_int {
    // SAFETY: `ct` is NULL or live, `buf` has `size` bytes; there is no map.
    boundary(-1, || unsafe {
        let style = style(msg_type, out_type, out_flags, std::ptr::null());
        let ct = ptr::shared(ct)?;
        print(buf, size as usize, |out| print::conntrack(out, ct, &style))
    })
}

/// Prints an entry into a buffer of `size` bytes, with the names that `map` has for its labels, or
/// without labels if `map` is NULL.
///
/// `msg_type` NFCT_T_NEW, NFCT_T_UPDATE or NFCT_T_DESTROY is printed in front, any other number
/// prints nothing there; `out_type` is one of NFCT_O_*, `out_flags` are NFCT_OF_*. The text is cut
/// to fit and always ends with a NUL. With a `size` of 0 it is only measured, and `buf` may be
/// NULL. Times are in the local zone.
///
/// Returns the length of the whole text in bytes, without its NUL: it was cut if that is `size` or
/// more; -1 with ENOENT for an unknown `out_type`, with EINVAL for NULL; -1 with errno untouched if
/// the protocol that NFCT_O_PLAIN has to name is not set.
///
/// # Safety
/// `buf` is NULL or points to `size` bytes; `ct` is NULL or a live object; `map` is NULL or a live
/// label map.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_snprintf_labels(
    buf: *mut c_char,
    size: c_uint,
    ct: *const nf_conntrack,
    msg_type: c_uint,
    out_type: c_uint,
    out_flags: c_uint,
    map: *mut nfct_labelmap,
) -> c_int {
    // SAFETY: `ct` and `map` are NULL or live, and changed by nobody during the call; `buf` has
    // `size` bytes.
    boundary(-1, || unsafe {
        let style = style(msg_type, out_type, out_flags, map);
        if out_type > print::XML {
            return Err(error::Error::UnknownFormat(out_type).into());
        }
        let ct = ptr::shared(ct)?;
        print(buf, size as usize, |out| print::conntrack(out, ct, &style))
    })
}

/// Prints an expectation into a buffer of `size` bytes, as nfct_snprintf() does an entry.
///
/// Returns the length of the whole text in bytes, without its NUL: it was cut if that is `size` or
/// more; -1 with ENOENT for an unknown `out_type`, with EINVAL for NULL.
///
/// # Safety
/// `buf` is NULL or points to `size` bytes; `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_snprintf(
    buf: *mut c_char,
    size: c_uint,
    exp: *const nf_expect,
    msg_type: c_uint,
    out_type: c_uint,
    out_flags: c_uint,
) -> c_int {
    // SAFETY: `exp` is NULL or live, `buf` has `size` bytes; there is no map.
    boundary(-1, || unsafe {
        let style = style(msg_type, out_type, out_flags, std::ptr::null());
        let exp = ptr::shared(exp)?;
        print(buf, size as usize, |out| print::expect(out, exp, &style))
    })
}

/// # Safety
/// `map` is NULL or a live label map.
unsafe fn style<'a>(
    message: c_uint,
    format: c_uint,
    flags: c_uint,
    map: *const nfct_labelmap,
) -> Style<'a> {
    // SAFETY: `map` is NULL or live, for as long as the style is used.
    let labels = unsafe { labelmap::optional(map) };
    Style { message, format, flags, labels, clock: &LocalClock }
}
