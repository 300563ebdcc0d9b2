//! What was looked up when something failed.
#![forbid(unsafe_code)]

use super::asked::Asked;
use crate::facts::holder::{self, Holder};
use crate::facts::log_group;
use crate::facts::privilege::{self, Capability, Held};
use crate::facts::{module, sysctl};
use std::fmt::{self, Display, Formatter};

/// What is looked up for a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Nowhere,
    /// Whether this thread has a capability.
    Privilege(Capability),
    /// Whether it has `CAP_NET_ADMIN` where it counts for the socket.
    PrivilegeForSocket,
    /// How full the table is.
    Table,
    /// How many expectations there may be.
    Expectations,
    /// Whether the kernel has connection tracking.
    Kernel,
    /// Which other process has the socket open.
    Holder,
    /// Who has bound the group of logged packets.
    LogGroup,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact {
    Privilege(Held),
    Table { count: u64, max: u64 },
    Expectations { max: u64 },
    NoConntrack,
    Holder(Holder),
    LogGroup { port: u32, holder: Option<Holder> },
}

impl Look {
    /// Looks it up; of a request only what can be without it, if it is not known.
    pub fn up(self, asked: Option<&Asked<'_>>) -> Option<Fact> {
        match self {
            Self::Nowhere => None,
            Self::Privilege(capability) => privilege::held(capability).map(Fact::Privilege),
            Self::PrivilegeForSocket => asked?.privilege().map(Fact::Privilege),
            Self::Table => asked?.table().map(|(count, max)| Fact::Table { count, max }),
            Self::Expectations => {
                let [max] = sysctl::of(asked?.socket?, [sysctl::EXPECT_MAX]);
                max.map(|max| Fact::Expectations { max })
            }
            Self::Kernel => (module::conntrack() == Some(false)).then_some(Fact::NoConntrack),
            Self::Holder => holder::other(asked?.socket?.as_fd()).map(Fact::Holder),
            Self::LogGroup => {
                let (port, holder) = log_group::owner(asked?.socket?, asked?.group()?)?;
                Some(Fact::LogGroup { port, holder })
            }
        }
    }
}

impl Fact {
    /// That the table has more room than what ends meanwhile may have made.
    pub fn is_of_room(self) -> bool {
        matches!(self, Self::Table { count, max } if count < max - max / 16)
    }
}

/// As it follows the cause.
impl Display for Fact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Privilege(Held::No) => f.write_str(
                ", and this thread does not have it: run as root, or in a namespace of your own \
                 (unshare -Urn)",
            ),
            Self::Privilege(Held::Elsewhere) => {
                f.write_str(", and this thread has it only in another user namespace")
            }
            Self::Privilege(Held::Yes) => {
                f.write_str(", and this thread has it: a security module may refuse it")
            }
            Self::Table { count, max } => write!(f, " ({count} flows of at most {max})"),
            Self::Expectations { max } => write!(f, " (at most {max})"),
            Self::NoConntrack => {
                f.write_str(" (this namespace has no connection tracking: load nf_conntrack)")
            }
            Self::Holder(holder) => {
                write!(f, ", which process {} ({}) has open too", holder.pid, holder.name())
            }
            Self::LogGroup { port, holder } => {
                write!(f, ": that of port {port}")?;
                let Some(holder) = holder else { return Ok(()) };
                write!(f, ", of process {} ({})", holder.pid, holder.name())
            }
        }
    }
}
