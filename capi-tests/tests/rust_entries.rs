//! How the Rust interface names an entry, changes and deletes the one meant, and restores one,
//! against the running kernel.

mod flows;

use capi_tests::in_namespace;
use ctrs::{Attr, Conntrack, ErrorKind, Family, FlowTable, Status};
use flows::{flow, flows, proc_table, udp};
use std::net::IpAddr;

#[test]
fn an_entry_is_found_changed_and_deleted_by_its_reply() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for (mut ct, zone) in flows().into_iter().zip([0, 0, 3].into_iter().cycle()) {
            ct.set_u16(Attr::Zone, zone).unwrap();
            table.create(&ct).unwrap();
            let mut reply = ct.try_clone().unwrap();
            reply.unset(Attr::OrigL3Proto);
            let found = table.get(&reply).unwrap().expect("found by its reply");
            assert_eq!(found.original(), ct.original());
            reply.set_u32(Attr::Mark, 7).unwrap();
            table.update(&reply).unwrap();
            assert_eq!(table.get(&ct).unwrap().unwrap().mark(), Some(7));
            table.delete(&reply).unwrap();
            assert!(table.get(&ct).unwrap().is_none());
            assert_eq!(table.delete(&reply).unwrap_err().kind(), ErrorKind::NotFound);
        }
    });
}

#[test]
fn a_translated_entry_is_found_by_what_is_seen_behind_it() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let mut ct = flow(17, "10.9.0.1:4000", "10.96.0.10:53");
        ct.set_address(Attr::DnatIpv4, [10, 244, 0, 3].into()).unwrap();
        ct.set_port(Attr::DnatPort, 5353).unwrap();
        table.create(&ct).unwrap();
        let mut reply = flow(17, "10.9.0.1:4000", "10.244.0.3:5353");
        assert!(table.get(&reply).unwrap().is_none(), "the original tuple is another");
        reply.unset(Attr::OrigL3Proto);
        assert_eq!(table.get(&reply).unwrap().unwrap().original(), ct.original());
        reply.set_port(Attr::ReplPortDst, 4001).unwrap();
        assert!(table.get(&reply).unwrap().is_none());
    });
}

#[test]
fn part_of_a_tuple_deletes_nothing() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        table.create(&udp(1)).unwrap();
        let mut part = Conntrack::new();
        part.set_u32(Attr::Id, 7).unwrap();
        assert_eq!(table.delete(&part).unwrap_err().kind(), ErrorKind::Invalid);
        part.set_u8(Attr::OrigL3Proto, libc::AF_INET as u8).unwrap();
        part.set_address(Attr::OrigIpv4Dst, [10, 9, 0, 2].into()).unwrap();
        assert_eq!(table.delete(&part).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(table.get(&part).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(table.update(&part).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(table.create(&part).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(proc_table().lines().count(), 1);
    });
}

#[test]
fn the_address_of_a_dual_stack_socket_names_the_ipv4_flow() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        table.create(&udp(1000)).unwrap();
        let mapped = flow(17, "[::ffff:10.9.0.1]:1000", "[::ffff:10.9.0.2]:53");
        assert!(table.get(&mapped).unwrap().is_some());
        assert_eq!(table.create(&mapped).unwrap_err().kind(), ErrorKind::Exists);
        table.delete(&mapped).unwrap();
        assert_eq!(proc_table(), "");
    });
}

#[test]
fn each_ping_is_a_flow() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for (client, server) in [("10.9.0.1", "10.9.0.2"), ("fc00::1", "fc00::2")] {
            let (client, server) = (client.parse().unwrap(), server.parse().unwrap());
            for id in [77, 78] {
                let mut ping = Conntrack::ping(client, server, id).unwrap();
                ping.set_u32(Attr::Timeout, 60).unwrap();
                table.create(&ping).unwrap();
                let entry = table.get(&ping).unwrap().unwrap();
                assert_eq!((entry.original(), entry.reply()), (ping.original(), ping.reply()));
                assert_eq!(entry.number(Attr::IcmpId), Some(id.into()));
            }
            assert_eq!(proc_table().matches("id=77").count(), 2);
            table.flush().unwrap();
        }
    });
}

