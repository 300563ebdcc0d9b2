//! What expressions are of flows.
#![forbid(unsafe_code)]

use super::*;
use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::{Counters, Slot};
use crate::conntrack::object::status::Status;
use Truth::{False, True, Unknown};

fn put(ct: &mut Conntrack, attr: Attr, bytes: &[u8]) {
    let mut slot: Slot = [0; 16];
    slot[..bytes.len()].copy_from_slice(bytes);
    ct.set(attr, slot);
}

/// A flow of a protocol over IPv4, whose destination is translated.
fn ipv4(protocol: u8) -> Conntrack {
    let mut ct = Conntrack::new();
    for (attr, bytes) in [
        (Attr::OrigL3Proto, &[2][..]),
        (Attr::ReplL3Proto, &[2]),
        (Attr::OrigL4Proto, &[protocol]),
        (Attr::ReplL4Proto, &[protocol]),
        (Attr::OrigIpv4Src, &[10, 0, 0, 1]),
        (Attr::OrigIpv4Dst, &[192, 0, 2, 1]),
        (Attr::ReplIpv4Src, &[10, 9, 9, 9]),
        (Attr::ReplIpv4Dst, &[10, 0, 0, 1]),
        (Attr::Status, &(Status::DST_NAT | Status::ASSURED).bits().to_ne_bytes()),
    ] {
        put(&mut ct, attr, bytes);
    }
    ct
}

fn with_ports(protocol: u8) -> Conntrack {
    let mut ct = ipv4(protocol);
    for (attr, port) in [
        (Attr::OrigPortSrc, 1000_u16),
        (Attr::OrigPortDst, 80),
        (Attr::ReplPortSrc, 8080),
        (Attr::ReplPortDst, 1000),
    ] {
        put(&mut ct, attr, &port.to_be_bytes());
    }
    ct
}

/// A flow of TCP of which everything was told.
fn whole() -> Conntrack {
    let mut ct = with_ports(6);
    put(&mut ct, Attr::TcpState, &[3]);
    put(&mut ct, Attr::Mark, &0x2a_u32.to_ne_bytes());
    put(&mut ct, Attr::Zone, &7_u16.to_ne_bytes());
    put(&mut ct, Attr::Id, &99_u32.to_ne_bytes());
    put(&mut ct, Attr::Timeout, &120_u32.to_ne_bytes());
    put(&mut ct, Attr::HelperName, b"ftp");
    let mut labels = Bitmask::new(127).unwrap().unwrap();
    labels.set(3);
    labels.set(127);
    ct.set_labels(labels, false);
    ct.flat.counters =
        [Counters { packets: 10, bytes: 1000 }, Counters { packets: 20, bytes: 2000 }];
    (ct.flat.start, ct.flat.stop) = (1_000_000_000, 61_900_000_000);
    for attr in [
        Attr::OrigCounterPackets,
        Attr::ReplCounterPackets,
        Attr::TimestampStart,
        Attr::TimestampStop,
    ] {
        ct.flat.present.set(attr);
    }
    ct
}

fn truth(text: &str, ct: &Conntrack) -> Truth {
    parsed(text).truth(ct, None)
}

