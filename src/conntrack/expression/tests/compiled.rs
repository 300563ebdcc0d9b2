//! What of an expression the kernel is asked.
#![forbid(unsafe_code)]

use super::*;
use crate::conntrack::filter::tuple::{ORIGINAL, REPLY};
use crate::netlink::bpf::BPF_MAXINSNS;

/// What a list asks the kernel, in words.
fn asked(text: &str) -> String {
    let Some(filter) = parsed(text).narrowing().unwrap() else { return "nothing".to_owned() };
    let mut words = Vec::new();
    words.extend(filter.family().map(|family| format!("family {family}")));
    words.extend(filter.mark().map(|(value, mask)| format!("mark {value:x}/{mask:x}")));
    words.extend(filter.status().map(|(value, mask)| format!("status {value:x}/{mask:x}")));
    words.extend(filter.zone().map(|zone| format!("zone {zone}")));
    words.extend(
        filter
            .tuple()
            .map(|ct| format!("tuple {:x} {:x}", ORIGINAL.exact_flags(ct), REPLY.exact_flags(ct))),
    );
    words.join(", ")
}

#[test]
fn what_lists_ask() {
    for (text, asks) in [
        ("all", ""),
        ("not all", ""),
        ("ipv4", "family 2"),
        ("not ipv4", ""),
        ("family {ipv4, ipv6}", ""),
        ("tcp", ""),
        ("tcp and ipv6", "family 10, tuple 8 0"),
        ("tcp and ipv4 and dport 22", "family 2, tuple 28 0"),
        ("tcp and ipv4 and dport {22, 23}", "family 2, tuple 8 0"),
        ("tcp and ipv4 and dport < 22", "family 2, tuple 8 0"),
        ("tcp and ipv4 and dport != 22", "family 2, tuple 8 0"),
        ("tcp and ipv4 and port 22", "family 2, tuple 8 0"),
        ("sctp and ipv4 and dport 22", "family 2, tuple 8 0"),
        ("ipv4 and dport 22", "family 2"),
        ("src 10.0.0.1", "family 2, tuple 1 0"),
        ("src 10.0.0.1 and reply sport 80 and udp", "family 2, tuple 9 18"),
        ("reply dst 10.0.0.1", "family 2, tuple 0 2"),
        ("src 10.0.0.0/8", "family 2"),
        ("src {10.0.0.1, 10.0.0.2}", "family 2"),
        ("src {10.0.0.1, ::1}", ""),
        ("src != 10.0.0.1", ""),
        ("any host 10.0.0.1", "family 2"),
        ("src fc00::1 and icmpv6", "family 10, tuple 8 0"),
        ("src fc00::1 and icmpv6 and icmp type 128", "family 10, tuple 208 0"),
        ("ipv4 and icmp and icmp type 8 and icmp code 0 and icmp id 7", "family 2, tuple 1c8 0"),
        ("ipv4 and icmp type 8", "family 2"),
        ("ipv4 and gre key 5", "family 2, tuple 8 0"),
        ("ipv4 and tcp state established", "family 2, tuple 8 0"),
        ("ipv4 and tcp state != established", "family 2"),
        ("mark 42", "mark 2a/ffffffff"),
        ("mark 42/0xff", "mark 2a/ff"),
        ("mark 1/1 and mark 2/2", "mark 3/3"),
        ("mark != 42", ""),
        ("mark {1, 2}", ""),
        ("mark > 1", ""),
        ("zone 0", "zone 0"),
        ("orig zone 3", "zone 3"),
        ("reply zone 0", ""),
        ("assured", "status 4/4"),
        ("not assured and replied", "status 2/6"),
        ("natted", ""),
        ("not natted", "status 0/30"),
        ("not (snat or dnat)", "status 0/30"),
        ("not offloaded", "status 0/c000"),
        ("label 3 and helper \"ftp\" and id 1 and timeout 1 and age 1 and bytes 1", ""),
        (
            "tcp and dst 10.0.0.0/8 and mark 0x2a/0xff and zone 3 and tcp state established",
            "family 2, mark 2a/ff, zone 3, tuple 8 0",
        ),
        // What each branch of `or` asks.
        ("ipv4 and (tcp and dport 22 or tcp and dport 80)", "family 2, tuple 8 0"),
        ("src 10.0.0.0/8 or src 10.0.0.0/8 and tcp", "family 2"),
        ("zone 1 and tcp or zone 1 and udp or zone 1", "zone 1"),
        ("zone 1 or all", ""),
        ("not (not zone 1 or not mark 1)", "mark 1/ffffffff, zone 1"),
        ("not (zone != 1 and mark != 1)", ""),
        // Two families, or two protocols: nothing.
        ("ipv4 and src ::1", "nothing"),
        ("tcp and udp", "nothing"),
        ("udp and tcp state close", "nothing"),
        ("zone 1 and zone 2", "nothing"),
        ("mark 1/1 and mark 0/1", "nothing"),
        ("assured and not assured", "nothing"),
    ] {
        let turned = format!("not not ({text})");
        assert_eq!((&*asked(text), &*asked(&turned)), (asks, asks), "{text}");
    }
}

