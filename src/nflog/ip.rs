//! IP packets: their headers, as far as they tell a flow or a length.
//!
//! What is read is what the kernel's connection tracking reads, so that it comes to the same tuple:
//! IPv6 extension headers are passed over, authentication among them; of IPv4 that is a protocol.
#![forbid(unsafe_code)]

use crate::conntrack::object::entry::Tuple as Fields;
use crate::conntrack::object::layer4::Layer4;
use crate::conntrack::tuple::Tuple;
use crate::conntrack::values::Family;

/// Bytes of the IPv6 header.
const IPV6_HEADER: usize = 40;
/// Bytes of the headers of ICMP and ICMPv6, before the packet that an error is about.
const ICMP_HEADER: usize = 8;
/// ICMP types of errors: unreachable, quench, redirect, time exceeded, parameter problem.
const ICMP_ERRORS: [u8; 5] = [3, 4, 5, 11, 12];
/// ICMPv6 types below this are errors.
const ICMPV6_QUERIES: u8 = 128;
/// The ICMPv6 type of a redirect, whose packet is in its first option, of type 4, behind two
/// addresses.
const ICMPV6_REDIRECT: u8 = 137;
const REDIRECT_HEADER: usize = ICMP_HEADER + 32;
const REDIRECTED: u8 = 4;
const OPTION_HEADER: usize = 8;
/// Neighbours are told apart from who is farther by a hop limit that nothing was taken from.
const NEIGHBOUR: u8 = 255;

/// Of a packet in pieces, which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fragment {
    /// It is whole.
    No,
    /// The first one, which has the header of layer 4.
    First,
    /// Another one.
    Later,
}

impl Fragment {
    fn of(offset: u16, more: bool) -> Self {
        match (offset, more) {
            (0, false) => Self::No,
            (0, true) => Self::First,
            _ => Self::Later,
        }
    }
}

/// A packet of IPv4 or IPv6, as far as it was copied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ip<'a> {
    family: Family,
    src: [u8; 16],
    dst: [u8; 16],
    protocol: u8,
    hop_limit: u8,
    pub(super) fragment: Fragment,
    /// From the header of layer 4 on.
    body: &'a [u8],
}

impl<'a> Ip<'a> {
    /// The packet at the beginning of `bytes`; `None` where its header is cut short or wrong.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        match bytes.first()? >> 4 {
            4 => Self::ipv4(bytes),
            6 => Self::ipv6(bytes),
            _ => None,
        }
    }

    fn ipv4(bytes: &'a [u8]) -> Option<Self> {
        let [first, _, _, _, _, _, f0, f1, hop_limit, protocol, ..] = *bytes.first_chunk::<20>()?;
        let (header, bytes) =
            (usize::from(first & 15) * 4, bytes.get(..length(bytes)?).unwrap_or(bytes));
        let fragment = u16::from_be_bytes([f0, f1]);
        (header >= 20).then_some(Self {
            family: Family::Ipv4,
            src: wide(bytes.get(12..16)?),
            dst: wide(bytes.get(16..20)?),
            protocol,
            hop_limit,
            fragment: Fragment::of(fragment & 0x1fff, fragment & 0x2000 != 0),
            body: bytes.get(header..)?,
        })
    }

    fn ipv6(bytes: &'a [u8]) -> Option<Self> {
        let [_, _, _, _, _, _, protocol, hop_limit, ..] = *bytes.first_chunk::<IPV6_HEADER>()?;
        let bytes = bytes.get(..length(bytes)?).unwrap_or(bytes);
        let (protocol, fragment, body) = past_extensions(protocol, bytes.get(IPV6_HEADER..)?)?;
        Some(Self {
            family: Family::Ipv6,
            src: wide(bytes.get(8..24)?),
            dst: wide(bytes.get(24..40)?),
            protocol,
            hop_limit,
            fragment,
            body,
        })
    }

    /// Its tuple, as connection tracking makes it; `None` where that makes none. Of GRE it takes the
    /// key towards the destination alone from a packet.
    pub(super) fn tuple(&self) -> Option<Tuple> {
        if self.fragment == Fragment::Later {
            return None;
        }
        let (l4src, l4dst) = self.layer4()?;
        Tuple::from_object(&Fields {
            src: self.src,
            dst: self.dst,
            l3proto: self.family.number(),
            l4proto: self.protocol,
            zone: 0,
            l4src,
            l4dst,
        })
    }

    /// What of the tuple is of layer 4.
    fn layer4(&self) -> Option<([u8; 2], [u8; 2])> {
        match Layer4::of(self.protocol) {
            Layer4::Ports => {
                let [a, b, c, d] = *self.body.first_chunk()?;
                Some(([a, b], [c, d]))
            }
            Layer4::Icmp => {
                let [kind, code, _, _, a, b, _, _] = *self.body.first_chunk::<ICMP_HEADER>()?;
                Some(([a, b], [kind, code]))
            }
            // Of PPTP, whose version is 1.
            Layer4::Keys => match *self.body {
                [_, flags, 0x88, 0x0b, _, _, a, b, ..] if flags & 7 == 1 => Some(([0; 2], [a, b])),
                [_, flags, _, _, ..] if flags & 7 == 1 => None,
                _ => Some(([0; 2], [0; 2])),
            },
            Layer4::Nothing => Some(([0; 2], [0; 2])),
        }
    }

    /// The packet inside, if this is an ICMP error that goes back to where that came from.
    pub(super) fn inside(&self) -> Option<Self> {
        let [kind, code, ..] = *self.body.first_chunk::<ICMP_HEADER>()?;
        let at = match (self.family, i32::from(self.protocol)) {
            (Family::Ipv4, libc::IPPROTO_ICMP) if ICMP_ERRORS.contains(&kind) => ICMP_HEADER,
            (Family::Ipv6, libc::IPPROTO_ICMPV6) if kind < ICMPV6_QUERIES => ICMP_HEADER,
            (Family::Ipv6, libc::IPPROTO_ICMPV6) if kind == ICMPV6_REDIRECT && code == 0 => {
                self.redirected()?
            }
            _ => return None,
        };
        let inside = Self::read(self.body.get(at..)?)?;
        (inside.family == self.family && inside.src == self.dst).then_some(inside)
    }

    /// Where a redirect has the packet that it is about; only neighbours are believed.
    fn redirected(&self) -> Option<usize> {
        let link_local = matches!(self.src, [0xfe, 0x80..=0xbf, ..]);
        let option = self.body.get(REDIRECT_HEADER..)?;
        let is_packet = matches!(option, [REDIRECTED, length, ..] if *length > 0);
        let believed = self.hop_limit == NEIGHBOUR && link_local && is_packet;
        believed.then_some(REDIRECT_HEADER + OPTION_HEADER)
    }
}