/// Each field and operator: what is true, what is false.
#[test]
fn each_field_holds_or_does_not() {
    let ct = whole();
    for (holds, not) in [
        ("all", "not all"),
        ("ipv4", "ipv6"),
        ("family {ipv4, ipv6}", "family != ipv4"),
        ("tcp", "udp"),
        ("proto {17, 6}", "proto != tcp"),
        ("src 10.0.0.1", "src 10.0.0.2"),
        ("src {1.1.1.1, 10.0.0.0/8}", "src != 10.0.0.0/8"),
        ("src 0.0.0.0/0", "src ::/0"),
        ("src != ::/0", "host fc00::/7"),
        ("dst 192.0.2.0/24", "dst 10.9.9.9"),
        ("reply src 10.9.9.9", "reply src 192.0.2.1"),
        ("reply dst 10.0.0.1", "reply dst 192.0.2.0/24"),
        ("any src 10.9.9.9", "any src 192.0.2.1"),
        ("any dst 192.0.2.1", "any dst 10.9.9.9"),
        ("host 192.0.2.1", "host 10.9.9.9"),
        ("reply host 10.9.9.9", "reply host 192.0.2.1"),
        ("any host 10.9.9.9", "any host != 10.9.9.9"),
        ("sport 1000", "sport 80"),
        ("dport 80", "dport 8080"),
        ("dport {22, 80}", "dport {22, 443}"),
        ("dport 79-81", "dport 81-90"),
        ("dport < 81", "dport < 80"),
        ("dport <= 80", "dport <= 79"),
        ("dport > 79", "dport > 80"),
        ("dport >= 80", "dport >= 81"),
        ("dport != {22, 443}", "dport != {22, 80}"),
        ("port 80", "port 8080"),
        ("port != 22", "port != 1000"),
        ("reply sport 8080", "reply sport 80"),
        ("reply dport 1000", "reply dport 80"),
        ("reply port 8080", "reply port 80"),
        ("any port 8080", "any port 81-999"),
        ("mark 42", "mark 43"),
        ("mark 0xa/0xf", "mark 0x1/0x1"),
        ("mark {1, 42}", "mark != 42"),
        ("mark 40-50", "mark < 42"),
        ("mark 0/0", "not mark 0/0"),
        ("zone 7", "zone 0"),
        ("orig zone 7 and reply zone 7", "orig zone 0 or reply zone 0"),
        ("zone > 6", "zone != 7"),
        ("tcp state established", "tcp state syn_sent"),
        ("tcp state {close, established}", "tcp state != established"),
        ("assured", "not assured"),
        ("not replied", "replied"),
        ("dnat", "snat"),
        ("natted", "not natted"),
        ("not expected", "expected"),
        ("not dying", "dying"),
        ("not offloaded", "offloaded"),
        ("not fixed-timeout", "fixed-timeout"),
        ("label 3", "label 4"),
        ("label {4, 127}", "label != {4, 127}"),
        ("helper \"ftp\"", "helper \"ft\""),
        ("helper {\"sip\", \"ftp\"}", "helper != \"ftp\""),
        ("id 99", "id != 99"),
        ("timeout 2m", "timeout < 2m"),
        ("timeout 1m-1h", "timeout 0-119"),
        ("age 1m", "age > 1m"),
        ("age >= 60", "age < 60"),
        ("bytes 3k", "bytes != 3k"),
        ("orig bytes 1k", "orig bytes 2k"),
        ("reply bytes 2k", "reply bytes 1Ki"),
        ("packets 30", "packets > 30"),
        ("orig packets < 11", "orig packets 11-99"),
        ("reply packets {20}", "reply packets 10"),
        ("tcp and dport 80", "tcp and dport 81"),
        ("udp or dport 80", "udp or dport 81"),
        ("not (udp or dport 81)", "not (tcp and dport 80)"),
    ] {
        assert_eq!((truth(holds, &ct), truth(not, &ct)), (True, False), "{holds}; {not}");
        let (holds, not) = (format!("not ({holds})"), format!("not ({not})"));
        assert_eq!((truth(&holds, &ct), truth(&not, &ct)), (False, True), "{holds}; {not}");
    }
}

/// What was not told leaves a term open, however it is turned.
/// Each flag, of a flow that has but one bit of the status: never unknown.
#[test]
fn each_flag_is_of_its_bits() {
    let flags = [
        ("expected", Status::EXPECTED),
        ("replied", Status::SEEN_REPLY),
        ("assured", Status::ASSURED),
        ("snat", Status::SRC_NAT),
        ("dnat", Status::DST_NAT),
        ("natted", Status::SRC_NAT | Status::DST_NAT),
        ("dying", Status::DYING),
        ("fixed-timeout", Status::FIXED_TIMEOUT),
        ("offloaded", Status::OFFLOAD | Status::HW_OFFLOAD),
    ];
    for bit in (0..32).map(|bit| Status::from_bits_retain(1 << bit)) {
        let mut ct = ipv4(6);
        put(&mut ct, Attr::Status, &bit.bits().to_ne_bytes());
        for (flag, bits) in flags {
            let (is_set, text) = (bits.contains(bit), format!("not {flag}"));
            let wanted = if is_set { [True, False] } else { [False, True] };
            assert_eq!([truth(flag, &ct), truth(&text, &ct)], wanted, "{flag} of {bit:?}");
        }
    }
}

#[test]
fn what_was_not_told_is_unknown() {
    let udp = with_ports(17);
    for text in [
        "tcp state established",
        "sctp state closed",
        "dccp state open",
        "icmp type 8",
        "icmp code 0",
        "icmp id 1",
        "gre key 1",
        "reply gre key 1",
        "id 1",
        "timeout 1",
        "age > 1h",
        "bytes > 1M",
        "orig bytes 0",
        "reply packets 0",
    ] {
        for text in [text.to_owned(), format!("not {text}"), format!("all and {text}")] {
            assert_eq!(truth(&text, &udp), Unknown, "{text}");
        }
        assert_eq!(truth(&format!("udp or {text}"), &udp), True);
        assert_eq!(truth(&format!("tcp and {text}"), &udp), False);
        assert_eq!(truth(&format!("tcp or {text}"), &udp), Unknown);
    }
    let empty = Conntrack::new();
    for text in ["ipv4", "tcp", "src 10.0.0.1", "any host ::/0", "dport 1", "reply port != 1"] {
        assert_eq!(truth(text, &empty), Unknown, "{text}");
    }
}

/// What the kernel leaves out because it is nothing is nothing.
#[test]
fn what_is_left_out_is_nothing() {
    let udp = ipv4(17);
    for text in [
        "mark 0",
        "not mark 1/1",
        "zone 0",
        "orig zone 0 and reply zone 0",
        "label != 1",
        "helper != \"ftp\"",
    ] {
        assert_eq!(truth(text, &udp), True, "{text}");
    }
    assert_eq!(truth("not (assured or replied or natted)", &Conntrack::new()), True);
}

