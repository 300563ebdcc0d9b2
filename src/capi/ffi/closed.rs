//! Handles that were closed while calls are at work on them, inside a callback or a signal handler.
//!
//! The last of those calls frees its handle. One that never comes back, as the callback then threw
//! or jumped, leaves that to the next handle of its kind that is opened or closed.

use super::at_work::Frame;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What a handle knows of its end.
pub(in crate::capi) struct End<T> {
    /// Where it was closed.
    closed_at: Option<Frame>,
    /// The next handle in the list.
    next: *mut T,
}

impl<T> Default for End<T> {
    fn default() -> Self {
        Self { closed_at: None, next: std::ptr::null_mut() }
    }
}

impl<T> End<T> {
    /// Whether the handle was closed while calls were at work on it.
    #[inline]
    pub(in crate::capi) fn is_closed(&self) -> bool {
        self.closed_at.is_some()
    }
}

/// A handle that calls may be at work on while it is closed.
pub(in crate::capi) trait Closable: Sized + 'static {
    /// The list of those that were.
    fn closed() -> &'static Closed<Self>;

    /// What it knows of its end.
    fn end(&mut self) -> &mut End<Self>;

    /// Whether no call is at work on it at `now`.
    fn are_over(&mut self, now: &Frame) -> bool;

    /// Whether no call is at work on it, as far as is known.
    fn is_idle(&self) -> bool;

    /// Frees it.
    ///
    /// # Safety
    /// `this` is live and not used again.
    unsafe fn free(this: *mut Self);
}

/// Closed handles of a kind.
pub(in crate::capi) struct Closed<T>(AtomicPtr<T>);

impl<T: Closable> Closed<T> {
    /// None.
    pub(in crate::capi) const fn none() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// Adds a handle.
    ///
    /// # Safety
    /// `handle` is live, closed, and not in the list; from now on only [`sweep`](Self::sweep) frees it.
    unsafe fn add(&self, handle: *mut T) {
        let mut first = self.0.load(Ordering::Relaxed);
        loop {
            // SAFETY: the handle is live, and not in the list: only this call knows it.
            unsafe { (*handle).end().next = first };
            match self.0.compare_exchange_weak(first, handle, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }

    /// Frees the handles whose calls are all over at `now`.
    pub(in crate::capi) fn sweep(&self, now: &Frame) {
        if self.0.load(Ordering::Relaxed).is_null() {
            return;
        }
        let mut next = self.0.swap(std::ptr::null_mut(), Ordering::AcqRel);
        while !next.is_null() {
            let handle = next;
            // SAFETY: what is in the list is live, and taken out of it by this thread alone. Its calls
            // are looked at if they are this thread's, or of one that has ended.
            unsafe {
                next = (*handle).end().next;
                let place = (*handle).end().closed_at;
                if place.is_some_and(|place| place.can_be_judged_at(now)) && (*handle).are_over(now)
                {
                    T::free(handle);
                } else {
                    self.add(handle);
                }
            }
        }
    }
}

/// Frees a handle whose socket is closed, or leaves that to the last call at work.
///
/// # Safety
/// `handle` is live, and not used again but by the calls at work.
pub(in crate::capi) unsafe fn close<T: Closable>(handle: *mut T, now: Frame) {
    // SAFETY: the caller gave the handle up; only calls at work use it.
    unsafe {
        if (*handle).are_over(&now) {
            T::free(handle);
        } else {
            (*handle).end().closed_at = Some(now);
            T::closed().add(handle);
        }
    }
}

/// Frees a handle that was closed, if the call that has just ended was the last one at work on it.
///
/// # Safety
/// `handle` is live, and not used again by that call.
#[inline(always)]
pub(in crate::capi) unsafe fn leave<T: Closable>(handle: *mut T) {
    // SAFETY: the handle is live, as nothing has freed it since the call was at work on it; the
    // reference ends before it is freed.
    let this = unsafe { &mut *handle };
    if this.end().is_closed() && this.is_idle() {
        sweep_from_there(this.end().closed_at, T::closed());
    }
}

/// Frees what a call was the last to be at work on, as seen from where it was closed.
#[cold]
#[inline(never)]
fn sweep_from_there<T: Closable>(closed_at: Option<Frame>, closed: &Closed<T>) {
    if let Some(closed_at) = closed_at {
        closed.sweep(&closed_at);
    }
}
