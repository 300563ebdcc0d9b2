//! Packets as the files that tcpdump and Wireshark read.
//!
//! The files have the byte order of the machine, which readers tell by their first bytes, and times in
//! microseconds, as the kernel tells them: every reader knows that form.
#![forbid(unsafe_code)]

use super::flow::{ARP, EGRESS};
use super::ip;
use super::packet::Packet;
use crate::netlink::message::HEADER_SIZE;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MAGIC: u32 = 0xa1b2_c3d4;
const VERSION: [u16; 2] = [2, 4];
/// Bytes before the records, and before each one's packet.
pub const FILE_HEADER: usize = 24;
pub const RECORD_HEADER: usize = 16;
/// What readers take for a whole packet.
const WHOLE: u32 = 262_144;
/// Bytes of an Ethernet header, and of the addresses that it begins with.
const ETHERNET: usize = 14;
const ADDRESSES: usize = 12;
/// Devices whose header that is: `ARPHRD_ETHER`, `ARPHRD_LOOPBACK`.
const OF_ETHERNET: [u16; 2] = [1, 772];

/// What the packets of a file begin with: `LINKTYPE_*` of tcpdump.
///
/// ```
/// assert_eq!(ctrs::LinkType::Nflog as u32, 239);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum LinkType {
    /// The header of Ethernet, with the tag of the virtual LAN if it has one. Packets that are logged
    /// before they have such a header have none, as those that leave.
    Ethernet = 1,
    /// The header of IPv4 or IPv6.
    Raw = 101,
    /// All that the kernel told of the packet, prefix and marks and devices, as attributes.
    Nflog = 239,
}

/// A file of packets: what is in it, and how much of each.
///
/// ```
/// use ctrs::{LinkType, Pcap};
///
/// let file = Pcap::new(LinkType::Raw).snaplen(96);
/// assert_eq!(file.header()[4..8], [[2, 0], [4, 0]].map(u16::from_le_bytes).map(u16::to_ne_bytes).concat());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Pcap {
    link: LinkType,
    snaplen: u32,
}

impl Pcap {
    /// A file of whole packets.
    #[must_use]
    pub fn new(link: LinkType) -> Self {
        Self { link, snaplen: WHOLE }
    }

    /// With no more than that many bytes of each packet; 0 for all.
    #[must_use]
    pub fn snaplen(self, bytes: u32) -> Self {
        let snaplen = if bytes == 0 { WHOLE } else { bytes.min(WHOLE) };
        Self { snaplen, ..self }
    }

    /// What the file begins with.
    #[must_use]
    pub fn header(&self) -> [u8; FILE_HEADER] {
        let [major, minor] = VERSION.map(u16::to_ne_bytes);
        let mut header = [0; FILE_HEADER];
        let fields =
            [MAGIC.to_ne_bytes(), [major[0], major[1], minor[0], minor[1]], [0; 4], [0; 4]];
        let fields =
            fields.into_iter().chain([self.snaplen, self.link as u32].map(u32::to_ne_bytes));
        fill(&mut header, fields);
        header
    }

    /// A packet as a record of the file. Its time is when the kernel received it, or where it does not
    /// tell, `received`. Its length before it was cut is that which the IP header tells, for the kernel
    /// does not; of [`LinkType::Nflog`] it is that of the message, as its readers expect.
    ///
    /// `None` where the packet has nothing of that kind: its bytes were not copied, it is no IP, or was
    /// logged without a header of Ethernet.
    #[must_use]
    pub fn record<'a>(&self, packet: &Packet<'a>, received: SystemTime) -> Option<PcapRecord<'a>> {
        let parts = match self.link {
            LinkType::Ethernet => ethernet(packet)?,
            LinkType::Raw => Parts::of(packet.ip_bytes()?),
            LinkType::Nflog => Parts::of(packet.message().get(HEADER_SIZE..)?),
        };
        let (there, time) = (parts.len(), packet.timestamp().unwrap_or(received));
        let captured = there.min(self.snaplen as usize);
        let time = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let mut header = [0; RECORD_HEADER];
        let missing = if self.link == LinkType::Nflog { 0 } else { missing(packet) };
        let lengths = [captured, there.saturating_add(missing)];
        let [captured, original] = lengths.map(|length| length as u32);
        let fields = [time.as_secs() as u32, time.subsec_micros(), captured, original];
        fill(&mut header, fields.map(u32::to_ne_bytes));
        Some(PcapRecord { header, parts, captured: captured as usize })
    }
}

