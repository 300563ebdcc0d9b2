//! Text for every subsystem: a bounded writer, times, JSON.
#![forbid(unsafe_code)]

mod digits;
pub mod json;
pub mod time;
pub mod writer;
