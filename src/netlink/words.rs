//! An `errno` in the words of the C library, without memory of its own.

use std::ffi::CStr;
use std::fmt::{self, Display, Formatter};

/// An `errno` in words, as the standard library puts it; its own error would ask for memory.
pub(crate) struct Words(pub i32);

impl Display for Words {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut buffer = [0_u8; 128];
        // SAFETY: the C library writes at most as many bytes as the buffer has, a NUL among them.
        unsafe { libc::strerror_r(self.0, buffer.as_mut_ptr().cast(), buffer.len()) };
        let words = CStr::from_bytes_until_nul(&buffer).unwrap_or_default().to_bytes();
        let words = words.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        write!(f, "{words} (os error {})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_the_standard_library() {
        for errno in [0, libc::ENOENT, libc::EPERM, libc::ENOBUFS, 4095, -1] {
            let error = std::io::Error::from_raw_os_error(errno);
            assert_eq!(Words(errno).to_string(), error.to_string());
        }
    }
}
