//! Whether what compares mirrors with the kernel (`mirror churn`) finds what is wrong. It is shown mirrors
//! that are, for all flows are silent ones: no event tells how they change.

use capi_tests::churn::compare::{Before, compare};
use capi_tests::churn::follower::{Follower, Manner};
use capi_tests::churn::generator::Generator;
use capi_tests::churn::random::Random;
use capi_tests::churn::{population, set_sysctl, traffic};
use capi_tests::in_namespace;
use ctrs::{Changes, Direction, FlowTable, Key, Protocol, SeqAdjust, TcpState};

const MANNER: Manner = Manner { buffer: 1 << 20, limit: 1 << 20, verifies: None, followed: true };

/// A connection of TCP that is there.
fn one(table: &mut FlowTable) -> Key {
    let mut all = (0..200).map(population::key);
    let mut is_there = |key: &Key| table.get(key).unwrap().is_some();
    all.find(|key| key.tuple().protocol() == Protocol::Tcp && is_there(key)).expect("some")
}

/// What is found after so many changes of a mirror were not looked at, and the table has changed.
fn found(unread: usize, happens: impl FnOnce(&mut FlowTable)) -> Vec<String> {
    traffic::prepare();
    set_sysctl("events", 0);
    let mut generator = Generator::new(200, false, None, Random::new(1));
    generator.fill(200);
    let mut mirror = MANNER.open();
    (0..unread).for_each(|_| drop(mirror.next_change().unwrap()));
    std::thread::scope(|scope| {
        let follower = Follower::start(scope, mirror, MANNER);
        drop(follower.pause());
        happens(&mut FlowTable::open().unwrap());
        let before = Before::of(generator.table());
        let paused = follower.pause();
        let mut verdict =
            compare(&before, generator.table(), std::slice::from_ref(&follower.reader));
        assert!(verdict.judged > 150 && verdict.moved == 0, "{verdict:?}");
        verdict.wrong.extend(paused.rest.wrong.iter().cloned());
        verdict.wrong
    })
}

/// That one thing is found, and no other.
fn finds(what: &'static str, happens: impl FnOnce(&mut FlowTable) + Send + 'static) {
    in_namespace(move || {
        let wrong = found(0, happens);
        assert!(wrong.len() == 1 && wrong[0].starts_with(what), "{what}: {wrong:#?}");
    });
}

fn finds_change(changes: Changes) {
    finds("different", move |table| {
        let key = one(table);
        table.update(key, &changes).unwrap();
    });
}

#[test]
fn it_finds_nothing_where_nothing_is_wrong() {
    in_namespace(|| assert_eq!(found(0, |_| ()), [""; 0]));
}

#[test]
fn it_finds_an_end_that_was_not_told() {
    finds("a ghost", |table| {
        let key = one(table);
        table.delete(key).unwrap();
    });
}

#[test]
fn it_finds_a_flow_that_was_not_told() {
    finds("missing", |table| {
        table.create(&population::begin(208, false, &mut Random::new(2))).unwrap()
    });
}

#[test]
fn it_finds_a_mark() {
    finds_change(Changes::new().mark(0x4000_0000));
}

#[test]
fn it_finds_a_label() {
    finds_change(Changes::new().set_label(127).set_label(0).set_label(1));
}

#[test]
fn it_finds_a_state() {
    finds_change(Changes::new().tcp_state(TcpState::LastAck));
}

#[test]
fn it_finds_a_status() {
    finds_change(Changes::new().fixed_timeout());
}

#[test]
fn it_finds_shifted_numbers() {
    let adjust = SeqAdjust { position: 1 << 20, offset_before: 1, offset_after: 2 };
    finds_change(Changes::new().seq_adjust(Direction::Original, adjust));
}

#[test]
fn it_finds_another_life() {
    finds("different", |table| {
        let key = one(table);
        table.delete(key).unwrap();
        // Takes the memory that the next one would have, and with it the id.
        table.create(&population::begin(208, false, &mut Random::new(2))).unwrap();
        let number = (0..200).find(|number| population::key(*number) == key).unwrap();
        table.create(&population::begin(number, false, &mut Random::new(3))).unwrap();
        table.delete(population::key(208)).unwrap();
    });
}

/// The first change says that it is compared with the table, the next is of a flow.
#[test]
fn it_finds_a_change_that_is_missing() {
    in_namespace(|| {
        let wrong = found(2, |_| ());
        let [otherwise, fewer] = &wrong[..] else { panic!("{wrong:#?}") };
        assert!(otherwise.starts_with("changes tell otherwise of"), "{wrong:#?}");
        assert!(fewer.starts_with("changes tell of "), "{wrong:#?}");
    });
}
