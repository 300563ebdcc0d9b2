//! What filtered dumps hand out: the kernel does not decide every criterion, so their entries are
//! checked again.
#![forbid(unsafe_code)]

use crate::conntrack::error::Error;
use crate::conntrack::expression::Expression;
use crate::conntrack::filter::dump::DumpFilter;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::wire::Change;
use crate::conntrack::wire::decode;
use crate::conntrack::wire::query::Request;
use crate::netlink::exchange::EndedDumps;
use crate::netlink::message::Message;
use std::collections::VecDeque;

/// Whether an expression lets an event pass; answers do.
pub(crate) fn lets_pass(expression: &Expression, message: &Message<'_>, ct: &Conntrack) -> bool {
    let is_answer = message.seq != 0 || message.flags & libc::NLM_F_MULTI as u16 != 0;
    is_answer || expression.truth(ct, Change::of(message)).is_true()
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It is handed out.
    HandOut,
    /// It was not asked for.
    Skip,
    /// It is read and zeroed by a request of its own, whose answer is handed out instead.
    Zero,
}

/// The entries of one dump.
#[derive(Debug)]
pub(crate) struct Selection {
    /// A copy: programs free theirs.
    filter: DumpFilter,
    /// The kernel would zero more than this.
    zero: bool,
}

impl Selection {
    /// What the answer to a request is checked against, if it is.
    pub(crate) fn of(request: &Request<'_>) -> Result<Option<Self>, Error> {
        let Request::Narrowed(_, filter) = request else { return Ok(None) };
        Ok(Some(Self { filter: filter.try_clone()?, zero: request.zeroes_one_by_one() }))
    }

    fn judge(&self, ct: &Conntrack) -> Judgement {
        match (self.filter.accepts(ct), self.zero) {
            (false, _) => Judgement::Skip,
            (true, true) => Judgement::Zero,
            (true, false) => Judgement::HandOut,
        }
    }
}

/// How many unfinished dumps are remembered. Who has sent more does not receive with this library,
/// which therefore never sees their ends.
const MOST_SENT: usize = 16;

/// The dumps that answers on one socket may belong to.
#[derive(Debug, Default)]
pub(crate) struct Selections {
    /// The last dump of a query, by its sequence number. A callback may have stopped it: the rest
    /// of its answer is still to come.
    asked: Option<(u32, Selection)>,
    /// Dumps that were sent without a number, in order; `None` for those that are not filtered.
    sent: VecDeque<Option<Selection>>,
    /// One that is about to be sent.
    unsent: Option<Selection>,
}

impl Selections {
    /// What becomes of an entry that a message tells of. Events pass.
    fn judge(&self, message: &Message<'_>, ct: &Conntrack) -> Judgement {
        let selection = match message.seq {
            _ if message.flags & libc::NLM_F_MULTI as u16 == 0 => None,
            0 => self.sent.front().and_then(Option::as_ref),
            seq => self.asked.as_ref().filter(|(asked, _)| *asked == seq).map(|(_, of)| of),
        };
        selection.map_or(Judgement::HandOut, |selection| selection.judge(ct))
    }

    /// Reads a message into an empty entry, as far as possible, and tells what becomes of it.
    pub(crate) fn read(
        &self,
        message: &Message<'_>,
        ct: &mut Conntrack,
    ) -> Result<Judgement, Error> {
        decode::as_far_as_possible(ct, message)?;
        Ok(self.judge(message, ct))
    }

    /// A dump is asked for.
    pub(crate) fn ask(&mut self, seq: u32, selection: Option<Selection>) {
        self.asked = selection.map(|selection| (seq, selection));
    }

    /// A request is about to be sent without a number.
    pub(crate) fn prepare(&mut self, selection: Option<Selection>) -> Result<(), Error> {
        self.sent.try_reserve(1)?;
        self.unsent = selection;
        Ok(())
    }

    /// That request, a dump, was sent.
    pub(crate) fn sent(&mut self) {
        if self.sent.len() == MOST_SENT {
            self.sent.pop_front();
        }
        self.sent.push_back(self.unsent.take());
    }

    /// Dumps have ended, the first ones, or were refused, as the last one is while others run.
    pub(crate) fn ended(&mut self, EndedDumps { done, refused }: EndedDumps) {
        for _ in 0..done.min(self.sent.len()) {
            self.sent.pop_front();
        }
        self.sent.truncate(self.sent.len().saturating_sub(refused));
    }

    /// The program receives with libnfnetlink, where ends of dumps go unseen: only the last counts.
    pub(crate) fn forget_but_last(&mut self) {
        while self.sent.len() > 1 {
            self.sent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::filter::dump::Masked;
    use crate::conntrack::object::attr::Attr;
    use crate::conntrack::wire::query::Query;

    fn by_mark(value: u32) -> Selection {
        let mut filter = DumpFilter::new();
        filter.set_mark(Masked { value, mask: u32::MAX });
        Selection::of(&Request::Narrowed(Query::DumpFilter, &filter)).unwrap().unwrap()
    }

    /// Whether an entry with this mark passes, in a message with these flags and number.
    fn passes(selections: &Selections, flags: i32, seq: u32, mark: u32) -> bool {
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&20_u32.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags as u16).to_ne_bytes());
        bytes[8..12].copy_from_slice(&seq.to_ne_bytes());
        let mut ct = Conntrack::new();
        ct.fill_u32(Attr::Mark, mark);
        selections.judge(&Message::first(&bytes).unwrap(), &ct) == Judgement::HandOut
    }

    #[test]
    fn each_answer_has_its_own() {
        let mut selections = Selections::default();
        selections.ask(7, Some(by_mark(1)));
        assert!(passes(&selections, 2, 7, 1) && !passes(&selections, 2, 7, 2));
        assert!(passes(&selections, 2, 8, 2) && passes(&selections, 2, 0, 2));
        assert!(passes(&selections, 0, 7, 2), "an event");
        selections.ask(8, None);
        assert!(passes(&selections, 2, 7, 2));
    }

    #[test]
    fn sent_dumps_end_in_their_order() {
        let mut selections = Selections::default();
        for selection in [Some(by_mark(1)), None, Some(by_mark(3))] {
            selections.prepare(selection).unwrap();
            selections.sent();
        }
        assert!(passes(&selections, 2, 0, 1) && !passes(&selections, 2, 0, 2));
        assert!(passes(&selections, 0, 0, 2), "an event");
        selections.ended(EndedDumps { done: 1, refused: 0 });
        assert!(passes(&selections, 2, 0, 2));
        selections.ended(EndedDumps { done: 1, refused: 0 });
        assert!(!passes(&selections, 2, 0, 2) && passes(&selections, 2, 0, 3));
        selections.prepare(Some(by_mark(4))).unwrap();
        selections.sent();
        selections.ended(EndedDumps { done: 0, refused: 1 });
        assert!(passes(&selections, 2, 0, 3) && !passes(&selections, 2, 0, 4));
        selections.ended(EndedDumps { done: 5, refused: 5 });
        assert!(passes(&selections, 2, 0, 2));
    }

    #[test]
    fn ends_that_nobody_sees_do_not_add_up() {
        let mut selections = Selections::default();
        for mark in 0..100 {
            selections.prepare(Some(by_mark(mark))).unwrap();
            selections.sent();
        }
        assert_eq!(selections.sent.len(), MOST_SENT);
        selections.forget_but_last();
        assert!(passes(&selections, 2, 0, 99) && !passes(&selections, 2, 0, 98));
    }
}
