//! Packets as plain data of a fixed layout, the same wherever the byte order is.
//!
//! Their comments are those of the C header.

use super::packet::Packet;
use crate::record::Record;
use std::mem::offset_of;

/// A part of a packet, by its place in the buffer that the packet was read into.
///
/// # Examples
///
/// ```
/// let part = ctrs::PartRecord { offset: 4, length: 2 };
/// assert_eq!(part.of(b"bytes of it"), Some(&b"s "[..]));
/// assert_eq!(part.of(b"bytes"), None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct PartRecord {
    /// Where it begins, in bytes from the beginning of the buffer.
    pub offset: u32,
    /// How many bytes it has.
    pub length: u32,
}

/// What of a packet is there: bit n of present says so of the field with that number.
///
/// Those up to 31 are the kernel's numbers of attributes, NFULA_*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum PacketField {
    /// The record is of a packet: message, family and group. Without this it tells of a loss.
    Message = 0,
    /// hw_protocol and hook.
    Header = 1,
    /// mark.
    Mark = 2,
    /// timestamp.
    Timestamp = 3,
    /// indev.
    Indev = 4,
    /// outdev.
    Outdev = 5,
    /// physindev.
    Physindev = 6,
    /// physoutdev.
    Physoutdev = 7,
    /// hwaddr and hwaddr_length.
    Hwaddr = 8,
    /// payload.
    Payload = 9,
    /// prefix.
    Prefix = 10,
    /// uid.
    Uid = 11,
    /// seq.
    Seq = 12,
    /// seq_global.
    SeqGlobal = 13,
    /// gid.
    Gid = 14,
    /// hwtype.
    Hwtype = 15,
    /// hwheader.
    Hwheader = 16,
    /// conntrack.
    Conntrack = 18,
    /// conntrack_info.
    ConntrackInfo = 19,
    /// vlan_protocol and vlan_tci.
    Vlan = 20,
    /// l2header.
    L2header = 21,
    /// received.
    Received = 32,
    /// group and lost: so many packets of the group were lost here, which the sequence
    /// numbers tell.
    Lost = 33,
    /// overrun: the receive buffer was full, and packets of any group were lost.
    Overrun = 34,
    /// A datagram was lost that was longer than any the kernel is known to send.
    Truncated = 35,
}

/// A packet as plain data, without a pointer: every attribute of fixed size, and where in the
/// caller's buffer the others are.
///
/// Bit n of present tells what is there, with n of enum ctrs_packet_field; the fields of what is
/// not are zero. Numbers are in host order, devices are interface indices.
///
/// A record without the bit CTRS_PACKET_MESSAGE is of no packet: it tells that packets were lost.
///
/// The layout is that of every architecture of the same byte order, 32 bits or 64. It only grows,
/// at the end: each call is told the size that its program was compiled with.
///
/// # Examples
///
/// ```
/// use ctrs::{PacketField, PacketRecord};
///
/// let record = PacketRecord::default();
/// assert!(!record.has(PacketField::Message));
/// assert_eq!(PacketRecord::from_bytes(record.as_bytes()), Some(record));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
#[non_exhaustive]
pub struct PacketRecord {
    /// What is there.
    pub present: u64,
    /// When the kernel received the packet, nanoseconds since 1970. Packets that leave, and
    /// those of hooks where none is taken, have none: then received is what there is.
    pub timestamp: u64,
    /// When the library read the packet, nanoseconds since 1970.
    pub received: u64,
    /// How many packets of the group were lost, just before the one that comes next.
    pub lost: u64,
    /// How many datagrams did not fit the receive buffer since the log was opened. Until what
    /// it holds was read more may follow, and how many packets they had, lost tells of the
    /// groups that number theirs.
    pub overrun: u64,
    /// The kernel's message about the packet, from its netlink header on.
    pub message: PartRecord,
    /// Text of the rule, without the NUL.
    pub prefix: PartRecord,
    /// Link layer header of a packet that came in. May be empty.
    pub hwheader: PartRecord,
    /// The packet, as far as it was copied: from its network header on, but from its link layer
    /// header on where it leaves through netdev egress or ARP output.
    pub payload: PartRecord,
    /// Attributes of the packet's flow, as ctnetlink has them.
    pub conntrack: PartRecord,
    /// Link layer header, of the families netdev and bridge, without the VLAN tag.
    pub l2header: PartRecord,
    /// Mark of the packet.
    pub mark: u32,
    /// Device it came in by; of a bridge, the bridge.
    pub indev: u32,
    /// Device it goes out by; of a bridge, the bridge.
    pub outdev: u32,
    /// Port of the bridge that it came in by.
    pub physindev: u32,
    /// Port of the bridge that it goes out by.
    pub physoutdev: u32,
    /// User who owns the socket, as the user namespace of who bound the group sees it.
    pub uid: u32,
    /// Group who owns the socket.
    pub gid: u32,
    /// Number among the packets of the group.
    pub seq: u32,
    /// Number among the packets of all groups that have such numbers.
    pub seq_global: u32,
    /// What the packet is to its flow: IP_CT_ESTABLISHED and its like.
    pub conntrack_info: u32,
    /// The group it was logged to.
    pub group: u16,
    /// Protocol of the payload: ETH_P_IP and its like.
    pub hw_protocol: u16,
    /// Kind of the link layer: ARPHRD_ETHER and its like.
    pub hwtype: u16,
    /// Protocol of the outer VLAN tag: ETH_P_8021Q or ETH_P_8021AD.
    pub vlan_protocol: u16,
    /// The outer VLAN tag: the id in the lower 12 bits, above them DEI, above that the priority.
    pub vlan_tci: u16,
    /// Family of the rule: AF_INET, AF_INET6, AF_BRIDGE, 3 for ARP, 5 for netdev.
    pub family: u8,
    /// Hook where it was logged: NF_INET_LOCAL_IN and its like, which the family tells.
    pub hook: u8,
    /// Bytes that the address of the sender has.
    pub hwaddr_length: u8,
    /// Zero.
    pub(crate) reserved: [u8; 3],
    /// Link layer address of the sender.
    pub hwaddr: [u8; 8],
}

