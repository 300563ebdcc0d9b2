//! What is asked of the kernel.
#![forbid(unsafe_code)]

use std::fmt::{self, Display, Formatter};

/// What was asked of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// To create a flow.
    Create,
    /// To change a flow.
    Update,
    /// For one flow.
    Get,
    /// To delete one flow.
    Delete,
    /// To delete all flows.
    Flush,
    /// For all flows, or those that a filter selects.
    List,
    /// To create an expectation.
    CreateExpectation,
    /// For one expectation.
    GetExpectation,
    /// To delete one expectation.
    DeleteExpectation,
    /// To delete all expectations.
    FlushExpectations,
    /// For all expectations.
    ListExpectations,
    /// For statistics.
    Statistics,
}

impl RequestKind {
    /// Whether something is to be created.
    pub(super) fn creates(self) -> bool {
        matches!(self, Self::Create | Self::CreateExpectation)
    }

    /// Whether it is about expectations, and not about flows.
    pub(super) fn is_of_expectations(self) -> bool {
        matches!(
            self,
            Self::CreateExpectation
                | Self::GetExpectation
                | Self::DeleteExpectation
                | Self::FlushExpectations
                | Self::ListExpectations
        )
    }
}

/// The request in words that follow "cannot".
impl Display for RequestKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create the flow",
            Self::Update => "update the flow",
            Self::Get => "get the flow",
            Self::Delete => "delete the flow",
            Self::Flush => "delete the flows",
            Self::List => "list the flows",
            Self::CreateExpectation => "create the expectation",
            Self::GetExpectation => "get the expectation",
            Self::DeleteExpectation => "delete the expectation",
            Self::FlushExpectations => "delete the expectations",
            Self::ListExpectations => "list the expectations",
            Self::Statistics => "read the statistics",
        })
    }
}