fn fill(header: &mut [u8], fields: impl IntoIterator<Item = [u8; 4]>) {
    header.iter_mut().zip(fields.into_iter().flatten()).for_each(|(to, from)| *to = from);
}

/// How many bytes of a packet were not copied, as far as its IP header tells.
fn missing(packet: &Packet<'_>) -> usize {
    let bytes = packet.ip_bytes().unwrap_or_default();
    ip::length(bytes).unwrap_or(0).saturating_sub(bytes.len())
}

/// A packet as an Ethernet frame.
fn ethernet<'a>(packet: &Packet<'a>) -> Option<Parts<'a>> {
    let of_device = |header: &&[u8]| header.len() == ETHERNET;
    let received = || {
        let known = packet.hardware_type().is_some_and(|kind| OF_ETHERNET.contains(&kind));
        packet.hardware_header().filter(|_| known)
    };
    let (header, body) = match (packet.family(), packet.hook()?) {
        (ARP, EGRESS) => packet.payload()?.split_at_checked(ETHERNET)?,
        _ => (packet.link_header().or_else(received).filter(of_device)?, packet.network()?),
    };
    let (addresses, kind) = header.split_at_checked(ADDRESSES)?;
    let tag = packet.vlan().map(|vlan| {
        let ([a, b], [c, d]) = (vlan.protocol.to_be_bytes(), vlan.tci.to_be_bytes());
        [a, b, c, d]
    });
    Some(Parts { before: addresses, tag, kind, body })
}

/// The bytes of a packet, one after the other.
#[derive(Debug, Clone, Copy)]
struct Parts<'a> {
    before: &'a [u8],
    tag: Option<[u8; 4]>,
    kind: &'a [u8],
    body: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(body: &'a [u8]) -> Self {
        Self { before: &[], tag: None, kind: &[], body }
    }

    fn each(&self) -> [&[u8]; 4] {
        [self.before, self.tag.as_ref().map_or(&[], |tag| &tag[..]), self.kind, self.body]
    }

    fn len(&self) -> usize {
        self.each().iter().map(|part| part.len()).sum()
    }
}

/// A packet as a record of a file: see [`Pcap::record`].
///
/// ```
/// use ctrs::{LinkType, Packet, Pcap, PcapRecord};
/// use std::time::SystemTime;
///
/// /// Adds a packet to a file in memory, if it is one of IP.
/// fn add(file: &mut Vec<u8>, packet: &Packet<'_>) -> std::io::Result<()> {
///     let record: Option<PcapRecord<'_>> = Pcap::new(LinkType::Raw).record(packet, SystemTime::now());
///     record.map_or(Ok(()), |record| record.write_to(file))
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct PcapRecord<'a> {
    header: [u8; RECORD_HEADER],
    parts: Parts<'a>,
    captured: usize,
}

impl PcapRecord<'_> {
    /// Its bytes, piece by piece.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut left = self.captured;
        let packet = self.parts.each().into_iter().map(move |part| {
            let part = part.get(..left).unwrap_or(part);
            left -= part.len();
            part
        });
        std::iter::once(&self.header[..]).chain(packet)
    }

    /// How many bytes it has, its header among them.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "it has a header at least")]
    pub fn len(&self) -> usize {
        RECORD_HEADER + self.captured
    }

    /// Writes it to a file.
    ///
    /// # Errors
    /// Those of the file.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        self.pieces().try_for_each(|piece| out.write_all(piece))
    }

    /// Puts it into memory, if that has room.
    #[cfg(feature = "capi")]
    pub(crate) fn put(&self, room: &mut [u8]) {
        let pieces = self.pieces().flatten();
        room.iter_mut().zip(pieces).for_each(|(to, from)| *to = *from);
    }
}

/// Writes a file of packets.
///
/// ```
/// use ctrs::{LinkType, Packet, Pcap, PcapWriter};
/// use std::time::SystemTime;
///
/// let mut writer = PcapWriter::new(Vec::new(), Pcap::new(LinkType::Nflog))?;
/// # let mut message = [20u32.to_ne_bytes(), [0, 4, 0, 0], [0; 4], [0; 4], [2, 0, 0, 7]].concat();
/// # message[4..6].copy_from_slice(&0x400u16.to_ne_bytes());
/// let packet = Packet::read(&message).unwrap();
/// assert!(writer.write(&packet, SystemTime::now())?);
/// assert_eq!(writer.into_inner().len(), 24 + 16 + 4);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct PcapWriter<W> {
    out: W,
    file: Pcap,
}

