//! Flows and expectations as JSON, and back.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::without_handle;
use super::record::take;
use crate::capi::conntrack::labelmap::optional;
use crate::capi::conntrack::types::{nf_conntrack, nf_expect, nfct_labelmap};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::explained::ctrs_error;
use crate::capi::ffi::ptr;
use crate::conntrack::json::{self, Style};
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::expectation::Expect;
use crate::conntrack::record::FlowRecord;
use crate::error;
use crate::text::writer::Writer;
use libc::{c_char, c_int, size_t};

/// Flags of ctrs_snprintf_json() and its like.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_json_flags {
    /// Numbers of 64 bits as strings, for readers that keep numbers as doubles, as jq 1.6 and
    /// JavaScript do.
    CTRS_JSON_STRINGS = 1,
}

const FLAGS: u32 = ctrs_json_flags::CTRS_JSON_STRINGS as u32;
const _: () = assert!(FLAGS == json::STRINGS);

/// Writes into C's buffer and returns the length of the whole text.
///
/// # Safety
/// `buf` is NULL or points to `size` writable bytes.
pub(super) unsafe fn written(
    buf: *mut c_char,
    size: size_t,
    style: &Style<'_>,
    write: impl FnOnce(&mut Writer<'_>),
) -> Result<c_int, Error> {
    if size > 0 {
        ptr::not_null(buf)?;
    }
    if style.flags & !FLAGS != 0 {
        return Err(Error::of(libc::EINVAL));
    }
    // SAFETY: `buf` is NULL, where none are written, or points to `size` writable bytes.
    let mut out = Writer::new(unsafe { ptr::bytes_mut(buf.cast(), size) });
    write(&mut out);
    Ok(c_int::try_from(out.finish()).unwrap_or(c_int::MAX))
}

/// Writes an entry as JSON into a buffer of `size` bytes: one object of all attributes that are
/// set, on one line. docs/json.md lists its members, and docs/flow.schema.json describes them for a
/// validator.
///
/// `msg_type` NFCT_T_NEW, NFCT_T_UPDATE or NFCT_T_DESTROY becomes the member "event", any other
/// number none. `flags` are some of enum ctrs_json_flags. Labels have the names of `map`; those
/// without one, and all if `map` is NULL, are numbers. The text is UTF-8, is cut to fit and always
/// ends with a NUL. With a `size` of 0 it is only measured, and `buf` may be NULL.
///
/// Returns the length of the whole text in bytes, without its NUL: it was cut if that is `size` or
/// more; -1 with EINVAL for NULL and for unknown flags.
///
/// # Safety
/// `buf` is NULL or points to `size` bytes; `ct` is NULL or a live object; `map` is NULL or a live
/// label map.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_snprintf_json(
    buf: *mut c_char,
    size: size_t,
    ct: *const nf_conntrack,
    msg_type: u32,
    flags: u32,
    map: *const nfct_labelmap,
) -> c_int {
    // SAFETY: `ct` and `map` are NULL or live, and changed by nobody during the call; `buf` has
    // `size` bytes.
    boundary(-1, || unsafe {
        let style = Style { message: msg_type, flags, labels: optional(map) };
        let ct = ptr::shared(ct)?;
        written(buf, size, &style, |out| json::write(out, ct, &style))
    })
}

/// Writes the flow of a record as JSON, as ctrs_snprintf_json() does an entry. `flow_size` is
/// sizeof(struct ctrs_flow) as the program was compiled.
///
/// Returns as ctrs_snprintf_json(); also -1 with EINVAL for a wrong `flow_size`, with ENOMEM when
/// there is no memory for the labels.
///
/// # Safety
/// As ctrs_snprintf_json(); `flow` is NULL or points to `flow_size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_flow_snprintf_json(
    buf: *mut c_char,
    size: size_t,
    flow: *const FlowRecord,
    flow_size: size_t,
    msg_type: u32,
    flags: u32,
    map: *const nfct_labelmap,
) -> c_int {
    // SAFETY: `flow` is NULL or has `flow_size` bytes, `map` is NULL or live, and nobody changes
    // them during the call; `buf` has `size` bytes.
    boundary(-1, || unsafe {
        let style = Style { message: msg_type, flags, labels: optional(map) };
        let mut ct = Conntrack::new();
        take(flow, flow_size)?.to(&mut ct)?;
        written(buf, size, &style, |out| json::write(out, &ct, &style))
    })
}

