//! How the Rust interface names a flow, changes and deletes the one meant, and restores one,
//! against the running kernel.

mod flows;

use capi_tests::in_namespace;
use ctrs::{
    Changes, ErrorKind, Filter, Flow, FlowTable, Invalid, Key, Layer4, Nat, NewFlow, Protocol,
    SctpInfo, SctpState, Status, TcpFlags, TcpInfo, TcpSide, TcpState, Tuple, Zone,
};
use flows::{end, ip, kind, proc_table, tuples, udp};
use std::net::SocketAddr;

#[test]
fn a_flow_is_found_changed_and_deleted_by_its_reply() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let zones = [Zone::default(), Zone::original(4), Zone::from(3), Zone::reply(5)];
        for (tuple, zone) in tuples().into_iter().zip(zones.into_iter().cycle()) {
            let flow = NewFlow::new(tuple).zone(zone);
            table.create(&flow).unwrap();
            let reply = Key::reply(tuple.inverse()).in_zone(zone);
            let found = table.get(reply).unwrap().expect("found by its reply");
            assert_eq!((found.tuple(), found.reply()), (Some(tuple), Some(tuple.inverse())));
            assert_eq!((found.zone(), found.protocol()), (zone, Some(tuple.protocol())));
            table.update(reply, &Changes::new().mark(7)).unwrap();
            assert_eq!(table.get(&flow).unwrap().unwrap().mark(), 7);
            table.delete(reply).unwrap();
            assert!(table.get(&flow).unwrap().is_none());
            assert_eq!(kind(table.delete(reply)), Some(ErrorKind::NotFound));
        }
    });
}

#[test]
fn a_translated_flow_is_found_by_what_is_seen_behind_it() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let flow = Flow::udp(end("10.9.0.1:4000"), end("10.96.0.10:53")).unwrap();
        table.create(&flow.clone().destination_nat(end("10.244.0.3:5353"))).unwrap();
        let behind = Tuple::udp(end("10.9.0.1:4000"), end("10.244.0.3:5353")).unwrap();
        assert!(table.get(behind).unwrap().is_none(), "the original tuple is another");
        let seen = table.get(Key::reply(behind.inverse())).unwrap().unwrap();
        assert_eq!(seen.tuple(), Some(flow.tuple()));
        assert_eq!(seen.destination_nat(), Some(end("10.244.0.3:5353").into()));
        assert_eq!(seen.source_nat(), None);
        let other = Tuple::udp(end("10.9.0.1:4001"), end("10.244.0.3:5353")).unwrap();
        assert!(table.get(Key::reply(other.inverse())).unwrap().is_none());
    });
}

#[test]
fn a_flow_without_a_tuple_deletes_nothing() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        table.create(&udp(1)).unwrap();
        let nothing = Flow::default();
        let refused = |result: Result<(), ctrs::Error>| {
            let error = result.unwrap_err();
            assert!(error.to_string().ends_with(&Invalid::NoTuple.to_string()), "{error}");
        };
        refused(table.delete(&nothing));
        refused(table.get(&nothing).map(drop));
        refused(table.update(&nothing, &Changes::new().mark(1)));
        refused(table.restore(&nothing));
        assert_eq!(proc_table().lines().count(), 1);
    });
}

#[test]
fn the_address_of_a_dual_stack_socket_names_the_ipv4_flow() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        table.create(&udp(1000)).unwrap();
        let mapped =
            Tuple::udp(end("[::ffff:10.9.0.1]:1000"), end("[::ffff:10.9.0.2]:53")).unwrap();
        assert!(table.get(mapped).unwrap().is_some());
        assert_eq!(kind(table.create(&mapped.into())), Some(ErrorKind::Exists));
        table.delete(mapped).unwrap();
        assert_eq!(proc_table(), "");
    });
}

#[test]
fn each_ping_is_a_flow() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for (client, server) in [("10.9.0.1", "10.9.0.2"), ("fc00::1", "fc00::2")] {
            for id in [77, 78] {
                let ping = Flow::ping(ip(client), ip(server), id).unwrap();
                table.create(&ping).unwrap();
                let seen = table.get(&ping).unwrap().unwrap();
                let tuple = ping.tuple();
                assert_eq!((seen.tuple(), seen.reply()), (Some(tuple), Some(tuple.inverse())));
                let Layer4::Icmp { id: seen, .. } = tuple.layer4() else { panic!("{tuple}") };
                assert_eq!(seen, id);
            }
            assert_eq!(proc_table().matches("id=77").count(), 2);
            table.flush().unwrap();
        }
    });
}

/// A flow as text, without what the kernel gives anew: its id, how long it lasts, and the count of
/// references.
fn kept(flow: &Flow) -> String {
    let debug = format!("{flow:?} {:?} {:?}", flow.tcp_info(), flow.sctp_info());
    let new = [
        format!("id: {:?}, ", flow.id().unwrap()),
        format!(", timeout: {:?}", flow.timeout().unwrap()),
    ];
    new.iter().fold(debug, |debug, part| {
        assert!(debug.contains(part), "{part} in {debug}");
        debug.replace(part, "")
    })
}