// No padding anywhere: where one field ends the next begins. The bytes of a record rely on it.
const _: () = {
    assert!(offset_of!(PacketRecord, message) == 5 * 8);
    assert!(offset_of!(PacketRecord, mark) == 5 * 8 + 6 * 8);
    assert!(offset_of!(PacketRecord, group) == 5 * 8 + 6 * 8 + 10 * 4);
    assert!(offset_of!(PacketRecord, hwaddr) == 5 * 8 + 6 * 8 + 10 * 4 + 5 * 2 + 6);
    assert!(size_of::<PacketRecord>() == offset_of!(PacketRecord, hwaddr) + 8);
    assert!(size_of::<PacketRecord>() % 8 == 0);
};

// SAFETY: integers and arrays of them, without padding, as asserted above.
unsafe impl Record for PacketRecord {
    const LEAST: usize = size_of::<u64>();

    fn cut(&mut self, size: usize) {
        for (field, end) in ENDS {
            if *end > size {
                self.present &= !(1 << *field as u32);
            }
        }
    }
}

/// Where each field that may be absent ends.
macro_rules! ends {
    ($($field:ident $member:ident: $type:ty;)*) => {
        const ENDS: &[(PacketField, usize)] = &[$((
            PacketField::$field,
            offset_of!(PacketRecord, $member) + size_of::<$type>(),
        )),*];
    };
}

ends! {
    Message family: u8;
    Header hook: u8;
    Mark mark: u32;
    Timestamp timestamp: u64;
    Indev indev: u32;
    Outdev outdev: u32;
    Physindev physindev: u32;
    Physoutdev physoutdev: u32;
    Hwaddr hwaddr: [u8; 8];
    Payload payload: PartRecord;
    Prefix prefix: PartRecord;
    Uid uid: u32;
    Seq seq: u32;
    SeqGlobal seq_global: u32;
    Gid gid: u32;
    Hwtype hwtype: u16;
    Hwheader hwheader: PartRecord;
    Conntrack conntrack: PartRecord;
    ConntrackInfo conntrack_info: u32;
    Vlan vlan_tci: u16;
    L2header l2header: PartRecord;
    Received received: u64;
    Lost group: u16;
    Overrun overrun: u64;
}

