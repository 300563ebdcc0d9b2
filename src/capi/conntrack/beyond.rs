//! What a handle has beyond the interface of libnetfilter_conntrack, as that interface sees it.
//!
//! It is behind pointers that nothing but the extensions makes, so a library without them has none of
//! their code.

use super::state::State;
use super::types::nfct_handle;
use crate::capi::ffi::alloc::{place, unplace};
use crate::capi::ffi::error::Error;
use crate::capi::ffi::explained::ctrs_error;
use crate::conntrack::object::entry::Conntrack;
use crate::netlink;
use crate::netlink::message::Message;
use crate::netlink::socket::Socket;
use crate::netlink::wait::Stopper;
use std::os::fd::RawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering, fence};

/// What the extensions keep with a handle.
pub(in crate::capi) trait Beyond {
    /// Whether waits of the original's functions end otherwise than they always did.
    fn ends_waits(&self) -> bool;

    /// Whether a wait ends here, as the handle was woken.
    fn is_woken(&self) -> bool;

    /// Waits until there is something to receive. The thread may be cancelled here.
    fn wait(&self, socket: RawFd) -> Result<(), netlink::Error>;

    /// Notes that messages did not fit the receive buffer.
    fn overrun(&self, socket: &Socket);

    /// Whether an event is handed out.
    fn lets_pass(&self, message: &Message<'_>, object: &Conntrack) -> bool;

    /// Closes what was opened.
    fn close(&mut self);

    /// What the last call of an extension said went wrong.
    fn error(&self) -> *const ctrs_error;
}

/// What is kept with a handle, freed when this is dropped.
pub(in crate::capi) struct Kept(NonNull<dyn Beyond>);

impl Kept {
    /// Keeps something; it stays at one place.
    pub(in crate::capi) fn new<T: Beyond + 'static>(value: T) -> Result<Self, Error> {
        let pointer = place(value).map_err(|(_, error)| error)?;
        NonNull::new(pointer as *mut dyn Beyond).map(Self).ok_or(Error::OUT_OF_MEMORY)
    }

    /// What is kept.
    pub(super) fn get(&self) -> &dyn Beyond {
        // SAFETY: it lives as long as this; a unique reference is made only where nothing else of the
        // handle is used.
        unsafe { self.0.as_ref() }
    }

    pub(in crate::capi) fn as_ptr(&self) -> *mut dyn Beyond {
        self.0.as_ptr()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: it was placed, and only this owns it.
        unsafe { unplace(self.0.as_ptr()) };
    }
}

/// A handle: what one thread at a time uses, and what any thread may.
#[repr(C)]
pub(in crate::capi) struct Handle {
    pub(super) state: State,
    pub(super) waker: Waker,
}

impl Handle {
    /// The waker of a handle; `None` for NULL.
    ///
    /// # Safety
    /// `h` is NULL or a live handle.
    pub(in crate::capi) unsafe fn waker<'a>(h: *const nfct_handle) -> Option<&'a Waker> {
        // SAFETY: a live handle is what `State::new` placed; no reference is made to its state, which
        // another thread may be changing.
        (!h.is_null()).then(|| unsafe { &(*h.cast::<Self>()).waker })
    }
}

/// Ends waits on a handle, of any thread. It lies beside what the thread of the handle changes.
#[derive(Default)]
pub(in crate::capi) struct Waker {
    /// Part of what is kept with the handle, made when there is first something to end.
    stopper: AtomicPtr<Stopper>,
    /// A wake from before it was made.
    woken: AtomicBool,
}

impl Waker {
    /// Ends the wait of now, or else the next one. A signal handler may call this.
    pub(in crate::capi) fn wake(&self) {
        if let Some(stopper) = self.stopper() {
            return stopper.stop();
        }
        self.woken.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.pass_on();
    }

    fn stopper(&self) -> Option<&Stopper> {
        // SAFETY: it is NULL, or a stopper that is kept with the handle, where it stays.
        unsafe { self.stopper.load(Ordering::Acquire).as_ref() }
    }

    /// Says what ends waits from now on: only the thread that uses the handle does.
    ///
    /// # Safety
    /// The stopper stays where it is as long as this.
    pub(in crate::capi) unsafe fn set(&self, stopper: &Stopper) {
        self.stopper.store(std::ptr::from_ref(stopper).cast_mut(), Ordering::Release);
        fence(Ordering::SeqCst);
        self.pass_on();
    }

    /// Passes on a wake from before there was a stopper: one of the two threads does.
    fn pass_on(&self) {
        if let Some(stopper) = self.stopper() {
            if self.woken.swap(false, Ordering::SeqCst) {
                stopper.stop();
            }
        }
    }
}

#[cfg(test)]
#[cfg(not(miri))]
mod tests {
    use super::*;

    #[test]
    fn a_wake_ends_one_wait_whether_it_comes_before_or_after_there_is_one() {
        let (waker, stopper) = (Waker::default(), Stopper::of_one_wait().unwrap());
        waker.wake();
        waker.wake();
        assert!(!stopper.ends_wait());
        // SAFETY: the stopper is there as long as the waker.
        unsafe { waker.set(&stopper) };
        assert!(stopper.ends_wait(), "of before it was set");
        assert!(!stopper.ends_wait(), "used up");
        waker.wake();
        assert!(stopper.ends_wait());
        assert!(!stopper.ends_wait());
    }

    #[test]
    fn no_wake_is_lost_nor_doubled_while_what_it_ends_is_made() {
        for _ in 0..2000 {
            let (waker, stopper) = (Waker::default(), Stopper::of_one_wait().unwrap());
            let ended = std::thread::scope(|scope| {
                scope.spawn(|| waker.wake());
                // SAFETY: the stopper is there as long as the waker.
                unsafe { waker.set(&stopper) };
                stopper.ends_wait()
            });
            assert_ne!(ended, stopper.ends_wait());
        }
    }
}