/// Lists the table, flushes it, creates what was listed again, and lists it again.
fn restored(table: &mut FlowTable) -> [Vec<Flow>; 2] {
    let list = |table: &FlowTable| -> Vec<Flow> {
        let mut flows: Vec<_> = table.list().unwrap().map(Result::unwrap).collect();
        flows.sort_by_key(Flow::tuple);
        flows
    };
    let saved = list(table);
    table.flush().unwrap();
    let (dependent, independent): (Vec<_>, Vec<_>) =
        saved.iter().partition(|flow| flow.master().is_some());
    for flow in independent.into_iter().chain(dependent) {
        let read = Flow::from_json(flow.json().to_string()).unwrap();
        assert_eq!(read, *flow);
        table.restore(&read).unwrap_or_else(|error| panic!("{flow}: {error}"));
    }
    let again = list(table);
    [saved, again]
}

/// Window scaling, SACK; the reply liberal too.
fn tcp_info() -> TcpInfo {
    let flags = TcpFlags::WINDOW_SCALE | TcpFlags::SACK_PERMITTED;
    TcpInfo {
        state: TcpState::Established,
        original: TcpSide { flags, window_scale: 7 },
        reply: TcpSide { flags: flags | TcpFlags::BE_LIBERAL, window_scale: 9 },
    }
}

#[test]
fn a_restored_flow_is_the_same_flow() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let sctp_info =
            SctpInfo { state: SctpState::Established, tags: [0x0102_0304, 0x0506_0708] };
        for tuple in tuples() {
            let flow = NewFlow::new(tuple).mark(7).seen_reply().assured();
            let flow = match tuple.protocol() {
                Protocol::Tcp => flow.tcp_info(tcp_info()),
                Protocol::Sctp => flow.sctp_info(sctp_info),
                Protocol::Udp => flow.zone(3),
                Protocol::UdpLite => flow.zone(Zone::reply(4)),
                _ => flow,
            };
            table.create(&flow).unwrap();
        }
        let data = Flow::tcp(end("10.9.0.2:20"), end("10.9.0.1:2000")).unwrap();
        let master = Tuple::tcp(end("10.9.0.1:1000"), end("10.9.0.2:80")).unwrap();
        table.create(&data.master(master)).unwrap();
        let [saved, again] = restored(&mut table);
        assert_eq!((saved.len(), again.len()), (15, 15));
        for (saved, again) in saved.iter().zip(&again) {
            assert_eq!(kept(again), kept(saved), "{saved}");
        }
        let told = |told: fn(&Flow) -> bool| again.iter().filter(|flow| told(flow)).count();
        assert_eq!(told(|flow| flow.tcp_info() == Some(tcp_info())), 2);
        assert_eq!(
            told(|flow| flow.sctp_info().is_some_and(|info| info.tags[1] == 0x0506_0708)),
            2
        );
        assert_eq!(told(|flow| flow.status().contains(Status::EXPECTED)), 1);
        assert_eq!(told(|flow| flow.zone() == Zone::reply(4)), 2);
    });
}

/// Ways to translate a flow: to another source, destination, both, or another port. `number` tells
/// their ports apart.
fn translations(tuple: Tuple, number: u16) -> Vec<NewFlow> {
    let ipv4 = tuple.is_ipv4();
    let (outside, inside) =
        if ipv4 { (ip("10.9.0.9"), ip("10.9.0.8")) } else { (ip("fc00::9"), ip("fc00::8")) };
    let source = Nat::from(SocketAddr::new(outside, 7000 + number));
    let flow = NewFlow::new(tuple);
    match (tuple.destination_port(), tuple.layer4()) {
        (Some(port), _) => {
            let port = 8000 + port;
            vec![
                flow.clone().source_nat(source),
                flow.clone().destination_nat(SocketAddr::new(inside, port)),
                flow.clone().source_nat(source).destination_nat(inside),
                flow.destination_nat(Nat::to_port(port)),
            ]
        }
        (None, Layer4::Icmp { .. }) => vec![
            flow.clone().source_nat(source),
            flow.clone().destination_nat(inside),
            flow.source_nat(source).destination_nat(inside),
        ],
        _ => vec![flow.source_nat(source).destination_nat(inside)],
    }
}

/// The same tuple with another source port, or ICMP id.
fn numbered(tuple: Tuple, number: u16) -> Tuple {
    let (source, destination) = (tuple.source(), tuple.destination());
    let make = match tuple.protocol() {
        Protocol::Tcp => Tuple::tcp,
        Protocol::Udp => Tuple::udp,
        Protocol::Sctp => Tuple::sctp,
        Protocol::UdpLite => Tuple::udp_lite,
        Protocol::Icmp | Protocol::Icmpv6 => {
            return Tuple::ping(source, destination, 1000 + number).unwrap();
        }
        _ => return tuple,
    };
    make((source, 1000 + number), tuple.destination_socket().unwrap()).unwrap()
}

