//! What a mirror does with its sockets: one of events, and one for each list and for requests.
//!
//! [`Replica`] says in which order. Nothing here waits: a list is made by the kernel as it is received.
#![forbid(unsafe_code)]

use super::reader::MirrorReader;
use crate::connection::{Connection, is};
use crate::conntrack::dump::{Dump, Order, What};
use crate::conntrack::expression::{Decides, Expression};
use crate::conntrack::key::Key;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::replica::{Ending, Replica, TableChange};
use crate::conntrack::stream::{Gap, Source, Stream};
use crate::error::{Error, ErrorKind};
use crate::facts::sysctl;
use crate::netlink;
use crate::netlink::ready::{Ready, When};
use crate::netlink::socket::Socket;
use crate::options::Options;
use std::mem::take;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// New, updated and destroyed flows.
const GROUPS: u32 = 7;
/// So many messages are read before who looks flows up is let in.
const BATCH: usize = 64;
/// So many batches, before a caller who does not wait goes on without a change, though there is more to
/// do.
const ROUNDS: usize = 64;
/// How long is waited after lists that losses have spoilt, from the third in a row on; doubled each
/// time, so often at most.
const PAUSE: Duration = Duration::from_millis(100);
const DOUBLED: u32 = 5;
/// How long after one that has failed.
const RETRY: Duration = Duration::from_millis(10);

/// How far it has come.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a mirror has one")]
enum Phase {
    /// Events are read.
    Following,
    /// All events that wait are read before a list.
    Emptying,
    /// A list is read, and events beside.
    Listing(Dump),
}

/// The sockets of a mirror, and what is to be done with them.
#[derive(Debug)]
pub(crate) struct Driver {
    events: Socket,
    options: Options,
    stream: Stream,
    /// What messages are read into.
    entry: Conntrack,
    requests: Connection,
    phase: Phase,
    reader: MirrorReader,
    ready: Ready,
    /// Whether nothing was left to do, when that was looked for.
    is_idle: bool,
    /// No list is begun before.
    pause: Option<Instant>,
    /// How often all is verified, and when next.
    interval: Option<Duration>,
    verification: Option<Instant>,
}

impl Driver {
    /// Subscribes to events, with the privilege that takes. Nothing is listed yet.
    pub fn open(options: &Options, filter: Option<&Expression>) -> Result<Self, Error> {
        if options.is_for_all_namespaces() {
            let call = "a mirror of all network namespaces";
            return Err(netlink::Error::System { call, errno: libc::EOPNOTSUPP }.into());
        }
        let [options, of_requests] = options.of_mirror();
        let filter = filter.map(Expression::try_clone).transpose()?;
        let program = filter.as_ref().map(|filter| filter.program(Decides::Fixed)).transpose()?;
        let events = options.listen_through(GROUPS, program.as_deref())?;
        let reader = MirrorReader::of(Replica::new(filter))?;
        reader.set_buffer(&events);
        let mut driver = Self {
            ready: Ready::of(events.as_fd())?,
            events,
            options: options.once_open(),
            stream: Stream::default(),
            entry: Conntrack::new(),
            requests: Connection::open(&of_requests)?,
            phase: Phase::Following,
            reader,
            is_idle: false,
            pause: None,
            interval: None,
            verification: None,
        };
        driver.be_ready()?;
        Ok(driver)
    }

    /// What looks flows up.
    pub fn reader(&self) -> &MirrorReader {
        &self.reader
    }

