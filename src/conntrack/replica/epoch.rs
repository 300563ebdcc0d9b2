//! From the beginning of one dump to that of the next.
#![forbid(unsafe_code)]

use super::key::TupleKey;
use crate::conntrack::error::Error;
use std::collections::HashSet;

/// What the driver knows when a dump is over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ending {
    /// Whether the kernel ended it with an error, or said that it was interrupted.
    pub failed: bool,
    /// How many messages the socket of events has lost by now; 0 where that is not known.
    pub lost: u32,
    /// The number of hash buckets by now; `None` where that is not known.
    pub buckets: Option<u32>,
}

/// What is known of this epoch.
#[derive(Debug, Default)]
pub(super) struct Epoch {
    pub number: u32,
    /// Whether its dump is being read.
    pub dumping: bool,
    /// Messages lost when it began, before the events of the last one were read.
    pub lost: u32,
    pub buckets: Option<u32>,
    /// Whether events were lost since.
    pub overrun: bool,
    /// Whether a flow came twice in its dump.
    pub twice: bool,
    /// Flows that ended while its dump was read: a tuple and an id.
    dead: HashSet<(TupleKey, u32)>,
}

impl Epoch {
    /// A dump begins.
    pub fn begin(&mut self, buckets: Option<u32>) {
        (self.overrun, self.twice) = (false, false);
        self.dumping = true;
        self.buckets = buckets;
    }

    /// Of the flows, what was noted counts no more.
    pub fn forget(&mut self) {
        self.number = self.number.wrapping_add(1);
        self.dead.clear();
    }

    /// Notes that a flow has ended.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn bury(&mut self, key: TupleKey, id: u32) -> Result<(), Error> {
        self.dead.try_reserve(1)?;
        self.dead.insert((key, id));
        Ok(())
    }

    pub fn is_dead(&self, key: TupleKey, id: u32) -> bool {
        !self.dead.is_empty() && self.dead.contains(&(key, id))
    }
}
