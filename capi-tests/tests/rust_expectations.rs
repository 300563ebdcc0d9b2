//! Expectations of Rust programs, against the running kernel.

mod flows;

use capi_tests::in_namespace;
use ctrs::{
    Change, Direction, ErrorKind, EventKind, ExpectationEvents, ExpectationFlags, ExpectationKey,
    Expectations, FlowTable, Helper, NewExpectation, NewFlow, Options, Pattern, RequestKind, Tuple,
};
use flows::end;
use std::fs::File;
use std::io::Read;
use std::time::Duration;

const CLIENT: &str = "10.0.0.1:1000";
const SERVER: &str = "10.1.0.1:21";

fn tcp(from: &str, to: &str) -> Tuple {
    Tuple::tcp(end(from), end(to)).unwrap()
}

/// A flow with a helper that expects others.
fn control() -> NewFlow {
    NewFlow::new(tcp(CLIENT, SERVER)).helper(Helper::new("ftp").unwrap())
}

fn data(port: u16) -> NewExpectation {
    let to = tcp(CLIENT, &format!("10.1.0.1:{port}"));
    NewExpectation::new(tcp(CLIENT, SERVER), Pattern::from(to).any_source_port())
}

/// The table of this thread's namespace, as the kernel prints it.
fn proc_expect() -> String {
    // In one piece: the kernel tells the last entry again to the next read(2), if meanwhile another
    // network namespace got one.
    let mut text = vec![0; 1 << 16];
    let mut file = File::open("/proc/thread-self/net/nf_conntrack_expect").unwrap();
    let length = file.read(&mut text).unwrap();
    text.truncate(length);
    String::from_utf8(text).unwrap()
}

