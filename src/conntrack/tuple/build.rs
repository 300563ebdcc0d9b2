//! Tuples made of addresses and what their protocol has.
#![forbid(unsafe_code)]

use super::Tuple;
use crate::conntrack::object::{entry, layer4};
use crate::conntrack::values::{Family, Protocol, canonical};
use crate::invalid::Invalid;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What begins a flow of ICMP: nothing but a question does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IcmpQuery {
    /// An echo request, of either family.
    Echo,
    /// A timestamp request, of IPv4.
    Timestamp,
    /// An information request, of IPv4.
    Information,
    /// An address mask request, of IPv4.
    AddressMask,
    /// A node information query, of IPv6.
    NodeInformation,
}

impl IcmpQuery {
    /// Its type.
    fn kind(self, family: Family) -> Result<u8, Invalid> {
        match (self, family) {
            (Self::Echo, Family::Ipv4) => Ok(8),
            (Self::Timestamp, Family::Ipv4) => Ok(13),
            (Self::Information, Family::Ipv4) => Ok(15),
            (Self::AddressMask, Family::Ipv4) => Ok(17),
            (Self::Echo, Family::Ipv6) => Ok(128),
            (Self::NodeInformation, Family::Ipv6) => Ok(139),
            _ => Err(Invalid::IcmpQuery),
        }
    }
}

