//! Many requests in few system calls.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::{with_handle, without_handle};
use super::flow::{object, put};
use crate::capi::conntrack::types::{RawQuery, nf_conntrack, nfct_handle};
use crate::capi::ffi::alloc::{place, unplace};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::explained::ctrs_error;
use crate::capi::ffi::ptr;
use crate::conntrack::batch::Batch;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::wire::query::Query;
use crate::error::{Error, Invalid};
use crate::netlink;
use libc::{c_int, size_t};

/// Requests that are sent many at a time, each with a result of its own.
pub struct ctrs_batch {
    _private: [u8; 0],
}

/// Flags of ctrs_batch_add().
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_batch_flags {
    /// The kernel is to return what becomes of the flow.
    CTRS_BATCH_RETURN = 1,
}

const RETURN: u32 = ctrs_batch_flags::CTRS_BATCH_RETURN as u32;

fn wrong(sentence: &'static str) -> Error {
    Invalid::Argument(sentence).into()
}

/// The batch behind a pointer.
///
/// # Safety
/// `batch` is NULL or a live batch, which nobody changes while the reference is used.
unsafe fn shared<'a>(batch: *const ctrs_batch) -> Result<&'a Batch, Error> {
    // SAFETY: `batch` is NULL or what `ctrs_batch_new` placed.
    unsafe { batch.cast::<Batch>().as_ref() }.ok_or_else(|| wrong("the batch is NULL"))
}

/// The batch behind a pointer, to change.
///
/// # Safety
/// `batch` is NULL or a live batch, which nobody else uses while the reference is used.
unsafe fn unique<'a>(batch: *mut ctrs_batch) -> Result<&'a mut Batch, Error> {
    // SAFETY: `batch` is NULL or what `ctrs_batch_new` placed, used by nobody else.
    unsafe { batch.cast::<Batch>().as_mut() }.ok_or_else(|| wrong("the batch is NULL"))
}

/// Makes an empty batch: of requests that ctrs_batch_add() adds and ctrs_batch_run() sends many
/// at a time, which is about twice as fast as one by one. It belongs to no handle and no thread.
/// Release it with ctrs_batch_free().
///
/// `error`, here and below, gets an explanation, or that nothing failed; NULL if that is not
/// wanted.
///
/// Returns the batch; NULL with ENOMEM, with EINVAL for a wrong size of `error`.
///
/// # Safety
/// `error` is NULL or has as many writable bytes as its size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_batch_new(error: *mut ctrs_error) -> *mut ctrs_batch {
    let new = || match place(Batch::new()) {
        Ok(batch) => Ok(batch.cast::<ctrs_batch>()),
        Err(_) => Err(netlink::Error::OutOfMemory.into()),
    };
    // SAFETY: `error` is NULL or the caller's.
    unsafe { without_handle(error, std::ptr::null_mut(), new) }
}

/// Adds a request about one flow: NFCT_Q_CREATE, NFCT_Q_CREATE_UPDATE, NFCT_Q_UPDATE,
/// NFCT_Q_DESTROY or NFCT_Q_GET. `ct` may be changed or destroyed afterwards.
///
/// Except for those that create, the flow is named by the original tuple of `ct`, or its reply
/// tuple if that alone is whole, and its zone. With `id`, NFCT_Q_DESTROY and NFCT_Q_GET concern
/// it only if that is its ATTR_ID; NULL for any. An update sends ATTR_STATUS as it is, which the
/// kernel takes only whole; ctrs_update() asks for it first.
///
/// `flags` is 0 or CTRS_BATCH_RETURN: the kernel is to return what becomes of the flow. It does
/// so with those that report events, see ctrs_create(); requests are done in order, so an
/// NFCT_Q_GET after a create or before a delete supplies the rest.
///
/// Returns the index of the request, from 0 on; -1 with EINVAL for NULL, another query, an
/// unknown flag, or a tuple that is not whole, with ENOMEM. The batch is then as it was.
///
/// # Safety
/// `batch` is NULL or live, `ct` is NULL or a live object, `id` is NULL or points to a number,
/// `error` is NULL or has as many writable bytes as its size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_batch_add(
    batch: *mut ctrs_batch,
    query: RawQuery,
    ct: *const nf_conntrack,
    id: *const u32,
    flags: u32,
    error: *mut ctrs_error,
) -> c_int {
    let add = || {
        // SAFETY: `batch` is NULL or live, and nobody else uses it.
        let batch = unsafe { unique(batch) }?;
        // SAFETY: `ct` is NULL or live, and changed by nobody during the call.
        let ct = unsafe { object(ct, "the entry of the request is NULL") }?;
        // SAFETY: `id` is NULL or points to a number.
        let id = unsafe { ptr::read(id.cast()) }.ok();
        if flags & !RETURN != 0 {
            return Err(wrong("a flag that there is not"));
        }
        batch.returning(flags & RETURN != 0);
        let index = batch.add_object(Query::try_from(query)?, ct, id)?;
        c_int::try_from(index).map_err(|_| wrong("the batch is full"))
    };
    // SAFETY: `error` is NULL or the caller's.
    unsafe { without_handle(error, -1, add) }
}