/// Events do not tell all: which of them tell what.
#[test]
fn presence_depends_on_the_event() {
    let udp = ipv4(17);
    for (text, truths) in [
        ("label != 1", [True, Unknown, Unknown]),
        ("label 1", [False, Unknown, Unknown]),
        ("helper != \"ftp\"", [True, True, Unknown]),
        ("mark 0", [True; 3]),
        ("zone 0", [True; 3]),
        ("bytes 0", [Unknown; 3]),
        ("tcp state close", [Unknown; 3]),
    ] {
        let of = |change| parsed(text).truth(&udp, Some(change));
        assert_eq!([Change::New, Change::Update, Change::Destroy].map(of), truths, "{text}");
    }
    let told = parsed("label 3 and helper \"ftp\" and tcp state established");
    for change in [Change::New, Change::Update, Change::Destroy] {
        assert_eq!(told.matches_event(change, &Flow(whole().try_clone().unwrap())), True);
    }
}

#[test]
fn zones_of_one_direction() {
    for (attr, original, reply) in [(Attr::OrigZone, 5, 0), (Attr::ReplZone, 0, 5)] {
        let mut ct = ipv4(17);
        put(&mut ct, attr, &5_u16.to_ne_bytes());
        let text = format!("zone 5 and not zone 0 and orig zone {original} and reply zone {reply}");
        assert_eq!(truth(&text, &ct), True, "{text}");
    }
}

#[test]
fn layer_4_by_protocol() {
    for protocol in [6, 17, 33, 132, 136] {
        assert_eq!(truth("port 80 and any port 8080", &with_ports(protocol)), True);
    }
    let mut gre = with_ports(47);
    assert_eq!(truth("gre key 80 and reply gre key 8080 and not gre key 8080", &gre), True);
    assert_eq!(truth("port 80", &gre), Unknown);
    gre.unset(Attr::OrigPortDst);
    assert_eq!((truth("gre key 80", &gre), truth("gre key 1000", &gre)), (Unknown, True));
    for protocol in [1, 58] {
        let mut icmp = with_ports(protocol);
        put(&mut icmp, Attr::IcmpType, &[8]);
        put(&mut icmp, Attr::IcmpCode, &[1]);
        put(&mut icmp, Attr::IcmpId, &300_u16.to_be_bytes());
        assert_eq!(truth("icmp type 8 and icmp code 1 and icmp id 300", &icmp), True);
        assert_eq!(truth("icmp type 0 or icmp code 0 or icmp id 301", &icmp), False);
        assert_eq!(truth("port 80 or gre key 80", &icmp), Unknown);
    }
    for (text, protocol, attr) in
        [("sctp state closed", 132, Attr::SctpState), ("dccp state request", 33, Attr::DccpState)]
    {
        let mut ct = with_ports(protocol);
        put(&mut ct, attr, &[1]);
        assert_eq!(truth(text, &ct), True);
    }
}

#[test]
fn ipv6_addresses() {
    let mut ct = ipv4(17);
    for attr in [Attr::OrigIpv4Src, Attr::OrigIpv4Dst, Attr::ReplIpv4Src, Attr::ReplIpv4Dst] {
        ct.unset(attr);
    }
    put(&mut ct, Attr::OrigL3Proto, &[10]);
    put(&mut ct, Attr::OrigIpv6Src, &[0xfc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    for (text, wanted) in [
        ("ipv6", True),
        ("src fc00::1", True),
        ("src fc00::/7", True),
        ("src fc00::2", False),
        ("src 0.0.0.0/0", False),
        ("src != 10.0.0.0/8", True),
        ("dst fc00::/7", Unknown),
        ("host fc00::1", True),
    ] {
        assert_eq!(truth(text, &ct), wanted, "{text}");
    }
}

#[test]
fn an_age_counts_until_now() {
    let mut ct = ipv4(17);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    ct.flat.start = now - 100_000_000_000;
    ct.flat.present.set(Attr::TimestampStart);
    assert_eq!(truth("age 100-200", &ct), True);
    ct.flat.start = u64::MAX;
    assert_eq!(truth("age 0", &ct), True);
}

#[test]
fn joined_truths() {
    use super::super::tree::Joint;
    use Joint::{And, Or};
    for (a, b, and, or) in [
        (True, True, True, True),
        (True, False, False, True),
        (False, False, False, False),
        (Unknown, True, Unknown, True),
        (Unknown, False, False, Unknown),
        (Unknown, Unknown, Unknown, Unknown),
    ] {
        assert_eq!((a.join(b, And), b.join(a, And)), (and, and));
        assert_eq!((a.join(b, Or), b.join(a, Or)), (or, or));
        assert_eq!(!and, (!a).join(!b, Or));
    }
}
