//! What passes through one socket, in order: requests out, answers back, events in between.
//!
//! Requests are numbered, and an answer is its request's that bears the number. The rules are here
//! and nowhere else, without any system call: a loop asks [`Exchange::step`] what to do next, does
//! it, and tells what came of it. [`receiver`](super::receiver) is such a loop for Rust; the C layer
//! has its own, as callbacks that jump and threads that are cancelled leave it without coming back.
#![forbid(unsafe_code)]

use super::ack::Said;
use super::error::Error;
use super::message::{FAMILY_HEADER_SIZE, Message, align};
use super::socket::Socket;

const NLMSG_ERROR: u16 = libc::NLMSG_ERROR as u16;
const NLMSG_DONE: u16 = libc::NLMSG_DONE as u16;
const NLM_F_MULTI: u16 = libc::NLM_F_MULTI as u16;
const NLM_F_DUMP_INTR: u16 = libc::NLM_F_DUMP_INTR as u16;

/// A netlink socket and what is known of the requests made through it.
#[derive(Debug)]
pub struct Exchange {
    socket: Socket,
    first_seq: u32,
    last_seq: u32,
    /// The query that a loop waits for.
    query: Option<InProgress>,
    /// The dump that the kernel has not ended yet; it runs one at a time for a socket.
    running_dump: Option<u32>,
    /// Whether the kernel said of the last dump that what it lists changed meanwhile.
    interrupted: bool,
    unclaimed: Option<Result<(), Error>>,
    ended: EndedDumps,
    /// What the kernel said of the last request beside its status.
    said: Option<Said>,
    /// What a program asked the receive buffer to be, and the longest datagram that did not fit.
    asked: usize,
    longest: usize,
}

/// A query, and its outcome when a loop inside its own met it.
#[derive(Debug)]
struct InProgress {
    seq: u32,
    outcome: Option<Result<(), Error>>,
}

/// What a loop waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// The answer to the request with this number.
    Answer(u32),
    /// Whatever comes, until any answer is complete.
    Anything,
}

/// How far a query has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The kernel is still at a dump that was given up, and would refuse another.
    Draining(u32),
    /// The request is to be sent.
    Unsent,
    /// Answers are awaited.
    Waiting,
}

/// Where a loop stands: its goal, and the place in its datagram.
#[derive(Debug)]
pub struct Cursor {
    goal: Goal,
    dump: bool,
    phase: Phase,
    next: usize,
}

/// A message in the datagram of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    at: usize,
    length: usize,
    kind: u16,
    flags: u16,
    seq: u32,
}

impl Place {
    /// Whether it is the first of its datagram.
    pub(crate) fn is_first(&self) -> bool {
        self.at == 0
    }

    fn of(message: &Message<'_>, at: usize) -> Self {
        let length = message.bytes().len();
        Self { at, length, kind: message.kind, flags: message.flags, seq: message.seq }
    }

    /// The message, of the datagram it was found in.
    #[must_use]
    pub fn message<'a>(&self, datagram: &'a [u8]) -> Message<'a> {
        let bytes = datagram.get(self.at..self.at + self.length).unwrap_or_default();
        Message::parsed(bytes, self.kind, self.flags, self.seq)
    }
}

/// What a loop does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Send the request, and tell [`Exchange::sent`].
    Send,
    /// Receive a datagram, and tell [`Exchange::received`].
    Receive {
        /// Whether to wait for one.
        wait: bool,
    },
    /// This message is for the caller.
    Message(Place),
    /// The loop has come to its goal; [`Error::Refused`] is a refusal.
    End(Result<(), Error>),
}

/// Dumps whose requests had no number, and whose end was met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndedDumps {
    /// Those that came to their end.
    pub done: usize,
    /// Those that the kernel refused.
    pub refused: usize,
}

/// What becomes of a message.
enum Verdict {
    Deliver,
    Skip,
    End(Result<(), Error>),
}

