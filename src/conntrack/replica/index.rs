//! Where flows lie, by the hash of what they are looked up by.
#![forbid(unsafe_code)]

use crate::conntrack::error::Error;

/// A hash table of slot numbers. Each place has the hash too, so that hardly ever a flow is looked at
/// that is another, and none when the table grows. What is behind a gap was never pushed over it: a
/// removal closes the gap, nothing is left to be passed over.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The hash, and the slot, which is never 0; 0 is free. As many as a power of two.
    places: Vec<u64>,
    used: usize,
}

/// Places that a table has at first.
const FIRST: usize = 64;

const fn hash_of(place: u64) -> u32 {
    (place >> 32) as u32
}

const fn slot_of(place: u64) -> u32 {
    place as u32
}

impl Index {
    /// Makes room for one more.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    #[inline]
    pub fn reserve(&mut self) -> Result<(), Error> {
        // Three quarters full at most.
        if (self.used + 1) * 4 <= self.places.len() * 3 { Ok(()) } else { self.grow() }
    }

    #[inline(never)]
    fn grow(&mut self) -> Result<(), Error> {
        let size = (self.places.len() * 2).max(FIRST);
        let mut places = Vec::new();
        places.try_reserve_exact(size)?;
        places.resize(size, 0);
        let old = std::mem::replace(&mut self.places, places);
        for place in old.into_iter().filter(|place| *place != 0) {
            self.put(place);
        }
        Ok(())
    }

    /// Adds a slot, for which there is room.
    pub fn insert(&mut self, hash: u32, slot: u32) {
        self.put(u64::from(hash) << 32 | u64::from(slot));
        self.used += 1;
    }

    fn put(&mut self, place: u64) {
        let mut at = hash_of(place) as usize;
        for _ in 0..self.places.len() {
            at &= self.mask();
            match self.places.get_mut(at) {
                Some(free) if *free == 0 => return *free = place,
                _ => at += 1,
            }
        }
    }

    /// Has the processor read where a slot of this hash would lie, without waiting for it.
    #[inline(always)]
    pub fn fetch(&self, hash: u32) {
        std::hint::black_box(self.at(hash as usize & self.mask()));
    }

    /// The first slot of this hash that is the one.
    #[inline]
    pub fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.position(hash, is).map(|at| slot_of(self.at(at)))
    }

    /// Takes a slot away.
    pub fn remove(&mut self, hash: u32, slot: u32) {
        let Some(mut gap) = self.position(hash, |found| found == slot) else { return };
        self.used -= 1;
        let mut at = gap;
        loop {
            at = (at + 1) & self.mask();
            let place = self.at(at);
            if place == 0 {
                break;
            }
            // How far it lies from where it belongs: if that is behind the gap, it cannot move.
            let home = hash_of(place) as usize;
            if at.wrapping_sub(home) & self.mask() >= at.wrapping_sub(gap) & self.mask() {
                self.set(gap, place);
                gap = at;
            }
        }
        self.set(gap, 0);
    }

    #[inline]
    fn position(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<usize> {
        let mut at = hash as usize;
        loop {
            at &= self.mask();
            let place = self.at(at);
            if place == 0 {
                return None;
            }
            if hash_of(place) == hash && is(slot_of(place)) {
                return Some(at);
            }
            at += 1;
        }
    }

    fn mask(&self) -> usize {
        self.places.len().wrapping_sub(1)
    }

    #[inline]
    fn at(&self, at: usize) -> u64 {
        self.places.get(at).copied().unwrap_or(0)
    }

    fn set(&mut self, at: usize, place: u64) {
        if let Some(to) = self.places.get_mut(at) {
            *to = place;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_holds_what_a_map_holds() {
        let (mut index, mut map) = (Index::default(), BTreeMap::new());
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for step in 0..if cfg!(miri) { 300 } else { 30_000 } {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(step);
            let slot = 1 + (random >> 40) as u32 % 500;
            // Few hashes, at the end of any table: many are where others belong, around its end.
            let hash = u32::MAX - slot % 7;
            assert_eq!(index.find(hash, |found| found == slot), map.get(&slot).copied());
            if map.remove(&slot).is_some() {
                index.remove(hash, slot);
            } else {
                index.reserve().unwrap();
                index.insert(hash, slot);
                map.insert(slot, slot);
            }
            assert_eq!(index.used, map.len());
        }
        for slot in 1..501 {
            let found = index.find(u32::MAX - slot % 7, |found| found == slot);
            assert_eq!(found, map.get(&slot).copied());
        }
    }
}