/// Writes an expectation as JSON into a buffer of `size` bytes, as ctrs_snprintf_json() does an
/// entry.
///
/// Returns as ctrs_snprintf_json().
///
/// # Safety
/// `buf` is NULL or points to `size` bytes; `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_expect_snprintf_json(
    buf: *mut c_char,
    size: size_t,
    exp: *const nf_expect,
    msg_type: u32,
    flags: u32,
) -> c_int {
    // SAFETY: `exp` is NULL or live, and changed by nobody during the call; `buf` has `size` bytes.
    boundary(-1, || unsafe {
        let style = Style { message: msg_type, flags, labels: None };
        let exp = ptr::shared(exp)?;
        written(buf, size, &style, |out| json::expect(out, exp, &style))
    })
}

/// Makes an expectation what a text of JSON says, as ctrs_expect_snprintf_json() writes it: `size`
/// bytes of `text`, one object. What the text does not say, the expectation has no more. To be
/// created it takes what nfexp_query() says, its master among it.
///
/// Returns 0; -1 with EINVAL for NULL and for what cannot be read, then with the byte that it is
/// about in the offset of `error`, which may be NULL; with ENOMEM. The expectation is then
/// unchanged.
///
/// # Safety
/// `exp` is NULL or a live object; `text` is NULL or points to `size` readable bytes; `error` is
/// NULL or points to as many writable bytes as its size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_expect_parse_json(
    exp: *mut nf_expect,
    text: *const c_char,
    size: size_t,
    error: *mut ctrs_error,
) -> c_int {
    // SAFETY: `error` is NULL or the caller's. Within, `exp` is NULL or live and used by nobody else
    // during the call, `text` is NULL or has `size` bytes.
    unsafe {
        without_handle(error, -1, || {
            let nothing = error::Invalid::Argument("there is no expectation or no text: NULL");
            let (false, Ok(exp)) = (text.is_null(), ptr::unique(exp)) else {
                return Err(nothing.into());
            };
            let mut read = Expect::new();
            json::read_expect(ptr::bytes(text.cast(), size), &mut read)?;
            *exp = read;
            Ok(0)
        })
    }
}

/// Makes an entry what a text of JSON says, so that it can be created: `size` bytes of `text`, one
/// object as ctrs_snprintf_json() writes it. What the text does not say, the entry has no more.
///
/// Of an entry that the kernel told, this makes what it takes to create the same again:
/// - NAT is asked for (ATTR_SNAT_*, ATTR_DNAT_*) as the status and the tuples show it, and the reply
///   tuple is that before the translation; where the text has "snat" or "dnat", that counts;
/// - the flags and window scales of TCP count, so that a connection goes on;
/// - status bits that only the kernel sets are left out.
///
/// The kernel takes no counters, no times and no id: those begin anew. A flow with a master is to
/// be created after that one. Members may come in any order, the last of a name counts, and unknown
/// ones are passed over. Numbers may be strings, times numbers of nanoseconds. Labels by name need
/// `map`, which may be NULL.
///
/// Returns 0; -1 with EINVAL for NULL and for what cannot be read, then with the byte that it is
/// about in the offset of `error`, which may be NULL; with ENOMEM. The entry is then unchanged.
///
/// # Safety
/// `ct` is NULL or a live object; `text` is NULL or points to `size` readable bytes; `map` is NULL
/// or a live label map; `error` is NULL or points to as many writable bytes as its size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_parse_json(
    ct: *mut nf_conntrack,
    text: *const c_char,
    size: size_t,
    map: *const nfct_labelmap,
    error: *mut ctrs_error,
) -> c_int {
    // SAFETY: `error` is NULL or the caller's. Within, `ct` is NULL or live and used by nobody else
    // during the call, `text` is NULL or has `size` bytes, `map` is NULL or live.
    unsafe {
        without_handle(error, -1, || {
            let nothing = error::Invalid::Argument("there is no entry or no text: NULL was passed");
            let (false, Ok(ct)) = (text.is_null(), ptr::unique(ct)) else {
                return Err(nothing.into());
            };
            let mut read = json::read(ptr::bytes(text.cast(), size), optional(map))?;
            read.renew()?;
            *ct = read;
            Ok(0)
        })
    }
}
