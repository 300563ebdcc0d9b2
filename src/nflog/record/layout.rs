//! How the record of a packet lies in memory: the same wherever the byte order is.
//!
//! Its comments are those of the C header.

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
        pub(super) const ENDS: &[(PacketField, usize)] = &[$((
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

impl PacketRecord {
    /// Whether the field is there.
    #[must_use]
    #[inline]
    pub fn has(&self, field: PacketField) -> bool {
        self.present & (1 << field as u32) != 0
    }

    crate::record::bytes!();
}
