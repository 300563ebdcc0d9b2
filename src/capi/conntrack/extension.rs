//! What the extensions keep with a handle.
//!
//! Their requests go through a connection of their own, in the handle's network namespace: what the
//! handle's socket receives stays there, in its order, for whoever reads it.

use super::beyond::{Beyond, Handle, Kept, Waker};
use super::state::State;
use super::types::nfct_handle;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::{ctrs_error, errno_of};
use crate::connection::Connection;
use crate::conntrack::dump::WithId;
use crate::conntrack::expression::Expression;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::selection::lets_pass;
use crate::conntrack::stream::{Source, Stream};
use crate::error::Error;
use crate::netlink;
use crate::netlink::message::Message;
use crate::netlink::settings::is_nonblocking;
use crate::netlink::socket::Socket;
use crate::netlink::wait::{self, Stopper};
use crate::options::Options;
use crate::shared::Shared;
use libc::c_int;
use std::os::fd::RawFd;

/// What is kept with a handle.
pub(in crate::capi) struct Extension {
    /// For requests; opened by the first.
    connection: Option<Connection>,
    /// How its sockets are opened.
    options: Options,
    /// What ends waits; made when there is first something to end.
    stopper: Option<Stopper>,
    /// How long functions of the original wait, and -1 without end; `None`: as they always did.
    milliseconds: Option<c_int>,
    /// What the last call said went wrong.
    error: ctrs_error,
    /// What events are checked against.
    events: Option<Shared<Expression>>,
    hearing: Hearing,
}

/// What events are read with, where they are pulled.
#[derive(Default)]
pub(in crate::capi) struct Hearing {
    pub(in crate::capi) stream: Stream,
    /// What messages are read into.
    pub(in crate::capi) flow: Conntrack,
    pub(in crate::capi) expectation: WithId,
}

impl Extension {
    /// That of a handle of the original.
    fn plain() -> Self {
        let (connection, options) = (None, Options::default());
        let error = ctrs_error::NONE;
        let (stopper, milliseconds, events) = (None, None, None);
        let hearing = Hearing::default();
        Self { connection, options, stopper, milliseconds, error, events, hearing }
    }

    /// That of a handle that was opened with options: a wake ends all waits.
    pub(in crate::capi) fn with(options: Options) -> Result<Self, Error> {
        let stopper = Some(Stopper::of_one_wait()?);
        let milliseconds = Some(options.patience().time.map_or(-1, wait::milliseconds));
        Ok(Self { options: options.once_open(), stopper, milliseconds, ..Self::plain() })
    }

    /// Keeps this with a handle that was just opened.
    ///
    /// # Safety
    /// `h` is a live handle that nobody else knows.
    pub(in crate::capi) unsafe fn keep_with(h: *mut nfct_handle, kept: Kept) -> Result<(), Errno> {
        // SAFETY: the handle is live, and used by nobody else.
        let extended = unsafe {
            State::of(h)?.keep(kept);
            Extended::of(h)?
        };
        if let Some(stopper) = &extended.kept.stopper {
            // SAFETY: what is kept with a handle stays at its place as long as that, and so the waker.
            unsafe { extended.waker.set(stopper) };
        }
        Ok(())
    }

    /// What ends waits, which the first call that needs it makes.
    fn make_stopper(&mut self, waker: &Waker) -> Result<&Stopper, Error> {
        if self.stopper.is_none() {
            let stopper = self.stopper.insert(Stopper::of_one_wait()?);
            // SAFETY: what is kept with a handle stays at its place as long as that, and so the waker.
            unsafe { waker.set(stopper) };
        }
        Ok(self.stopper.as_ref().ok_or(netlink::Error::OutOfMemory)?)
    }
}

impl Beyond for Extension {
    fn ends_waits(&self) -> bool {
        self.milliseconds.is_some()
    }

    fn is_woken(&self) -> bool {
        self.stopper.as_ref().is_some_and(Stopper::ends_wait)
    }

    fn wait(&self, socket: RawFd) -> Result<(), netlink::Error> {
        if is_nonblocking(socket)? {
            return Err(netlink::Error::WOULD_BLOCK);
        }
        let milliseconds = self.milliseconds.unwrap_or(-1);
        let came = wait::poll(socket, self.stopper.as_ref(), milliseconds)?;
        if came { Ok(()) } else { Err(netlink::Error::TimedOut) }
    }

    fn overrun(&self, socket: &Socket) {
        self.options.grow_buffer(socket);
    }

    fn lets_pass(&self, message: &Message<'_>, object: &Conntrack) -> bool {
        self.events.as_ref().is_none_or(|expression| lets_pass(expression, message, object))
    }

    fn close(&mut self) {
        self.connection = None;
    }

    fn error(&self) -> *const ctrs_error {
        &raw const self.error
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
    #[inline(never)]
    pub(in crate::capi) unsafe fn of(h: *mut nfct_handle) -> Result<Self, Errno> {
        // SAFETY: `h` is NULL or live.
        let state = unsafe { State::of(h) }?;
        let (main, kept) = state.extended(|| Kept::new(Extension::plain()))?;
        // SAFETY: the waker lies beside the state. All that is kept is an extension, nobody else's.
        let (waker, kept) =
            unsafe { (&(*h.cast::<Handle>()).waker, &mut *kept.cast::<Extension>()) };
        Ok(Self { main, waker, kept })
    }

    /// The connection for requests, which the first of them opens.
    ///
    /// # Errors
    /// Those of opening a socket in the handle's network namespace, as `EMFILE`.
    #[inline(never)]
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
    #[inline(never)]
    pub(in crate::capi) fn another(&mut self) -> Result<Connection, Error> {
        let stopper = self.kept.make_stopper(self.waker)?.clone();
        Ok(Connection::beside(self.main, &self.kept.options)?.ended_by(stopper))
    }

    /// The handle's own socket, which receives events.
    pub(in crate::capi) fn socket(&self) -> &'a Socket {
        self.main
    }

    /// What ends waits on the handle. It stays where it is as long as the handle.
    ///
    /// # Errors
    /// As `EMFILE`.
    pub(in crate::capi) fn stopper(&mut self) -> Result<*const Stopper, Error> {
        Ok(self.kept.make_stopper(self.waker)?)
    }

    /// Where events come from, what they are read with, and what they are checked against.
    pub(in crate::capi) fn hearing(&mut self) -> (Source<'_>, &mut Hearing, Option<&Expression>) {
        let Extension { options, hearing, events, .. } = &mut *self.kept;
        (Source { socket: self.main, options }, hearing, events.as_deref())
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
    #[inline(never)]
    pub(in crate::capi) fn keep_error(&mut self, error: &Error) -> Errno {
        self.kept.error.set(error);
        Errno::of(errno_of(error))
    }
}
