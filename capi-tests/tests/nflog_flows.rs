//! The flow of a packet, looked up by the packet: of random packets through a router, the kernel's own.

mod router;

use capi_tests::{in_namespace, skip};
use ctrs::{
    Direction, FlowLookup, FlowTable, Layer4, OwnedPacket, Packet, PacketFlow, Protocol, Zone,
};
use router::packets::{Address, GRE, ICMP, ICMPV6, SCTP, Sent, TCP, UDP, UDPLITE, ipv4, ipv6};
use router::{ERROR, REPLY, Router};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::UdpSocket;
use std::time::Duration;

const NEEDS: &str = "a router needs root and the programs ip, sysctl and nft";

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const PROTOCOLS: [u8; 10] = [TCP, UDP, UDP, SCTP, UDPLITE, ICMP, ICMP, GRE, 50, 89];

/// A packet from the left that begins a flow, or goes on with one: of ports there are few.
fn begun(dice: &mut Dice, id: u16) -> Sent {
    let is_ipv6 = dice.below(2) == 1;
    let (client, server) = (1 + dice.below(3) as u8, dice.below(7) as u8);
    let at = |net: &str, number: u8| ipv6(&format!("{net}::{number:x}"));
    let (src, dst) = if is_ipv6 {
        let dst = if server == 0 { ipv6("fd99:2::254") } else { at("fd02", server) };
        (at("fd01", client), dst)
    } else {
        let dst = if server == 0 { ipv4(10, 99, 2, 254) } else { ipv4(10, 2, 0, server) };
        (ipv4(10, 1, 0, client), dst)
    };
    let protocol = match dice.one(&PROTOCOLS) {
        ICMP if is_ipv6 => ICMPV6,
        protocol => protocol,
    };
    // The router refuses TCP with a reset, and what comes from the same port is another flow.
    let alone = matches!(server, 0 | 5) || protocol == SCTP;
    let from = if alone { id } else { 1000 + dice.below(5) as u16 };
    let ports = [from, dice.one(&[53, 80, 1723])];
    let body = Sent::body_of(protocol, ports, dice.below(4) as u8);
    let ttl = if dice.below(12) == 0 { 1 } else { 64 };
    let options = dice.below(6) == 0;
    Sent { ipv6: is_ipv6, src, dst, protocol, id, ttl, options, body }
}

/// A router in the middle, not that one.
fn elsewhere(ipv6_packet: bool) -> Address {
    if ipv6_packet { ipv6("fd02::99") } else { ipv4(10, 2, 9, 9) }
}

/// The traffic: what comes out at either end may be answered there.
struct World {
    router: Router,
    dice: Dice,
    last_id: u16,
}

impl World {
    fn id(&mut self) -> u16 {
        self.last_id += 1;
        self.last_id
    }

    /// What comes back for a packet: its answer, an error, or nothing.
    fn back(&mut self, seen: &Sent) -> Option<Sent> {
        let id = self.id();
        let far = elsewhere(seen.ipv6);
        let from = self.dice.one(&[seen.dst, far]);
        let kinds: &[u8] = if seen.ipv6 { &[1, 2, 3, 4] } else { &[3, 4, 11, 12] };
        let error = seen.error(from, self.dice.one(kinds), id);
        match self.dice.below(40) {
            0..=29 => seen.answer(id),
            30..=37 if seen.body.len() >= 8 && seen.begins_if_sctp() => Some(error),
            // One that is sent to the wrong place.
            38 if seen.protocol != ICMPV6 && seen.begins_if_sctp() => Some(Sent {
                dst: if seen.ipv6 { ipv6("fd01::2:2") } else { ipv4(10, 1, 2, 2) },
                ..error
            }),
            _ => None,
        }
    }

    /// Some packets from the left, and what follows from them.
    fn turn(&mut self) {
        for _ in 0..20 {
            let id = self.id();
            let sent = begun(&mut self.dice, id);
            if sent.body.len() > 8 && self.dice.below(15) == 0 {
                sent.pieces().iter().for_each(|piece| self.router.left.send(piece));
            } else {
                self.router.left.send(&sent.bytes());
            }
        }
        for _ in 0..4 {
            while let Some(bytes) = self.router.right.receive() {
                if let Some(back) = self.back(&Sent::read(&bytes)) {
                    self.router.right.send(&back.bytes());
                }
            }
            while let Some(bytes) = self.router.left.receive() {
                if let Some(back) = self.back(&Sent::read(&bytes)) {
                    self.router.left.send(&back.bytes());
                }
            }
        }
        self.settle();
    }

