//! What a handle has beyond the interface of libnetfilter_conntrack.
//!
//! Requests of the extensions go through a connection of their own, in the handle's network namespace:
//! what the handle's socket receives stays there, in its order, for whoever reads it.

use super::state::State;
use super::types::nfct_handle;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::{ctrs_error, errno_of};
use crate::conntrack::connection::Connection;
use crate::error::Error;
use crate::netlink::socket::Socket;
use crate::netlink::wait::Stopper;
use crate::options::Options;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};

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

/// What is kept with a handle.
#[allow(dead_code, reason = "requests come")]
pub(in crate::capi) struct Extension {
    /// For requests; opened by the first.
    connection: Option<Connection>,
    /// How its sockets are opened.
    options: Options,
    /// Whether functions of the original on this handle end as those of `ctrs.h` do: by a wake, a
    /// signal, or when their time is over.
    pub(super) waits_end: bool,
    /// What the last call said went wrong.
    pub(in crate::capi) error: ctrs_error,
}

impl Default for Extension {
    fn default() -> Self {
        let (connection, options) = (None, Options::default());
        Self { connection, options, waits_end: false, error: ctrs_error::NONE }
    }
}

impl Extension {
    /// That of a handle whose functions all end by a wake.
    pub(in crate::capi) fn with(options: Options) -> Self {
        Self { options, waits_end: true, ..Self::default() }
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
}

impl Waker {
    /// One that need not be made later.
    pub(in crate::capi) fn with(stopper: Stopper) -> Self {
        Self { stopper: OnceLock::from(stopper), woken: AtomicBool::new(false) }
    }

    /// Ends the wait of now, or else the next one. A signal handler may call this.
    pub(in crate::capi) fn wake(&self) {
        if self.stopper.get().is_none() {
            self.woken.store(true, Ordering::SeqCst);
            fence(Ordering::SeqCst);
        }
        if let Some(stopper) = self.stopper.get() {
            self.woken.store(false, Ordering::SeqCst);
            stopper.stop();
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
        if self.woken.swap(false, Ordering::SeqCst) {
            stopper.stop();
        }
        Ok(stopper)
    }
}

/// A handle, as calls of `ctrs.h` use it.
#[allow(dead_code, reason = "requests come")]
pub(in crate::capi) struct Extended<'a> {
    main: &'a Socket,
    waker: &'a Waker,
    kept: &'a mut Extension,
}

#[allow(dead_code, reason = "requests come")]
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

    /// What ends waits on the handle.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System), as from `EMFILE`.
    pub(in crate::capi) fn stopper(&self) -> Result<&'a Stopper, Error> {
        self.waker.stopper()
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
