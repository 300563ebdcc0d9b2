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
    /// The same at its end.
    after: Option<u32>,
}

impl Watch {
    /// Begins, for what is ordered.
    pub(super) fn of(order: &Order<'_>) -> Self {
        let table = matches!(order.what, What::Flows | What::FlowsToZero);
        // Of one key there may be several flows that have ended.
        let search = order.search && order.what != What::Dying;
        let before = if table { buckets() } else { None };
        Self { keys: search.then(Keys::new), before, after: before }
    }

    /// For a list that is empty.
    pub(super) fn nothing() -> Self {
        Self { keys: None, before: None, after: None }
    }

    /// Notes the key of an entry, if keys are searched.
    #[inline]
    pub(super) fn note<K: AsRef<[u8]>>(&mut self, key: impl FnOnce() -> K) -> Result<(), Error> {
        self.keys.as_mut().map_or(Ok(()), |keys| keys.add(key().as_ref()))
    }

    /// Looks at the hash table again.
    pub(super) fn end(&mut self) {
        // What cannot be read has not changed, as far as is known.
        self.after = self.before.and_then(|before| buckets().or(Some(before)));
    }

    pub(super) fn is_consistent(&mut self) -> bool {
        self.before == self.after && !self.keys.as_mut().is_some_and(Keys::repeat)
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
    fn a_table_that_was_resized_or_a_key_that_came_twice_is_told() {
        let watch = |before, after| Watch { keys: Some(Keys::new()), before, after };
        assert!(watch(None, None).is_consistent() && watch(Some(8), Some(8)).is_consistent());
        assert!(!watch(Some(8), Some(16)).is_consistent());
        let mut watch = watch(None, None);
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
    fn the_table_is_looked_at_again_in_the_end() {
        let mut watch = Watch::of(&Order { search: false, ..Order::of(What::Flows) });
        watch.end();
        assert!(watch.is_consistent());
        watch.before = watch.before.map(|buckets| buckets + 1);
        watch.end();
        assert_eq!(watch.is_consistent(), watch.before.is_none());
    }
}
