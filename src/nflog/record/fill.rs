//! A packet's record, of its message.
#![forbid(unsafe_code)]

use super::layout::{PacketField, PacketRecord, PartRecord};
use crate::netlink::message::{ATTRIBUTE_HEADER_SIZE, Message};
use crate::nflog::attr::{BEGIN, be16, be32, each, first, timestamp, value};
#[cfg(feature = "capi")]
use crate::nflog::losses::Loss;
use crate::nflog::values::Vlan;
use crate::uapi::nful;
#[cfg(feature = "capi")]
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970; `None` beyond what 64 bits hold.
pub(super) fn nanoseconds((seconds, microseconds): (u64, u64)) -> Option<u64> {
    seconds.checked_mul(1_000_000_000)?.checked_add(microseconds.checked_mul(1000)?)
}

/// An address of at most 8 bytes and its length, zeros behind it.
#[inline]
fn hardware_address(value: &[u8]) -> Option<(u8, [u8; 8])> {
    let [high, low, _, _, address @ ..]: [u8; 12] = first(value)?;
    let length = u16::from_be_bytes([high, low]);
    let bits = 64_u32.checked_sub(u32::from(length) * 8)?;
    let kept = u64::MAX.checked_shl(bits).unwrap_or(0);
    Some((length as u8, (u64::from_be_bytes(address) & kept).to_be_bytes()))
}

/// Takes over what there is; without, it is zero.
#[inline(always)]
fn set<T: Default>(to: &mut T, value: Option<T>) -> bool {
    let there = value.is_some();
    *to = value.unwrap_or_default();
    there
}

impl PacketRecord {
    /// The record of the packet in a message of the kernel; its parts are places in the message.
    /// `None` if it is about something else.
    #[must_use]
    pub fn of(message: &[u8]) -> Option<Self> {
        let message = Message::first(message)?;
        if message.kind != nful::PACKET || message.bytes().len() < BEGIN {
            return None;
        }
        let mut record = Self::default();
        record.fill(&message, 0);
        Some(record)
    }

    /// Makes an empty record that of a packet, whose message is at this place of the buffer.
    ///
    /// What there is, and of which length it must be, is as [`Packet`](crate::Packet) has it.
    #[inline]
    pub(crate) fn fill(&mut self, message: &Message<'_>, at: u32) {
        (self.group, self.family) = (message.resource(), message.family());
        self.message = PartRecord { offset: at, length: message.bytes().len() as u32 };
        let (mut present, mut hardware_length) = (1 << PacketField::Message as u32, None);
        for (kind, rest) in each(message.attributes()) {
            let value = value(rest);
            if kind == nful::HWLEN {
                hardware_length = be16(value);
            }
            let place = message.bytes().len() - rest.len() + ATTRIBUTE_HEADER_SIZE;
            let offset = at + place as u32;
            let there = self.take(kind, PartRecord { offset, length: value.len() as u32 }, value);
            let bit = 1_u64.checked_shl(kind.into()).unwrap_or(0);
            present = if there { present | bit } else { present & !bit };
        }
        let length = hardware_length.map_or(u32::MAX, u32::from);
        self.hwheader.length = self.hwheader.length.min(length);
        self.present = present | 1 << PacketField::Message as u32;
    }

    /// Takes over an attribute, whose value lies there; false if it is none of a record, or too short.
    #[inline(always)]
    fn take(&mut self, kind: u16, part: PartRecord, value: &[u8]) -> bool {
        match kind {
            nful::PACKET_HDR => {
                let header = first(value).map(|[a, b, hook, _]| (u16::from_be_bytes([a, b]), hook));
                set(&mut self.hook, header.map(|(_, hook)| hook));
                set(&mut self.hw_protocol, header.map(|(protocol, _)| protocol))
            }
            nful::MARK => set(&mut self.mark, be32(value)),
            nful::TIMESTAMP => set(&mut self.timestamp, timestamp(value).and_then(nanoseconds)),
            nful::IFINDEX_INDEV => set(&mut self.indev, be32(value)),
            nful::IFINDEX_OUTDEV => set(&mut self.outdev, be32(value)),
            nful::IFINDEX_PHYSINDEV => set(&mut self.physindev, be32(value)),
            nful::IFINDEX_PHYSOUTDEV => set(&mut self.physoutdev, be32(value)),
            nful::HWADDR => {
                let address = hardware_address(value);
                set(&mut self.hwaddr_length, address.map(|(length, _)| length));
                set(&mut self.hwaddr, address.map(|(_, address)| address))
            }
            nful::PAYLOAD => set(&mut self.payload, Some(part)),
            nful::PREFIX => {
                let end = value.iter().position(|byte| *byte == 0);
                let length = |end| PartRecord { length: end as u32, ..part };
                set(&mut self.prefix, end.map(length))
            }
            nful::UID => set(&mut self.uid, be32(value)),
            nful::SEQ => set(&mut self.seq, be32(value)),
            nful::SEQ_GLOBAL => set(&mut self.seq_global, be32(value)),
            nful::GID => set(&mut self.gid, be32(value)),
            nful::HWTYPE => set(&mut self.hwtype, be16(value)),
            nful::HWHEADER => set(&mut self.hwheader, Some(part)),
            nful::CT => set(&mut self.conntrack, Some(part)),
            nful::CT_INFO => set(&mut self.conntrack_info, be32(value)),
            nful::VLAN => {
                let vlan = Vlan::of(value);
                set(&mut self.vlan_protocol, vlan.map(|vlan| vlan.protocol));
                set(&mut self.vlan_tci, vlan.map(|vlan| vlan.tci))
            }
            nful::L2HDR => set(&mut self.l2header, Some(part)),
            _ => false,
        }
    }

    /// Says when it was received.
    #[cfg(feature = "capi")]
    pub(crate) fn set_received(&mut self, time: SystemTime) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let received = nanoseconds((since.as_secs(), 0))
            .and_then(|seconds| seconds.checked_add(since.subsec_nanos().into()));
        if set(&mut self.received, received) {
            self.present |= 1 << PacketField::Received as u32;
        }
    }

    /// Makes an empty record that of a loss.
    #[cfg(feature = "capi")]
    pub(crate) fn lose(&mut self, loss: Loss) {
        let field = match loss {
            Loss::Overrun => PacketField::Overrun,
            Loss::Datagram => PacketField::Truncated,
            Loss::Packets { group, count } => {
                (self.group, self.lost) = (group, count.into());
                PacketField::Lost
            }
        };
        self.present = 1 << field as u32;
    }
}
