//! The loop that sends a batch and receives its answers.
#![forbid(unsafe_code)]

use super::{Batch, Limits, Step};
use crate::netlink::error::Error;
use crate::netlink::exchange::Exchange;
use crate::netlink::receiver::RECEIVE_SIZE;
use crate::netlink::socket::Socket;
use crate::netlink::wait::Stopper;

impl Limits {
    /// Those of a socket.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn of(socket: &Socket) -> Result<Self, Error> {
        Ok(Self { send: socket.longest_datagram()?, receive: 2 * socket.receive_buffer()? })
    }
}

impl Exchange {
    /// Sends what is not sent of a batch, and receives what becomes of it. Nothing else may be awaited
    /// on the socket, which hears no events.
    ///
    /// A stop ends it between two datagrams.
    ///
    /// # Errors
    /// That of the connection; [`Error::Stopped`]. The outcomes say what was done all the same.
    pub(crate) fn run_batch(
        &mut self,
        batch: &mut Batch,
        stopper: Option<&Stopper>,
    ) -> Result<(), Error> {
        // Before anything is sent, so that there is room for its answer.
        let mut datagram = Vec::new();
        datagram.try_reserve_exact(RECEIVE_SIZE)?;
        let limits = Limits::of(self.socket())?;
        loop {
            match batch.step(limits) {
                Step::Send(count) => {
                    let sent = self.send_batch(batch, count, stopper);
                    batch.sent(sent)?;
                }
                Step::Receive => {
                    let received = self.socket().receive(&mut datagram);
                    batch.received(received.map(|found| found.then_some(datagram.as_slice())))?;
                }
                Step::End => return Ok(()),
            }
        }
    }

    fn send_batch(
        &mut self,
        batch: &mut Batch,
        count: usize,
        stopper: Option<&Stopper>,
    ) -> Result<usize, Error> {
        if stopper.is_some_and(Stopper::ends_wait) {
            return Err(Error::Stopped);
        }
        batch.reserve_answers()?;
        let first = self.take_numbers(count);
        self.socket().send(batch.datagram(first))
    }
}
