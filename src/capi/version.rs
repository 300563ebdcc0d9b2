//! The version of this library: declared in `ctrs.h`, and there without it too.

use crate::capi::ffi::boundary::boundary;
use libc::c_char;
use std::ffi::CStr;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"unknown",
    };

/// The version of the library that runs, as CTRS_VERSION is that of the header.
///
/// Returns a string that lives as long as the program; it does not fail.
#[unsafe(no_mangle)]
pub extern "C" fn ctrs_version() -> *const c_char {
    boundary(VERSION.as_ptr(), || Ok(VERSION.as_ptr()))
}
