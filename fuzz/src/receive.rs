//! The receive loop on arbitrary datagrams, with callbacks that do what callbacks may do.

use super::input::Input;
use super::kernel::{self, Arrival};
use super::objects::Ct;
use ctrs::capi::conntrack::callback::{
    nfct_callback_register, nfct_callback_register2, nfct_callback_unregister,
    nfexp_callback_register, nfexp_callback_register2,
};
use ctrs::capi::conntrack::entry::nfct_destroy;
use ctrs::capi::conntrack::expect::nfexp_destroy;
use ctrs::capi::conntrack::handle::{nfct_close, nfct_nfnlh, nfct_open};
use ctrs::capi::conntrack::print::{nfct_snprintf, nfexp_snprintf};
use ctrs::capi::conntrack::query::{
    nfct_catch, nfct_query, nfct_send, nfexp_catch, nfexp_query, nfexp_send,
};
use ctrs::capi::conntrack::types::{nf_conntrack, nf_expect, nfct_handle};
use ctrs::conntrack::wire::query::{Query, Request};
use ctrs::netlink::exchange::Exchange;
use ctrs::netlink::receiver::Receiver;
use ctrs::netlink::socket::Socket;
use libc::{c_int, c_void, nlmsghdr};
use std::cell::{Cell, RefCell};

const DUMP: u32 = 5;
const DESTROYED: c_int = 4;
/// Where the number of the last request is in the handle block of libnfnetlink.
const SEQ_OFFSET: usize = 32;
/// Request numbers that stand for those of the handle: 1 is its first.
const OWN_SEQS: u32 = 32;

/// Input: a byte of options, the types of messages wanted, what to do, what the callbacks do, each
/// list with its length before it, and the datagrams.
pub fn receive(data: &[u8]) {
    let mut input = Input(data);
    let (options, types) = (input.u8(), input.u8());
    let (calls, verdicts) = (input.u8() % 16, input.u8() % 64);
    let calls = input.bytes(calls.into());
    let verdicts = input.bytes(verdicts.into());
    if options & 0x80 == 0 {
        through_c(options, types, calls, verdicts, input);
    } else {
        kernel::arrive(datagrams(input, 100).into_iter());
        through_exchange(calls);
    }
}

/// The datagrams of the input: a byte of what arrives, two of the length, and its bytes. Low
/// request numbers in them are counted from `seq`.
fn datagrams(mut input: Input<'_>, seq: u32) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    while !input.is_empty() {
        arrivals.push(match input.u8() {
            250 => Arrival::Failure(libc::EINTR),
            251 => Arrival::Failure(libc::ENOBUFS),
            252 => Arrival::ShortAddress,
            253 => Arrival::TooLong,
            kind => {
                let length = input.u16();
                let mut bytes = input.bytes(length.into()).to_vec();
                renumber(&mut bytes, seq);
                Arrival::Datagram(bytes, (kind == 254).into())
            }
        });
    }
    arrivals
}

fn renumber(datagram: &mut [u8], first: u32) {
    let mut at = 0;
    while let Some(header) = datagram.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<16>) {
        let [a, b, c, d, .., e, f, g, h, _, _, _, _] = *header;
        let seq = u32::from_ne_bytes([e, f, g, h]);
        if (1..OWN_SEQS).contains(&seq) {
            header[8..12].copy_from_slice(&first.wrapping_add(seq).to_ne_bytes());
        }
        let length = u32::from_ne_bytes([a, b, c, d]) as usize;
        at = at.saturating_add(length.max(16)).saturating_add(3) & !3;
    }
}

/// What a callback works with.
struct Script<'a> {
    handle: *mut nfct_handle,
    verdicts: Cell<&'a [u8]>,
    depth: Cell<u32>,
    closed: Cell<bool>,
    entries: RefCell<Vec<*mut nf_conntrack>>,
    expectations: RefCell<Vec<*mut nf_expect>>,
}

