//! The objects of a sequence, and what the generator must remember about them.

use std::os::fd::FromRawFd;

use super::api::{Api, Ptr, ffi};
use super::messages::Messages;
use crate::differential::record::Transcript;
use crate::differential::rng::Rng;

/// A conntrack object.
#[derive(Clone)]
pub struct Ct {
    /// The object.
    pub ptr: Ptr,
    /// The helper's private data it holds: its length cannot be asked for.
    pub info: Option<Vec<u8>>,
    /// The time of the event it holds, which 1.0.9 does not know.
    pub event: u64,
    /// Whether that is present.
    pub has_event: bool,
}

/// What has been put into the event filter, to keep it where the reference is right.
#[derive(Default)]
pub struct FilterUse {
    /// Entries of each type.
    pub entries: [usize; 8],
    /// The one protocol whose states are filtered.
    pub state_protocol: Option<u16>,
}

/// One worker: a library, the objects made with it, and the transcript.
pub struct World {
    /// The library under test.
    pub api: Api,
    /// Where results go.
    pub out: Transcript,
    /// Whether this is the reference, which is to be compared with ctrs.
    pub mend: bool,
    /// Messages to parse.
    pub messages: Messages,
    /// Conntrack objects.
    pub cts: [Ct; 3],
    /// Expectations.
    pub exps: [Ptr; 2],
    /// Bitmasks that no object owns; may be null.
    pub masks: [Ptr; 2],
    /// A label map; may be null.
    pub map: Ptr,
    /// An event filter.
    pub filter: Ptr,
    /// What is in it.
    pub filter_use: FilterUse,
    /// A dump filter.
    pub dump: Ptr,
    /// A socket that takes filters.
    pub socket: i32,
    /// A file for label maps, in memory.
    pub label_file: std::fs::File,
    /// Room for a message or a text, cleared before use.
    pub buffer: Vec<u8>,
    /// Where messages lie: right before a page that must not be read.
    pub guarded: crate::differential::guard::Guarded,
}

/// Size of the buffers that calls write to.
pub const ROOM: usize = 1 << 17;

impl World {
    /// A worker without objects.
    #[must_use]
    pub fn new(api: Api, out: Transcript, mend: bool) -> Self {
        let null = std::ptr::null_mut();
        let empty = Ct { ptr: null, info: None, event: 0, has_event: false };
        // SAFETY: socket has no memory preconditions.
        let socket =
            unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        assert!(socket >= 0, "no socket");
        Self {
            api,
            out,
            mend,
            messages: Messages::load(),
            cts: [empty.clone(), empty.clone(), empty],
            exps: [null; 2],
            masks: [null; 2],
            map: null,
            filter: null,
            filter_use: FilterUse::default(),
            dump: null,
            socket,
            label_file: file_in_memory(),
            buffer: vec![0; ROOM],
            guarded: crate::differential::guard::Guarded::new(),
        }
    }

    /// Makes the objects that every sequence starts with.
    pub fn make_objects(&mut self, rng: &mut Rng) {
        for at in 0..self.cts.len() {
            let ptr = self.new_ct(rng.one_in(4));
            self.cts[at] = Ct { ptr, info: None, event: 0, has_event: false };
        }
        for at in 0..self.exps.len() {
            self.exps[at] = ffi!(self.api, nfexp_new()).0;
        }
        self.filter = ffi!(self.api, nfct_filter_create()).0;
        self.filter_use = FilterUse::default();
        self.dump = ffi!(self.api, nfct_filter_dump_create()).0;
    }

    /// An empty object, by the library or (`zeroed`) as zero bytes of the size it asks for.
    fn new_ct(&mut self, zeroed: bool) -> Ptr {
        if !zeroed {
            return ffi!(self.api, nfct_new()).0;
        }
        let size = ffi!(self.api, nfct_maxsize()).0;
        // SAFETY: calloc has no preconditions.
        let ptr = unsafe { libc::calloc(1, size) };
        assert_eq!(ffi!(self.api, nfct_sizeof(ptr)).0, size, "nfct_sizeof and nfct_maxsize differ");
        ptr
    }

    /// Destroys everything.
    pub fn destroy_objects(&mut self) {
        let null = std::ptr::null_mut();
        for ct in &mut self.cts {
            let ptr = std::mem::replace(&mut ct.ptr, null);
            let (api, out) = (&self.api, &mut self.out);
            out.call("nfct_destroy", || errno_of(ffi!(api, nfct_destroy(ptr))));
        }
        for exp in &mut self.exps {
            ffi!(self.api, nfexp_destroy(std::mem::replace(exp, null)));
        }
        for mask in &mut self.masks {
            ffi!(self.api, nfct_bitmask_destroy(std::mem::replace(mask, null)));
        }
        if !self.map.is_null() {
            ffi!(self.api, nfct_labelmap_destroy(std::mem::replace(&mut self.map, null)));
        }
        ffi!(self.api, nfct_filter_destroy(std::mem::replace(&mut self.filter, null)));
        ffi!(self.api, nfct_filter_dump_destroy(std::mem::replace(&mut self.dump, null)));
    }
}

/// A file that vanishes with the worker, however that ends.
fn file_in_memory() -> std::fs::File {
    // SAFETY: the name ends in NUL.
    let fd = unsafe { libc::memfd_create(c"connlabel.conf".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(fd >= 0, "no file in memory");
    // SAFETY: the descriptor is new and nobody else's.
    unsafe { std::fs::File::from_raw_fd(fd) }
}

/// The result of a function without a value.
#[must_use]
pub fn errno_of(((), errno): ((), i32)) -> String {
    format!("errno={errno}")
}

/// The result of a function that returns a number.
#[must_use]
pub fn number<T: std::fmt::Display>((value, errno): (T, i32)) -> String {
    format!("{value} errno={errno}")
}

/// Different indices of two objects.
pub fn two_of(rng: &mut Rng, count: usize) -> (usize, usize) {
    let first = rng.index(count);
    (first, (first + rng.range(1, count as u64 - 1) as usize) % count)
}
