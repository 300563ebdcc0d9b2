//! The flow table of a network namespace: read and changed.
#![forbid(unsafe_code)]

use crate::conntrack::change::Changes;
use crate::conntrack::connection::{Connection, Dump, is};
use crate::conntrack::diagnose::Diagnosis;
use crate::conntrack::error;
use crate::conntrack::expression::Expression;
use crate::conntrack::filter::criteria::Filter;
use crate::conntrack::filter::dump::DumpFilter;
use crate::conntrack::flow::Flow;
use crate::conntrack::key::Key;
use crate::conntrack::new_flow::NewFlow;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::selects::Selects;
use crate::conntrack::values::Status;
use crate::conntrack::wire::query::{Query, Request};
use crate::conntrack::wire::{Change, decode};
use crate::error::{Error, ErrorKind, RequestKind};
use crate::netlink;
use crate::netlink::message::Message;
use crate::options::Options;
use std::iter::FusedIterator;
use std::os::fd::{AsFd, BorrowedFd};

/// How often a flow may come and go, or change, between two requests before that is an error.
const RACES: u32 = 8;

/// A connection to the flow table of a network namespace.
///
/// Every request needs `CAP_NET_ADMIN` in the user namespace that owns the network namespace.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{Changes, Flow, FlowTable};
/// use std::net::SocketAddr;
///
/// let (client, server): (SocketAddr, SocketAddr) = ("192.0.2.1:40000".parse()?, "198.51.100.7:443".parse()?);
/// let mut table = FlowTable::open()?;
/// let flow = Flow::tcp(client, server)?.mark(7);
/// table.create(&flow)?;
/// table.update(&flow, &Changes::new().mark(8))?;
/// if let Some(seen) = table.get(&flow)? {
///     println!("{seen}");
///     table.delete(&seen)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FlowTable {
    connection: Connection,
}

