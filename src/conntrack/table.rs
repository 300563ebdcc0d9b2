//! The flow table of the network namespace this thread is in: read and changed.
#![forbid(unsafe_code)]

use crate::conntrack::error;
use crate::conntrack::filter::dump::DumpFilter;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::wire::query::{Query, REQUEST_SIZE, Request};
use crate::conntrack::wire::{Change, decode};
use crate::error::{Error, ErrorKind, RequestKind};
use crate::netlink;
use crate::netlink::exchange::{Exchange, Receiver};
use crate::netlink::message::Message;
use crate::options::Options;

/// Which entries, by layer 3 protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Both.
    Any,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    fn number(self) -> u8 {
        match self {
            Self::Any => libc::AF_UNSPEC as u8,
            Self::Ipv4 => libc::AF_INET as u8,
            Self::Ipv6 => libc::AF_INET6 as u8,
        }
    }
}

/// How often an entry may come and go between two requests before that is an error.
const RACES: u32 = 8;

/// What a query asks of the kernel.
fn kind(query: Query) -> RequestKind {
    match query {
        Query::Create | Query::CreateUpdate => RequestKind::Create,
        Query::Update => RequestKind::Update,
        Query::Destroy => RequestKind::Delete,
        Query::Get => RequestKind::Get,
        Query::Flush | Query::FlushFilter => RequestKind::Flush,
        Query::Dump | Query::DumpReset | Query::DumpFilter | Query::DumpFilterReset => {
            RequestKind::List
        }
    }
}

/// A connection to the kernel's flow table.
///
/// Every request needs `CAP_NET_ADMIN` in the user namespace that owns the network namespace.
#[derive(Debug)]
pub struct FlowTable {
    exchange: Exchange,
}

impl FlowTable {
    /// Connects to the flow table of the network namespace the calling thread is in.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] from a kernel without netfilter netlink; [`ErrorKind::System`].
    pub fn open() -> Result<Self, Error> {
        Self::open_with(&Options::new())
    }

    /// Connects to the flow table through a socket with these options.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`ErrorKind::Privilege`] without `CAP_SYS_ADMIN` in another
    /// namespace.
    pub fn open_with(options: &Options) -> Result<Self, Error> {
        Ok(Self { exchange: Exchange::new(options.open()?, 0) })
    }

    /// Creates an entry.
    ///
    /// An entry that the kernel handed out becomes the same again: its NAT, TCP flags and window
    /// scales, state, marks, labels, helper and master. Counters, timestamps, the id and the
    /// security context are the kernel's to give.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`]; [`ErrorKind::Invalid`]: a timeout is needed, and both directions,
    /// whole and of one family; [`ErrorKind::Full`], ...
    pub fn create(&mut self, ct: &Conntrack) -> Result<(), Error> {
        self.request(&Request::Flow(Query::Create, ct))
    }

    /// Changes the entry with the original tuple of `ct`, or else with its reply tuple; what `ct`
    /// does not mention stays.
    ///
    /// If `ct` has an id, as an entry seen earlier has, the entry must still have it. The kernel
    /// cannot be asked to look at that, so it is looked up first: a flow that takes its place at
    /// that moment is changed.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Busy`] for what cannot be changed;
    /// [`ErrorKind::Invalid`]: `ct` does not name one entry, ...
    pub fn update(&mut self, ct: &Conntrack) -> Result<(), Error> {
        if ct.id().is_some() && self.get(ct)?.and_then(|found| found.id()) != ct.id() {
            return Err(Error::from(netlink::Error::Refused(libc::ENOENT)).of(RequestKind::Update));
        }
        self.request(&Request::Flow(Query::Update, ct))
    }

    /// Creates an entry, or changes it if there is one, whatever its id.
    ///
    /// # Errors
    /// Those of [`create`](Self::create) and [`update`](Self::update).
    pub fn create_or_update(&mut self, ct: &Conntrack) -> Result<(), Error> {
        let is = |result: &Result<(), Error>, kind| {
            result.as_ref().is_err_and(|error| error.kind() == kind)
        };
        // Not in one request: the NAT of an entry to be created is refused for one that exists.
        for _ in 0..RACES {
            let created = self.create(ct);
            if !is(&created, ErrorKind::Exists) {
                return created;
            }
            let updated = self.request(&Request::Flow(Query::Update, ct));
            if !is(&updated, ErrorKind::NotFound) {
                return updated;
            }
        }
        self.create(ct)
    }

    /// Deletes the entry with the original tuple of `ct`, or else with its reply tuple.
    ///
    /// If `ct` has an id, as an entry seen earlier has, only that entry is deleted: one that took
    /// its place since is left alone, but for a flow reborn with the same tuple at once, to which
    /// the kernel can give the same id.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], also if the id differs; [`ErrorKind::Invalid`]: `ct` does not name
    /// one entry. Without a tuple the kernel would take it
    /// for a request to delete all.
    pub fn delete(&mut self, ct: &Conntrack) -> Result<(), Error> {
        self.request(&Request::Flow(Query::Destroy, ct))
    }

