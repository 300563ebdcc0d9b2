//! Requests and their answers, told apart from the packets that come through the same socket.
//!
//! The kernel has answered before the request's system call returns, so nothing is waited for: what
//! is queued is read, packets and all, up to the answer with the request's own number. The rules are
//! here, without any system call: a loop asks [`Requests::step`] what to do next, does it, and tells
//! what came of it.
//!
//! A full receive buffer loses answers too. Where the queue is empty and the answer was not in it, the
//! request is made again, and what the kernel says of a second time is known.
#![forbid(unsafe_code)]

use super::config::Command;
use super::datagram::{Found, Walk};
use crate::netlink::Error;

/// How often a request is made before it is given up. Each time the queue was empty before, so even
/// one loss after another is rare.
const TRIES: u8 = 16;

/// Answers that are kept for the requests that they were not read by.
const STRAYS: usize = 8;

/// The requests made through one socket.
#[derive(Debug)]
pub struct Requests {
    last_seq: u32,
    /// Answers that a request met inside a callback of the one that they are for: number and `errno`.
    strays: [(u32, i32); STRAYS],
    next_stray: usize,
}

/// A request in progress: plain data, for a loop may be left by a jump.
#[derive(Debug)]
pub struct Asking {
    seq: u32,
    /// What the kernel says if the request was done before.
    again: Option<i32>,
    tries: u8,
    phase: Phase,
    walk: Walk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Unsent,
    /// It was sent, and its answer is still to be read.
    Sent,
    /// The kernel's `errno`, or 0.
    Answered(i32),
}

/// What a loop does next.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// Send the request, and tell [`Asking::sent`].
    Send,
    /// Receive a datagram without waiting for one, and tell [`Asking::received`].
    Receive,
    /// This is no answer: a packet, or a message of another subsystem.
    Message(Found<'a>),
    /// The request is answered: [`Error::Refused`] is a refusal. Or it was given up:
    /// [`Error::Overrun`].
    End(Result<(), Error>),
}

impl Requests {
    /// Requests that are numbered from `seq` + 1 on.
    #[must_use]
    pub fn new(seq: u32) -> Self {
        Self { last_seq: seq, strays: [(0, 0); STRAYS], next_stray: 0 }
    }

    /// Says that requests up to `seq` were made through the socket by other means.
    pub fn set_last_seq(&mut self, seq: u32) {
        self.last_seq = seq;
    }

    /// Begins a request with this command, or with settings alone.
    pub fn begin(&mut self, command: Option<Command>) -> Asking {
        // 0 is the number of what was not asked for.
        self.last_seq = self.last_seq.wrapping_add(1).max(1);
        let again = match command {
            Some(Command::Bind) => Some(libc::EBUSY),
            Some(Command::Unbind) => Some(libc::ENODEV),
            _ => None,
        };
        Asking { seq: self.last_seq, again, tries: 0, phase: Phase::Unsent, walk: Walk::OVER }
    }

    /// What the loop of a request does next; `datagram` is the last one that it received, or none.
    pub fn step<'a>(&mut self, asking: &mut Asking, datagram: &'a [u8]) -> Step<'a> {
        // What is malformed ends the datagram, not the request.
        while let Some(Ok(found)) = asking.walk.next(datagram) {
            match found {
                Found::Answer { seq, errno } if seq == asking.seq => {
                    asking.phase = Phase::Answered(errno);
                }
                Found::Answer { seq, errno } => self.keep_stray(seq, errno),
                Found::Packet(_) | Found::Other(_) => return Step::Message(found),
            }
        }
        if let (Phase::Sent, Some(errno)) = (asking.phase, self.take_stray(asking.seq)) {
            asking.phase = Phase::Answered(errno);
        }
        match asking.phase {
            Phase::Unsent if asking.tries == TRIES => Step::End(Err(Error::Overrun)),
            Phase::Unsent => Step::Send,
            Phase::Sent => Step::Receive,
            Phase::Answered(0) => Step::End(Ok(())),
            Phase::Answered(errno) if asking.was_done_before(errno) => Step::End(Ok(())),
            Phase::Answered(errno) => Step::End(Err(Error::Refused(errno))),
        }
    }

    fn keep_stray(&mut self, seq: u32, errno: i32) {
        if let Some(place) = self.strays.get_mut(self.next_stray) {
            *place = (seq, errno);
        }
        self.next_stray = (self.next_stray + 1) % STRAYS;
    }

    fn take_stray(&mut self, seq: u32) -> Option<i32> {
        let stray = self.strays.iter_mut().find(|stray| stray.0 == seq)?;
        stray.0 = 0;
        Some(stray.1)
    }
}

impl Asking {
    /// The number that the request bears.
    #[must_use]
    pub fn seq(&self) -> u32 {
        self.seq
    }

