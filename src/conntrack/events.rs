//! The events of the flow table.
#![forbid(unsafe_code)]

use crate::conntrack::filter::event::EventFilter;
use crate::conntrack::flow::Flow;
use crate::conntrack::wire::{Change, decode};
use crate::error::{Error, ErrorKind};
use crate::netlink;
use crate::netlink::exchange::{Exchange, Receiver};
use crate::netlink::socket;
use crate::netlink::wait::{Stopper, wait};
use crate::options::Options;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

bitflags::bitflags! {
    /// Kinds of events, as the kernel's multicast groups have them.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Groups: u32 {
        /// Entries created.
        const NEW = 1;
        /// Entries changed.
        const UPDATE = 2;
        /// Entries deleted.
        const DESTROY = 4;
    }
}

/// Something that happened to an entry.
#[derive(Debug)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub change: Change,
    /// The flow, as far as the event tells.
    pub flow: Flow,
    /// The id that the listener's network namespace knows the event's by; `None` for its own.
    pub namespace: Option<i32>,
}

/// The events of the network namespace that the thread was in when this was opened.
///
/// As an iterator it waits for the next event. [`ErrorKind::Lost`] says that events
/// were lost because the socket's buffer was full; those after it are handed out as ever. Who keeps
/// a copy of the table then dumps it again, with [`FlowTable::list`](crate::FlowTable::list).
#[derive(Debug)]
pub struct Events {
    exchange: Exchange,
    receiver: Receiver,
    timeout: Option<Duration>,
    stopper: OnceLock<Stopper>,
}

impl Events {
    /// Subscribes to events. Needs `CAP_NET_ADMIN`.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`] without that capability.
    pub fn open(groups: Groups) -> Result<Self, Error> {
        Self::open_with(groups, &Options::new())
    }

    /// Subscribes to events through a socket with these options.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`ErrorKind::Privilege`] also without `CAP_SYS_ADMIN` in
    /// another namespace, and without `CAP_NET_BROADCAST` for all namespaces.
    pub fn open_with(groups: Groups, options: &Options) -> Result<Self, Error> {
        let socket = options.open()?;
        let mut receiver = Receiver::listening().without_waiting();
        if options.wants_all_namespaces() {
            socket.listen_to_all_namespaces()?;
            receiver = receiver.asking_for_origin();
        }
        socket.bind(socket.port()?, groups.bits())?;
        let timeout = options.wanted_timeout();
        let exchange = Exchange::new(socket, 0);
        Ok(Self { exchange, receiver, timeout, stopper: OnceLock::new() })
    }

    /// Hands out only the events that a filter lets pass, from now on. The kernel does the work.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a filter too long for the kernel, [`ErrorKind::OutOfMemory`],
    /// [`ErrorKind::System`].
    pub fn attach(&self, filter: &EventFilter) -> Result<(), Error> {
        Ok(socket::attach_filter(self.as_raw_fd(), &filter.program()?)?)
    }

    /// The next event, waiting for it.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]: events were lost, call again. [`ErrorKind::WouldBlock`] if there is none
    /// and the descriptor is non-blocking, [`ErrorKind::TimedOut`] after the timeout of the options.
    /// [`ErrorKind::Stopped`].
    pub fn next_event(&mut self) -> Result<Event, Error> {
        let deadline = deadline(self.timeout);
        let waits = !self.exchange.socket().is_nonblocking()?;
        self.next_until(deadline, waits)
    }

    /// The next event, if there is one already, whatever the descriptor would do.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]: events were lost, call again.
    pub fn try_next(&mut self) -> Result<Option<Event>, Error> {
        match self.receive() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            result => result.map(Some),
        }
    }

    /// The next event, or `None` if none comes in this time.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]: events were lost, call again. [`ErrorKind::Stopped`].
    pub fn next_timeout(&mut self, time: Duration) -> Result<Option<Event>, Error> {
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

    /// Events that were lost since this was opened, because the receive buffer was full.
    ///
    /// # Errors
    /// [`ErrorKind::System`] before Linux 4.12.
    pub fn lost(&self) -> Result<u32, Error> {
        Ok(self.exchange.socket().dropped()?)
    }

    fn next_until(&mut self, deadline: Option<Instant>, waits: bool) -> Result<Event, Error> {
        loop {
            let stopper = self.stopper.get();
            if stopper.is_some_and(Stopper::is_stopped) {
                return Err(netlink::Error::Stopped.into());
            }
            match self.try_next()? {
                Some(event) => return Ok(event),
                None if waits => wait(self.as_fd(), self.stopper.get(), deadline)?,
                None => return Err(netlink::Error::WOULD_BLOCK.into()),
            }
        }
    }

    fn receive(&mut self) -> Result<Event, Error> {
        loop {
            // An acknowledgement is none of an event's business.
            let Some(message) = self.exchange.next(&mut self.receiver)? else { continue };
            let Some(change) = Change::of(&message) else { continue };
            let mut flow = Flow::default();
            decode::as_far_as_possible(&mut flow.0, &message)?;
            return Ok(Event { change, flow, namespace: self.receiver.namespace() });
        }
    }
}

/// When a time from now is over; never, if that is beyond what the clock counts.
fn deadline(time: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(time?)
}

/// Ends when a [`Stopper`] says so.
impl Iterator for Events {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_event() {
            Err(error) if error.kind() == ErrorKind::Stopped => None,
            result => Some(result),
        }
    }
}

/// For poll(2) and for runtimes that do that: readable when there is an event. They want it
/// non-blocking; [`Events::try_next`] never waits.
impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.exchange.socket().as_fd()
    }
}

impl AsRawFd for Events {
    fn as_raw_fd(&self) -> RawFd {
        self.exchange.socket().fd()
    }
}
