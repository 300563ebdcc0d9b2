//! What is told of events that were lost: in its place among the others, with the number; and events
//! read as records.

mod flows;

use capi_tests::{in_namespace, skip};
use ctrs::{
    Change, Changes, ErrorKind, Event, EventKind, EventRecord, Events, ExpectationEventRecord,
    ExpectationEvents, Expectations, FlowTable, Helper, NewExpectation, NewFlow, Options, Pattern,
    Tuple,
};
use flows::{end, udp};
use std::time::{Duration, SystemTime};

fn port(event: &Event) -> u16 {
    event.flow.tuple().and_then(|tuple| tuple.source_port()).unwrap_or(0)
}

fn create(table: &mut FlowTable, ports: std::ops::RangeInclusive<u16>) {
    ports.for_each(|port| table.create(&udp(port)).unwrap());
}

/// What comes without waiting: ports of flows, or how many events were lost there.
fn told(events: &mut Events) -> Vec<Result<u16, u64>> {
    let mut told = Vec::new();
    loop {
        match events.try_next() {
            Ok(Some(event)) => told.push(Ok(port(&event))),
            Ok(None) => return told,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Lost);
                told.push(Err(error.lost().unwrap()));
            }
        }
    }
}

#[test]
fn a_gap_is_told_behind_older_events_with_the_number() {
    in_namespace(|| {
        let options = Options::new().receive_buffer(20_000);
        let mut events = Events::open_with(EventKind::NEW, &options).unwrap();
        let mut table = FlowTable::open().unwrap();
        let mut at = 0;
        for _ in 0..3 {
            create(&mut table, at + 1..=at + 400);
            let mut expected = at + 1;
            // Half of what the buffer holds, and one more: it is lost, too, as the buffer is not empty.
            for _ in 0..5 {
                assert_eq!(events.try_next().unwrap().as_ref().map(port), Some(expected));
                expected += 1;
            }
            create(&mut table, at + 401..=at + 401);
            let told = told(&mut events);
            let (gap, older) = told.split_last().unwrap();
            for port in older {
                assert_eq!(*port, Ok(expected), "no event is missing before the gap");
                expected += 1;
            }
            assert_eq!(*gap, Err(u64::from(at + 402 - expected)));
            at += 401;
            // What comes then is told.
            create(&mut table, at + 1..=at + 1);
            assert_eq!(events.try_next().unwrap().as_ref().map(port), Some(at + 1));
            at += 1;
        }
    });
}

#[test]
fn a_gap_before_silence_ends_a_wait() {
    in_namespace(|| {
        let options = Options::new().receive_buffer(20_000);
        let mut events = Events::open_with(EventKind::NEW, &options).unwrap();
        create(&mut FlowTable::open().unwrap(), 1..=300);
        let read = events.by_ref().take_while(Result::is_ok).count() as u64;
        let wait = events.next_timeout(Duration::from_millis(1));
        assert!(matches!(wait, Ok(None)), "{wait:?}");
        assert_eq!(read + u64::from(events.lost().unwrap()), 300);
    });
}

#[test]
fn what_is_not_told_by_the_kernel_is_counted() {
    in_namespace(|| {
        // Single events are missing anywhere; a reliable listener gets the ends of flows again.
        let options = Options::new().receive_buffer(20_000).reliable(true);
        let mut events = Events::open_with(EventKind::ALL, &options).unwrap();
        let mut table = FlowTable::open().unwrap();
        create(&mut table, 1..=300);
        table.flush().unwrap();
        let (mut ends, mut undelivered) = (0, 0);
        let mut records = [EventRecord::default(); 16];
        while ends < 300 {
            let filled = events.next_records(&mut records).unwrap();
            for record in &records[..filled] {
                ends += usize::from(record.change() == Some(Change::Destroy));
                undelivered += record.lost().unwrap_or(0);
                assert_eq!(record.counts_deliveries(), record.lost().is_some());
            }
        }
        while let Ok(Some(_)) = events.try_next() {}
        assert!(undelivered > 0, "{:?}", events.lost());
    });
}