    /// Waits until all that was sent is routed: what comes last does so.
    fn settle(&mut self) {
        let (id, src, dst) = (self.id(), ipv4(10, 1, 0, 9), ipv4(10, 2, 0, 1));
        let body = Sent::body_of(UDP, [1, 1], 0);
        let last = Sent { ipv6: false, src, dst, protocol: UDP, id, ttl: 64, options: false, body };
        self.router.left.send(&last.bytes());
        while Sent::read(&self.router.right.wait()).id != id {}
    }
}

/// What a packet was called when it was sent; the kernel's own have names too.
fn id_of(packet: &Packet<'_>) -> u16 {
    Sent::read(ip_of(packet)).id
}

/// Where a device takes a packet, its header is before it.
fn ip_of<'a>(packet: &Packet<'a>) -> &'a [u8] {
    let leaves = packet.prefix() == Some(b"egress");
    let header = packet.link_header().filter(|_| leaves).unwrap_or_default();
    &packet.payload().unwrap()[header.len()..]
}

fn is_piece(packet: &Packet<'_>) -> bool {
    match ip_of(packet) {
        [0x40..=0x4f, _, _, _, _, _, a, b, ..] => a & 0x3f != 0 || *b != 0,
        [_, _, _, _, _, _, next, ..] => *next == 44,
        _ => false,
    }
}

/// What was found, as the marks of the packets tell it.
fn mark_of(found: &PacketFlow) -> u32 {
    let reply = if found.direction == Direction::Reply { REPLY } else { 0 };
    found.flow.mark() + reply + if found.is_error { ERROR } else { 0 }
}

/// How many packets were logged in one place: with a flow, without one, and with one that never came
/// to be, as another has its tuple.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    with: usize,
    without: usize,
    lost: usize,
}

/// Looks all logged packets up.
fn check(world: &mut World, table: &mut FlowTable, counts: &mut BTreeMap<String, Count>) {
    let packets = world.router.logged();
    let packets: Vec<Packet<'_>> = packets.iter().map(OwnedPacket::packet).collect();
    // Before it is tracked a packet has no mark: there the one that it got later counts. What the
    // kernel sends itself may have the same name, and does not come in.
    let comes_in = |packet: &&Packet<'_>| packet.prefix() == Some(b"before");
    let named = packets.iter().filter(comes_in);
    let marks: HashMap<u16, u32> =
        named.filter_map(|packet| Some((id_of(packet), packet.mark()?))).collect();
    let alive: HashSet<u32> = table.list().unwrap().map(|flow| flow.unwrap().mark()).collect();
    for packet in &packets {
        let id = id_of(packet);
        let own = packet.prefix() == Some(b"out-raw");
        if packet.mark().is_none() && (own || id == 0 || id > world.last_id) {
            continue;
        }
        // What has the tuple of a flow, and is not taken for its packet, cannot be told: SCTP out of
        // turn.
        if !marks.contains_key(&id) && Sent::read(ip_of(packet)).protocol == SCTP {
            continue;
        }
        let place = packet.prefix_lossy().unwrap().into_owned();
        let count = counts.entry(place).or_default();
        let mark = packet.mark().or_else(|| marks.get(&id).copied()).filter(|_| !is_piece(packet));
        match mark {
            Some(mark) if !alive.contains(&(mark & !(REPLY | ERROR))) => {
                count.lost += 1;
                continue;
            }
            Some(_) => count.with += 1,
            None => count.without += 1,
        }
        let found = packet.find_flow(table, &FlowLookup::new()).unwrap();
        assert_eq!(
            found.as_ref().map(mark_of),
            mark,
            "{:?} {found:?} {:02x?}",
            packet.prefix_lossy(),
            packet.payload()
        );
    }
}

