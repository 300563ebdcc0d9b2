//! What a packet tells of its flow: the tuple that it has, and how far it was translated when it was
//! logged.
#![forbid(unsafe_code)]

use super::ip::{Fragment, Ip};
use super::packet::Packet;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::tuple::{Layer4, Tuple};
use crate::conntrack::values::Direction;
use crate::uapi::nful;

/// Types of tags of virtual LANs, as Ethernet numbers them.
const TAGS: [u16; 2] = [libc::ETH_P_8021Q as u16, libc::ETH_P_8021AD as u16];
/// `NFPROTO_ARP`, `NFPROTO_NETDEV`; hook of packets that leave through a device.
pub(super) const ARP: u8 = 3;
pub(super) const NETDEV: u8 = 5;
pub(super) const EGRESS: u8 = 1;
/// `ARPHRD_LOOPBACK`.
const LOOPBACK: u16 = 772;

/// How far a packet is translated: destinations are before the packet is routed, sources when it
/// leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not at all: it has the tuple of its direction.
    Before,
    /// Its destination alone.
    Destination,
    /// Wholly: the tuple of the other direction answers it.
    After,
}

use Stage::{After, Before, Destination};

/// What a packet tells of its flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// Of the packet, or where that is an ICMP error, of the packets that answer the one inside: an
    /// error goes the way they do, and is translated as they are.
    pub(super) tuple: Tuple,
    /// How far it may be translated where it was logged.
    stages: &'static [Stage],
}

impl Seen {
    /// What to ask the kernel for, likelier first: of either direction the flow has this tuple before
    /// translation, and the other one's answers it after. No two flows have the same.
    pub(super) fn candidates(&self) -> [Tuple; 2] {
        let both = [self.tuple, self.tuple.inverse()];
        let [tuple, inverse] = both;
        if self.stages.contains(&Before) { both } else { [inverse, tuple] }
    }

    /// Whether no tuple of a flow may be that of the packet: its destination is translated and its
    /// source not yet, or it lacks a part, the key of PPTP that is not in its packets.
    pub(super) fn may_be_between(&self) -> bool {
        self.stages.contains(&Destination) || self.lacks_key()
    }

    /// Whether part of the tuple is not in the packet.
    pub(super) fn lacks_key(&self) -> bool {
        match self.tuple.layer4() {
            Layer4::Keys { source, destination } => (source, destination) != (0, 0),
            _ => false,
        }
    }

    /// Which packets of a flow it is among, if any.
    pub(super) fn direction_in(&self, ct: &Conntrack) -> Option<Direction> {
        let sides = Sides {
            original: Tuple::of(ct, Direction::Original)?,
            reply: Tuple::of(ct, Direction::Reply)?,
        };
        [Direction::Original, Direction::Reply].into_iter().find(|direction| {
            self.stages.iter().any(|stage| sides.are_seen_as(&self.tuple, *direction, *stage))
        })
    }
}

/// The tuples of a flow.
struct Sides {
    original: Tuple,
    reply: Tuple,
}

impl Sides {
    /// Whether packets of a direction have this tuple when they are translated so far.
    fn are_seen_as(&self, seen: &Tuple, direction: Direction, stage: Stage) -> bool {
        let (own, other) = match direction {
            Direction::Original => (&self.original, &self.reply),
            Direction::Reply => (&self.reply, &self.original),
        };
        let end = other.inverse();
        match stage {
            Before => same(seen, own),
            After => same(seen, &end),
            Destination => {
                let between = own.with_destination_of(&end);
                // The id of ICMP is translated by whatever is translated first.
                let with_id = match end.layer4() {
                    Layer4::Icmp { id, .. } => between.with_source(own.source(), id),
                    _ => between,
                };
                same(seen, &between) || same(seen, &with_id)
            }
        }
    }
}

/// Whether a packet has this tuple: of PPTP it tells one key, the other is 0.
fn same(seen: &Tuple, tuple: &Tuple) -> bool {
    let (Layer4::Keys { source, destination }, Layer4::Keys { source: from, destination: to }) =
        (seen.layer4(), tuple.layer4())
    else {
        return seen == tuple;
    };
    let keys = match (source, destination) {
        (0, 0) => (from, to) == (0, 0),
        (0, key) => key == to,
        (key, _) => key == from,
    };
    keys && (seen.source(), seen.destination()) == (tuple.source(), tuple.destination())
}

