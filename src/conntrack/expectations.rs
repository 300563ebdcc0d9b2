//! The expectations of a network namespace: read, changed, and listened to.
#![forbid(unsafe_code)]

use crate::connection::{Connection, is};
use crate::conntrack::dump::{Dump, Listed, Order, What};
use crate::conntrack::expectation::create::NewExpectation;
use crate::conntrack::expectation::key::ExpectationKey;
use crate::conntrack::expectation::seen::Expectation;
use crate::conntrack::listener::{EventKind, Listener, Told};
use crate::conntrack::record::ExpectationRecord;
use crate::conntrack::stats::ExpectationStatistics;
use crate::conntrack::stream::Head;
use crate::conntrack::wire::query::{Query, Request, Statistics};
use crate::conntrack::wire::{Change, stats};
use crate::error::{Error, ErrorKind};
use crate::netlink;
use crate::netlink::message::Message;
use crate::options::Options;
use std::iter::FusedIterator;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::SystemTime;

/// A connection to the expectations of a network namespace.
///
/// Every request needs `CAP_NET_ADMIN` in the user namespace that owns the network namespace.
///
/// ```no_run
/// # fn main() -> Result<(), ctrs::Error> {
/// for expectation in ctrs::Expectations::open()?.list()? {
///     println!("{}", expectation?);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Expectations {
    connection: Connection,
}

impl Expectations {
    /// Connects to the expectations of the network namespace the calling thread is in.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] from a kernel without netfilter netlink; [`ErrorKind::System`].
    pub fn open() -> Result<Self, Error> {
        Self::open_with(&Options::new())
    }

    /// Connects to the expectations through a socket with these options.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`ErrorKind::Privilege`] without `CAP_SYS_ADMIN` in another
    /// namespace.
    pub fn open_with(options: &Options) -> Result<Self, Error> {
        Ok(Self { connection: Connection::open(options)? })
    }

    /// Creates an expectation. Where the helper's policy allows no more of a class, the oldest of
    /// that class goes.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: there is no such master; [`ErrorKind::Unsupported`]: it has no
    /// helper; [`ErrorKind::Exists`], [`ErrorKind::Busy`]: there is an expectation of such flows;
    /// [`ErrorKind::Invalid`]: master and expected flow are of two families, or there is no such
    /// class or function; [`ErrorKind::Full`].
    pub fn create(&mut self, expectation: &NewExpectation) -> Result<(), Error> {
        self.request(&Request::CreateExpectation(expectation))
    }

    /// The expectation with this key; `None` if there is none, or if it has another id than the one
    /// that was seen.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn get(&mut self, key: impl Into<ExpectationKey>) -> Result<Option<Expectation>, Error> {
        let key = key.into();
        let mut found = None;
        let answered = self.connection.ask(&Request::GetExpectation(&key), &mut |message| {
            let mut seen = read(message)?;
            if key.zone != 0 {
                // The kernel does not tell it.
                seen.set_zone(key.zone);
            }
            found = Some(seen);
            Ok(())
        });
        match answered {
            refusal if is(&refusal, ErrorKind::NotFound) => Ok(None),
            Ok(()) => Ok(found.filter(|seen| key.id.is_none() || seen.id() == key.id)),
            Err(error) => Err(error),
        }
    }

    /// Deletes the expectation with this key. A key of an expectation that was seen is that one's
    /// alone.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: there is none, or it is not the one that was seen.
    pub fn delete(&mut self, key: impl Into<ExpectationKey>) -> Result<(), Error> {
        self.request(&Request::DeleteExpectation(&key.into()))
    }

    /// Deletes all expectations.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn flush(&mut self) -> Result<(), Error> {
        self.request(&Request::Expectations(Query::Flush, 0))
    }

    /// All expectations, one at a time as the kernel hands them out, through a socket of its own:
    /// they can be changed meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`], [`ErrorKind::System`].
    pub fn list(&self) -> Result<ExpectationList, Error> {
        let order = Order::of(What::Expectations);
        Ok(ExpectationList { dump: Dump::begin(|| self.connection.another(), Some(&order))? })
    }

    /// What each CPU has counted; those that are switched off too.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn cpu_statistics(&mut self) -> Result<Vec<ExpectationStatistics>, Error> {
        let mut found = Vec::new();
        self.connection.ask(&Request::Statistics(Statistics::Expectations), &mut |message| {
            let (cpu, counts) = stats::decode(message)?;
            found.try_reserve(1).map_err(netlink::Error::from)?;
            found.push(ExpectationStatistics::new(cpu, &counts));
            Ok(())
        })?;
        Ok(found)
    }

    fn request(&mut self, request: &Request<'_>) -> Result<(), Error> {
        self.connection.ask(request, &mut |_| Ok(()))
    }
}

