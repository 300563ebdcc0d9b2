//! What selects the flows that a list or a listener hands out.
#![forbid(unsafe_code)]

use super::expression::Expression;
use super::filter::criteria::Filter;
use super::flow::Flow;
use super::wire::Change;

/// What flows are checked against.
#[derive(Debug)]
pub(super) enum Selects {
    All,
    Filter(Filter),
    Expression(Expression),
}

impl Selects {
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
