//! What comes twice in a dump.
//!
//! Of each entry a hash of its key is kept in a list, which is sorted when the answer is wanted: that
//! costs less than a table, whose places are far apart. With 128 bits no two keys of a table have the
//! same hash by chance: of a million entries any two do in one of 2^89 dumps. The hash is keyed, so
//! that nobody can make flows whose hashes are the same.
#![forbid(unsafe_code)]

use crate::netlink::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The keys of the entries that came.
#[derive(Debug)]
pub(super) struct Keys {
    halves: [RandomState; 2],
    seen: Vec<u128>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self { halves: [RandomState::new(), RandomState::new()], seen: Vec::new() }
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(super) fn add(&mut self, key: &[u8]) -> Result<(), Error> {
        let [high, low] = self.halves.each_ref().map(|half| {
            let mut hasher = half.build_hasher();
            hasher.write(key);
            u128::from(hasher.finish())
        });
        self.seen.try_reserve(1)?;
        self.seen.push(high << 64 | low);
        Ok(())
    }

    /// Whether a key was added twice.
    pub(super) fn repeat(&mut self) -> bool {
        self.seen.sort_unstable();
        self.seen.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_twice_repeats() {
        let mut keys = Keys::new();
        assert!(!keys.repeat());
        for number in 0..100_000_u32 {
            keys.add(&number.to_ne_bytes()).unwrap();
        }
        assert!(!keys.repeat());
        keys.add(&70_000_u32.to_ne_bytes()).unwrap();
        assert!(keys.repeat());
    }
}
