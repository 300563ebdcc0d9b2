//! Conntrack objects in Rust's terms: addresses, ports, numbers.
#![forbid(unsafe_code)]

use super::attr::{Attr, Class, Presence, Storage};
use super::entry::{Conntrack, Counters, Slot, Tuple};
use super::icmp;
use super::layer4::Layer4;
use crate::conntrack::error::Error;
use crate::uapi::ips;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

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

/// One direction of a flow, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// Source and destination address; `None` if they are not both known.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// Layer 4 protocol, `IPPROTO_*`.
    pub protocol: u8,
    /// Source and destination port; of GRE the keys; of ICMP and ICMPv6 the id, and the type times
    /// 256 plus the code. Meaningless for other protocols.
    pub ports: (u16, u16),
}

/// How the value of an attribute is given and told in Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A number that lies in host order.
    Host,
    /// A number that lies in network order.
    Network,
    /// An address.
    Ipv4,
    /// An address.
    Ipv6,
    /// Anything else.
    Other,
}

impl Kind {
    fn of(attr: Attr) -> Self {
        use Attr::*;
        match attr {
            OrigIpv4Src | OrigIpv4Dst | ReplIpv4Src | ReplIpv4Dst | MasterIpv4Src
            | MasterIpv4Dst | SnatIpv4 | DnatIpv4 => Self::Ipv4,
            OrigIpv6Src | OrigIpv6Dst | ReplIpv6Src | ReplIpv6Dst | MasterIpv6Src
            | MasterIpv6Dst | SnatIpv6 | DnatIpv6 => Self::Ipv6,
            OrigPortSrc | OrigPortDst | ReplPortSrc | ReplPortDst | MasterPortSrc
            | MasterPortDst | SnatPort | DnatPort | IcmpId => Self::Network,
            HelperName | Secctx | HelperInfo | Connlabels | ConnlabelsMask => Self::Other,
            _ => Self::Host,
        }
    }

    /// Whether the first byte of a number is its highest; `None` for what is no number.
    fn big_endian(self) -> Option<bool> {
        match self {
            Self::Host => Some(cfg!(target_endian = "big")),
            Self::Network => Some(true),
            _ => None,
        }
    }
}

/// All of the original tuple.
pub(crate) const ORIGINAL_TUPLE: Presence =
    Presence::of_class(Class::Original).with(Presence::of(&[Attr::OrigZone]));
/// All of the reply tuple.
pub(crate) const REPLY_TUPLE: Presence =
    Presence::of_class(Class::Reply).with(Presence::of(&[Attr::ReplZone]));

const PROTOCOLS: Presence =
    Presence::of(&[Attr::OrigL3Proto, Attr::ReplL3Proto, Attr::OrigL4Proto, Attr::ReplL4Proto]);
const IPV4: Presence =
    Presence::of(&[Attr::OrigIpv4Src, Attr::OrigIpv4Dst, Attr::ReplIpv4Src, Attr::ReplIpv4Dst]);
const IPV6: Presence =
    Presence::of(&[Attr::OrigIpv6Src, Attr::OrigIpv6Dst, Attr::ReplIpv6Src, Attr::ReplIpv6Dst]);
const PORTS: Presence =
    Presence::of(&[Attr::OrigPortSrc, Attr::OrigPortDst, Attr::ReplPortSrc, Attr::ReplPortDst]);
const ICMP: Presence = Presence::of(&[Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId]);

