//! A live copy of the flow table, kept by the kernel's events and lists.

mod driver;
mod flows;
mod reader;
#[allow(unsafe_code, reason = "records as bytes")]
pub mod record;

use crate::conntrack::expression::Expression;
use crate::conntrack::flow::Flow;
use crate::conntrack::replica::{Happened, TableChange};
use crate::error::{Error, ErrorKind};
use crate::netlink;
use crate::netlink::wait::{Patience, Stopper};
use crate::options::Options;
pub(crate) use driver::Driver;
pub use flows::MirrorFlows;
pub use reader::MirrorReader;
pub use record::MirrorInfo;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The flow table of a network namespace as it is, kept by events: with what changes in it, one change
/// after another, and every flow at hand.
///
/// It subscribes, lists the table, and follows the events from then on. The changes are to be read:
/// that is what keeps it up to date. First come the flows that are there, [`Happened::New`] each, and
/// then [`Happened::Settled`]. Where events were lost it says so, lists the table again, tells what
/// that shows, marked as [`synthesised`](MirrorChange::synthesised), and that it is settled again.
///
/// It is exact for flows that report. What changes without an event is as it was when last listed:
/// counters, the timeout, flags of TCP, flows that began while nobody listened, or that a rule keeps
/// silent. [`verify`](Self::verify) lists the table again and puts all right. No clock of the mirror's
/// own ends a flow.
///
/// Looking flows up is the [`MirrorReader`]'s, which a mirror derefs to.
///
/// ```no_run
/// use ctrs::{Error, Happened, Mirror};
///
/// # fn main() -> Result<(), Error> {
/// let mut mirror = Mirror::open()?;
/// loop {
///     let change = mirror.next_change()?;
///     match (change.happened, &change.before, &change.after) {
///         (Happened::New, _, Some(flow)) => println!("new {flow}"),
///         (Happened::Destroyed, Some(flow), _) => println!("ended {flow}"),
///         (Happened::Settled, ..) => println!("{} flows", mirror.info().flows),
///         (Happened::Overrun(lost), ..) => eprintln!("{lost} events were lost"),
///         _ => {}
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Mirror {
    driver: Driver,
    options: Options,
    stopper: OnceLock<Stopper>,
}

/// Something that has happened to the flows of a [`Mirror`].
///
/// ```
/// use ctrs::{Happened, MirrorChange};
///
/// fn mark_changed(change: &MirrorChange) -> bool {
///     let [before, after] = [&change.before, &change.after].map(|it| it.as_ref().map(|it| it.mark()));
///     change.happened == Happened::Updated && before != after
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct MirrorChange {
    /// What.
    pub happened: Happened,
    /// Whether no event told it: it was found out.
    pub synthesised: bool,
    /// When, if the kernel stamps events (`net.netfilter.nf_conntrack_timestamp`).
    pub when: Option<SystemTime>,
    /// The flow as it was.
    pub before: Option<Flow>,
    /// The flow as it is.
    pub after: Option<Flow>,
}

impl MirrorChange {
    fn of(change: TableChange) -> Self {
        let TableChange { happened, synthesised, when, before, after } = change;
        let when = when.and_then(|when| UNIX_EPOCH.checked_add(Duration::from_nanos(when)));
        Self { happened, synthesised, when, before: before.map(Flow), after: after.map(Flow) }
    }
}

impl Mirror {
    /// A mirror of the network namespace that the thread is in.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`] without `CAP_NET_ADMIN`.
    pub fn open() -> Result<Self, Error> {
        Self::open_with(&Options::new())
    }

    /// A mirror whose sockets have these options. Where they say nothing of the receive buffer it is
    /// one of 4 MiB, which grows up to 32 MiB: 1,280 bytes hold an event.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`ErrorKind::Privilege`] also without `CAP_SYS_ADMIN` in another
    /// namespace, and [`ErrorKind::Unsupported`] for all namespaces: open one for each.
    pub fn open_with(options: &Options) -> Result<Self, Error> {
        Self::filtered(options, None)
    }

    /// A mirror of the flows of which an expression is definitely true. Terms that cannot change for a
    /// flow decide which are kept; one whose others become true has [`Happened::Entered`], and
    /// [`Happened::Left`] when they are true no more.
    ///
    /// # Errors
    /// Those of [`open_with`](Self::open_with).
    pub fn open_where(options: &Options, expression: &Expression) -> Result<Self, Error> {
        Self::filtered(options, Some(expression))
    }

    fn filtered(options: &Options, filter: Option<&Expression>) -> Result<Self, Error> {
        let driver = Driver::open(options, filter)?;
        Ok(Self { driver, options: options.clone().once_open(), stopper: OnceLock::new() })
    }

    /// The next change, waiting for it.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] after the timeout of the options, [`ErrorKind::Stopped`]. What fails of
    /// a list or an event is made up for: call again. [`ErrorKind::OutOfMemory`],
    /// [`ErrorKind::System`].
    pub fn next_change(&mut self) -> Result<MirrorChange, Error> {
        let deadline = self.options.patience().deadline();
        self.until(deadline)
    }

    /// The next change, or `None` if none comes in this time.
    ///
    /// # Errors
    /// Those of [`next_change`](Self::next_change).
    pub fn next_timeout(&mut self, time: Duration) -> Result<Option<MirrorChange>, Error> {
        match self.until(Instant::now().checked_add(time)) {
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(None),
            result => result.map(Some),
        }
    }

    /// The next change, if there is one already. `None` says that there is none for now, or that none
    /// was found in 4,096 events or as many flows of a list: the descriptor is readable then.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`], [`ErrorKind::System`].
    pub fn try_next(&mut self) -> Result<Option<MirrorChange>, Error> {
        Ok(self.driver.next()?.map(MirrorChange::of))
    }

    /// Has the whole table compared with what is kept, counters too, while the next changes are read.
    /// [`MirrorInfo::is_verifying`](crate::MirrorInfo::is_verifying) tells until when.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn verify(&mut self) -> Result<(), Error> {
        self.driver.verify()
    }

    /// Has that done each time that so long has passed; `None`: not any more.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn verify_every(&mut self, interval: Option<Duration>) -> Result<(), Error> {
        self.driver.verify_every(interval)
    }

    /// What looks flows up, also in other threads.
    #[must_use]
    pub fn reader(&self) -> &MirrorReader {
        self.driver.reader()
    }

    /// What ends [`next_change`](Self::next_change) and [`next_timeout`](Self::next_timeout) from
    /// another thread or from a signal handler, with [`ErrorKind::Stopped`] from then on.
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

    fn until(&mut self, deadline: Option<Instant>) -> Result<MirrorChange, Error> {
        let stopper = self.stopper.get().cloned();
        let patience = Patience { stopper, ..Patience::default() };
        loop {
            if patience.stopper.as_ref().is_some_and(Stopper::ends_wait) {
                return Err(netlink::Error::Stopped.into());
            }
            match self.try_next()? {
                Some(change) => return Ok(change),
                None if deadline.is_some_and(|deadline| deadline <= Instant::now()) => {
                    return Err(netlink::Error::TimedOut.into());
                }
                None => patience.wait(self.as_fd(), deadline)?,
            }
        }
    }
}

impl Deref for Mirror {
    type Target = MirrorReader;

    fn deref(&self) -> &MirrorReader {
        self.reader()
    }
}

/// For poll(2) and for runtimes that do that: readable while there is a change to be read, or something
/// to be done to find one. [`Mirror::try_next`] never waits.
impl AsFd for Mirror {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.driver.as_fd()
    }
}

impl AsRawFd for Mirror {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
