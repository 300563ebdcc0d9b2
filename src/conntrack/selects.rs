//! What selects the flows that a list or a listener hands out.
#![forbid(unsafe_code)]

use super::expression::Expression;
use super::filter::criteria::Filter;
use super::filter::dump::DumpFilter;
use super::flow::Flow;
use super::wire::Change;
use crate::conntrack::error::Error;

/// What flows are checked against.
#[derive(Debug, Clone)]
pub(super) enum Selects {
    All,
    Filter(Filter),
    Expression(Expression),
}

impl Selects {
    /// Whether it selects all flows, so that none has to be checked.
    pub(super) fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// What the kernel compares of it when it hands out a list; `None` if no flow is selected.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(super) fn narrowing(&self) -> Result<Option<DumpFilter>, Error> {
        match self {
            Self::All => Ok(Some(DumpFilter::new())),
            Self::Filter(filter) => filter.narrowing(),
            Self::Expression(expression) => expression.narrowing(),
        }
    }

    /// Whether a flow of a list is handed out.
    pub(super) fn selects(&self, flow: &Flow) -> bool {
        match self {
            Self::All => true,
            Self::Filter(filter) => filter.matches(flow),
            Self::Expression(expression) => expression.matches(flow).is_true(),
        }
    }

    /// Whether one that an event told of is.
    pub(super) fn selects_event(&self, change: Change, flow: &Flow) -> bool {
        match self {
            Self::Expression(expression) => expression.matches_event(change, flow).is_true(),
            _ => self.selects(flow),
        }
    }
}
