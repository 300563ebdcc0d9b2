//! The examples for Rust programs, run as a user would, in a network namespace of their own.

mod flows;
mod logs;

use capi_tests::in_namespace;
use ctrs::{Expectations, Flow, FlowTable, Helper, NewExpectation, Pattern, Tuple};
use flows::{end, proc_table, udp};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

/// Starts an example of the library.
fn start(name: &str, arguments: &[&str]) -> Child {
    let cargo = std::env::var_os("CARGO").expect("run by cargo");
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--offline", "--manifest-path", library, "--example", name]);
    command.arg("--").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What an example that has ended has printed, and whether it was content.
fn end_of(example: Child) -> (String, bool) {
    let output = example.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.success())
}

fn run(name: &str, arguments: &[&str]) -> String {
    let (text, content) = end_of(start(name, arguments));
    assert!(content, "{name}: {text}");
    text
}

/// Some flows: two of TCP and one of UDP to 10.9.0.0/24, one of TCP elsewhere.
fn table() -> FlowTable {
    let mut table = FlowTable::open().unwrap();
    table.create(&udp(1)).unwrap();
    for (client, server) in [
        ("10.9.0.1:1", "10.9.0.2:80"),
        ("10.9.0.7:2", "10.9.0.1:80"),
        ("10.9.0.7:3", "192.0.2.1:80"),
    ] {
        table.create(&Flow::tcp(end(client), end(server)).unwrap()).unwrap();
    }
    table
}

#[test]
fn flows_to_a_network_are_printed() {
    in_namespace(|| {
        drop(table());
        let printed = run("flows_to", &["10.9.0.0/24"]);
        assert_eq!(printed.lines().count(), 2, "{printed}");
        assert!(
            printed.lines().all(|line| line.starts_with("ipv4     2 tcp      6 ")),
            "{printed}"
        );
        assert_eq!(run("flows_to", &["fc00::/7"]), "");
        let (refused, content) = end_of(start("flows_to", &["10.9.0.1/24"]));
        assert!(!content && refused.contains("Net"), "{refused}");
    });
}

#[test]
fn flows_of_a_client_are_deleted() {
    in_namespace(|| {
        drop(table());
        let printed = run("kill", &["any host 10.9.0.1"]);
        assert_eq!(printed, "3 deleted, 0 gone before\n");
        assert_eq!(proc_table().lines().count(), 1);
        assert!(proc_table().contains("192.0.2.1"));
    });
}

#[test]
fn flows_are_created_by_a_batch() {
    in_namespace(|| {
        let server = end("10.2.0.1:53");
        let there = Flow::udp(end("10.1.0.1:7"), server).unwrap();
        FlowTable::open().unwrap().create(&there).unwrap();
        let printed = run("load", &["300"]);
        let lines: Vec<_> = printed.lines().collect();
        assert_eq!(lines.len(), 3, "{printed}");
        assert!(lines[0].contains("src=10.1.0.1 dst=10.2.0.1 sport=0 dport=53"), "{printed}");
        assert!(lines[1].contains("belongs to another flow"), "{printed}");
        assert_eq!(lines[2], "298 created by the batch, 1 refused");
        assert_eq!(proc_table().lines().count(), 300);
    });
}

