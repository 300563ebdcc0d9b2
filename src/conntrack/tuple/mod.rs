//! What the packets of one direction of a flow have in common.
#![forbid(unsafe_code)]

mod build;

pub use build::IcmpQuery;

use crate::conntrack::object::tuple::{ORIG, REPLY};
use crate::conntrack::object::{entry, icmp, layer4};
use crate::conntrack::values::{Direction, Family, Protocol};
use build::wide;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What the packets of one direction of a flow have in common: their protocol, their addresses, and
/// what of it the protocol has, their ports, GRE keys, or ICMP query and id. Always whole, and
/// always of one family.
///
/// IPv4 addresses inside IPv6 ones, as sockets for both tell them, mean the IPv4 addresses.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::Tuple;
/// use std::net::SocketAddr;
///
/// let (client, server): (SocketAddr, SocketAddr) = ("192.0.2.1:40000".parse()?, "198.51.100.7:443".parse()?);
/// let tuple = Tuple::tcp(client, server)?;
/// assert_eq!(tuple.to_string(), "tcp 192.0.2.1:40000 -> 198.51.100.7:443");
/// assert_eq!(tuple.inverse(), Tuple::tcp(server, client)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Tuple(entry::Tuple);

/// What of a tuple belongs to its layer 4 protocol.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{Layer4, Tuple};
///
/// let ping = Tuple::ping("192.0.2.1".parse()?, "198.51.100.7".parse()?, 77)?;
/// assert_eq!(ping.layer4(), Layer4::Icmp { kind: 8, code: 0, id: 77 });
/// let esp = Tuple::other(50, "192.0.2.1".parse()?, "198.51.100.7".parse()?)?;
/// assert_eq!(esp.layer4(), Layer4::Nothing);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layer4 {
    /// Of TCP, UDP, UDP-Lite, SCTP and DCCP.
    Ports {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
    },
    /// Of GRE: the keys of PPTP, 0 for other tunnels.
    Keys {
        /// Key towards the source.
        source: u16,
        /// Key towards the destination.
        destination: u16,
    },
    /// Of ICMP and ICMPv6.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// Identifier.
        id: u16,
    },
    /// Of any other protocol.
    Nothing,
}

impl Tuple {
    /// A tuple as an object has it, all members of which are set; `None` if no packets are like that:
    /// of another family, or of an ICMP that nothing answers.
    #[inline(always)]
    pub(crate) fn from_object(tuple: &entry::Tuple) -> Option<Self> {
        let mut tuple = entry::Tuple { zone: 0, ..*tuple };
        match i32::from(tuple.l3proto) {
            libc::AF_INET => {
                let [src, dst] = [tuple.src, tuple.dst].map(|[a, b, c, d, ..]| [a, b, c, d]);
                (tuple.src, tuple.dst) = (wide(src.into()), wide(dst.into()));
            }
            libc::AF_INET6 => {}
            _ => return None,
        }
        match layer4::Layer4::of(tuple.l4proto) {
            layer4::Layer4::Icmp if answer(&tuple) == icmp::NO_REPLY => return None,
            layer4::Layer4::Nothing => (tuple.l4src, tuple.l4dst) = ([0; 2], [0; 2]),
            _ => {}
        }
        Some(Self(tuple))
    }

    /// The tuple of a direction of an object, if it is whole. Where the kernel knows no ports or keys,
    /// they are 0: it passes over those that it is given.
    #[inline]
    pub(crate) fn of(ct: &entry::Conntrack, direction: Direction) -> Option<Self> {
        let (attrs, tuple) = match direction {
            Direction::Original => (&ORIG, &ct.flat.orig),
            Direction::Reply => (&REPLY, &ct.flat.reply),
        };
        let present = &ct.flat.present;
        if present.has_all(attrs.whole(tuple.l3proto, tuple.l4proto)?) {
            return Self::from_object(tuple);
        }
        let unknown = entry::Tuple { l4src: [0; 2], l4dst: [0; 2], ..*tuple };
        attrs.is_told_without_ports(tuple, present).then(|| Self::from_object(&unknown))?
    }