    /// Deletes all entries.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn flush(&mut self) -> Result<(), Error> {
        self.request(&Request::Entries(Query::Flush, Family::Any.number()))
    }

    /// Deletes the entries that a filter selects. A kernel that does not know a criterion deletes
    /// more than asked for: see [`DumpFilter`].
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a filter with a tuple: to delete the entries of an address, dump with
    /// that filter, and delete each.
    pub fn flush_filtered(&mut self, filter: &DumpFilter) -> Result<(), Error> {
        self.request(&Request::Filtered(Query::FlushFilter, filter))
    }

    /// The entry with the original tuple of `ct`, or else with its reply tuple; `None` if there is
    /// none. An id does not count: compare it, if it matters that it is the entry seen earlier.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`]; [`ErrorKind::Invalid`]: `ct` does not name one entry.
    pub fn get(&mut self, ct: &Conntrack) -> Result<Option<Conntrack>, Error> {
        let mut answer = self.ask(&Request::Flow(Query::Get, ct))?;
        let entry = match answer.next() {
            Some(Err(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
            None => return Ok(None),
            Some(entry) => entry?,
        };
        answer.next().transpose()?;
        Ok(Some(entry))
    }

    /// All entries of a layer 3 protocol, one at a time as the kernel hands them out.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn dump(&mut self, family: Family) -> Result<Dump<'_>, Error> {
        self.ask(&Request::Entries(Query::Dump, family.number()))
    }

    /// As [`dump`](Self::dump), and sets the counters of each entry to zero.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn dump_and_reset(&mut self, family: Family) -> Result<Dump<'_>, Error> {
        self.ask(&Request::Entries(Query::DumpReset, family.number()))
    }

    /// The entries that a filter selects. What the kernel hands out is checked again, since it does
    /// not know every criterion.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`], [`ErrorKind::Invalid`], [`ErrorKind::OutOfMemory`].
    pub fn dump_filtered(&mut self, filter: &DumpFilter) -> Result<Dump<'_>, Error> {
        let copy = filter.try_clone()?;
        let mut entries = self.ask(&Request::Narrowed(Query::DumpFilter, filter))?;
        entries.filter = Some(copy);
        Ok(entries)
    }

    fn request(&mut self, request: &Request<'_>) -> Result<(), Error> {
        self.ask(request)?.try_for_each(|entry| entry.map(drop))
    }

    fn ask(&mut self, request: &Request<'_>) -> Result<Dump<'_>, Error> {
        let kind = kind(request.query());
        let receiver = self.begin(request).map_err(|error| error.of(kind))?;
        Ok(Dump { exchange: &mut self.exchange, receiver: Some(receiver), filter: None, kind })
    }

    fn begin(&mut self, request: &Request<'_>) -> Result<Receiver, Error> {
        let mut buffer = [0; REQUEST_SIZE];
        let length = request.build(&mut buffer, self.exchange.next_seq())?;
        let bytes = buffer.get(..length).unwrap_or_default();
        Ok(self.exchange.query(bytes, request.query().is_dump())?)
    }
}

/// Entries as the kernel hands them out: an iterator that holds one datagram of them in memory.
///
/// After an error it ends. One that is dropped early is brought to its end by the next dump.
#[derive(Debug)]
#[must_use = "entries are received as the iterator is advanced"]
pub struct Dump<'a> {
    exchange: &'a mut Exchange,
    receiver: Option<Receiver>,
    /// What entries are checked against.
    filter: Option<DumpFilter>,
    /// What was asked.
    kind: RequestKind,
}

impl Dump<'_> {
    /// Puts the next entry into `ct`, in place of what it holds; false at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`], [`ErrorKind::Lost`], [`ErrorKind::OutOfMemory`].
    pub fn next_into(&mut self, ct: &mut Conntrack) -> Result<bool, Error> {
        loop {
            let found = self.receive_into(ct);
            if found != Ok(true) {
                self.receiver = None;
                return found.map_err(|error| error.of(self.kind));
            }
            if self.filter.as_ref().is_none_or(|filter| filter.accepts(ct)) {
                return found;
            }
        }
    }

    fn receive_into(&mut self, ct: &mut Conntrack) -> Result<bool, Error> {
        let Some(receiver) = &mut self.receiver else { return Ok(false) };
        match self.exchange.next(receiver)? {
            Some(message) => Ok(read(ct, &message).map(|()| true)?),
            None => Ok(false),
        }
    }
}

/// Decodes a message into `ct` alone.
fn read(ct: &mut Conntrack, message: &Message<'_>) -> Result<(), error::Error> {
    ct.reset();
    Change::of(message).ok_or(error::Error::ForeignMessage)?;
    decode::as_far_as_possible(ct, message)
}

impl Iterator for Dump<'_> {
    type Item = Result<Conntrack, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut ct = Conntrack::new();
        self.next_into(&mut ct).map(|found| found.then_some(ct)).transpose()
    }
}