impl Tuple {
    /// The packets of `protocol` from `src` to `dst`. Addresses that are IPv4 inside IPv6 mean the
    /// IPv4 address, since that is what the packets have.
    fn new(protocol: u8, src: SocketAddr, dst: SocketAddr) -> Result<Self, Error> {
        let (l3proto, src_ip, dst_ip) = match (src.ip().to_canonical(), dst.ip().to_canonical()) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                (libc::AF_INET, slot(&src.octets()), slot(&dst.octets()))
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => (libc::AF_INET6, src.octets(), dst.octets()),
            _ => return Err(Error::FamilyConflict),
        };
        let mut tuple = Self { src: src_ip, dst: dst_ip, ..Self::default() };
        (tuple.l3proto, tuple.l4proto) = (l3proto as u8, protocol);
        if Layer4::of(protocol) != Layer4::Nothing {
            (tuple.l4src, tuple.l4dst) = (src.port().to_be_bytes(), dst.port().to_be_bytes());
        }
        Ok(tuple)
    }

    /// The packets that answer those of this tuple.
    fn answer(&self) -> Result<Self, Error> {
        let mut reply = Self { src: self.dst, dst: self.src, ..*self };
        match Layer4::of(self.l4proto) {
            Layer4::Ports | Layer4::Keys => {
                (reply.l4src, reply.l4dst) = (self.l4dst, self.l4src);
            }
            Layer4::Icmp => {
                let [kind, code] = self.l4dst;
                let ipv4 = i32::from(self.l3proto) == libc::AF_INET;
                if ipv4 != (i32::from(self.l4proto) == libc::IPPROTO_ICMP) {
                    return Err(Error::FamilyConflict);
                }
                if !icmp::is_query(self.l3proto, kind) {
                    return Err(Error::NoIcmpQuery(kind));
                }
                reply.l4dst = [icmp::reply_type(self.l3proto, kind), code];
            }
            Layer4::Nothing => {}
        }
        Ok(reply)
    }
}

impl Conntrack {
    /// A flow of layer 4 protocol `protocol` (`libc::IPPROTO_*`) from `src` to `dst`, with the
    /// reply direction that follows from it.
    ///
    /// The ports are meant as [`Endpoints::ports`] tells; protocols without any ignore them. For a
    /// ping there is [`ping`](Self::ping). An IPv4 address inside an IPv6 one (`::ffff:192.0.2.1`,
    /// as sockets for both tell it) means the IPv4 address.
    ///
    /// # Errors
    /// [`Error::FamilyConflict`] if one address is IPv4 and the other IPv6, or if they are not those
    /// of this ICMP; [`Error::NoIcmpQuery`] for an ICMP type that nothing answers.
    pub fn flow(protocol: u8, src: SocketAddr, dst: SocketAddr) -> Result<Self, Error> {
        let orig = Tuple::new(protocol, src, dst)?;
        let mut ct = Self::new();
        ct.flat.reply = orig.answer()?;
        ct.flat.orig = orig;
        let ipv4 = i32::from(orig.l3proto) == libc::AF_INET;
        ct.flat.present = PROTOCOLS.with(if ipv4 { IPV4 } else { IPV6 });
        match Layer4::of(protocol) {
            Layer4::Ports | Layer4::Keys => ct.flat.present.insert(PORTS),
            Layer4::Icmp => ct.flat.present.insert(ICMP),
            Layer4::Nothing => {}
        }
        Ok(ct)
    }

    /// The pings of one program from `src` to `dst`: echo requests with this id, and their answers.
    ///
    /// # Errors
    /// [`Error::FamilyConflict`].
    pub fn ping(src: IpAddr, dst: IpAddr, id: u16) -> Result<Self, Error> {
        let ipv4 = dst.to_canonical().is_ipv4();
        let (protocol, kind) =
            if ipv4 { (libc::IPPROTO_ICMP, 8) } else { (libc::IPPROTO_ICMPV6, 128) };
        Self::flow(protocol as u8, (src, id).into(), (dst, kind << 8).into())
    }

    /// Sets a numeric attribute, as [`set_u32`](Self::set_u32) does.
    ///
    /// # Errors
    /// Those of [`set_u32`](Self::set_u32).
    pub fn set_u8(&mut self, attr: Attr, value: u8) -> Result<(), Error> {
        self.set_number(attr, value.into())
    }

    /// Sets a numeric attribute, as [`set_u32`](Self::set_u32) does.
    ///
    /// # Errors
    /// Those of [`set_u32`](Self::set_u32).
    pub fn set_u16(&mut self, attr: Attr, value: u16) -> Result<(), Error> {
        self.set_number(attr, value.into())
    }

    /// Sets a port, GRE key or ICMP id, as [`set_u32`](Self::set_u32) does.
    ///
    /// # Errors
    /// Those of [`set_u32`](Self::set_u32).
    pub fn set_port(&mut self, attr: Attr, port: u16) -> Result<(), Error> {
        self.set_number(attr, port.into())
    }

    /// Sets a numeric attribute of any width: the value is the number meant, in host order for
    /// ports too.
    ///
    /// # Errors
    /// [`Error::BadValue`], with the object unchanged: the attribute is not a number, is one that
    /// only the kernel sets, or has no room for this one.
    pub fn set_u32(&mut self, attr: Attr, value: u32) -> Result<(), Error> {
        self.set_number(attr, value.into())
    }