/// What a restored entry must have again.
fn kept(entry: &Conntrack) -> Vec<(Attr, Vec<u8>)> {
    let attrs = Attr::all().filter(|a| ![Attr::Id, Attr::Timeout, Attr::Use].contains(a));
    attrs.filter_map(|attr| Some((attr, entry.get(attr)?.to_vec()))).collect()
}

/// Dumps the table, flushes it, creates what was dumped, and dumps it again.
fn restored(table: &mut FlowTable) -> [Vec<Conntrack>; 2] {
    let dump = |table: &mut FlowTable| -> Vec<Conntrack> {
        let mut entries: Vec<_> = table.dump(Family::Any).unwrap().map(Result::unwrap).collect();
        entries.sort_by_key(kept);
        entries
    };
    let saved = dump(table);
    table.flush().unwrap();
    let (dependent, independent): (Vec<_>, Vec<_>) =
        saved.iter().partition(|entry| entry.has(Attr::MasterL3Proto));
    for entry in independent.into_iter().chain(dependent) {
        table.create(entry).unwrap_or_else(|error| panic!("{entry}: {error}"));
    }
    let again = dump(table);
    [saved, again]
}

#[test]
fn a_restored_entry_is_the_same_entry() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for mut ct in flows() {
            ct.set_u32(Attr::Mark, 7).unwrap();
            ct.set_u32(Attr::Status, (Status::SEEN_REPLY | Status::ASSURED).bits()).unwrap();
            match ct.original().protocol {
                6 => {
                    ct.set_u8(Attr::TcpState, 3).unwrap();
                    // Window scaling, SACK; the reply liberal too.
                    ct.set_u8(Attr::TcpFlagsOrig, 0x03).unwrap();
                    ct.set_u8(Attr::TcpFlagsRepl, 0x0b).unwrap();
                    ct.set_u8(Attr::TcpWscaleOrig, 7).unwrap();
                    ct.set_u8(Attr::TcpWscaleRepl, 9).unwrap();
                }
                132 => {
                    ct.set_u8(Attr::SctpState, 4).unwrap();
                    ct.set_u32(Attr::SctpVtagOrig, 0x0102_0304).unwrap();
                    ct.set_u32(Attr::SctpVtagRepl, 0x0506_0708).unwrap();
                }
                17 => ct.set_u16(Attr::Zone, 3).unwrap(),
                _ => {}
            }
            table.create(&ct).unwrap();
        }
        let mut data = flow(6, "10.9.0.2:20", "10.9.0.1:2000");
        data.set_u8(Attr::MasterL3Proto, libc::AF_INET as u8).unwrap();
        data.set_u8(Attr::MasterL4Proto, 6).unwrap();
        data.set_address(Attr::MasterIpv4Src, [10, 9, 0, 1].into()).unwrap();
        data.set_address(Attr::MasterIpv4Dst, [10, 9, 0, 2].into()).unwrap();
        data.set_port(Attr::MasterPortSrc, 1000).unwrap();
        data.set_port(Attr::MasterPortDst, 80).unwrap();
        table.create(&data).unwrap();
        let [saved, again] = restored(&mut table);
        assert_eq!((saved.len(), again.len()), (15, 15));
        for (saved, again) in saved.iter().zip(&again) {
            assert_eq!(kept(again), kept(saved), "{saved}");
        }
        let flags = |entry: &Conntrack| {
            [Attr::TcpFlagsOrig, Attr::TcpFlagsRepl, Attr::TcpWscaleRepl].map(|a| entry.number(a))
        };
        let tcp = again.iter().filter(|entry| flags(entry) == [Some(3), Some(11), Some(9)]);
        assert_eq!(tcp.count(), 2);
        assert_eq!(
            again.iter().filter(|e| e.status().unwrap().contains(Status::EXPECTED)).count(),
            1
        );
    });
}

