//! Every refusal of a flow, or of a list of flows, is provoked and explained: by the running kernel,
//! with requests of which each has one fault.

mod requests;

use capi_tests::{in_namespace, skip};
use ctrs::RequestKind;
use ctrs::uapi::{cta, ips};
use requests::{Asks, UDP, ask, attribute, be32, connect, nest, ports, refused, tuple};

fn icmp(kind: u8) -> Asks {
    let member = |number, value: &[u8]| (number, value.to_vec());
    let tuple = |from, to| {
        let members = [
            member(cta::PROTO_ICMP_CODE, &[0]),
            member(cta::PROTO_ICMP_TYPE, &[kind]),
            member(cta::PROTO_ICMP_ID, &[0, 7]),
        ];
        tuple(1, from, to, &members)
    };
    Asks::create(1).with(cta::TUPLE_ORIG, tuple(1, 2)).with(cta::TUPLE_REPLY, tuple(2, 1))
}

/// A tuple with a zone of its own.
fn zoned(mut tuple: Vec<u8>) -> Vec<u8> {
    tuple.extend(attribute(cta::TUPLE_ZONE, &[0, 3]));
    tuple
}

#[test]
fn what_a_flow_lacks_is_named() {
    in_namespace(|| {
        let original = || tuple(UDP, 1, 2, &ports(9, 53));
        let sctp = Asks::of(RequestKind::Create, 132, 9);
        let part_of_sctp = nest(&[(cta::PROTOINFO_SCTP, nest(&[(cta::SCTP_STATE, vec![3])]))]);
        let part = nest(&[(1, be32(1)), (2, be32(1))]);
        let label = vec![1; 4];
        let rows = [
            (Asks::create(9).without(cta::TIMEOUT), Some("timeout"), "the flow has no timeout"),
            (Asks::create(9).without(cta::TUPLE_REPLY), Some("reply tuple"), "no reply tuple"),
            (Asks::create(9).without(cta::TUPLE_ORIG), Some("original tuple"), "no original tuple"),
            (
                Asks::create(9).with(cta::TUPLE_REPLY, tuple(6, 2, 1, &ports(53, 9))),
                Some("protocol of the reply tuple"),
                "another protocol than the original",
            ),
            (icmp(3), Some("ICMP type"), "is no query"),
            (icmp(255), Some("ICMP type"), "is no query"),
            (
                Asks::create(9)
                    .with(cta::ZONE, vec![0, 3])
                    .with(cta::TUPLE_ORIG, zoned(original())),
                Some("zone"),
                "a zone is given twice",
            ),
            (
                Asks { family: 10, ..Asks::create(9) },
                Some("original tuple"),
                "the original tuple lacks addresses",
            ),
            (
                sctp.with(cta::PROTOINFO, part_of_sctp),
                Some("SCTP state"),
                "SCTP state is incomplete",
            ),
            (Asks::create(9).with(cta::HELP, Vec::new()), Some("helper"), "the helper has no name"),
        ];
        let rows = rows.map(|(asks, blamed, words)| (asks, libc::EINVAL, blamed, words));
        let mut exchange = connect();
        refused(&mut exchange, &rows);
        // What only a flow that is there can be refused.
        ask(&mut exchange, &Asks::create(9)).unwrap();
        let rows = [
            (Asks::update(9).with(cta::SEQ_ADJ_ORIG, part.clone()), "sequence adjustment"),
            (
                Asks::update(9).with(cta::SEQ_ADJ_REPLY, part.clone()),
                "sequence adjustment of the reply",
            ),
            (Asks::update(9).with(cta::SYNPROXY, part), "synproxy state"),
        ];
        for (asks, blamed) in rows {
            // A kernel, or a flow, without such a part does not look.
            match ask(&mut exchange, &asks) {
                Ok(()) => skip(&format!("this flow has no {blamed}")),
                Err(error) => {
                    assert_eq!(error.attribute(), Some(blamed), "{error}");
                    assert!(error.to_string().contains("is incomplete"), "{error}");
                }
            }
        }
        let odd = Asks::update(9).with(cta::LABELS, label.clone()).with(cta::LABELS_MASK, vec![]);
        let error = ask(&mut exchange, &odd).unwrap_err();
        assert_eq!(error.attribute(), Some("labels"), "{error}");
    });
}

