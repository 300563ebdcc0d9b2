//! What the kernel lists, read as it is asked for, through a socket of its own.
#![forbid(unsafe_code)]

mod keys;
mod listed;
mod watch;

use crate::connection::{Answer, Ask, Connection, is};
use crate::conntrack::filter::dump::DumpFilter;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::wire::query::{Query, Request};
use crate::conntrack::zeroing::{Next, Zeroing};
use crate::error::{Error, ErrorKind, RequestKind};
pub use listed::Listed;
#[cfg(feature = "capi")]
pub use listed::WithId;
use std::os::fd::BorrowedFd;
use watch::Watch;

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Flows.
    Flows,
    /// Flows, whose counters are set to zero.
    FlowsToZero,
    /// Flows that have ended while somebody is still to be told so.
    Dying,
    /// Expectations.
    Expectations,
}

/// How a list is made.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// What is listed.
    pub what: What,
    /// What the kernel leaves out of flows that are not dying.
    pub kernel: Option<&'a DumpFilter>,
    /// Whether what the kernel hands out is checked again: counters are then set to zero one by one.
    pub checked: bool,
    /// Whether keys that come twice are searched.
    pub search: bool,
}

impl<'a> Order<'a> {
    /// All there is.
    #[must_use]
    pub fn of(what: What) -> Self {
        Self { what, kernel: None, checked: false, search: true }
    }

    fn request(&self) -> Request<'a> {
        let zero = self.what == What::FlowsToZero && !self.checked;
        match (self.what, self.kernel, zero) {
            (What::Expectations, ..) => Request::Expectations(Query::Dump, 0),
            (What::Dying, ..) => Request::Dying,
            (_, None, false) => Request::Entries(Query::Dump, 0),
            (_, None, true) => Request::Entries(Query::DumpReset, 0),
            (_, Some(kernel), false) => Request::Narrowed(Query::DumpFilter, kernel),
            (_, Some(kernel), true) => Request::Narrowed(Query::DumpFilterReset, kernel),
        }
    }
}

/// A list that is read.
#[derive(Debug)]
pub struct Dump {
    answer: Answer,
    watch: Watch,
    /// What sets counters to zero one by one.
    zeroing: Option<Connection>,
    /// An error behind entries that were read.
    pending: Option<Error>,
}

impl Dump {
    /// Begins a list, through connections that are opened with `open`. Without an order it is empty.
    ///
    /// # Errors
    /// Those of `open`; [`ErrorKind::OutOfMemory`].
    pub(crate) fn begin(
        mut open: impl FnMut() -> Result<Connection, Error>,
        order: Option<&Order<'_>>,
    ) -> Result<Self, Error> {
        let what = order.map_or(What::Flows, |order| order.what);
        let kind = match what {
            What::Expectations => RequestKind::ListExpectations,
            _ => RequestKind::List,
        };
        let request = order.map(Order::request);
        let one_by_one = what == What::FlowsToZero && order.is_some_and(|order| order.checked);
        Ok(Self {
            answer: open()?.begin(request.as_ref().map(|request| request as &dyn Ask), kind)?,
            watch: order.map_or_else(Watch::nothing, Watch::of),
            zeroing: one_by_one.then(open).transpose()?,
            pending: None,
        })
    }

    /// The descriptor.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.answer.as_fd()
    }

    /// Puts the next entry into `entry`, in place of what it holds; false at the end, as after an
    /// error.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`], [`ErrorKind::Lost`], [`ErrorKind::OutOfMemory`].
    pub(crate) fn next<T: Listed>(&mut self, entry: &mut T) -> Result<bool, Error> {
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        let found = self.receive(entry);
        if !matches!(found, Ok(true)) {
            self.end();
        }
        found
    }

    fn receive<T: Listed>(&mut self, entry: &mut T) -> Result<bool, Error> {
        let Self { answer, watch, .. } = self;
        let kind = answer.kind();
        let Some((message, is_first)) = answer.next_in_place()? else { return Ok(false) };
        if is_first {
            watch.look();
        }
        let read = entry.read(&message).map_err(Error::from);
        let noted = read.and_then(|()| Ok(watch.note(|| entry.key(&message))?));
        noted.map(|()| true).map_err(|error| error.of(kind))
    }

    /// As [`next`](Self::next), of the entries that are wanted.
    pub(crate) fn next_of<T: Listed>(
        &mut self,
        entry: &mut T,
        wanted: &dyn Fn(&T) -> bool,
    ) -> Result<bool, Error> {
        while self.next(entry)? {
            if wanted(entry) && self.zero(entry)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Hands out the next entries that are wanted, `most` at most, one after another in `entry`, and
    /// tells how many there were. An error behind some of them is told by the next call.
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub(crate) fn each_of<T: Listed>(
        &mut self,
        entry: &mut T,
        most: usize,
        wanted: &dyn Fn(&T) -> bool,
        mut take: impl FnMut(usize, &T),
    ) -> Result<usize, Error> {
        for at in 0..most {
            match self.next_of(entry, wanted) {
                Ok(true) => take(at, entry),
                Ok(false) => return Ok(at),
                Err(error) if at == 0 => return Err(error),
                Err(error) => {
                    self.pending = Some(error);
                    return Ok(at);
                }
            }
        }
        Ok(most)
    }

    fn end(&mut self) {
        self.answer.end();
        self.watch.look();
    }

    /// Sets the counters of a flow to zero that was listed, where that is done one by one, and reads
    /// what they were; false if it has ended meanwhile.
    fn zero(&mut self, entry: &mut impl Listed) -> Result<bool, Error> {
        let (Some(connection), Some(flow)) = (&mut self.zeroing, entry.flow()) else {
            return Ok(true);
        };
        let zeroed = zero(connection, flow);
        if zeroed.is_err() {
            self.end();
        }
        zeroed
    }

    /// Whether no entry was missed and none came twice, as far as can be told of what was read.
    pub(crate) fn is_consistent(&mut self) -> bool {
        if !self.answer.is_ended() {
            self.watch.look();
        }
        !self.answer.is_interrupted() && self.watch.is_consistent()
    }
}

/// Sets the counters of a flow to zero and reads it as it was; false if it has ended meanwhile, or
/// cannot be told from another.
fn zero(connection: &mut Connection, flow: &mut Conntrack) -> Result<bool, Error> {
    if !flow.has(Attr::Id) {
        return Ok(false);
    }
    let (mut zeroing, mut read) = (Zeroing::of(flow), Conntrack::new());
    loop {
        let request = zeroing.request(flow);
        let answered = connection.ask(&request, &mut |message| {
            if zeroing.hands_on(message) {
                read.read(message)?;
            }
            Ok(())
        });
        match zeroing.after(there(answered)?) {
            Next::Ask => {}
            Next::Done => break,
            Next::Gone => return Ok(false),
        }
    }
    *flow = read;
    Ok(true)
}

/// Whether there was what was asked for.
fn there(answered: Result<(), Error>) -> Result<bool, Error> {
    if is(&answered, ErrorKind::NotFound) { Ok(false) } else { answered.map(|()| true) }
}
