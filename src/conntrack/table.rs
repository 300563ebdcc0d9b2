//! The flow table of a network namespace: read and changed.
#![forbid(unsafe_code)]

use crate::connection::{Connection, is};
use crate::conntrack::batch::Batch;
use crate::conntrack::change::Changes;
use crate::conntrack::deletion::Deleted;
use crate::conntrack::diagnose::Diagnosis;
use crate::conntrack::expression::Expression;
use crate::conntrack::filter::criteria::Filter;
use crate::conntrack::flow::Flow;
use crate::conntrack::key::Key;
use crate::conntrack::listing::{List, Listing};
use crate::conntrack::new_flow::NewFlow;
use crate::conntrack::one;
use crate::conntrack::stats::{CpuStatistics, Statistics};
use crate::conntrack::wire::query::{self, Query, Request};
use crate::conntrack::wire::stats;
use crate::error::{Error, ErrorKind};
use crate::netlink;
use crate::options::Options;
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
    pub(crate) connection: Connection,
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
        let mut flow = Flow::default();
        match self.connection.get(&key.into(), &mut flow.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            found => found.map(|()| Some(flow)),
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
        self.connection.update(&key.into(), one::Update::Changes(changes), None).map(drop)
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

    /// Sends the requests of a batch that are not sent yet, and receives what becomes of them. Returns
    /// how many have failed.
    ///
    /// # Errors
    /// That of the connection, not of a request: the results say which were done. What was not sent
    /// can be sent by calling this again.
    pub fn run(&mut self, batch: &mut Batch) -> Result<usize, Error> {
        self.connection.run(batch)
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
    /// Flows that come and go while the list is read may be in it or not. Others may be missing, or
    /// be there twice, if the kernel's hash table was resized meanwhile:
    /// [`is_consistent`](List::is_consistent).
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`], [`ErrorKind::System`].
    pub fn list(&self) -> Result<List, Error> {
        self.list_with(Listing::new())
    }

    /// As [`list`](Self::list), and sets the counters of each flow to zero.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn list_and_zero(&self) -> Result<List, Error> {
        self.list_with(Listing::zeroing())
    }

    /// As [`list`](Self::list), of the flows that a filter selects.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn list_matching(&self, filter: &Filter) -> Result<List, Error> {
        self.list_with(Listing::new().matching(filter))
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
        self.list_with(Listing::new().holding(expression)?)
    }

    /// As [`list`](Self::list), of what a listing says.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn list_with(&self, listing: Listing) -> Result<List, Error> {
        listing.begin(|| self.connection.another())
    }

    /// Deletes the flows that a filter selects, each by its key: one that takes the place of a flow
    /// that was listed is left.
    ///
    /// # Errors
    /// Those of [`list`](Self::list) and [`delete`](Self::delete); flows before are deleted.
    pub fn delete_matching(&mut self, filter: &Filter) -> Result<Deleted, Error> {
        self.delete_listed(Listing::new().matching(filter))
    }

    /// Deletes the flows of which an expression is definitely true, in batches, each by its key: one
    /// that takes the place of a flow that was listed is left. `all` deletes all.
    ///
    /// Between being listed and being deleted a flow may change, so that the expression is not true of
    /// it any more: it is deleted all the same. So is one that begins with the same tuple right when
    /// the listed one ends, to which the kernel can give the same id. No flow is deleted of which the
    /// expression was not true when it was listed, but for that.
    ///
    /// # Errors
    /// As [`delete_matching`](Self::delete_matching).
    pub fn delete_where(&mut self, expression: &Expression) -> Result<Deleted, Error> {
        self.delete_listed(Listing::new().holding(expression)?)
    }

    fn delete_listed(&mut self, listing: Listing) -> Result<Deleted, Error> {
        let mut list = self.list_with(listing.find_repeated(false))?;
        let mut count = Deleted::default();
        count.count(&mut list, Some(&mut self.connection))?;
        Ok(count)
    }

    /// What is in the way of new flows, of counters and of events in this network namespace, as this
    /// thread can see it now. Another namespace than the thread's takes `CAP_SYS_ADMIN` there.
    #[must_use]
    pub fn diagnose(&self) -> Diagnosis {
        Diagnosis::of_requests(self.connection.socket())
    }

    /// How full the table is.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn statistics(&mut self) -> Result<Statistics, Error> {
        let mut found = Statistics::default();
        self.connection.ask(&Request::Statistics(query::Statistics::Table), &mut |message| {
            found = Statistics::of(&stats::decode(message)?.1);
            Ok(())
        })?;
        Ok(found)
    }

    /// What each CPU has counted; those that are switched off too.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn cpu_statistics(&mut self) -> Result<Vec<CpuStatistics>, Error> {
        let mut found = Vec::new();
        self.connection.ask(&Request::Statistics(query::Statistics::Cpus), &mut |message| {
            let (cpu, counts) = stats::decode(message)?;
            found.try_reserve(1).map_err(netlink::Error::from)?;
            found.push(CpuStatistics::new(cpu, counts));
            Ok(())
        })?;
        Ok(found)
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