    /// As an object has it.
    pub(crate) fn object(&self) -> &entry::Tuple {
        &self.0
    }

    /// The same, from elsewhere in its family.
    pub(crate) fn with_source(&self, source: IpAddr, port: u16) -> Self {
        let src = match source {
            IpAddr::V4(source) => wide(source),
            IpAddr::V6(source) => source.octets(),
        };
        Self(entry::Tuple { src, l4src: port.to_be_bytes(), ..self.0 })
    }

    /// The same, to elsewhere: where packets of another tuple of its family and protocol go.
    pub(crate) fn with_destination_of(&self, other: &Self) -> Self {
        Self(entry::Tuple { dst: other.0.dst, l4dst: other.0.l4dst, ..self.0 })
    }

    /// A tuple of no family, which names nothing.
    pub(crate) fn none() -> Self {
        Self(entry::Tuple::default())
    }

    /// The family of its addresses.
    pub(crate) fn family(&self) -> Option<Family> {
        Family::of(self.0.l3proto)
    }

    /// The source address.
    #[must_use]
    pub fn source(&self) -> IpAddr {
        self.address(self.0.src)
    }

    /// The destination address.
    #[must_use]
    pub fn destination(&self) -> IpAddr {
        self.address(self.0.dst)
    }

    fn address(&self, bytes: [u8; 16]) -> IpAddr {
        let [a, b, c, d, ..] = bytes;
        if self.is_ipv4() { Ipv4Addr::new(a, b, c, d).into() } else { Ipv6Addr::from(bytes).into() }
    }

    /// The layer 4 protocol.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.0.l4proto.into()
    }

    /// What belongs to that protocol.
    #[must_use]
    pub fn layer4(&self) -> Layer4 {
        let [source, destination] = [self.0.l4src, self.0.l4dst].map(u16::from_be_bytes);
        let [kind, code] = self.0.l4dst;
        match layer4::Layer4::of(self.0.l4proto) {
            layer4::Layer4::Ports => Layer4::Ports { source, destination },
            layer4::Layer4::Keys => Layer4::Keys { source, destination },
            layer4::Layer4::Icmp => Layer4::Icmp { kind, code, id: source },
            layer4::Layer4::Nothing => Layer4::Nothing,
        }
    }

    /// The source port, if the protocol has ports.
    #[must_use]
    pub fn source_port(&self) -> Option<u16> {
        self.ports().map(|(source, _)| source)
    }

    /// The destination port, if the protocol has ports.
    #[must_use]
    pub fn destination_port(&self) -> Option<u16> {
        self.ports().map(|(_, destination)| destination)
    }

    fn ports(&self) -> Option<(u16, u16)> {
        match self.layer4() {
            Layer4::Ports { source, destination } => Some((source, destination)),
            _ => None,
        }
    }

    /// The source, if the protocol has ports.
    #[must_use]
    pub fn source_socket(&self) -> Option<SocketAddr> {
        Some((self.source(), self.source_port()?).into())
    }

    /// The destination, if the protocol has ports.
    #[must_use]
    pub fn destination_socket(&self) -> Option<SocketAddr> {
        Some((self.destination(), self.destination_port()?).into())
    }

    /// The packets that answer these, where nothing is translated.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let mut inverse = entry::Tuple { src: self.0.dst, dst: self.0.src, ..self.0 };
        if let Layer4::Icmp { code, .. } = self.layer4() {
            inverse.l4dst = [answer(&self.0), code];
        } else {
            (inverse.l4src, inverse.l4dst) = (self.0.l4dst, self.0.l4src);
        }
        Self(inverse)
    }

    /// Whether it is one of IPv4, not of IPv6.
    #[must_use]
    pub fn is_ipv4(&self) -> bool {
        self.family() == Some(Family::Ipv4)
    }

    /// All that tells tuples apart.
    fn parts(&self) -> (u8, u8, [u8; 16], [u8; 16], [u8; 2], [u8; 2]) {
        let entry::Tuple { src, dst, l3proto, l4proto, l4src, l4dst, .. } = self.0;
        (l3proto, l4proto, src, dst, l4src, l4dst)
    }
}

