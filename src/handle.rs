//! A socket with what it takes to give every query its own answer.
//!
//! Requests are numbered. A loop that waits for an answer ([`Receiver`]) hands out the messages
//! that are for its caller, one at a time, so that the caller may use the same handle in between:
//! a loop inside a loop reads on where the outer one stands, and leaves word when it meets the
//! outer one's end. Answers to a query that was given up are passed over by the next ones.
#![forbid(unsafe_code)]

use crate::error::Error;
use crate::netlink::message::{FAMILY_HEADER_SIZE, Message, align};
use crate::netlink::socket::Socket;
use crate::wire::query::{REQUEST_SIZE, Request};

/// Bytes a receive loop has room for. The kernel fills at most 32 KiB with a dump, and echoes at
/// most a whole request in an error; what is not filled is never touched, so it costs nothing.
const RECEIVE_SIZE: usize = 256 * 1024;

const NLMSG_ERROR: u16 = libc::NLMSG_ERROR as u16;
const NLMSG_DONE: u16 = libc::NLMSG_DONE as u16;
const NLM_F_MULTI: u16 = libc::NLM_F_MULTI as u16;

/// A netlink socket, its numbered requests and its receive buffer.
#[derive(Debug)]
pub struct Handle {
    socket: Socket,
    first_seq: u32,
    last_seq: u32,
    queries: Vec<InProgress>,
    abandoned_dump: Option<u32>,
    unclaimed: Option<Result<(), Error>>,
    spare: Option<Vec<u8>>,
    /// What was asked for, and the longest datagram that did not fit.
    receive_size: usize,
    longest: usize,
}

/// A query whose loop is at work; `outcome` when a loop inside it met its end.
#[derive(Debug)]
struct InProgress {
    seq: u32,
    outcome: Option<Result<(), Error>>,
}

/// What a receive loop waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The answer to the request with this number.
    Answer(u32),
    /// The end of a dump that was given up; its entries are passed over.
    EndOfDump(u32),
    /// Whatever comes, until any answer is complete.
    Anything,
}

/// One receive loop.
#[derive(Debug)]
pub struct Receiver {
    goal: Goal,
    dump: bool,
    buffer: Vec<u8>,
    /// Where the current message begins.
    at: usize,
    /// Where the next message begins.
    next: usize,
}

impl Receiver {
    /// The message that [`Handle::next`] went to.
    #[must_use]
    pub fn message(&self) -> Option<Message<'_>> {
        self.buffer.get(self.at..).and_then(Message::first)
    }
}

/// What a loop does with a message.
enum Verdict {
    Deliver,
    Skip,
    End(Result<(), Error>),
}

impl Handle {
    /// A handle on `socket`, whose requests are numbered from `seq` on.
    #[must_use]
    pub fn new(socket: Socket, seq: u32) -> Self {
        Self {
            socket,
            first_seq: seq,
            last_seq: seq,
            queries: Vec::new(),
            abandoned_dump: None,
            unclaimed: None,
            spare: None,
            receive_size: RECEIVE_SIZE,
            longest: 0,
        }
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The socket, without the rest.
    #[must_use]
    pub fn into_socket(self) -> Socket {
        self.socket
    }

    /// Closes the socket, even while loops are at work: they end with `EBADF`.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn close(&mut self) -> Result<(), Error> {
        self.socket.close()
    }

    /// The number of the last request.
    #[must_use]
    pub fn last_seq(&self) -> u32 {
        self.last_seq
    }

    /// Says that requests up to `seq` were made through this socket by other means.
    pub fn set_last_seq(&mut self, seq: u32) {
        self.last_seq = seq;
    }

    /// Makes the receive buffer at least this large.
    pub fn set_receive_size(&mut self, size: usize) {
        self.receive_size = size.max(RECEIVE_SIZE);
    }

