//! The flows, and where each lies: by either tuple, and by its id.
//!
//! They are kept in blocks, so that growing copies none and needs no room beside. A slot that a flow
//! has is its own for as long as it is kept. Changes that wait to be handed out keep what they tell
//! here, too.
#![forbid(unsafe_code)]

use super::index::Index;
use super::key::{Hashing, Name, TupleKey};
use crate::conntrack::error::Error;
use crate::conntrack::object::attr::Presence;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::values::Direction;
use std::ops::Range;

/// Slots of a block.
const BLOCK: usize = 1024;

/// How many are looked up at a time: as many as a processor reads at once, and some more.
pub const AT_ONCE: usize = 32;

/// Bytes that processors read at once; where it is more, some are asked for twice.
const CACHE_LINE: usize = 64;

bitflags::bitflags! {
    /// What is known of an entry.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub(super) struct Marks: u8 {
        /// It is a flow of the table, and no change that waits.
        const KEPT = 1;
        /// An event has told of it.
        const HEARD = 2;
        /// The filter selects it as it is.
        const MATCHES = 4;
        /// In this epoch a dump has shown it.
        const SEEN = 8;
        /// In this epoch it began.
        const BORN = 16;
    }
}

/// A slot.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub ct: Conntrack,
    /// Attributes that an event has told in this epoch.
    pub touched: Presence,
    /// The epoch that `touched`, `SEEN` and `BORN` are of; in another they count for nothing.
    epoch: u32,
    /// The next one of those that are free.
    next: Option<Slot>,
    pub marks: Marks,
}

/// The number of a slot, plus 1, so that none takes no room.
pub(super) type Slot = std::num::NonZeroU32;

impl Entry {
    /// Forgets what was of an epoch before this one.
    pub fn enter(&mut self, epoch: u32) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.touched = Presence::default();
            self.marks.remove(Marks::SEEN | Marks::BORN);
        }
    }

    /// What events have told in this epoch; `None` if nothing.
    pub fn touched_in(&self, epoch: u32) -> Option<Presence> {
        Some(self.touched).filter(|touched| self.epoch == epoch && *touched != Presence::default())
    }

    /// Has the processor read all of it, without waiting for that.
    #[inline(always)]
    fn fetch(&self) {
        let lines = self.ct.flat.bytes().iter().step_by(CACHE_LINE);
        std::hint::black_box(lines.fold(0, |all, byte| all | byte));
    }

    /// Whether it has any of these marks in this epoch.
    pub fn has(&self, epoch: u32, marks: Marks) -> bool {
        self.epoch == epoch && self.marks.intersects(marks)
    }
}

#[derive(Debug)]
pub(super) struct Store {
    blocks: Vec<Vec<Entry>>,
    free: Option<Slot>,
    /// How many are free.
    left: usize,
    /// How many flows there are.
    pub flows: usize,
    hashing: Hashing,
    by_original: Index,
    by_reply: Index,
    by_id: Index,
}

impl Store {
    pub fn new() -> Self {
        Self {
            blocks: Vec::new(),
            free: None,
            left: 0,
            flows: 0,
            hashing: Hashing::new(),
            by_original: Index::default(),
            by_reply: Index::default(),
            by_id: Index::default(),
        }
    }

