//! The Rust interface against the running kernel, in a network namespace of its own. What it does
//! is read back from /proc/net/nf_conntrack.

mod flows;

use capi_tests::in_namespace;
use ctrs::{Changes, ErrorKind, FlowTable, Key, NewFlow};
use flows::{end, kind, proc_table, udp};

#[test]
fn flows_are_created_changed_and_deleted() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let flow = udp(1000);
        table.create(&flow).unwrap();
        assert!(proc_table().contains("sport=1000 dport=53"));
        assert_eq!(kind(table.create(&flow)), Some(ErrorKind::Exists));
        table.update(&flow, &Changes::new().mark(42)).unwrap();
        assert!(proc_table().contains("mark=42"));
        assert_eq!(table.get(&flow).unwrap().map(|seen| seen.mark()), Some(42));
        table.delete(&flow).unwrap();
        assert!(!proc_table().contains("sport=1000"));
        assert_eq!(kind(table.delete(&flow)), Some(ErrorKind::NotFound));
        let update = table.update(&flow, &Changes::new().mark(42));
        assert_eq!(kind(update), Some(ErrorKind::NotFound));
        assert!(table.get(&flow).unwrap().is_none());
        table.flush().unwrap();
        assert_eq!(proc_table(), "");
    });
}

#[test]
fn a_flow_is_created_or_brought_up_to_date() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let to = end("10.244.0.3:5353");
        let flow = udp(1000).seen_reply().destination_nat(to);
        table.create_or_update(&flow).unwrap();
        table.create_or_update(&flow.clone().mark(7).assured()).unwrap();
        let seen = table.get(&flow).unwrap().unwrap();
        assert_eq!((seen.mark(), seen.destination_nat()), (7, Some(to.into())));
        assert!(proc_table().contains("[ASSURED] mark=7"));
        // Another one's reply is not this flow.
        let other = NewFlow::new(seen.reply().unwrap().inverse());
        assert_eq!(kind(table.create_or_update(&other)), Some(ErrorKind::Exists));
    });
}

#[test]
fn flows_are_deleted_while_they_are_listed() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for port in 1..=3000 {
            table.create(&udp(port).mark(u32::from(port % 3))).unwrap();
        }
        for flow in table.list().unwrap().map(Result::unwrap) {
            if flow.mark() == 0 {
                table.delete(&flow).unwrap();
                assert_eq!(kind(table.delete(&flow)), Some(ErrorKind::NotFound));
            }
        }
        assert_eq!(proc_table().lines().count(), 2000);
        assert_eq!(proc_table().matches("mark=0").count(), 0);
    });
}

#[test]
fn a_list_given_up_does_not_disturb_the_next() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for port in 1..=2000 {
            table.create(&udp(port)).unwrap();
        }
        assert_eq!(proc_table().lines().count(), 2000);
        let mut unfinished = table.list().unwrap();
        for _ in 0..3 {
            assert!(table.list().unwrap().next().unwrap().is_ok());
            assert!(table.get(&udp(7)).unwrap().is_some());
            assert_eq!(table.list().unwrap().map(Result::unwrap).count(), 2000);
        }
        let (mut flow, mut rest) = (ctrs::Flow::default(), 0);
        while unfinished.next_into(&mut flow).unwrap() {
            rest += usize::from(flow.tuple().is_some());
        }
        assert_eq!(rest, 2000);
        assert!(!unfinished.next_into(&mut flow).unwrap() && unfinished.next().is_none());
    });
}

#[test]
fn counters_are_read_and_set_to_zero() {
    in_namespace(|| {
        std::fs::write("/proc/sys/net/netfilter/nf_conntrack_acct", "1").unwrap();
        let mut table = FlowTable::open().unwrap();
        table.create(&udp(1)).unwrap();
        let counted = |list: ctrs::List| {
            list.map(|flow| flow.unwrap().counters(ctrs::Direction::Original)).collect::<Vec<_>>()
        };
        let none = ctrs::Counters { packets: 0, bytes: 0 };
        assert_eq!(counted(table.list_and_zero().unwrap()), [Some(none)]);
        assert_eq!(counted(table.list().unwrap()), [Some(none)]);
    });
}

#[test]
fn what_the_kernel_cannot_change_is_told_by_its_kind() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        table.create(&udp(1)).unwrap();
        let nothing = table.update(&udp(1), &Changes::new()).unwrap_err();
        let text = ctrs::Invalid::NothingToChange.to_string();
        assert_eq!(nothing.to_string(), format!("cannot update the flow: {text}"));
        let helper = ctrs::Helper::new("no-such-helper").unwrap();
        let update = table.update(&udp(1), &Changes::new().helper(helper));
        assert_eq!(kind(update), Some(ErrorKind::Unsupported));
    });
}

#[test]
fn a_status_is_set_beside_what_packets_have_set() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let flow = udp(1).seen_reply();
        table.create(&flow).unwrap();
        table.update(&flow, &Changes::new().assured()).unwrap();
        assert!(proc_table().contains("[ASSURED]"));
        let by_reply = Key::reply(flow.tuple().inverse());
        table.update(by_reply, &Changes::new().fixed_timeout()).unwrap();
        let seen = table.get(by_reply).unwrap().unwrap();
        let bits = ctrs::Status::SEEN_REPLY | ctrs::Status::ASSURED | ctrs::Status::FIXED_TIMEOUT;
        assert!(seen.status().contains(bits));
        let update =
            table.update(&flow, &Changes::new().timeout(std::time::Duration::from_secs(9)));
        assert_eq!(kind(update), Some(ErrorKind::Privilege));
    });
}

#[test]
fn bits_of_a_mark_change_and_others_stay() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let flow = udp(1).mark(0xff05);
        table.create(&flow).unwrap();
        table.update(&flow, &Changes::new().mark(ctrs::Mark::masked(0x142, 0xff))).unwrap();
        assert_eq!(table.get(&flow).unwrap().unwrap().mark(), 0xff42);
    });
}
