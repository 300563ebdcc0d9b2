//! What is done with events.
#![forbid(unsafe_code)]

use super::Replica;
use super::changes::{FOUND, Source};
use super::key::TupleKey;
use super::merge::{self, ALL, COUNTED};
use super::rules::Rule;
use super::store::{Entry, Marks, Slot};
use crate::conntrack::error::Error;
use crate::conntrack::key::Key;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::values::Direction;
use crate::conntrack::wire::Change;

impl Replica {
    pub(super) fn hear(
        &mut self,
        change: Change,
        by_request: bool,
        mut ct: Conntrack,
    ) -> Result<Option<Key>, Error> {
        if self.is_foreign(&ct) {
            return Ok(None);
        }
        self.counts.events += 1;
        let when = ct.has(Attr::TimestampEvent).then_some(ct.flat.event_time);
        ct.unset(Attr::TimestampEvent);
        let source = Source { synthesised: false, when };
        let slot = self.store.find(&TupleKey::of(&ct, Direction::Original), Direction::Original);
        match change {
            Change::New => self.born(slot, ct, source).map(|()| None),
            Change::Update => self.updated(slot, by_request, ct, source),
            Change::Destroy => self.destroyed(slot, ct, source).map(|()| None),
        }
    }

    fn born(&mut self, slot: Option<Slot>, ct: Conntrack, source: Source) -> Result<(), Error> {
        let same = slot.filter(|slot| self.has_id(*slot, &ct) || !self.keeps(Rule::NewEndsOther));
        let slot = match (slot, same) {
            (_, Some(slot)) => {
                let new = self.renewed(slot, ct)?;
                self.change(slot, new, source)?;
                slot
            }
            (Some(other), None) => {
                self.remove(other, FOUND)?;
                self.insert(ct, source)?
            }
            (None, None) => self.insert(ct, source)?,
        };
        self.mark_heard(slot);
        let told = if self.keeps(Rule::NewLeavesCounted) { ALL.without(COUNTED) } else { ALL };
        if self.keeps(Rule::NewTouches) {
            self.touch(slot, told);
        }
        if self.keeps(Rule::NewIsBorn) {
            self.mark(slot, Marks::BORN);
        }
        Ok(())
    }

    /// What becomes of a flow that is told to be new once more: for a listener that had missed it; or it
    /// is another life that has the same id, if the end of the one before may have been lost.
    fn renewed(&self, slot: Slot, ct: Conntrack) -> Result<Conntrack, Error> {
        let number = self.epoch.number;
        let is_same = |entry: &Entry| {
            let reports = self.settled && !self.epoch.dumping;
            reports && entry.marks.contains(Marks::HEARD) || entry.has(number, Marks::SEEN)
        };
        let lives = self.store.get(slot).is_some_and(is_same);
        if !self.keeps(Rule::NewReplaces) {
            self.merged(slot, ct, |ct| merge::told(Change::Update, false, ct))
        } else if lives {
            self.merged(slot, ct, |_| ALL.without(COUNTED))
        } else {
            Ok(ct)
        }
    }

    fn updated(
        &mut self,
        slot: Option<Slot>,
        by_request: bool,
        ct: Conntrack,
        source: Source,
    ) -> Result<Option<Key>, Error> {
        let told = self.told(by_request, &ct);
        let same = slot.filter(|slot| self.has_id(*slot, &ct) || !self.keeps(Rule::UpdateAfresh));
        let key = Key::of(&ct, Direction::Original);
        if same.is_none() && self.keeps(Rule::UpdateOfDead) && self.is_dead(&ct) {
            return Ok(None);
        }
        let (slot, ask) = match (slot, same) {
            (_, Some(slot)) => {
                let new = if self.keeps(Rule::UpdateMerges) {
                    self.merged(slot, ct, |_| told)?
                } else {
                    ct
                };
                self.change(slot, new, source)?;
                (slot, None)
            }
            (Some(other), None) => {
                self.remove(other, FOUND)?;
                let ask = key.filter(|_| !self.epoch.dumping);
                (self.insert(ct, FOUND)?, ask)
            }
            (None, None) if !self.epoch.dumping => {
                return Ok(key.filter(|_| self.keeps(Rule::UpdateAsks)));
            }
            (None, None) if !self.keeps(Rule::UpdateInserts) => return Ok(None),
            (None, None) => (self.insert(ct, FOUND)?, None),
        };
        self.mark_heard(slot);
        if self.keeps(Rule::UpdateTouches) {
            self.touch(slot, told);
        }
        Ok(ask)
    }

    fn told(&self, by_request: bool, ct: &Conntrack) -> Presence {
        let mut told = merge::told(Change::Update, by_request, ct);
        for (rule, attrs) in
            [(Rule::ToldAlways, merge::ALWAYS), (Rule::ToldByRequest, merge::BY_REQUEST)]
        {
            if !self.keeps(rule) {
                told = told.without(attrs.without(ct.flat.present));
            }
        }
        told
    }

    fn destroyed(
        &mut self,
        slot: Option<Slot>,
        ct: Conntrack,
        source: Source,
    ) -> Result<(), Error> {
        if self.epoch.dumping && self.keeps(Rule::DestroyBuries) {
            let one = self.keeps(Rule::DestroyBuriesOne);
            let id = if one { ct.flat.id } else { 0 };
            self.epoch.bury(TupleKey::of(&ct, Direction::Original), id)?;
        }
        let Some(slot) = slot else { return Ok(()) };
        if self.has_id(slot, &ct) || !self.keeps(Rule::DestroyOfOne) {
            let last = self.merged(slot, ct, |ct| merge::told(Change::Destroy, false, ct))?;
            self.queue.reserve(1)?;
            self.store.replace(slot, last);
            self.remove(slot, source)?;
        } else if !self.keeps(Rule::DestroyTouchesNone) {
            self.touch(slot, ALL);
        }
        Ok(())
    }
}