#[test]
fn what_a_new_flow_meets_is_named() {
    in_namespace(|| {
        let help = |name: &str| nest(&[(cta::HELP_NAME, [name.as_bytes(), b"\0"].concat())]);
        let nat = nest(&[(cta::NAT_V4_MINIP, vec![10, 9, 0, 9])]);
        let rows = [
            (Asks::create(9), libc::EEXIST, None, "the tuple, or the reply tuple, belongs to"),
            (
                Asks::create(9).with(cta::NAT_SRC, nat),
                libc::EEXIST,
                None,
                "or the reply tuple that NAT makes",
            ),
            (
                Asks::create(10).with(cta::HELP, help("no-such")),
                libc::EOPNOTSUPP,
                Some("helper"),
                "the kernel has no helper of this name",
            ),
            (
                Asks::create(10).with(cta::HELP, help("ftp")),
                libc::EOPNOTSUPP,
                Some("helper"),
                "has this helper, but for another protocol",
            ),
            (
                Asks { family: 7, ..Asks::create(10) },
                libc::EOPNOTSUPP,
                Some("original tuple"),
                "neither AF_INET nor AF_INET6",
            ),
            (
                Asks::create(10).with(cta::TUPLE_MASTER, tuple(UDP, 1, 2, &ports(99, 53))),
                libc::ENOENT,
                Some("master"),
                "the master is no flow of the table",
            ),
            (
                Asks::create(10).with(cta::STATUS, be32(ips::CONFIRMED | ips::DYING)),
                libc::EBUSY,
                Some("status"),
                "EXPECTED and DYING are status bits that only the kernel sets",
            ),
        ];
        let mut exchange = connect();
        ask(&mut exchange, &Asks::create(9)).unwrap();
        refused(&mut exchange, &rows);
    });
}

#[test]
fn what_cannot_be_changed_is_named() {
    in_namespace(|| {
        let help = |name: &str| nest(&[(cta::HELP_NAME, [name.as_bytes(), b"\0"].concat())]);
        let status = |bits: u32| Asks::update(9).with(cta::STATUS, be32(bits));
        let state = |state: u8| {
            let tcp = nest(&[(cta::PROTOINFO_TCP, nest(&[(cta::TCP_STATE, vec![state])]))]);
            Asks::of(RequestKind::Update, 6, 9).with(cta::PROTOINFO, tcp)
        };
        let nat = || nest(&[(cta::NAT_V4_MINIP, vec![10, 9, 0, 9])]);
        let confirmed = ips::CONFIRMED;
        let busy = libc::EBUSY;
        let rows = [
            (status(confirmed | ips::DYING), busy, "status", "DYING is a status bit that only"),
            (status(ips::SEEN_REPLY | ips::ASSURED), busy, "status", "CONFIRMED is a status bit"),
            (status(confirmed | ips::EXPECTED), busy, "status", "EXPECTED is a status bit that"),
            (status(confirmed), busy, "status", "the flow has SEEN_REPLY, ASSURED or EXPECTED"),
            (
                status(confirmed | ips::SEEN_REPLY),
                busy,
                "status",
                "the flow has ASSURED or EXPECTED",
            ),
            (
                Asks::update(9).with(cta::NAT_SRC, nat()),
                libc::EOPNOTSUPP,
                "source NAT",
                "the NAT of a flow cannot be changed",
            ),
            (
                Asks::update(9).with(cta::NAT_DST, nat()),
                libc::EOPNOTSUPP,
                "destination NAT",
                "the NAT of a flow cannot be changed",
            ),
            (
                Asks::update(9).with(cta::TUPLE_MASTER, tuple(UDP, 1, 2, &ports(10, 53))),
                libc::EOPNOTSUPP,
                "master",
                "the master of a flow cannot be changed",
            ),
            (
                Asks::update(9).with(cta::HELP, help("tftp")),
                libc::EOPNOTSUPP,
                "helper",
                "the flow was created without a helper",
            ),
            (
                Asks::update(11).with(cta::HELP, help("netbios-ns")),
                libc::EBUSY,
                "helper",
                "the flow has another helper",
            ),
            (
                Asks::update(9).with(cta::LABELS, vec![1; 16]),
                libc::ENOSPC,
                "labels",
                "no rule of this namespace used labels when it began",
            ),
            (state(20), libc::ERANGE, "TCP state", "the TCP state is none that the kernel has"),
            (
                Asks::update(10).with(cta::TIMEOUT, be32(5)),
                libc::EPERM,
                "timeout",
                "the flow has a fixed timeout",
            ),
        ];
        let rows = rows.map(|(asks, errno, blamed, words)| (asks, errno, Some(blamed), words));
        let mut exchange = connect();
        let all = confirmed | ips::SEEN_REPLY | ips::ASSURED;
        let fixed = be32(confirmed | ips::FIXED_TIMEOUT);
        ask(&mut exchange, &Asks::create(9).with(cta::STATUS, be32(all))).unwrap();
        ask(&mut exchange, &Asks::create(10).with(cta::STATUS, fixed)).unwrap();
        ask(&mut exchange, &Asks::create(11).with(cta::HELP, help("tftp"))).unwrap();
        ask(&mut exchange, &Asks::of(RequestKind::Create, 6, 9)).unwrap();
        refused(&mut exchange, &rows);
    });
}