    /// Makes room for a datagram.
    fn reserve(&self, buffer: &mut Vec<u8>) -> Result<(), Error> {
        buffer.clear();
        Ok(buffer.try_reserve_exact(self.receive_size.max(self.longest))?)
    }

    /// The dump that was given up and still runs in the kernel, which refuses another until then.
    #[must_use]
    pub fn abandoned_dump(&self) -> Option<u32> {
        self.abandoned_dump
    }

    /// Sends a request without a number, whose answer a loop for [`Goal::Anything`] ends with.
    /// Returns the number of bytes sent.
    ///
    /// # Errors
    /// Those of [`Request::build`] and of sending.
    pub fn send(&mut self, request: &Request<'_>) -> Result<usize, Error> {
        let mut buffer = [0; REQUEST_SIZE];
        let length = request.build(&mut buffer)?;
        self.socket.send(buffer.get(..length).unwrap_or_default())
    }

    /// Sends a request and begins to wait for its answer.
    ///
    /// # Errors
    /// Those of [`Request::build`] and of sending; [`Error::OutOfMemory`].
    pub fn query(&mut self, request: &Request<'_>) -> Result<Receiver, Error> {
        let mut buffer = [0; REQUEST_SIZE];
        let length = request.build(&mut buffer)?;
        let seq = self.last_seq.wrapping_add(1).max(1);
        if let Some(field) = buffer.get_mut(8..).and_then(<[u8]>::first_chunk_mut) {
            *field = seq.to_ne_bytes();
        }
        let mut receiver = self.receiver(Goal::Answer(seq))?;
        receiver.dump = request.query().is_dump();
        self.queries.try_reserve(1)?;
        self.last_seq = seq;
        if let Err(error) = self.socket.send(buffer.get(..length).unwrap_or_default()) {
            self.spare = Some(receiver.buffer);
            return Err(error);
        }
        self.queries.push(InProgress { seq, outcome: None });
        Ok(receiver)
    }