/// How far packets may be translated that are logged at a hook of a family; the kernel's own go
/// through the loopback device when they are translated already.
fn stages(family: u8, hook: u8, device: Option<u16>) -> &'static [Stage] {
    match (family, hook) {
        (ARP, _) => &[],
        (NETDEV, EGRESS) => &[After],
        _ if device == Some(LOOPBACK) => &[Before, Destination, After],
        (NETDEV, _) | (_, nful::INGRESS..) => &[Before],
        (_, nful::PRE_ROUTING | nful::OUTPUT) => &[Before, Destination],
        (_, nful::FORWARD) => &[Destination],
        _ => &[Destination, After],
    }
}

impl<'a> Packet<'a> {
    /// The tuple of the packet itself, as it was when it was logged: before or after translation.
    /// `None` of what is no IP, of fragments, of ICMP that answers nothing, its errors among it, and
    /// where too little was copied.
    #[must_use]
    pub fn tuple(&self) -> Option<Tuple> {
        self.whole_ip()?.tuple()
    }

    /// The tuple of the packet that an ICMP error is about, as far as the error tells; `None` of other
    /// packets.
    #[must_use]
    pub fn tuple_inside(&self) -> Option<Tuple> {
        self.whole_ip()?.inside()?.tuple()
    }

    fn whole_ip(&self) -> Option<Ip<'a>> {
        self.ip().filter(|ip| ip.fragment == Fragment::No)
    }

    /// What the packet tells of its flow.
    pub(super) fn seen(&self) -> Option<Seen> {
        let ip = self.whole_ip()?;
        let tuple = match ip.inside() {
            Some(inside) => inside.tuple()?.inverse(),
            None => ip.tuple()?,
        };
        let stages = stages(self.family(), self.hook()?, self.hardware_type());
        (!stages.is_empty()).then_some(Seen { tuple, stages })
    }

    /// The IP packet that the payload is or has in it.
    pub(super) fn ip(&self) -> Option<Ip<'a>> {
        Ip::read(self.ip_bytes()?)
    }

    /// Its bytes, and what the device put behind them.
    pub(super) fn ip_bytes(&self) -> Option<&'a [u8]> {
        let (mut kind, mut rest) = (self.protocol()?, self.network()?);
        while TAGS.contains(&kind) {
            let [_, _, a, b, ..] = *rest.first_chunk::<4>()?;
            (kind, rest) = (u16::from_be_bytes([a, b]), rest.get(4..)?);
        }
        let version = match i32::from(kind) {
            libc::ETH_P_IP => 4,
            libc::ETH_P_IPV6 => 6,
            _ => return None,
        };
        rest.first().is_some_and(|first| first >> 4 == version).then_some(rest)
    }

    /// The payload from its network header on.
    pub(super) fn network(&self) -> Option<&'a [u8]> {
        let payload = self.payload()?;
        match (self.family(), self.hook()?) {
            (NETDEV, EGRESS) => {
                let header = self.link_header().unwrap_or_default();
                payload.strip_prefix(header)
            }
            _ => Some(payload),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::ip::tests::{icmp, icmpv6, ipv4, ipv6};
    use super::super::tests;
    use super::*;
    use crate::conntrack::object::tuple::{ORIG, REPLY};
    use std::net::SocketAddr;

    /// The message of a packet that was logged at a hook, with more attributes.
    pub(in super::super) fn logged(
        (family, hook): (u8, u8),
        protocol: u16,
        more: &[(u16, &[u8])],
        payload: &[u8],
    ) -> Vec<u8> {
        let mut message = tests::packet(|to| {
            let [a, b] = protocol.to_be_bytes();
            to.put(nful::PACKET_HDR, &[a, b, hook, 0]);
            more.iter().for_each(|(kind, value)| to.put(*kind, value));
            to.put(nful::PAYLOAD, payload);
        });
        message[16] = family;
        message
    }

    fn seen_at(place: (u8, u8), payload: &[u8]) -> Option<Seen> {
        let protocol = if payload[0] >> 4 == 4 { 0x0800 } else { 0x86dd };
        Packet::read(&logged(place, protocol, &[], payload)).unwrap().seen()
    }

    const UDP: [u8; 8] = [0x03, 0xe8, 0, 53, 0, 8, 0, 0];

    #[test]
    fn the_packet_is_found_behind_what_is_before_it() {
        let (four, six) = (ipv4(17, &UDP), ipv6(17, &UDP));
        let header = [2; 14];
        let tagged = |kind: u16| [&[0, 7][..], &kind.to_be_bytes(), &four].concat();
        let link = (nful::L2HDR, &header[..]);
        for (place, protocol, more, payload, found) in [
            ((2, 2), 0x0800, None, four.clone(), true),
            ((10, 2), 0x86dd, None, six.clone(), true),
            ((7, 2), 0x86dd, None, six.clone(), true),
            ((7, 2), 0x0800, None, six.clone(), false),
            ((7, 2), 0x0806, None, four.clone(), false),
            ((5, 0), 0x0800, Some(link), four.clone(), true),
            ((5, 1), 0x0800, Some(link), [&header, &four[..]].concat(), true),
            ((5, 1), 0x0800, None, four.clone(), true),
            ((5, 1), 0x0800, Some(link), four.clone(), false),
            ((7, 2), 0x8100, None, tagged(0x0800), true),
            ((7, 2), 0x88a8, None, [&[0, 5, 0x81, 0][..], &tagged(0x0800)].concat(), true),
            ((7, 2), 0x8100, None, tagged(0x86dd), false),
            ((7, 2), 0x8100, None, vec![0, 7, 8], false),
        ] {
            let more: Vec<(u16, &[u8])> = more.into_iter().collect();
            let message = logged(place, protocol, &more, &payload);
            let packet = Packet::read(&message).unwrap();
            assert_eq!(packet.tuple().is_some(), found, "{place:?} {protocol:x}");
            assert_eq!(packet.seen().is_some(), found);
        }
        assert_eq!(Packet::read(&tests::packet(|_| ())).unwrap().seen(), None);
        assert_eq!(seen_at((3, 0), &four), None, "ARP");
    }

    #[test]
    fn an_error_goes_the_way_of_what_answers_the_packet_inside() {
        for (inside, error, protocol) in [
            (ipv4(17, &UDP), icmp as fn(u8, &[u8]) -> Vec<u8>, [3, 4, 5, 11, 12]),
            (ipv6(17, &UDP), icmpv6, [1, 2, 3, 4, 100]),
        ] {
            let tuple = seen_at((2, 2), &inside).unwrap().tuple;
            for kind in protocol {
                let message = logged(
                    (2, 2),
                    if inside[0] == 0x45 { 0x0800 } else { 0x86dd },
                    &[],
                    &error(kind, &inside),
                );
                let packet = Packet::read(&message).unwrap();
                let seen = packet.seen().unwrap();
                assert_eq!(seen.tuple, tuple.inverse(), "{kind}");
                assert_eq!((packet.tuple(), packet.tuple_inside()), (None, Some(tuple)));
            }
        }
    }

    fn end(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn tuple(from: &str, to: &str) -> Tuple {
        Tuple::udp(end(from), end(to)).unwrap()
    }

    /// A flow with these tuples.
    fn flow(original: Tuple, reply: Tuple) -> Conntrack {
        let mut ct = Conntrack::new();
        (ct.flat.orig, ct.flat.reply) = (*original.object(), *reply.object());
        for (attrs, tuple) in [(&ORIG, original), (&REPLY, reply)] {
            let whole = attrs.whole(tuple.object().l3proto, tuple.object().l4proto);
            ct.flat.present.insert(whole.unwrap());
        }
        ct
    }

    fn seen(tuple: Tuple, place: (u8, u8)) -> Seen {
        Seen { tuple, stages: stages(place.0, place.1, None) }
    }

    /// A client behind the router, a service that is elsewhere than it seems.
    #[test]
    fn a_packet_is_known_where_translation_has_got_that_far() {
        let (client, seen_as) = ("10.0.0.1:1000", "192.0.2.1:2000");
        let (service, server) = ("198.51.100.1:53", "10.9.0.1:5353");
        let ct = flow(tuple(client, service), tuple(server, seen_as));
        let (ingress, prerouting, input, forward, output, postrouting, egress) =
            ((5, 0), (2, 0), (2, 1), (2, 2), (2, 3), (2, 4), (5, 1));
        for (from, to, direction, places) in [
            (client, service, Direction::Original, &[ingress, prerouting, output, (1, 5)][..]),
            (
                client,
                server,
                Direction::Original,
                &[prerouting, input, forward, output, postrouting],
            ),
            (seen_as, server, Direction::Original, &[input, postrouting, egress]),
            (server, seen_as, Direction::Reply, &[ingress, prerouting, output, (1, 5)]),
            (server, client, Direction::Reply, &[prerouting, input, forward, output, postrouting]),
            (service, client, Direction::Reply, &[input, postrouting, egress]),
            (client, seen_as, Direction::Reply, &[]),
        ] {
            for place in [ingress, prerouting, input, forward, output, postrouting, egress, (1, 5)]
            {
                let found = seen(tuple(from, to), place).direction_in(&ct);
                let expected = places.contains(&place).then_some(direction);
                assert_eq!(found, expected, "{from} {to} {place:?}");
                let loops =
                    Seen { stages: stages(2, 1, Some(LOOPBACK)), ..seen(tuple(from, to), place) };
                assert_eq!(loops.direction_in(&ct), (!places.is_empty()).then_some(direction));
            }
        }
    }

    #[test]
    fn what_the_kernel_looks_up_at_once_is_asked_first() {
        let tuple = tuple("10.0.0.1:1000", "10.9.0.1:53");
        let both = [tuple, tuple.inverse()];
        assert_eq!(seen(tuple, (2, 0)).candidates(), both);
        assert_eq!(seen(tuple, (2, 4)).candidates(), [both[1], both[0]]);
        let between = |place| seen(tuple, place).may_be_between();
        assert!(between((2, 2)) && !between((5, 0)) && !between((5, 1)));
    }

    #[test]
    fn packets_of_pptp_have_one_key() {
        let ip = |text: &str| text.parse().unwrap();
        let (a, b) = (ip("10.0.0.1"), ip("10.9.0.1"));
        let gre = |from, to, keys| Tuple::gre(from, to, keys).unwrap();
        let ct = flow(gre(a, b, (7, 9)), gre(b, a, (9, 7)));
        let direction = |tuple| seen(tuple, (2, 2)).direction_in(&ct);
        assert_eq!(direction(gre(a, b, (0, 9))), Some(Direction::Original));
        assert_eq!(direction(gre(b, a, (0, 7))), Some(Direction::Reply));
        assert_eq!(
            direction(gre(b, a, (9, 0))),
            Some(Direction::Reply),
            "an error about the first"
        );
        assert_eq!(direction(gre(a, b, (0, 7))), None);
        assert_eq!(direction(gre(a, b, (0, 0))), None);
        assert!(seen(gre(a, b, (0, 9)), (5, 0)).lacks_key());
        assert!(!seen(gre(a, b, (0, 0)), (5, 0)).may_be_between());
    }

    /// The destination is translated first, and the id with it.
    #[test]
    fn an_id_of_icmp_may_be_translated_with_the_destination() {
        let ip = |text: &str| text.parse().unwrap();
        let (a, b, c, d) = (ip("10.0.0.1"), ip("10.9.0.1"), ip("10.8.0.1"), ip("10.7.0.1"));
        let ping = |from, to, id| Tuple::ping(from, to, id).unwrap();
        let ct = flow(ping(a, b, 7), ping(d, c, 8).inverse());
        for (id, direction) in [(7, true), (8, true), (9, false)] {
            let found = seen(ping(a, c, id), (2, 2)).direction_in(&ct);
            assert_eq!(found, direction.then_some(Direction::Original), "{id}");
        }
    }
}
