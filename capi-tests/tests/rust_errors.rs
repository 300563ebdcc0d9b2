//! Every refusal is provoked and explained: by the running kernel, with requests of which each has
//! one fault.

use capi_tests::{in_namespace, skip};
use ctrs::error::asked::Asked;
use ctrs::netlink::builder::{Builder, Header};
use ctrs::netlink::exchange::Exchange;
use ctrs::netlink::socket::Socket;
use ctrs::uapi::{cta, ips};
use ctrs::{Error, ErrorKind, EventKind, Events, FlowTable, Options, RequestKind};
use std::fs;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Command, Stdio};

/// A request: what it asks, and its attributes in order.
struct Asks {
    kind: RequestKind,
    family: u8,
    attributes: Vec<(u16, Vec<u8>)>,
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn be32(value: u32) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

fn nest(members: &[(u16, Vec<u8>)]) -> Vec<u8> {
    members.iter().flat_map(|(kind, value)| attribute(*kind, value)).collect()
}

/// A tuple of IPv4.
fn tuple(protocol: u8, from: u8, to: u8, members: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let address = |last| vec![10, 9, 0, last];
    let addresses = nest(&[(cta::IP_V4_SRC, address(from)), (cta::IP_V4_DST, address(to))]);
    let mut parts = vec![(cta::PROTO_NUM, vec![protocol])];
    parts.extend_from_slice(members);
    nest(&[(cta::TUPLE_IP, addresses), (cta::TUPLE_PROTO, nest(&parts))])
}

fn ports(from: u16, to: u16) -> [(u16, Vec<u8>); 2] {
    [
        (cta::PROTO_SRC_PORT, from.to_be_bytes().to_vec()),
        (cta::PROTO_DST_PORT, to.to_be_bytes().to_vec()),
    ]
}

const UDP: u8 = 17;

impl Asks {
    /// For the flow of that port, in the state of its protocol.
    fn of(kind: RequestKind, protocol: u8, port: u16) -> Self {
        let attributes = vec![
            (cta::TUPLE_ORIG, tuple(protocol, 1, 2, &ports(port, 53))),
            (cta::TUPLE_REPLY, tuple(protocol, 2, 1, &ports(53, port))),
        ];
        let asks = Self { kind, family: 2, attributes };
        if kind == RequestKind::Create { asks.with(cta::TIMEOUT, be32(100)) } else { asks }
    }

    fn create(port: u16) -> Self {
        Self::of(RequestKind::Create, UDP, port)
    }

    fn update(port: u16) -> Self {
        Self::of(RequestKind::Update, UDP, port)
    }

    fn bare(kind: RequestKind) -> Self {
        Self { kind, family: 0, attributes: Vec::new() }
    }

    /// The same with an attribute, in place of one of its number.
    fn with(mut self, kind: u16, value: Vec<u8>) -> Self {
        self = self.without(kind);
        self.attributes.push((kind, value));
        self
    }

    fn without(mut self, kind: u16) -> Self {
        self.attributes.retain(|(other, _)| *other != kind);
        self
    }