    /// Begins a receive loop; [`end`](Self::end) must follow.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn receiver(&mut self, goal: Goal) -> Result<Receiver, Error> {
        let mut buffer = self.spare.take().unwrap_or_default();
        self.reserve(&mut buffer)?;
        Ok(Receiver { goal, dump: false, buffer, at: 0, next: 0 })
    }

    /// Ends a receive loop, whether it came to its goal or not.
    pub fn end(&mut self, receiver: Receiver) {
        if let Goal::Answer(seq) = receiver.goal {
            let Some(at) = self.queries.iter().position(|query| query.seq == seq) else { return };
            let unfinished = self.queries.get(at).is_some_and(|query| query.outcome.is_none());
            self.queries.truncate(at);
            if receiver.dump && unfinished {
                self.abandoned_dump = Some(seq);
            }
        }
        self.spare = Some(receiver.buffer);
    }

    /// Goes to the next message for the caller; false when the loop came to its goal.
    ///
    /// # Errors
    /// [`Error::Kernel`]: the answer is a refusal. [`Error::Overrun`]: messages were lost. Those of
    /// [`Socket::receive`]. [`Error::BadSequence`], [`Error::ShortMessage`], [`Error::NoMessage`],
    /// [`Error::BadStatus`]: not what the kernel sends. The rest of the datagram is dropped.
    pub fn next(&mut self, receiver: &mut Receiver) -> Result<bool, Error> {
        loop {
            if let Some(outcome) = self.take_outcome(receiver) {
                return outcome.map(|()| false);
            }
            receiver.at = receiver.next;
            let Some(message) = receiver.message() else {
                self.fill(receiver)?;
                continue;
            };
            let length = message.bytes().len();
            let verdict = self.judge(receiver.goal, &message, receiver.at == 0);
            receiver.next = receiver.at + align(length);
            match verdict {
                Verdict::Deliver => return Ok(true),
                Verdict::Skip => {}
                Verdict::End(outcome) => return outcome.map(|()| false),
            }
        }
    }

    /// Receives the next datagram.
    fn fill(&mut self, receiver: &mut Receiver) -> Result<(), Error> {
        receiver.next = 0;
        self.reserve(&mut receiver.buffer)?;
        let received = match receiver.goal {
            // A dump at work always has something to receive: without, its end was lost.
            Goal::EndOfDump(_) => self.socket.receive_now(&mut receiver.buffer),
            _ => self.socket.receive(&mut receiver.buffer).map(|()| true),
        };
        match received {
            Ok(false) => {
                self.abandoned_dump = None;
                Ok(())
            }
            Err(Error::Truncated(length)) => {
                self.longest = self.longest.max(length);
                Err(Error::Truncated(length))
            }
            Err(error) => Err(error),
            Ok(true) if Message::first(&receiver.buffer).is_none() => Err(Error::NoMessage),
            Ok(true) => Ok(()),
        }
    }

    /// An outcome that another loop met, once this one has handed out what it holds.
    fn take_outcome(&mut self, receiver: &Receiver) -> Option<Result<(), Error>> {
        if receiver.next < receiver.buffer.len() {
            return None;
        }
        match receiver.goal {
            Goal::Answer(seq) => self.in_progress(seq)?.outcome,
            Goal::EndOfDump(seq) => (self.abandoned_dump != Some(seq)).then_some(Ok(())),
            Goal::Anything => self.unclaimed.take(),
        }
    }

    fn in_progress(&mut self, seq: u32) -> Option<&mut InProgress> {
        self.queries.iter_mut().find(|query| query.seq == seq)
    }

    /// Whether a request with this number was made here.
    fn is_ours(&self, seq: u32) -> bool {
        let made = self.last_seq.wrapping_sub(self.first_seq);
        seq.wrapping_sub(self.first_seq) <= made
    }

    fn judge(&mut self, goal: Goal, message: &Message<'_>, first: bool) -> Verdict {
        if first && message.seq != 0 && !self.is_ours(message.seq) {
            return Verdict::End(Err(Error::BadSequence));
        }
        match message.kind {
            NLMSG_ERROR => self.judge_end(goal, message),
            NLMSG_DONE if message.flags & NLM_F_MULTI != 0 => self.judge_end(goal, message),
            _ if message.payload().len() < FAMILY_HEADER_SIZE => {
                Verdict::End(Err(Error::ShortMessage))
            }
            _ => self.judge_data(goal, message.seq),
        }
    }

    /// An acknowledgement, a refusal or the end of a dump.
    fn judge_end(&mut self, goal: Goal, message: &Message<'_>) -> Verdict {
        let Some(status) = message.payload().first_chunk().copied().map(i32::from_ne_bytes) else {
            return Verdict::End(Err(Error::BadStatus));
        };
        let outcome = if status == 0 { Ok(()) } else { Err(Error::Kernel(status.wrapping_neg())) };
        let seq = message.seq;
        if self.abandoned_dump == Some(seq) {
            self.abandoned_dump = None;
        }
        let waits = self.in_progress(seq).map(|query| query.outcome = Some(outcome)).is_some();
        match goal {
            Goal::Answer(own) | Goal::EndOfDump(own) if own == seq => Verdict::End(outcome),
            Goal::Anything => Verdict::End(outcome),
            _ => {
                if seq == 0 && !waits {
                    self.unclaimed = Some(outcome);
                }
                Verdict::Skip
            }
        }
    }

    /// A message with data: an event, or part of an answer.
    fn judge_data(&mut self, goal: Goal, seq: u32) -> Verdict {
        let wanted = match goal {
            Goal::Anything => true,
            Goal::EndOfDump(given_up) => seq != given_up,
            Goal::Answer(_) => seq == 0 || self.in_progress(seq).is_some() || !self.is_ours(seq),
        };
        if wanted { Verdict::Deliver } else { Verdict::Skip }
    }
}
