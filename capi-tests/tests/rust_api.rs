//! The Rust interface against the running kernel, in a network namespace of its own. What it does
//! is read back from /proc/net/nf_conntrack.

mod flows;

use capi_tests::in_namespace;
use ctrs::conntrack::filter::dump::Masked;
use ctrs::conntrack::filter::event::FilterAttr;
use ctrs::{
    Attr, Change, DumpFilter, ErrorKind, EventFilter, Events, Family, FlowTable, Groups, Status,
};
use flows::{flow, proc_table, udp};
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

#[test]
fn entries_are_created_changed_and_deleted() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let mut ct = udp(1000);
        table.create(&ct).unwrap();
        assert!(proc_table().contains("sport=1000 dport=53"));
        assert_eq!(table.create(&ct).unwrap_err().kind(), ErrorKind::Exists);
        ct.set_u32(Attr::Mark, 42).unwrap();
        table.update(&ct).unwrap();
        assert!(proc_table().contains("mark=42"));
        assert_eq!(table.get(&ct).unwrap().and_then(|entry| entry.mark()), Some(42));
        table.delete(&ct).unwrap();
        assert!(!proc_table().contains("sport=1000"));
        assert_eq!(table.delete(&ct).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(table.get(&ct).unwrap().is_none());
        table.create_or_update(&ct).unwrap();
        table.create_or_update(&ct).unwrap();
        table.flush().unwrap();
        assert_eq!(proc_table(), "");
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
                assert_eq!(other.delete(&entry).unwrap_err().kind(), ErrorKind::NotFound);
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
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
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

/// Puts this thread into a network namespace of its own, whoever it was started by.
fn leave_namespace() {
    // SAFETY: no pointer is involved; only this thread changes its namespace.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
}

#[test]
fn a_table_stays_with_its_namespace_on_any_thread() {
    in_namespace(|| {
        let mut here = FlowTable::open().unwrap();
        let mut events = Events::open(Groups::NEW).unwrap();
        let elsewhere = thread::spawn(move || {
            leave_namespace();
            here.create(&udp(1)).unwrap();
            assert_eq!(proc_table(), "", "this thread's table is another");
            let mut there = FlowTable::open().unwrap();
            there.create(&udp(2)).unwrap();
            assert_eq!(events.receive().unwrap().entry.original().ports.0, 1);
            assert_eq!(here.dump(Family::Any).unwrap().count(), 1);
            there.flush().unwrap();
            assert_eq!(here.dump(Family::Any).unwrap().count(), 1);
        });
        elsewhere.join().unwrap();
        assert_eq!(proc_table().lines().count(), 1);
    });
}

#[test]
fn events_of_other_namespaces_are_read() {
    const LISTEN_ALL_NSID: libc::c_int = 8;
    in_namespace(|| {
        let mut events = Events::open(Groups::NEW).unwrap();
        let (on, fd) = (1, events.as_raw_fd());
        // SAFETY: the value is alive during the call and of the size given.
        let set = unsafe {
            libc::setsockopt(fd, libc::SOL_NETLINK, LISTEN_ALL_NSID, (&raw const on).cast(), 4)
        };
        assert_eq!(set, 0);
        let ((entered, there), (go, told)) = (mpsc::channel(), mpsc::channel::<()>());
        let elsewhere = thread::spawn(move || {
            leave_namespace();
            // SAFETY: no pointer is involved.
            entered.send(unsafe { libc::gettid() }).unwrap();
            told.recv().unwrap();
            FlowTable::open().unwrap().create(&flow(17, "203.0.113.1:1", "203.0.113.2:2")).unwrap();
        });
        // The end of a veth pair gives the other namespace an id here.
        let there = format!("/proc/self/task/{}/ns/net", there.recv().unwrap());
        let there = there.replace("self", &std::process::id().to_string());
        let peer = ["peer", "name", "v1", "netns", &there];
        let made =
            Command::new("ip").args(["link", "add", "v0", "type", "veth"]).args(peer).status();
        assert!(made.expect("iproute2").success());
        go.send(()).unwrap();
        elsewhere.join().unwrap();
        FlowTable::open().unwrap().create(&udp(7)).unwrap();
        let sources = [(); 2].map(|()| events.receive().unwrap().entry.original().ports.0);
        assert_eq!(sources, [1, 7]);
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
        assert_eq!(events.receive().unwrap_err().kind(), ErrorKind::Lost);
        assert!(events.receive().is_ok());
    });
}