impl PartRecord {
    /// The part of a buffer; `None` if it is not whole in it.
    #[must_use]
    pub fn of(self, buffer: &[u8]) -> Option<&[u8]> {
        buffer.get(self.offset as usize..)?.get(..self.length as usize)
    }
}

/// Nanoseconds since 1970; `None` beyond what 64 bits hold.
fn nanoseconds((seconds, microseconds): (u64, u64)) -> Option<u64> {
    seconds.checked_mul(1_000_000_000)?.checked_add(microseconds.checked_mul(1000)?)
}

/// An address of at most 8 bytes, with zeros behind it.
fn address(bytes: &[u8]) -> [u8; 8] {
    let mut address = [0; 8];
    address.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    address
}

/// Takes over what there is.
macro_rules! take {
    ($record:ident $($field:ident $member:ident = $value:expr;)*) => {
        $(if let Some(value) = $value {
            $record.$member = value;
            $record.present |= 1 << PacketField::$field as u32;
        })*
    };
}

impl PacketRecord {
    /// The record of the packet in a message of the kernel; its parts are places in the message.
    /// `None` if it is about something else.
    #[must_use]
    pub fn of(message: &[u8]) -> Option<Self> {
        let mut record = Self::default();
        record.fill(&Packet::read(message)?, 0);
        Some(record)
    }

    /// Makes an empty record that of a packet, whose message is at this place of the buffer.
    #[inline]
    pub(crate) fn fill(&mut self, packet: &Packet<'_>, at: u32) {
        let message = packet.message();
        let part = |bytes: &[u8]| PartRecord {
            offset: at + bytes.as_ptr().addr().wrapping_sub(message.as_ptr().addr()) as u32,
            length: bytes.len() as u32,
        };
        let header = packet.protocol().zip(packet.hook());
        let hwaddr = packet.hardware_address();
        let vlan = packet.vlan();
        (self.group, self.family) = (packet.group(), packet.family());
        take! { self
            Message message = Some(part(message));
            Header hw_protocol = header.map(|(protocol, _)| protocol);
            Header hook = header.map(|(_, hook)| hook);
            Mark mark = packet.mark();
            Timestamp timestamp = packet.raw_timestamp().and_then(nanoseconds);
            Indev indev = packet.indev();
            Outdev outdev = packet.outdev();
            Physindev physindev = packet.physindev();
            Physoutdev physoutdev = packet.physoutdev();
            Hwaddr hwaddr = hwaddr.map(address);
            Hwaddr hwaddr_length = hwaddr.map(|address| address.len() as u8);
            Payload payload = packet.payload().map(part);
            Prefix prefix = packet.prefix().map(part);
            Uid uid = packet.uid();
            Seq seq = packet.seq();
            SeqGlobal seq_global = packet.seq_global();
            Gid gid = packet.gid();
            Hwtype hwtype = packet.hardware_type();
            Hwheader hwheader = packet.hardware_header().map(part);
            Conntrack conntrack = packet.conntrack_attributes().map(part);
            ConntrackInfo conntrack_info = packet.raw_conntrack_info();
            Vlan vlan_protocol = vlan.map(|vlan| vlan.protocol);
            Vlan vlan_tci = vlan.map(|vlan| vlan.tci);
            L2header l2header = packet.link_header().map(part);
        }
    }

    /// Whether the field is there.
    #[must_use]
    #[inline]
    pub fn has(&self, field: PacketField) -> bool {
        self.present & (1 << field as u32) != 0
    }

