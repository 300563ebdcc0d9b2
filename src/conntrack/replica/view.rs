//! What a filter selects of the flows that are kept.
#![forbid(unsafe_code)]

use crate::conntrack::expression::Expression;
use crate::conntrack::object::entry::Conntrack;

/// A filter. Its terms that cannot change for a flow decide which are kept; of those it selects the
/// ones that it is true of as they are.
#[derive(Debug)]
pub(super) struct View(pub Option<Expression>);

impl View {
    /// Whether the flow may be selected, now or after a change.
    pub fn keeps(&self, ct: &Conntrack) -> bool {
        self.0.as_ref().is_none_or(|filter| filter.may_become_true(ct))
    }

    /// Whether the flow is selected as it is.
    pub fn selects(&self, ct: &Conntrack) -> bool {
        self.0.as_ref().is_none_or(|filter| filter.truth(ct, None).is_true())
    }
}
