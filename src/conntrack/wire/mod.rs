//! Bytes to objects and back: the only place that knows the attributes of ctnetlink.
#![forbid(unsafe_code)]

pub mod decode;
pub mod encode;
pub mod expect;
pub mod expectation;
pub mod flow;
#[cfg(feature = "capi")]
pub(crate) mod message;
mod nest;
pub mod query;
pub mod stats;
mod tuple;
mod usual_nests;

use crate::netlink::message::Message;
use crate::uapi::cta;

/// What a message says has happened. The numbers are those of `enum nf_conntrack_msg_type`.
///
/// ```
/// use ctrs::Change;
/// assert_eq!(Change::Destroy.to_string(), "destroy");
/// assert_ne!(Change::New, Change::Update);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[repr(u32)]
pub enum Change {
    /// Something was created.
    New = 1,
    /// Something was changed; also what answers to dumps and gets come as.
    Update = 2,
    /// Something was deleted.
    Destroy = 4,
}

impl Change {
    /// What the message, of either subsystem, says; `None` for messages of other kinds.
    #[must_use]
    pub fn of(message: &Message<'_>) -> Option<Self> {
        const CREATED: u16 = (libc::NLM_F_CREATE | libc::NLM_F_EXCL) as u16;
        match message.number() {
            cta::MSG_NEW if message.flags & CREATED != 0 => Some(Self::New),
            cta::MSG_NEW => Some(Self::Update),
            cta::MSG_DELETE => Some(Self::Destroy),
            _ => None,
        }
    }

    /// What the message says, if it is one of `types`, whose bits are the numbers of the changes.
    #[cfg(feature = "capi")]
    pub(crate) fn among(message: &Message<'_>, types: i32) -> Option<Self> {
        Self::of(message).filter(|change| types & *change as i32 != 0)
    }
}