#[test]
fn a_restored_entry_is_translated_as_before() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let mut made = 0;
        for ct in flows() {
            let ipv6 = ct.original().addresses.unwrap().0.is_ipv6();
            let [source, target]: [IpAddr; 2] = if ipv6 {
                ["fc00::9".parse().unwrap(), "fc00::8".parse().unwrap()]
            } else {
                [[10, 9, 0, 9].into(), [10, 9, 0, 8].into()]
            };
            let (snat, dnat) = if ipv6 {
                (Attr::SnatIpv6, Attr::DnatIpv6)
            } else {
                (Attr::SnatIpv4, Attr::DnatIpv4)
            };
            let (protocol, ports) = (ct.original().protocol, ct.original().ports);
            let has_ports = [6, 17, 132, 136].contains(&protocol);
            for (number, which) in (1..).zip(["source", "target", "both", "ports alone"]) {
                let mut ct = ct.try_clone().unwrap();
                if has_ports || [1, 58].contains(&protocol) {
                    ct.set_port(Attr::OrigPortSrc, 1000 + number).unwrap();
                    let (id, end) = (Attr::IcmpId, Attr::ReplPortDst);
                    ct.set_port(if has_ports { end } else { id }, 1000 + number).unwrap();
                } else if number != 3 {
                    continue;
                }
                if matches!(which, "source" | "both") {
                    ct.set_address(snat, source).unwrap();
                    ct.set_port(Attr::SnatPort, 7000 + number).unwrap();
                }
                if matches!(which, "target" | "both") {
                    ct.set_address(dnat, target).unwrap();
                }
                if has_ports && matches!(which, "target" | "ports alone") {
                    ct.set_port(Attr::DnatPort, 8000 + ports.1).unwrap();
                }
                table.create(&ct).unwrap_or_else(|error| panic!("{ct}: {error}"));
                made += 1;
            }
        }
        let [saved, again] = restored(&mut table);
        assert_eq!((saved.len(), again.len()), (made, made));
        let nat = Status::SRC_NAT | Status::DST_NAT;
        let mut translated = 0;
        for (saved, again) in saved.iter().zip(&again) {
            assert_eq!(kept(again), kept(saved), "{saved}");
            translated += usize::from(saved.status().unwrap().intersects(nat));
            // And it can be changed.
            table.create_or_update(saved).unwrap();
        }
        // ICMP has no ports of a target.
        assert_eq!(translated, made - 2);
    });
}

#[test]
fn an_entry_seen_earlier_is_not_its_successor() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for mut ct in flows() {
            table.create(&ct).unwrap();
            let seen = table.get(&ct).unwrap().unwrap();
            ct.set_u32(Attr::Mark, 2).unwrap();
            table.delete(&ct).unwrap();
            // Others in between, so that the kernel does not reuse the memory that makes the id.
            for other in 9000.. {
                table.create(&udp(other)).unwrap();
                table.create(&ct).unwrap();
                if table.get(&ct).unwrap().unwrap().id() != seen.id() {
                    break;
                }
                table.delete(&ct).unwrap();
            }
            let mut reply = seen.try_clone().unwrap();
            reply.unset(Attr::OrigL3Proto);
            for old in [&seen, &reply] {
                assert_eq!(table.delete(old).unwrap_err().kind(), ErrorKind::NotFound);
                assert_eq!(table.update(old).unwrap_err().kind(), ErrorKind::NotFound);
                assert_eq!(table.get(old).unwrap().unwrap().mark(), Some(2));
            }
            let mut now = table.get(&ct).unwrap().unwrap();
            now.set_u32(Attr::Mark, 3).unwrap();
            table.update(&now).unwrap();
            assert_eq!(table.get(&ct).unwrap().unwrap().mark(), Some(3));
            table.delete(&now).unwrap();
            table.flush().unwrap();
        }
    });
}
