//! Lists of the Rust interface, and statistics, against the running kernel.

mod flows;

use capi_tests::{in_namespace, skip};
use ctrs::netlink::socket::Socket;
use ctrs::{
    Counter, CpuStatistics, Direction, ErrorKind, Expectations, Filter, Flow, FlowRecord,
    FlowTable, Helper, Key, Listing, NewExpectation, NewFlow, Pattern, Status, Tuple, Zone,
};
use flows::{end, ip, kind, tuples, udp};
use std::net::UdpSocket;
use std::process::Command;

/// Tracks and counts what goes over the loopback device, and gives each flow to port `labelled` label
/// 3. Whether that can be.
fn track_loopback(labelled: u16) -> bool {
    let rules = format!(
        "add table ip t; add chain ip t c {{ type filter hook output priority 0; }};
         add rule ip t c udp dport {labelled} ct label set 3"
    );
    let run = |name: &str, arguments: &[&str]| {
        Command::new(name).args(arguments).status().is_ok_and(|status| status.success())
    };
    let acct = std::fs::write("/proc/sys/net/netfilter/nf_conntrack_acct", "1").is_ok();
    let able = acct && run("ip", &["link", "set", "lo", "up"]) && run("nft", &[&rules]);
    if !able {
        skip("flows of packets need root and the programs ip and nft (iproute2, nftables)");
    }
    able
}

/// A socket that has no room for the events that flows end, of which the kernel tells it until it has
/// heard them.
fn stuck_listener() -> Socket {
    const NETLINK_BROADCAST_ERROR: libc::c_int = 4;
    const DESTROY: u32 = 4;
    let socket = Socket::open().unwrap();
    socket.set_receive_buffer(1).unwrap();
    let on = 1;
    // SAFETY: the option is alive during the call and of the size given.
    let result = unsafe {
        libc::setsockopt(
            socket.fd(),
            libc::SOL_NETLINK,
            NETLINK_BROADCAST_ERROR,
            (&raw const on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    };
    assert_eq!(result, 0);
    socket.bind(socket.port().unwrap(), DESTROY).unwrap();
    socket
}

fn marks(table: &FlowTable, listing: Listing) -> Vec<u32> {
    let list = table.list_with(listing).unwrap();
    let mut marks: Vec<u32> = list.map(|flow| flow.unwrap().mark()).collect();
    marks.sort_unstable();
    marks
}

#[test]
fn flows_of_a_zone_are_listed() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let zones =
            [Zone::default(), Zone::from(3), Zone::original(3), Zone::reply(3), Zone::from(4)];
        for (mark, zone) in (1..).zip(zones) {
            table.create(&udp(1000 + mark as u16).zone(zone).mark(mark)).unwrap();
        }
        let of = |filter: Filter| marks(&table, Listing::new().matching(&filter));
        assert_eq!(of(Filter::new().zone(3)), [2, 3, 4]);
        assert_eq!(of(Filter::new().zone(4)), [5]);
        assert_eq!(of(Filter::new().zone(5)), [0; 0]);
    });
}

#[test]
fn records_are_those_of_the_flows() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for (mark, tuple) in (0..).zip(tuples()) {
            table.create(&NewFlow::new(tuple).mark(mark)).unwrap();
        }
        let of_flow = |flow: Result<Flow, _>| FlowRecord::from(&flow.unwrap());
        let wanted: Vec<FlowRecord> = table.list().unwrap().map(of_flow).collect();
        let mut list = table.list().unwrap();
        let mut records = [FlowRecord::default(); 5];
        records[0].mark = 99;
        let mut got = Vec::new();
        loop {
            let filled = list.next_records(&mut records).unwrap();
            got.extend_from_slice(&records[..filled]);
            if filled < records.len() {
                break;
            }
        }
        let same = |(one, other): (&FlowRecord, &FlowRecord)| {
            // Time goes by.
            let (mut one, mut other) = (*one, *other);
            (one.timeout, other.timeout) = (0, 0);
            one.as_bytes() == other.as_bytes()
        };
        assert_eq!((got.len(), wanted.len()), (tuples().len(), tuples().len()));
        assert!(got.iter().zip(&wanted).all(same));
        assert_eq!(list.next_records(&mut records).unwrap(), 0);
        assert_eq!(list.next_records(&mut []).unwrap(), 0);
        assert!(list.is_consistent());
    });
}

#[test]
fn a_list_of_what_nobody_resizes_is_consistent() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let zones = [Zone::default(), Zone::from(3), Zone::from(4)];
        for zone in zones {
            tuples().into_iter().for_each(|tuple| {
                table.create(&NewFlow::new(tuple).zone(zone)).unwrap();
            });
        }
        for listing in [Listing::new(), Listing::zeroing(), Listing::new().find_repeated(false)] {
            let mut list = table.list_with(listing).unwrap();
            assert!(list.is_consistent());
            list.next().unwrap().unwrap();
            assert!(list.is_consistent(), "half way");
            assert_eq!(
                list.by_ref().filter(Result::is_ok).count(),
                zones.len() * tuples().len() - 1
            );
            assert!(list.is_consistent());
        }
        let mut none = Expectations::open().unwrap().list().unwrap();
        assert!(none.by_ref().next().is_none() && none.is_consistent());
    });
}

/// A server, and a client of it that have sent each other a packet.
fn traffic() -> [UdpSocket; 2] {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(server.local_addr().unwrap()).unwrap();
    client.send(b"to").unwrap();
    let (_, from) = server.recv_from(&mut [0; 8]).unwrap();
    server.send_to(b"back", from).unwrap();
    client.recv(&mut [0; 8]).unwrap();
    [client, server]
}

