//! What is in a datagram: packets, answers, and messages of others.
#![forbid(unsafe_code)]

use crate::netlink::Error;
use crate::netlink::message::{FAMILY_HEADER_SIZE, HEADER_SIZE, Message, align};
use crate::uapi::nful;

/// Bytes that hold whatever the kernel sends: two batches of the largest buffer, and what is around
/// them.
pub const DATAGRAM_SIZE: usize = 256 * 1024;

const NLMSG_NOOP: u16 = libc::NLMSG_NOOP as u16;
const NLMSG_ERROR: u16 = libc::NLMSG_ERROR as u16;
const NLMSG_DONE: u16 = libc::NLMSG_DONE as u16;
const NLMSG_OVERRUN: u16 = libc::NLMSG_OVERRUN as u16;

/// A message of a datagram, as far as it tells something.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// A packet of a group, which is the message's resource.
    Packet(Message<'a>),
    /// The answer to a request.
    Answer {
        /// The number of the request.
        seq: u32,
        /// `errno` of a refusal; 0 if it was done.
        errno: i32,
    },
    /// A message of another kind, or of another subsystem.
    Other(Message<'a>),
}

/// Where a walk through a datagram has come to. It goes on wherever the datagram lies then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Walk {
    next: usize,
}

impl Walk {
    /// A walk that is over.
    pub const OVER: Self = Self { next: usize::MAX };

    /// What comes next in the datagram; `None` at its end.
    ///
    /// # Errors
    /// [`Error::NoMessage`], [`Error::ShortMessage`], [`Error::BadStatus`]: what the kernel does not
    /// send. Nothing behind it can be trusted; the walk is over.
    #[inline(always)]
    pub fn next<'a>(&mut self, datagram: &'a [u8]) -> Option<Result<Found<'a>, Error>> {
        loop {
            // What is shorter than a header, behind the last message, is nobody's.
            let rest = datagram.get(self.next..).filter(|rest| rest.len() >= HEADER_SIZE)?;
            let Some(message) = Message::first(rest) else {
                return Some(Err(self.fail(Error::NoMessage)));
            };
            self.next += align(message.bytes().len());
            match message.kind {
                // Every datagram of several packets ends with DONE.
                NLMSG_DONE | NLMSG_NOOP | NLMSG_OVERRUN => {}
                _ => return Some(found(message).map_err(|error| self.fail(error))),
            }
        }
    }

    /// Leaves the rest of the datagram alone.
    pub fn end(&mut self) {
        *self = Self::OVER;
    }

    fn fail(&mut self, error: Error) -> Error {
        self.end();
        error
    }
}

#[inline(always)]
fn found(message: Message<'_>) -> Result<Found<'_>, Error> {
    if message.kind == NLMSG_ERROR {
        let status = message.payload().first_chunk().copied().map(i32::from_ne_bytes);
        let errno = status.ok_or(Error::BadStatus)?.wrapping_neg();
        return Ok(Found::Answer { seq: message.seq, errno });
    }
    if message.payload().len() < FAMILY_HEADER_SIZE {
        return Err(Error::ShortMessage);
    }
    Ok(if message.kind == nful::PACKET { Found::Packet(message) } else { Found::Other(message) })
}

/// Messages that came while there was something else to do, in a row as in a datagram.
#[derive(Debug, Default)]
pub struct Kept {
    bytes: Vec<u8>,
}

impl Kept {
    /// Keeps a copy of a message.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; it was not kept.
    pub fn keep(&mut self, message: &Message<'_>) -> Result<(), Error> {
        let (bytes, padded) = (message.bytes(), align(message.bytes().len()));
        self.bytes.try_reserve(padded)?;
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len() + padded - bytes.len(), 0);
        Ok(())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The messages, as in a datagram.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The messages, to be walked through as a datagram; then there are none here.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A message of a kind, with a payload.
    pub(in crate::nflog) fn message(kind: u16, seq: u32, payload: &[u8]) -> Vec<u8> {
        let length = (HEADER_SIZE + payload.len()) as u32;
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 2]);
        bytes.extend(seq.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes.resize(align(bytes.len()), 0);
        bytes
    }

    /// A packet of a group.
    pub(in crate::nflog) fn packet(group: u16) -> Vec<u8> {
        let [high, low] = group.to_be_bytes();
        message(nful::PACKET, 0, &[2, 0, high, low])
    }

    /// The answer to a request.
    pub(in crate::nflog) fn answer(seq: u32, errno: i32) -> Vec<u8> {
        message(NLMSG_ERROR, seq, &[&(-errno).to_ne_bytes()[..], &[0; 16]].concat())
    }

    fn done() -> Vec<u8> {
        message(NLMSG_DONE, 0, &[0, 0, 0, 5])
    }

    /// Groups of packets, errno of answers as 100,000 more, other kinds as a million more.
    fn walk(datagram: &[u8]) -> (Vec<u32>, Option<Error>) {
        let (mut walk, mut found) = (Walk::default(), Vec::new());
        while let Some(next) = walk.next(datagram) {
            found.push(match next {
                Ok(Found::Packet(message)) => message.resource().into(),
                Ok(Found::Answer { errno, .. }) => 100_000 + errno as u32,
                Ok(Found::Other(message)) => 1_000_000 + u32::from(message.kind),
                Err(error) => {
                    assert!(walk.next(datagram).is_none(), "the walk is over");
                    return (found, Some(error));
                }
            });
        }
        (found, None)
    }

    #[test]
    fn packets_are_found_in_order_and_what_tells_nothing_is_passed_over() {
        let (noop, overrun) = (message(1, 0, &[]), message(4, 0, &[]));
        let datagram =
            [packet(5), noop, done(), packet(300), overrun, answer(3, 0), packet(6), done()];
        assert_eq!(walk(&datagram.concat()), (vec![5, 300, 100_000, 6], None));
        assert_eq!(walk(&[packet(5), vec![1; 15]].concat()), (vec![5], None));
        assert_eq!(walk(&[]), (vec![], None));
    }

    #[test]
    fn the_walk_ends_at_what_the_kernel_does_not_send() {
        let bad = [
            (message(nful::PACKET, 0, &[2, 0, 0]), Error::ShortMessage),
            (message(NLMSG_ERROR, 0, &[0; 3]), Error::BadStatus),
            (vec![0; 16], Error::NoMessage),
            (vec![0xff; 16], Error::NoMessage),
        ];
        for (bad, error) in bad {
            assert_eq!(walk(&[packet(5), bad, packet(6)].concat()), (vec![5], Some(error)));
        }
        let cut = [packet(5), packet(6)].concat();
        assert_eq!(walk(&cut[..39]), (vec![5], Some(Error::NoMessage)));
    }

    #[test]
    fn other_messages_are_told_apart() {
        let datagram = [message(nful::CONFIG, 0, &[0; 4]), message(0x0100, 0, &[0; 4])].concat();
        assert_eq!(walk(&datagram), (vec![1_001_025, 1_000_256], None));
    }

    #[test]
    fn what_is_kept_can_be_walked_through() {
        let mut kept = Kept::default();
        let odd = message(nful::PACKET, 0, &[2, 0, 0, 9, 5, 0, 9, 0, 97]);
        for bytes in [packet(5), odd, packet(6)] {
            kept.keep(&Message::first(&bytes).unwrap()).unwrap();
        }
        assert_eq!(walk(&kept.take()), (vec![5, 9, 6], None));
        assert!(kept.is_empty());
    }
}