#[test]
fn what_is_not_there_is_named() {
    in_namespace(|| {
        let mut exchange = connect();
        ask(&mut exchange, &Asks::create(9)).unwrap();
        for kind in [RequestKind::Get, RequestKind::Update, RequestKind::Delete] {
            let of = |port| Asks::of(kind, UDP, port);
            let rows = [
                (of(1), None, "none has this tuple, unless in another zone"),
                (
                    of(9).with(cta::ZONE, vec![0, 3]),
                    Some("zone"),
                    "none has this tuple in this zone",
                ),
            ];
            let rows = rows.map(|(asks, blamed, words)| (asks, libc::ENOENT, blamed, words));
            refused(&mut exchange, &rows);
        }
        let other = Asks::of(RequestKind::Delete, UDP, 9).with(cta::ID, be32(1));
        refused(&mut exchange, &[(other, libc::ENOENT, Some("id"), "another took its place")]);
    });
}

#[test]
fn what_a_filter_lacks_is_named() {
    in_namespace(|| {
        let flags = |original: u32| {
            let number = |flags: u32| flags.to_ne_bytes().to_vec();
            nest(&[
                (cta::FILTER_ORIG_FLAGS, number(original)),
                (cta::FILTER_REPLY_FLAGS, number(0)),
            ])
        };
        for kind in [RequestKind::List, RequestKind::Flush] {
            let of_family = || Asks { family: 2, ..Asks::bare(kind) };
            let with_tuple = || of_family().with(cta::TUPLE_ORIG, tuple(UDP, 1, 2, &ports(1, 2)));
            let rows = [
                (of_family().with(cta::STATUS, be32(0)), "status", "at none of its bits"),
                (
                    of_family().with(cta::STATUS, be32(0)).with(cta::STATUS_MASK, be32(0)),
                    "status",
                    "at none of its bits",
                ),
                (
                    with_tuple().with(cta::FILTER, flags(0x30)),
                    "filter of tuples",
                    "has ports, or parts of ICMP, but no protocol",
                ),
                (
                    of_family().with(cta::FILTER, flags(0x1)),
                    "filter of tuples",
                    "parts of a tuple that it does not have",
                ),
                (
                    of_family().with(cta::MARK_MASK, be32(1)).with(cta::STATUS, be32(2)),
                    "mark",
                    "a mask of the mark, but no mark",
                ),
            ];
            for (asks, blamed, words) in rows {
                match ask(&mut connect(), &asks) {
                    // A flush does not look at all of it, and nor do all kernels.
                    Ok(()) if kind == RequestKind::Flush => {}
                    Ok(()) => panic!("{words}"),
                    Err(_) => refused(&mut connect(), &[(asks, libc::EINVAL, Some(blamed), words)]),
                }
            }
        }
    });
}

#[test]
fn the_kernels_words_are_told_with_the_attribute_they_are_about() {
    in_namespace(|| {
        let mut exchange = connect();
        ask(&mut exchange, &Asks::create(9)).unwrap();
        let words = "the kernel says \"Attribute failed policy validation\" of the ";
        for (kind, value, errno, blamed, size) in [
            (cta::MARK, vec![1], libc::ERANGE, "mark", "4 bytes"),
            (cta::TIMEOUT, vec![1; 2], libc::ERANGE, "timeout", "4 bytes"),
            (cta::STATUS, vec![1; 2], libc::ERANGE, "status", "4 bytes"),
            (cta::LABELS, vec![1; 20], libc::ERANGE, "labels", "at most 16 bytes"),
            (cta::TIMESTAMP_EVENT, vec![0; 8], libc::EINVAL, "time of the event", ""),
        ] {
            let asks = Asks::update(9).with(kind, value);
            let error = ask(&mut exchange, &asks).unwrap_err();
            let text = error.to_string();
            println!("{text}");
            assert_eq!((error.errno(), error.attribute()), (Some(errno), Some(blamed)), "{text}");
            assert_eq!(error.kernel_text(), Some("Attribute failed policy validation"));
            assert_eq!(error.offset(), Some(124_usize));
            assert!(text.contains(&format!("{words}{blamed}")) && text.contains(size), "{text}");
        }
        // A success can be warned of.
        let mut request = Asks::update(9).build(exchange.next_seq());
        request.extend([1, 0, 0, 0]);
        let length = request.len() as u32;
        request[..4].copy_from_slice(&length.to_ne_bytes());
        let mut receiver = exchange.query(&request, false).unwrap();
        assert!(exchange.next(&mut receiver).unwrap().is_none());
        let said = exchange.said().expect("a warning");
        assert_eq!(said.text(), "bytes leftover after parsing attributes");
    });
}