impl<W: Write> PcapWriter<W> {
    /// Begins a file. What is written should be buffered.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W, file: Pcap) -> io::Result<Self> {
        out.write_all(&file.header())?;
        Ok(Self { out, file })
    }

    /// Adds a packet, which came at `received` where the kernel does not tell when. Whether it is in
    /// the file: `false` if it has nothing of the file's [`LinkType`].
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&mut self, packet: &Packet<'_>, received: SystemTime) -> io::Result<bool> {
        let record = self.file.record(packet, received);
        record.map_or(Ok(false), |record| record.write_to(&mut self.out).map(|()| true))
    }

    /// What it writes to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// What it wrote to, without a flush.
    pub fn into_inner(self) -> W {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::super::flow::tests::logged;
    use super::super::ip::tests::{ipv4, ipv6};
    use super::*;
    use crate::uapi::nful;

    const HEADER: [u8; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0];
    const STAMP: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 9];
    /// Of a tag: control information 0x6007, protocol 0x8100.
    fn vlan() -> Vec<u8> {
        let attribute = |kind: u16, value: [u8; 2]| {
            [&6u16.to_ne_bytes()[..], &kind.to_ne_bytes(), &value, &[0, 0]].concat()
        };
        [attribute(nful::VLAN_TCI, [0x60, 7]), attribute(nful::VLAN_PROTO, [0x81, 0])].concat()
    }

    fn numbers(bytes: &[u8]) -> Vec<u32> {
        bytes.chunks(4).map(|four| u32::from_ne_bytes(four.try_into().unwrap())).collect()
    }

    /// The header of a packet's record, and its bytes.
    fn record(file: Pcap, message: &[u8]) -> Option<(Vec<u32>, Vec<u8>)> {
        let received = UNIX_EPOCH + Duration::new(5, 7999);
        let record = file.record(&Packet::read(message).unwrap(), received)?;
        let mut bytes = Vec::new();
        record.write_to(&mut bytes).unwrap();
        assert_eq!(bytes.len(), record.len());
        let (header, packet) = bytes.split_at(RECORD_HEADER);
        Some((numbers(header), packet.to_vec()))
    }

    fn frame(place: (u8, u8), kind: u16, more: &[(u16, &[u8])], payload: &[u8]) -> Option<Vec<u8>> {
        Some(record(Pcap::new(LinkType::Ethernet), &logged(place, kind, more, payload))?.1)
    }

    #[test]
    fn the_file_begins_with_its_kind() {
        for (link, number) in
            [(LinkType::Ethernet, 1), (LinkType::Raw, 101), (LinkType::Nflog, 239)]
        {
            let header = Pcap::new(link).snaplen(96).header();
            assert_eq!(numbers(&header)[2..], [0, 0, 96, number]);
            assert_eq!(numbers(&header)[0], 0xa1b2_c3d4);
            assert_eq!(header[4..8], [2u16, 4].map(u16::to_ne_bytes).concat());
            for bytes in [0, u32::MAX] {
                assert_eq!(numbers(&Pcap::new(link).snaplen(bytes).header())[4], 262_144);
            }
        }
    }

    #[test]
    fn the_time_is_the_packets_or_that_of_receipt() {
        let packet = ipv4(17, &[0; 8]);
        let with = |more: &[(u16, &[u8])]| {
            record(Pcap::new(LinkType::Raw), &logged((2, 0), 0x0800, more, &packet)).unwrap()
        };
        assert_eq!(with(&[]), (vec![5, 7, 28, 28], packet.clone()));
        assert_eq!(with(&[(nful::TIMESTAMP, &STAMP)]).0, [3, 9, 28, 28]);
    }

    #[test]
    fn the_length_is_that_of_the_header() {
        let mut packet = ipv4(17, &[0; 8]);
        packet[2..4].copy_from_slice(&1500u16.to_be_bytes());
        let mut six = ipv6(17, &[0; 8]);
        six[4..6].copy_from_slice(&1460u16.to_be_bytes());
        let link = [(nful::L2HDR, &HEADER[..])];
        for (payload, kind) in [(&packet, 0x0800), (&six, 0x86dd)] {
            let message = logged((7, 0), kind, &link, payload);
            let lengths =
                |link, snaplen| record(Pcap::new(link).snaplen(snaplen), &message).unwrap().0;
            let (there, whole) = (payload.len() as u32, message.len() as u32 - 16);
            assert_eq!(lengths(LinkType::Raw, 0)[2..], [there, 1500]);
            assert_eq!(lengths(LinkType::Ethernet, 0)[2..], [there + 14, 1514]);
            assert_eq!(lengths(LinkType::Nflog, 0)[2..], [whole, whole]);
            assert_eq!(lengths(LinkType::Raw, 20)[2..], [20, 1500]);
            assert_eq!(lengths(LinkType::Nflog, 8)[2..], [8, whole]);
        }
        // What the device put behind it is in the file.
        let padded = [ipv4(17, &[0; 8]), vec![0; 18]].concat();
        let message = logged((7, 0), 0x0800, &link, &padded);
        assert_eq!(record(Pcap::new(LinkType::Ethernet), &message).unwrap().0[2..], [60, 60]);
    }

    #[test]
    fn frames_have_the_header_that_was_told() {
        let packet = ipv4(17, &[0; 8]);
        let whole = [&HEADER, &packet[..]].concat();
        let (link, received, ethernet) = (
            (nful::L2HDR, &HEADER[..]),
            (nful::HWHEADER, &HEADER[..]),
            (nful::HWTYPE, &[0, 1][..]),
        );
        let ip = |place, more: &[(u16, &[u8])]| frame(place, 0x0800, more, &packet);
        assert_eq!(ip((7, 0), &[link]).as_ref(), Some(&whole));
        assert_eq!(ip((2, 0), &[ethernet, received]).as_ref(), Some(&whole));
        let missing: [&[(u16, &[u8])]; 4] = [
            &[],
            &[received],
            &[(nful::HWTYPE, &[0xff, 0xfe]), (nful::HWHEADER, &[])],
            &[(nful::L2HDR, &HEADER[..12])],
        ];
        for more in missing {
            assert_eq!(ip((2, 0), more), None);
        }
        assert_eq!(frame((5, 1), 0x0800, &[link], &whole).as_ref(), Some(&whole));
        assert_eq!(frame((3, 1), 0x0806, &[], &whole).as_ref(), Some(&whole));
        assert_eq!(frame((3, 1), 0x0806, &[], &HEADER[..9]), None);
    }

    #[test]
    fn the_tag_is_put_back() {
        let packet = ipv4(17, &[0; 8]);
        let more = [(nful::VLAN, &vlan()[..]), (nful::L2HDR, &HEADER)];
        let tagged = [&HEADER[..12], &[0x81, 0, 0x60, 7], &HEADER[12..], &packet].concat();
        assert_eq!(frame((7, 0), 0x0800, &more, &packet), Some(tagged.clone()));
        for snaplen in 1..tagged.len() {
            let file = Pcap::new(LinkType::Ethernet).snaplen(snaplen as u32);
            let cut = record(file, &logged((7, 0), 0x0800, &more, &packet)).unwrap();
            assert_eq!(cut.1, tagged[..snaplen]);
            assert_eq!(cut.0[2..], [snaplen as u32, tagged.len() as u32]);
        }
    }

    #[test]
    fn raw_files_have_ip_alone_and_nflog_files_everything() {
        let link = [(nful::L2HDR, &HEADER[..])];
        let packet = ipv4(17, &[0; 8]);
        let tagged = [&[0, 7, 8, 0], &packet[..]].concat();
        let raw = |message: &[u8]| Some(record(Pcap::new(LinkType::Raw), message)?.1);
        assert_eq!(raw(&logged((7, 0), 0x8100, &link, &tagged)).as_ref(), Some(&packet));
        let arp = logged((7, 0), 0x0806, &link, &packet);
        assert_eq!(raw(&arp), None);
        let (header, bytes) = record(Pcap::new(LinkType::Nflog), &arp).unwrap();
        assert_eq!((bytes.as_slice(), header[3] as usize), (&arp[16..], arp.len() - 16));
    }

    #[test]
    fn a_writer_tells_what_is_not_in_the_file() {
        let mut writer = PcapWriter::new(Vec::new(), Pcap::new(LinkType::Raw)).unwrap();
        let messages = [
            logged((2, 0), 0x0800, &[], &ipv4(17, &[0; 8])),
            logged((3, 0), 0x0806, &[], &[1; 28]),
        ];
        let written = messages.map(|message| {
            writer.write(&Packet::read(&message).unwrap(), SystemTime::now()).unwrap()
        });
        assert_eq!((written, writer.get_mut().len()), ([true, false], 24 + 16 + 28));
    }
}
