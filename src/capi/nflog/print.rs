//! Packets as text.

use super::data::{Logged, packet};
use super::types::nflog_data;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::clock::LocalClock;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::text;
use crate::nflog::xml::{self, XmlParts};
use libc::{c_char, c_int, size_t};

/// Prints a packet as XML into C's buffer and returns the length of the whole text.
///
/// # Safety
/// `buf` is NULL or points to `size` writable bytes.
pub(super) unsafe fn print(
    buf: *mut c_char,
    size: size_t,
    packet: &Logged<'_>,
    flags: u32,
) -> Result<c_int, Error> {
    let parts = XmlParts::from_bits_retain(flags);
    // SAFETY: `buf` is NULL or points to `size` writable bytes.
    unsafe {
        text::print(buf, size, |out| {
            xml::print(out, packet, parts, &LocalClock);
            Ok::<(), Error>(())
        })
    }
}

/// Prints a packet as XML, on one line without a newline, into a buffer of `len` bytes. Nothing
/// is escaped.
///
/// `flags` are NFLOG_XML_*; the hook is printed always, and other bits print nothing.
/// NFLOG_XML_TIME prints the local time now, not that of the packet. The text is cut to fit and
/// always ends with a NUL. With a `len` of 0 it is only measured, and `buf` may be NULL.
///
/// Returns the length of the whole text in bytes, without its NUL: it was cut if that is `len` or
/// more; -1 with EINVAL for NULL.
///
/// # Safety
/// `buf` is NULL or points to `len` bytes; `tb` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_snprintf_xml(
    buf: *mut c_char,
    len: size_t,
    tb: *mut nflog_data,
    flags: c_int,
) -> c_int {
    // SAFETY: `buf` is NULL or has `len` bytes; `tb` is NULL or a packet.
    boundary(-1, || unsafe { print(buf, len, &packet(tb)?, flags as u32) })
}
