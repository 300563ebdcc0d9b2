//! Values into the attributes of an object that is to be sent.
#![forbid(unsafe_code)]

use super::labels::set::Labels;
use super::object::attr::Attr;
use super::object::entry::{Conntrack, Slot};
use super::object::renew::TCP_FLAGS;
use super::values::{
    Direction, Helper, Protocol, SctpInfo, SeqAdjust, SynProxy, TcpFlags, TcpInfo, TcpState,
};
use crate::conntrack::error::Error;

/// Bytes as a setter takes them.
pub(super) fn slot(bytes: &[u8]) -> Slot {
    let mut slot = [0; 16];
    slot.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    slot
}

impl Conntrack {
    pub(super) fn fill_u8(&mut self, attr: Attr, value: u8) {
        self.set(attr, slot(&[value]));
    }

    pub(super) fn fill_u16(&mut self, attr: Attr, value: u16) {
        self.set(attr, slot(&value.to_ne_bytes()));
    }

    pub(super) fn fill_u32(&mut self, attr: Attr, value: u32) {
        self.set(attr, slot(&value.to_ne_bytes()));
    }

    pub(super) fn fill_tcp_state(&mut self, state: TcpState) {
        self.fill_u8(Attr::TcpState, state.number());
    }

    pub(super) fn fill_tcp_flags(&mut self, of: Direction, flags: TcpFlags, mask: u8) {
        let [value, masked] = match of {
            Direction::Original => [Attr::TcpFlagsOrig, Attr::TcpMaskOrig],
            Direction::Reply => [Attr::TcpFlagsRepl, Attr::TcpMaskRepl],
        };
        self.fill_u8(value, flags.bits());
        self.fill_u8(masked, mask);
    }

    pub(super) fn fill_tcp(&mut self, TcpInfo { state, original, reply }: TcpInfo) {
        self.fill_tcp_state(state);
        self.fill_tcp_flags(Direction::Original, original.flags, TCP_FLAGS);
        self.fill_tcp_flags(Direction::Reply, reply.flags, TCP_FLAGS);
        self.fill_u8(Attr::TcpWscaleOrig, original.window_scale);
        self.fill_u8(Attr::TcpWscaleRepl, reply.window_scale);
    }

    pub(super) fn fill_sctp(&mut self, SctpInfo { state, tags: [original, reply] }: SctpInfo) {
        self.fill_u8(Attr::SctpState, state.number());
        self.fill_u32(Attr::SctpVtagOrig, original);
        self.fill_u32(Attr::SctpVtagRepl, reply);
    }

    pub(super) fn fill_seq_adjust(&mut self, of: Direction, adjust: SeqAdjust) {
        let attrs = match of {
            Direction::Original => [
                Attr::OrigNatSeqCorrectionPos,
                Attr::OrigNatSeqOffsetBefore,
                Attr::OrigNatSeqOffsetAfter,
            ],
            Direction::Reply => [
                Attr::ReplNatSeqCorrectionPos,
                Attr::ReplNatSeqOffsetBefore,
                Attr::ReplNatSeqOffsetAfter,
            ],
        };
        let SeqAdjust { position, offset_before, offset_after } = adjust;
        self.fill_triple(attrs, [position, offset_before, offset_after]);
    }

    pub(super) fn fill_synproxy(&mut self, synproxy: SynProxy) {
        let SynProxy { initial_sequence, initial_timestamp, timestamp_offset } = synproxy;
        let attrs = [Attr::SynproxyIsn, Attr::SynproxyIts, Attr::SynproxyTsoff];
        self.fill_triple(attrs, [initial_sequence, initial_timestamp, timestamp_offset]);
    }

    fn fill_triple(&mut self, attrs: [Attr; 3], values: [u32; 3]) {
        attrs.into_iter().zip(values).for_each(|(attr, value)| self.fill_u32(attr, value));
    }

    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn fill_helper(&mut self, helper: &Helper) -> Result<(), Error> {
        self.set_helper_name(helper.name_bytes());
        if helper.data().is_empty() { Ok(()) } else { self.set_helper_info(helper.data()) }
    }

    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn fill_labels(&mut self, labels: Labels, mask: bool) -> Result<(), Error> {
        self.set_labels(labels.to_bitmask()?, mask);
        Ok(())
    }

    /// Whether it has a state of another protocol than its own.
    pub(crate) fn has_foreign_state(&self, protocol: Protocol) -> bool {
        let tcp = self.has(Attr::TcpState)
            || self.has(Attr::TcpFlagsOrig)
            || self.has(Attr::TcpFlagsRepl);
        let sctp = self.has(Attr::SctpState);
        tcp && protocol != Protocol::Tcp || sctp && protocol != Protocol::Sctp
    }
}