    fn build(&self, seq: u32) -> Vec<u8> {
        use RequestKind as Of;
        let flag = |flag: libc::c_int| flag as u16;
        let (number, flags) = match self.kind {
            Of::Create | Of::CreateExpectation => {
                (0, flag(libc::NLM_F_CREATE | libc::NLM_F_EXCL | libc::NLM_F_ACK))
            }
            Of::Update => (0, flag(libc::NLM_F_ACK)),
            Of::Get | Of::GetExpectation => (1, flag(libc::NLM_F_ACK)),
            Of::List | Of::ListExpectations => (1, flag(libc::NLM_F_DUMP)),
            _ => (2, flag(libc::NLM_F_ACK)),
        };
        let expectation =
            matches!(self.kind, Of::CreateExpectation | Of::GetExpectation | Of::DeleteExpectation);
        let subsystem = if expectation { cta::SUBSYS_EXP } else { cta::SUBSYS_CT };
        let kind = u16::from(subsystem) << 8 | number;
        let flags = flags | flag(libc::NLM_F_REQUEST);
        let mut buffer = [0; 2048];
        let header = Header { kind, flags, seq, family: self.family, ..Header::default() };
        let mut builder = Builder::message(&mut buffer, header);
        for (kind, value) in &self.attributes {
            builder.put(*kind, value);
        }
        let length = builder.finish().unwrap();
        buffer[..length].to_vec()
    }
}

/// A socket on which the kernel says what is wrong.
fn connect() -> Exchange {
    let socket = Socket::open().unwrap();
    for option in [10, 11] {
        let on: libc::c_int = 1;
        // SAFETY: the option is a number of the size given, alive during the call.
        let set = unsafe {
            let size = size_of_val(&on) as libc::socklen_t;
            libc::setsockopt(socket.fd(), libc::SOL_NETLINK, option, (&raw const on).cast(), size)
        };
        assert_eq!(set, 0);
    }
    Exchange::new(socket, 0)
}

fn ask(exchange: &mut Exchange, asks: &Asks) -> Result<(), Error> {
    let request = asks.build(exchange.next_seq());
    let mut receiver = exchange.query(&request, asks.kind == RequestKind::List).unwrap();
    loop {
        match exchange.next(&mut receiver) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(error) => {
                let (said, socket) = (exchange.said(), exchange.socket());
                let asked = Asked { request: &request, said, socket: Some(socket) };
                return Err(Error::from(error).explained(asks.kind, &asked));
            }
        }
    }
}

/// A refusal: the request, its `errno`, the attribute to blame, and words of the sentence.
type Row<'a> = (Asks, i32, Option<&'a str>, &'a str);

/// Each request is refused, and the error is told as the row says.
fn refused(exchange: &mut Exchange, rows: &[Row<'_>]) {
    for (asks, errno, attribute, words) in rows {
        let error = ask(exchange, asks).expect_err(words);
        let text = error.to_string();
        assert_eq!((error.errno(), error.attribute()), (Some(*errno), *attribute), "{text}");
        assert!(text.contains(words), "{words}: {text}");
        let asked = format!("cannot {}: ", asks.kind);
        let end = format!("(errno {errno})");
        assert!(text.starts_with(&asked) && text.ends_with(&end), "{text}");
        println!("{text}");
    }
}

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

/// Capabilities of this thread: what of them is in effect, of what it may have.
fn set_effective(change: impl Fn(u32) -> u32) {
    /// `_LINUX_CAPABILITY_VERSION_3`, of this thread.
    const HEADER: [u32; 2] = [0x2008_0522, 0];
    let (mut header, mut sets) = (HEADER, [0_u32; 6]);
    // SAFETY: the kernel reads and writes a header of two numbers and two sets of three.
    unsafe {
        let get = libc::syscall(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr());
        assert_eq!(get, 0);
        sets[0] = change(sets[1]);
        header = HEADER;
        let set = libc::syscall(libc::SYS_capset, header.as_mut_ptr(), sets.as_mut_ptr());
        assert_eq!(set, 0);
    }
}

const PRIVILEGES: [u32; 3] = [1 << 11, 1 << 12, 1 << 21];

#[test]
fn what_privilege_is_missing_is_looked_up() {
    in_namespace(|| {
        let list = Asks::bare(RequestKind::List);
        let told = |error: Error, needed: &str, why: &str| {
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Privilege);
            assert!(text.contains(needed) && text.contains(why), "{text}");
            println!("{text}");
        };
        let without = ", and this thread does not have it: run as root, or";
        let mut before = connect();
        let first = Options::new().netns("/proc/self/ns/net").unwrap();
        set_effective(|all| all & !PRIVILEGES.iter().sum::<u32>());
        let mut after = connect();
        for exchange in [&mut before, &mut after] {
            for asks in [&list, &Asks::create(9), &Asks::update(9).with(cta::TIMEOUT, be32(1))] {
                told(ask(exchange, asks).unwrap_err(), "CAP_NET_ADMIN is needed", without);
            }
        }
        told(Events::open(EventKind::ALL).unwrap_err(), "bind failed: CAP_NET_ADMIN", without);
        let there = FlowTable::open_with(&first).unwrap_err();
        told(there, "setns failed: CAP_SYS_ADMIN is needed", without);
        set_effective(|all| all);
        [before, after].iter_mut().for_each(|exchange| ask(exchange, &list).unwrap());
    });
}

