//! Many requests about flows in few system calls.
#![forbid(unsafe_code)]

use crate::connection::Connection;
use crate::conntrack::asking::kind;
use crate::conntrack::change::Changes;
use crate::conntrack::flow::Flow;
use crate::conntrack::key::Key;
use crate::conntrack::new_flow::NewFlow;
#[cfg(feature = "capi")]
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::values::Id;
use crate::conntrack::wire::decode;
use crate::conntrack::wire::query::{Query, REQUEST_SIZE, Request};
use crate::error::asked::Asked;
use crate::error::{Error, RequestKind};
use crate::invalid::Invalid;
use crate::netlink;
use crate::netlink::ack::Said;
use crate::netlink::batch::{Answer, Outcome};
use crate::netlink::message::Message;
use crate::netlink::socket::Socket;
use crate::uapi::cta;

/// Requests that are sent many at a time, each with a result of its own: flows created, changed,
/// deleted, asked for. [`FlowTable::run`](crate::FlowTable::run) sends them.
///
/// The kernel does them strictly in order, and goes on after one that it refuses: it is no
/// transaction. Packets and other programs may come between any two of them.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{Batch, Flow, FlowTable};
/// use std::net::SocketAddr;
///
/// let mut batch = Batch::new();
/// for port in 1024..2048 {
///     let client = SocketAddr::new("192.0.2.1".parse()?, port);
///     batch.create(&Flow::udp(client, "198.51.100.7:53".parse::<SocketAddr>()?)?)?;
/// }
/// if FlowTable::open()?.run(&mut batch)? > 0 {
///     for error in batch.results().filter_map(Result::err) {
///         println!("{error}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Batch {
    requests: netlink::batch::Batch,
    /// Gets of a flow that was seen, in order, and the ids that count.
    ids: Vec<(usize, Id)>,
    returning: bool,
}

impl Batch {
    /// No request yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many requests there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Forgets all requests and results, and keeps the memory for the next.
    pub fn clear(&mut self) {
        self.requests.clear();
        self.ids.clear();
    }

    /// From now on, whether requests that create, change or delete return the flow as it is then, or
    /// as it was at its end.
    ///
    /// The kernel returns only flows that report events: with `net.netfilter.nf_conntrack_events` 1,
    /// or 2 and a listener somewhere, when they began. Where that is not so, a get that follows a
    /// create or an update, or precedes a delete, supplies it: requests are done in order.
    pub fn returning(&mut self, on: bool) {
        self.returning = on;
    }

    /// Creates a flow. Returns the index of the request, as the others do.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) as for
    /// [`FlowTable::create`](crate::FlowTable::create);
    /// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory). Nothing was added then.
    pub fn create(&mut self, flow: &NewFlow) -> Result<usize, Error> {
        self.add(&Request::Create(flow))
    }