/// The ICMP type that answers the one in a tuple.
fn answer(tuple: &entry::Tuple) -> u8 {
    let of_family = match i32::from(tuple.l4proto) {
        libc::IPPROTO_ICMP => libc::AF_INET,
        _ => libc::AF_INET6,
    };
    let [kind, _] = tuple.l4dst;
    if of_family == i32::from(tuple.l3proto) {
        icmp::reply_type(tuple.l3proto, kind)
    } else {
        icmp::NO_REPLY
    }
}

impl PartialEq for Tuple {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Tuple {}

impl PartialOrd for Tuple {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By family, protocol, addresses and ports.
impl Ord for Tuple {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl Hash for Tuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (protocol, source, destination) = (self.protocol(), self.source(), self.destination());
        write!(f, "{protocol} ")?;
        match self.layer4() {
            Layer4::Ports { source: from, destination: to } => {
                let [from, to] =
                    [(source, from), (destination, to)].map(|(ip, port)| SocketAddr::new(ip, port));
                write!(f, "{from} -> {to}")
            }
            Layer4::Keys { source: from, destination: to } => {
                write!(f, "{source} -> {destination} keys {from} {to}")
            }
            Layer4::Icmp { kind, code, id } => {
                write!(f, "{source} -> {destination} type {kind} code {code} id {id}")
            }
            Layer4::Nothing => write!(f, "{source} -> {destination}"),
        }
    }
}

impl fmt::Debug for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tuple({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn end(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// A tuple of every kind, in both families, and as text.
    fn all() -> Vec<(Tuple, &'static str)> {
        let (a, b, c, d) = (ip("10.0.0.1"), ip("10.0.0.2"), ip("fc00::1"), ip("fc00::2"));
        let (from, to) = (end("10.0.0.1:1"), end("10.0.0.2:2"));
        [
            (Tuple::tcp(from, to), "tcp 10.0.0.1:1 -> 10.0.0.2:2"),
            (Tuple::udp(from, to), "udp 10.0.0.1:1 -> 10.0.0.2:2"),
            (Tuple::udp_lite(from, to), "udplite 10.0.0.1:1 -> 10.0.0.2:2"),
            (Tuple::sctp(from, to), "sctp 10.0.0.1:1 -> 10.0.0.2:2"),
            (Tuple::dccp(from, to), "dccp 10.0.0.1:1 -> 10.0.0.2:2"),
            (Tuple::tcp(end("[fc00::1]:1"), end("[fc00::2]:2")), "tcp [fc00::1]:1 -> [fc00::2]:2"),
            (Tuple::gre(a, b, (7, 0)), "gre 10.0.0.1 -> 10.0.0.2 keys 7 0"),
            (Tuple::gre(c, d, (0, 0)), "gre fc00::1 -> fc00::2 keys 0 0"),
            (Tuple::ping(a, b, 77), "icmp 10.0.0.1 -> 10.0.0.2 type 8 code 0 id 77"),
            (Tuple::ping(c, d, 77), "icmpv6 fc00::1 -> fc00::2 type 128 code 0 id 77"),
            (Tuple::other(Protocol::Esp, a, b), "esp 10.0.0.1 -> 10.0.0.2"),
            (Tuple::other(89, c, d), "89 fc00::1 -> fc00::2"),
        ]
        .map(|(tuple, text)| (tuple.unwrap(), text))
        .into()
    }

    /// Linux since 6.17 does not know DCCP, and kernels can be built without some protocols.
    #[test]
    fn a_flow_that_was_told_without_ports_has_a_tuple() {
        use crate::conntrack::object::attr::Attr;
        let (src, dst) = (ip("10.0.0.1"), ip("10.0.0.2"));
        for protocol in 0..=u8::MAX {
            let mut ct = entry::Conntrack::new();
            let Tuple(tuple) = Tuple::other(99, src, dst).unwrap();
            ct.flat.orig =
                entry::Tuple { l4proto: protocol, l4src: [1; 2], l4dst: [2; 2], ..tuple };
            ct.flat.present.insert(ORIG.whole(tuple.l3proto, 0).unwrap());
            let of = |ct: &entry::Conntrack| Tuple::of(ct, Direction::Original);
            let (needs, optional) =
                ([1, 6, 17, 33, 47, 58, 132, 136], [33, 47, 132, 136].contains(&protocol));
            assert_eq!(of(&ct).is_some(), !needs.contains(&protocol), "{protocol}");
            ct.flat.present.set(Attr::Id);
            assert_eq!(of(&ct).is_some(), optional || !needs.contains(&protocol), "{protocol}");
            if optional {
                let made = Tuple::build(protocol.into(), [src, dst], [0, 0]).unwrap();
                assert_eq!(of(&ct), Some(made));
                ct.flat.present.set(Attr::OrigPortSrc);
                assert_eq!(of(&ct), None);
            }
        }
    }

    #[test]
    fn tuples_are_read_back() {
        for (tuple, text) in all() {
            assert_eq!(tuple.to_string(), text);
            assert_eq!(format!("{tuple:?}"), format!("Tuple({text})"));
            let (src, dst) = (tuple.source().to_string(), tuple.destination().to_string());
            assert!(text.contains(&src) && text.contains(&dst) && src.ends_with('1'));
            let ports = (tuple.source_port(), tuple.destination_port());
            let has_ports = matches!(tuple.layer4(), Layer4::Ports { .. });
            assert_eq!(ports, if has_ports { (Some(1), Some(2)) } else { (None, None) });
            assert_eq!(tuple.source_socket().is_some(), has_ports);
            assert_eq!(
                tuple.is_ipv4(),
                tuple.destination_socket().map_or(!text.contains("::"), |to| to.is_ipv4())
            );
        }
    }

    #[test]
    fn tuples_are_told_apart() {
        let tuples: Vec<_> = all().into_iter().map(|(tuple, _)| tuple).collect();
        let inverse = tuples.iter().map(Tuple::inverse);
        let set: HashSet<_> = tuples.iter().copied().chain(inverse).collect();
        assert_eq!(set.len(), 2 * tuples.len());
        for tuple in &tuples {
            assert_eq!(tuple.inverse().inverse(), *tuple);
            assert_eq!(
                (tuple.inverse().source(), tuple.inverse().protocol()),
                (tuple.destination(), tuple.protocol())
            );
            assert!(set.contains(&Tuple::from_object(tuple.object()).unwrap()));
        }
        let mut sorted = tuples.clone();
        sorted.sort();
        assert!(sorted.first().unwrap().is_ipv4() && !sorted.last().unwrap().is_ipv4());
    }

    #[test]
    fn what_no_packets_are_like_is_no_tuple() {
        let object = *Tuple::ping(ip("10.0.0.1"), ip("10.0.0.2"), 1).unwrap().object();
        for other in [
            entry::Tuple { l3proto: 7, ..object },
            entry::Tuple { l4proto: 58, ..object },
            entry::Tuple { l4dst: [3, 0], ..object },
        ] {
            assert!(Tuple::from_object(&other).is_none());
        }
        // What an object keeps behind an IPv4 address does not count.
        let mut object = object;
        object.src[9] = 7;
        object.zone = 3;
        assert_eq!(
            Tuple::from_object(&object),
            Tuple::ping(ip("10.0.0.1"), ip("10.0.0.2"), 1).ok()
        );
    }
}
