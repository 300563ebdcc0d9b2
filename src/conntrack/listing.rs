//! Lists of flows: of which, and how they are read.
#![forbid(unsafe_code)]

use crate::connection::Connection;
use crate::conntrack::dump::{Dump, Order, What};
use crate::conntrack::expression::Expression;
use crate::conntrack::filter::criteria::Filter;
use crate::conntrack::flow::Flow;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::record::FlowRecord;
use crate::conntrack::selects::Selects;
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use std::iter::FusedIterator;
use std::os::fd::{AsFd, BorrowedFd};

/// Which flows are listed, and how.
///
/// ```
/// use ctrs::{Error, Filter, FlowTable, Listing};
///
/// /// How many flows of a zone have ended of which a listener has not been told yet.
/// fn untold(zone: u16) -> Result<usize, Error> {
///     let listing = Listing::dying().matching(&Filter::new().zone(zone));
///     let mut list = FlowTable::open()?.list_with(listing)?;
///     Ok(list.by_ref().flatten().count())
/// }
///
/// match untold(0) {
///     Ok(flows) => println!("{flows} flows"),
///     Err(error) => println!("{error}"),
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a listing is what FlowTable::list_with takes"]
pub struct Listing {
    what: What,
    selects: Selects,
    search: bool,
}

impl Listing {
    /// The flows of the table.
    #[allow(clippy::new_without_default, reason = "it is one of three")]
    pub fn new() -> Self {
        Self::of(What::Flows)
    }

    /// The flows of the table, and sets the counters of those that are listed to zero. Where a filter
    /// selects them, that takes two more requests for each.
    pub fn zeroing() -> Self {
        Self::of(What::FlowsToZero)
    }

    /// The flows that have ended of which a listener that misses nothing has not been told yet.
    /// `is_consistent` tells nothing of them.
    pub fn dying() -> Self {
        Self::of(What::Dying)
    }

    fn of(what: What) -> Self {
        Self { what, selects: Selects::All, search: true }
    }

    /// Those of them that a filter selects, in place of an expression.
    pub fn matching(self, filter: &Filter) -> Self {
        Self { selects: Selects::Filter(filter.clone()), ..self }
    }

    /// Those of them of which an expression is definitely true, in place of a filter.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`].
    pub fn holding(self, expression: &Expression) -> Result<Self, Error> {
        Ok(Self { selects: Selects::Expression(expression.try_clone()?), ..self })
    }

    /// Whether flows that come twice are searched, as is done unless this says no: it takes 16 bytes
    /// of memory for each flow, and a few hundredths of the time.
    pub fn find_repeated(self, on: bool) -> Self {
        Self { search: on, ..self }
    }

    /// Begins a list through connections that are opened with `open`.
    pub(crate) fn begin(
        self,
        open: impl FnMut() -> Result<Connection, Error>,
    ) -> Result<List, Error> {
        let Self { what, selects, search } = self;
        let (kernel, checked) = (selects.narrowing()?, !selects.is_all());
        let order = kernel.as_ref().map(|kernel| {
            let kernel = checked.then_some(kernel);
            Order { what, kernel, checked, search }
        });
        Ok(List { dump: Dump::begin(open, order.as_ref())?, selects })
    }
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
    selects: Selects,
}

impl List {
    /// Puts the next flow into `flow`, in place of what it holds; false at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`], [`ErrorKind::Lost`], [`ErrorKind::OutOfMemory`].
    pub fn next_into(&mut self, flow: &mut Flow) -> Result<bool, Error> {
        let Self { dump, selects } = self;
        dump.next_of(flow, &|flow| selects.selects(flow))
    }

    /// Puts the records of the next flows into `records`, and tells how many it has filled: fewer than
    /// there is room for at the end, and before an error, which the next call tells.
    ///
    /// # Errors
    /// As [`next_into`](Self::next_into).
    pub fn next_records(&mut self, records: &mut [FlowRecord]) -> Result<usize, Error> {
        let Self { dump, selects } = self;
        let mut flow = Flow(Conntrack::new());
        let mut slots = records.iter_mut();
        dump.each_of(&mut flow, slots.len(), &|flow| selects.selects(flow), |_, flow| {
            if let Some(slot) = slots.next() {
                *slot = FlowRecord::default();
                slot.fill(&flow.0);
            }
        })
    }

    /// Whether no flow was missed and none came twice, as far as can be told of what was read: the
    /// kernel's hash table has as many buckets as in the beginning (where
    /// `net.netfilter.nf_conntrack_buckets` can be read), no flow came twice, and the kernel has not
    /// said that something changed. If not, list them again. Flows that came or went meanwhile do not
    /// count.
    pub fn is_consistent(&mut self) -> bool {
        self.dump.is_consistent()
    }
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
