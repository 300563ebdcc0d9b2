//! Values of flows as serde reads and writes them: the feature `serde`.
#![forbid(unsafe_code)]

use ctrs::*;
use serde_json::{Value, from_value, json, to_value};
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A value is written as this, and read again.
#[track_caller]
fn is<T>(value: T, written: Value)
where
    T: Debug + PartialEq + serde::Serialize + serde::de::DeserializeOwned,
{
    assert_eq!(to_value(&value).unwrap(), written);
    assert_eq!(from_value::<T>(written).unwrap(), value);
}

#[track_caller]
fn refused<T: Debug + serde::de::DeserializeOwned>(written: Value, why: &str) {
    let error = from_value::<T>(written).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn end(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn numbers_that_have_names_are_written_as_names() {
    is(Protocol::UdpLite, json!("udplite"));
    is(Protocol::from(253), json!(253));
    is(TcpState::SynSent2, json!("SYN_SENT2"));
    is(SctpState::ShutdownReceived, json!("SHUTDOWN_RECD"));
    is(DccpState::from(77), json!(77));
    is(State::Tcp(TcpState::Close), json!({ "tcp": "CLOSE" }));
    is(Family::Ipv6, json!("ipv6"));
    is(Change::Destroy, json!("destroy"));
    assert_eq!(from_value::<Protocol>(json!(6)).unwrap(), Protocol::Tcp);
    refused::<Protocol>(json!("ip"), "no Protocol is \"ip\"");
    refused::<TcpState>(json!(256), "did not match");
}

#[test]
fn sets_are_numbers_or_lists() {
    is(Status::ASSURED | Status::CONFIRMED, json!(["assured", "confirmed"]));
    is(Status::from_bits_retain(1 << 31 | 2), json!(["seen_reply", 1_u32 << 31]));
    assert_eq!(from_value::<Status>(json!(12)).unwrap(), Status::ASSURED | Status::CONFIRMED);
    refused::<Status>(json!(["sure"]), "no such name");
    is(TcpFlags::SACK_PERMITTED | TcpFlags::from_bits_retain(0x80), json!(0x82));
    is([31, 3, 127].into_iter().collect::<Labels>(), json!([3, 31, 127]));
    refused::<Labels>(json!([256]), "256");
}

#[test]
fn timeout_policies_are_written_as_their_json_is() {
    let timeouts = Timeouts::of(Protocol::Sctp).unwrap();
    let time = Duration::from_secs(31);
    let timeouts = timeouts.with(TimeoutState::SCTP_HEARTBEAT_SENT, time).unwrap();
    is(timeouts, json!({ "protocol": "sctp", "timeouts": { "heartbeat_sent": 31 } }));
    is(
        TimeoutPolicy::new("ship", Family::Ipv6, timeouts).unwrap(),
        json!({ "name": "ship", "family": "ipv6", "protocol": "sctp", "timeouts": { "heartbeat_sent": 31 } }),
    );
    refused::<TimeoutPolicy>(json!({ "protocol": "udp" }), "a name and a family");
    refused::<Timeouts>(json!({ "protocol": "esp" }), "no timeouts");
}

#[test]
fn what_has_parts_is_an_object_of_those_it_has() {
    is(Mark::masked(4, 0xf), json!({ "value": 4, "mask": 15 }));
    assert_eq!(from_value::<Mark>(json!({ "value": 4 })).unwrap(), Mark::from(4));
    is(Zone::from(3), json!({ "number": 3 }));
    is(Zone::reply(3), json!({ "number": 3, "only": "reply" }));
    assert_eq!(
        from_value::<Zone>(json!({ "number": 0, "only": "reply" })).unwrap(),
        Zone::default()
    );
    is(Counters { packets: 1, bytes: u64::MAX }, json!({ "packets": 1, "bytes": u64::MAX }));
    is(Nat::from(ip("10.0.0.9")), json!({ "address": "10.0.0.9" }));
    is(Nat::from(end("[fc00::9]:8443")), json!({ "address": "fc00::9", "port": 8443 }));
    is(Nat::to_port(53), json!({ "port": 53 }));
    refused::<Nat>(json!({}), "did not match");
    is(Helper::new("ftp").unwrap(), json!({ "name": "ftp" }));
    is(Helper::new("x").unwrap().with_data(*b"\x01"), json!({ "name": "x", "info": [1] }));
    refused::<Helper>(json!({ "name": "" }), "1 to 15 bytes");
    let side = TcpSide { flags: TcpFlags::WINDOW_SCALE, window_scale: 7 };
    is(side, json!({ "flags": 1, "window_scale": 7 }));
    is(
        SctpInfo { state: SctpState::Established, tags: [1, 2] },
        json!({ "state": "ESTABLISHED", "original": { "tag": 1 }, "reply": { "tag": 2 } }),
    );
    is(
        SeqAdjust { position: 1, offset_before: 2, offset_after: 3 },
        json!({ "position": 1, "offset_before": 2, "offset_after": 3 }),
    );
    is(
        SynProxy { initial_sequence: 1, initial_timestamp: 2, timestamp_offset: 3 },
        json!({ "initial_sequence": 1, "initial_timestamp": 2, "timestamp_offset": 3 }),
    );
}

#[test]
fn networks_are_text() {
    is("10.0.0.0/8".parse::<Net>().unwrap(), json!("10.0.0.0/8"));
    is("fc00::/7".parse::<Net>().unwrap(), json!("fc00::/7"));
    refused::<Net>(json!("10.0.0.1/8"), "no bits set behind it");
}

#[test]
fn tuples_are_whole_or_refused() {
    let (a, b) = ("10.0.0.1", "10.0.0.2");
    is(
        Tuple::tcp(end("10.0.0.1:1"), end("10.0.0.2:2")).unwrap(),
        json!({ "family": "ipv4", "src": a, "dst": b, "protocol": "tcp", "sport": 1, "dport": 2 }),
    );
    is(
        Tuple::gre(ip(a), ip(b), (7, 0)).unwrap(),
        json!({ "family": "ipv4", "src": a, "dst": b, "protocol": "gre",
                "srckey": 7, "dstkey": 0 }),
    );
    let ping = Tuple::ping(ip("fc00::1"), ip("fc00::2"), 77).unwrap();
    let answer = json!({ "family": "ipv6", "src": "fc00::2", "dst": "fc00::1",
                         "protocol": "icmpv6", "type": 129, "code": 0, "id": 77 });
    is(ping.inverse(), answer);
    is(
        Tuple::other(Protocol::Esp, ip(a), ip(b)).unwrap(),
        json!({ "family": "ipv4", "src": a, "dst": b, "protocol": "esp" }),
    );
    let without = json!({ "src": a, "dst": b, "protocol": "esp" });
    assert_eq!(from_value::<Tuple>(without).unwrap().source(), ip(a));
    refused::<Tuple>(json!({ "protocol": "tcp", "src": a, "dst": b }), "has ports");
    refused::<Tuple>(json!({ "protocol": "esp", "src": a, "dst": "fc00::1" }), "IPv6");
    refused::<Tuple>(json!({ "family": "ipv6", "protocol": "esp", "src": a, "dst": b }), "IPv6");
    let unreachable = json!({ "protocol": "icmp", "src": a, "dst": b,
                              "type": 3, "code": 0, "id": 0 });
    refused::<Tuple>(unreachable, "no such query");
}
