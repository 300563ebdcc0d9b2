//! Text into the buffers of C.

use super::error::Error;
use super::ptr;
use crate::text::writer::Writer;
use libc::{c_char, c_int};

/// Prints into C's buffer and returns the length of the whole text.
///
/// # Safety
/// `buf` is NULL or points to `size` writable bytes.
pub(in crate::capi) unsafe fn print<E>(
    buf: *mut c_char,
    size: usize,
    print: impl Fn(&mut Writer<'_>) -> Result<(), E>,
) -> Result<c_int, Error>
where
    Error: From<E>,
{
    if size > 0 {
        ptr::not_null(buf)?;
    }
    // No memory is larger, whatever C says.
    let size = size.min(isize::MAX as usize);
    // SAFETY: `buf` is NULL, where none are written, or points to `size` writable bytes.
    let printed = Writer::print(unsafe { ptr::bytes_mut(buf.cast(), size) }, print)?;
    Ok(c_int::try_from(printed).unwrap_or(c_int::MAX))
}