fn through_c(options: u8, types: u8, calls: &[u8], verdicts: &[u8], input: Input<'_>) {
    // SAFETY: always safe.
    let handle = unsafe { nfct_open(options & 3, 0) };
    assert!(!handle.is_null(), "no netlink socket");
    let script = Script {
        handle,
        verdicts: Cell::new(verdicts),
        depth: Cell::new(0),
        closed: Cell::new(false),
        entries: RefCell::default(),
        expectations: RefCell::default(),
    };
    // SAFETY: the handle is live; its block begins with integers.
    let seq = unsafe { nfct_nfnlh(handle).cast::<u8>().add(SEQ_OFFSET).cast::<u32>().read() };
    kernel::arrive(datagrams(input, seq).into_iter());
    script.register(options, types.into());
    for call in calls {
        if script.closed.get() {
            break;
        }
        script.call(*call);
    }
    script.finish();
}

impl Script<'_> {
    fn data(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    fn register(&self, options: u8, types: c_int) {
        let (h, data) = (self.handle, self.data());
        // SAFETY: the handle is live, and the data outlives it.
        unsafe {
            if options & 4 != 0 {
                nfct_callback_register(h, types & 15, Some(on_entry), data);
            }
            if options & 8 != 0 {
                nfct_callback_register2(h, types & 15, Some(on_entry2), data);
            }
            if options & 16 != 0 {
                nfexp_callback_register(h, types >> 4, Some(on_expectation), data);
            }
            if options & 32 != 0 {
                nfexp_callback_register2(h, types >> 4, Some(on_expectation2), data);
            }
        }
    }

    /// A call of the program.
    fn call(&self, call: u8) {
        let (h, family) = (self.handle, [2u8, 0, 0, 0]);
        let family = family.as_ptr().cast::<c_void>();
        let ct = Ct::new();
        // SAFETY: the handle is live; a dump's data is a family, a query's an object.
        unsafe {
            match call & 7 {
                0 => nfct_catch(h),
                1 => nfct_query(h, DUMP, family),
                2 => nfct_query(h, (call >> 3 & 3).into(), ct.0.cast()),
                3 => nfexp_catch(h),
                4 => nfexp_query(h, DUMP, family),
                5 => nfct_send(h, DUMP, family),
                6 => nfexp_send(h, DUMP, family),
                _ => nfct_query(h, DUMP + 1, family),
            };
        }
    }

    /// What a callback does, beside looking at its object; returns its verdict, or [`DESTROYED`].
    fn act(&self) -> c_int {
        let Some((&next, rest)) = self.verdicts.get().split_first() else { return 1 };
        self.verdicts.set(rest);
        self.depth.set(self.depth.get() + 1);
        match next >> 3 {
            _ if self.closed.get() => {}
            // A loop inside a loop.
            1..=15 if self.depth.get() < 8 => self.call(next >> 3),
            // SAFETY: the handle is live and not used again.
            16 => unsafe {
                self.closed.set(true);
                nfct_close(self.handle);
            },
            // SAFETY: the handle is live.
            17 => unsafe { nfct_callback_unregister(self.handle) },
            18..=20 => self.register(next >> 1, 0xff),
            _ => {}
        }
        self.depth.set(self.depth.get() - 1);
        match next & 7 {
            0..=3 => 1,
            4 => 0,
            5 => 2,
            6 => -1,
            _ => DESTROYED,
        }
    }

    fn finish(&self) {
        // SAFETY: the handle and what was stolen are live and not used again.
        unsafe {
            for ct in self.entries.take() {
                look_at_entry(ct);
                nfct_destroy(ct);
            }
            for exp in self.expectations.take() {
                look_at_expectation(exp);
                nfexp_destroy(exp);
            }
            if !self.closed.get() {
                assert_eq!(nfct_close(self.handle), 0);
            }
        }
    }
}

/// # Safety
/// `ct` is live.
unsafe fn look_at_entry(ct: *mut nf_conntrack) {
    let mut buffer = [0; 256];
    // SAFETY: the buffer has the size, the object is live.
    unsafe { nfct_snprintf(buffer.as_mut_ptr(), 256, ct, 1, 0, 0) };
}

