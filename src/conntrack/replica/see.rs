//! What is done with the entries of dumps, and at their end.
#![forbid(unsafe_code)]

use super::Replica;
use super::changes::{FOUND, Happened};
use super::epoch::Ending;
use super::key::TupleKey;
use super::merge::ALL;
use super::rules::Rule;
use super::store::{Entry, Marks, Slot};
use crate::conntrack::error::Error;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::values::Direction;
use crate::uapi::ips;

/// So many dumps in a row that losses spoil are told.
const FAILURES: u32 = 3;

impl Replica {
    pub(super) fn see(&mut self, ct: Conntrack) -> Result<(), Error> {
        let dying = ct.flat.status & ips::DYING != 0 && self.keeps(Rule::DyingIgnored);
        let dead = self.keeps(Rule::DeadIgnored) && self.is_dead(&ct);
        if dying || self.is_foreign(&ct) {
            return Ok(());
        }
        let key = TupleKey::of(&ct, Direction::Original);
        let slot = self.store.find(&key, Direction::Original);
        if dead && (slot.is_none() || self.keeps(Rule::DeadForGood)) {
            return Ok(());
        }
        let Some(slot) = slot else {
            let slot = self.insert(ct, FOUND)?;
            self.mark(slot, Marks::SEEN);
            return Ok(());
        };
        let Some(entry) = self.store.get(slot) else { return Ok(()) };
        let number = self.epoch.number;
        let seen = entry.has(number, Marks::SEEN);
        let told = entry.touched_in(number);
        self.epoch.twice |= seen;
        if self.has_id(slot, &ct) {
            let slot = self.compare(slot, ct, told)?;
            self.mark(slot, Marks::SEEN);
        } else if (seen || told.is_some()) && self.keeps(Rule::OtherIgnored) {
        } else if self.keeps(Rule::OtherReplaces) {
            self.remove(slot, FOUND)?;
            let slot = self.insert(ct, FOUND)?;
            self.mark(slot, Marks::SEEN);
        }
        Ok(())
    }

    /// Takes of an entry what no event has told in this epoch. Where the flow is then.
    fn compare(
        &mut self,
        slot: Slot,
        mut ct: Conntrack,
        told: Option<Presence>,
    ) -> Result<Slot, Error> {
        if !self.keeps(Rule::UntouchedTaken) {
            return Ok(slot);
        }
        let reborn = self.keeps(Rule::StartTells) && self.began_otherwise(slot, &ct);
        let kept = told.filter(|_| self.keeps(Rule::TouchedWins)).unwrap_or_default();
        if !self.keeps(Rule::AbsenceTaken) {
            let present = ct.flat.present;
            ct = self.merged(slot, ct, |_| present.without(kept))?;
        } else if kept != Presence::default() {
            ct = self.merged(slot, ct, |_| ALL.without(kept))?;
        }
        if reborn {
            return self.succeed(slot, ct, told);
        }
        if self.change(slot, ct, FOUND)? && self.settled {
            self.counts.corrected += 1;
        }
        Ok(slot)
    }

    /// Whether a flow is another life with the same id: one that began at another time.
    fn began_otherwise(&self, slot: Slot, ct: &Conntrack) -> bool {
        self.store.get(slot).is_some_and(|entry| {
            let began =
                [&entry.ct, ct].map(|it| it.has(Attr::TimestampStart).then_some(it.flat.start));
            matches!(began, [Some(one), Some(other)] if one != other)
        })
    }

    /// Puts another life in place of a flow, of which events have told this.
    fn succeed(
        &mut self,
        slot: Slot,
        ct: Conntrack,
        told: Option<Presence>,
    ) -> Result<Slot, Error> {
        self.remove(slot, FOUND)?;
        let slot = self.insert(ct, FOUND)?;
        if let Some(told) = told {
            self.touch(slot, told);
            self.mark_heard(slot);
        }
        Ok(slot)
    }

    /// Takes the answer about a flow, which is newer than all events that were read.
    pub(super) fn take_whole(&mut self, ct: Conntrack) -> Result<(), Error> {
        if ct.flat.status & ips::DYING != 0 {
            return Ok(());
        }
        match self.store.find(&TupleKey::of(&ct, Direction::Original), Direction::Original) {
            Some(slot) if self.has_id(slot, &ct) => {
                self.change(slot, ct, FOUND)?;
            }
            slot => {
                slot.map_or(Ok(()), |slot| self.remove(slot, FOUND))?;
                self.insert(ct, FOUND)?;
            }
        }
        Ok(())
    }

    pub(super) fn is_spoilt(&self, ending: &Ending) -> bool {
        [
            (Rule::EndFailed, ending.failed),
            (Rule::EndLost, self.epoch.lost != ending.lost),
            (Rule::EndOverrun, self.epoch.overrun),
            (Rule::EndResized, self.epoch.buckets != ending.buckets),
            (Rule::EndTwice, self.epoch.twice),
        ]
        .into_iter()
        .any(|(rule, spoilt)| spoilt && self.keeps(rule))
    }

    /// A dump was for nothing: another one is wanted.
    pub(super) fn give_up(&mut self, ending: &Ending) -> Result<(), Error> {
        self.due = true;
        if self.epoch.overrun || self.epoch.lost != ending.lost {
            self.settled = false;
            self.failures += 1;
            if self.failures == FAILURES {
                self.queue.reserve(1)?;
                self.queue.push(Happened::CannotSettle(FAILURES), FOUND, [None; 2]);
            }
        }
        Ok(())
    }

    /// Removes what the dump did not show and no event told to have begun.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        let number = self.epoch.number;
        let missing = |entry: &Entry| !entry.has(number, Marks::SEEN | Marks::BORN);
        let count = self.store.flows_from(0).filter(|(_, entry)| missing(entry)).count();
        self.queue.reserve(count + 1)?;
        let mut place = 0;
        while count != 0 && self.keeps(Rule::MissingGone) {
            let mut found = self.store.flows_from(place).filter(|(_, entry)| missing(entry));
            let Some((slot, _)) = found.next() else { break };
            drop(found);
            place = slot.get() as usize;
            self.remove(slot, FOUND)?;
            self.counts.corrected += u64::from(self.settled);
        }
        if !self.settled {
            self.queue.push(Happened::Settled, FOUND, [None; 2]);
        }
        (self.settled, self.failures) = (true, 0);
        Ok(())
    }
}