    /// The record in these bytes, as [`as_bytes`](Self::as_bytes) gives them: those of an older
    /// library have fewer, those of a newer one more. `None` where they cannot be a record.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Record::read(bytes)
    }

    /// The record as bytes, in the byte order of this machine.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        Record::as_bytes(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{whole, with};
    use super::*;
    use crate::uapi::nful;

    const FIELDS: [PacketField; 22] = [
        PacketField::Message,
        PacketField::Header,
        PacketField::Mark,
        PacketField::Timestamp,
        PacketField::Indev,
        PacketField::Outdev,
        PacketField::Physindev,
        PacketField::Physoutdev,
        PacketField::Hwaddr,
        PacketField::Payload,
        PacketField::Prefix,
        PacketField::Uid,
        PacketField::Seq,
        PacketField::SeqGlobal,
        PacketField::Gid,
        PacketField::Hwtype,
        PacketField::Hwheader,
        PacketField::Conntrack,
        PacketField::ConntrackInfo,
        PacketField::Vlan,
        PacketField::L2header,
        PacketField::Received,
    ];

    #[test]
    fn every_attribute_goes_into_the_record() {
        let message = whole();
        let record = PacketRecord::of(&message).unwrap();
        for field in FIELDS {
            assert_eq!(record.has(field), field != PacketField::Received, "{field:?}");
        }
        assert_eq!((record.group, record.family), (258, 7));
        assert_eq!((record.hw_protocol, record.hook, record.hwtype), (0x86dd, 3, 772));
        let devices = [record.indev, record.outdev, record.physindev, record.physoutdev];
        assert_eq!(devices, [4, 5, 6, 7].map(|number| 0x0102_0300 + number));
        let numbers = [record.mark, record.uid, record.seq, record.seq_global, record.gid];
        assert_eq!(numbers, [2, 11, 12, 13, 14].map(|number| 0x0102_0300 + number));
        assert_eq!((record.timestamp, record.conntrack_info), (3_000_009_000, 4));
        assert_eq!((record.hwaddr_length, record.hwaddr), (6, [1, 2, 3, 4, 5, 6, 0, 0]));
        assert_eq!((record.vlan_protocol, record.vlan_tci), (0x88a8, 0xb123));
        let parts = [record.prefix, record.hwheader, record.l2header, record.payload];
        let bytes = parts.map(|part| part.of(&message).unwrap());
        assert_eq!(bytes, [&b"ab"[..], b"he", b"link", b"data"]);
        assert_eq!(record.conntrack.of(&message).unwrap()[4..], [0, 0, 0, 7]);
        assert_eq!(record.message.of(&message), Some(&message[..]));
        assert_eq!(record.message.of(&message[1..]), None);
    }

    #[test]
    fn parts_are_places_in_the_buffer_that_has_the_message() {
        let mut record = PacketRecord::default();
        let message = whole();
        record.fill(&Packet::read(&message).unwrap(), 1000);
        let buffer = [&[0; 1000][..], &message].concat();
        assert_eq!(record.payload.of(&buffer), Some(&b"data"[..]));
        assert_eq!(record.message.of(&buffer), Some(&message[..]));
    }

    #[test]
    fn an_attribute_alone_leaves_all_else_empty() {
        for number in 1..=22 {
            let record = PacketRecord::of(&with(number, &[0, 1, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1]));
            let record = record.unwrap();
            let short = matches!(number, nful::TIMESTAMP | nful::HWLEN | nful::VLAN | 22);
            let expected = 1 | u64::from(!short) << number;
            assert_eq!(record.present, expected, "{number}");
            let empty = PacketRecord::of(&with(number, &[])).unwrap();
            let part = matches!(number, nful::PAYLOAD | nful::HWHEADER | nful::CT | nful::L2HDR);
            assert_eq!(empty.present, 1 | u64::from(part) << number, "{number}");
            let all = PacketRecord { present: 1, message: empty.message, ..Default::default() };
            let of = |record| PacketRecord { group: 258, family: 7, ..record };
            assert!(part || empty == of(all), "{number}");
        }
        assert_eq!(PacketRecord::of(&whole()[..40]), None);
    }

    #[test]
    fn what_a_shorter_record_lacks_is_absent() {
        let whole = PacketRecord::of(&whole()).unwrap();
        for size in (8..=size_of::<PacketRecord>()).step_by(8) {
            let cut = PacketRecord::from_bytes(&whole.as_bytes()[..size]).unwrap();
            for (field, end) in ENDS {
                assert_eq!(cut.has(*field), whole.has(*field) && *end <= size, "{field:?} {size}");
            }
        }
        let known = FIELDS.iter().filter(|field| ENDS.iter().any(|(of, _)| of == *field));
        assert_eq!(known.count(), FIELDS.len());
    }

    #[test]
    fn a_time_beyond_64_bits_is_absent() {
        let times = [(3, 9), (0, 0), (u64::MAX, 0), (1, u64::MAX), (18_446_744_073, 709_551)];
        let expected = [Some(3_000_009_000), Some(0), None, None, Some(u64::MAX - 615)];
        assert_eq!(times.map(nanoseconds), expected);
    }
}