/// # Safety
/// `exp` is live.
unsafe fn look_at_expectation(exp: *mut nf_expect) {
    let mut buffer = [0; 256];
    // SAFETY: the buffer has the size, the object is live.
    unsafe { nfexp_snprintf(buffer.as_mut_ptr(), 256, exp, 1, 0, 0) };
}

/// A callback; the data is a script.
///
/// # Safety
/// As the receive loop calls it.
unsafe extern "C-unwind" fn on_entry(
    _type: c_int,
    ct: *mut nf_conntrack,
    data: *mut c_void,
) -> c_int {
    // SAFETY: the data is what was registered; the object is live, and used no more when stolen
    // or destroyed.
    unsafe {
        let script = &*data.cast::<Script<'_>>();
        look_at_entry(ct);
        let verdict = script.act();
        if verdict == DESTROYED {
            nfct_destroy(ct);
            return 1;
        }
        look_at_entry(ct);
        if verdict == 2 {
            script.entries.borrow_mut().push(ct);
        }
        verdict
    }
}

/// A callback with the message; the data is a script.
///
/// # Safety
/// As the receive loop calls it.
unsafe extern "C-unwind" fn on_entry2(
    nlh: *const nlmsghdr,
    kind: c_int,
    ct: *mut nf_conntrack,
    data: *mut c_void,
) -> c_int {
    read_message(nlh);
    // SAFETY: the same contract.
    unsafe { on_entry(kind, ct, data) }
}

/// A callback; the data is a script.
///
/// # Safety
/// As the receive loop calls it.
unsafe extern "C-unwind" fn on_expectation(
    _type: c_int,
    exp: *mut nf_expect,
    data: *mut c_void,
) -> c_int {
    // SAFETY: as in `on_entry`.
    unsafe {
        let script = &*data.cast::<Script<'_>>();
        look_at_expectation(exp);
        let verdict = script.act();
        if verdict == DESTROYED {
            nfexp_destroy(exp);
            return 1;
        }
        look_at_expectation(exp);
        if verdict == 2 {
            script.expectations.borrow_mut().push(exp);
        }
        verdict
    }
}

/// A callback with the message; the data is a script.
///
/// # Safety
/// As the receive loop calls it.
unsafe extern "C-unwind" fn on_expectation2(
    nlh: *const nlmsghdr,
    kind: c_int,
    exp: *mut nf_expect,
    data: *mut c_void,
) -> c_int {
    read_message(nlh);
    // SAFETY: the same contract.
    unsafe { on_expectation(kind, exp, data) }
}

/// Reads a message that a callback was handed, whole.
fn read_message(nlh: *const nlmsghdr) {
    // SAFETY: the message is live during the callback and as long as it says.
    let bytes = unsafe {
        let length = std::ptr::read_unaligned(nlh).nlmsg_len as usize;
        std::slice::from_raw_parts(nlh.cast::<u8>(), length).to_vec()
    };
    std::hint::black_box(bytes);
}

/// Loops of the Rust interface, in any order.
fn through_exchange(calls: &[u8]) {
    let Ok(socket) = Socket::open() else { panic!("no netlink socket") };
    let mut exchange = Exchange::new(socket, 100);
    let mut loops: Vec<Receiver> = Vec::new();
    for call in calls {
        let request = match call & 7 {
            0 => Request::Entries(Query::Dump, 2),
            1 => Request::Entries(Query::Flush, 0),
            2 => {
                loops.push(Receiver::listening());
                continue;
            }
            3 => {
                loops.pop();
                continue;
            }
            _ => {
                let messages = 1 + (call >> 3);
                if let Some(last) = loops.last_mut() {
                    for _ in 0..messages {
                        match exchange.next(last) {
                            Ok(Some(message)) => assert!(message.bytes().len() >= 20),
                            Ok(None) | Err(_) => break,
                        }
                    }
                }
                continue;
            }
        };
        let mut bytes = [0; 64];
        let length = request.build(&mut bytes, exchange.next_seq()).expect("fits");
        let dump = request.query().is_dump();
        loops.push(exchange.query(&bytes[..length], dump).expect("memory"));
    }
    drop(loops);
    assert!(exchange.close().is_ok());
}
