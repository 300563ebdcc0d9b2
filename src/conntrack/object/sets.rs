//! Attributes that are told together: what a message has one nest for.
#![forbid(unsafe_code)]

use super::attr::{Attr, Presence};

/// The state of TCP.
pub(crate) const TCP: Presence = Presence::of(&[
    Attr::TcpState,
    Attr::TcpFlagsOrig,
    Attr::TcpFlagsRepl,
    Attr::TcpMaskOrig,
    Attr::TcpMaskRepl,
    Attr::TcpWscaleOrig,
    Attr::TcpWscaleRepl,
]);

/// The state of SCTP.
pub(crate) const SCTP: Presence =
    Presence::of(&[Attr::SctpState, Attr::SctpVtagOrig, Attr::SctpVtagRepl]);

/// The state of DCCP.
pub(crate) const DCCP: Presence =
    Presence::of(&[Attr::DccpState, Attr::DccpRole, Attr::DccpHandshakeSeq]);

/// How sequence numbers of the original direction are adjusted.
pub(crate) const SEQ_ORIG: Presence = Presence::of(&[
    Attr::OrigNatSeqCorrectionPos,
    Attr::OrigNatSeqOffsetBefore,
    Attr::OrigNatSeqOffsetAfter,
]);

/// The same, of the reply direction.
pub(crate) const SEQ_REPLY: Presence = Presence::of(&[
    Attr::ReplNatSeqCorrectionPos,
    Attr::ReplNatSeqOffsetBefore,
    Attr::ReplNatSeqOffsetAfter,
]);

/// What a SYN proxy keeps.
pub(crate) const SYNPROXY: Presence =
    Presence::of(&[Attr::SynproxyIsn, Attr::SynproxyIts, Attr::SynproxyTsoff]);
