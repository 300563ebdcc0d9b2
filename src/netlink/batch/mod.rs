//! Many requests, many of them in each datagram.
//!
//! The kernel does the requests of a datagram one after another while that is being sent, so their
//! answers are in the receive buffer when sending is over, and what is not there then will not come:
//! nothing is ever waited for. A refusal bears the number of its request. Success is silent, and so
//! the last request asks for an acknowledgement: when that is there, what was not refused was done.
//! Who lacks the privilege is answered once for the whole datagram, as if it were the first request.
//!
//! As in [`exchange`](super::exchange) there is no system call here: a loop asks [`Batch::step`] what
//! to do next, does it, and tells what came of it.
#![forbid(unsafe_code)]

mod run;

use super::error::Error;
use super::message::{FAMILY_HEADER_SIZE, HEADER_SIZE, Message, Messages, align};
use std::ops::Range;

const NLMSG_ERROR: u16 = libc::NLMSG_ERROR as u16;
const ACK: u16 = libc::NLM_F_ACK as u16;
const ECHO: u16 = libc::NLM_F_ECHO as u16;

/// Requests in a datagram: more is not faster, and their answers fit the default receive buffer.
const MOST: usize = 100;
/// Bytes that an answer takes of the receive buffer, as the kernel counts them: a refusal, and a
/// message with data.
const REFUSAL_COST: usize = 1280;
const DATA_COST: usize = 2304;
/// Bytes that is kept room for of a refusal, and of a message with data.
const REFUSAL_SIZE: usize = 128;
const DATA_SIZE: usize = 1024;
/// Bytes that the room for requests grows by.
const GROWTH: usize = 64 * 1024;

/// How the kernel answers a request that it does not refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Not at all.
    Silent,
    /// With data under the number of the request.
    Data,
    /// With the event that the request makes, if there is one. It bears no number, so that an
    /// acknowledgement has to follow it.
    Echo,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was not sent.
    NotSent,
    /// It was sent, and the answer is lost for this reason: it may be done or refused.
    Unknown(Error),
    /// It was done.
    Done,
    /// It was refused, with this `errno`.
    Refused(i32),
}

/// A request, and what is known of it.
#[derive(Debug)]
struct Entry {
    at: usize,
    answer: Answer,
    outcome: Option<Outcome>,
    /// The message with data, or the refusal, among the answers.
    told: Range<usize>,
}

/// How much one datagram may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that the kernel takes at once.
    pub send: usize,
    /// Bytes that the receive buffer holds, as the kernel counts them.
    pub receive: usize,
}

/// What a loop does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Take that many numbers in a row, send [`Batch::datagram`] and tell [`Batch::sent`].
    Send(usize),
    /// Receive a datagram, without waiting for one, and tell [`Batch::received`].
    Receive,
    /// All that could be sent is sent, and answered as far as it will be.
    End,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    /// No answer is awaited.
    #[default]
    Resting,
    /// Answers are read.
    Reading,
    /// Answers were lost: what is left is read.
    Overrun,
}

/// Requests, and what became of them.
#[derive(Debug, Default)]
pub struct Batch {
    entries: Vec<Entry>,
    /// The requests, in the first `used` bytes; the rest is room for the next.
    bytes: Vec<u8>,
    used: usize,
    /// Messages that the kernel answered with.
    answers: Vec<u8>,
    phase: Phase,
    /// The requests of the datagram that is sent.
    flight: Range<usize>,
    /// Those before this one have all the answers that they will have.
    answered: usize,
    first_seq: u32,
    /// How many requests a datagram holds after messages were lost.
    most: Option<usize>,
    /// What ends the run when the datagram is answered.
    failure: Option<Error>,
}