impl Exchange {
    /// An exchange through `socket`, whose requests are numbered from `seq` + 1 on.
    #[must_use]
    pub fn new(socket: Socket, seq: u32) -> Self {
        Self {
            socket,
            first_seq: seq,
            last_seq: seq,
            query: None,
            running_dump: None,
            interrupted: false,
            unclaimed: None,
            ended: EndedDumps::default(),
            said: None,
            asked: 0,
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

    /// The number for the next request. 0 is that of requests without one.
    #[must_use]
    pub fn next_seq(&self) -> u32 {
        self.last_seq.wrapping_add(1).max(1)
    }

    /// Takes `count` numbers in a row for requests of a batch, and returns the first.
    pub fn take_numbers(&mut self, count: usize) -> u32 {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let next = self.next_seq();
        // 0 is none.
        let first = if next.checked_add(count).is_some() { next } else { 1 };
        self.last_seq = first.wrapping_add(count).wrapping_sub(1);
        first
    }

    /// Asks for a receive buffer of this many bytes, if a loop's own is smaller.
    pub fn ask_room(&mut self, size: usize) {
        self.asked = size;
    }

    /// Bytes a receive buffer needs, as far as is known: those asked for, and those of the longest
    /// datagram that did not fit one.
    #[must_use]
    pub fn room(&self) -> usize {
        self.asked.max(self.longest)
    }

    /// Begins a query with the number of [`next_seq`](Self::next_seq); `dump` says that its answer
    /// ends with an end marker in place of an acknowledgement.
    pub fn begin(&mut self, dump: bool) -> Cursor {
        let seq = self.next_seq();
        self.last_seq = seq;
        self.query = Some(InProgress { seq, outcome: None });
        self.said = None;
        let phase = self.running_dump.filter(|_| dump).map_or(Phase::Unsent, Phase::Draining);
        Cursor { goal: Goal::Answer(seq), dump, phase, next: 0 }
    }

    /// Begins to receive whatever comes, until any answer is complete.
    #[must_use]
    pub fn listen() -> Cursor {
        Cursor { goal: Goal::Anything, dump: false, phase: Phase::Waiting, next: 0 }
    }

    /// What the loop at `cursor` does next; `datagram` is the last one it received, or none.
    pub fn step(&mut self, cursor: &mut Cursor, datagram: &[u8]) -> Step {
        while let Some(message) = datagram.get(cursor.next..).and_then(Message::first) {
            let place = Place::of(&message, cursor.next);
            cursor.next += align(place.length);
            match self.judge(cursor, &message, place.at == 0) {
                Verdict::Deliver => return Step::Message(place),
                Verdict::Skip => {}
                Verdict::End(outcome) => return Step::End(outcome),
            }
        }
        match cursor.phase {
            // A dump at work always has something to receive: without, its end was lost.
            Phase::Draining(seq) if self.running_dump == Some(seq) => Step::Receive { wait: false },
            Phase::Draining(_) | Phase::Unsent => Step::Send,
            Phase::Waiting => match self.outcome_met_elsewhere(cursor) {
                Some(outcome) => Step::End(outcome),
                None => Step::Receive { wait: true },
            },
        }
    }

    /// Tells what sending the request came to.
    ///
    /// # Errors
    /// That of `result`.
    pub fn sent(&mut self, cursor: &mut Cursor, result: Result<usize, Error>) -> Result<(), Error> {
        result?;
        cursor.phase = Phase::Waiting;
        if let (Goal::Answer(seq), true) = (cursor.goal, cursor.dump) {
            self.running_dump = Some(seq);
            self.interrupted = false;
        }
        Ok(())
    }

    /// Tells what was received: a datagram, or `None` where there is none and none was waited for.
    ///
    /// # Errors
    /// That of `result`; [`Error::NoMessage`].
    pub fn received(
        &mut self,
        cursor: &mut Cursor,
        result: Result<Option<&[u8]>, Error>,
    ) -> Result<(), Error> {
        cursor.next = 0;
        match result {
            Ok(None) => self.running_dump = None,
            Ok(Some(datagram)) => drop(Message::first(datagram).ok_or(Error::NoMessage)?),
            Err(error) => {
                if let Error::Truncated(length) = error {
                    self.longest = self.longest.max(length);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// What the kernel said of the last query beside its status: of a refusal in what it consists, of
    /// a success a warning. It says so only on sockets that ask for it.
    #[must_use]
    pub fn said(&self) -> Option<&Said> {
        self.said.as_ref()
    }

    /// Whether the kernel said of the last dump, so far, that what it lists changed meanwhile.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// The dumps without a number whose end was met since this was asked last.
    pub fn take_ended(&mut self) -> EndedDumps {
        std::mem::take(&mut self.ended)
    }

    /// An outcome that a loop inside this one met.
    fn outcome_met_elsewhere(&mut self, cursor: &Cursor) -> Option<Result<(), Error>> {
        match cursor.goal {
            Goal::Answer(seq) => self.in_progress(seq)?.outcome,
            Goal::Anything => self.unclaimed.take(),
        }
    }

    fn in_progress(&mut self, seq: u32) -> Option<&mut InProgress> {
        self.query.as_mut().filter(|query| query.seq == seq)
    }

    /// Whether a request with this number was made here.
    fn is_ours(&self, seq: u32) -> bool {
        let made = self.last_seq.wrapping_sub(self.first_seq);
        seq.wrapping_sub(self.first_seq) <= made
    }

    fn judge(&mut self, cursor: &Cursor, message: &Message<'_>, first: bool) -> Verdict {
        if first && message.seq != 0 && !self.is_ours(message.seq) {
            return Verdict::End(Err(Error::BadSequence));
        }
        if message.flags & NLM_F_DUMP_INTR != 0 && self.running_dump == Some(message.seq) {
            self.interrupted = true;
        }
        match message.kind {
            NLMSG_ERROR => self.judge_end(cursor.goal, message),
            NLMSG_DONE if message.flags & NLM_F_MULTI != 0 => self.judge_end(cursor.goal, message),
            _ if message.payload().len() < FAMILY_HEADER_SIZE => {
                Verdict::End(Err(Error::ShortMessage))
            }
            _ => self.judge_data(cursor.goal, message.seq),
        }
    }

    /// An acknowledgement, a refusal or the end of a dump.
    fn judge_end(&mut self, goal: Goal, message: &Message<'_>) -> Verdict {
        let Some(status) = message.payload().first_chunk().copied().map(i32::from_ne_bytes) else {
            return Verdict::End(Err(Error::BadStatus));
        };
        let outcome = if status == 0 { Ok(()) } else { Err(Error::Refused(status.wrapping_neg())) };
        let seq = message.seq;
        if self.running_dump == Some(seq) {
            self.running_dump = None;
        }
        if seq == 0 {
            self.ended.done += usize::from(message.kind == NLMSG_DONE);
            self.ended.refused += usize::from(message.kind == NLMSG_ERROR && refuses_dump(message));
        }
        let waits = self.in_progress(seq).map(|query| query.outcome = Some(outcome)).is_some();
        if waits || goal == Goal::Anything {
            self.said = Said::of(message);
        }
        match goal {
            Goal::Answer(own) if own == seq => Verdict::End(outcome),
            Goal::Anything => Verdict::End(outcome),
            Goal::Answer(_) => {
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
            Goal::Answer(own) => seq == 0 || seq == own || !self.is_ours(seq),
        };
        if wanted { Verdict::Deliver } else { Verdict::Skip }
    }
}

/// Whether an acknowledgement, which holds the header of its request, is about a dump: there is one
/// only if it was refused.
fn refuses_dump(message: &Message<'_>) -> bool {
    const DUMP: u16 = libc::NLM_F_DUMP as u16;
    let flags = message.payload().get(4 + 6..).and_then(<[u8]>::first_chunk);
    flags.is_some_and(|flags| u16::from_ne_bytes(*flags) & DUMP == DUMP)
}

#[cfg(test)]
mod tests;