/// How often the test is made, with other numbers.
fn rounds() -> u64 {
    std::env::var("CTRS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

#[test]
fn the_flow_of_a_packet_is_the_kernels() {
    for round in 1..=rounds() {
        in_namespace(move || {
            let Some(router) = Router::new("") else { return skip(NEEDS) };
            let mut world = World { router, dice: Dice(round), last_id: 0 };
            let mut table = FlowTable::open().unwrap();
            let mut counts = BTreeMap::new();
            for _ in 0..5 {
                world.turn();
                check(&mut world, &mut table, &mut counts);
            }
            let total = |of: fn(&Count) -> usize| counts.values().map(of).sum::<usize>();
            let [with, without, lost] = [
                total(|count| count.with),
                total(|count| count.without),
                total(|count| count.lost),
            ];
            assert!(counts.len() >= 14 && with > 1200 && without > 60, "{counts:#?}");
            assert!(with > 5 * lost, "{counts:#?}");
        });
    }
}

/// The marks of the packets that were logged in one place, and what was found for each.
fn found_at(
    router: &mut Router,
    table: &mut FlowTable,
    place: &str,
    lookup: &FlowLookup,
) -> Vec<(u32, Option<u32>)> {
    let packets = router.logged();
    let packets = packets.iter().map(OwnedPacket::packet);
    // The kernel has packets of its own to send.
    let forwarded =
        |packet: &Packet<'_>| packet.prefix() == Some(place.as_bytes()) && packet.tuple().is_some();
    let packets = packets.filter(forwarded);
    packets
        .map(|packet| {
            let found = packet.find_flow(table, lookup).unwrap();
            (packet.mark().unwrap(), found.as_ref().map(mark_of))
        })
        .collect()
}

/// A UDP packet from the left to a server of that number, and its answer from there.
fn there_and_back(router: &Router, server: u8, id: u16) {
    let body = Sent::body_of(UDP, [1000, 53], 0);
    let (src, dst) = (ipv4(10, 1, 0, 1), ipv4(10, 2, 0, server));
    let sent = Sent { ipv6: false, src, dst, protocol: UDP, id, ttl: 64, options: false, body };
    router.left.send(&sent.bytes());
    router.right.send(&Sent::read(&router.right.wait()).answer(id + 1).unwrap().bytes());
    router.left.wait();
}

#[test]
fn a_flow_is_found_in_its_zone_alone() {
    for (rule, zone) in [
        ("iifname { l0, r0 } ct zone set 7", Zone::from(7)),
        ("iifname l0 ct original zone set 7", Zone::original(7)),
    ] {
        in_namespace(move || {
            let rule =
                format!("chain zones {{ type filter hook prerouting priority -290; {rule}; }}");
            let Some(mut router) = Router::new(&rule) else { return skip(NEEDS) };
            let mut table = FlowTable::open().unwrap();
            for (server, at) in [(1, 1), (2, 3), (3, 5), (4, 7)] {
                for place in ["before", "translated", "forward", "leaves", "leaves-translated"] {
                    there_and_back(&router, server, at);
                    let lookup = FlowLookup::new().in_zone(zone);
                    let found = found_at(&mut router, &mut table, place, &lookup);
                    let is_right = |(mark, found): &(u32, Option<u32>)| *found == Some(*mark);
                    assert!(
                        found.len() == 2 && found.iter().all(is_right),
                        "{zone:?} {server} {place} {found:?}"
                    );
                    there_and_back(&router, server, at);
                    let lookup = FlowLookup::new().in_zone(8);
                    let found = found_at(&mut router, &mut table, place, &lookup);
                    assert_eq!(
                        found.iter().map(|(_, found)| *found).collect::<Vec<_>>(),
                        [None; 2]
                    );
                }
            }
        });
    }
}

/// Between the translation of its destination and that of its source no tuple of the flow is the
/// packet's.
#[test]
fn half_translated_packets_take_going_through_the_table() {
    in_namespace(|| {
        let Some(mut router) = Router::new("") else { return skip(NEEDS) };
        let mut table = FlowTable::open().unwrap();
        let whole = FlowLookup::new();
        for (place, lookup, finds) in [
            ("forward", whole, true),
            ("forward", whole.by_tuple_alone(), false),
            ("before", whole.by_tuple_alone(), true),
            ("leaves-translated", whole.by_tuple_alone(), true),
        ] {
            there_and_back(&router, 4, 1);
            for (mark, found) in found_at(&mut router, &mut table, place, &lookup) {
                assert_eq!(found, finds.then_some(mark), "{place}");
            }
        }
    });
}

/// What this machine sends itself is translated when it comes in.
#[test]
fn packets_of_this_machine_have_flows() {
    in_namespace(|| {
        let Some(router) = Router::new("") else { return skip(NEEDS) };
        let mut world = World { router, dice: Dice(1), last_id: 0 };
        let [client, server, local] =
            ["127.0.0.1:0", "127.0.0.1:5353", "10.99.2.254:0"].map(|end| {
                let socket = UdpSocket::bind(end).unwrap();
                socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                socket
            });
        let mut room = [0; 9];
        client.send_to(b"question", "127.0.0.1:99").unwrap();
        let (length, from) = server.recv_from(&mut room).unwrap();
        server.send_to(&room[..length], from).unwrap();
        client.recv_from(&mut room).unwrap();
        local.send_to(b"question", "10.2.0.6:7").unwrap();
        let mut answer = Sent::read(&world.router.right.wait()).answer(1).unwrap();
        // The device was to sum up the question.
        answer.body[6..8].fill(0);
        world.router.right.send(&answer.bytes());
        local.recv_from(&mut room).unwrap();
        let mut counts = BTreeMap::new();
        check(&mut world, &mut FlowTable::open().unwrap(), &mut counts);
        assert_eq!((counts["out"].with, counts["in"].with, counts["egress"].with), (3, 3, 1));
    });
}

/// A message of PPTP: its number, and what is behind that.
fn pptp(number: u8, body: &[u8]) -> Vec<u8> {
    let length = (12 + body.len()) as u16;
    [&length.to_be_bytes()[..], &[0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, number, 0, 0], body].concat()
}

/// The kernel knows both keys of a tunnel, of which each packet has one.
#[test]
fn tunnels_of_pptp_are_found_by_one_key() {
    in_namespace(|| {
        let helper = "ct helper tunnels { type \"pptp\" protocol tcp; l3proto ip; }
            chain helpers { type filter hook prerouting priority -140; tcp dport 1723 ct helper set \"tunnels\"; }";
        let Some(router) = Router::new(helper) else { return skip(NEEDS) };
        let mut world = World { router, dice: Dice(1), last_id: 0 };
        let (client, server) = (ipv4(10, 1, 0, 1), ipv4(10, 2, 0, 1));
        let mut send = |from_client: bool, protocol: u8, body: Vec<u8>| {
            let id = world.id();
            let (src, dst) = if from_client { (client, server) } else { (server, client) };
            let sent = Sent { ipv6: false, src, dst, protocol, id, ttl: 64, options: false, body };
            let (near, far) = if from_client {
                (&world.router.left, &world.router.right)
            } else {
                (&world.router.right, &world.router.left)
            };
            near.send(&sent.bytes());
            far.wait();
        };
        let mut tcp = |from_client: bool, flags: u8, data: &[u8]| {
            let ports: &[u8] = if from_client { &[4, 0, 6, 0xbb] } else { &[6, 0xbb, 4, 0] };
            let header =
                [ports, &[0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 16, 0, 0, 0, 0, 0]].concat();
            send(from_client, TCP, [&header, data].concat());
        };
        tcp(true, 2, &[]);
        tcp(false, 18, &[]);
        tcp(true, 16, &[]);
        tcp(true, 24, &pptp(1, &[&[1, 0][..], &[0; 142]].concat()));
        tcp(false, 24, &pptp(2, &[&[1, 0, 1, 0][..], &[0; 140]].concat()));
        tcp(true, 24, &pptp(7, &[&[0, 77][..], &[0; 154]].concat()));
        tcp(false, 24, &pptp(8, &[&[0, 88, 0, 77, 1, 0][..], &[0; 14]].concat()));
        let gre = |key| Sent::body_of(GRE, [0, key], 0);
        send(true, GRE, gre(88));
        send(false, GRE, gre(77));
        let mut table = FlowTable::open().unwrap();
        let tunnels: Vec<_> = table.list().unwrap().map(Result::unwrap).collect();
        let tunnel = tunnels.iter().find(|flow| flow.protocol() == Some(Protocol::Gre)).unwrap();
        assert_eq!(tunnel.tuple().unwrap().layer4(), Layer4::Keys { source: 77, destination: 88 });
        let mut counts = BTreeMap::new();
        check(&mut world, &mut table, &mut counts);
        assert_eq!(counts["forward"].with, 9);
    });
}