/// Constructors of protocols with ports.
macro_rules! with_ports {
    ($($(#[$doc:meta])* $name:ident $protocol:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`Invalid::Family`].
        pub fn $name(
            source: impl Into<SocketAddr>,
            destination: impl Into<SocketAddr>,
        ) -> Result<Self, Invalid> {
            Self::with_ports(Protocol::$protocol, source.into(), destination.into())
        }
    )*};
}

impl Tuple {
    with_ports! {
        /// TCP packets from one port to another.
        tcp Tcp;
        /// UDP packets from one port to another.
        udp Udp;
        /// UDP-Lite packets from one port to another.
        udp_lite UdpLite;
        /// SCTP packets from one port to another.
        sctp Sctp;
        /// DCCP packets from one port to another.
        dccp Dccp;
    }

    fn with_ports(protocol: Protocol, from: SocketAddr, to: SocketAddr) -> Result<Self, Invalid> {
        Self::build(protocol, [from.ip(), to.ip()], [from.port(), to.port()])
    }

    /// GRE packets with these keys, those of the source and of the destination: 0 but for PPTP.
    ///
    /// # Errors
    /// [`Invalid::Family`].
    pub fn gre(source: IpAddr, destination: IpAddr, keys: (u16, u16)) -> Result<Self, Invalid> {
        Self::build(Protocol::Gre, [source, destination], [keys.0, keys.1])
    }

    /// Queries of ICMP, or of ICMPv6 where the addresses are.
    ///
    /// # Errors
    /// [`Invalid::Family`], [`Invalid::IcmpQuery`].
    pub fn icmp(
        source: IpAddr,
        destination: IpAddr,
        query: IcmpQuery,
        id: u16,
    ) -> Result<Self, Invalid> {
        let (protocol, family) = match canonical(destination) {
            IpAddr::V4(_) => (Protocol::Icmp, Family::Ipv4),
            IpAddr::V6(_) => (Protocol::Icmpv6, Family::Ipv6),
        };
        let kind = u16::from(query.kind(family)?) << 8;
        Self::build(protocol, [source, destination], [id, kind])
    }

    /// The pings of one program: echo requests with this id.
    ///
    /// # Errors
    /// [`Invalid::Family`].
    pub fn ping(source: IpAddr, destination: IpAddr, id: u16) -> Result<Self, Invalid> {
        Self::icmp(source, destination, IcmpQuery::Echo, id)
    }

    /// Packets of a protocol without ports.
    ///
    /// # Errors
    /// [`Invalid::Family`]; [`Invalid::NeedsPorts`] for a protocol that has a constructor of its own.
    pub fn other(
        protocol: impl Into<Protocol>,
        source: IpAddr,
        destination: IpAddr,
    ) -> Result<Self, Invalid> {
        let protocol = protocol.into();
        match layer4::Layer4::of(protocol.number()) {
            layer4::Layer4::Nothing => Self::build(protocol, [source, destination], [0, 0]),
            _ => Err(Invalid::NeedsPorts),
        }
    }

    pub(crate) fn build(
        protocol: Protocol,
        ends: [IpAddr; 2],
        layer4: [u16; 2],
    ) -> Result<Self, Invalid> {
        let (family, src, dst) = match ends.map(canonical) {
            [IpAddr::V4(src), IpAddr::V4(dst)] => (Family::Ipv4, wide(src), wide(dst)),
            [IpAddr::V6(src), IpAddr::V6(dst)] => (Family::Ipv6, src.octets(), dst.octets()),
            _ => return Err(Invalid::Family),
        };
        let (l3proto, l4proto, zone) = (family.number(), protocol.number(), 0);
        let [l4src, l4dst] = layer4.map(u16::to_be_bytes);
        Ok(Self(entry::Tuple { src, dst, l3proto, l4proto, zone, l4src, l4dst }))
    }
}

/// An IPv4 address where one of IPv6 has room.
pub(super) fn wide(address: Ipv4Addr) -> [u8; 16] {
    let [a, b, c, d] = address.octets();
    [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::tuple::Layer4;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_query_of_the_other_family_is_refused() {
        use IcmpQuery::{AddressMask, Echo, Information, NodeInformation, Timestamp};
        for (query, kinds) in [
            (Echo, [Some((8, 0)), Some((128, 129))]),
            (Timestamp, [Some((13, 14)), None]),
            (Information, [Some((15, 16)), None]),
            (AddressMask, [Some((17, 18)), None]),
            (NodeInformation, [None, Some((139, 140))]),
        ] {
            for ([src, dst], kinds) in
                [["10.0.0.1", "10.0.0.2"], ["fc00::1", "fc00::2"]].into_iter().zip(kinds)
            {
                let tuple = Tuple::icmp(ip(src), ip(dst), query, 9);
                let kind = |tuple: Tuple| match tuple.layer4() {
                    Layer4::Icmp { kind, code: 0, id: 9 } => kind,
                    other => panic!("{other:?}"),
                };
                let found = tuple.map(|tuple| (kind(tuple), kind(tuple.inverse())));
                assert_eq!(found, kinds.ok_or(Invalid::IcmpQuery), "{query:?}");
            }
        }
    }

    #[test]
    fn families_do_not_mix_and_mapped_addresses_are_ipv4() {
        let (four, six, mapped) = (ip("10.0.0.1"), ip("fc00::1"), ip("::ffff:10.0.0.1"));
        type Make = fn(IpAddr, IpAddr) -> Result<Tuple, Invalid>;
        let makes: [Make; 4] = [
            |a, b| Tuple::tcp((a, 1), (b, 2)),
            |a, b| Tuple::gre(a, b, (1, 2)),
            |a, b| Tuple::ping(a, b, 1),
            |a, b| Tuple::other(Protocol::Esp, a, b),
        ];
        for make in makes {
            for (a, b) in [(four, six), (six, four), (mapped, six), (six, mapped)] {
                assert_eq!(make(a, b), Err(Invalid::Family));
            }
            assert_eq!(make(mapped, mapped), make(four, four));
            assert!(make(mapped, four).unwrap().is_ipv4());
        }
    }

    #[test]
    fn protocols_with_constructors_are_made_by_them() {
        for protocol in 0..=u8::MAX {
            let has_own = [1, 6, 17, 33, 47, 58, 132, 136].contains(&protocol);
            let made = Tuple::other(protocol, ip("10.0.0.1"), ip("10.0.0.2"));
            assert_eq!(made.err(), has_own.then_some(Invalid::NeedsPorts));
        }
    }
}
