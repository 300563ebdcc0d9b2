//! What keeps the flows of a table, from what is read of two sockets: events, and dumps.
//!
//! It makes no system call. Whoever drives it opens a socket for events, subscribes, and then:
//!
//! 1. While [`Replica::wants_dump`]: reads how many messages the socket has lost,
//!    [`Replica::prepare`]; reads all events that wait there, [`Replica::event`]; reads the number of
//!    buckets, [`Replica::begin`]; asks for a dump on the other socket. Reads both, events first:
//!    [`Replica::event`], [`Replica::listed`]. At its end [`Replica::end`]. A dump that cannot be
//!    trusted makes it want another one.
//! 2. Else reads events. What [`Replica::event`] returns it asks the kernel for at once, before it
//!    reads another event, and hands in the answer: [`Replica::got`].
//! 3. Whenever messages were lost, [`Replica::overrun`]; before a dump that is to be begun, 1. again.
//!
//! The order is what makes it exact. `Rule` says what is done with each message.
#![forbid(unsafe_code)]

mod changes;
mod epoch;
mod hear;
mod index;
mod keep;
mod key;
mod lookup;
mod merge;
mod rules;
mod see;
mod store;
#[cfg(test)]
mod tests;
mod view;

use crate::conntrack::error::Error;
use crate::conntrack::expression::Expression;
use crate::conntrack::key::Key;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::wire::Change;
use changes::{FOUND, Queue};
pub use changes::{Happened, TableChange};
pub use epoch::Ending;
use epoch::Epoch;
pub use key::Name;
pub use lookup::Kept;
use rules::Rule;
pub use store::AT_ONCE;
use store::Store;
use view::View;

/// What is kept, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Flows that are kept.
    pub flows: usize,
    /// Of these, such that no event has told of: silent ones, or nothing has happened to them.
    pub unheard: usize,
    /// Events that were taken in.
    pub events: u64,
    /// Messages lost, as far as the kernel counts them.
    pub lost: u64,
    /// Dumps that were read to their end, in vain or not.
    pub dumps: u64,
    /// How often messages were lost, or the memory for one was not there.
    pub overruns: u64,
    /// What a dump without losses has found changed that no event told.
    pub corrected: u64,
}

/// The flows of a table.
#[derive(Debug)]
pub struct Replica {
    store: Store,
    epoch: Epoch,
    queue: Queue,
    view: View,
    counts: Counts,
    heard: usize,
    /// Whether a dump is wanted.
    due: bool,
    /// Whether nothing was lost since a dump that was good.
    settled: bool,
    /// Dumps in a row that losses have spoilt.
    failures: u32,
    #[cfg(test)]
    broken: Option<Rule>,
}

impl Replica {
    /// Nothing yet, of which it keeps what a filter may select.
    pub fn new(filter: Option<Expression>) -> Self {
        Self {
            store: Store::new(),
            epoch: Epoch::default(),
            queue: Queue::default(),
            view: View(filter),
            counts: Counts::default(),
            heard: 0,
            due: true,
            settled: false,
            failures: 0,
            #[cfg(test)]
            broken: None,
        }
    }

    /// Whether a dump is to be made, and none is being read.
    pub fn wants_dump(&self) -> bool {
        self.due && !self.epoch.dumping
    }

    /// Whether a dump is being read.
    pub fn is_dumping(&self) -> bool {
        self.epoch.dumping
    }

    /// How many dumps in a row were for nothing, because messages were lost meanwhile. Who makes the
    /// next one may wait longer the more they are.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Has what is kept compared with the table, although nothing was lost: for flows that change
    /// without an event, and for counters.
    pub fn verify(&mut self) {
        self.due = true;
    }

    /// Before all events are read that wait: so many messages the socket has lost, 0 where that is not
    /// known. What is lost after this number was read and before the events were is not missed.
    pub fn prepare(&mut self, lost: u32) {
        self.epoch.lost = lost;
    }

    /// After that, and before a dump is asked for, which follows: the number of hash buckets is this.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; nothing has begun.
    pub fn begin(&mut self, buckets: Option<u32>) -> Result<(), Error> {
        self.queue.reserve(1)?;
        if !self.settled {
            self.queue.push(Happened::Resyncing, FOUND, [None; 2]);
        }
        self.due = false;
        self.forget();
        self.epoch.begin(buckets);
        Ok(())
    }

    /// Messages were lost here: an `ENOBUFS`, or the number of those lost has grown. By so many; 0 is by
    /// some.
    pub fn overrun(&mut self, lost: u32) {
        self.counts.overruns += 1;
        self.counts.lost += u64::from(lost);
        self.queue.lose(lost);
        self.doubt();
    }

    /// What is kept may not be what the table is.
    fn doubt(&mut self) {
        let noted = if self.epoch.dumping { Rule::EndOverrun } else { Rule::OverrunResyncs };
        if self.keeps(noted) {
            (self.epoch.overrun, self.due, self.settled) = (true, true, false);
        }
    }

    /// Takes in an event, and whether a request has caused it: whether the port of its header is not 0.
    /// Returns what is to be asked for before another event is read: a flow that is not known.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]: it counts as lost.
    pub fn event(
        &mut self,
        change: Change,
        by_request: bool,
        ct: Conntrack,
    ) -> Result<Option<Key>, Error> {
        let taken = self.hear(change, by_request, ct);
        if taken.is_err() {
            self.overrun(0);
        }
        taken
    }

    /// Takes in an entry of the dump.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]: the dump is for nothing.
    pub fn listed(&mut self, ct: Conntrack) -> Result<(), Error> {
        let taken = if self.epoch.dumping { self.see(ct) } else { Ok(()) };
        if taken.is_err() {
            self.doubt();
        }
        taken
    }

    /// Takes in the answer about a flow that was asked for; if there was none, nothing is to be done.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]: it counts as lost.
    pub fn got(&mut self, ct: Conntrack) -> Result<(), Error> {
        let taken = if self.is_foreign(&ct) { Ok(()) } else { self.take_whole(ct) };
        if taken.is_err() {
            self.overrun(0);
        }
        taken
    }

    /// The dump is over, or will not come to its end. Whether it was good.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]: it was for nothing.
    pub fn end(&mut self, ending: &Ending) -> Result<bool, Error> {
        let spoilt = self.is_spoilt(ending);
        let result = if spoilt { self.give_up(ending) } else { self.settle() };
        self.counts.dumps += 1;
        self.epoch.dumping = false;
        self.forget();
        if result.is_err() {
            (self.due, self.settled) = (true, false);
        }
        result.map(|()| !spoilt)
    }

    /// The oldest change that was not handed out.
    pub fn next_change(&mut self) -> Option<TableChange> {
        self.queue.pop(&mut self.store)
    }

    /// Whether changes wait.
    pub fn has_changes(&self) -> bool {
        !self.queue.is_empty()
    }
}