#[test]
fn a_restored_flow_is_translated_as_before() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let mut made = 0;
        for tuple in tuples() {
            for number in 0..translations(tuple, 0).len() {
                let flow = &translations(numbered(tuple, number as u16), number as u16)[number];
                table.create(flow).unwrap_or_else(|error| panic!("{flow}: {error}"));
                let seen = table.get(flow).unwrap().unwrap();
                assert!(seen.source_nat().or(seen.destination_nat()).is_some(), "{seen}");
                made += 1;
            }
        }
        let [saved, again] = restored(&mut table);
        assert_eq!((saved.len(), again.len()), (made, made));
        for (saved, again) in saved.iter().zip(&again) {
            assert_eq!(kept(again), kept(saved), "{saved}");
            let nat = [again.source_nat(), again.destination_nat()];
            assert_eq!(nat, [saved.source_nat(), saved.destination_nat()]);
            // And it can be changed.
            table.update(again, &Changes::new().mark(1)).unwrap();
        }
    });
}

#[test]
fn a_flow_seen_earlier_is_not_its_successor() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for tuple in tuples() {
            let flow = NewFlow::new(tuple).mark(2);
            table.create(&flow).unwrap();
            let seen = table.get(&flow).unwrap().unwrap();
            table.delete(&flow).unwrap();
            // Others in between, so that the kernel does not reuse the memory that makes the id.
            for other in 9000.. {
                table.create(&udp(other)).unwrap();
                table.create(&flow).unwrap();
                if table.get(&flow).unwrap().unwrap().id() != seen.id() {
                    break;
                }
                table.delete(&flow).unwrap();
            }
            for old in [seen.key(), Key::reply(tuple.inverse()).with_id(seen.id())] {
                assert_eq!(kind(table.delete(old)), Some(ErrorKind::NotFound));
                let update = table.update(old, &Changes::new().mark(9));
                assert_eq!(kind(update), Some(ErrorKind::NotFound));
                assert_eq!(table.get(old).unwrap(), None);
                assert_eq!(table.get(old.any_life()).unwrap().unwrap().mark(), 2);
            }
            let now = table.get(&flow).unwrap().unwrap();
            table.update(&now, &Changes::new().mark(3)).unwrap();
            assert_eq!(table.get(&now).unwrap().unwrap().mark(), 3);
            table.delete(&now).unwrap();
            table.create(&flow).unwrap();
            table.delete(seen.key().any_life()).unwrap();
            table.flush().unwrap();
        }
    });
}

#[test]
fn nat_to_another_family_is_refused() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let refused = table.create(&udp(1).source_nat(ip("fc00::1")));
        assert_eq!(kind(refused), Some(ErrorKind::Invalid));
        assert_eq!(proc_table(), "");
        table.create(&udp(1).source_nat(ip("::ffff:10.9.0.9"))).unwrap();
        assert!(proc_table().contains("dst=10.9.0.9"));
    });
}

#[test]
fn flows_are_selected_by_the_tuple_of_one_that_was_seen() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        table.create(&udp(1)).unwrap();
        table.create(&udp(2)).unwrap();
        table.create(&udp(1).zone(3)).unwrap();
        let seen = table.get(&udp(1)).unwrap().unwrap();
        table.update(&seen, &Changes::new().mark(7).assured()).unwrap();
        let filter = Filter::new().tuple(&seen.tuple().unwrap());
        let found: Vec<_> = table.list_matching(&filter).unwrap().map(Result::unwrap).collect();
        assert!(found.iter().all(|flow| flow.tuple() == seen.tuple()));
        assert_eq!(found.iter().map(|flow| flow.mark()).sum::<u32>(), 7);
        assert_eq!(found.len(), 2, "one in each zone");
        let in_zone = filter.zone(0);
        assert_eq!(table.list_matching(&in_zone).unwrap().count(), 1);
    });
}

/// What a service leaves behind that has gone: the flows to its address, which are sent nowhere.
#[test]
fn the_flows_of_a_service_are_deleted_and_no_others() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let service = end("10.96.0.10:53");
        for port in 1..=300 {
            let client = SocketAddr::new(ip("10.9.0.1"), port);
            table
                .create(&Flow::udp(client, service).unwrap().destination_nat(ip("10.244.0.3")))
                .unwrap();
            table.create(&Flow::tcp(client, service).unwrap()).unwrap();
            table.create(&Flow::udp(client, end("10.96.0.11:53")).unwrap()).unwrap();
        }
        let filter = Filter::new()
            .ipv4()
            .protocol(Protocol::Udp)
            .destination(service.ip())
            .destination_port(service.port());
        let done = table.delete_matching(&filter).unwrap();
        assert_eq!((done.matched, done.deleted, done.gone), (300, 300, 0));
        assert_eq!(proc_table().lines().count(), 600);
        assert_eq!(proc_table().matches("10.244.0.3").count(), 0);
        // By what is seen behind the translation; here there is nothing left.
        let behind = Filter::new().reply_source(ip("10.244.0.3"));
        assert_eq!(table.delete_matching(&behind).unwrap().matched, 0);
        let nothing = Filter::new().ipv6().destination(service.ip());
        assert_eq!(table.list_matching(&nothing).unwrap().count(), 0);
    });
}
