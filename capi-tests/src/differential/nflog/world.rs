//! A handle with its groups, and what the calls of a sequence need.

use super::api::{Api, Ptr, ffi};
use super::handle::{Heard, hear};
use super::messages::Messages;
use crate::differential::guard::Guarded;
use crate::differential::record::Transcript;

/// The groups that are bound.
pub const GROUPS: [u16; 5] = [0, 5, 6, 300, 65535];

/// One worker: a library, a handle of it, and the transcript.
pub struct World {
    pub api: Api,
    pub out: Transcript,
    /// Whether this is the reference, which is to be compared with ctrs.
    pub mend: bool,
    pub messages: Messages,
    /// Where messages lie: right before a page that must not be read.
    pub guarded: Guarded,
    /// Room for a text or a message.
    pub buffer: Vec<u8>,
    pub handle: Ptr,
    /// The groups by number; the last has no callback.
    pub groups: [Ptr; GROUPS.len()],
    /// What the callbacks were called with: at a place of its own, which they are told.
    pub heard: Box<Heard>,
}

/// Bytes of the buffer.
pub const ROOM: usize = 1 << 16;

impl World {
    /// A worker in a network namespace of its own.
    #[must_use]
    pub fn new(api: Api, out: Transcript, mend: bool) -> Self {
        // SAFETY: no pointers are passed; the worker has one thread.
        let alone = unsafe {
            libc::unshare(libc::CLONE_NEWNET) == 0
                || libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) == 0
        };
        assert!(alone, "no network namespace, as root or in a user namespace");
        Self {
            api,
            out,
            mend,
            messages: Messages::load(),
            guarded: Guarded::new(),
            buffer: vec![0; ROOM],
            handle: std::ptr::null_mut(),
            groups: [std::ptr::null_mut(); GROUPS.len()],
            heard: Box::default(),
        }
    }

    /// Opens the handle and binds the groups.
    pub fn open(&mut self) {
        self.handle = ffi!(self.api, nflog_open()).0;
        assert!(!self.handle.is_null(), "no handle");
        for (at, number) in GROUPS.into_iter().enumerate() {
            self.groups[at] = ffi!(self.api, nflog_bind_group(self.handle, number)).0;
            assert!(!self.groups[at].is_null(), "no group");
            self.register(at);
        }
        self.heard.groups = self.groups;
    }

    /// Has packets of a group heard, but for those of the last one.
    pub fn register(&mut self, at: usize) {
        let heard = (&raw mut *self.heard).cast();
        if at + 1 < GROUPS.len() {
            ffi!(self.api, nflog_callback_register(self.groups[at], Some(hear), heard));
        }
    }

    /// Unbinds the groups, for the reference never frees them, and closes the handle.
    pub fn close(&mut self) {
        for group in self.groups {
            ffi!(self.api, nflog_unbind_group(group));
        }
        ffi!(self.api, nflog_close(self.handle));
    }
}

/// The result of a function that returns a number.
#[must_use]
pub fn number<T: std::fmt::Display>((value, errno): (T, i32)) -> String {
    format!("{value} errno={errno}")
}
