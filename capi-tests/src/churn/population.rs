//! The flows that come and go: each has a number, which decides its tuple and its zone. What else it has
//! is chosen whenever it begins or changes.

use super::random::Random;
use ctrs::{
    Changes, Direction, Helper, Key, Labels, Mark, Nat, NewFlow, Protocol, SctpInfo, SeqAdjust,
    TcpFlags, TcpInfo, TcpSide, TcpState, Tuple, Zone,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Two flows in a row have one tuple, in different zones. Each of the last two of four has a zone for a
/// direction of its own.
fn zone(number: u32) -> Zone {
    match number % 4 {
        0 => Zone::default(),
        1 => 7.into(),
        2 => Zone::original(9),
        _ => Zone::reply(9),
    }
}

/// A client's or a server's address.
fn address(number: u32, side: u8, ipv4: bool) -> IpAddr {
    let host = number / 64;
    let net = side + u8::from(number % 4 >= 2);
    if ipv4 {
        Ipv4Addr::from((u32::from(net) << 24) | (host + 1)).into()
    } else {
        let [high, low] = [(host >> 16) as u16, host as u16];
        Ipv6Addr::from([0xfd00, 0, 0, 0, 0, net.into(), high, low]).into()
    }
}

/// The tuple of a flow.
pub fn tuple(number: u32) -> Tuple {
    let ipv4 = number / 32 % 2 == 0;
    let [client, server] = [10, 20].map(|side| address(number, side, ipv4));
    let (from, to) = ((client, 1000), (server, 2000));
    let tuple = match number / 4 % 8 {
        0 | 1 => Tuple::tcp((client, 1000 + (number / 4 % 8) as u16), to),
        2 => Tuple::udp(from, to),
        3 => Tuple::sctp(from, to),
        4 => Tuple::udp_lite(from, to),
        5 => Tuple::gre(client, server, (1000, 2000)),
        6 => Tuple::ping(client, server, 1000),
        _ => Tuple::other(50, client, server),
    };
    tuple.expect("addresses of one family")
}

/// What names it.
pub fn key(number: u32) -> Key {
    Key::original(tuple(number)).in_zone(zone(number))
}

/// It, as it begins this time. `fleeting`: it may be one that expires in seconds.
pub fn begin(number: u32, fleeting: bool, random: &mut Random) -> NewFlow {
    let tuple = tuple(number);
    let seconds = if fleeting && random.one_in(6) { 3 + random.below(3) } else { 3600 };
    let mut flow = NewFlow::new(tuple)
        .zone(zone(number))
        .timeout(Duration::from_secs(seconds.into()))
        .mark(random.below(4));
    if random.one_in(3) {
        flow = flow.labels([label(random), label(random)].into_iter().collect::<Labels>());
    }
    flow = match random.below(4) {
        0 => flow.seen_reply(),
        1 => flow.seen_reply().assured(),
        _ => flow,
    };
    // A flow of no zone, which may be there or not.
    if random.one_in(32) && number % 4 == 0 {
        flow = flow.master(self::tuple(number ^ 64));
    }
    translated(in_state(flow, tuple.protocol(), random), number, random)
}

fn label(random: &mut Random) -> u8 {
    random.below(128) as u8
}

fn adjusted(random: &mut Random) -> SeqAdjust {
    let [position, offset_before, offset_after] = [0; 3].map(|_| random.below(1000));
    SeqAdjust { position, offset_before, offset_after }
}

fn tcp_state(random: &mut Random) -> TcpState {
    let states = [
        TcpState::SynSent,
        TcpState::SynRecv,
        TcpState::Established,
        TcpState::FinWait,
        TcpState::Close,
    ];
    states[random.below(5) as usize]
}

fn sctp(random: &mut Random) -> SctpInfo {
    let tags = [0; 2].map(|_| random.below(1000));
    SctpInfo { state: (1 + random.below(4) as u8).into(), tags }
}

fn in_state(flow: NewFlow, protocol: Protocol, random: &mut Random) -> NewFlow {
    if protocol == Protocol::Sctp {
        return flow.sctp_info(sctp(random));
    }
    if protocol != Protocol::Tcp {
        return flow;
    }
    let [original, reply] = [0; 2]
        .map(|_| TcpSide { flags: TcpFlags::WINDOW_SCALE, window_scale: random.below(15) as u8 });
    let flow = flow.tcp_info(TcpInfo { state: tcp_state(random), original, reply });
    match random.below(16) {
        0 | 1 => flow.seq_adjust(Direction::Reply, adjusted(random)),
        2 => flow.helper(Helper::new("ftp").expect("a name")),
        _ => flow,
    }
}

fn translated(flow: NewFlow, number: u32, random: &mut Random) -> NewFlow {
    let protocol = flow.tuple().protocol();
    if ![Protocol::Tcp, Protocol::Udp].contains(&protocol) {
        return flow;
    }
    let ipv4 = flow.tuple().is_ipv4();
    // Of few addresses, so that many want the same.
    let to = |side, random: &mut Random| address(random.below(40) * 64, side, ipv4);
    match random.below(8) {
        0 => flow.source_nat(to(30, random)),
        1 => flow.source_nat(SocketAddr::from((to(30, random), 1 + (number % 60_000) as u16))),
        2 => flow.destination_nat(Nat::to_port(3000)),
        3 => {
            flow.source_nat(to(30, random)).destination_nat(SocketAddr::from((to(40, random), 80)))
        }
        _ => flow,
    }
}

/// What a change of it changes. Nothing that the kernel might refuse half way.
pub fn change(number: u32, random: &mut Random) -> Changes {
    let changes = Changes::new();
    let protocol = tuple(number).protocol();
    match random.below(8) {
        0 => changes.mark(Mark::masked(random.below(4), 2)),
        1 => changes.set_label(label(random)),
        2 => changes.clear_label(label(random)).mark(random.below(4)),
        3 => changes.set_label(label(random)).clear_label(label(random)).mark(random.below(4)),
        4 => changes.timeout(Duration::from_secs(3600)).mark(random.below(4)),
        5 | 6 if protocol == Protocol::Tcp => changes.tcp_state(tcp_state(random)),
        7 if protocol == Protocol::Tcp => changes.seq_adjust(Direction::Original, adjusted(random)),
        5.. if protocol == Protocol::Sctp => changes.sctp_info(sctp(random)),
        _ => changes.mark(random.below(4)),
    }
}
