//! A packet that a rule has logged.
#![forbid(unsafe_code)]

use super::attr::{Find, Found, be16, be32, first, member, timestamp};
use super::owned::OwnedPacket;
use super::values::{CtInfo, Vlan};
use crate::error::Error;
use crate::netlink::message::{Attributes, Message};
use crate::netlink::number;
use crate::uapi::{cta, nful};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A packet that a rule has logged, borrowed from the datagram it came in.
///
/// Every part is an option, for the kernel tells what it knows where the rule stands. Numbers are in
/// host order. A part that is shorter than it must be counts as absent.
///
/// ```
/// use ctrs::Packet;
///
/// // As the kernel sends it: of group 7, IPv4, at the hook of packets that come in, marked with 5.
/// # #[cfg(target_endian = "little")] {
/// let message = [
///     36, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // a message of 36 bytes
///     2, 0, 0, 7, // family and group
///     8, 0, 1, 0, 0x08, 0x00, 1, 0, // protocol and hook
///     8, 0, 2, 0, 0, 0, 0, 5, // mark
/// ];
/// let packet = Packet::read(&message).unwrap();
/// assert_eq!((packet.group(), packet.family(), packet.hook()), (7, 2, Some(1)));
/// assert_eq!((packet.mark(), packet.payload()), (Some(5), None));
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a, F = Found<'a>> {
    found: F,
    borrowed: PhantomData<&'a [u8]>,
}

impl<'a> Packet<'a> {
    /// The packet of the message at the beginning of `bytes`, which begins with its `nlmsghdr`;
    /// `None` if it is cut short, or about something else.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        Self::of(&Message::first(bytes)?)
    }

    /// The packet of a message; `None` if it is about something else.
    #[must_use]
    #[inline]
    pub fn of(message: &Message<'a>) -> Option<Self> {
        Found::of(message).map(Self::on)
    }

    /// The whole message, `nlmsghdr` included.
    #[must_use]
    pub fn message(&self) -> &'a [u8] {
        self.found.message
    }

    /// The number of the group that the rule logs to.
    #[must_use]
    pub fn group(&self) -> u16 {
        self.read_message().resource()
    }

    /// The address family of the rule's chain: `AF_INET`, `AF_INET6`, `AF_BRIDGE`; 3 for ARP and 5
    /// for a chain of a device.
    #[must_use]
    pub fn family(&self) -> u8 {
        self.read_message().family()
    }

    /// All attributes in the kernel's order, known or not: their number (`NFULA_*`) and value.
    pub fn attributes(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let bytes = self.read_message().attributes();
        Attributes::new(bytes).map(|attribute| (attribute.kind, attribute.value))
    }

    /// A copy that outlives the datagram.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory).
    pub fn copied(&self) -> Result<OwnedPacket, Error> {
        OwnedPacket::of(&self.found)
    }

    fn read_message(&self) -> Message<'a> {
        Message::parsed(self.found.message, nful::PACKET, 0, 0)
    }
}

