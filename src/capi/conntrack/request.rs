//! Requests: what C asks, and their messages.

use super::types::{RawQuery, nf_conntrack, nf_expect, nfct_filter_dump};
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::conntrack::wire::query::{Fill, Query, REQUEST_SIZE, Request};
use libc::c_void;
use std::mem::MaybeUninit;

/// What a query of conntrack is filled with: the object, family or filter behind `data`.
///
/// # Safety
/// `data` is NULL or points to what the query needs, which outlives the request.
pub(super) unsafe fn request<'a>(
    number: RawQuery,
    data: *const c_void,
) -> Result<Request<'a>, Error> {
    ptr::not_null(data)?;
    let query = Query::try_from(number)?;
    // SAFETY: `data` is not NULL, so it points to what the kind of query is filled with.
    Ok(unsafe {
        match query.fill() {
            Fill::Object => Request::Entry(query, ptr::shared(data.cast::<nf_conntrack>())?),
            Fill::Family => Request::Entries(query, family(data)?),
            Fill::Filter => Request::Filtered(query, ptr::shared(data.cast::<nfct_filter_dump>())?),
        }
    })
}

/// What a query of expectations is filled with.
///
/// # Safety
/// `data` is NULL or points to what the query needs, which outlives the request.
pub(super) unsafe fn expect_request<'a>(
    number: RawQuery,
    data: *const c_void,
) -> Result<Request<'a>, Error> {
    ptr::not_null(data)?;
    let query = Query::try_from(number)?.for_expectations()?;
    // SAFETY: `data` is not NULL, so it points to what the kind of query is filled with.
    Ok(unsafe {
        match query.fill() {
            Fill::Object => Request::Expectation(query, ptr::shared(data.cast::<nf_expect>())?),
            _ => Request::Expectations(query, family(data)?),
        }
    })
}

/// The family behind `data`: the low byte of a number of four bytes. Some programs have one byte only;
/// where the low one is the first no more is read.
///
/// # Safety
/// `data` points to a family.
unsafe fn family(data: *const c_void) -> Result<u8, Error> {
    // SAFETY: as this function's.
    unsafe {
        if cfg!(target_endian = "big") {
            ptr::read(data).map(|family: u32| family as u8)
        } else {
            ptr::read(data)
        }
    }
}

/// Bytes that all but few requests fit in: those with labels or helper data may need more.
const USUAL_SIZE: usize = 512;

/// The message of a request, in room that is written as far as it is needed.
pub(super) struct Built {
    room: MaybeUninit<[u8; REQUEST_SIZE]>,
    length: usize,
}

impl Default for Built {
    /// None yet.
    fn default() -> Self {
        Self { room: MaybeUninit::uninit(), length: 0 }
    }
}

impl Built {
    /// Builds the message of a request with this number.
    pub(super) fn build(&mut self, request: &Request<'_>, seq: u32) -> Result<(), Error> {
        let usual = request.build(self.zeroed::<USUAL_SIZE>(), seq);
        self.length = match usual {
            Ok(length) => length,
            Err(_) => request.build(self.zeroed::<REQUEST_SIZE>(), seq)?,
        };
        Ok(())
    }

    /// The first bytes of the room.
    fn zeroed<const SIZE: usize>(&mut self) -> &mut [u8] {
        const { assert!(SIZE <= REQUEST_SIZE) };
        // SAFETY: the room has so many bytes (asserted above), and all of them are written here.
        unsafe {
            self.room.as_mut_ptr().cast::<u8>().write_bytes(0, SIZE);
            std::slice::from_raw_parts_mut(self.room.as_mut_ptr().cast(), SIZE)
        }
    }

    /// The message; empty before one was built.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: what was built lies in bytes that `zeroed` wrote.
        unsafe { std::slice::from_raw_parts(self.room.as_ptr().cast(), self.length) }
    }
}
