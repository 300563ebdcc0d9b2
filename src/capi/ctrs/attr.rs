//! Attributes of entries, asked about at run time.

use super::types::ctrs_attr_kind::{self, *};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::conntrack::object::attr::{ATTR_COUNT, Attr, Kind};
use libc::{c_char, c_int};

/// No attribute has a longer name.
const LONGEST: usize = 64;

fn attribute(number: c_int) -> Result<Attr, Error> {
    Ok(Attr::try_from(u32::try_from(number).map_err(|_| Error::of(libc::EINVAL))?)?)
}

fn kind(attr: Attr) -> ctrs_attr_kind {
    match (attr.kind(), attr.size().unwrap_or(0)) {
        (Kind::Number, 1) => CTRS_ATTR_U8,
        (Kind::Number, 2) => CTRS_ATTR_U16,
        (Kind::Number, 4) => CTRS_ATTR_U32,
        (Kind::Number, _) => CTRS_ATTR_U64,
        (Kind::Port, _) => CTRS_ATTR_PORT,
        (Kind::Address, 4) => CTRS_ATTR_IPV4,
        (Kind::Address, _) => CTRS_ATTR_IPV6,
        (Kind::Text, _) => CTRS_ATTR_STRING,
        (Kind::Bytes, _) => CTRS_ATTR_BYTES,
        (Kind::Labels, _) => CTRS_ATTR_LABELS,
    }
}

/// How many attributes entries have: their numbers are those of enum nf_conntrack_attr, from 0 on.
/// A newer library may know more than the header that a program was compiled with.
///
/// Returns the number; it does not fail.
#[unsafe(no_mangle)]
pub extern "C" fn ctrs_attr_count() -> c_int {
    boundary(ATTR_COUNT as c_int, || Ok(ATTR_COUNT as c_int))
}

/// The name of an attribute: that of its constant in small letters, without ATTR_, as
/// "orig_ipv4_src".
///
/// Returns a string that lives as long as the program; NULL with EINVAL if no attribute has the
/// number.
#[unsafe(no_mangle)]
pub extern "C" fn ctrs_attr_name(number: c_int) -> *const c_char {
    boundary(std::ptr::null(), || Ok(attribute(number)?.name_with_nul().as_ptr().cast()))
}

/// What the value of an attribute is.
///
/// Returns one of enum ctrs_attr_kind; -1 with EINVAL if no attribute has the number.
#[unsafe(no_mangle)]
pub extern "C" fn ctrs_attr_type(number: c_int) -> c_int {
    boundary(-1, || Ok(kind(attribute(number)?) as c_int))
}

/// How large the value is that nfct_get_attr() points to, in bytes: of a helper's name the most,
/// with its NUL.
///
/// Returns the size, 0 of what has no fixed size: CTRS_ATTR_LABELS, CTRS_ATTR_BYTES, ATTR_SECCTX;
/// -1 with EINVAL if no attribute has the number.
#[unsafe(no_mangle)]
pub extern "C" fn ctrs_attr_size(number: c_int) -> c_int {
    boundary(-1, || Ok(attribute(number)?.size().unwrap_or(0) as c_int))
}

/// The attribute that ctrs_attr_name() tells this name of.
///
/// Returns its number; -1 with EINVAL for NULL, with ENOENT if no attribute has the name.
///
/// # Safety
/// `name` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_attr_by_name(name: *const c_char) -> c_int {
    boundary(-1, || {
        ptr::not_null(name)?;
        // SAFETY: `name` is not NULL, so it is a C string.
        let name = unsafe { ptr::text(name, LONGEST) };
        let attr = std::str::from_utf8(name).ok().and_then(Attr::by_name);
        attr.map(|attr| attr as c_int).ok_or(Error::of(libc::ENOENT))
    })
}
