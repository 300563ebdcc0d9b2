//! Recorded requests about logged packets, with the kernel; and recorded datagrams, handed to the
//! callbacks of groups: the lines of `goldens/nflog.jsonl` that need a socket.
//!
//! They are those of a little-endian machine.
#![cfg(target_endian = "little")]

use capi_tests::in_namespace;
use ctrs::capi::nflog::dispatch::nflog_handle_packet;
use ctrs::capi::nflog::group::*;
use ctrs::capi::nflog::handle::*;
use ctrs::capi::nflog::types::{nfgenmsg, nflog_data, nflog_g_handle, nflog_handle};
use libc::{c_int, c_void, sockaddr, socklen_t, ssize_t};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;

fn goldens(kind: &'static str) -> impl Iterator<Item = Value> {
    let lines = include_str!("../goldens/nflog.jsonl").lines();
    let goldens = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    goldens.filter(move |golden| golden["kind"] == kind)
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap()
}

fn set_errno(errno: i32) {
    // SAFETY: the address of this thread's errno.
    unsafe { *libc::__errno_location() = errno };
}

/// What this thread's calls of the system were given.
#[derive(Default)]
struct Seen {
    sent: Vec<u8>,
    /// Descriptor, level, option and value.
    options: Vec<(c_int, [i64; 3])>,
}

thread_local! {
    static SEEN: RefCell<Seen> = RefCell::default();
}

/// In place of the C library's.
///
/// # Safety
/// As sendto(2).
#[unsafe(no_mangle)]
unsafe extern "C" fn sendto(
    fd: c_int,
    buffer: *const c_void,
    size: usize,
    flags: c_int,
    to: *const sockaddr,
    to_size: socklen_t,
) -> ssize_t {
    // SAFETY: the caller's buffer is of this size; the rest is the kernel's.
    unsafe {
        let sent = std::slice::from_raw_parts(buffer.cast::<u8>(), size).to_vec();
        SEEN.with_borrow_mut(|seen| seen.sent = sent);
        libc::syscall(libc::SYS_sendto, fd, buffer, size, flags, to, to_size) as ssize_t
    }
}

/// In place of the C library's.
///
/// # Safety
/// As setsockopt(2).
#[unsafe(no_mangle)]
unsafe extern "C" fn setsockopt(
    fd: c_int,
    level: c_int,
    option: c_int,
    value: *const c_void,
    size: socklen_t,
) -> c_int {
    // SAFETY: the caller's value is of this size; the rest is the kernel's.
    unsafe {
        if size as usize == size_of::<c_int>() {
            let number = value.cast::<c_int>().read_unaligned();
            let option = (fd, [level.into(), option.into(), number.into()]);
            SEEN.with_borrow_mut(|seen| seen.options.push(option));
        }
        libc::syscall(libc::SYS_setsockopt, fd, level, option, value, size) as c_int
    }
}

/// Makes a recorded call on a handle and its group 1234; what C is told, of a group 1.
///
/// # Safety
/// Both are live.
unsafe fn call(h: *mut nflog_handle, gh: *mut nflog_g_handle, golden: &Value) -> c_int {
    let args: Vec<u32> =
        golden["args"].as_array().unwrap().iter().map(|arg| arg.as_u64().unwrap() as u32).collect();
    // SAFETY: both are live, as is said above.
    unsafe {
        match (golden["call"].as_str().unwrap(), args[..].as_ref()) {
            ("nflog_bind_group", [group]) => (!nflog_bind_group(h, *group as u16).is_null()).into(),
            ("nflog_unbind_group", _) => nflog_unbind_group(gh),
            ("nflog_bind_pf", [family]) => nflog_bind_pf(h, *family as u16),
            ("nflog_unbind_pf", [family]) => nflog_unbind_pf(h, *family as u16),
            ("nflog_set_mode", [mode, range]) => nflog_set_mode(gh, *mode as u8, *range),
            ("nflog_set_timeout", [timeout]) => nflog_set_timeout(gh, *timeout),
            ("nflog_set_qthresh", [threshold]) => nflog_set_qthresh(gh, *threshold),
            ("nflog_set_nlbufsiz", [size]) => nflog_set_nlbufsiz(gh, *size),
            ("nflog_set_flags", [flags]) => nflog_set_flags(gh, *flags as u16),
            call => panic!("{call:?}"),
        }
    }
}

/// Whether the kernel here does what the one of the records could not: to send conntrack data.
fn asks_for_conntrack(golden: &Value) -> bool {
    golden["call"] == "nflog_set_flags" && golden["args"][0].as_u64().unwrap() & 4 != 0
}

#[test]
fn requests_are_sent_and_answered_as_recorded() {
    in_namespace(|| {
        // SAFETY: the handle is live until it is closed, and so is its group.
        unsafe {
            let h = nflog_open();
            let gh = nflog_bind_group(h, 1234);
            assert!(!h.is_null() && !gh.is_null(), "{}", std::io::Error::last_os_error());
            let mut seqs = Vec::new();
            for golden in goldens("request") {
                seqs.extend(request(h, gh, &golden));
            }
            assert_eq!(seqs.len(), 60, "requests that were sent");
            assert!(seqs.windows(2).all(|two| two[1] == two[0].wrapping_add(1)), "{seqs:?}");
            assert!(!seqs.contains(&0));
            assert_eq!(nflog_close(h), 0);
        }
    });
}

