//! Listening to what happens, whatever it happens to.
#![forbid(unsafe_code)]

use crate::conntrack::diagnose::Diagnosis;
use crate::conntrack::selects::Selects;
use crate::conntrack::wire::Change;
use crate::error::{Error, ErrorKind};
use crate::netlink;
use crate::netlink::exchange::Exchange;
use crate::netlink::message::Message;
use crate::netlink::receiver::Receiver;
use crate::netlink::wait::{Patience, Stopper};
use crate::options::Options;
use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

bitflags::bitflags! {
    /// What can happen to a flow or an expectation.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct EventKind: u32 {
        /// It was created.
        const NEW = 1;
        /// It was changed. The kernel does not tell that of expectations.
        const UPDATE = 2;
        /// It was deleted, or its time is over.
        const DESTROY = 4;
    }
}

impl EventKind {
    /// All of that.
    pub const ALL: Self = Self::all();
}

/// As `new`, `update` and `destroy`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::New => "new",
            Self::Update => "update",
            Self::Destroy => "destroy",
        })
    }
}

/// An event that is read from a message.
pub trait Told: Sized {
    /// How far the kernel's multicast groups of its kinds are from those of [`EventKind`].
    #[doc(hidden)]
    const GROUPS: u32;

    /// Reads a message that says of a change.
    #[doc(hidden)]
    fn read(change: Change, message: &Message<'_>, namespace: Option<i32>) -> Result<Self, Error>;

    /// Whether it is of a flow that is selected.
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "nobody else tells anything")]
    fn meets(&self, _: &Selects) -> bool {
        true
    }
}

/// Listens to the events of a network namespace: [`Events`](crate::Events) of flows,
/// [`ExpectationEvents`](crate::ExpectationEvents) of expectations.
///
/// As an iterator it waits for the next event. An error of the kind [`ErrorKind::Lost`] says that
/// events were lost because the socket's buffer was full; those after it are handed out as ever. Who
/// keeps a copy of the table then lists the table again.
///
/// ```no_run
/// use ctrs::{Change, Error, ErrorKind, Event, Listener};
///
/// fn ended(mut events: Listener<Event>) -> Result<usize, Error> {
///     let mut ended = 0;
///     loop {
///         match events.next_event() {
///             Ok(event) if event.change == Change::Destroy => ended += 1,
///             Err(error) if error.kind() == ErrorKind::Stopped => return Ok(ended),
///             Err(error) if error.kind() != ErrorKind::Lost => return Err(error),
///             _ => {}
///         }
///     }
/// }
/// ```
///
/// What has happened until now, without waiting:
///
/// ```
/// use ctrs::{Error, Event, EventKind, Events, Listener};
///
/// fn print(events: &mut Listener<Event>) -> Result<(), Error> {
///     while let Some(event) = events.try_next()? {
///         println!("{} {}", event.change, event.flow);
///     }
///     Ok(())
/// }
///
/// match Events::open(EventKind::ALL).and_then(|mut events| print(&mut events)) {
///     Ok(()) => println!("no more"),
///     Err(error) => println!("{error}"),
/// }
/// ```
#[derive(Debug)]
pub struct Listener<E> {
    exchange: Exchange,
    receiver: Receiver,
    options: Options,
    stopper: OnceLock<Stopper>,
    /// What events are checked against.
    checked: Selects,
    hands_out: PhantomData<fn() -> E>,
}

impl<E: Told> Listener<E> {
    pub(super) fn listen(kinds: EventKind, options: &Options) -> Result<Self, Error> {
        let socket = options.listen(kinds.bits() << E::GROUPS)?;
        let mut receiver = Receiver::listening();
        if options.wants_all_namespaces() {
            receiver = receiver.asking_for_origin();
        }
        let options = options.clone().once_open();
        let exchange = Exchange::new(socket, 0);
        let (stopper, hands_out) = (OnceLock::new(), PhantomData);
        Ok(Self { exchange, receiver, options, stopper, checked: Selects::All, hands_out })
    }

    /// The next event, waiting for it.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]: events were lost, call again. [`ErrorKind::WouldBlock`] if there is none
    /// and the descriptor is non-blocking, [`ErrorKind::TimedOut`] after the timeout of the options.
    /// [`ErrorKind::Stopped`].
    pub fn next_event(&mut self) -> Result<E, Error> {
        let deadline = self.options.patience().deadline();
        let waits = !self.exchange.socket().is_nonblocking()?;
        self.next_until(deadline, waits)
    }