impl FlowTable {
    /// Connects to the flow table of the network namespace the calling thread is in. It stays that
    /// one's, whatever thread uses it.
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
        Ok(Self { connection: Connection::open(options)? })
    }

    /// Creates a flow.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`]: there is one with this tuple, or this reply tuple.
    /// [`ErrorKind::Invalid`]: NAT to an address of another family, the state of another protocol, a
    /// label above 127. [`ErrorKind::Full`], ...
    pub fn create(&mut self, flow: &NewFlow) -> Result<(), Error> {
        self.request(&Request::Create(flow))
    }

    /// Creates a flow again that was seen: with its NAT, TCP flags and window scales, state, marks,
    /// labels, helper and master. Counters, times, the id and the security context are the kernel's
    /// to give. A master has to be there before.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`]; [`ErrorKind::Invalid`]: it has no timeout, as that of an event of its
    /// end.
    pub fn restore(&mut self, flow: &Flow) -> Result<(), Error> {
        self.request(&Request::Restore(flow))
    }

    /// Creates a flow, or changes the one with this tuple to what was said of it: but for NAT, master
    /// and reply, which stay.
    ///
    /// # Errors
    /// Those of [`create`](Self::create) and [`update`](Self::update).
    pub fn create_or_update(&mut self, flow: &NewFlow) -> Result<(), Error> {
        let mut created = self.create(flow);
        // Not in one request: the NAT of a flow to be created is refused for one that exists.
        for _ in 0..RACES {
            if !is(&created, ErrorKind::Exists) {
                break;
            }
            let updated = self.update(flow, &flow.changes());
            if !is(&updated, ErrorKind::NotFound) {
                return updated;
            }
            created = self.create(flow);
        }
        created
    }

    /// The flow with this key; `None` if there is none, or if it has another id than the one that was
    /// seen.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn get(&mut self, key: impl Into<Key>) -> Result<Option<Flow>, Error> {
        let key = key.into();
        let mut found = None;
        let answered = self.connection.ask(&Request::Get(&key), &mut |message| {
            let mut flow = Flow::default();
            read(&mut flow, message)?;
            found = Some(flow);
            Ok(())
        });
        match answered {
            refusal if is(&refusal, ErrorKind::NotFound) => Ok(None),
            Ok(()) => Ok(found.filter(|flow| key.id.is_none() || flow.id() == key.id)),
            Err(error) => Err(error),
        }
    }

    /// Changes the flow with this key.
    ///
    /// A key of a flow that was seen is that flow's alone. The kernel cannot be asked to look at that,
    /// so it is looked up first: a flow that takes its place at that moment is changed.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]; [`ErrorKind::Busy`], [`ErrorKind::Unsupported`]: what the kernel does
    /// not change; [`ErrorKind::Invalid`]: nothing to change, a label above 127, the state of another
    /// protocol.
    pub fn update(&mut self, key: impl Into<Key>, changes: &Changes) -> Result<(), Error> {
        let (key, with_status) = (key.into(), changes.status_bits() != 0);
        let mut updated = Ok(());
        for _ in 0..RACES {
            let mut status = Status::empty();
            if with_status || key.id.is_some() {
                status = self.get(key)?.ok_or_else(gone)?.status();
            }
            updated = self.request(&Request::Update(&key, changes, status.bits()));
            // The kernel takes no status that lacks a bit set meanwhile.
            if !with_status || !is(&updated, ErrorKind::Busy) {
                break;
            }
        }
        updated
    }

    /// Deletes the flow with this key.
    ///
    /// A key of a flow that was seen is that flow's alone: one that took its place since is left, but
    /// for one reborn with the same tuple at once, to which the kernel can give the same id.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: there is none, or it is not the one that was seen.
    pub fn delete(&mut self, key: impl Into<Key>) -> Result<(), Error> {
        self.request(&Request::Delete(&key.into()))
    }

    /// Deletes all flows.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn flush(&mut self) -> Result<(), Error> {
        self.request(&Request::Entries(Query::Flush, 0))
    }

    /// All flows, one at a time as the kernel hands them out, through a socket of its own: the table
    /// can be used meanwhile.
    ///
    /// Flows that come and go while the list is read may be in it or not.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`], [`ErrorKind::System`].
    pub fn list(&self) -> Result<List, Error> {
        self.begin(Some(&Request::Entries(Query::Dump, 0)), Selects::All)
    }

    /// As [`list`](Self::list), and sets the counters of each flow to zero.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn list_and_zero(&self) -> Result<List, Error> {
        self.begin(Some(&Request::Entries(Query::DumpReset, 0)), Selects::All)
    }

    /// As [`list`](Self::list), of the flows that a filter selects.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn list_matching(&self, filter: &Filter) -> Result<List, Error> {
        self.narrowed(filter.narrowing()?, Selects::Filter(filter.clone()))
    }

    /// As [`list`](Self::list), of the flows of which an expression is definitely true.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ctrs::Error> {
    /// let table = ctrs::FlowTable::open()?;
    /// for flow in table.list_where(&"tcp and not replied and dst 10.0.0.0/8".parse()?)? {
    ///     println!("{}", flow?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list); [`ErrorKind::OutOfMemory`].
    pub fn list_where(&self, expression: &Expression) -> Result<List, Error> {
        self.narrowed(expression.narrowing()?, Selects::Expression(expression.try_clone()?))
    }

    /// A list of what the kernel selects, if it can select anything, checked again.
    fn narrowed(&self, kernel: Option<DumpFilter>, checked: Selects) -> Result<List, Error> {
        let request = kernel.as_ref().map(|kernel| Request::Narrowed(Query::DumpFilter, kernel));
        self.begin(request.as_ref(), checked)
    }

    /// Deletes the flows that a filter selects, each by its key: one that takes the place of a flow
    /// that was listed is left.
    ///
    /// # Errors
    /// Those of [`list`](Self::list) and [`delete`](Self::delete); flows before are deleted.
    pub fn delete_matching(&mut self, filter: &Filter) -> Result<Deleted, Error> {
        let mut count = Deleted::default();
        let (mut list, mut flow) = (self.list_matching(filter)?, Flow::default());
        while list.next_into(&mut flow)? {
            count.matched += 1;
            let deleted = self.delete(&flow);
            if is(&deleted, ErrorKind::NotFound) {
                count.gone += 1;
            } else {
                deleted?;
                count.deleted += 1;
            }
        }
        Ok(count)
    }

    /// What is in the way of new flows, of counters and of events in this network namespace, as this
    /// thread can see it now. Another namespace than the thread's takes `CAP_SYS_ADMIN` there.
    #[must_use]
    pub fn diagnose(&self) -> Diagnosis {
        Diagnosis::of_requests(self.connection.socket())
    }

    /// A list of what a request asks for, or of nothing.
    fn begin(&self, request: Option<&Request<'_>>, checked: Selects) -> Result<List, Error> {
        let dump = self.connection.another()?.begin(request, RequestKind::List)?;
        Ok(List { dump, checked })
    }

    fn request(&mut self, request: &Request<'_>) -> Result<(), Error> {
        self.connection.ask(request, &mut |_| Ok(()))
    }
}

