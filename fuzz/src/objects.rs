//! Objects of the C interface, and what can be asked of every one.

use ctrs::capi::conntrack::entry::{nfct_clone, nfct_destroy, nfct_new};
use ctrs::capi::conntrack::expect::{nfexp_destroy, nfexp_new};
use ctrs::capi::conntrack::nlmsg::{nfct_nlmsg_build, nfexp_nlmsg_build};
use ctrs::capi::conntrack::print::{nfct_snprintf, nfexp_snprintf};
use ctrs::capi::conntrack::types::{nf_conntrack, nf_expect};
use std::ffi::{c_char, c_int, c_uint};

/// A conntrack object.
pub struct Ct(pub *mut nf_conntrack);

/// An expectation.
pub struct Exp(pub *mut nf_expect);

impl Ct {
    pub fn new() -> Self {
        // SAFETY: always safe.
        Self(unsafe { nfct_new() })
    }

    pub fn copy(&self) -> Self {
        // SAFETY: the object is live.
        Self(unsafe { nfct_clone(self.0) })
    }

    /// The object as text; `None` if it cannot be printed.
    pub fn text(&self, style: [c_uint; 3]) -> Option<Vec<u8>> {
        text(|buffer, size| {
            // SAFETY: the buffer has `size` bytes, the object is live.
            unsafe { nfct_snprintf(buffer, size, self.0, style[0], style[1], style[2]) }
        })
    }

    /// The attributes of a message built into a buffer with `room` bytes for them; `None` if the
    /// object cannot be built.
    pub fn built(&self, room: usize) -> Option<Vec<u8>> {
        // SAFETY: the message has the room, the object is live.
        built(room, |message| unsafe { nfct_nlmsg_build(message.cast(), self.0) })
    }
}

impl Drop for Ct {
    fn drop(&mut self) {
        // SAFETY: the object is live and not used again.
        unsafe { nfct_destroy(self.0) };
    }
}

impl Exp {
    pub fn new() -> Self {
        // SAFETY: always safe.
        Self(unsafe { nfexp_new() })
    }

    pub fn text(&self, style: [c_uint; 3]) -> Option<Vec<u8>> {
        text(|buffer, size| {
            // SAFETY: the buffer has `size` bytes, the object is live.
            unsafe { nfexp_snprintf(buffer, size, self.0, style[0], style[1], style[2]) }
        })
    }

    pub fn built(&self, room: usize) -> Option<Vec<u8>> {
        // SAFETY: the message has the room, the object is live.
        built(room, |message| unsafe { nfexp_nlmsg_build(message.cast(), self.0) })
    }
}

impl Drop for Exp {
    fn drop(&mut self) {
        // SAFETY: the object is live and not used again.
        unsafe { nfexp_destroy(self.0) };
    }
}

/// What a buffer holds where nothing was written.
const UNTOUCHED: u8 = 0xa5;

/// Prints into buffers of several sizes, which must get the same text as far as it fits.
pub fn text(print: impl Fn(*mut c_char, c_uint) -> c_int) -> Option<Vec<u8>> {
    let length = print(std::ptr::null_mut(), 0);
    let Ok(length) = usize::try_from(length) else {
        assert_eq!(length, -1);
        return None;
    };
    let mut whole = vec![UNTOUCHED; length + 1];
    let again = print(whole.as_mut_ptr().cast(), whole.len() as c_uint);
    assert_eq!(again as usize, length);
    assert_eq!(whole.pop(), Some(0), "terminated");
    assert!(!whole.contains(&0), "NUL inside the text");
    for size in [1, length / 2, length] {
        let size = size.min(length);
        let mut part = vec![UNTOUCHED; size];
        assert_eq!(print(part.as_mut_ptr().cast(), size as c_uint) as usize, length);
        if let Some((end, begin)) = part.split_last() {
            assert!(whole.starts_with(begin), "a part is a prefix");
            assert_eq!(*end, 0, "a part is terminated");
        }
    }
    Some(whole)
}

/// Bytes of a netlink message before its attributes.
const HEADERS: usize = 20;

/// Has attributes appended to an empty message. What is refused must leave it as it was.
pub fn built(room: usize, append: impl Fn(*mut u8) -> c_int) -> Option<Vec<u8>> {
    let mut buffer = vec![UNTOUCHED; HEADERS + room];
    buffer[..4].copy_from_slice(&(HEADERS as u32).to_ne_bytes());
    let before = buffer[..HEADERS].to_vec();
    let result = append(buffer.as_mut_ptr());
    if result != 0 {
        assert_eq!(result, -1);
        assert_eq!(before, buffer[..HEADERS]);
        assert!(buffer[HEADERS..] == vec![UNTOUCHED; room]);
        return None;
    }
    let length = u32::from_ne_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]) as usize;
    assert!(length >= HEADERS && length <= buffer.len());
    // A filter sets the family.
    assert_eq!(before[4..16], buffer[4..16], "the header behind its length is left alone");
    let behind = &buffer[length.next_multiple_of(4)..];
    assert!(*behind == vec![UNTOUCHED; behind.len()], "written behind the message");
    Some(buffer[HEADERS..length].to_vec())
}
