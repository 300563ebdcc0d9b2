//! Why nothing is heard, or counted.

use super::call::with_handle;
use crate::capi::conntrack::types::nfct_handle;
use crate::capi::ffi::ptr;
use crate::conntrack::diagnose::Diagnosis;
use crate::error::Invalid;
use crate::text::writer::Writer;
use libc::{c_char, c_int, size_t};
use std::fmt::Write;

/// More than any text has.
const MOST: size_t = 1 << 20;

/// Says why nothing is heard, nothing is counted, or no flow comes in: what in the handle's network
/// namespace is in the way, and what to change.
///
/// It looks at the sysctls of connection tracking (nf_conntrack_events, nf_conntrack_acct,
/// nf_conntrack_timestamp, and nf_conntrack_helper where there is one), at how full the table is and
/// how many buckets it has, at the privileges of the calling thread, and at the groups of the handle
/// and the messages it has lost. The sysctls of another network namespace than the thread's take
/// CAP_SYS_ADMIN there. Nothing is asked of the table, nothing is changed.
///
/// The text is sentences, each on a line of its own, the first of them about the table; it is cut
/// to the buffer and ends with a NUL there, as that of snprintf(). It is for people, and may change;
/// 4096 bytes are enough for all of it.
///
/// Returns the length of the whole text, without its NUL; -1 with EINVAL for NULL, but for a buffer
/// of size 0.
///
/// # Safety
/// `h` is NULL or a live handle; `text` is NULL or points to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_diagnose(
    h: *mut nfct_handle,
    text: *mut c_char,
    size: size_t,
) -> c_int {
    let say = |diagnosis: Diagnosis| {
        if size > 0 && text.is_null() {
            return Err(Invalid::Argument("there is no room for the text: NULL was passed").into());
        }
        // SAFETY: `text` is NULL, where none are written, or points to `size` writable bytes.
        let mut out = Writer::new(unsafe { ptr::bytes_mut(text.cast(), size.min(MOST)) });
        // The writer takes everything.
        let _ = write!(out, "{diagnosis}");
        Ok(c_int::try_from(out.finish()).unwrap_or(c_int::MAX))
    };
    // SAFETY: `h` is NULL or live, and used by nobody else during the call.
    unsafe { with_handle(h, -1, |extended| say(Diagnosis::of_listener(extended.socket()))) }
}
