//! The events of the flow table.
#![forbid(unsafe_code)]

use crate::conntrack::filter::event::EventFilter;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::wire::{Change, decode};
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::netlink::exchange::{Exchange, Receiver};
use crate::netlink::socket::{self, Socket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

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
pub struct Event {
    /// What happened.
    pub change: Change,
    /// The entry, as far as the event tells.
    pub entry: Conntrack,
}

/// The events of the network namespace that the thread was in when this was opened.
///
/// As an iterator it waits for the next event and never ends. [`ErrorKind::Lost`] says that events
/// were lost because the socket's buffer was full; those after it are handed out as ever. Who keeps
/// a copy of the table then dumps the table again.
#[derive(Debug)]
pub struct Events {
    exchange: Exchange,
    receiver: Receiver,
}

impl Events {
    /// Subscribes to events. Needs `CAP_NET_ADMIN`.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`] without that capability.
    pub fn open(groups: Groups) -> Result<Self, Error> {
        let socket = Socket::open()?;
        socket.bind(socket.port()?, groups.bits())?;
        Ok(Self { exchange: Exchange::new(socket, 0), receiver: Receiver::listening() })
    }

    /// Hands out only the events that a filter lets pass, from now on. The kernel does the work.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a filter too long for the kernel, [`ErrorKind::OutOfMemory`],
    /// [`ErrorKind::System`].
    pub fn attach(&self, filter: &EventFilter) -> Result<(), Error> {
        Ok(socket::attach_filter(self.as_raw_fd(), &filter.program()?)?)
    }

    /// The next event.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]: events were lost, call again. [`ErrorKind::WouldBlock`] if the
    /// descriptor was made non-blocking and there is none.
    pub fn receive(&mut self) -> Result<Event, Error> {
        loop {
            // An acknowledgement is none of an event's business.
            let Some(message) = self.exchange.next(&mut self.receiver)? else { continue };
            let Some(change) = Change::of(&message) else { continue };
            let mut entry = Conntrack::new();
            decode::as_far_as_possible(&mut entry, &message)?;
            return Ok(Event { change, entry });
        }
    }
}

impl Iterator for Events {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.receive())
    }
}

/// For poll(2) and for runtimes that do that: readable when there is an event. [`Events::receive`]
/// does not wait once the descriptor is non-blocking.
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
