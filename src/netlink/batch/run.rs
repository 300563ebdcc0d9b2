//! The loop that sends a batch and receives its answers.
#![forbid(unsafe_code)]

use super::{Batch, Limits, Step};
use crate::netlink::error::Error;
use crate::netlink::exchange::Exchange;
use crate::netlink::receiver::RECEIVE_SIZE;
use crate::netlink::socket::Socket;
use crate::netlink::wait::{Patience, Stopper};

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
    /// Answers are there when sending is over, so that the wait, and a stop, is between two datagrams.
    ///
    /// # Errors
    /// That of the connection, or of a wait. The outcomes say what was done all the same.
    pub(crate) fn run_batch(
        &mut self,
        batch: &mut Batch,
        patience: &Patience,
    ) -> Result<(), Error> {
        // Before anything is sent, so that there is room for its answer.
        let mut datagram = Vec::new();
        datagram.try_reserve_exact(RECEIVE_SIZE)?;
        let limits = Limits::of(self.socket())?;
        loop {
            match batch.step(limits) {
                Step::Send(count) => {
                    let sent = self.send_batch(batch, count, patience);
                    batch.sent(sent)?;
                }
                Step::Receive { wait } => {
                    let socket = self.socket();
                    let waits = if wait {
                        patience.wait(socket.as_fd(), patience.deadline())
                    } else {
                        Ok(())
                    };
                    let received = waits.and_then(|()| socket.receive(&mut datagram));
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
        patience: &Patience,
    ) -> Result<usize, Error> {
        if patience.stopper.as_ref().is_some_and(Stopper::ends_wait) {
            return Err(Error::Stopped);
        }
        batch.reserve_answers()?;
        let first = self.take_numbers(count);
        self.socket().send(batch.datagram(first))
    }
}
