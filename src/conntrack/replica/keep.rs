//! How flows begin, change and end, whatever told it.
#![forbid(unsafe_code)]

use super::Replica;
use super::changes::{Happened, Source};
use super::key::TupleKey;
use super::merge;
use super::rules::Rule;
use super::store::{Marks, Slot};
use crate::conntrack::error::Error;
use crate::conntrack::object::attr::Presence;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::values::Direction;
use crate::uapi::ips;

impl Replica {
    /// Whether a rule is kept: always, but in tests.
    #[inline(always)]
    pub(super) fn keeps(&self, rule: Rule) -> bool {
        #[cfg(test)]
        return self.broken != Some(rule);
        #[cfg(not(test))]
        {
            let _ = rule;
            true
        }
    }

    /// Whether a message tells of what is none of the flows that are kept.
    pub(super) fn is_foreign(&self, ct: &Conntrack) -> bool {
        ct.flat.status & ips::NAT_CLASH != 0 && self.keeps(Rule::ClashHidden)
            || !self.view.keeps(ct)
    }

    pub(super) fn is_dead(&self, ct: &Conntrack) -> bool {
        let id = if self.keeps(Rule::DestroyBuriesOne) { ct.flat.id } else { 0 };
        self.epoch.is_dead(TupleKey::of(ct, Direction::Original), id)
    }

    pub(super) fn forget(&mut self) {
        if self.keeps(Rule::EpochForgets) {
            self.epoch.forget();
        }
    }

    pub(super) fn has_id(&self, slot: Slot, ct: &Conntrack) -> bool {
        self.store.get(slot).is_some_and(|entry| entry.ct.flat.id == ct.flat.id)
    }

    pub(super) fn touch(&mut self, slot: Slot, attrs: Presence) {
        let number = self.epoch.number;
        if let Some(entry) = self.store.get_mut(slot) {
            entry.enter(number);
            entry.touched.insert(attrs);
        }
    }

    /// Marks a flow in this epoch.
    pub(super) fn mark(&mut self, slot: Slot, mark: Marks) {
        let number = self.epoch.number;
        if let Some(entry) = self.store.get_mut(slot) {
            entry.enter(number);
            entry.marks.insert(mark);
        }
    }

    pub(super) fn mark_heard(&mut self, slot: Slot) {
        if let Some(entry) = self.store.get_mut(slot) {
            self.heard += usize::from(!entry.marks.contains(Marks::HEARD));
            entry.marks.insert(Marks::HEARD);
        }
    }

    /// What is kept, with some attributes as a message has them: there, or not.
    pub(super) fn merged(
        &self,
        slot: Slot,
        mut from: Conntrack,
        attrs: impl FnOnce(&Conntrack) -> Presence,
    ) -> Result<Conntrack, Error> {
        let Some(entry) = self.store.get(slot) else { return Ok(from) };
        let attrs = attrs(&from);
        let mut new = entry.ct.try_clone()?;
        new.take_attrs(&mut from, attrs);
        Ok(new)
    }

    /// Makes a flow what it is now, and tells so. Whether it differs.
    pub(super) fn change(
        &mut self,
        slot: Slot,
        new: Conntrack,
        source: Source,
    ) -> Result<bool, Error> {
        let Some(entry) = self.store.get(slot) else { return Ok(false) };
        let differs = merge::differ(&entry.ct, &new);
        let selected = [entry.marks.contains(Marks::MATCHES), self.view.selects(&new)];
        let happened = match selected {
            [false, true] => Some(Happened::Entered),
            [true, false] => Some(Happened::Left),
            [true, true] => Some(Happened::Updated).filter(|_| differs),
            [false, false] => None,
        };
        let Some(happened) = happened else {
            self.store.replace(slot, new);
            return Ok(differs);
        };
        self.queue.reserve(1)?;
        self.store.reserve(2)?;
        let after = new.try_clone()?;
        let before = self.store.replace(slot, new);
        let told = [before, after].map(|ct| self.store.put(ct));
        self.queue.push(happened, source, told);
        if let Some(entry) = self.store.get_mut(slot) {
            entry.marks.set(Marks::MATCHES, selected[1]);
        }
        Ok(differs)
    }

    /// Keeps a flow that was not there, and tells so.
    pub(super) fn insert(&mut self, ct: Conntrack, source: Source) -> Result<Slot, Error> {
        self.queue.reserve(1)?;
        self.store.reserve(2)?;
        let selected = self.view.selects(&ct);
        let after = if selected { Some(ct.try_clone()?) } else { None };
        let slot = self.store.put(ct).ok_or(Error::OutOfMemory)?;
        self.store.keep(slot);
        if let Some(after) = after {
            let after = self.store.put(after);
            self.queue.push(Happened::New, source, [None, after]);
        }
        if let Some(entry) = self.store.get_mut(slot) {
            entry.marks.set(Marks::MATCHES, selected);
        }
        Ok(slot)
    }

    /// Keeps a flow no more, and tells so.
    pub(super) fn remove(&mut self, slot: Slot, source: Source) -> Result<(), Error> {
        self.queue.reserve(1)?;
        self.store.drop(slot);
        let Some(entry) = self.store.get(slot) else { return Ok(()) };
        self.heard -= usize::from(entry.marks.contains(Marks::HEARD));
        if entry.marks.contains(Marks::MATCHES) {
            self.queue.push(Happened::Destroyed, source, [Some(slot), None]);
        } else {
            self.store.take(slot);
        }
        Ok(())
    }
}
