//! What a handle has beyond the interface of libnetfilter_conntrack.
//!
//! Requests of the extensions go through a connection of their own, in the handle's network namespace:
//! what the handle's socket receives stays there, in its order, for whoever reads it.

use super::state::State;
use super::types::nfct_handle;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::{ctrs_error, errno_of};
use crate::conntrack::connection::Connection;
use crate::conntrack::expression::Expression;
use crate::error::Error;
use crate::netlink::socket::Socket;
use crate::netlink::wait::Stopper;
use crate::options::Options;
use crate::shared::Shared;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Instant;

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

    /// What ends the waits of all functions on a handle; `None` where those of the original wait as
    /// they always did.
    ///
    /// # Safety
    /// `state` is that of a live handle.
    pub(super) unsafe fn stopper<'a>(state: *const State) -> Option<&'a Stopper> {
        // SAFETY: the handle is live, which is what `State::new` placed.
        let waker = unsafe { &(*state.cast::<Self>()).waker };
        waker.stopper.get().filter(|_| waker.ends_all)
    }
}

/// What is kept with a handle.
pub(in crate::capi) struct Extension {
    /// For requests; opened by the first.
    connection: Option<Connection>,
    /// How its sockets are opened.
    options: Options,
    /// What the last call said went wrong.
    pub(in crate::capi) error: ctrs_error,
    /// What events are checked against.
    pub(super) events: Option<Shared<Expression>>,
}

impl Default for Extension {
    fn default() -> Self {
        let (connection, options) = (None, Options::default());
        Self { connection, options, error: ctrs_error::NONE, events: None }
    }
}

impl Extension {
    /// That of a handle that was opened with options.
    pub(in crate::capi) fn with(options: Options) -> Self {
        Self { options: options.once_open(), ..Self::default() }
    }

    /// When a wait that begins now is over.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.options.patience().deadline()
    }

    /// Makes the receive buffer of events larger, as some did not fit it, if the handle is to.
    pub(super) fn grow_buffer(&self, socket: &Socket) {
        self.options.grow_buffer(socket);
    }

    /// Closes what it opened.
    pub(super) fn close(&mut self) {
        self.connection = None;
    }
}

/// Ends waits on a handle, of any thread. It lies beside what the thread of the handle changes.
#[derive(Default)]
pub(in crate::capi) struct Waker {
    /// Made when there is first something to end.
    stopper: OnceLock<Stopper>,
    /// A wake from before it was made.
    woken: AtomicBool,
    /// Whether the functions of the original end by it too.
    ends_all: bool,
}

impl Waker {
    /// One that ends the waits of all functions.
    pub(in crate::capi) fn of_all() -> Result<Self, Error> {
        let stopper = OnceLock::from(Stopper::of_one_wait()?);
        Ok(Self { stopper, ends_all: true, ..Self::default() })
    }

    /// Ends the wait of now, or else the next one. A signal handler may call this.
    pub(in crate::capi) fn wake(&self) {
        if let Some(stopper) = self.stopper.get() {
            return stopper.stop();
        }
        self.woken.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if let Some(stopper) = self.stopper.get() {
            self.pass_on(stopper);
        }
    }

    /// What ends waits.
    fn stopper(&self) -> Result<&Stopper, Error> {
        if self.stopper.get().is_none() {
            // Only the handle's thread makes one.
            let _ = self.stopper.set(Stopper::of_one_wait()?);
            fence(Ordering::SeqCst);
        }
        let stopper = self.stopper.get().ok_or(crate::netlink::Error::OutOfMemory)?;
        self.pass_on(stopper);
        Ok(stopper)
    }

    /// Passes on a wake from before there was a stopper: one of the two threads does.
    fn pass_on(&self, stopper: &Stopper) {
        if self.woken.swap(false, Ordering::SeqCst) {
            stopper.stop();
        }
    }
}

/// A handle, as calls of `ctrs.h` use it.
pub(in crate::capi) struct Extended<'a> {
    main: &'a Socket,
    waker: &'a Waker,
    kept: &'a mut Extension,
}

impl<'a> Extended<'a> {
    /// The handle behind a pointer.
    ///
    /// # Safety
    /// `h` is NULL or a live handle, which nobody else uses meanwhile but to wake it.
    pub(in crate::capi) unsafe fn of(h: *mut nfct_handle) -> Result<Self, Errno> {
        // SAFETY: `h` is NULL or live; the waker lies beside the state.
        let (state, waker) = unsafe { (State::of(h)?, &(*h.cast::<Handle>()).waker) };
        let (main, kept) = state.extended()?;
        Ok(Self { main, waker, kept })
    }

    /// The connection for requests, which the first of them opens.
    ///
    /// # Errors
    /// Those of opening a socket in the handle's network namespace, as `EMFILE`.
    pub(in crate::capi) fn connection(&mut self) -> Result<&mut Connection, Error> {
        match self.kept.connection.take() {
            Some(open) => Ok(self.kept.connection.insert(open)),
            None => {
                let new = self.another()?;
                Ok(self.kept.connection.insert(new))
            }
        }
    }

    /// A further connection, as a dump has one.
    ///
    /// # Errors
    /// As [`connection`](Self::connection).
    pub(in crate::capi) fn another(&self) -> Result<Connection, Error> {
        let stopper = self.waker.stopper()?.clone();
        Ok(Connection::beside(self.main, &self.kept.options)?.ended_by(stopper))
    }

    /// The handle's own socket, which receives events.
    pub(in crate::capi) fn socket(&self) -> &'a Socket {
        self.main
    }

    /// Hands out only events of which an expression is definitely true, or all.
    pub(in crate::capi) fn check_events(&mut self, with: Option<Shared<Expression>>) {
        self.kept.events = with;
    }

    /// Forgets what went wrong in an earlier call.
    pub(in crate::capi) fn forget_error(&mut self) {
        self.kept.error.clear();
    }

    /// Takes down what went wrong, and gives its `errno`.
    pub(in crate::capi) fn keep_error(&mut self, error: &Error) -> Errno {
        self.kept.error.set(error);
        Errno::of(errno_of(error))
    }
}

#[cfg(test)]
#[cfg(not(miri))]
mod tests {
    use super::*;

    #[test]
    fn a_wake_ends_one_wait_whether_it_comes_before_or_after_there_is_one() {
        let waker = Waker::default();
        waker.wake();
        waker.wake();
        assert!(waker.stopper().unwrap().ends_wait(), "of before it was made");
        assert!(!waker.stopper().unwrap().ends_wait(), "used up");
        waker.wake();
        assert!(waker.stopper().unwrap().ends_wait());
        assert!(!waker.stopper().unwrap().ends_wait());
    }

    #[test]
    fn no_wake_is_lost_while_what_it_ends_is_made() {
        for _ in 0..2000 {
            let waker = Waker::default();
            std::thread::scope(|scope| {
                scope.spawn(|| waker.wake());
                waker.stopper().unwrap();
            });
            assert!(waker.stopper().unwrap().ends_wait());
        }
    }
}
