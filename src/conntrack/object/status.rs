//! The status of an entry, and what of it belongs to which tuple.
#![forbid(unsafe_code)]

use super::attr::{Attr, Class, Presence};
use crate::uapi::ips;

bitflags::bitflags! {
    /// Status bits of an entry, `IPS_*` of `linux/netfilter/nf_conntrack_common.h`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Status: u32 {
        /// Another flow's helper expected this one.
        const EXPECTED = ips::EXPECTED;
        /// Packets were seen in both directions.
        const SEEN_REPLY = ips::SEEN_REPLY;
        /// The entry is not dropped early when the table is full.
        const ASSURED = ips::ASSURED;
        /// The entry is in the table.
        const CONFIRMED = ips::CONFIRMED;
        /// The source is translated.
        const SRC_NAT = ips::SRC_NAT;
        /// The destination is translated.
        const DST_NAT = ips::DST_NAT;
        /// Sequence numbers are adjusted.
        const SEQ_ADJUST = ips::SEQ_ADJUST;
        /// Source translation is set up.
        const SRC_NAT_DONE = ips::SRC_NAT_DONE;
        /// Destination translation is set up.
        const DST_NAT_DONE = ips::DST_NAT_DONE;
        /// The entry is being removed.
        const DYING = ips::DYING;
        /// The timeout cannot be changed.
        const FIXED_TIMEOUT = ips::FIXED_TIMEOUT;
        /// A template, not a flow.
        const TEMPLATE = ips::TEMPLATE;
        /// The helper was given by a rule or request.
        const HELPER = ips::HELPER;
        /// Packets take the software fast path.
        const OFFLOAD = ips::OFFLOAD;
        /// Packets take the hardware fast path.
        const HW_OFFLOAD = ips::HW_OFFLOAD;
        // Newer kernels may set others.
        const _ = !0;
    }
}

/// All of the original tuple.
pub(crate) const ORIGINAL_TUPLE: Presence =
    Presence::of_class(Class::Original).with(Presence::of(&[Attr::OrigZone]));
/// All of the reply tuple.
pub(crate) const REPLY_TUPLE: Presence =
    Presence::of_class(Class::Reply).with(Presence::of(&[Attr::ReplZone]));
