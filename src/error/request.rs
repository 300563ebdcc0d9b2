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
    /// For a group of logged packets, with its settings.
    BindLogGroup,
    /// For other settings of a group of logged packets.
    ChangeLogGroup,
    /// For the end of a group of logged packets.
    UnbindLogGroup,
    /// For what the kernel logs of itself of an address family.
    BindLogFamily,
    /// For the end of that.
    UnbindLogFamily,
    /// To create a timeout policy.
    CreateTimeoutPolicy,
    /// To create a timeout policy, or to put it in another's place.
    ReplaceTimeoutPolicy,
    /// For one timeout policy.
    GetTimeoutPolicy,
    /// To delete one timeout policy.
    DeleteTimeoutPolicy,
    /// To delete all timeout policies.
    FlushTimeoutPolicies,
    /// For all timeout policies.
    ListTimeoutPolicies,
    /// For the timeouts of flows without a policy.
    GetDefaultTimeouts,
    /// To set those.
    SetDefaultTimeouts,
    /// To create a helper in user space, or to change it.
    CreateHelper,
    /// For one helper.
    GetHelper,
    /// To delete one helper.
    DeleteHelper,
    /// To delete all helpers.
    FlushHelpers,
    /// For all helpers.
    ListHelpers,
}

impl RequestKind {
    /// Whether something is to be created.
    pub(super) fn creates(self) -> bool {
        matches!(self, Self::Create | Self::CreateExpectation)
    }

    /// Whether it is about logged packets, and not about connection tracking.
    pub(super) fn is_of_log(self) -> bool {
        self.names_log_group() || matches!(self, Self::BindLogFamily | Self::UnbindLogFamily)
    }

    /// Whether it is about one group of logged packets.
    pub(super) fn names_log_group(self) -> bool {
        matches!(self, Self::BindLogGroup | Self::ChangeLogGroup | Self::UnbindLogGroup)
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
            Self::BindLogGroup => "bind NFLOG group",
            Self::ChangeLogGroup => "change the settings of NFLOG group",
            Self::UnbindLogGroup => "unbind NFLOG group",
            Self::BindLogFamily => "become the logger of the address family",
            Self::UnbindLogFamily => "remove the logger of the address family",
            Self::CreateTimeoutPolicy => "create the timeout policy",
            Self::ReplaceTimeoutPolicy => "replace the timeout policy",
            Self::GetTimeoutPolicy => "get the timeout policy",
            Self::DeleteTimeoutPolicy => "delete the timeout policy",
            Self::FlushTimeoutPolicies => "delete the timeout policies",
            Self::ListTimeoutPolicies => "list the timeout policies",
            Self::GetDefaultTimeouts => "read the default timeouts",
            Self::SetDefaultTimeouts => "set the default timeouts",
            Self::CreateHelper => "create or change the helper",
            Self::GetHelper => "get the helper",
            Self::DeleteHelper => "delete the helper",
            Self::FlushHelpers => "delete the helpers",
            Self::ListHelpers => "list the helpers",
        })
    }
}