impl AsFd for Expectations {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

/// Reads a message about an expectation.
fn read(message: &Message<'_>) -> Result<Expectation, Error> {
    let mut seen = Expectation::default();
    seen.read(message)?;
    Ok(seen)
}

/// Expectations as the kernel hands them out: an iterator that holds one datagram of them in memory.
///
/// After an error it ends.
///
/// ```
/// use ctrs::{Error, ExpectationList, Expectations};
///
/// fn print() -> Result<(), Error> {
///     let expected: ExpectationList = Expectations::open()?.list()?;
///     for expectation in expected {
///         println!("{}", expectation?);
///     }
///     Ok(())
/// }
///
/// if let Err(error) = print() {
///     println!("{error}");
/// }
/// ```
#[derive(Debug)]
#[must_use = "expectations are received as the iterator is advanced"]
pub struct ExpectationList {
    dump: Dump,
}

impl ExpectationList {
    /// Puts the records of the next expectations into `records`, and tells how many it has filled:
    /// fewer than there is room for at the end, and before an error, which the next call tells.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`], [`ErrorKind::Lost`], [`ErrorKind::OutOfMemory`].
    pub fn next_records(&mut self, records: &mut [ExpectationRecord]) -> Result<usize, Error> {
        let mut seen = Expectation::default();
        let mut slots = records.iter_mut();
        self.dump.each_of(&mut seen, slots.len(), &|_| true, |_, seen| {
            slots.next().into_iter().for_each(|slot| *slot = seen.into());
        })
    }

    /// Whether no expectation was missed and none came twice, as far as can be told of what was read.
    /// If not, list them again.
    pub fn is_consistent(&mut self) -> bool {
        self.dump.is_consistent()
    }
}

impl Iterator for ExpectationList {
    type Item = Result<Expectation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut seen = Expectation::default();
        self.dump.next(&mut seen).map(|found| found.then_some(seen)).transpose()
    }
}

impl FusedIterator for ExpectationList {}

impl AsFd for ExpectationList {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dump.as_fd()
    }
}

/// Something that happened to an expectation.
///
/// ```
/// use ctrs::{Error, EventKind, ExpectationEvent, ExpectationEvents};
///
/// /// Prints what has happened to expectations, and does not wait for more.
/// fn print(events: &mut ExpectationEvents) -> Result<(), Error> {
///     while let Some(ExpectationEvent { change, expectation, .. }) = events.try_next()? {
///         println!("{change} {expectation}");
///     }
///     Ok(())
/// }
///
/// let events = ExpectationEvents::open(EventKind::NEW | EventKind::DESTROY);
/// if let Err(error) = events.and_then(|mut events| print(&mut events)) {
///     println!("{error}");
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct ExpectationEvent {
    /// What happened.
    pub change: Change,
    /// The expectation.
    pub expectation: Expectation,
    /// The id that the listener's network namespace knows the event's by; `None` for its own.
    pub namespace: Option<i32>,
    /// When it was received.
    pub received: SystemTime,
}

/// What happens to the expectations of a network namespace: they come, and they go when they are met,
/// when their time is over, and with their master.
///
/// ```no_run
/// # fn main() -> Result<(), ctrs::Error> {
/// use ctrs::{Change, EventKind, ExpectationEvent, ExpectationEvents};
///
/// for event in ExpectationEvents::open(EventKind::NEW | EventKind::DESTROY)? {
///     let ExpectationEvent { change, expectation, .. } = event?;
///     println!("{} {expectation}", if change == Change::New { "+" } else { "-" });
/// }
/// # Ok(())
/// # }
/// ```
pub type ExpectationEvents = Listener<ExpectationEvent>;

impl Told for ExpectationEvent {
    const GROUPS: u32 = 3;

    type Entry = Expectation;

    fn of(change: Change, head: &Head, expectation: Expectation) -> Self {
        Self { change, expectation, namespace: head.namespace, received: head.received() }
    }
}

impl Listener<ExpectationEvent> {
    /// Listens to what happens to the expectations of the network namespace that the thread is in.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`] without `CAP_NET_ADMIN`.
    pub fn open(kinds: EventKind) -> Result<Self, Error> {
        Self::open_with(kinds, &Options::new())
    }

    /// Listens through a socket with these options.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`ErrorKind::Privilege`] also without `CAP_SYS_ADMIN` in
    /// another namespace, and without `CAP_NET_BROADCAST` for all namespaces.
    pub fn open_with(kinds: EventKind, options: &Options) -> Result<Self, Error> {
        Self::listen(kinds, options)
    }
}