impl Batch {
    /// How many requests there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets all requests, and keeps the memory for the next.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.answers.clear();
        self.used = 0;
        self.rest();
        (self.flight, self.answered) = (0..0, 0);
    }

    /// Adds a request that `build` writes into a room of `size` bytes, and returns its index. Number
    /// and acknowledgement are seen to here.
    ///
    /// # Errors
    /// That of `build`; [`Error::OutOfMemory`]; [`Error::ShortMessage`], [`Error::TooLong`]: what was
    /// built is not one whole message, and would hide those behind it from the kernel. The batch is
    /// as it was.
    pub fn add<E: From<Error>>(
        &mut self,
        size: usize,
        answer: Answer,
        build: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        self.entries.try_reserve(1).map_err(Error::from)?;
        let room = self.room(size)?;
        let length = build(room)?;
        let message = room.get(..length).and_then(Message::first).ok_or(Error::ShortMessage)?;
        let whole = message.bytes().len();
        if whole != length {
            return Err(Error::TooLong { needed: length, room: whole }.into());
        }
        if message.payload().len() < FAMILY_HEADER_SIZE {
            return Err(Error::ShortMessage.into());
        }
        room.get_mut(length..align(length)).unwrap_or_default().fill(0);
        let entry = Entry { at: self.used, answer, outcome: None, told: 0..0 };
        self.entries.push(entry);
        self.used += align(length);
        Ok(self.entries.len() - 1)
    }

    /// Room for a request, and its padding.
    fn room(&mut self, size: usize) -> Result<&mut [u8], Error> {
        let end = self.used + align(size);
        if end > self.bytes.len() {
            let grown = end + GROWTH;
            self.bytes.try_reserve(grown - self.bytes.len())?;
            self.bytes.resize(grown, 0);
        }
        Ok(self.bytes.get_mut(self.used..end).unwrap_or_default())
    }

    /// What became of a request; `None` if there is none of this index.
    #[must_use]
    pub fn outcome(&self, index: usize) -> Option<Outcome> {
        self.entries.get(index).map(|entry| entry.outcome.unwrap_or(Outcome::NotSent))
    }

    /// The message that a request was answered with: data, an event, or the refusal.
    #[must_use]
    pub fn answer(&self, index: usize) -> Option<Message<'_>> {
        let told = self.entries.get(index)?.told.clone();
        self.answers.get(told).and_then(Message::first)
    }

    /// A request as it was sent last.
    #[must_use]
    pub fn request(&self, index: usize) -> Option<Message<'_>> {
        let at = self.entries.get(index)?.at;
        self.bytes.get(at..self.used).and_then(Message::first)
    }

    /// What the loop does next.
    pub fn step(&mut self, limits: Limits) -> Step {
        match self.phase {
            Phase::Reading | Phase::Overrun => return Step::Receive,
            Phase::Resting => {}
        }
        self.flight = self.flight.end..self.flight.end + self.fitting(limits);
        if self.flight.is_empty() { Step::End } else { Step::Send(self.flight.len()) }
    }

    /// How many of the requests that follow go into one datagram: at least one, if there is one.
    fn fitting(&self, limits: Limits) -> usize {
        let rest = self.entries.get(self.flight.end..).unwrap_or_default();
        let Some(first) = rest.first() else { return 0 };
        let mut cost = 0;
        let fits = |(index, entry): &(usize, &Entry)| {
            cost += match entry.answer {
                Answer::Silent => REFUSAL_COST,
                Answer::Data => DATA_COST,
                Answer::Echo => DATA_COST + REFUSAL_COST,
            };
            let sent = self.end_of(self.flight.end + index) - first.at;
            *index == 0 || (cost <= limits.receive && sent <= limits.send)
        };
        rest.iter().take(self.most.unwrap_or(MOST)).enumerate().take_while(fits).count()
    }

    /// Where a request ends.
    fn end_of(&self, index: usize) -> usize {
        self.entries.get(index + 1).map_or(self.used, |next| next.at)
    }

    /// Makes room for the usual answers to the datagram that is to be sent.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn reserve_answers(&mut self) -> Result<(), Error> {
        let flight = self.entries.get(self.flight.clone()).unwrap_or_default();
        let size = |entry: &Entry| match entry.answer {
            Answer::Silent => REFUSAL_SIZE,
            Answer::Data | Answer::Echo => DATA_SIZE,
        };
        Ok(self.answers.try_reserve(flight.iter().map(size).sum())?)
    }

    /// The datagram to send, whose requests bear the numbers from `first_seq` on.
    pub fn datagram(&mut self, first_seq: u32) -> &[u8] {
        self.first_seq = first_seq;
        let last = self.flight.end.saturating_sub(1);
        let flight = self.entries.get(self.flight.clone()).unwrap_or_default();
        for (index, entry) in flight.iter().enumerate() {
            let asks = match entry.answer {
                Answer::Echo => ECHO | ACK,
                Answer::Silent if self.flight.start + index == last => ACK,
                _ => 0,
            };
            let seq = first_seq.wrapping_add(index as u32);
            let request = self.bytes.get_mut(entry.at..).unwrap_or_default();
            number(request, seq, asks);
        }
        let start = flight.first().map_or(0, |entry| entry.at);
        self.bytes.get(start..self.end_of(last)).unwrap_or_default()
    }

    /// Tells what sending came to.
    ///
    /// # Errors
    /// That of `result`: the requests of the datagram count as not sent.
    pub fn sent(&mut self, result: Result<usize, Error>) -> Result<(), Error> {
        if let Err(error) = result {
            self.flight.end = self.flight.start;
            return Err(error);
        }
        self.answered = self.flight.start;
        self.phase = Phase::Reading;
        Ok(())
    }

    /// Tells what was received: a datagram, or `None` if there is none.
    ///
    /// # Errors
    /// That of `result`, but for [`Error::Overrun`], which is an outcome of requests. What has no
    /// answer by then has the outcome [`Outcome::Unknown`].
    pub fn received(&mut self, result: Result<Option<&[u8]>, Error>) -> Result<(), Error> {
        match result {
            Ok(Some(datagram)) => {
                Messages::new(datagram).for_each(|message| self.take(&message));
                if self.answered == self.flight.end {
                    let whole = self.phase != Phase::Overrun;
                    self.settle(if whole { None } else { Some(Error::Overrun) }, whole);
                }
            }
            Ok(None) if self.phase == Phase::Overrun => self.settle(Some(Error::Overrun), true),
            Ok(None) => {
                self.refuse_all();
                self.settle(Some(Error::TimedOut), true);
            }
            Err(Error::Overrun) => {
                self.most = Some((self.flight.len() / 2).max(1));
                self.phase = Phase::Overrun;
            }
            Err(Error::NotFromKernel | Error::BadSender) => {}
            Err(error) => {
                self.settle(Some(error), true);
                return Err(error);
            }
        }
        match self.failure.take_if(|_| self.phase == Phase::Resting) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Takes an answer to one of the requests that were sent last.
    fn take(&mut self, message: &Message<'_>) {
        let refusal = message.kind == NLMSG_ERROR;
        let Some(index) =
            (if message.seq == 0 { self.echoing() } else { self.of_seq(message.seq) })
        else {
            return;
        };
        let status = message.payload().first_chunk().copied().map(i32::from_ne_bytes);
        let mut outcome = match status.filter(|_| refusal) {
            Some(status) if status != 0 => Outcome::Refused(status.wrapping_neg()),
            _ => Outcome::Done,
        };
        let acknowledged = refusal && outcome == Outcome::Done;
        let kept = if acknowledged { Ok(None) } else { self.keep(message).map(Some) };
        if let (Err(error), false) = (&kept, refusal) {
            outcome = Outcome::Unknown(*error);
            self.failure = Some(*error);
        }
        let Some(entry) = self.entries.get_mut(index) else { return };
        if let Ok(Some(told)) = kept {
            entry.told = told;
        }
        if !matches!(entry.outcome, Some(Outcome::Unknown(_))) {
            entry.outcome = Some(outcome);
        }
        // After an echo, the acknowledgement is still to come.
        if refusal || entry.answer == Answer::Data {
            self.answered = index + 1;
        }
    }

    /// The first request whose event may still come.
    fn echoing(&self) -> Option<usize> {
        let waits = |index: &usize| {
            let entry = self.entries.get(*index);
            entry.is_some_and(|entry| entry.answer == Answer::Echo && entry.told.is_empty())
        };
        (self.answered..self.flight.end).find(waits)
    }

    /// The request with this number, of those that were sent last.
    fn of_seq(&self, seq: u32) -> Option<usize> {
        let index = seq.wrapping_sub(self.first_seq) as usize;
        (index < self.flight.len()).then_some(self.flight.start + index)
    }

    /// Keeps a message.
    fn keep(&mut self, message: &Message<'_>) -> Result<Range<usize>, Error> {
        let (start, bytes) = (self.answers.len(), message.bytes());
        self.answers.try_reserve(bytes.len())?;
        self.answers.extend_from_slice(bytes);
        Ok(start..self.answers.len())
    }

    /// Nothing has come behind the refusal of the first request: if that was for want of a privilege
    /// it was that of all.
    fn refuse_all(&mut self) {
        let Some((first, rest)) =
            self.entries.get_mut(self.flight.clone()).and_then(<[Entry]>::split_first_mut)
        else {
            return;
        };
        let alone = rest.iter().all(|entry| entry.outcome.is_none());
        if alone && first.outcome == Some(Outcome::Refused(libc::EPERM)) {
            for entry in rest {
                entry.outcome = first.outcome;
                entry.told.clone_from(&first.told);
            }
        }
    }

    /// Ends the reading of answers. What is lost is the end of them, if `in_order`: so what came
    /// before the last answer and has none was done. That is so when the receive buffer was full,
    /// for the kernel fills no gap before all is read; not when it had no memory for an answer.
    fn settle(&mut self, lost: Option<Error>, in_order: bool) {
        let lost = lost.unwrap_or(Error::Overrun);
        for index in self.flight.clone() {
            let Some(entry) = self.entries.get_mut(index) else { continue };
            let done = in_order && index < self.answered && entry.answer == Answer::Silent;
            entry.outcome.get_or_insert(if done { Outcome::Done } else { Outcome::Unknown(lost) });
        }
        self.phase = Phase::Resting;
    }

    /// Nothing is awaited any more.
    fn rest(&mut self) {
        (self.phase, self.most, self.failure) = (Phase::Resting, None, None);
    }
}

/// Writes a number into a request, and which answers it asks for.
fn number(request: &mut [u8], seq: u32, asks: u16) {
    let Some([_, _, _, _, _, _, f0, f1, s0, s1, s2, s3, ..]) =
        request.first_chunk_mut::<HEADER_SIZE>()
    else {
        return;
    };
    let flags = u16::from_ne_bytes([*f0, *f1]) & !(ACK | ECHO) | asks;
    [*f0, *f1] = flags.to_ne_bytes();
    [*s0, *s1, *s2, *s3] = seq.to_ne_bytes();
}

#[cfg(test)]
mod tests;