/// Checks a recorded request; the number that it was sent with, if it was.
///
/// # Safety
/// Both are live.
unsafe fn request(h: *mut nflog_handle, gh: *mut nflog_g_handle, golden: &Value) -> Option<u32> {
    let name = &golden["name"];
    SEEN.take();
    set_errno(0);
    // SAFETY: both are live, as is said above.
    let (result, fd) = unsafe { (call(h, gh, golden), nflog_fd(h)) };
    let mut seen = SEEN.take();
    if !(asks_for_conntrack(golden) && result == 0) {
        assert_eq!((i64::from(result), i64::from(errno())), told(golden), "{name}");
    }
    // A receive buffer is only made larger than the 212992 bytes that are usual.
    let options = golden["setsockopt"].as_array().into_iter().flatten();
    let options: Vec<Vec<i64>> = options
        .map(|option| option.as_array().unwrap().iter().map(|one| one.as_i64().unwrap()).collect())
        .filter(|option: &Vec<i64>| option[2] * 2 > 212_992)
        .collect();
    let set = seen.options.iter().filter(|(of, _)| *of == fd);
    // Without privileges it is as large as the system allows.
    if may_force() {
        let set: Vec<_> = set.map(|(_, option)| option.to_vec()).collect();
        assert_eq!(set, options, "{name}");
    }
    let seq = seen.sent.get(8..12).map(|seq| u32::from_ne_bytes(seq.try_into().unwrap()));
    if let Some(seq) = seen.sent.get_mut(8..12) {
        seq.fill(0);
    }
    assert_eq!(seen.sent, bytes(&golden["sent"]), "{name}");
    seq
}

/// Whether a receive buffer may be larger than the system allows others.
fn may_force() -> bool {
    // SAFETY: no pointer is involved; the descriptor is this function's.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        let (size, length): (c_int, _) = (4096, size_of::<c_int>() as socklen_t);
        let option = (&raw const size).cast();
        let done = setsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, option, length) == 0;
        libc::close(fd);
        done
    }
}

fn told(golden: &Value) -> (i64, i64) {
    (golden["ret"].as_i64().unwrap(), golden["errno"].as_i64().unwrap())
}

/// What the callbacks of a datagram have seen, and return.
struct Heard {
    datagram: *const u8,
    returns: Vec<c_int>,
    called_at: Vec<u64>,
    groups: BTreeMap<u16, *mut nflog_g_handle>,
}

/// # Safety
/// What `data` points to is a [`Heard`].
unsafe extern "C-unwind" fn hear(
    gh: *mut nflog_g_handle,
    head: *mut nfgenmsg,
    _packet: *mut nflog_data,
    data: *mut c_void,
) -> c_int {
    // SAFETY: the head is in the datagram, and the data is what the callback was registered with.
    unsafe {
        let heard = &mut *data.cast::<Heard>();
        assert_eq!(heard.groups.get(&u16::from_be((*head).res_id)), Some(&gh));
        heard.called_at.push((head as usize - heard.datagram as usize - 16) as u64);
        heard.returns[(heard.called_at.len() - 1) % heard.returns.len()]
    }
}

#[test]
fn datagrams_are_handed_out_as_intended() {
    in_namespace(|| {
        let mut seen = 0;
        for golden in goldens("datagram") {
            let mut datagram = bytes(&golden["data"]);
            let returns = golden["callback_returns"].as_array().unwrap().iter();
            let mut heard = Heard {
                datagram: datagram.as_ptr(),
                returns: returns.map(|one| one.as_i64().unwrap() as c_int).collect(),
                called_at: Vec::new(),
                groups: BTreeMap::new(),
            };
            // SAFETY: the handle is live until it is closed, the datagram as long as is said.
            let result = unsafe {
                let h = nflog_open();
                for group in [0, 5, 6, 300, 65535] {
                    let gh = nflog_bind_group(h, group);
                    assert_eq!(nflog_callback_register(gh, Some(hear), (&raw mut heard).cast()), 0);
                    heard.groups.insert(group, gh);
                }
                let length = datagram.len() as c_int;
                let result = nflog_handle_packet(h, datagram.as_mut_ptr().cast(), length);
                assert_eq!(nflog_close(h), 0);
                result
            };
            let intent = &golden["intent"];
            let called_at: Vec<u64> = intent["called_at"]
                .as_array()
                .unwrap()
                .iter()
                .map(|at| at.as_u64().unwrap())
                .collect();
            assert_eq!(i64::from(result), intent["ret"].as_i64().unwrap(), "{}", golden["name"]);
            assert_eq!(heard.called_at, called_at, "{}", golden["name"]);
            seen += 1;
        }
        assert_eq!(seen, 37);
    });
}
