//! What has happened to the flows that are kept, until it is handed out.
#![forbid(unsafe_code)]

use super::store::{Slot, Store};
use crate::conntrack::error::Error;
use crate::conntrack::object::entry::Conntrack;
use std::collections::VecDeque;

/// What has happened.
///
/// ```
/// use ctrs::{Happened, MirrorChange};
///
/// /// Whether what is kept may not be what the table is.
/// fn is_behind(change: &MirrorChange) -> bool {
///     matches!(change.happened, Happened::Overrun(_) | Happened::CannotSettle(_))
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happened {
    /// A flow is there that was not. `after` is it.
    New,
    /// It has changed, in more than time, counters and TCP flags: `before` and `after`.
    Updated,
    /// It has ended. `before` is it, with what its end told: its counters and times.
    Destroyed,
    /// It has changed so that the filter selects it: `before` and `after`.
    Entered,
    /// It has changed so that the filter selects it no more: `before` and `after`.
    Left,
    /// So many messages were lost, or 0 where the kernel does not say how many: of flows, more may have
    /// changed than was told.
    Overrun(u32),
    /// What is kept is compared with the table from now on.
    Resyncing,
    /// What is kept is what the table is.
    Settled,
    /// Losses come faster than the table can be listed: so many lists in a row were for nothing.
    CannotSettle(u32),
}

/// Something that has happened.
#[derive(Debug)]
pub struct TableChange {
    /// What.
    pub happened: Happened,
    /// Whether no event told it: it was found out.
    pub synthesised: bool,
    /// When, by the kernel's clock, if it told: nanoseconds since 1970.
    pub when: Option<u64>,
    /// The flow as it was.
    pub before: Option<Conntrack>,
    /// The flow as it is.
    pub after: Option<Conntrack>,
}

/// How something was learned.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Source {
    pub synthesised: bool,
    pub when: Option<u64>,
}

/// From a dump, or by deduction.
pub(super) const FOUND: Source = Source { synthesised: true, when: None };

/// A change that waits. The objects lie in slots of the store.
#[derive(Debug)]
struct Waiting {
    happened: Happened,
    source: Source,
    before: Option<Slot>,
    after: Option<Slot>,
}

impl Waiting {
    fn loss(lost: u32) -> Self {
        Self { happened: Happened::Overrun(lost), source: FOUND, before: None, after: None }
    }
}

/// The changes that wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    /// Messages that were lost behind all of these. It takes no memory to note that.
    lost: Option<u32>,
}

impl Queue {
    /// Makes room for so many.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn reserve(&mut self, changes: usize) -> Result<(), Error> {
        // And for a loss before them.
        Ok(self.waiting.try_reserve(changes.saturating_add(1))?)
    }

    /// Adds one, for which there is room.
    pub fn push(&mut self, happened: Happened, source: Source, [before, after]: [Option<Slot>; 2]) {
        self.waiting.extend(self.lost.take().map(Waiting::loss));
        self.waiting.push_back(Waiting { happened, source, before, after });
    }

    /// Adds that so many messages were lost, or some.
    pub fn lose(&mut self, lost: u32) {
        self.lost = Some(self.lost.unwrap_or(0).saturating_add(lost));
    }

    /// The oldest one.
    pub fn pop(&mut self, store: &mut Store) -> Option<TableChange> {
        let oldest = self.waiting.pop_front();
        let oldest = oldest.or_else(|| self.lost.take().map(Waiting::loss));
        let Waiting { happened, source, before, after } = oldest?;
        let Source { synthesised, when } = source;
        let mut take = |slot: Option<Slot>| slot.and_then(|slot| store.take(slot));
        Some(TableChange { happened, synthesised, when, before: take(before), after: take(after) })
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.lost.is_none()
    }
}