    /// Makes room for so many objects, one of which may become a flow.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn reserve(&mut self, objects: usize) -> Result<(), Error> {
        while self.left < objects {
            self.add_slot()?;
        }
        self.by_original.reserve()?;
        self.by_reply.reserve()?;
        self.by_id.reserve()
    }

    fn add_slot(&mut self) -> Result<(), Error> {
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            let mut block = Vec::new();
            block.try_reserve_exact(BLOCK)?;
            self.blocks.try_reserve(1)?;
            self.blocks.push(block);
        }
        let number = u32::try_from(self.slots() + 1).ok().and_then(Slot::new);
        let Some(block) = self.blocks.last_mut() else { return Ok(()) };
        let slot = number.ok_or(Error::OutOfMemory)?;
        block.push(Entry { next: self.free, ..Entry::default() });
        self.free = Some(slot);
        self.left += 1;
        Ok(())
    }

    #[inline]
    pub fn get(&self, slot: Slot) -> Option<&Entry> {
        let at = (slot.get() - 1) as usize;
        self.blocks.get(at / BLOCK)?.get(at % BLOCK)
    }

    #[inline]
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut Entry> {
        let at = (slot.get() - 1) as usize;
        self.blocks.get_mut(at / BLOCK)?.get_mut(at % BLOCK)
    }

    /// Puts an object into a slot, for which there is room.
    pub fn put(&mut self, ct: Conntrack) -> Option<Slot> {
        let slot = self.free?;
        let entry = self.get_mut(slot)?;
        let next = entry.next;
        *entry = Entry { ct, ..Entry::default() };
        self.free = next;
        self.left -= 1;
        Some(slot)
    }

    /// Takes an object out of its slot, which is free then.
    pub fn take(&mut self, slot: Slot) -> Option<Conntrack> {
        let free = self.free;
        let entry = self.get_mut(slot)?;
        let entry = std::mem::replace(entry, Entry { next: free, ..Entry::default() });
        self.free = Some(slot);
        self.left += 1;
        Some(entry.ct)
    }

    /// Makes a flow of an object, for which there is room, so that it is found.
    pub fn keep(&mut self, slot: Slot) {
        let Some(hashes) = self.hashes(slot) else { return };
        for (index, hash) in self.indexes().into_iter().zip(hashes) {
            index.insert(hash, slot.get());
        }
        if let Some(entry) = self.get_mut(slot) {
            entry.marks.insert(Marks::KEPT);
            self.flows += 1;
        }
    }

    /// Makes it an object again, which is not found.
    pub fn drop(&mut self, slot: Slot) {
        let Some(hashes) = self.hashes(slot) else { return };
        for (index, hash) in self.indexes().into_iter().zip(hashes) {
            index.remove(hash, slot.get());
        }
        if let Some(entry) = self.get_mut(slot) {
            entry.marks.remove(Marks::KEPT);
            self.flows -= 1;
        }
    }

    /// Puts an object in place of a flow with the same original tuple, and hands out what was there.
    pub fn replace(&mut self, slot: Slot, ct: Conntrack) -> Conntrack {
        let Some(entry) = self.get(slot) else { return ct };
        let reply = |ct| TupleKey::of(ct, Direction::Reply);
        let moves = entry.ct.flat.id != ct.flat.id || reply(&entry.ct) != reply(&ct);
        if moves {
            self.drop(slot);
        }
        let old = self.get_mut(slot).map(|entry| std::mem::replace(&mut entry.ct, ct));
        if moves {
            self.keep(slot);
        }
        old.unwrap_or_default()
    }

    fn indexes(&mut self) -> [&mut Index; 3] {
        [&mut self.by_original, &mut self.by_reply, &mut self.by_id]
    }

    fn hashes(&self, slot: Slot) -> Option<[u32; 3]> {
        let ct = &self.get(slot)?.ct;
        let tuple = |direction| self.hashing.tuple(&TupleKey::of(ct, direction));
        let id = self.hashing.id(ct.flat.id);
        Some([tuple(Direction::Original), tuple(Direction::Reply), id])
    }

    /// The flow with this tuple in this direction.
    #[inline]
    pub fn find(&self, key: &TupleKey, direction: Direction) -> Option<Slot> {
        let is = |ct: &Conntrack| TupleKey::of(ct, direction) == *key;
        self.find_in(self.by(direction), self.hashing.tuple(key), is)
    }

    /// What [`Self::find`] finds of several names, each where its name is. The processor reads what all
    /// of them are in at a time, for most of what finding one takes is waiting for memory.
    pub fn find_all(&self, names: &[Option<Name>; AT_ONCE]) -> [Option<Slot>; AT_ONCE] {
        let hash = |name: &Name| (self.by(name.direction), self.hashing.tuple(&name.key));
        let hashed = names.each_ref().map(|name| name.as_ref().map(hash));
        hashed.iter().flatten().for_each(|(index, hash)| index.fetch(*hash));
        let mut slots = hashed.map(|hashed| {
            let (index, hash) = hashed?;
            let slot = Slot::new(index.find(hash, |_| true)?)?;
            self.get(slot)?.fetch();
            Some(slot)
        });
        // There is one with that hash; whether it is the one is seen now.
        for (slot, name) in slots.iter_mut().zip(names).filter(|(slot, _)| slot.is_some()) {
            *slot = name.as_ref().and_then(|name| self.find(&name.key, name.direction));
        }
        slots
    }

    fn by(&self, direction: Direction) -> &Index {
        match direction {
            Direction::Original => &self.by_original,
            Direction::Reply => &self.by_reply,
        }
    }

    /// A flow with this id: hardly ever have two the same.
    pub fn find_id(&self, id: u32) -> Option<Slot> {
        self.find_in(&self.by_id, self.hashing.id(id), |ct| ct.flat.id == id)
    }

    #[inline]
    fn find_in(&self, index: &Index, hash: u32, is: impl Fn(&Conntrack) -> bool) -> Option<Slot> {
        let entry = |slot| self.get(Slot::new(slot)?);
        let found = index.find(hash, |slot| {
            entry(slot).inspect(|entry| entry.fetch()).is_some_and(|entry| is(&entry.ct))
        });
        found.and_then(Slot::new)
    }

    /// How many slots there are, free ones among them.
    pub fn slots(&self) -> usize {
        self.blocks.last().map_or(0, |last| (self.blocks.len() - 1) * BLOCK + last.len())
    }

    /// The flows in slots from this number on, with their slots.
    pub fn flows_from(&self, first: usize) -> impl Iterator<Item = (Slot, &Entry)> {
        self.flows_in(first..usize::MAX)
    }

    /// The flows in these slots.
    pub fn flows_in(&self, slots: Range<usize>) -> impl Iterator<Item = (Slot, &Entry)> {
        let first = slots.start;
        let blocks = self.blocks.iter().enumerate().skip(first / BLOCK);
        let entries = blocks.flat_map(move |(number, block)| {
            let skipped = first.saturating_sub(number * BLOCK);
            block.iter().enumerate().skip(skipped).map(move |(at, it)| (number * BLOCK + at, it))
        });
        let entries = entries.take(slots.len());
        let kept = entries.filter(|(_, entry)| entry.marks.contains(Marks::KEPT));
        kept.filter_map(|(at, entry)| Some((Slot::new(u32::try_from(at + 1).ok()?)?, entry)))
    }
}
