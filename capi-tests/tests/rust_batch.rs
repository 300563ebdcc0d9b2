//! Batches of the Rust interface against the running kernel, in a network namespace of their own.

mod flows;

use capi_tests::in_namespace;
use ctrs::{
    Batch, Changes, ErrorKind, Expression, Flow, FlowTable, Key, Mark, Options, Returned, Status,
};
use flows::{kind, proc_table, udp};

/// The kinds of the errors, by request.
fn kinds(batch: &Batch) -> Vec<Option<ErrorKind>> {
    batch.results().map(|result| result.err().map(|error| error.kind())).collect()
}

#[test]
fn each_request_has_its_own_result_in_order() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let mut batch = Batch::new();
        batch.create(&udp(1).mark(0x105)).unwrap();
        batch.create(&udp(1)).unwrap();
        batch.get(udp(1).tuple()).unwrap();
        batch.update(&udp(1), &Changes::new().mark(Mark::masked(0x42, 0xff))).unwrap();
        batch.get(udp(1).tuple()).unwrap();
        batch.delete(&udp(2)).unwrap();
        batch.create(&udp(3)).unwrap();
        batch.delete(&udp(1)).unwrap();
        batch.get(udp(1).tuple()).unwrap();
        assert_eq!(table.run(&mut batch), Ok(3));
        let mut failed = vec![None; 9];
        failed[1] = Some(ErrorKind::Exists);
        failed[5] = Some(ErrorKind::NotFound);
        failed[8] = Some(ErrorKind::NotFound);
        assert_eq!(kinds(&batch), failed);
        let marks: Vec<_> =
            batch.results().map(|result| result.ok()?.map(|flow| flow.mark())).collect();
        let mut seen = vec![None; 9];
        (seen[2], seen[4]) = (Some(0x105), Some(0x142));
        assert_eq!(marks, seen);
        assert!(batch.result(9).is_none());
        let text = batch.result(1).unwrap().unwrap_err().to_string();
        assert!(text.starts_with("cannot create the flow: the tuple"), "{text}");
        assert_eq!(proc_table().lines().count(), 1);
        // What was sent is not sent again.
        assert_eq!(table.run(&mut batch), Ok(3));
        batch.clear();
        assert_eq!((batch.is_empty(), table.run(&mut batch)), (true, Ok(0)));
    });
}

#[test]
fn a_flow_that_was_seen_is_asked_for_and_deleted_alone() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        table.create(&udp(1)).unwrap();
        table.create(&udp(2)).unwrap();
        let other = table.get(&udp(2)).unwrap().unwrap().id();
        let mut batch = Batch::new();
        let right = table.get(&udp(1)).unwrap().unwrap().key();
        for key in [right.with_id(other), right] {
            batch.get(key).unwrap();
            batch.delete(key).unwrap();
        }
        assert_eq!(table.run(&mut batch), Ok(2));
        let gone = Some(ErrorKind::NotFound);
        assert_eq!(kinds(&batch), [gone, gone, None, None]);
        assert!(proc_table().contains("sport=2") && !proc_table().contains("sport=1 "));
    });
}

#[test]
fn what_cannot_be_asked_is_not_added() {
    let mut batch = Batch::new();
    let none = Flow::default();
    for error in [
        batch.get(&none),
        batch.delete(&none),
        batch.restore(&none),
        batch.update(&none, &Changes::new().mark(1)),
        batch.update(&udp(1), &Changes::new()),
        batch.update(&udp(1), &Changes::new().assured()),
    ] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert!(batch.is_empty());
}

#[test]
fn thousands_of_failures_are_told_through_the_smallest_buffer() {
    in_namespace(|| {
        let mut table = FlowTable::open_with(&Options::new().receive_buffer(1)).unwrap();
        let mut batch = Batch::new();
        for port in 0..10_000 {
            if port % 100 == 7 { batch.create(&udp(port)) } else { batch.delete(&udp(port)) }
                .unwrap();
        }
        batch.returning(true);
        for port in 0..100 {
            batch.get(&udp(port)).unwrap();
            batch.delete(&udp(port)).unwrap();
        }
        assert_eq!(table.run(&mut batch), Ok(9_900 + 198));
        for (index, kind) in kinds(&batch)[..10_000].iter().enumerate() {
            assert_eq!(kind.is_none(), index % 100 == 7, "{index}: {kind:?}");
        }
        assert!(matches!(batch.result(10_000 + 14), Some(Ok(Some(_)))));
    });
}

