//! The receive loop of Rust programs, with its buffer.
#![forbid(unsafe_code)]

use super::error::Error;
use super::exchange::{Cursor, Exchange, Place, Step};
use super::message::Message;
use super::wait::Patience;

/// Bytes a Rust loop has room for. The kernel fills at most 32 KiB with a dump, and echoes at most
/// a whole request in an error; what is not filled is never touched, so it costs nothing.
pub(super) const RECEIVE_SIZE: usize = 256 * 1024;

/// A loop with its receive buffer. It does not wait unless it is given patience.
#[derive(Debug)]
pub struct Receiver {
    cursor: Cursor,
    request: Vec<u8>,
    datagram: Vec<u8>,
    /// How it waits for what has not come yet.
    patience: Option<Patience>,
}

impl Default for Receiver {
    fn default() -> Self {
        let (request, datagram) = (Vec::new(), Vec::new());
        Self { cursor: Exchange::listen(), request, datagram, patience: None }
    }
}

impl Receiver {
    /// Receives whatever comes.
    #[must_use]
    pub fn listening() -> Self {
        Self::default()
    }

    /// Waits for what has not come yet, from now on; or does not.
    pub(crate) fn set_patience(&mut self, patience: Option<Patience>) {
        self.patience = patience;
    }

    /// The request, as it was sent.
    pub(crate) fn request(&self) -> &[u8] {
        &self.request
    }

    /// The message at a place of its datagram.
    pub(crate) fn message(&self, place: &Place) -> Message<'_> {
        place.message(&self.datagram)
    }
}

impl Exchange {
    /// Begins a query: `request` bears the number of [`next_seq`](Self::next_seq).
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn query(&mut self, request: &[u8], dump: bool) -> Result<Receiver, Error> {
        let mut receiver = Receiver::default();
        self.query_with(&mut receiver, request, dump)?;
        Ok(receiver)
    }

    /// Begins a query with the memory of a receiver that came to its goal or gave it up.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn query_with(
        &mut self,
        receiver: &mut Receiver,
        request: &[u8],
        dump: bool,
    ) -> Result<(), Error> {
        receiver.datagram.clear();
        receiver.request.clear();
        receiver.request.try_reserve_exact(request.len())?;
        receiver.request.extend_from_slice(request);
        receiver.cursor = self.begin(dump);
        Ok(())
    }

    /// The next message for the caller; `None` when the loop came to its goal.
    ///
    /// # Errors
    /// [`Error::Refused`]: the answer is a refusal. [`Error::Overrun`]: messages were lost. Those of
    /// [`Socket::send`] and [`Socket::receive`]. [`Error::BadSequence`], [`Error::ShortMessage`],
    /// [`Error::NoMessage`], [`Error::BadStatus`]: not what the kernel sends. The rest of the
    /// datagram is dropped; a listening loop may go on.
    pub fn next<'a>(&mut self, receiver: &'a mut Receiver) -> Result<Option<Message<'a>>, Error> {
        Ok(self.find(receiver)?.map(|place| receiver.message(&place)))
    }

    /// Where the next message for the caller is; `None` when the loop came to its goal.
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub(crate) fn find(&mut self, receiver: &mut Receiver) -> Result<Option<Place>, Error> {
        let advanced = self.advance(receiver);
        if advanced.is_err() {
            receiver.datagram.clear();
        }
        advanced
    }

    fn advance(&mut self, receiver: &mut Receiver) -> Result<Option<Place>, Error> {
        let mut deadline = None;
        loop {
            match self.step(&mut receiver.cursor, &receiver.datagram) {
                Step::Send => {
                    let result = self.socket().send(&receiver.request);
                    self.sent(&mut receiver.cursor, result)?;
                }
                Step::Receive { wait } => match self.receive(receiver) {
                    Ok(false) if wait => {
                        let patience = receiver.patience.as_ref().ok_or(Error::WOULD_BLOCK)?;
                        let until = *deadline.get_or_insert_with(|| patience.deadline());
                        patience.wait(self.socket().as_fd(), until)?;
                    }
                    result => {
                        let datagram = receiver.datagram.as_slice();
                        let datagram = result.map(|found| found.then_some(datagram));
                        self.received(&mut receiver.cursor, datagram)?;
                    }
                },
                Step::Message(place) => return Ok(Some(place)),
                Step::End(outcome) => return outcome.map(|()| None),
            }
        }
    }

    /// Receives what has come, if anything has.
    fn receive(&self, receiver: &mut Receiver) -> Result<bool, Error> {
        let datagram = &mut receiver.datagram;
        datagram.clear();
        datagram.try_reserve_exact(self.room().max(RECEIVE_SIZE))?;
        self.socket().receive(datagram)
    }
}
