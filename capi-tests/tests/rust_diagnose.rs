//! What is in the way is said while it is, and no longer: sysctls, rules, privileges, groups, losses.

mod flows;

use capi_tests::{in_namespace, skip};
use ctrs::{Diagnosis, EventKind, Events, Finding, FlowTable, Options};
use flows::udp;
use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;

fn sysctl(name: &str) -> String {
    format!("/proc/sys/net/netfilter/nf_conntrack_{name}")
}

fn set(name: &str, value: u32) {
    fs::write(sysctl(name), value.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// A namespace with nothing in the way but what a test makes.
fn table() -> FlowTable {
    for name in ["events", "acct", "timestamp"] {
        set(name, 1);
    }
    let mut table = FlowTable::open().unwrap();
    table.create(&udp(1)).unwrap();
    table
}

fn findings(diagnosis: Diagnosis) -> Vec<Finding> {
    println!("{diagnosis}");
    diagnosis.findings().collect()
}

#[test]
fn a_sysctl_that_is_off_is_told_until_it_is_on() {
    in_namespace(|| {
        let table = table();
        assert_eq!(findings(table.diagnose()), []);
        for (name, value, finding, words) in [
            ("events", 0, Finding::NoEvents, "nf_conntrack_events is 0"),
            ("events", 2, Finding::MaybeSilent, "nf_conntrack_events is 2"),
            ("acct", 0, Finding::NoCounters, "nf_conntrack_acct is 0"),
            ("timestamp", 0, Finding::NoTimes, "nf_conntrack_timestamp is 0"),
            ("helper", 0, Finding::NoHelpers, "nf_conntrack_helper is 0"),
        ] {
            // Gone since Linux 6.0.
            if name == "helper" && !Path::new(&sysctl(name)).exists() {
                continue;
            }
            set(name, value);
            let diagnosis = table.diagnose();
            assert_eq!(findings(diagnosis), [finding]);
            assert!(diagnosis.to_string().contains(words), "{diagnosis}");
            set(name, 1);
            assert_eq!(findings(table.diagnose()), []);
        }
    });
}

#[test]
fn the_table_is_that_of_its_namespace_wherever_the_thread_is() {
    in_namespace(|| {
        let table = table();
        set("acct", 0);
        assert_eq!(table.diagnose().flows(), Some(1));
        let elsewhere = std::thread::spawn(move || {
            let there = Options::new().netns("/proc/thread-self/ns/net").unwrap();
            // SAFETY: no pointers are passed; this thread alone moves.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
            assert_eq!(findings(table.diagnose()), [Finding::NoCounters]);
            set("acct", 1);
            assert_eq!(findings(table.diagnose()), [Finding::NoCounters], "it is another's");
            let table = FlowTable::open_with(&there).unwrap();
            assert_eq!(findings(table.diagnose()), [Finding::NoCounters]);
        });
        elsewhere.join().unwrap();
    });
}

#[test]
fn a_namespace_without_rules_tracks_nothing() {
    in_namespace(|| {
        let send = || {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.send_to(b"hello", "127.0.0.1:9").unwrap();
        };
        assert!(Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap().success());
        for name in ["events", "acct", "timestamp"] {
            set(name, 1);
        }
        let table = FlowTable::open().unwrap();
        send();
        assert_eq!(findings(table.diagnose()), [Finding::NoFlows]);
        let rules = "add table t; add chain t c { type filter hook input priority 0; }; \
                     add rule t c ct state new accept";
        let Ok(status) = Command::new("nft").arg(rules).status() else {
            return skip("no nft");
        };
        assert!(status.success());
        send();
        assert_eq!(findings(table.diagnose()), []);
    });
}

#[test]
fn events_that_are_not_listened_to_or_lost_are_told() {
    in_namespace(|| {
        let mut table = table();
        let options = Options::new().receive_buffer(2048);
        let mut events = Events::open_with(EventKind::NEW, &options).unwrap();
        assert_eq!(findings(events.diagnose()), []);
        for port in 2..100 {
            table.create(&udp(port)).unwrap();
        }
        let lost = events.lost().unwrap();
        assert!(lost > 0);
        assert_eq!(findings(events.diagnose()), [Finding::Lost(lost)]);
        assert!(events.find_map(Result::err).is_some());
        let deaf = Events::open(EventKind::empty()).unwrap();
        assert_eq!(findings(deaf.diagnose()), [Finding::NotListening]);
    });
}

#[test]
fn a_thread_that_may_not_is_told() {
    in_namespace(|| {
        let table = table();
        // SAFETY: no pointers are passed; this thread alone loses what it may do.
        let dropped = unsafe {
            let (mut header, sets) = ([0x2008_0522_u32, 0], [0_u32; 6]);
            libc::syscall(libc::SYS_capset, header.as_mut_ptr(), sets.as_ptr())
        };
        assert_eq!(dropped, 0);
        assert_eq!(findings(table.diagnose()), [Finding::NoPrivilege]);
    });
}
