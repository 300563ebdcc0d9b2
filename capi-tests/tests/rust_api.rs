//! The Rust interface against the running kernel, in a network namespace of its own. What it does
//! is read back from /proc/net/nf_conntrack.

use ctrs::filter::dump::Masked;
use ctrs::filter::event::FilterAttr;
use ctrs::{
    Attr, Change, Conntrack, DumpFilter, Error, EventFilter, Events, Family, FlowTable, Groups,
};
use std::thread;

/// Runs `test` on a thread of its own in a new network namespace, as root or in a new user
/// namespace.
fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let done = thread::spawn(|| {
        // SAFETY: no pointer is involved; only this thread changes its namespace.
        let entered = unsafe { libc::unshare(libc::CLONE_NEWNET) };
        assert_eq!(entered, 0, "a network namespace needs root: run as root or under unshare -Ur");
        test();
    });
    if let Err(panic) = done.join() {
        std::panic::resume_unwind(panic);
    }
}

/// The table of this thread's namespace, as the kernel prints it.
fn proc_table() -> String {
    std::fs::read_to_string("/proc/thread-self/net/nf_conntrack").expect("the kernel has conntrack")
}

fn udp(port: u16) -> Conntrack {
    let (src, dst) = (format!("10.9.0.1:{port}"), "10.9.0.2:53");
    let mut ct = Conntrack::flow(17, src.parse().unwrap(), dst.parse().unwrap()).unwrap();
    ct.set_u32(Attr::Timeout, 120);
    ct
}

#[test]
fn entries_are_created_changed_and_deleted() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let mut ct = udp(1000);
        table.create(&ct).unwrap();
        assert!(proc_table().contains("sport=1000 dport=53"));
        assert_eq!(table.create(&ct), Err(Error::Kernel(libc::EEXIST)));
        ct.set_u32(Attr::Mark, 42);
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
            ct.set_u32(Attr::Mark, u32::from(port % 2));
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
        ct.set_u32(Attr::Mark, 9);
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
            ct.set_u32(Attr::Mark, mark);
            table.create(&ct).unwrap();
        }
        assert_eq!(events.receive().unwrap().entry.mark(), Some(5));
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