#[test]
fn events_are_printed_as_they_come() {
    in_namespace(|| {
        let mut watch = start("watch", &["3"]);
        let mut table = FlowTable::open().unwrap();
        let mut flows = (1..).map(udp);
        // Until it listens and has heard enough.
        while watch.try_wait().unwrap().is_none() {
            table.create(&flows.next().unwrap()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let (printed, content) = end_of(watch);
        assert!(content, "{printed}");
        let lines: Vec<_> = printed.lines().collect();
        assert_eq!(lines.len(), 3, "{printed}");
        assert!(lines.iter().all(|line| line.starts_with("new ipv4")), "{printed}");
    });
}

#[test]
fn a_copy_of_the_table_is_kept_and_asked() {
    in_namespace(|| {
        std::fs::write("/proc/sys/net/netfilter/nf_conntrack_events", "1").unwrap();
        let mut table = table();
        let mut example = start("mirror", &["tcp"]);
        let mut output = BufReader::new(example.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut input = example.stdin.take().unwrap();
        let mut first: Vec<_> = output.by_ref().take(4).collect();
        assert_eq!(first.pop().as_deref(), Some("3 flows are kept"));
        assert!(first.iter().all(|line| line.starts_with("new (found out) ipv4")), "{first:?}");
        let flow = Flow::tcp(end("10.9.0.7:2"), end("10.9.0.1:80")).unwrap();
        table.update(&flow, &ctrs::Changes::new().mark(9)).unwrap();
        let told = output.next().unwrap();
        assert!(told.starts_with("now ipv4") && told.contains("mark=9"), "{told}");
        input.write_all(b"192.0.2.1\nnone\n").unwrap();
        let told = output.next().unwrap();
        assert!(told.starts_with("open: ipv4") && told.contains("dst=192.0.2.1"), "{told}");
        assert_eq!(output.next().as_deref(), Some("of 3 flows, 2 of which have not reported yet"));
        let told = output.next().unwrap();
        assert!(told.contains("byte 9"), "what is wrong is told: {told}");
        table.delete(&flow).unwrap();
        assert!(output.next().unwrap().starts_with("end ipv4"));
        drop(input);
        assert!(example.wait().unwrap().success());
    });
}

#[test]
fn a_connection_is_redirected() {
    in_namespace(|| {
        let ends = ["10.9.0.1:1", "192.0.2.7:443", "10.9.0.9:8443"];
        let printed = run("redirect", &ends);
        assert!(printed.contains("src=10.9.0.9 dst=10.9.0.1 sport=8443 dport=1"), "{printed}");
        assert!(proc_table().contains("mark=1"));
        let (refused, content) = end_of(start("redirect", &ends));
        assert!(!content, "{refused}");
        assert!(
            refused.contains("cannot create the flow: the tuple, or the reply tuple"),
            "{refused}"
        );
    });
}

#[test]
fn events_are_printed_until_a_line_is_typed() {
    in_namespace(|| {
        let mut stop = start("stop", &[]);
        let mut output = BufReader::new(stop.stdout.take().unwrap());
        let mut input = stop.stdin.take().unwrap();
        let flows = std::thread::spawn({
            let mut table = FlowTable::open().unwrap();
            // Until it listens.
            move || {
                while stop.try_wait().unwrap().is_none() {
                    table.create(&udp(1)).unwrap();
                    table.flush().unwrap();
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
            }
        });
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.starts_with("new ipv4") || line.starts_with("destroy ipv4"), "{line}");
        input.write_all(b"\n").unwrap();
        let last = output.lines().map(Result::unwrap).last();
        assert_eq!(last.as_deref(), Some("0 events were lost"));
        flows.join().unwrap();
    });
}

#[test]
fn flows_are_counted_where_a_process_is() {
    in_namespace(|| {
        drop(table());
        let mut there = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let printed = run("netns", &[&there.id().to_string()]);
        drop(there.stdin.take());
        assert!(there.wait().unwrap().success());
        assert_eq!(printed, "4 flows\n");
        let (refused, content) = end_of(start("netns", &["0"]));
        let why = "open failed: there is no network namespace of this name";
        assert!(!content && refused.contains(why), "{refused}");
    });
}

#[test]
fn what_is_in_the_way_is_printed() {
    in_namespace(|| {
        let acct = "/proc/sys/net/netfilter/nf_conntrack_acct";
        std::fs::write(acct, "0").unwrap();
        drop(table());
        let printed = run("diagnose", &[]);
        let first = printed.lines().next().unwrap_or_default();
        assert!(first.starts_with("The table holds 4 of at most "), "{printed}");
        assert!(printed.contains("nf_conntrack_acct is 0: flows have no counters"), "{printed}");
        assert!(printed.contains("flows count nothing"), "{printed}");
        std::fs::write(acct, "1").unwrap();
        assert!(!run("diagnose", &[]).contains("flows count nothing"));
    });
}

#[test]
fn logged_packets_are_printed_until_a_line_is_typed() {
    in_namespace(|| {
        logs::log_output("udp dport 9 log group 5 prefix \"nine: \"");
        let mut example = start("log", &["5"]);
        let mut output = BufReader::new(example.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert_eq!(output.next().as_deref(), Some("group 5"));
        logs::send(9, b"abc", 2);
        for _ in 0..2 {
            assert_eq!(output.next().as_deref(), Some("nine: device 0 to 1, 31 bytes"));
        }
        example.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert_eq!(output.next().as_deref(), Some("0 packets were lost"));
        assert!(example.wait().unwrap().success());
        let (refused, content) = end_of(start("log", &["none"]));
        assert!(!content && refused.contains("InvalidDigit"), "{refused}");
    });
}

#[test]
fn expectations_are_printed() {
    in_namespace(|| {
        let control = Tuple::tcp(end("10.9.0.1:1000"), end("10.9.0.2:21")).unwrap();
        let flow = ctrs::NewFlow::new(control).helper(Helper::new("ftp").unwrap());
        FlowTable::open().unwrap().create(&flow).unwrap();
        let data = Tuple::tcp(end("10.9.0.1:0"), end("10.9.0.2:2021")).unwrap();
        let data = Pattern::from(data).any_source_port();
        Expectations::open().unwrap().create(&NewExpectation::new(control, data)).unwrap();
        assert_eq!(
            run("expectations", &[]),
            "tcp 10.9.0.1:* -> 10.9.0.2:2021, expected by ftp of \
             tcp 10.9.0.1:1000 -> 10.9.0.2:21\n"
        );
    });
}

#[test]
fn what_went_wrong_is_told() {
    in_namespace(|| {
        drop(table());
        let ends = ["10.9.0.7:3", "192.0.2.1:80"];
        assert_eq!(run("errors", &ends), "");
        let printed = run("errors", &ends);
        assert!(printed.starts_with("nothing to delete: no such flow"), "{printed}");
        let (refused, content) = end_of(start("errors", &["10.9.0.7:3", "[fc00::1]:80"]));
        assert!(!content && refused.contains("Family"), "{refused}");
    });
}

#[test]
fn timeout_policies_are_made_and_listed() {
    in_namespace(|| {
        let printed = run("timeouts", &["hour", "3600"]);
        let lines: Vec<_> = printed.lines().collect();
        assert!(lines[0].starts_with("hour ipv4 tcp SYN_SENT=120 "), "{printed}");
        assert!(lines[0].contains(" ESTABLISHED=3600 "), "{printed}");
        assert!(lines[1].starts_with("others: tcp "), "{printed}");
    });
}
