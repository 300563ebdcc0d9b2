//! Filters: expressions that select flows, for lists, events and whatever a program holds.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::{with_handle, without_handle};
use super::record::take;
use crate::capi::conntrack::labelmap;
use crate::capi::conntrack::types::{nf_conntrack, nfct_handle, nfct_labelmap};
use crate::capi::ffi::alloc::{place, unplace};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::ctrs_error;
use crate::capi::ffi::ptr;
use crate::conntrack::expression::{Decides, Expression, Truth};
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::record::FlowRecord;
use crate::conntrack::wire::Change;
use crate::error::{Error, Invalid};
use crate::netlink;
use crate::netlink::socket;
use crate::shared::Shared;
use crate::text::writer::Writer;
use libc::{c_char, c_int, size_t};
use std::fmt::{Display, Write};

/// An expression that selects flows: `tcp and dport {80, 443} and not replied`.
///
/// Made by ctrs_filter_compile(), released with ctrs_filter_free(). It does not change: any
/// number of threads may use one at the same time.
pub struct ctrs_filter {
    _private: [u8; 0],
}

/// What a filter is of a flow.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_truth {
    /// The flow does not match.
    CTRS_FALSE = 0,
    /// It matches.
    CTRS_TRUE = 1,
    /// Something decides that was not told of the flow, as counters where the kernel does not
    /// count. It is not selected, and neither is it by the opposite filter.
    CTRS_UNKNOWN = 2,
}

/// The longest text that is read.
const LONGEST: usize = 1 << 30;

/// The expression of a filter.
///
/// # Errors
/// [`Invalid::Argument`] for NULL.
///
/// # Safety
/// `filter` is NULL or a live filter.
pub(in crate::capi) unsafe fn expression<'a>(
    filter: *const ctrs_filter,
) -> Result<&'a Shared<Expression>, Error> {
    // SAFETY: `optional` asks of the filter what this function asks.
    unsafe { optional(filter) }.ok_or(NO_FILTER.into())
}

/// The same where NULL selects all: `None`.
///
/// # Safety
/// `filter` is NULL or a live filter.
pub(super) unsafe fn optional<'a>(filter: *const ctrs_filter) -> Option<&'a Shared<Expression>> {
    // SAFETY: a live filter is what `ctrs_filter_compile` placed, and filters do not change.
    unsafe { filter.cast::<Shared<Expression>>().as_ref() }
}

const NO_FILTER: Invalid = Invalid::Argument("there is no filter: NULL was passed");

/// Compiles an expression; `docs/expressions.md` has the language. Labels may have the names of
/// a label map, which is not needed any more afterwards; without one (NULL) they are numbers.
/// Release the filter with ctrs_filter_free().
///
/// Returns the filter. NULL with EINVAL for NULL, and for a text that is no expression: then
/// `error` has the kind CTRS_ERROR_SYNTAX, the offset of the byte at which the text is wrong,
/// and a sentence that says what was expected there. NULL with ENOMEM when there is no memory.
/// `error` may be NULL.
///
/// # Safety
/// `text` is NULL or a C string; `labels` is NULL or a live label map; `error` is NULL or
/// points to as many writable bytes as its `size` says.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_filter_compile(
    text: *const c_char,
    labels: *const nfct_labelmap,
    error: *mut ctrs_error,
) -> *mut ctrs_filter {
    // SAFETY: `error` is NULL or the caller's, during the call.
    unsafe {
        without_handle(error, std::ptr::null_mut(), || {
            if text.is_null() {
                return Err(Invalid::Argument("there is no text: NULL was passed").into());
            }
            // SAFETY: the text is a C string, and the map is NULL or live.
            let (text, labels) = (ptr::text(text, LONGEST), labelmap::optional(labels));
            let expression = Shared::new(Expression::compile_bytes(text, labels)?);
            let expression = expression.ok_or(netlink::Error::OutOfMemory)?;
            let filter = place(expression).map_err(|_| netlink::Error::OutOfMemory)?;
            Ok(filter.cast())
        })
    }
}

/// What a filter is of an entry. `msg_type` says where the entry came from, which decides what
/// is known when it is not there: 0 for one that is whole, of a dump, a get or a mirror; or the
/// type of the event, NFCT_T_NEW, NFCT_T_UPDATE or NFCT_T_DESTROY.
///
/// Returns CTRS_TRUE, CTRS_FALSE or CTRS_UNKNOWN; -1 with EINVAL for NULL and for another
/// `msg_type`.
///
/// # Safety
/// `filter` is NULL or a live filter; `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_filter_match(
    filter: *const ctrs_filter,
    ct: *const nf_conntrack,
    msg_type: u32,
) -> c_int {
    boundary(-1, || {
        // SAFETY: both are NULL or live, and nobody changes them during the call.
        let (filter, ct) =
            unsafe { (expression(filter).map_err(|_| Errno::NULL)?, ptr::shared(ct)?) };
        truth(filter, ct, msg_type)
    })
}