    /// Tells what sending the request came to.
    ///
    /// # Errors
    /// That of `result`, but for a signal.
    pub fn sent(&mut self, result: Result<usize, Error>) -> Result<(), Error> {
        match result {
            Ok(_) => {
                self.phase = Phase::Sent;
                self.tries += 1;
                Ok(())
            }
            Err(Error::System { errno: libc::EINTR, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Tells what was received: whether there was a datagram.
    ///
    /// # Errors
    /// That of `result`, where there is no use in going on.
    pub fn received(&mut self, result: Result<bool, Error>) -> Result<(), Error> {
        self.walk.end();
        match result {
            Ok(true) => self.walk = Walk::default(),
            // The answer was lost.
            Ok(false) => self.phase = Phase::Unsent,
            Err(
                Error::Overrun
                | Error::Truncated(_)
                | Error::NotFromKernel
                | Error::BadSender
                | Error::System { errno: libc::EINTR, .. },
            ) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Leaves the rest of the datagram alone, but for the answer: a callback wants no more of it.
    pub fn skip_rest(&mut self, datagram: &[u8]) {
        while let Some(Ok(found)) = self.walk.next(datagram) {
            if let Found::Answer { seq, errno } = found {
                if seq == self.seq {
                    self.phase = Phase::Answered(errno);
                }
            }
        }
    }

    /// Says that the same was asked for before, and the answer never seen.
    pub fn was_made_before(&mut self) {
        self.tries = 1;
    }

    fn was_done_before(&self, errno: i32) -> bool {
        self.tries > 1 && self.again == Some(errno)
    }
}

#[cfg(test)]
mod tests {
    use super::super::datagram::tests::{answer, packet};
    use super::*;
    use crate::netlink::message::Message;
    use crate::uapi::nful;
    use std::collections::VecDeque;

    /// What the socket holds for a loop: datagrams, errors, and what the kernel queues for each
    /// request, by its number.
    #[derive(Default)]
    struct Queue {
        waiting: VecDeque<Result<Vec<u8>, Error>>,
        answers: VecDeque<Vec<Result<i32, Error>>>,
        sent: usize,
    }

    impl Queue {
        fn receive(&mut self) -> Result<Option<Vec<u8>>, Error> {
            self.waiting.pop_front().transpose()
        }

        fn send(&mut self, seq: u32) {
            self.sent += 1;
            for one in self.answers.pop_front().unwrap_or_default() {
                self.waiting.push_back(one.map(|errno| answer(seq, errno)));
            }
        }
    }

    /// Makes a request; the result, and the groups of the packets that came meanwhile.
    fn ask(queue: &mut Queue, command: Option<Command>) -> (Result<(), Error>, Vec<u16>) {
        let mut requests = Requests::new(u32::MAX);
        let mut packets = Vec::new();
        let asking = requests.begin(command);
        (run(&mut requests, asking, queue, &mut packets), packets)
    }

    fn run(
        requests: &mut Requests,
        mut asking: Asking,
        queue: &mut Queue,
        packets: &mut Vec<u16>,
    ) -> Result<(), Error> {
        let mut datagram = Vec::new();
        loop {
            match requests.step(&mut asking, &datagram) {
                Step::Send => {
                    queue.send(asking.seq());
                    asking.sent(Ok(28))?;
                }
                Step::Receive => {
                    let result = queue.receive();
                    asking
                        .received(result.as_ref().map(Option::is_some).map_err(|error| *error))?;
                    datagram = result.ok().flatten().unwrap_or_default();
                }
                Step::Message(Found::Packet(message)) => packets.push(message.resource()),
                Step::Message(_) => packets.push(u16::MAX),
                Step::End(result) => return result,
            }
        }
    }

    fn queue<const W: usize, const A: usize>(
        waiting: [Result<Vec<u8>, Error>; W],
        answers: [Vec<Result<i32, Error>>; A],
    ) -> Queue {
        Queue { waiting: waiting.into(), answers: answers.into(), sent: 0 }
    }

    #[test]
    fn a_request_gets_its_own_answer_behind_packets_and_those_of_others() {
        let batch = [packet(5), packet(6), packet(5)].concat();
        let stale = [answer(77, 0), answer(0, 0)].concat();
        for errno in [0, libc::EOPNOTSUPP] {
            let mut queue =
                queue([Ok(packet(9)), Ok(stale.clone()), Ok(batch.clone())], [vec![Ok(errno)]]);
            let (result, packets) = ask(&mut queue, None);
            let expected = if errno == 0 { Ok(()) } else { Err(Error::Refused(errno)) };
            assert_eq!((result, packets, queue.sent), (expected, vec![9, 5, 6, 5], 1));
        }
    }

    #[test]
    fn numbers_begin_anew_behind_the_last_and_are_never_0() {
        let mut requests = Requests::new(u32::MAX - 1);
        assert_eq!([0; 3].map(|_| requests.begin(None).seq()), [u32::MAX, 1, 2]);
        requests.set_last_seq(9);
        assert_eq!(requests.begin(None).seq(), 10);
    }

    #[test]
    fn overruns_signals_strangers_and_malformed_datagrams_do_not_end_a_request() {
        let signal = Error::System { call: "recvfrom", errno: libc::EINTR };
        let errors = [Error::Overrun, signal, Error::NotFromKernel, Error::BadSender];
        let mut queue = queue(
            [Ok(vec![1; 15]), Ok([packet(5), vec![0; 20], packet(6)].concat())],
            [vec![Ok(libc::EPERM)]],
        );
        errors.into_iter().for_each(|error| queue.waiting.push_front(Err(error)));
        queue.waiting.push_back(Err(Error::Truncated(300_000)));
        assert_eq!(ask(&mut queue, None), (Err(Error::Refused(libc::EPERM)), vec![5]));
    }

    #[test]
    fn a_socket_that_fails_ends_a_request() {
        let failed = Error::System { call: "recvfrom", errno: libc::EBADF };
        assert_eq!(ask(&mut queue([Err(failed)], []), None).0, Err(failed));
        let mut asking = Requests::new(0).begin(None);
        let interrupted = Error::System { call: "sendto", errno: libc::EINTR };
        assert_eq!(asking.sent(Err(interrupted)), Ok(()));
        assert!(matches!(Requests::new(0).step(&mut asking, &[]), Step::Send), "again");
        assert_eq!(asking.sent(Err(failed)), Err(failed));
    }

    #[test]
    fn a_lost_answer_is_asked_for_again_and_the_second_time_is_understood() {
        let known = [
            (Some(Command::Bind), libc::EBUSY, Ok(())),
            (Some(Command::Unbind), libc::ENODEV, Ok(())),
            (Some(Command::Bind), libc::ENODEV, Err(Error::Refused(libc::ENODEV))),
            (Some(Command::Unbind), libc::EBUSY, Err(Error::Refused(libc::EBUSY))),
            (Some(Command::BindFamily), libc::EBUSY, Err(Error::Refused(libc::EBUSY))),
            (None, libc::ENODEV, Err(Error::Refused(libc::ENODEV))),
        ];
        for (command, errno, expected) in known {
            let mut lost = queue([Err(Error::Overrun), Ok(packet(5))], [vec![], vec![Ok(errno)]]);
            assert_eq!(ask(&mut lost, command), (expected, vec![5]));
            assert_eq!(lost.sent, 2);
            let mut told = queue([], [vec![Ok(errno)]]);
            assert_eq!(ask(&mut told, command).0, Err(Error::Refused(errno)), "the first time");
        }
    }

    #[test]
    fn a_request_is_given_up_at_last() {
        let mut lossy = queue([], []);
        assert_eq!(ask(&mut lossy, None).0, Err(Error::Overrun));
        assert_eq!(lossy.sent, usize::from(TRIES));
    }

    #[test]
    fn packets_behind_the_answer_in_its_datagram_are_not_lost() {
        let mut requests = Requests::new(0);
        let asking = requests.begin(None);
        let datagram = [answer(asking.seq(), 0), packet(5)].concat();
        let (mut queue, mut packets) = (queue([Ok(datagram)], []), Vec::new());
        assert_eq!(run(&mut requests, asking, &mut queue, &mut packets), Ok(()));
        assert_eq!(packets, [5]);
    }

    #[test]
    fn an_answer_that_a_request_inside_has_read_is_kept_for_its_own() {
        let mut requests = Requests::new(0);
        let mut outer = requests.begin(None);
        let datagram = packet(5);
        assert!(matches!(requests.step(&mut outer, &[]), Step::Send));
        outer.sent(Ok(28)).unwrap();
        outer.received(Ok(true)).unwrap();
        assert!(matches!(requests.step(&mut outer, &datagram), Step::Message(_)));
        let refused = answer(outer.seq(), libc::EOPNOTSUPP);
        let (mut queue, mut packets) = (queue([Ok(refused)], [vec![Ok(0)]]), Vec::new());
        let inner = requests.begin(None);
        assert_eq!(run(&mut requests, inner, &mut queue, &mut packets), Ok(()));
        let end = requests.step(&mut outer, &datagram);
        assert!(matches!(end, Step::End(Err(Error::Refused(libc::EOPNOTSUPP)))), "{end:?}");
    }

    #[test]
    fn what_a_callback_does_not_want_is_skipped_but_for_the_answer() {
        let mut requests = Requests::new(0);
        let mut asking = requests.begin(None);
        asking.sent(Ok(28)).unwrap();
        asking.received(Ok(true)).unwrap();
        let datagram = [packet(5), packet(6), answer(asking.seq(), 0), packet(7)].concat();
        assert!(matches!(requests.step(&mut asking, &datagram), Step::Message(_)));
        asking.skip_rest(&datagram);
        assert!(matches!(requests.step(&mut asking, &datagram), Step::End(Ok(()))));
    }

    #[test]
    fn messages_of_other_subsystems_are_handed_on() {
        let other = super::super::datagram::tests::message(0x0300, 0, &[0; 4]);
        let kind = Message::first(&other).unwrap().kind;
        assert_ne!(kind, nful::PACKET);
        let mut queue = queue([Ok([other, packet(5)].concat())], [vec![Ok(0)]]);
        assert_eq!(ask(&mut queue, None), (Ok(()), vec![u16::MAX, 5]));
    }
}
