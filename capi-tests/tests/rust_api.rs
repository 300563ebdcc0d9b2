//! The Rust interface against the running kernel, in a network namespace of its own. What it does
//! is read back from /proc/net/nf_conntrack.

use capi_tests::in_namespace;
use ctrs::filter::dump::Masked;
use ctrs::filter::event::FilterAttr;
use ctrs::{
    Attr, Change, Conntrack, DumpFilter, Error, EventFilter, Events, Family, FlowTable, Groups,
    Status,
};
use std::io::Write;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::thread;

/// The table of this thread's namespace, as the kernel prints it.
fn proc_table() -> String {
    std::fs::read_to_string("/proc/thread-self/net/nf_conntrack").expect("the kernel has conntrack")
}

fn flow(protocol: u8, src: &str, dst: &str) -> Conntrack {
    let mut ct = Conntrack::flow(protocol, src.parse().unwrap(), dst.parse().unwrap()).unwrap();
    ct.set_u32(Attr::Timeout, 120).unwrap();
    ct
}

fn udp(port: u16) -> Conntrack {
    flow(17, &format!("10.9.0.1:{port}"), "10.9.0.2:53")
}

/// A flow of every protocol that has something of its own, in both families.
fn flows() -> Vec<Conntrack> {
    let mut flows = Vec::new();
    for (client, server) in [("10.9.0.1", "10.9.0.2"), ("[fc00::1]", "[fc00::2]")] {
        let (icmp, echo) = if client.starts_with('[') { (58, 128 << 8) } else { (1, 8 << 8) };
        for (protocol, port) in
            [(6, 80), (17, 53), (132, 7), (136, 9), (47, 0), (50, 0), (icmp, echo)]
        {
            let (src, dst) = (format!("{client}:1000"), format!("{server}:{port}"));
            flows.push(flow(protocol, &src, &dst));
        }
    }
    flows
}

#[test]
fn entries_are_created_changed_and_deleted() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let mut ct = udp(1000);
        table.create(&ct).unwrap();
        assert!(proc_table().contains("sport=1000 dport=53"));
        assert_eq!(table.create(&ct), Err(Error::Kernel(libc::EEXIST)));
        ct.set_u32(Attr::Mark, 42).unwrap();
        table.update(&ct).unwrap();
        assert!(proc_table().contains("mark=42"));
        assert_eq!(table.get(&ct).unwrap().and_then(|entry| entry.mark()), Some(42));
        table.delete(&ct).unwrap();
        assert!(!proc_table().contains("sport=1000"));
        assert_eq!(table.delete(&ct), Err(Error::Kernel(libc::ENOENT)));
        assert!(table.get(&ct).unwrap().is_none());
        table.create_or_update(&ct).unwrap();
        table.create_or_update(&ct).unwrap();
        table.flush().unwrap();
        assert_eq!(proc_table(), "");
    });
}

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
            assert_eq!(table.delete(&reply), Err(Error::Kernel(libc::ENOENT)));
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
        assert_eq!(table.delete(&part), Err(Error::NoFamily));
        part.set_u8(Attr::OrigL3Proto, libc::AF_INET as u8).unwrap();
        part.set_address(Attr::OrigIpv4Dst, [10, 9, 0, 2].into()).unwrap();
        assert_eq!(table.delete(&part), Err(Error::PartialTuple));
        assert_eq!(table.get(&part).err(), Some(Error::PartialTuple));
        assert_eq!(table.update(&part), Err(Error::PartialTuple));
        assert_eq!(table.create(&part), Err(Error::PartialTuple));
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
        assert_eq!(table.create(&mapped), Err(Error::Kernel(libc::EEXIST)));
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
                assert_eq!(table.delete(old), Err(Error::Kernel(libc::ENOENT)));
                assert_eq!(table.update(old), Err(Error::Kernel(libc::ENOENT)));
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

#[test]
fn an_entry_as_a_filter_selects_by_its_tuple() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        table.create(&udp(1)).unwrap();
        table.create(&udp(2)).unwrap();
        let mut seen = table.get(&udp(1)).unwrap().unwrap();
        seen.set_u32(Attr::Mark, 7).unwrap();
        seen.set_u32(Attr::Status, Status::SEEN_REPLY.bits()).unwrap();
        let mut filter = DumpFilter::new();
        filter.set_tuple(&seen).unwrap();
        let found: Vec<_> = table.dump_filtered(&filter).unwrap().map(Result::unwrap).collect();
        assert_eq!(found.iter().map(|e| e.original().ports.0).collect::<Vec<_>>(), [1]);
    });
}

#[test]
fn entries_are_deleted_while_they_are_listed() {
    in_namespace(|| {
        let (mut table, mut other) = (FlowTable::open().unwrap(), FlowTable::open().unwrap());
        for port in 1..=3000 {
            let mut ct = udp(port);
            ct.set_u32(Attr::Mark, u32::from(port % 3)).unwrap();
            table.create(&ct).unwrap();
        }
        for entry in table.dump(Family::Any).unwrap().map(Result::unwrap) {
            if entry.number(Attr::Mark).unwrap_or(0) == 0 {
                other.delete(&entry).unwrap();
                assert_eq!(other.delete(&entry), Err(Error::Kernel(libc::ENOENT)));
            }
        }
        assert_eq!(proc_table().lines().count(), 2000);
        assert_eq!(proc_table().matches("mark=0").count(), 0);
    });
}