    /// The next event, if there is one already, whatever the descriptor would do.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]: events were lost, call again.
    pub fn try_next(&mut self) -> Result<Option<E>, Error> {
        match self.receive() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            result => result.map(Some),
        }
    }

    /// The next event, or `None` if none comes in this time.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]: events were lost, call again. [`ErrorKind::Stopped`].
    pub fn next_timeout(&mut self, time: Duration) -> Result<Option<E>, Error> {
        match self.next_until(deadline(Some(time)), true) {
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(None),
            result => result.map(Some),
        }
    }

    /// What ends [`next_event`](Self::next_event) and [`next_timeout`](Self::next_timeout) from
    /// another thread or from a signal handler, with [`ErrorKind::Stopped`] from then on.
    /// [`try_next`](Self::try_next) still hands out what has come.
    ///
    /// # Errors
    /// [`ErrorKind::System`], as from `EMFILE`.
    pub fn stopper(&self) -> Result<Stopper, Error> {
        if let Some(stopper) = self.stopper.get() {
            return Ok(stopper.clone());
        }
        let new = Stopper::new()?;
        Ok(self.stopper.get_or_init(|| new).clone())
    }

    /// Makes the descriptor non-blocking, or blocking again.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn set_nonblocking(&self, on: bool) -> Result<(), Error> {
        Ok(self.exchange.socket().set_nonblocking(on)?)
    }

    /// Makes the receive buffer hold that many bytes, beyond `net.core.rmem_max` only with
    /// `CAP_NET_ADMIN` in the first user namespace. How many it holds then.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn set_receive_buffer(&self, bytes: usize) -> Result<usize, Error> {
        Ok(self.exchange.socket().set_receive_buffer(bytes)?)
    }

    /// How many bytes of messages the receive buffer holds: what was obtained of what was asked for.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn receive_buffer(&self) -> Result<usize, Error> {
        Ok(self.exchange.socket().receive_buffer()?)
    }

    /// Events that were lost since this was opened, because the receive buffer was full.
    ///
    /// # Errors
    /// [`ErrorKind::System`] before Linux 4.12.
    pub fn lost(&self) -> Result<u32, Error> {
        Ok(self.exchange.socket().dropped()?)
    }

    /// Why nothing may be heard: as [`FlowTable::diagnose`](crate::FlowTable::diagnose), and whether
    /// events were lost.
    #[must_use]
    pub fn diagnose(&self) -> Diagnosis {
        Diagnosis::of_listener(self.exchange.socket())
    }

    /// Hands out only what is selected, from now on.
    pub(super) fn check(&mut self, selects: Selects) {
        self.checked = selects;
    }

    fn next_until(&mut self, deadline: Option<Instant>, waits: bool) -> Result<E, Error> {
        let stopper = self.stopper.get().cloned();
        let patience = Patience { stopper, ..Patience::default() };
        loop {
            if patience.stopper.as_ref().is_some_and(Stopper::ends_wait) {
                return Err(netlink::Error::Stopped.into());
            }
            match self.try_next()? {
                Some(event) => return Ok(event),
                None if waits => patience.wait(self.as_fd(), deadline)?,
                None => return Err(netlink::Error::WOULD_BLOCK.into()),
            }
        }
    }

    fn receive(&mut self) -> Result<E, Error> {
        loop {
            // An acknowledgement is none of an event's business.
            let found = self.exchange.next_from(&mut self.receiver);
            if matches!(found, Err(netlink::Error::Overrun)) {
                self.options.grow_buffer(self.exchange.socket());
            }
            let Some((message, namespace)) = found? else { continue };
            let Some(change) = Change::of(&message) else { continue };
            let event = E::read(change, &message, namespace)?;
            if event.meets(&self.checked) {
                return Ok(event);
            }
        }
    }
}

/// When a time from now is over; never, if that is beyond what the clock counts.
fn deadline(time: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(time?)
}

/// Ends when a [`Stopper`] says so.
impl<E: Told> Iterator for Listener<E> {
    type Item = Result<E, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_event() {
            Err(error) if error.kind() == ErrorKind::Stopped => None,
            result => Some(result),
        }
    }
}

/// For poll(2) and for runtimes that do that: readable when there is an event. They want it
/// non-blocking; [`Listener::try_next`] never waits.
impl<E> AsFd for Listener<E> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.exchange.socket().as_fd()
    }
}

impl<E> AsRawFd for Listener<E> {
    fn as_raw_fd(&self) -> RawFd {
        self.exchange.socket().fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_words_that_line_up() {
        let words = [Change::New, Change::Update, Change::Destroy].map(|it| format!("{it:8}|"));
        assert_eq!(words, ["new     |", "update  |", "destroy |"]);
    }

    #[test]
    fn a_time_beyond_the_clock_has_no_end() {
        assert!(deadline(Some(Duration::MAX)).is_none() && deadline(None).is_none());
        assert!(deadline(Some(Duration::ZERO)).is_some_and(|at| at <= Instant::now()));
    }
}