/// Branches are compared with each other, of which a hostile text has as many as it likes.
#[test]
fn long_branches_are_compared_in_part() {
    let branch = vec!["mark 1/1"; if cfg!(miri) { 300 } else { 100_000 }].join(" and ");
    assert_eq!(asked(&format!("({branch}) or ({branch})")), "mark 1/1");
}

#[test]
fn explanations_name_who_decides() {
    let explained = |text| parsed(text).explain().unwrap().to_string();
    assert_eq!(
        explained(
            "ipv6 and udp and dport 53 and src fc00::1 and not (label 3 or replied or zone 4)"
        ),
        "ipv6         list: kernel           events: kernel\n\
         udp          list: kernel           events: kernel\n\
         dport 53     list: kernel           events: kernel\n\
         src fc00::1  list: kernel in part   events: kernel\n\
         label != 3   list: library          events: library\n\
         not replied  list: kernel           events: kernel, as it is at that moment\n\
         zone != 4    list: library          events: kernel\n\
         The whole expression is checked again on every flow and event."
    );
    assert_eq!(
        explained("tcp or ipv4"),
        "tcp   list: library          events: kernel\n\
         ipv4  list: library          events: kernel\n\
         The whole expression is checked again on every flow and event."
    );
    assert!(explained("tcp and udp").ends_with("and nothing is listed."));
    assert!(explained("tcp and dport 22").starts_with("tcp       list: library"));
}

/// A list of so many ports.
fn ports(count: usize) -> String {
    let ports: Vec<_> = (0..count).map(|port| (2 * port).to_string()).collect();
    format!("dport {{{}}}", ports.join(", "))
}

#[test]
fn a_program_has_what_fits() {
    let length = |text: &str| parsed(text).program(Decides::All).unwrap().len();
    let (one, two) = (length(&ports(1)), length(&ports(2)));
    assert_eq!(two, one + 1, "a port costs one instruction");
    assert!((4000..=BPF_MAXINSNS).contains(&length(&ports(4000))));
    // The list is left out, the protocol is not.
    let long = format!("{} and tcp", ports(5000));
    assert_eq!(length(&long), length("tcp"));
    let explained = parsed(&long).explain().unwrap().to_string();
    let lines: Vec<_> = explained.lines().map(|line| line.split("events: ").nth(1)).collect();
    assert_eq!(lines[0], Some("library, as the kernel takes no longer program"));
    assert_eq!(lines[1], Some("kernel"));
    // Of many the first ones.
    let many = vec!["host != 10.0.0.1"; 1000].join(" and ");
    assert!((3500..=BPF_MAXINSNS).contains(&length(&many)));
    let alternatives = vec!["host 10.0.0.1"; 1000].join(" or ");
    assert_eq!(length(&alternatives), length("all"));
}

#[test]
fn what_changes_is_asked_only_where_each_event_counts() {
    let length = |text: &str, decides| parsed(text).program(decides).unwrap().len();
    let all = length("all", Decides::All);
    for text in ["mark 1", "assured", "tcp state close", "timeout 5"] {
        assert!(length(text, Decides::All) > all);
        assert_eq!(length(text, Decides::Fixed), all, "{text}");
    }
    for text in ["label 1", "helper \"ftp\"", "age 1", "bytes 1", "packets 1"] {
        assert_eq!(length(text, Decides::All), all, "{text}");
    }
    for text in ["ipv4", "tcp", "src ::1", "port 1", "icmp id 1", "gre key 1", "zone 1", "id 1"] {
        assert!(length(text, Decides::Fixed) > all, "{text}");
    }
}