impl AsFd for FlowTable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

/// An update of a flow that is not there, or not the one that was seen.
fn gone() -> Error {
    Error::from(netlink::Error::Refused(libc::ENOENT)).of(RequestKind::Update)
}

/// How many flows [`FlowTable::delete_matching`] has found.
///
/// ```
/// use ctrs::{Deleted, Error, Filter, FlowTable};
///
/// /// Deletes the flows with a mark; those that others delete meanwhile are no failure.
/// fn delete_marked(mark: u32) -> Result<u64, Error> {
///     let Deleted { deleted, .. } = FlowTable::open()?.delete_matching(&Filter::new().mark(mark))?;
///     Ok(deleted)
/// }
///
/// assert_eq!(Deleted::default().matched, 0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// Those that the filter selected.
    pub matched: u64,
    /// Those that were deleted.
    pub deleted: u64,
    /// Those that were gone by then.
    pub gone: u64,
}

/// Flows as the kernel hands them out: an iterator that holds one datagram of them in memory.
///
/// After an error it ends.
///
/// ```
/// use ctrs::{Error, Flow, FlowTable, List};
///
/// /// The sum of the packets, with one flow in memory for all.
/// fn packets() -> Result<u64, Error> {
///     let mut list: List = FlowTable::open()?.list()?;
///     let (mut flow, mut packets) = (Flow::default(), 0);
///     while list.next_into(&mut flow)? {
///         packets += flow.counters(ctrs::Direction::Original).map_or(0, |counters| counters.packets);
///     }
///     Ok(packets)
/// }
///
/// match packets() {
///     Ok(packets) => println!("{packets} packets"),
///     Err(error) => println!("{error}"),
/// }
/// ```
#[derive(Debug)]
#[must_use = "flows are received as the iterator is advanced"]
pub struct List {
    dump: Dump,
    /// What flows are checked against.
    checked: Selects,
}

impl List {
    /// Puts the next flow into `flow`, in place of what it holds; false at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`], [`ErrorKind::Lost`], [`ErrorKind::OutOfMemory`].
    pub fn next_into(&mut self, flow: &mut Flow) -> Result<bool, Error> {
        loop {
            let found = self.receive_into(flow);
            if found != Ok(true) {
                self.dump.end();
                return found;
            }
            if self.checked.selects(flow) {
                return found;
            }
        }
    }

    fn receive_into(&mut self, flow: &mut Flow) -> Result<bool, Error> {
        let Some(message) = self.dump.next()? else { return Ok(false) };
        let read = read(flow, &message).map(|()| true);
        read.map_err(|error| Error::from(error).of(RequestKind::List))
    }
}

/// Decodes a message into `flow` alone.
fn read(Flow(ct): &mut Flow, message: &Message<'_>) -> Result<(), error::Error> {
    ct.reset();
    Change::of(message).ok_or(error::Error::ForeignMessage)?;
    decode::as_far_as_possible(ct, message)
}

impl Iterator for List {
    type Item = Result<Flow, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut flow = Flow(Conntrack::new());
        self.next_into(&mut flow).map(|found| found.then_some(flow)).transpose()
    }
}

impl FusedIterator for List {}

impl AsFd for List {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dump.as_fd()
    }
}
