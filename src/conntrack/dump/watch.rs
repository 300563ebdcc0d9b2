//! Whether a list may have missed entries, or has some twice.
//!
//! The kernel says so of hardly any list. When the hash table that flows are in is resized while it
//! is listed, flows are missed if it shrinks and come twice if it grows.
#![forbid(unsafe_code)]

use super::keys::Keys;
use super::{Order, What};
use crate::netlink::error::Error;
use std::fs::File;
use std::io::Read;

/// The number of hash buckets, which is the same in every network namespace.
const BUCKETS: &str = "/proc/sys/net/netfilter/nf_conntrack_buckets";

/// What is watched while a list is read.
#[derive(Debug)]
pub(super) struct Watch {
    keys: Option<Keys>,
    /// The number of buckets when it began; `None` where that does not matter or is not known.
    before: Option<u32>,
    /// Whether it was another one since.
    resized: bool,
}

impl Watch {
    /// Begins, for what is ordered.
    pub(super) fn of(order: &Order<'_>) -> Self {
        let table = matches!(order.what, What::Flows | What::FlowsToZero);
        // Of one key there may be several flows that have ended.
        let search = order.search && order.what != What::Dying;
        let before = if table { buckets() } else { None };
        Self { keys: search.then(Keys::new), before, ..Self::nothing() }
    }

    /// For a list that is empty.
    pub(super) fn nothing() -> Self {
        Self { keys: None, before: None, resized: false }
    }

    /// Notes the key of an entry, if keys are searched.
    #[inline]
    pub(super) fn note<K: AsRef<[u8]>>(&mut self, key: impl FnOnce() -> K) -> Result<(), Error> {
        self.keys.as_mut().map_or(Ok(()), |keys| keys.add(key().as_ref()))
    }

    /// Looks at the hash table again: in the end, and when a datagram was received, with which the kernel
    /// has made the next one. A table that is halved while its second half is listed ends the list, with
    /// nothing twice, and may be as large as before when that is read.
    pub(super) fn look(&mut self) {
        // What cannot be read has not changed, as far as is known.
        let now = self.before.and_then(|_| buckets());
        self.resized |= now.is_some() && now != self.before;
    }

    pub(super) fn is_consistent(&mut self) -> bool {
        !self.resized && !self.keys.as_mut().is_some_and(Keys::repeat)
    }
}

fn buckets() -> Option<u32> {
    let mut text = [0; 16];
    let length = File::open(BUCKETS).ok()?.read(&mut text).ok()?;
    std::str::from_utf8(text.get(..length)?).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_came_twice_is_told() {
        let mut watch = Watch { keys: Some(Keys::new()), ..Watch::nothing() };
        for key in [[1], [2], [1]] {
            assert!(watch.is_consistent());
            watch.note(|| key).unwrap();
        }
        assert!(!watch.is_consistent());
        let mut careless = Watch { keys: None, ..watch };
        careless.note(|| [1]).unwrap();
        assert!(careless.is_consistent());
    }

    #[test]
    fn a_table_that_was_resized_is_told_though_it_was_resized_back() {
        let order = Order { search: false, ..Order::of(What::Flows) };
        let mut watch = Watch::of(&order);
        watch.look();
        assert!(watch.is_consistent());
        let before = watch.before;
        watch.before = before.map(|buckets| buckets + 1);
        watch.look();
        watch.before = before;
        watch.look();
        assert_eq!(watch.is_consistent(), before.is_none());
    }
}