    /// Sets a numeric attribute, as [`set_u32`](Self::set_u32) does.
    ///
    /// # Errors
    /// Those of [`set_u32`](Self::set_u32).
    pub fn set_u64(&mut self, attr: Attr, value: u64) -> Result<(), Error> {
        self.set_number(attr, value)
    }

    fn set_number(&mut self, attr: Attr, value: u64) -> Result<(), Error> {
        let big_endian = Kind::of(attr).big_endian().ok_or(Error::BadValue(attr as u32))?;
        let (Storage::Plain(width) | Storage::Icmp(width) | Storage::Range { width, .. }) =
            attr.row().storage
        else {
            return Err(Error::BadValue(attr as u32));
        };
        let mut bytes = value.to_le_bytes();
        let (value, beyond) =
            bytes.split_at_mut_checked(width.into()).ok_or(Error::BadValue(attr as u32))?;
        if beyond.iter().any(|byte| *byte != 0) {
            return Err(Error::BadValue(attr as u32));
        }
        if big_endian {
            value.reverse();
        }
        self.set(attr, slot(value));
        Ok(())
    }

    /// Sets an address attribute. An IPv4 address inside an IPv6 one means the IPv4 address.
    ///
    /// # Errors
    /// [`Error::BadValue`], with the object unchanged: the attribute is not an address, or one of
    /// the other family.
    pub fn set_address(&mut self, attr: Attr, address: IpAddr) -> Result<(), Error> {
        match (Kind::of(attr), address.to_canonical()) {
            (Kind::Ipv4, IpAddr::V4(address)) => self.set(attr, slot(&address.octets())),
            (Kind::Ipv6, IpAddr::V6(address)) => self.set(attr, address.octets()),
            _ => return Err(Error::BadValue(attr as u32)),
        }
        Ok(())
    }

    /// The value of a numeric attribute, if present, in host order for ports too; `None` for
    /// addresses (see [`original`](Self::original)) and what else is not a number.
    #[must_use]
    pub fn number(&self, attr: Attr) -> Option<u64> {
        let big_endian = Kind::of(attr).big_endian()?;
        let bytes = self.get(attr)?.iter();
        let append = |number, byte: &u8| number << 8 | u64::from(*byte);
        Some(if big_endian { bytes.fold(0, append) } else { bytes.rev().fold(0, append) })
    }

    /// The original direction.
    #[must_use]
    pub fn original(&self) -> Endpoints {
        use Attr::{OrigIpv4Dst, OrigIpv4Src, OrigIpv6Dst, OrigIpv6Src};
        self.endpoints(&self.flat.orig, [OrigIpv4Src, OrigIpv4Dst], [OrigIpv6Src, OrigIpv6Dst])
    }

    /// The reply direction: where answers come from and go to, after translation.
    #[must_use]
    pub fn reply(&self) -> Endpoints {
        use Attr::{ReplIpv4Dst, ReplIpv4Src, ReplIpv6Dst, ReplIpv6Src};
        self.endpoints(&self.flat.reply, [ReplIpv4Src, ReplIpv4Dst], [ReplIpv6Src, ReplIpv6Dst])
    }

    fn endpoints(&self, tuple: &Tuple, ipv4: [Attr; 2], ipv6: [Attr; 2]) -> Endpoints {
        let (attrs, address): (_, fn([u8; 16]) -> IpAddr) = match i32::from(tuple.l3proto) {
            libc::AF_INET6 => (ipv6, |bytes| Ipv6Addr::from(bytes).into()),
            _ => (ipv4, |[a, b, c, d, ..]| Ipv4Addr::new(a, b, c, d).into()),
        };
        let known = attrs.iter().all(|attr| self.has(*attr));
        Endpoints {
            addresses: known.then(|| (address(tuple.src), address(tuple.dst))),
            protocol: tuple.l4proto,
            ports: (u16::from_be_bytes(tuple.l4src), u16::from_be_bytes(tuple.l4dst)),
        }
    }

    /// The mark, if present.
    #[must_use]
    pub fn mark(&self) -> Option<u32> {
        self.has(Attr::Mark).then_some(self.flat.mark)
    }

