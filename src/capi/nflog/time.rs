//! Times as C programs have them.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

/// `struct timeval` of programs whose times have 64 bits, on every machine.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct timeval64 {
    /// Seconds since 1970.
    pub tv_sec: i64,
    /// And microseconds.
    pub tv_usec: i64,
}

/// `struct timeval` of programs that ask the C library for nothing else.
#[cfg(not(all(target_env = "musl", target_pointer_width = "32")))]
pub use libc::timeval;
/// The same: musl has times of 64 bits everywhere, what Rust does not know.
#[cfg(all(target_env = "musl", target_pointer_width = "32"))]
pub use timeval64 as timeval;
