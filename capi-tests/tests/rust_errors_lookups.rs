//! What an error can only say after a look around: privileges, namespaces, how full the table is,
//! and who else reads from the socket.

mod requests;

use capi_tests::in_namespace;
use ctrs::error::asked::Asked;
use ctrs::netlink::exchange::Exchange;
use ctrs::uapi::{cta, ips};
use ctrs::{Error, ErrorKind, EventKind, Events, FlowTable, Options, RequestKind};
use requests::{Asks, ask, be32, connect};
use std::fs;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Command, Stdio};

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

const MAXIMUM: &str = "/proc/sys/net/netfilter/nf_conntrack_max";

/// Has this thread read that the table takes so many flows.
fn say_maximum(max: u32) {
    let path = std::env::temp_dir().join(format!("ctrs-maximum-{}", std::process::id()));
    fs::write(&path, format!("{max}\n")).unwrap();
    // SAFETY: no pointers are passed; the other threads stay where they are.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNS) }, 0);
    for arguments in [&["--make-rprivate", "/"][..], &["--bind", path.to_str().unwrap(), MAXIMUM]] {
        assert!(Command::new("mount").args(arguments).status().unwrap().success());
    }
    fs::remove_file(&path).unwrap();
}

#[test]
fn a_full_table_is_looked_at() {
    in_namespace(|| {
        let mut exchange = connect();
        let max = fs::read_to_string(MAXIMUM).unwrap();
        let max: u32 = max.trim().parse().unwrap();
        let refused = |exchange: &Exchange| {
            let error = Error::from(ctrs::netlink::Error::Refused(libc::ENOMEM));
            let (request, socket) = (Asks::create(9).build(1), exchange.socket());
            let asked = Asked { request: &request, said: None, socket: Some(socket) };
            error.explained(RequestKind::Create, &asked)
        };
        let words = format!("the table is not full (0 flows of at most {max})");
        let error = refused(&exchange);
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert!(error.to_string().contains(&words), "{error}");
        let full = |error: &Error, max| {
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Full, "{text}");
            let full = "the table is full: see net.netfilter.nf_conntrack_max (";
            assert!(text.contains(full) && text.contains(&format!("of at most {max})")), "{text}");
            println!("{text}");
        };
        // Where the table is large, this takes it for a smaller one: the kernel does not refuse then.
        if max > 2_000_000 {
            fill(&mut exchange, 1000);
            say_maximum(1000);
            return full(&refused(&exchange), 1000);
        }
        fill(&mut exchange, max + 1);
        full(&ask(&mut exchange, &Asks::create(9)).unwrap_err(), max);
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
