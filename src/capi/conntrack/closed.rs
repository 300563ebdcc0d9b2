//! Handles that were closed while calls are at work on them, inside a callback or a signal handler.
//!
//! The last of those calls frees its handle. One that never comes back, as the callback then threw
//! or jumped, leaves that to the next handle that is opened or closed.

use super::state::State;
use crate::capi::ffi::at_work::Frame;
use std::sync::atomic::{AtomicPtr, Ordering};

static CLOSED: AtomicPtr<State> = AtomicPtr::new(std::ptr::null_mut());

/// Adds a handle.
///
/// # Safety
/// `state` is live, closed, and not in the list; from now on only [`sweep`] frees it.
pub(super) unsafe fn add(state: *mut State) {
    let mut first = CLOSED.load(Ordering::Relaxed);
    loop {
        // SAFETY: the handle is live, and not in the list: only this call knows it.
        unsafe { (*state).next_closed = first };
        match CLOSED.compare_exchange_weak(first, state, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => return,
            Err(now) => first = now,
        }
    }
}

/// Frees the handles whose calls are all over at `now`.
pub(in crate::capi) fn sweep(now: &Frame) {
    if CLOSED.load(Ordering::Relaxed).is_null() {
        return;
    }
    let mut next = CLOSED.swap(std::ptr::null_mut(), Ordering::AcqRel);
    while !next.is_null() {
        let state = next;
        // SAFETY: what is in the list is live, and taken out of it by this thread alone. Its calls
        // are looked at if they are this thread's, or of one that has ended.
        unsafe {
            next = (*state).next_closed;
            if (*state).closed_at.is_some_and(|place| place.can_be_judged_at(now))
                && (*state).calls.are_over(now)
            {
                State::free(state);
            } else {
                add(state);
            }
        }
    }
}
