//! Calls about one packet: what it has, and its text.

use super::api::{Api, ConstPtr, Ptr, ffi};
use super::messages::{MOST, found, pointers};
use super::world::{ROOM, World, number};
use crate::differential::record::{Outcome, hex, quoted};
use crate::differential::rng::Rng;
use std::ffi::{CStr, c_int, c_uint};

/// A `struct nflog_data` as programs make it, and where its message is.
struct Data {
    pointers: [usize; MOST as usize],
    /// Its one member points to the pointers.
    object: *const usize,
    base: usize,
}

impl Data {
    fn new(message: &[u8], base: usize, bad: bool) -> Box<Self> {
        let pointers = pointers(message, base, bad);
        let mut data = Box::new(Self { pointers, object: std::ptr::null(), base });
        data.object = data.pointers.as_ptr();
        data
    }

    fn ptr(&mut self) -> Ptr {
        (&raw mut self.object).cast()
    }

    /// A pointer into the message.
    fn offset(&self, pointer: ConstPtr) -> String {
        if pointer.is_null() { "NULL".into() } else { (pointer as usize - self.base).to_string() }
    }
}

/// A getter, and how it is called: what it returns and stores, as text.
type Getter = (&'static str, fn(&Api, &mut Data) -> String);

macro_rules! numbers {
    ($($name:ident)*) => {
        [$((stringify!($name), |api, data| number(ffi!(api, $name(data.ptr()))))),*]
    };
}

macro_rules! places {
    ($($name:ident)*) => {
        [$((stringify!($name), |api, data| {
            let (place, errno) = ffi!(api, $name(data.ptr()));
            number((data.offset(place), errno))
        })),*]
    };
}

macro_rules! stored {
    ($($name:ident)*) => {
        [$((stringify!($name), |api, data| {
            let mut value = 0xdead_beef;
            let result = ffi!(api, $name(data.ptr(), &raw mut value));
            format!("{} {value}", number(result))
        })),*]
    };
}

const NUMBERS: [Getter; 7] = numbers! {
    nflog_get_hwtype nflog_get_msg_packet_hwhdrlen nflog_get_nfmark nflog_get_indev
    nflog_get_physindev nflog_get_outdev nflog_get_physoutdev
};
const PLACES: [Getter; 3] =
    places! { nflog_get_msg_packet_hdr nflog_get_msg_packet_hwhdr nflog_get_packet_hw };
const STORED: [Getter; 5] = stored! {
    nflog_get_uid nflog_get_gid nflog_get_seq nflog_get_seq_global nflog_get_ctid
};
const OTHERS: [Getter; 3] = [
    ("nflog_get_timestamp", |api, data| {
        let mut time = libc::timeval { tv_sec: 1, tv_usec: 2 };
        let result = ffi!(api, nflog_get_timestamp(data.ptr(), &raw mut time));
        format!("{} {} {}", number(result), time.tv_sec, time.tv_usec)
    }),
    ("nflog_get_payload", |api, data| {
        let mut place: ConstPtr = std::ptr::dangling();
        let result = ffi!(api, nflog_get_payload(data.ptr(), &raw mut place));
        format!("{} {}", number(result), data.offset(place))
    }),
    ("nflog_get_prefix", |api, data| {
        let (place, errno) = ffi!(api, nflog_get_prefix(data.ptr()));
        // SAFETY: NULL, or a prefix; behind each that has no NUL there is one.
        let text = (!place.is_null()).then(|| unsafe { CStr::from_ptr(place.cast()) });
        let text = text.map(|text| quoted(text.to_bytes()));
        number((format!("{} {text:?}", data.offset(place)), errno))
    }),
];

/// What ctrs says of an attribute that is too short, and of a header's length.
fn meant(api: &Api, message: &[u8], base: usize, getter: &Getter) -> (&'static str, String) {
    let mut data = Data::new(message, base, false);
    // An id of another length than it has leaves an errno behind.
    let right = (getter.1)(api, &mut data).replace("errno=34", "errno=0");
    if getter.0 != "nflog_get_msg_packet_hwhdrlen" {
        return ("log-attributes", right);
    }
    let value = |kind| found(message).into_iter().rfind(|it| it.kind & 0x7fff == kind);
    let there = value(16).map_or(0, |header| header.value.len());
    let told =
        value(17).and_then(|it| it.value.first_chunk().copied()).map_or(0, u16::from_be_bytes);
    ("log-header-length", number((usize::from(told).min(there), 0)))
}

/// Asks for all that a packet has.
pub fn getters(w: &mut World, rng: &mut Rng) {
    let (message, length) = w.messages.packet(rng);
    let base = w.guarded.place(&message) as usize;
    let message = &message[..length];
    w.out.call(format!("packet ({})", hex(message)), String::new);
    let (api, mend) = (&w.api, w.mend);
    for getter in NUMBERS.iter().chain(&PLACES).chain(&STORED).chain(&OTHERS) {
        w.out.call(getter.0, || {
            let mut data = Data::new(message, base, true);
            let result = (getter.1)(api, &mut data);
            Outcome { result, mended: mend.then(|| meant(api, message, base, getter)) }
        });
    }
}

/// A size of a buffer, often too small.
fn any_size(rng: &mut Rng) -> usize {
    match rng.below(4) {
        0 => rng.range(0, 60) as usize,
        1 => rng.range(1, 900) as usize,
        _ => ROOM,
    }
}

/// Flags that print no time, which is not the same for both.
fn any_flags(rng: &mut Rng) -> u32 {
    const TIME: u32 = 64;
    let flags = if rng.one_in(4) { u32::MAX } else { rng.next() as u32 };
    flags & !TIME
}

const UNTOUCHED: u8 = 0xa5;

/// What a call that prints leaves in a buffer of `size` bytes, or is `meant` to leave.
fn printed(
    room: &mut [u8],
    size: usize,
    meant: bool,
    print: impl FnOnce(&mut [u8]) -> (c_int, i32),
) -> String {
    room.fill(UNTOUCHED);
    let result = print(room);
    let end = room.iter().position(|byte| *byte == 0).unwrap_or(0);
    // An id of a flow that has another length leaves an errno behind.
    let result = if meant && result.0 >= 0 { (result.0, 0) } else { result };
    let beyond = room[size.min(room.len())..].iter().all(|byte| *byte == UNTOUCHED);
    format!("{} {} beyond={beyond}", number(result), quoted(&room[..end]))
}

/// Prints a packet as XML.
pub fn xml(w: &mut World, rng: &mut Rng) {
    let (message, length) = w.messages.packet(rng);
    let base = w.guarded.place(&message) as usize;
    let message = &message[..length];
    let (size, flags) = (any_size(rng), any_flags(rng));
    let (api, mend, room) = (&w.api, w.mend, &mut w.buffer);
    w.out.call(format!("xml ({}, size {size}, flags {flags:#x})", hex(message)), || {
        let mut print = |bad| {
            let mut data = Data::new(message, base, bad);
            printed(room, size, !bad, |room| {
                let room = room.as_mut_ptr().cast();
                ffi!(api, nflog_snprintf_xml(room, size, data.ptr(), flags as c_int))
            })
        };
        let result = print(true);
        Outcome { result, mended: mend.then(|| ("log-attributes", print(false))) }
    });
}

/// Prints the attributes that another function has found.
pub fn nlmsg(w: &mut World, rng: &mut Rng) {
    let (message, length) = w.messages.packet(rng);
    let base = w.guarded.place(&message) as usize;
    let message = &message[..length];
    let (size, flags) = (any_size(rng), any_flags(rng));
    let format: c_uint = if rng.one_in(5) { rng.pick(&[1, 2, u32::MAX]) } else { 0 };
    let (api, mend, room) = (&w.api, w.mend, &mut w.buffer);
    let call = format!("nlmsg xml ({}, {format}, size {size}, flags {flags:#x})", hex(message));
    w.out.call(call, || {
        let mut print = |bad| {
            let found = pointers(message, base, bad).map(|pointer| pointer as ConstPtr);
            let array = [&[std::ptr::null()][..], &found].concat();
            printed(room, size, !bad, |room| {
                let room = room.as_mut_ptr().cast();
                let (nlh, array) = (base as ConstPtr, array.as_ptr());
                ffi!(api, nflog_nlmsg_snprintf(room, size, nlh, array, format, flags))
            })
        };
        let result = print(true);
        Outcome { result, mended: mend.then(|| ("log-attributes", print(false))) }
    });
}