impl<'a, F: Find<'a>> Packet<'a, F> {
    /// A packet of attributes that are found elsewhere than in one message.
    #[inline]
    pub(crate) fn on(found: F) -> Self {
        Self { found, borrowed: PhantomData }
    }

    /// The value of an attribute by its number (`NFULA_*`), as the kernel sent it: the last, if there
    /// are several.
    #[must_use]
    #[inline]
    pub fn attribute(&self, number: u16) -> Option<&'a [u8]> {
        self.found.find(number)
    }

    #[inline]
    fn be16(&self, number: u16) -> Option<u16> {
        be16(self.found.find(number)?)
    }

    /// A number of 32 bits by its attribute's.
    #[inline]
    pub(super) fn be32(&self, number: u16) -> Option<u32> {
        be32(self.found.find(number)?)
    }

    /// The bytes of `struct nfulnl_msg_packet_hdr`: protocol and hook.
    #[inline]
    pub(crate) fn header(&self) -> Option<[u8; 4]> {
        first(self.found.find(nful::PACKET_HDR)?)
    }

    /// The hook the rule was called at: 0 to 4 for `NF_INET_PRE_ROUTING` to `POST_ROUTING`, of ARP 0
    /// in and 1 out, of a device 0 in and 1 out.
    #[must_use]
    #[inline]
    pub fn hook(&self) -> Option<u8> {
        self.header().map(|[.., hook, _]| hook)
    }

    /// The protocol of the payload as Ethernet numbers it: 0x0800 for IPv4, 0x86dd for IPv6.
    #[must_use]
    #[inline]
    pub fn protocol(&self) -> Option<u16> {
        self.header().map(|[a, b, ..]| u16::from_be_bytes([a, b]))
    }

    /// The packet's mark. The kernel leaves a mark of 0 out.
    #[must_use]
    #[inline]
    pub fn mark(&self) -> Option<u32> {
        self.be32(nful::MARK)
    }

    /// When the packet was received, to the microsecond. Only packets from outside have it that are
    /// logged before or while they are routed or delivered (prerouting, input, forward, ARP, netdev
    /// ingress): for others take the time of receipt.
    #[must_use]
    pub fn timestamp(&self) -> Option<SystemTime> {
        let (seconds, microseconds) = self.raw_timestamp()?;
        let whole = Duration::from_secs(seconds);
        UNIX_EPOCH.checked_add(whole.checked_add(Duration::from_micros(microseconds))?)
    }

    /// The seconds and microseconds of the timestamp, whatever they are.
    #[inline]
    pub(crate) fn raw_timestamp(&self) -> Option<(u64, u64)> {
        timestamp(self.found.find(nful::TIMESTAMP)?)
    }

    /// The index of the device that the packet came in through; of a bridge's port, the bridge.
    #[must_use]
    #[inline]
    pub fn indev(&self) -> Option<u32> {
        self.be32(nful::IFINDEX_INDEV)
    }

    /// The index of the device that the packet goes out through; of a bridge's port, the bridge.
    #[must_use]
    #[inline]
    pub fn outdev(&self) -> Option<u32> {
        self.be32(nful::IFINDEX_OUTDEV)
    }

    /// The index of the bridge's port that the packet came in through.
    #[must_use]
    #[inline]
    pub fn physindev(&self) -> Option<u32> {
        self.be32(nful::IFINDEX_PHYSINDEV)
    }

    /// The index of the bridge's port that the packet goes out through.
    #[must_use]
    #[inline]
    pub fn physoutdev(&self) -> Option<u32> {
        self.be32(nful::IFINDEX_PHYSOUTDEV)
    }

    /// The bytes of `struct nfulnl_msg_packet_hw`, unless it says that its address of 8 bytes is
    /// longer.
    #[inline]
    pub(crate) fn hw(&self) -> Option<&'a [u8; 12]> {
        let hw: &[u8; 12] = self.found.find(nful::HWADDR)?.first_chunk()?;
        be16(hw).filter(|length| *length <= 8).map(|_| hw)
    }

    /// The sender's hardware address, at most 8 bytes, where the packet came in through a device.
    #[must_use]
    #[inline]
    pub fn hardware_address(&self) -> Option<&'a [u8]> {
        let [high, low, _, _, address @ ..] = self.hw()?;
        address.get(..u16::from_be_bytes([*high, *low]).into())
    }

    /// The type of the device that the packet came in through (`ARPHRD_*`): 1 for Ethernet.
    #[must_use]
    #[inline]
    pub fn hardware_type(&self) -> Option<u16> {
        self.be16(nful::HWTYPE)
    }

    /// The header of the device's protocol, of the length that the kernel tells; empty for devices
    /// without one.
    #[must_use]
    pub fn hardware_header(&self) -> Option<&'a [u8]> {
        let header = self.found.find(nful::HWHEADER)?;
        let length = self.hardware_length().map_or(header.len(), usize::from);
        Some(header.get(..length).unwrap_or(header))
    }

    /// The length of the hardware header, as the kernel tells it.
    #[inline]
    pub(crate) fn hardware_length(&self) -> Option<u16> {
        self.be16(nful::HWLEN)
    }

    /// The packet from its network header on, as far as group and rule have it copied. At netdev
    /// egress and of ARP that goes out, from the device's header on.
    #[must_use]
    #[inline]
    pub fn payload(&self) -> Option<&'a [u8]> {
        self.found.find(nful::PAYLOAD)
    }

    /// The rule's prefix, without its NUL: any bytes but NUL, UTF-8 or not, empty if the rule has none.
    #[must_use]
    #[inline]
    pub fn prefix(&self) -> Option<&'a [u8]> {
        let value = self.found.find(nful::PREFIX)?;
        value.get(..value.iter().position(|byte| *byte == 0)?)
    }

    /// The rule's prefix as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn prefix_lossy(&self) -> Option<Cow<'a, str>> {
        self.prefix().map(String::from_utf8_lossy)
    }

    /// The user who owns the socket that the packet is of, where it has one: of this machine and
    /// going out. As seen from the user namespace of who bound the group; 65534 if it has no such
    /// user.
    #[must_use]
    #[inline]
    pub fn uid(&self) -> Option<u32> {
        self.be32(nful::UID)
    }

    /// The group of users that owns the socket, as [`uid`](Self::uid).
    #[must_use]
    #[inline]
    pub fn gid(&self) -> Option<u32> {
        self.be32(nful::GID)
    }

    /// The packet's number in its group, counted from 0, if the group counts them: what is missing
    /// was lost.
    #[must_use]
    #[inline]
    pub fn seq(&self) -> Option<u32> {
        self.be32(nful::SEQ)
    }

    /// The packet's number among those of all groups of the network namespace that count so, from 1.
    #[must_use]
    #[inline]
    pub fn seq_global(&self) -> Option<u32> {
        self.be32(nful::SEQ_GLOBAL)
    }

    /// The attributes (`CTA_*`) of the flow that the packet belongs to, if the group wants them and
    /// the kernel has them. Since Linux 4.4.
    #[must_use]
    #[inline]
    pub fn conntrack_attributes(&self) -> Option<&'a [u8]> {
        self.found.find(nful::CT)
    }

    /// The id of that flow.
    #[must_use]
    #[inline]
    pub fn conntrack_id(&self) -> Option<u32> {
        let id = member(self.conntrack_attributes()?, cta::ID)?;
        number::be32(id)
    }

    /// What the packet is to that flow. Since Linux 4.4.
    #[must_use]
    pub fn conntrack_info(&self) -> Option<CtInfo> {
        CtInfo::from_number(self.raw_conntrack_info()?)
    }

    /// The number of the kernel's `enum ip_conntrack_info`.
    pub(crate) fn raw_conntrack_info(&self) -> Option<u32> {
        self.be32(nful::CT_INFO)
    }

    /// The outer tag of a virtual LAN, which the packet is without then, in bridges and chains of
    /// devices. Since Linux 5.4.
    #[must_use]
    pub fn vlan(&self) -> Option<Vlan> {
        Vlan::of(self.found.find(nful::VLAN)?)
    }

    /// The link layer header without the tag, in bridges and chains of devices. Since Linux 5.4.
    #[must_use]
    pub fn link_header(&self) -> Option<&'a [u8]> {
        self.found.find(nful::L2HDR)
    }
}
