//! A message of the length it says, with nothing behind it.

use libc::nlmsghdr;

/// Bytes of a netlink message's header.
const HEADER: usize = 16;

pub struct Whole(Vec<u8>);

impl Whole {
    /// The bytes, at least those of a header, with their number in it.
    pub fn new(bytes: &[u8]) -> Self {
        let mut message = bytes.to_vec();
        if message.len() < HEADER {
            message.resize(HEADER, 0);
        }
        let length = message.len() as u32;
        message[..4].copy_from_slice(&length.to_ne_bytes());
        Self(message)
    }

    pub fn header(&self) -> *const nlmsghdr {
        self.0.as_ptr().cast()
    }
}