#[test]
fn events_are_read_as_records() {
    in_namespace(|| {
        let mut events = Events::open(EventKind::ALL).unwrap();
        let mut table = FlowTable::open().unwrap();
        let before = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        create(&mut table, 1..=40);
        table.update(&udp(1), &Changes::new().mark(9)).unwrap();
        table.delete(&udp(1)).unwrap();
        let mut records = [EventRecord::default(); 30];
        assert_eq!(events.next_records(&mut []).unwrap(), 0);
        assert_eq!(events.next_records(&mut records).unwrap(), 30);
        for (record, port) in records.iter().zip(1..) {
            assert_eq!((record.change(), record.flow.orig.sport), (Some(Change::New), port));
            assert_eq!((record.lost(), record.namespace(), record.flow.mark), (None, None, 0));
            assert!(u128::from(record.when) >= before && record.port != 0);
        }
        // One at a time and many at once, in turn.
        assert_eq!(events.try_next().unwrap().as_ref().map(port), Some(31));
        assert_eq!(events.next_records(&mut records).unwrap(), 11);
        assert_eq!(records[9].change(), Some(Change::Update));
        assert_eq!((records[9].flow.mark, records[0].flow.mark), (9, 0));
        assert_eq!(records[10].change(), Some(Change::Destroy));
        assert_eq!(events.try_records(&mut records).unwrap(), 0);
        events.set_nonblocking(true).unwrap();
        let nothing = events.next_records(&mut records).unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn records_are_filtered_and_nothing_is_read_ahead() {
    in_namespace(|| {
        let mut events = Events::open(EventKind::NEW).unwrap();
        // The kernel cannot decide this one.
        events.only_where(&"age < 1h or sport 3-5 or sport 39".parse().unwrap()).unwrap();
        let mut table = FlowTable::open().unwrap();
        create(&mut table, 1..=40);
        let mut records = [EventRecord::default(); 3];
        let mut ports = Vec::new();
        loop {
            let filled = events.try_records(&mut records).unwrap();
            ports.extend(records[..filled].iter().map(|record| record.flow.orig.sport));
            if filled == 0 {
                break;
            }
        }
        assert_eq!(ports, [3, 4, 5, 39]);
    });
}

#[test]
fn the_kernels_clock_stamps_events_where_it_is_on() {
    in_namespace(|| {
        let clock = "/proc/sys/net/netfilter/nf_conntrack_timestamp";
        std::fs::write(clock, "1").unwrap();
        let mut events = Events::open(EventKind::NEW).unwrap();
        create(&mut FlowTable::open().unwrap(), 1..=1);
        let mut records = [EventRecord::default()];
        assert_eq!(events.next_records(&mut records).unwrap(), 1);
        if !records[0].has_kernel_time() {
            return skip("a kernel that stamps events (Linux 6.14)");
        }
        assert_eq!(records[0].when, records[0].flow.event_time);
    });
}

#[test]
fn events_of_expectations_are_records_too() {
    in_namespace(|| {
        let mut events = ExpectationEvents::open(EventKind::ALL).unwrap();
        let tuple = Tuple::tcp(end("10.0.0.1:1000"), end("10.1.0.1:21")).unwrap();
        let to = Tuple::tcp(end("10.0.0.1:1000"), end("10.1.0.1:2021")).unwrap();
        let control = NewFlow::new(tuple).helper(Helper::new("ftp").unwrap());
        FlowTable::open().unwrap().create(&control).unwrap();
        let mut table = Expectations::open().unwrap();
        let data = NewExpectation::new(tuple, Pattern::from(to).any_source_port());
        table.create(&data).unwrap();
        table.flush().unwrap();
        let mut records = [ExpectationEventRecord::default(); 4];
        assert_eq!(events.next_records(&mut records).unwrap(), 2);
        assert_eq!(records[0].change(), Some(Change::New));
        assert_eq!(records[1].change(), Some(Change::Destroy));
        for record in &records[..2] {
            assert_eq!(record.expectation.expected.dport, 2021);
            assert_ne!(record.expectation.id, 0);
        }
        assert_eq!(records[2], ExpectationEventRecord::default());
    });
}
