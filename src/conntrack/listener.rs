//! Listening to what happens, whatever it happens to.
#![forbid(unsafe_code)]

use crate::conntrack::diagnose::Diagnosis;
use crate::conntrack::selects::Selects;
use crate::conntrack::stream::{Head, Source, Stream, Tells};
use crate::conntrack::wire::Change;
use crate::error::{Error, ErrorKind};
use crate::namespaces;
use crate::namespaces::record::NetworkNamespace;
use crate::netlink;
use crate::netlink::socket::Socket;
use crate::netlink::wait::{Patience, Stopper};
use crate::options::Options;
use std::fmt;
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

    /// What it is about.
    #[doc(hidden)]
    type Entry: Tells;

    /// The event of a change.
    #[doc(hidden)]
    fn of(change: Change, head: &Head, entry: Self::Entry) -> Self;

    /// Whether it is of a flow that is selected.
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "nobody else tells anything")]
    fn meets(_: &Self::Entry, _: Change, _: &Selects) -> bool {
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
pub struct Listener<E: Told> {
    socket: Socket,
    stream: Stream,
    /// What messages are read into.
    entry: E::Entry,
    options: Options,
    stopper: OnceLock<Stopper>,
    /// What events are checked against.
    checked: Selects,
}

impl<E: Told> Listener<E> {
    pub(super) fn listen(kinds: EventKind, options: &Options) -> Result<Self, Error> {
        let socket = options.listen(kinds.bits() << E::GROUPS)?;
        Ok(Self {
            socket,
            stream: Stream::default(),
            entry: E::Entry::default(),
            options: options.clone().once_open(),
            stopper: OnceLock::new(),
            checked: Selects::All,
        })
    }

    /// The next event, waiting for it.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]: events were lost, call again. [`ErrorKind::WouldBlock`] if there is none
    /// and the descriptor is non-blocking, [`ErrorKind::TimedOut`] after the timeout of the options.
    /// [`ErrorKind::Stopped`].
    pub fn next_event(&mut self) -> Result<E, Error> {
        let deadline = self.options.patience().deadline();
        let waits = !self.socket.is_nonblocking()?;
        self.until(deadline, waits, &mut Self::try_next)
    }

    /// The next event, if there is one already, whatever the descriptor would do.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]: events were lost, call again.
    pub fn try_next(&mut self) -> Result<Option<E>, Error> {
        match self.receive(1)? {
            Some(Head { what: Err(gap), .. }) => Err(gap.error().into()),
            Some(head @ Head { what: Ok(change), .. }) => {
                Ok(Some(E::of(change, &head, std::mem::take(&mut self.entry))))
            }
            None => Ok(None),
        }
    }

    /// The next event, or `None` if none comes in this time.
    ///
    /// # Errors
    /// [`ErrorKind::Lost`]: events were lost, call again. [`ErrorKind::Stopped`].
    pub fn next_timeout(&mut self, time: Duration) -> Result<Option<E>, Error> {
        match self.until(deadline(Some(time)), true, &mut Self::try_next) {
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(None),
            result => result.map(Some),
        }
    }

    /// Puts the records of the next events into `records`, and tells how many it has filled: as many as
    /// have come, and at least one, for which it waits. What was lost has a record in its place, and is
    /// no error.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ctrs::Error> {
    /// use ctrs::{EventKind, EventRecord, Events};
    ///
    /// let mut events = Events::open(EventKind::DESTROY)?;
    /// let mut records = [EventRecord::default(); 64];
    /// loop {
    ///     let filled = events.next_records(&mut records)?;
    ///     for record in records.iter().take(filled) {
    ///         match record.lost() {
    ///             Some(count) => println!("{count} lost here"),
    ///             None => println!("{:?} {:?}", record.flow.orig, record.flow.bytes),
    ///         }
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`next_event`](Self::next_event), but for [`ErrorKind::Lost`].
    #[allow(private_interfaces, reason = "nobody else tells anything")]
    pub fn next_records(
        &mut self,
        records: &mut [<E::Entry as Tells>::Record],
    ) -> Result<usize, Error> {
        let deadline = self.options.patience().deadline();
        let waits = !self.socket.is_nonblocking()?;
        let empty = records.is_empty();
        self.until(deadline, waits, &mut |this| {
            this.try_records(records).map(|filled| (filled > 0 || empty).then_some(filled))
        })
    }

    /// As [`next_records`](Self::next_records), of what has come already, whatever the descriptor would
    /// do; 0 if nothing has.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`], [`ErrorKind::System`].
    #[allow(private_interfaces, reason = "nobody else tells anything")]
    pub fn try_records(
        &mut self,
        records: &mut [<E::Entry as Tells>::Record],
    ) -> Result<usize, Error> {
        let most = records.len();
        for (filled, record) in records.iter_mut().enumerate() {
            match self.receive(most - filled) {
                Ok(Some(head)) => {
                    *record = Default::default();
                    self.entry.put(&head, record);
                }
                // What failed fails again in the next call.
                Err(error) if filled == 0 => return Err(error),
                _ => return Ok(filled),
            }
        }
        Ok(most)
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
        Ok(self.socket.set_nonblocking(on)?)
    }

    /// Makes the receive buffer hold that many bytes, beyond `net.core.rmem_max` only with
    /// `CAP_NET_ADMIN` in the first user namespace. How many it holds then.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn set_receive_buffer(&self, bytes: usize) -> Result<usize, Error> {
        Ok(self.socket.set_receive_buffer(bytes)?)
    }

    /// How many bytes of messages the receive buffer holds: what was obtained of what was asked for.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn receive_buffer(&self) -> Result<usize, Error> {
        Ok(self.socket.receive_buffer()?)
    }

    /// Events that were lost since this was opened, because the receive buffer was full; with
    /// [`Options::reliable`] how often one did not fit, of which some come again.
    ///
    /// # Errors
    /// [`ErrorKind::System`] before Linux 4.12.
    pub fn lost(&self) -> Result<u32, Error> {
        Ok(self.socket.dropped()?)
    }

    /// The network namespaces that this process can see, and whether a listener of
    /// [all namespaces](Options::all_namespaces) that is where this one is hears them: its own, which
    /// comes first, and those that have an id there. Of a namespace that has a name in `/run/netns` or
    /// is Docker's, that is the path; else that of a process in it, which it takes the right to look at:
    /// root's. `ip netns set NAME auto` gives an id to one that has none.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] before Linux 4.0, [`ErrorKind::Privilege`] without `CAP_SYS_ADMIN` if
    /// the listener is in another namespace than the thread; [`ErrorKind::OutOfMemory`],
    /// [`ErrorKind::System`].
    pub fn namespaces(&self) -> Result<Vec<NetworkNamespace>, Error> {
        Ok(namespaces::of(&self.socket)?)
    }

    /// Why nothing may be heard: as [`FlowTable::diagnose`](crate::FlowTable::diagnose), and whether
    /// events were lost.
    #[must_use]
    pub fn diagnose(&self) -> Diagnosis {
        Diagnosis::of_listener(&self.socket)
    }

    /// Hands out only what is selected, from now on.
    pub(super) fn check(&mut self, selects: Selects) {
        self.checked = selects;
    }

    /// Waits until there is what is looked for.
    fn until<T>(
        &mut self,
        deadline: Option<Instant>,
        waits: bool,
        look: &mut dyn FnMut(&mut Self) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let stopper = self.stopper.get().cloned();
        let patience = Patience { stopper, ..Patience::default() };
        loop {
            if patience.stopper.as_ref().is_some_and(Stopper::ends_wait) {
                return Err(netlink::Error::Stopped.into());
            }
            match look(self)? {
                Some(found) => return Ok(found),
                None if waits => patience.wait(self.as_fd(), deadline)?,
                None => return Err(netlink::Error::WOULD_BLOCK.into()),
            }
        }
    }

    /// The next event, read into `entry`, or what was lost.
    fn receive(&mut self, most: usize) -> Result<Option<Head>, Error> {
        let Self { socket, stream, entry, options, checked, .. } = self;
        let meets = |change, entry: &E::Entry| E::meets(entry, change, checked);
        stream.next(&Source { socket, options }, most, entry, &meets)
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

/// For poll(2) and for runtimes that do that: readable when there is an event. A loss behind the last one
/// may be left when it is not any more, so read until there is nothing. They want it non-blocking;
/// [`Listener::try_next`] never waits.
impl<E: Told> AsFd for Listener<E> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<E: Told> AsRawFd for Listener<E> {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.fd()
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