/// What a filter is of a flow in a record, as ctrs_filter_match(). `size` is sizeof(struct
/// ctrs_flow) as the program was compiled.
///
/// Returns CTRS_TRUE, CTRS_FALSE or CTRS_UNKNOWN; -1 with EINVAL for NULL, for another
/// `msg_type` and for a wrong `size`, with ENOMEM when there is no memory for labels.
///
/// # Safety
/// `filter` is NULL or a live filter; `flow` is NULL or points to `size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_filter_match_flow(
    filter: *const ctrs_filter,
    flow: *const FlowRecord,
    size: size_t,
    msg_type: u32,
) -> c_int {
    boundary(-1, || {
        // SAFETY: the filter is NULL or live; `flow` is NULL or has `size` readable bytes.
        let (filter, flow) =
            unsafe { (expression(filter).map_err(|_| Errno::NULL)?, take(flow, size)?) };
        let mut ct = Conntrack::new();
        flow.to(&mut ct)?;
        truth(filter, &ct, msg_type)
    })
}

fn truth(filter: &Expression, ct: &Conntrack, msg_type: u32) -> Result<c_int, Errno> {
    let changes = [Change::New, Change::Update, Change::Destroy];
    let change = match msg_type {
        0 => None,
        kind => Some(changes.into_iter().find(|it| *it as u32 == kind).ok_or(Errno::NULL)?),
    };
    Ok(match filter.truth(ct, change) {
        Truth::False => ctrs_truth::CTRS_FALSE,
        Truth::True => ctrs_truth::CTRS_TRUE,
        Truth::Unknown => ctrs_truth::CTRS_UNKNOWN,
    } as c_int)
}

/// Prints a filter as an expression, which compiles to an equal one: labels by number, so that
/// it needs no map.
///
/// Returns the length of the whole text without its NUL, as snprintf() does: at least `size` if
/// it was cut. With a `size` of 0 `buf` may be NULL. -1 with EINVAL for a filter that is NULL.
///
/// # Safety
/// `buf` is NULL or points to `size` writable bytes; `filter` is NULL or a live filter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_filter_print(
    filter: *const ctrs_filter,
    buf: *mut c_char,
    size: size_t,
) -> c_int {
    boundary(-1, || {
        // SAFETY: the filter is NULL or live.
        let filter = unsafe { expression(filter) }.map_err(|_| Errno::NULL)?;
        // SAFETY: `buf` is NULL or has `size` writable bytes.
        Ok(unsafe { print(buf, size, &**filter) })
    })
}

/// Prints who decides each term of a filter, a line a term: the kernel, so that less has to be
/// read, or the library. Whoever does, the library checks the whole expression again.
///
/// Returns as ctrs_filter_print(); -1 with ENOMEM when there is no memory.
///
/// # Safety
/// `buf` is NULL or points to `size` writable bytes; `filter` is NULL or a live filter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_filter_explain(
    filter: *const ctrs_filter,
    buf: *mut c_char,
    size: size_t,
) -> c_int {
    boundary(-1, || {
        // SAFETY: the filter is NULL or live.
        let filter = unsafe { expression(filter) }.map_err(|_| Errno::NULL)?;
        // SAFETY: `buf` is NULL or has `size` writable bytes.
        Ok(unsafe { print(buf, size, &filter.explanation()?) })
    })
}

/// # Safety
/// `buf` is NULL or points to `size` writable bytes.
unsafe fn print(buf: *mut c_char, size: size_t, what: &dyn Display) -> c_int {
    // SAFETY: the bytes are the caller's, during the call.
    let mut out = Writer::new(unsafe { ptr::bytes_mut(buf.cast(), size) });
    // The writer takes everything.
    let _ = write!(out, "{what}");
    c_int::try_from(out.finish()).unwrap_or(c_int::MAX)
}

/// Lets a handle's events pass only if a filter is definitely true of them, in place of what
/// was attached before; NULL: lets all pass. The kernel leaves out what it can, and
/// nfct_catch() checks each event again, by what it tells, as it was at that moment: who keeps
/// a copy of flows would miss the change by which one stops to match. Answers to queries pass,
/// but for one to a request that nfct_send() sent. What is on the way already is checked, too.
/// A program that receives from the descriptor itself gets what the kernel lets pass.
///
/// The filter may be released afterwards. Expectation events pass.
///
/// Returns 0; -1 with EINVAL for a handle that is NULL, with ENOMEM if the program is too large for
/// net.core.optmem_max and when there is no memory, with errno of setsockopt(). What was attached
/// before stays then.
///
/// # Safety
/// `h` is NULL or a live handle; `filter` is NULL or a live filter.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_filter_attach(
    h: *mut nfct_handle,
    filter: *const ctrs_filter,
) -> c_int {
    // SAFETY: the handle and the filter are NULL or live.
    unsafe {
        with_handle(h, -1, |handle| {
            let fd = handle.socket().fd();
            let filter = optional(filter);
            match filter {
                Some(filter) => socket::attach_filter(fd, &filter.program(Decides::All)?)?,
                None => socket::detach_any_filter(fd)?,
            }
            handle.check_events(filter.cloned());
            Ok(0)
        })
    }
}

/// Releases a filter; NULL is ignored. Handles that it is attached to keep what they need of it.
/// errno is left alone.
///
/// # Safety
/// `filter` is NULL or a live filter, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_filter_free(filter: *mut ctrs_filter) {
    boundary((), || {
        if !filter.is_null() {
            // SAFETY: a live filter is what `ctrs_filter_compile` placed, and not used again.
            unsafe { unplace(filter.cast::<Shared<Expression>>()) };
        }
        Ok(())
    });
}