    /// Creates a flow again that was seen, as [`FlowTable::restore`](crate::FlowTable::restore) does.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub fn restore(&mut self, flow: &Flow) -> Result<usize, Error> {
        self.add(&Request::Restore(flow))
    }

    /// Changes the flow with this key, whatever its id: the kernel cannot be asked to look at that.
    ///
    /// # Errors
    /// As for [`create`](Self::create). [`Changes::assured`] and [`Changes::fixed_timeout`] are
    /// refused: the kernel takes a status only whole, and what it is has to be asked for first, as
    /// [`FlowTable::update`](crate::FlowTable::update) does.
    pub fn update(&mut self, key: impl Into<Key>, changes: &Changes) -> Result<usize, Error> {
        if changes.status_bits() != 0 {
            return Err(Error::from(Invalid::StatusInBatch).of(RequestKind::Update));
        }
        self.add(&Request::Update(&key.into(), changes, 0))
    }

    /// Deletes the flow with this key, if it still is the one that was seen.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub fn delete(&mut self, key: impl Into<Key>) -> Result<usize, Error> {
        self.add(&Request::Delete(&key.into()))
    }

    /// Asks for the flow with this key, if it still is the one that was seen.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub fn get(&mut self, key: impl Into<Key>) -> Result<usize, Error> {
        let key = key.into();
        self.ids.try_reserve(1).map_err(netlink::Error::from)?;
        let index = self.add(&Request::Get(&key))?;
        self.ids.extend(key.id.map(|id| (index, id)));
        Ok(index)
    }

    /// Adds a request about the flow that an object is or names. A status that it has is sent as it
    /// is; of a flow to be deleted, or asked for, the id counts if it is given.
    ///
    /// # Errors
    /// Those of [`create`](Self::create); [`Invalid::NoTuple`], [`Invalid::Argument`].
    #[cfg(feature = "capi")]
    pub(crate) fn add_object(
        &mut self,
        query: Query,
        ct: &Conntrack,
        id: Option<u32>,
    ) -> Result<usize, Error> {
        let key = Key::named_by(ct).map(|key| key.with_id(id.map(Id)));
        let named = || key.ok_or_else(|| Error::from(Invalid::NoTuple));
        let status = ct.has(Attr::Status).then_some(ct.flat.status);
        match query {
            Query::Create | Query::CreateUpdate => self.add(&Request::Entry(query, ct)),
            Query::Update => self.add(&Request::Change(&named()?, ct, status)),
            Query::Destroy => self.delete(named()?),
            Query::Get => self.get(named()?),
            _ => Err(Invalid::NotInBatch.into()),
        }
    }

    /// Adds a request about one flow.
    pub(super) fn add(&mut self, request: &Request<'_>) -> Result<usize, Error> {
        let answer = match request.query() {
            Query::Get => Answer::Data,
            _ if self.returning => Answer::Echo,
            _ => Answer::Silent,
        };
        let build = |room: &mut [u8]| request.build(room, 0).map_err(Error::from);
        self.requests.add(REQUEST_SIZE, answer, build).map_err(|error| error.of(kind(request)))
    }

    /// What became of a request: the flow that it returned, if any, or why it failed; `None` if there
    /// is no request of this index.
    ///
    /// Of a request that was not sent the error is of the kind
    /// [`ErrorKind::NotSent`](crate::ErrorKind::NotSent). One whose answer was lost is of the kind of
    /// what lost it, as [`ErrorKind::Lost`](crate::ErrorKind::Lost): it may have been done.
    #[must_use]
    pub fn result(&self, index: usize) -> Option<Result<Option<Flow>, Error>> {
        let mut flow = Flow::default();
        let result = self.result_into(index, &mut flow.0, None)?;
        Some(result.map(|returned| returned.then_some(flow)))
    }

    /// What became of each request, in order.
    pub fn results(&self) -> impl Iterator<Item = Result<Option<Flow>, Error>> + '_ {
        (0..self.len()).filter_map(|index| self.result(index))
    }

    /// As [`result`](Self::result), with the flow in place of what `ct` holds; whether there is one.
    /// Where there is none `ct` is as it was. The cause of a refusal may be looked up through the
    /// socket.
    pub(crate) fn result_into(
        &self,
        index: usize,
        ct: &mut Conntrack,
        socket: Option<&Socket>,
    ) -> Option<Result<bool, Error>> {
        let outcome = self.requests.outcome(index)?;
        let result = match outcome {
            Outcome::Done => self.returned(index, ct),
            Outcome::Refused(errno) => Err(netlink::Error::Refused(errno).into()),
            Outcome::NotSent => Err(netlink::Error::NotSent.into()),
            Outcome::Unknown(error) => Err(error.into()),
        };
        Some(result.map_err(|error: Error| self.explained(index, error, socket)))
    }

    /// The error of a request, with what the kernel said of it and what it shows itself.
    fn explained(&self, index: usize, error: Error, socket: Option<&Socket>) -> Error {
        let Some(request) = self.requests.request(index) else { return error };
        let said = self.requests.answer(index).as_ref().and_then(Said::of);
        let asked = Asked { request: request.bytes(), said: said.as_ref(), socket };
        error.explained(asks(&request), &asked)
    }

    /// How many requests were done, and how many were refused with this `errno`.
    pub(super) fn tally(&self, errno: i32) -> (usize, usize) {
        let count = |wanted: Outcome| {
            (0..self.len()).filter(|index| self.requests.outcome(*index) == Some(wanted)).count()
        };
        (count(Outcome::Done), count(Outcome::Refused(errno)))
    }

    /// The first failure that is no refusal with this `errno`.
    pub(super) fn failure_but(&self, errno: i32) -> Option<Error> {
        let refused =
            |index: &usize| self.requests.outcome(*index) == Some(Outcome::Refused(errno));
        (0..self.len()).filter(|index| !refused(index)).find_map(|index| self.result(index)?.err())
    }

    /// Reads what a request returned.
    fn returned(&self, index: usize, into: &mut Conntrack) -> Result<bool, Error> {
        let Some(message) = self.requests.answer(index) else { return Ok(false) };
        let at = self.ids.binary_search_by_key(&index, |(at, _)| *at).ok();
        if at.and_then(|at| self.ids.get(at)).is_some_and(|seen| self.is_another(*seen)) {
            return Err(netlink::Error::Refused(libc::ENOENT).into());
        }
        let mut ct = Conntrack::new();
        decode::as_far_as_possible(&mut ct, &message)?;
        *into = ct;
        Ok(true)
    }

    /// Whether a get was answered with another flow than the one that was seen.
    fn is_another(&self, (index, id): (usize, Id)) -> bool {
        let done = self.requests.outcome(index) == Some(Outcome::Done);
        let message = self.requests.answer(index).filter(|_| done);
        message.is_some_and(|message| decode::id(&message) != Some(id.0))
    }

    /// How many have failed, may have, or were not sent.
    #[must_use]
    pub fn failed(&self) -> usize {
        let done = |index: &usize| self.requests.outcome(*index) == Some(Outcome::Done);
        let others = self.ids.iter().filter(|seen| self.is_another(**seen)).count();
        self.len() - (0..self.len()).filter(done).count() + others
    }
}

/// What a request asks.
fn asks(request: &Message<'_>) -> RequestKind {
    const CREATE: u16 = libc::NLM_F_CREATE as u16;
    match request.number() {
        cta::MSG_NEW if request.flags & CREATE != 0 => RequestKind::Create,
        cta::MSG_NEW => RequestKind::Update,
        cta::MSG_DELETE => RequestKind::Delete,
        _ => RequestKind::Get,
    }
}

impl Connection {
    /// Sends what is not sent of a batch, and receives what becomes of it. Returns how many requests
    /// have failed.
    ///
    /// # Errors
    /// Those of the connection.
    pub(crate) fn run(&mut self, batch: &mut Batch) -> Result<usize, Error> {
        let stopper = self.patience().stopper.clone();
        self.exchange().run_batch(&mut batch.requests, stopper.as_ref())?;
        Ok(batch.failed())
    }
}