    /// Seconds until the entry expires, if present.
    #[must_use]
    pub fn timeout(&self) -> Option<u32> {
        self.has(Attr::Timeout).then_some(self.flat.timeout)
    }

    /// The identifier of the entry, if present.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.has(Attr::Id).then_some(self.flat.id)
    }

    /// The status bits, if present.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.has(Attr::Status).then(|| Status::from_bits_retain(self.flat.status))
    }

    /// Packets and bytes of the original and the reply direction, if the kernel counts them
    /// (`net.netfilter.nf_conntrack_acct`).
    #[must_use]
    pub fn counters(&self) -> Option<[Counters; 2]> {
        self.has(Attr::OrigCounterPackets).then_some(self.flat.counters)
    }
}

fn slot(bytes: &[u8]) -> Slot {
    let mut slot = [0; 16];
    slot.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    slot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_has_both_directions() {
        let (src, dst) = ("10.0.0.1:1000".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
        let ct = Conntrack::flow(6, src, dst).unwrap();
        assert_eq!(ct.original().addresses, Some((src.ip(), dst.ip())));
        assert_eq!(ct.original().ports, (1000, 80));
        assert_eq!(ct.reply().addresses, Some((dst.ip(), src.ip())));
        assert_eq!(ct.reply().ports, (80, 1000));
        assert_eq!(ct.mark(), None);
    }

    fn flow(protocol: u8, src: &str, dst: &str) -> Result<Conntrack, Error> {
        Conntrack::flow(protocol, src.parse().unwrap(), dst.parse().unwrap())
    }

    #[test]
    fn the_families_of_a_flow_agree() {
        for (protocol, src, dst) in [
            (6, "10.0.0.1:1", "[::1]:1"),
            (6, "[::1]:1", "10.0.0.1:1"),
            (6, "[::ffff:10.0.0.1]:1", "[::1]:1"),
            (1, "[::1]:1", "[::2]:2048"),
            (58, "10.0.0.1:1", "10.0.0.2:32768"),
        ] {
            assert_eq!(flow(protocol, src, dst).err(), Some(Error::FamilyConflict));
        }
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_address() {
        let ipv4 = flow(6, "10.0.0.1:1", "10.0.0.2:2").unwrap();
        for (src, dst) in [
            ("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.2]:2"),
            ("[::ffff:10.0.0.1]:1", "10.0.0.2:2"),
            ("10.0.0.1:1", "[::ffff:10.0.0.2]:2"),
        ] {
            assert_eq!(flow(6, src, dst).unwrap().flat.bytes(), ipv4.flat.bytes());
        }
        let mapped = "::ffff:10.0.0.9".parse().unwrap();
        let mut ct = Conntrack::new();
        ct.set_address(Attr::DnatIpv4, mapped).unwrap();
        assert_eq!(ct.get(Attr::DnatIpv4), Some(&[10, 0, 0, 9][..]));
        assert_eq!(ct.set_address(Attr::DnatIpv6, mapped), Err(Error::BadValue(71)));
        assert!(!ct.has(Attr::DnatIpv6));
        let ping = Conntrack::ping(mapped, [10, 0, 0, 2].into(), 1).unwrap();
        assert_eq!(ping.original().protocol, 1);
    }

    #[test]
    fn a_flow_has_what_its_protocol_has() {
        for (protocol, src, dst, number, reply) in [
            (6, "10.0.0.1:1", "10.0.0.2:2", 12, (2, 1)),
            (47, "[fc00::1]:1", "[fc00::2]:2", 12, (2, 1)),
            (50, "10.0.0.1:1", "10.0.0.2:2", 8, (0, 0)),
            (1, "10.0.0.1:77", "10.0.0.2:2048", 11, (77, 0)),
            (1, "10.0.0.1:77", "10.0.0.2:3328", 11, (77, 14 << 8)),
            (58, "[fc00::1]:77", "[fc00::2]:32768", 11, (77, 129 << 8)),
        ] {
            let ct = flow(protocol, src, dst).unwrap();
            assert_eq!(ct.flat.present.iter().count(), number, "{protocol}");
            assert_eq!(ct.reply().ports, reply, "{protocol}");
            assert_eq!(ct.has(Attr::OrigIpv6Src), src.starts_with('['));
            assert_eq!(ct.has(Attr::IcmpId), [1, 58].contains(&protocol));
        }
        for (protocol, src, dst, kind) in
            [(1, "10.0.0.1:1", "10.0.0.2:0", 0), (58, "[::1]:1", "[::2]:33024", 129)]
        {
            assert_eq!(flow(protocol, src, dst).err(), Some(Error::NoIcmpQuery(kind)));
        }
    }

    #[test]
    fn numbers_are_in_host_order() {
        let mut ct = Conntrack::new();
        assert_eq!(ct.number(Attr::Timeout), None);
        let kernel_only = |attr: Attr| {
            matches!(attr.row().storage, Storage::FromKernel(_) | Storage::Unsettable(_))
        };
        for attr in Attr::all().filter(|attr| Kind::of(*attr).big_endian().is_some()) {
            if kernel_only(attr) {
                assert_eq!(ct.set_u8(attr, 1), Err(Error::BadValue(attr as u32)));
                assert!(!ct.has(attr));
                continue;
            }
            let width = attr.row().storage.width();
            let largest = u64::MAX >> (64 - 8 * width);
            for value in [7, 258 & largest, 0x0102_0304_0506_0708 & largest, largest] {
                ct.set_u64(attr, value).unwrap();
                assert_eq!(ct.number(attr), Some(value), "{attr:?}");
            }
            ct.set_u8(attr, 9).unwrap();
            assert_eq!(ct.number(attr), Some(9), "{attr:?}");
            if let Some(above) = largest.checked_add(1) {
                assert_eq!(ct.set_u64(attr, above), Err(Error::BadValue(attr as u32)));
                assert_eq!(ct.number(attr), Some(9), "{attr:?}");
            }
        }
        ct.set_u32(Attr::OrigPortDst, 443).unwrap();
        assert_eq!(ct.get(Attr::OrigPortDst), Some(&443u16.to_be_bytes()[..]));
        assert_eq!(ct.original().ports.1, 443);
        ct.set_u16(Attr::Mark, 7).unwrap();
        assert_eq!(ct.mark(), Some(7));
    }

    #[test]
    fn what_is_no_number_is_none_and_takes_none() {
        let others = Attr::all().filter(|attr| Kind::of(*attr).big_endian().is_none());
        let mut numbers = Vec::new();
        for attr in others {
            let mut ct = Conntrack::new();
            assert_eq!(ct.set_u32(attr, 1), Err(Error::BadValue(attr as u32)), "{attr:?}");
            ct.set(attr, [7; 16]);
            assert_eq!(ct.number(attr), None, "{attr:?}");
            numbers.push(attr as u32);
        }
        assert_eq!(
            numbers,
            [0, 1, 2, 3, 4, 5, 6, 7, 20, 21, 37, 38, 39, 40, 55, 62, 65, 66, 67, 70, 71]
        );
    }

    #[test]
    fn an_address_goes_into_an_attribute_of_its_family() {
        let addresses: [IpAddr; 2] = [[10, 0, 0, 1].into(), "fc00::1".parse().unwrap()];
        for attr in Attr::all() {
            let mut ct = Conntrack::new();
            let taken = addresses.map(|address| ct.set_address(attr, address).is_ok());
            let name = format!("{attr:?}");
            assert_eq!(taken, [name.contains("Ipv4"), name.contains("Ipv6")], "{name}");
            assert_eq!(ct.has(attr), taken != [false; 2], "{name}");
        }
    }

    #[test]
    fn addresses_that_are_not_there_are_not_told() {
        let mut ct = flow(6, "10.0.0.1:1", "10.0.0.2:2").unwrap();
        ct.unset(Attr::ReplIpv4Dst);
        assert_eq!((ct.reply().addresses, ct.original().addresses.is_some()), (None, true));
        ct.set_u8(Attr::OrigL3Proto, libc::AF_INET6 as u8).unwrap();
        assert_eq!(ct.original().addresses, None);
        assert_eq!(Conntrack::new().original().addresses, None);
    }

    #[test]
    fn unknown_status_bits_are_kept() {
        let mut ct = Conntrack::new();
        ct.set_u32(Attr::Status, 0x8000_0006).unwrap();
        let status = ct.status().unwrap();
        assert!(status.contains(Status::ASSURED) && status.bits() == 0x8000_0006);
    }
}