#[test]
fn what_is_no_namespace_is_told() {
    let open = |path: &str| {
        let options = Options::new().netns(path)?;
        FlowTable::open_with(&options).map(drop)
    };
    for (path, kind, words) in [
        ("/run/netns/no-such", ErrorKind::NotFound, "there is no network namespace of this name"),
        ("/etc/passwd", ErrorKind::Invalid, "this is no network namespace"),
    ] {
        let error = open(path).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

/// What waits for a writer, where it is opened in the ordinary way.
#[test]
fn a_fifo_in_place_of_a_namespace_is_not_waited_for() {
    let path = std::env::temp_dir().join(format!("ctrs-fifo-{}", std::process::id()));
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (tell, told) = std::sync::mpsc::channel();
    let options = Options::new();
    let at = path.clone();
    std::thread::spawn(move || {
        let opened = options.netns(at).and_then(|options| FlowTable::open_with(&options));
        tell.send(opened.map(drop))
    });
    let result = told.recv_timeout(std::time::Duration::from_secs(10));
    fs::remove_file(&path).unwrap();
    let error = result.expect("it waits").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
}

/// Fills the table with flows that are not dropped for others.
fn fill(exchange: &mut Exchange, flows: u32) {
    let assured = be32(ips::CONFIRMED | ips::SEEN_REPLY | ips::ASSURED);
    let mut request = Asks::create(1).with(cta::STATUS, assured).build(0);
    // Without an acknowledgement.
    request[6] &= !(libc::NLM_F_ACK as u8);
    let mut requests = Vec::new();
    for flow in 0..flows {
        // The last byte of the client's address, and its port, in both tuples.
        let [_, high, port @ ..] = flow.to_be_bytes();
        for (address, at) in [(35, 60), (95, 120)] {
            request[address] = 100 + high;
            request[at..at + 2].copy_from_slice(&port);
        }
        requests.extend_from_slice(&request);
        if flow % 256 == 255 || flow + 1 == flows {
            assert_eq!(exchange.socket().send(&requests), Ok(requests.len()));
            requests.clear();
        }
    }
}

#[test]
fn a_full_table_is_looked_at() {
    in_namespace(|| {
        let mut exchange = connect();
        let max = fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_max").unwrap();
        let max: u32 = max.trim().parse().unwrap();
        let refused = |exchange: &Exchange| {
            let error = Error::from(ctrs::netlink::Error::Refused(libc::ENOMEM));
            let (request, socket) = (Asks::create(9).build(1), exchange.socket());
            let asked = Asked { request: &request, said: None, socket: Some(socket) };
            let error = error.explained(RequestKind::Create, &asked);
            assert_eq!(error.kind(), ErrorKind::OutOfMemory);
            error.to_string()
        };
        let words = format!("the table is not full (0 flows of at most {max})");
        assert!(refused(&exchange).contains(&words), "{}", refused(&exchange));
        if max > 300_000 {
            return skip("the table is too large to be filled");
        }
        fill(&mut exchange, max + 1);
        let error = ask(&mut exchange, &Asks::create(9)).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Full, "{text}");
        let full = "the table is full: see net.netfilter.nf_conntrack_max (";
        assert!(text.contains(full) && text.contains(&format!("of at most {max})")), "{text}");
        println!("{text}");
    });
}

#[test]
fn another_list_on_the_same_socket_is_named() {
    in_namespace(|| {
        let mut exchange = connect();
        // More than fit a datagram, so that the list does not end with the first.
        for port in 1..1000 {
            ask(&mut exchange, &Asks::create(port)).unwrap();
        }
        let list = Asks::bare(RequestKind::List);
        let socket = exchange.socket().fd();
        let mut running = list.build(0);
        // SAFETY: the message is alive during the call, with the length given.
        let sent = unsafe { libc::send(socket, running.as_mut_ptr().cast(), running.len(), 0) };
        assert_eq!(sent as usize, running.len());
        let error = ask(&mut exchange, &list).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        let text = error.to_string();
        assert!(text.contains("another list is being read from this socket (errno"), "{text}");
        // A process that has the socket from this one.
        // SAFETY: no pointer is involved, and the copy is nobody else's.
        let copy = unsafe { OwnedFd::from_raw_fd(libc::dup(socket)) };
        let mut other = Command::new("sleep").arg("60").stdin(Stdio::from(copy)).spawn().unwrap();
        let error = ask(&mut exchange, &list).unwrap_err();
        other.kill().unwrap();
        other.wait().unwrap();
        let holder = format!("which process {} (sleep) has open too", other.id());
        assert!(error.to_string().contains(&holder), "{error}");
    });
}

/// An expectation of a flow to a port, on behalf of the flow of port 9.
fn expect(port: u16) -> Asks {
    let attributes = vec![
        (cta::EXPECT_TUPLE, tuple(UDP, 1, 2, &ports(0, port))),
        (cta::EXPECT_MASK, tuple(UDP, 255, 255, &ports(0, 0xffff))),
        (cta::EXPECT_MASTER, tuple(UDP, 1, 2, &ports(9, 53))),
        (cta::EXPECT_TIMEOUT, be32(100)),
    ];
    Asks { kind: RequestKind::CreateExpectation, family: 2, attributes }
}

#[test]
fn what_is_wrong_with_an_expectation_is_named() {
    in_namespace(|| {
        let text = |name: &str| [name.as_bytes(), b"\0"].concat();
        let mut exchange = connect();
        let helped = nest(&[(cta::HELP_NAME, text("tftp"))]);
        ask(&mut exchange, &Asks::create(9).with(cta::HELP, helped)).unwrap();
        ask(&mut exchange, &Asks::create(10)).unwrap();
        ask(&mut exchange, &expect(1)).unwrap();
        let of = |port| tuple(UDP, 1, 2, &ports(port, 53));
        let no = |kind| expect(2).without(kind);
        let wider = tuple(UDP, 0, 255, &ports(0, 0xffff));
        let (invalid, absent) = (libc::EINVAL, libc::ENOENT);
        let (master, class) = (Some("master"), be32(9));
        let rows = [
            (no(cta::EXPECT_TUPLE), invalid, Some("expected tuple"), "has no expected tuple"),
            (no(cta::EXPECT_MASK), invalid, Some("mask"), "has no mask"),
            (no(cta::EXPECT_MASTER), invalid, master, "has no master"),
            (
                expect(2).with(cta::EXPECT_FN, text("no-such")),
                invalid,
                Some("function"),
                "the kernel has no function of this name",
            ),
            (
                expect(2).with(cta::EXPECT_CLASS, class),
                invalid,
                Some("class"),
                "the class is above the highest of the helper",
            ),
            (
                expect(2).with(cta::EXPECT_MASTER, of(99)),
                absent,
                master,
                "no flow has the master's tuple",
            ),
            (
                expect(2).with(cta::EXPECT_MASTER, of(10)),
                libc::EOPNOTSUPP,
                master,
                "the master has no helper",
            ),
            (expect(1), libc::EEXIST, None, "there is an expectation of such flows already"),
            (
                expect(1)
                    .with(cta::EXPECT_TUPLE, tuple(UDP, 7, 2, &ports(0, 1)))
                    .with(cta::EXPECT_MASK, wider),
                libc::EBUSY,
                None,
                "another expectation is met by some of the same flows",
            ),
            (
                Asks { kind: RequestKind::GetExpectation, ..expect(7) }.without(cta::EXPECT_MASTER),
                absent,
                None,
                "no such expectation",
            ),
        ];
        refused(&mut exchange, &rows);
        let error = ask(&mut exchange, &expect(2).with(cta::EXPECT_FLAGS, be32(0x80)));
        let error = error.expect_err("flags that the kernel does not have");
        assert_eq!(error.attribute(), Some("flags"), "{error}");
        assert_eq!(error.kernel_text(), Some("reserved bit set"), "{error}");
    });
}