fn packets(flow: &Flow) -> Option<u64> {
    let of = |direction| Some(flow.counters(direction)?.packets);
    Some(of(Direction::Original)? + of(Direction::Reply)?)
}

#[test]
fn counters_of_the_flows_selected_are_zeroed_and_no_others() {
    in_namespace(|| {
        if !track_loopback(1) {
            return;
        }
        let [[one, _server], _other] = [traffic(), traffic()];
        let table = FlowTable::open().unwrap();
        let port = one.local_addr().unwrap().port();
        let listed = |listing: Listing| {
            let list = table.list_with(listing).unwrap().map(Result::unwrap);
            let mut seen: Vec<_> = list
                .map(|flow| (flow.tuple().unwrap().source_port() != Some(port), packets(&flow)))
                .collect();
            seen.sort_unstable();
            seen
        };
        let of = Filter::new().source_port(port);
        assert_eq!(listed(Listing::zeroing().matching(&of)), [(false, Some(2))]);
        assert_eq!(listed(Listing::new()), [(false, Some(0)), (true, Some(2))]);
        assert_eq!(listed(Listing::zeroing()), [(false, Some(0)), (true, Some(2))]);
        assert_eq!(listed(Listing::new()), [(false, Some(0)), (true, Some(0))]);
    });
}

#[test]
fn flows_with_a_label_are_listed() {
    in_namespace(|| {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = server.local_addr().unwrap();
        if !track_loopback(to.port()) {
            return;
        }
        let [_one, _other] = [traffic(), traffic()];
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"to", to).unwrap();
        let table = FlowTable::open().unwrap();
        let of = |label| {
            let listing = Listing::new().matching(&Filter::new().label(label));
            let list = table.list_with(listing).unwrap();
            list.map(|flow| flow.unwrap().tuple().unwrap().destination_port()).collect::<Vec<_>>()
        };
        assert_eq!(of(3), [Some(to.port())]);
        assert_eq!(of(4), []);
    });
}

#[test]
fn flows_that_have_ended_untold_are_listed_as_dying() {
    in_namespace(|| {
        let listener = stuck_listener();
        let mut table = FlowTable::open().unwrap();
        for round in 1..=2 {
            for mark in 1..=20 {
                table.create(&udp(mark).mark(mark.into())).unwrap();
                table.delete(&udp(mark)).unwrap();
            }
            let dying: Vec<_> =
                table.list_with(Listing::dying()).unwrap().map(Result::unwrap).collect();
            assert!(dying.len() >= 15 * round, "{}", dying.len());
            assert!(dying.iter().all(|flow| flow.status().contains(Status::DYING)));
        }
        let marked = Listing::dying().matching(&Filter::new().mark(20));
        assert_eq!(marks(&table, marked), [20, 20], "ended twice");
        assert_eq!(table.list().unwrap().count(), 0);
        assert!(table.statistics().unwrap().entries >= 30);
        drop(listener);
    });
}

#[test]
fn statistics_move_as_things_happen() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let inserted = |cpus: &[CpuStatistics], counter| {
            cpus.iter().map(|cpu| cpu.get(counter).unwrap()).sum::<u64>()
        };
        let before = table.cpu_statistics().unwrap();
        let cpus = std::thread::available_parallelism().unwrap().get();
        assert!(before.len() >= cpus, "{} of {cpus}", before.len());
        assert!((0..).zip(&before).all(|(number, cpu)| cpu.cpu() == number));
        assert_eq!(
            (inserted(&before, Counter::Insert), table.statistics().unwrap().entries),
            (0, 0)
        );
        for port in 1..=3 {
            table.create(&udp(port)).unwrap();
        }
        assert_eq!(kind(table.create(&udp(1))), Some(ErrorKind::Exists));
        let after = table.cpu_statistics().unwrap();
        assert_eq!(inserted(&after, Counter::Insert), 3);
        let full = table.statistics().unwrap();
        let maximum = std::fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_max").unwrap();
        assert_eq!((full.entries, full.maximum), (3, Some(maximum.trim().parse().unwrap())));
        table.delete(Key::reply(udp(2).tuple().inverse())).unwrap();
        assert_eq!(table.statistics().unwrap().entries, 2);
        let told = |cpu: &CpuStatistics| cpu.others().count();
        assert!(after.iter().all(|cpu| told(cpu) < 8), "{after:?}");
    });
}

#[test]
fn expectations_are_counted() {
    in_namespace(|| {
        let client = Tuple::tcp(end("10.0.0.1:1000"), end("10.1.0.1:21")).unwrap();
        let control = NewFlow::new(client).helper(Helper::new("ftp").unwrap());
        FlowTable::open().unwrap().create(&control).unwrap();
        let mut table = Expectations::open().unwrap();
        let counted = |table: &mut Expectations| {
            let cpus = table.cpu_statistics().unwrap();
            cpus.iter()
                .fold([0; 3], |[a, b, c], cpu| [a + cpu.expected, b + cpu.created, c + cpu.deleted])
        };
        assert_eq!(counted(&mut table), [0, 0, 0]);
        for port in [2021, 2022] {
            let data = Tuple::tcp(end("10.0.0.1:1000"), (ip("10.1.0.1"), port)).unwrap();
            table.create(&NewExpectation::new(client, Pattern::from(data))).unwrap();
        }
        assert_eq!(counted(&mut table), [0, 2, 1], "of FTP one at a time");
        let mut list = table.list().unwrap();
        assert_eq!(list.by_ref().map(Result::unwrap).count(), 1);
        assert!(list.is_consistent());
        table.flush().unwrap();
        assert_eq!(counted(&mut table), [0, 2, 2]);
    });
}