#[test]
fn the_kernel_returns_flows_that_report() {
    for (events, reports) in [("0", false), ("1", true)] {
        in_namespace(move || {
            std::fs::write("/proc/sys/net/netfilter/nf_conntrack_events", events).unwrap();
            let mut table = FlowTable::open().unwrap();
            let mut batch = Batch::new();
            batch.returning(true);
            batch.create(&udp(1)).unwrap();
            batch.create(&udp(1)).unwrap();
            batch.update(&udp(1), &Changes::new().mark(9)).unwrap();
            batch.delete(&udp(1)).unwrap();
            assert_eq!(table.run(&mut batch), Ok(1));
            let marks: Vec<_> =
                batch.results().map(|result| result.map(|flow| flow.map(|it| it.mark()))).collect();
            let told = |mark| Ok(reports.then_some(mark));
            assert_eq!([&marks[0], &marks[2], &marks[3]], [&told(0), &told(9), &told(9)]);
            assert_eq!(marks[1].as_ref().unwrap_err().kind(), ErrorKind::Exists);
        });
    }
}

#[test]
fn what_became_of_a_flow_is_returned() {
    for (events, echoed) in [("0", false), ("1", true)] {
        in_namespace(move || {
            std::fs::write("/proc/sys/net/netfilter/nf_conntrack_events", events).unwrap();
            let mut table = FlowTable::open().unwrap();
            let told = |returned: Returned| {
                assert_eq!(returned.echoed, echoed);
                returned.flow.unwrap()
            };
            let created = told(table.create_returning(&udp(1).mark(0x105)).unwrap());
            let got = table.get(&created).unwrap().unwrap();
            assert_eq!((created.key(), created.mark()), (got.key(), 0x105));
            let changes = Changes::new().mark(Mark::masked(0x42, 0xff)).assured();
            let reply = Key::reply(created.reply().unwrap());
            let updated = told(table.update_returning(reply, &changes).unwrap());
            assert_eq!((updated.mark(), updated.id()), (0x142, created.id()));
            assert!(updated.status().contains(Status::ASSURED | Status::CONFIRMED));
            let refused = table.create_returning(&udp(1));
            assert_eq!(kind(refused), Some(ErrorKind::Exists));
            let deleted = told(table.delete_returning(&created).unwrap());
            assert_eq!((deleted.mark(), deleted.id()), (0x142, created.id()));
            assert_eq!(kind(table.delete_returning(&created)), Some(ErrorKind::NotFound));
            assert_eq!(proc_table(), "");
        });
    }
}

#[test]
fn a_key_that_was_seen_is_not_another_flows() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let first = table.create_returning(&udp(1)).unwrap().flow.unwrap();
        let second = table.create_returning(&udp(2)).unwrap().flow.unwrap();
        let wrong = first.key().with_id(second.id());
        assert_eq!(table.get(wrong), Ok(None));
        for refused in [
            table.update(wrong, &Changes::new().mark(1)),
            table.delete(wrong),
            table.update_returning(wrong, &Changes::new().mark(1)).map(drop),
            table.delete_returning(wrong).map(drop),
        ] {
            assert_eq!(kind(refused), Some(ErrorKind::NotFound));
        }
        assert_eq!(proc_table().matches("mark=0").count(), 2);
    });
}

#[test]
fn flows_of_which_an_expression_is_true_are_deleted() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        for port in 1..=3000 {
            table.create(&udp(port).mark(u32::from(port % 3))).unwrap();
        }
        let mut gone = |text: &str| {
            let deleted = table.delete_where(&text.parse().unwrap()).unwrap();
            assert_eq!((deleted.gone, deleted.consistent), (0, true));
            assert_eq!(deleted.matched, deleted.deleted);
            deleted.deleted
        };
        assert_eq!(gone("mark 1 and sport <= 300"), 100);
        assert_eq!(proc_table().lines().count(), 2900);
        // Without accounting, no flow has bytes: that they are few is not known.
        assert_eq!(gone("not bytes > 1M"), 0);
        assert_eq!(gone("tcp or src 10.0.0.0/16"), 0);
        assert_eq!(gone("mark {0, 2}"), 2000);
        assert_eq!(proc_table().matches("mark=1").count(), 900);
        assert_eq!(gone("all"), 900);
        assert_eq!(proc_table(), "");
        assert!("".parse::<Expression>().is_err());
    });
}

#[test]
fn flows_that_are_gone_by_then_are_told_apart() {
    in_namespace(|| {
        const FLOWS: u64 = 30_000;
        let mut table = FlowTable::open().unwrap();
        let mut batch = Batch::new();
        for n in 0..FLOWS as u16 {
            batch.create(&udp(n)).unwrap();
        }
        assert_eq!(table.run(&mut batch), Ok(0));
        // Another one deletes the same at the same time.
        let mut other = FlowTable::open().unwrap();
        let rival =
            std::thread::spawn(move || other.delete_where(&"udp".parse().unwrap()).unwrap());
        let mine = table.delete_where(&"udp".parse().unwrap()).unwrap();
        let theirs = rival.join().unwrap();
        assert_eq!(mine.deleted + theirs.deleted, FLOWS);
        for deleted in [mine, theirs] {
            assert_eq!(deleted.matched, deleted.deleted + deleted.gone);
        }
        assert_eq!(proc_table(), "");
    });
}