#[test]
fn a_dump_given_up_does_not_disturb_the_next() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for port in 1..=2000 {
            table.create(&udp(port)).unwrap();
        }
        assert_eq!(proc_table().lines().count(), 2000);
        for _ in 0..3 {
            assert!(table.dump(Family::Any).unwrap().next().unwrap().is_ok());
            assert!(table.get(&udp(7)).unwrap().is_some());
            assert_eq!(table.dump(Family::Ipv4).unwrap().map(Result::unwrap).count(), 2000);
        }
        assert_eq!(table.dump(Family::Ipv6).unwrap().count(), 0);
    });
}

#[test]
fn the_kernel_filters_dumps_and_flushes() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for port in 1..=10 {
            let mut ct = udp(port);
            ct.set_u32(Attr::Mark, u32::from(port % 2)).unwrap();
            table.create(&ct).unwrap();
        }
        let mut odd = DumpFilter::new();
        odd.set_mark(Masked { value: 1, mask: 1 });
        let marks: Vec<_> =
            table.dump_filtered(&odd).unwrap().map(|entry| entry.unwrap().mark()).collect();
        assert_eq!(marks, [Some(1); 5]);
        table.flush_filtered(&odd).unwrap();
        assert_eq!(proc_table().matches("mark=0").count(), 5);
        assert_eq!(proc_table().lines().count(), 5);
    });
}

#[test]
fn events_tell_what_happens() {
    in_namespace(|| {
        let mut events = Events::open(Groups::all()).unwrap();
        let mut table = FlowTable::open().unwrap();
        let mut ct = udp(1000);
        table.create(&ct).unwrap();
        ct.set_u32(Attr::Mark, 9).unwrap();
        table.update(&ct).unwrap();
        table.delete(&ct).unwrap();
        for change in [Change::New, Change::Update, Change::Destroy] {
            let event = events.receive().unwrap();
            assert_eq!((event.change, event.entry.original().ports), (change, (1000, 53)));
        }
        let mut filter = EventFilter::new();
        filter.add_mark(5, u32::MAX);
        filter.set_logic(FilterAttr::Mark, 0).unwrap();
        events.attach(&filter).unwrap();
        for mark in [4, 5, 6] {
            let mut ct = udp(2000 + mark as u16);
            ct.set_u32(Attr::Mark, mark).unwrap();
            table.create(&ct).unwrap();
        }
        assert_eq!(events.receive().unwrap().entry.mark(), Some(5));
    });
}

/// Waits until one of the descriptors has something to read; which do.
fn wait(fds: [BorrowedFd<'_>; 2]) -> [bool; 2] {
    let mut fds =
        fds.map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    // SAFETY: the array is alive during the call and has two members.
    let ready = unsafe { libc::poll(fds.as_mut_ptr(), 2, 10_000) };
    assert!(ready > 0, "nothing came");
    fds.map(|fd| fd.revents != 0)
}

#[test]
fn a_listener_is_told_to_stop() {
    in_namespace(|| {
        let mut events = Events::open(Groups::NEW).unwrap();
        let mut table = FlowTable::open().unwrap();
        // SAFETY: no pointer is involved, and the descriptor is that of the events.
        let set = unsafe { libc::fcntl(events.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        assert_eq!(set, 0);
        let (stopped, mut stop) = std::io::pipe().unwrap();
        let listener = thread::spawn(move || {
            let mut seen = 0;
            loop {
                let [_, stop] = wait([events.as_fd(), stopped.as_fd()]);
                loop {
                    match events.receive() {
                        Ok(_) => seen += 1,
                        Err(Error::System { errno: libc::EAGAIN, .. }) => break,
                        Err(error) => panic!("{error}"),
                    }
                }
                if stop {
                    return seen;
                }
            }
        });
        for port in 1..=100 {
            table.create(&udp(port)).unwrap();
        }
        stop.write_all(b"x").unwrap();
        assert_eq!(listener.join().unwrap(), 100);
    });
}

#[test]
fn a_table_stays_with_its_namespace_on_any_thread() {
    in_namespace(|| {
        let mut here = FlowTable::open().unwrap();
        let mut events = Events::open(Groups::NEW).unwrap();
        in_namespace(move || {
            here.create(&udp(1)).unwrap();
            assert_eq!(proc_table(), "", "this thread's table is another");
            let mut there = FlowTable::open().unwrap();
            there.create(&udp(2)).unwrap();
            assert_eq!(events.receive().unwrap().entry.original().ports.0, 1);
            assert_eq!(here.dump(Family::Any).unwrap().count(), 1);
            there.flush().unwrap();
            assert_eq!(here.dump(Family::Any).unwrap().count(), 1);
        });
        assert_eq!(proc_table().lines().count(), 1);
    });
}

#[test]
fn lost_events_are_told() {
    in_namespace(|| {
        let mut events = Events::open(Groups::NEW).unwrap();
        let mut table = FlowTable::open().unwrap();
        for port in 1..=5000 {
            table.create(&udp(port)).unwrap();
        }
        assert_eq!(events.receive().err(), Some(Error::Overrun));
        assert!(events.receive().is_ok());
    });
}