/// How many bytes a packet has that begins like this, as its header tells; `None` if that is not
/// there.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let [first, _, a, b, c, d, ..] = *bytes else { return None };
    let (tells, more) = match first >> 4 {
        4 => ([a, b], 0),
        6 => ([c, d], IPV6_HEADER),
        _ => return None,
    };
    Some(match u16::from_be_bytes(tells) {
        // More than 64 KiB, before a device cuts it: the header has no room for that.
        0 => bytes.len(),
        length => usize::from(length) + more,
    })
}

/// An address of either family.
fn wide(address: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(address).for_each(|(to, from)| *to = *from);
    bytes
}

/// The protocol behind IPv6 extension headers, and what of it there is; behind the header of a later
/// fragment there is none.
fn past_extensions(mut protocol: u8, mut rest: &[u8]) -> Option<(u8, Fragment, &[u8])> {
    let mut fragment = Fragment::No;
    loop {
        let is = i32::from(protocol);
        let length = match is {
            libc::IPPROTO_HOPOPTS | libc::IPPROTO_ROUTING | libc::IPPROTO_DSTOPTS => {
                (usize::from(*rest.get(1)?) + 1) * 8
            }
            libc::IPPROTO_AH => (usize::from(*rest.get(1)?) + 2) * 4,
            libc::IPPROTO_FRAGMENT => {
                let [_, _, a, b, ..] = *rest.first_chunk::<8>()?;
                let bits = u16::from_be_bytes([a, b]);
                fragment = Fragment::of(bits & !7, bits & 1 != 0);
                if fragment == Fragment::Later {
                    return Some((protocol, fragment, rest));
                }
                8
            }
            libc::IPPROTO_NONE => return None,
            _ => return Some((protocol, fragment, rest)),
        };
        protocol = *rest.first()?;
        rest = rest.get(length..)?;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// From 10.0.0.1 to 10.9.0.1.
    pub(in super::super) fn ipv4(protocol: u8, body: &[u8]) -> Vec<u8> {
        let length = (20 + body.len()) as u8;
        let header = [0x45, 0, 0, length, 0, 7, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 9, 0, 1];
        [&header, body].concat()
    }

    /// From fd01::1 to fd09::1.
    pub(in super::super) fn ipv6(protocol: u8, body: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0, 0, body.len() as u8, protocol, 255];
        packet.extend([0xfd, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        packet.extend([0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        packet.extend(body);
        packet
    }

    /// A packet back to where another came from.
    fn back(packet: Vec<u8>) -> Vec<u8> {
        let mut packet = packet;
        match packet[0] >> 4 {
            4 => packet[12..20].rotate_left(4),
            _ => packet[8..40].rotate_left(16),
        }
        packet
    }

    /// An error about a packet.
    pub(in super::super) fn icmp(kind: u8, about: &[u8]) -> Vec<u8> {
        back(ipv4(1, &[&[kind, 0, 0, 0, 0, 0, 0, 0], about].concat()))
    }

    pub(in super::super) fn icmpv6(kind: u8, about: &[u8]) -> Vec<u8> {
        back(ipv6(58, &[&[kind, 0, 0, 0, 0, 0, 0, 0], about].concat()))
    }

    fn tuple(packet: &[u8]) -> Option<String> {
        Some(Ip::read(packet)?.tuple()?.to_string())
    }

    fn four(protocol: u8, body: &[u8]) -> Option<String> {
        tuple(&ipv4(protocol, body))
    }

    const PORTS: [u8; 8] = [0x04, 0xd2, 0, 80, 1, 2, 3, 4];

    #[test]
    fn the_tuple_of_each_protocol() {
        for (protocol, body, text) in [
            (6, &PORTS[..4], "tcp 10.0.0.1:1234 -> 10.9.0.1:80"),
            (17, &PORTS, "udp 10.0.0.1:1234 -> 10.9.0.1:80"),
            (33, &PORTS, "dccp 10.0.0.1:1234 -> 10.9.0.1:80"),
            (132, &PORTS, "sctp 10.0.0.1:1234 -> 10.9.0.1:80"),
            (136, &PORTS, "udplite 10.0.0.1:1234 -> 10.9.0.1:80"),
            (1, &[8, 0, 9, 9, 0, 77, 0, 1], "icmp 10.0.0.1 -> 10.9.0.1 type 8 code 0 id 77"),
            (1, &[14, 0, 9, 9, 0, 77, 0, 1], "icmp 10.0.0.1 -> 10.9.0.1 type 14 code 0 id 77"),
            (47, &[0x20, 0, 8, 0, 0, 0, 0, 9], "gre 10.0.0.1 -> 10.9.0.1 keys 0 0"),
            (47, &[0x30, 1, 0x88, 0x0b, 0, 4, 0, 9], "gre 10.0.0.1 -> 10.9.0.1 keys 0 9"),
            (50, &PORTS, "esp 10.0.0.1 -> 10.9.0.1"),
            (51, &PORTS, "ah 10.0.0.1 -> 10.9.0.1"),
            (89, &[], "89 10.0.0.1 -> 10.9.0.1"),
        ] {
            assert_eq!(four(protocol, body).as_deref(), Some(text));
        }
        assert_eq!(
            tuple(&ipv6(58, &[128, 0, 9, 9, 0, 77, 0, 1])).as_deref(),
            Some("icmpv6 fd01::1 -> fd09::1 type 128 code 0 id 77")
        );
        assert_eq!(tuple(&ipv6(6, &PORTS)).as_deref(), Some("tcp [fd01::1]:1234 -> [fd09::1]:80"));
    }

    #[test]
    fn what_has_no_tuple() {
        for (protocol, body) in [
            (6, &PORTS[..3]),
            (1, &[8, 0, 9, 9, 0, 77, 0]),
            // Nothing answers these; the last is of the other family.
            (1, &[9, 0, 9, 9, 0, 77, 0, 1]),
            (1, &[3, 1, 9, 9, 0, 77, 0, 1]),
            (58, &[128, 0, 9, 9, 0, 77, 0, 1]),
            (47, &[0x30, 1, 8, 0, 0, 4, 0, 9]),
        ] {
            assert_eq!(four(protocol, body), None);
        }
        for bytes in [&[0x55; 40][..], &[0x44; 40], &[], &[0x4f; 40]] {
            assert_eq!(tuple(bytes), None);
        }
    }

    #[test]
    fn headers_are_passed_over() {
        let mut options = ipv4(17, &[&[1, 1, 1, 0], &PORTS[..]].concat());
        options[0] = 0x46;
        assert_eq!(tuple(&options), four(17, &PORTS));
        let plain = tuple(&ipv6(17, &PORTS));
        // Hop by hop of 16 bytes, routing, destination; authentication of 16 bytes; a whole in one piece.
        let hop = [&[43, 1][..], &[0; 14], &[60, 0], &[0; 6], &[51, 0], &[0; 6]].concat();
        let auth = [&[44, 2][..], &[0; 14], &[17, 0, 0, 0, 0, 0, 0, 7]].concat();
        let packet = ipv6(0, &[&hop[..], &auth, &PORTS].concat());
        assert_eq!((tuple(&packet), plain.is_some()), (plain, true));
        assert_eq!(tuple(&ipv6(59, &PORTS)), None);
        assert_eq!(tuple(&ipv6(0, &[17, 9, 0, 0, 0, 0, 0, 0])), None);
    }

    #[test]
    fn pieces_are_known() {
        let fragment = |packet: &[u8]| Ip::read(packet).unwrap().fragment;
        for (bits, expected) in [
            ([0, 0], Fragment::No),
            ([0x40, 0], Fragment::No),
            ([0x20, 0], Fragment::First),
            ([0x20, 1], Fragment::Later),
            ([0x1f, 0xff], Fragment::Later),
        ] {
            let mut packet = ipv4(17, &PORTS);
            packet[6..8].copy_from_slice(&bits);
            assert_eq!(fragment(&packet), expected);
            assert_eq!(tuple(&packet).is_none(), expected == Fragment::Later);
        }
        for (bits, expected) in
            [([0, 0], Fragment::No), ([0, 1], Fragment::First), ([0, 8], Fragment::Later)]
        {
            let header = [&[17, 0][..], &bits, &[0, 0, 0, 7]].concat();
            let packet = ipv6(44, &[&header[..], &PORTS].concat());
            assert_eq!(fragment(&packet), expected);
            assert_eq!(tuple(&packet).is_none(), expected == Fragment::Later);
        }
    }

    #[test]
    fn only_what_belongs_to_the_packet_counts() {
        let mut padded = ipv4(17, &PORTS);
        padded[3] = 22;
        assert_eq!(tuple(&padded), None);
        let mut large = ipv4(17, &PORTS);
        large[3] = 0;
        assert_eq!((tuple(&large), length(&large)), (four(17, &PORTS), Some(28)));
        let mut padded = ipv6(17, &PORTS);
        padded[5] = 2;
        assert_eq!((tuple(&padded), length(&padded)), (None, Some(42)));
        assert_eq!((length(&[0x45, 0, 5, 0]), length(&[0x45, 0, 5, 0, 0, 0])), (None, Some(1280)));
    }

    /// Cut anywhere a packet has its tuple or none, and no other.
    #[test]
    fn a_cut_packet_is_not_taken_for_another() {
        let inside = ipv4(6, &PORTS);
        for packet in
            [inside.clone(), ipv6(17, &PORTS), icmp(3, &inside), icmpv6(1, &ipv6(6, &PORTS))]
        {
            let told = |bytes: &[u8]| {
                let ip = Ip::read(bytes)?;
                Some((ip.tuple()?, None)).or_else(|| Some((ip.inside()?.tuple()?, Some(()))))
            };
            let whole = told(&packet);
            for length in 0..packet.len() {
                let cut = told(&packet[..length]);
                assert!(cut.is_none() || cut == whole, "{length}");
            }
        }
    }

    #[test]
    fn errors_have_a_packet_inside() {
        let inside = |packet: &[u8]| {
            let inside = Ip::read(packet)?.inside()?;
            Some(inside.tuple()?.to_string())
        };
        let (about, about6) = (ipv4(6, &PORTS), ipv6(6, &PORTS));
        for kind in 0..=255 {
            let is_error = [3, 4, 5, 11, 12].contains(&kind);
            assert_eq!(inside(&icmp(kind, &about)), tuple(&about).filter(|_| is_error), "{kind}");
            let found = inside(&icmpv6(kind, &about6));
            assert_eq!(found, tuple(&about6).filter(|_| kind < 128), "{kind}");
        }
        // Of the other family, sent to somebody else, about an error.
        assert_eq!(inside(&icmp(3, &about6)), None);
        assert_eq!(inside(&back(icmp(3, &about))), None);
        assert_eq!(inside(&icmp(3, &back(icmp(3, &about)))), None);
        // The first piece of a packet will do.
        let mut first = about.clone();
        first[6] = 0x20;
        assert_eq!(inside(&icmp(3, &first)), tuple(&about));
    }

    #[test]
    fn a_redirect_of_a_neighbour_has_a_packet_inside() {
        let about = ipv6(6, &PORTS);
        let body = [&[137, 0, 0, 0, 0, 0, 0, 0][..], &[0; 32], &[4, 7, 0, 0, 0, 0, 0, 0], &about];
        let mut redirect = back(ipv6(58, &body.concat()));
        redirect[8..10].copy_from_slice(&[0xfe, 0x80]);
        let inside = |packet: &[u8]| Some(Ip::read(packet)?.inside()?.tuple()?.to_string());
        assert_eq!(inside(&redirect), tuple(&about));
        // Hop limit, code, source, type of the option, its length.
        for (at, byte) in [(7, 254), (41, 1), (9, 0), (80, 5), (81, 0)] {
            let mut other = redirect.clone();
            other[at] = byte;
            assert_eq!(inside(&other), None, "{at}");
        }
    }
}
