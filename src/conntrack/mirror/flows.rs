//! The flows of a mirror, one after another.
#![forbid(unsafe_code)]

use super::reader::{MirrorReader, copied};
use crate::conntrack::expression::Expression;
use crate::conntrack::flow::Flow;
use crate::conntrack::replica::Kept;
use crate::error::Error;
use std::ops::ControlFlow;

/// So many places are looked at before who keeps the flows up to date is let in.
const BATCH: u64 = 256;

/// The flows of a mirror, which goes on meanwhile: an iterator.
///
/// ```
/// use ctrs::{MirrorFlows, MirrorReader};
///
/// fn marked(reader: &MirrorReader) -> usize {
///     let flows: MirrorFlows = reader.flows();
///     flows.flatten().filter(|flow| flow.mark() != 0).count()
/// }
/// ```
#[derive(Debug)]
#[must_use = "flows are copied as the iterator is advanced"]
pub struct MirrorFlows {
    reader: MirrorReader,
    filter: Option<Expression>,
    /// Only those of which no event has told.
    unheard: bool,
    place: u64,
}

impl MirrorFlows {
    pub(super) fn of(reader: MirrorReader, filter: Option<Expression>) -> Self {
        Self { reader, filter, unheard: false, place: 0 }
    }

    pub(super) fn unheard(reader: MirrorReader) -> Self {
        Self { unheard: true, ..Self::of(reader, None) }
    }
}

impl Iterator for MirrorFlows {
    type Item = Result<Flow, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut found = None;
        self.reader.walk(&mut self.place, self.filter.as_ref(), &mut |kept| {
            if self.unheard && kept.heard {
                return ControlFlow::Continue(());
            }
            found = Some(copied(kept));
            ControlFlow::Break(())
        });
        found
    }
}

impl MirrorReader {
    /// Hands out flows that are selected, from a place on, 0 at first, until one is enough; and puts
    /// the place forward behind it.
    pub(crate) fn walk(
        &self,
        place: &mut u64,
        filter: Option<&Expression>,
        take: &mut dyn FnMut(&Kept<'_>) -> ControlFlow<()>,
    ) {
        loop {
            let replica = self.read();
            let end = replica.places().min(place.saturating_add(BATCH));
            if *place >= end {
                return;
            }
            for kept in replica.flows_in(*place..end) {
                *place = kept.next;
                let wanted = filter.is_none_or(|filter| filter.truth(kept.flow, None).is_true());
                if kept.selected && wanted && take(&kept).is_break() {
                    return;
                }
            }
            *place = end;
        }
    }
}