#[test]
fn expectations_are_created_found_and_deleted() {
    in_namespace(|| {
        let mut table = Expectations::open().unwrap();
        let refused = table.create(&data(2021)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound);
        assert_eq!(refused.request(), Some(RequestKind::CreateExpectation));
        FlowTable::open().unwrap().create(&control()).unwrap();
        table.create(&data(2021)).unwrap();
        assert!(proc_expect().contains("dport=2021"), "{}", proc_expect());
        assert_eq!(table.create(&data(2021)).unwrap_err().kind(), ErrorKind::Exists);

        let seen = table.get(&data(2021)).unwrap().unwrap();
        let pattern = Pattern::from(tcp(CLIENT, "10.1.0.1:2021")).any_source_port();
        assert_eq!(seen.expected(), Some(pattern));
        assert_eq!(seen.master(), Some(tcp(CLIENT, SERVER)));
        assert_eq!(seen.helper().as_deref(), Some("ftp"));
        assert!(seen.timeout().is_some_and(|left| left <= Duration::from_secs(300)));
        assert_eq!((seen.class(), seen.flags()), (0, ExpectationFlags::empty()));
        assert_eq!((seen.nat(), seen.function()), (None, None));
        assert!(seen.to_string().contains("mask-src=255.255.255.255"), "{seen}");
        assert!(format!("{seen:?}").contains("tcp 10.0.0.1:* -> 10.1.0.1:2021"), "{seen:?}");

        // Any flow that meets it names it.
        assert!(table.get(tcp("10.0.0.1:5555", "10.1.0.1:2021")).unwrap().is_some());
        assert!(table.get(tcp("10.0.0.2:5555", "10.1.0.1:2021")).unwrap().is_none());
        table.delete(&seen).unwrap();
        assert_eq!(table.delete(&seen).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(proc_expect(), "");
    });
}

#[test]
fn an_expectation_with_another_id_is_left_alone() {
    in_namespace(|| {
        let mut flows = FlowTable::open().unwrap();
        flows.create(&control()).unwrap();
        let elsewhere = tcp("10.0.0.9:1000", SERVER);
        let helper = Helper::new("ftp").unwrap();
        flows.create(&NewFlow::new(elsewhere).helper(helper)).unwrap();
        let mut table = Expectations::open().unwrap();
        table.create(&data(2021)).unwrap();
        table.create(&NewExpectation::new(elsewhere, tcp("10.0.0.9:20", SERVER))).unwrap();
        let seen = table.get(&data(2021)).unwrap().unwrap();
        let other = table.get(tcp("10.0.0.9:20", SERVER)).unwrap().unwrap();
        assert!(seen.id().is_some() && seen.id() != other.id());
        let successor = ExpectationKey::from(&seen).with_id(other.id());
        assert!(table.get(successor).unwrap().is_none());
        assert_eq!(table.delete(successor).unwrap_err().kind(), ErrorKind::NotFound);
        let listed = proc_expect();
        assert_eq!(listed.lines().count(), 2, "{listed}");
        table.delete(successor.any_life()).unwrap();
        table.delete(&other).unwrap();
        assert_eq!(proc_expect(), "");
    });
}

#[test]
fn all_that_an_expectation_has_is_told_to_the_kernel() {
    in_namespace(|| {
        FlowTable::open().unwrap().create(&control()).unwrap();
        let mut table = Expectations::open().unwrap();
        let translated = data(2021).permanent().inactive();
        let translated = translated.nat(end("192.0.2.7:2077"), Direction::Reply).unwrap();
        let translated = translated.function("nat-follow-master").unwrap();
        table.create(&translated).unwrap();
        let seen = table.list().unwrap().next().unwrap().unwrap();
        assert_eq!(seen.flags(), ExpectationFlags::PERMANENT | ExpectationFlags::INACTIVE);
        assert_eq!(seen.nat(), Some((end("192.0.2.7:2077"), Direction::Reply)));
        assert_eq!(seen.function().as_deref(), Some("nat-follow-master"));
        assert_eq!(table.create(&data(9).class(7)).unwrap_err().kind(), ErrorKind::Invalid);
        let unknown = data(9).function("no-such-function").unwrap();
        let refused = table.create(&unknown).unwrap_err();
        assert!(refused.to_string().contains("no function of this name"), "{refused}");
    });
}

#[test]
fn expectations_are_listed_and_changed_meanwhile() {
    in_namespace(|| {
        let mut flows = FlowTable::open().unwrap();
        let mut table = Expectations::open().unwrap();
        for host in 1..=200 {
            let client = format!("10.0.2.{host}:1000");
            let new = NewFlow::new(tcp(&client, SERVER)).helper(Helper::new("ftp").unwrap());
            flows.create(&new).unwrap();
            let to = Pattern::from(tcp(&client, "10.1.0.1:2021")).any_source_port();
            table.create(&NewExpectation::new(tcp(&client, SERVER), to)).unwrap();
        }
        for seen in table.list().unwrap() {
            table.delete(&seen.unwrap()).unwrap();
        }
        assert_eq!(proc_expect(), "");
        assert_eq!(table.list().unwrap().count(), 0);
    });
}

#[test]
fn a_zone_keeps_expectations_apart() {
    in_namespace(|| {
        FlowTable::open().unwrap().create(&control().zone(5)).unwrap();
        let mut table = Expectations::open().unwrap();
        assert_eq!(table.create(&data(2021)).unwrap_err().kind(), ErrorKind::NotFound);
        table.create(&data(2021).zone(5)).unwrap();
        let anywhere = tcp(CLIENT, "10.1.0.1:2021");
        assert!(table.get(anywhere).unwrap().is_none());
        let seen = table.get(ExpectationKey::from(anywhere).in_zone(5)).unwrap().unwrap();
        assert_eq!(seen.zone(), 5);
        table.delete(&seen).unwrap();
        assert_eq!(proc_expect(), "");
    });
}

#[test]
fn a_master_has_a_helper_and_the_family_of_what_it_expects() {
    in_namespace(|| {
        let mut table = Expectations::open().unwrap();
        FlowTable::open().unwrap().create(&NewFlow::new(tcp(CLIENT, SERVER))).unwrap();
        let refused = table.create(&data(2021)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        assert!(refused.to_string().contains("no helper"), "{refused}");
        let other = NewExpectation::new(tcp(CLIENT, SERVER), tcp("[fc00::1]:1", "[fc00::2]:2"));
        assert_eq!(table.create(&other).unwrap_err().kind(), ErrorKind::Invalid);
    });
}

#[test]
fn expectations_are_listened_to() {
    in_namespace(|| {
        let mut events = ExpectationEvents::open(EventKind::ALL).unwrap();
        let options = Options::new().timeout(Duration::from_secs(20));
        let mut ends = ExpectationEvents::open_with(EventKind::DESTROY, &options).unwrap();
        let mut flows = FlowTable::open().unwrap();
        flows.create(&control()).unwrap();
        let mut table = Expectations::open().unwrap();
        table.create(&data(2021)).unwrap();
        table.flush().unwrap();
        table.create(&data(2022)).unwrap();
        flows.delete(&control()).unwrap();
        let port = |event: &ctrs::ExpectationEvent| {
            event.expectation.expected().and_then(|expected| expected.destination_port()).unwrap()
        };
        let told = [(); 4].map(|()| events.next_event().unwrap());
        let (new, destroy) = (Change::New, Change::Destroy);
        let expected = [(new, 2021), (destroy, 2021), (new, 2022), (destroy, 2022)];
        assert_eq!(told.map(|event| (event.change, port(&event))), expected);
        assert!(events.try_next().unwrap().is_none(), "flows are no business of this listener");
        assert_eq!([(); 2].map(|()| port(&ends.next_event().unwrap())), [2021, 2022]);
    });
}
