//! The Rust interface against the running kernel, in a network namespace of its own. What it does
//! is read back from /proc/net/nf_conntrack.

mod flows;

use capi_tests::in_namespace;
use ctrs::conntrack::filter::dump::Masked;
use ctrs::{Attr, DumpFilter, ErrorKind, Family, FlowTable, Status};
use flows::{proc_table, udp};

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
