//! The requests by which one entry that a dump told of is read and zeroed, and no other is.
//!
//! Where zones of one direction are in use, a tuple may be another entry's, too. So the entry is
//! looked for first, by its original tuple and then by its reply tuple, and zeroed by the one that
//! its id was met by.
#![forbid(unsafe_code)]

use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::wire::decode;
use crate::conntrack::wire::query::{HandedOut, Request};
use crate::netlink::message::Message;

/// How far it has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zeroing {
    id: u32,
    by_reply: bool,
    zero: bool,
    met: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next request.
    Ask,
    /// Nothing: the entry was read and zeroed.
    Done,
    /// Nothing: it has ended, or cannot be told from another.
    Gone,
}

impl Zeroing {
    /// Of this entry.
    pub(crate) fn of(ct: &Conntrack) -> Self {
        Self { id: ct.flat.id, by_reply: false, zero: false, met: false }
    }

    /// The request to make now.
    pub(crate) fn request<'a>(&self, ct: &'a Conntrack) -> Request<'a> {
        Request::HandedOut(HandedOut { ct, by_reply: self.by_reply, zero: self.zero })
    }

    /// Whether a message is handed on, which none is before the entry is zeroed.
    pub(crate) fn hands_on(&mut self, message: &Message<'_>) -> bool {
        self.met |= !self.zero && decode::id(message) == Some(self.id);
        self.zero
    }

    /// What comes after a request, of which the answer is complete, or is that no entry has this tuple.
    pub(crate) fn after(&mut self, found: bool) -> Next {
        match (found, self.zero) {
            (true, true) => return Next::Done,
            (_, false) if self.met => self.zero = true,
            _ if self.by_reply => return Next::Gone,
            _ => *self = Self { by_reply: true, zero: false, met: false, ..*self },
        }
        Next::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::object::attr::Attr;

    /// Whether a message about the entry with this id is handed on.
    fn hands_on(zeroing: &mut Zeroing, id: u32) -> bool {
        let mut bytes = [0; 28];
        bytes[0] = 28;
        bytes[20] = 8;
        bytes[22] = crate::uapi::cta::ID as u8;
        bytes[24..].copy_from_slice(&id.to_be_bytes());
        if cfg!(target_endian = "big") {
            bytes[..4].reverse();
            bytes[20..22].reverse();
            bytes[22..24].reverse();
        }
        zeroing.hands_on(&Message::first(&bytes).unwrap())
    }

    fn entry(id: u32) -> Conntrack {
        let mut ct = Conntrack::new();
        ct.fill_u32(Attr::Id, id);
        ct
    }

    /// By which tuple the request names the entry, and whether it zeroes it.
    fn asks(zeroing: &Zeroing, ct: &Conntrack) -> (bool, bool) {
        match zeroing.request(ct) {
            Request::HandedOut(HandedOut { by_reply, zero, .. }) => (by_reply, zero),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_entry_is_zeroed_by_the_tuple_it_was_met_by() {
        let ct = entry(7);
        for found_by_reply in [false, true] {
            let mut zeroing = Zeroing::of(&ct);
            if found_by_reply {
                assert_eq!(asks(&zeroing, &ct), (false, false));
                assert!(!hands_on(&mut zeroing, 8), "another entry");
                assert_eq!(zeroing.after(true), Next::Ask);
            }
            assert_eq!(asks(&zeroing, &ct), (found_by_reply, false));
            assert!(!hands_on(&mut zeroing, 7), "it is not zeroed yet");
            assert_eq!(zeroing.after(true), Next::Ask);
            assert_eq!(asks(&zeroing, &ct), (found_by_reply, true));
            assert!(hands_on(&mut zeroing, 7));
            assert_eq!(zeroing.after(true), Next::Done);
        }
    }

    #[test]
    fn nothing_else_is_zeroed() {
        let ct = entry(7);
        let mut zeroing = Zeroing::of(&ct);
        assert_eq!(zeroing.after(false), Next::Ask);
        assert!(!hands_on(&mut zeroing, 8));
        assert_eq!(zeroing.after(true), Next::Gone);
    }

    #[test]
    fn an_entry_that_ends_meanwhile_is_looked_for_by_its_other_tuple() {
        let ct = entry(7);
        let mut zeroing = Zeroing::of(&ct);
        hands_on(&mut zeroing, 7);
        zeroing.after(true);
        assert_eq!(zeroing.after(false), Next::Ask);
        assert_eq!(asks(&zeroing, &ct), (true, false));
        assert_eq!(zeroing.after(false), Next::Gone);
    }
}
