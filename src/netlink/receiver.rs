//! The receive loop of Rust programs, with its buffer.
#![forbid(unsafe_code)]

use super::error::Error;
use super::exchange::{Cursor, Exchange, Place, Step};
use super::message::Message;
use super::origin::Origin;

/// Bytes a Rust loop has room for. The kernel fills at most 32 KiB with a dump, and echoes at most
/// a whole request in an error; what is not filled is never touched, so it costs nothing.
const RECEIVE_SIZE: usize = 256 * 1024;

/// A loop with its receive buffer.
#[derive(Debug)]
pub struct Receiver {
    cursor: Cursor,
    request: Vec<u8>,
    datagram: Vec<u8>,
    /// Whether it waits for what has not come yet.
    waits: bool,
    /// The namespace that the datagram is from, if the loop asks.
    origin: Option<Origin>,
}

impl Receiver {
    /// Waits for whatever comes.
    #[must_use]
    pub fn listening() -> Self {
        Self::new(Exchange::listen(), Vec::new())
    }

    fn new(cursor: Cursor, request: Vec<u8>) -> Self {
        Self { cursor, request, datagram: Vec::new(), waits: true, origin: None }
    }

    /// Ends with [`Error::WOULD_BLOCK`] where there would be something to wait for.
    #[must_use]
    pub(crate) fn without_waiting(self) -> Self {
        Self { waits: false, ..self }
    }

    /// Asks of which namespace each datagram is.
    #[must_use]
    pub(crate) fn asking_for_origin(self) -> Self {
        Self { origin: Some(Origin::default()), ..self }
    }
}

impl Exchange {
    /// Begins a query: `request` bears the number of [`next_seq`](Self::next_seq).
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn query(&mut self, request: &[u8], dump: bool) -> Result<Receiver, Error> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(request.len())?;
        copy.extend_from_slice(request);
        Ok(Receiver::new(self.begin(dump), copy))
    }

    /// The next message for the caller; `None` when the loop came to its goal.
    ///
    /// # Errors
    /// [`Error::Refused`]: the answer is a refusal. [`Error::Overrun`]: messages were lost. Those of
    /// [`Socket::send`] and [`Socket::receive`]. [`Error::BadSequence`], [`Error::ShortMessage`],
    /// [`Error::NoMessage`], [`Error::BadStatus`]: not what the kernel sends. The rest of the
    /// datagram is dropped; a listening loop may go on.
    pub fn next<'a>(&mut self, receiver: &'a mut Receiver) -> Result<Option<Message<'a>>, Error> {
        Ok(self.next_from(receiver)?.map(|(message, _)| message))
    }

    /// As [`next`](Self::next), and the kernel's id of the namespace that the message is from; `None`
    /// for the socket's own.
    pub(crate) fn next_from<'a>(
        &mut self,
        receiver: &'a mut Receiver,
    ) -> Result<Option<(Message<'a>, Option<i32>)>, Error> {
        let advanced = self.advance(receiver);
        if advanced.is_err() {
            receiver.datagram.clear();
        }
        let namespace = receiver.origin.and_then(|origin| origin.namespace);
        Ok(advanced?.map(|place| (place.message(&receiver.datagram), namespace)))
    }

    fn advance(&mut self, receiver: &mut Receiver) -> Result<Option<Place>, Error> {
        let Receiver { cursor, request, datagram, waits, origin } = receiver;
        loop {
            match self.step(cursor, datagram) {
                Step::Send => {
                    let result = self.socket().send(request);
                    self.sent(cursor, result)?;
                }
                Step::Receive { wait } => {
                    datagram.clear();
                    datagram.try_reserve_exact(self.room().max(RECEIVE_SIZE))?;
                    let result = match origin {
                        Some(origin) => {
                            self.socket().receive_from(datagram, wait && *waits, origin)
                        }
                        None => self.socket().receive(datagram, wait && *waits),
                    };
                    if wait && result == Ok(false) {
                        return Err(Error::WOULD_BLOCK);
                    }
                    let datagram = result.map(|found| found.then_some(datagram.as_slice()));
                    self.received(cursor, datagram)?;
                }
                Step::Message(place) => return Ok(Some(place)),
                Step::End(outcome) => return outcome.map(|()| None),
            }
        }
    }
}
