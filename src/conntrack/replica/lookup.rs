//! What is kept, looked up.
#![forbid(unsafe_code)]

use super::key::Name;
use super::store::{AT_ONCE, Entry, Marks, Slot};
use super::{Counts, Replica};
use crate::conntrack::key::Key;
use crate::conntrack::object::entry::Conntrack;
use std::ops::Range;

impl Replica {
    /// Whether it is what the table was at the last event that was read, but for flows that change
    /// without events.
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// The numbers.
    pub fn counts(&self) -> Counts {
        let (flows, unheard) = (self.store.flows, self.store.flows.saturating_sub(self.heard));
        Counts { flows, unheard, ..self.counts }
    }

    /// The flow that a key names: by the tuple of its direction and the zone that this has, and by the
    /// id if that counts.
    pub fn find(&self, key: &Key) -> Option<Kept<'_>> {
        let found = self.find_named(&key.into())?;
        key.is_of(found.flow).then_some(found)
    }

    /// The flow with this name.
    #[inline]
    pub fn find_named(&self, name: &Name) -> Option<Kept<'_>> {
        self.kept(self.store.find(&name.key, name.direction)?)
    }

    /// The flows with these names, where there are many several times as fast as one after the other.
    pub fn find_all(&self, names: &[Option<Name>; AT_ONCE]) -> [Option<Kept<'_>>; AT_ONCE] {
        self.store.find_all(names).map(|slot| self.kept(slot?))
    }

    /// The flow with this id. It may be that two have the same, though hardly ever.
    pub fn find_id(&self, id: u32) -> Option<Kept<'_>> {
        self.kept(self.store.find_id(id)?)
    }

    /// How many places there are that flows may have.
    pub fn places(&self) -> u64 {
        self.store.slots() as u64
    }

    /// The flows in these places. A flow keeps its place for as long as it is there.
    pub fn flows_in(&self, places: Range<u64>) -> impl Iterator<Item = Kept<'_>> {
        let [first, end] =
            [places.start, places.end].map(|place| usize::try_from(place).unwrap_or(usize::MAX));
        self.store.flows_in(first..end).map(|(slot, entry)| Kept::of(slot, entry))
    }

    pub(super) fn kept(&self, slot: Slot) -> Option<Kept<'_>> {
        self.store.get(slot).map(|entry| Kept::of(slot, entry))
    }
}

/// A flow that is kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// As it is.
    pub flow: &'a Conntrack,
    /// Whether the filter selects it as it is.
    pub selected: bool,
    /// Whether an event has told of it, so that it is none of the silent ones.
    pub heard: bool,
    /// The place behind its own.
    pub next: u64,
}

impl<'a> Kept<'a> {
    pub(super) fn of(slot: Slot, entry: &'a Entry) -> Self {
        let has = |mark| entry.marks.contains(mark);
        let (selected, heard) = (has(Marks::MATCHES), has(Marks::HEARD));
        Self { flow: &entry.ct, selected, heard, next: slot.get().into() }
    }
}