/// Sends the requests of a batch that were not sent yet, and receives what becomes of each. They
/// are done in order, and what follows one that fails is done too: a batch is no transaction.
///
/// The handle may be subscribed to events and have dumps open: neither is disturbed. ctrs_wake()
/// ends it between two system calls.
///
/// Returns how many requests of the batch have failed, which ctrs_batch_result() explains; -1 with
/// EINVAL for NULL; -1 if the connection fails, with EPERM or EMFILE when the connection is opened,
/// with ECANCELED after ctrs_wake(), with ETIMEDOUT when no answer came in time, with ENOMEM. The
/// results then tell which requests were done, which were not sent, and of which it is not known;
/// what was not sent, the next call sends.
///
/// # Safety
/// `h` is NULL or a live handle; `batch` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_batch_run(
    h: *mut nfct_handle,
    batch: *mut ctrs_batch,
) -> c_int {
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, -1, |handle| {
            // SAFETY: `batch` is NULL or live, and nobody else uses it.
            let failed = handle.connection()?.run(unique(batch)?)?;
            Ok(c_int::try_from(failed).unwrap_or(c_int::MAX))
        })
    }
}

/// What became of the request with this index. `ct` gets the flow that it returned, in place of
/// what it holds, and is left alone if it returned none; NULL if that is not wanted.
///
/// Returns 1 if the request was done and returned a flow, 0 if it was done and returned none; -1
/// with ECANCELED if the request was not sent, with ENOBUFS if its answer was lost, with ETIMEDOUT
/// if no answer has come (in both cases it may have been done), with EINVAL for NULL and if there
/// is no request of this index, else as ctrs_create(), as ctrs_update() and as ctrs_delete().
///
/// # Safety
/// `batch` is NULL or live, `ct` is NULL or a live object, `error` is NULL or has as many
/// writable bytes as its size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_batch_result(
    batch: *const ctrs_batch,
    index: size_t,
    ct: *mut nf_conntrack,
    error: *mut ctrs_error,
) -> c_int {
    let result = || {
        let mut told = Conntrack::new();
        // SAFETY: `batch` is NULL or live, and changed by nobody during the call.
        let result = unsafe { shared(batch) }?.result_into(index, &mut told, None);
        let returned = result.ok_or_else(|| wrong("the batch has no request of this index"))??;
        if returned {
            // SAFETY: `ct` is NULL or live, and nobody else uses it.
            unsafe { put(ct, told) };
        }
        Ok(c_int::from(returned))
    };
    // SAFETY: `error` is NULL or the caller's.
    unsafe { without_handle(error, -1, result) }
}

/// Forgets all requests of a batch and their results, and keeps the memory for the next. It does
/// not fail: NULL is ignored; errno is left alone.
///
/// # Safety
/// `batch` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_batch_clear(batch: *mut ctrs_batch) {
    boundary((), || {
        // SAFETY: `batch` is NULL or live, and nobody else uses it.
        if let Ok(batch) = unsafe { unique(batch) } {
            batch.clear();
        }
        Ok(())
    });
}

/// Destroys a batch. NULL is ignored; errno is left alone.
///
/// # Safety
/// `batch` is NULL or live, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_batch_free(batch: *mut ctrs_batch) {
    boundary((), || {
        if !batch.is_null() {
            // SAFETY: the batch is not NULL, so `ctrs_batch_new` placed it; the caller does not use
            // it again.
            unsafe { unplace(batch.cast::<Batch>()) };
        }
        Ok(())
    });
}