    /// Readable while there is something to do.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.ready.as_fd()
    }

    /// Has all compared with the table.
    pub fn verify(&mut self) -> Result<(), Error> {
        self.reader.write().verify();
        self.pause = None;
        self.be_ready()
    }

    /// The same, each time that so long has passed.
    pub fn verify_every(&mut self, interval: Option<Duration>) -> Result<(), Error> {
        self.interval = interval;
        self.verification = after(interval);
        self.be_ready()
    }

    /// The next change, if one is found soon. If not, the descriptor says whether there is more to do.
    pub fn next(&mut self) -> Result<Option<TableChange>, Error> {
        let found = self.find();
        self.be_ready()?;
        found
    }

    /// Has the descriptor say when there is something to do.
    fn be_ready(&mut self) -> Result<(), Error> {
        Ok(self.ready.set(self.when())?)
    }

    fn find(&mut self) -> Result<Option<TableChange>, Error> {
        for _ in 0..ROUNDS {
            let change = self.reader.write().next_change();
            if change.is_some() {
                return Ok(change);
            }
            // Also after an error: what was received may not be read yet, nor a loss told.
            self.is_idle = false;
            self.is_idle = !self.work()?;
            if self.is_idle {
                break;
            }
        }
        Ok(None)
    }

    /// Does some of what is to be done; false if that is nothing until something comes.
    fn work(&mut self) -> Result<bool, Error> {
        let heard = self.hear()?;
        match self.phase {
            Phase::Listing(_) => self.list().map(|()| true),
            Phase::Emptying if heard < BATCH => self.begin().map(|()| true),
            Phase::Emptying => Ok(true),
            Phase::Following => Ok(self.prepare() || heard != 0),
        }
    }

    /// Takes in some events, and tells how many: less than a batch when no more wait.
    fn hear(&mut self) -> Result<usize, Error> {
        for read in 0..BATCH {
            let source = Source { socket: &self.events, options: &self.options };
            let next = self.stream.next(&source, BATCH - read, &mut self.entry, &|_, _| true);
            let Some(head) = next? else { return Ok(read) };
            match head.what {
                Ok(change) => {
                    let (by_request, ct) = (head.is_by_request(), take(&mut self.entry));
                    let unknown = self.reader.write().event(change, by_request, ct)?;
                    unknown.map_or(Ok(()), |key| self.ask(&key))?;
                }
                Err(gap) => self.lose(&gap),
            }
        }
        Ok(BATCH)
    }

    fn lose(&mut self, gap: &Gap) {
        self.reader.write().overrun(gap.count.try_into().unwrap_or(u32::MAX));
        self.reader.set_buffer(&self.events);
        // The losses that were counted before a list are not all: it would be in vain.
        if let Phase::Emptying = self.phase {
            self.phase = Phase::Following;
        }
    }

    /// Asks for a flow of which an event told that is not known.
    fn ask(&mut self, key: &Key) -> Result<(), Error> {
        let mut ct = Conntrack::new();
        let got = self.requests.get(key, &mut ct);
        if is(&got, ErrorKind::NotFound) {
            return Ok(());
        }
        let mut replica = self.reader.write();
        if got.is_err() {
            replica.overrun(0);
        }
        got.and_then(|()| Ok(replica.got(ct)?))
    }

    /// Prepares for a list, if one is wanted now.
    fn prepare(&mut self) -> bool {
        let is_over = |time: Option<Instant>| time.is_some_and(|time| time <= Instant::now());
        if is_over(self.verification) {
            self.verification = after(self.interval);
            self.reader.write().verify();
        }
        if self.pause.is_some() && !is_over(self.pause) {
            return false;
        }
        self.pause = None;
        let wanted = self.reader.read().wants_dump();
        if wanted {
            self.reader.write().prepare(lost(&self.events));
            self.phase = Phase::Emptying;
        }
        wanted
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.reader.write().begin(buckets())?;
        let order = Order { search: false, ..Order::of(What::Flows) };
        match Dump::begin(|| self.requests.another(), Some(&order)) {
            Ok(dump) => {
                self.phase = Phase::Listing(dump);
                Ok(())
            }
            Err(error) => self.fail(error),
        }
    }

    /// Takes in some entries of the list.
    fn list(&mut self) -> Result<(), Error> {
        let Phase::Listing(dump) = &mut self.phase else { return Ok(()) };
        for _ in 0..BATCH {
            match dump.next(&mut self.entry) {
                Ok(true) => self.reader.write().listed(take(&mut self.entry))?,
                Ok(false) => {
                    let failed = !dump.is_consistent();
                    return self.end(failed);
                }
                Err(error) => return self.fail(error),
            }
        }
        Ok(())
    }

    /// The list has failed, so that another one is wanted, but not at once.
    fn fail(&mut self, error: Error) -> Result<(), Error> {
        self.end(true)?;
        self.pause = after(Some(RETRY));
        Err(error)
    }

    fn end(&mut self, failed: bool) -> Result<(), Error> {
        self.phase = Phase::Following;
        // A loss may be known before its place is reached.
        let failed = failed || self.stream.has_gap();
        let ending = Ending { failed, lost: lost(&self.events), buckets: buckets() };
        let mut replica = self.reader.write();
        replica.end(&ending)?;
        let times = replica.failures().checked_sub(3).map(|times| 1 << times.min(DOUBLED));
        self.pause = after(times.map(|times| PAUSE * times));
        Ok(())
    }

    /// When there is something to do, beside reading events that come.
    fn when(&self) -> When {
        let replica = self.reader.read();
        let wanted = replica.wants_dump();
        if replica.has_changes() || !self.is_idle || (wanted && self.pause.is_none()) {
            return When::Now;
        }
        let pause = self.pause.filter(|_| wanted);
        pause.into_iter().chain(self.verification).min().map_or(When::Never, When::At)
    }
}

/// Messages that were lost; 0 where the kernel does not tell.
fn lost(socket: &Socket) -> u32 {
    socket.dropped().unwrap_or(0)
}

/// The number of hash buckets, which all network namespaces share.
fn buckets() -> Option<u32> {
    sysctl::BUCKETS.here().and_then(|buckets| buckets.try_into().ok())
}

/// When so long has passed; never, if that is beyond what the clock counts.
fn after(time: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(time?)
}
