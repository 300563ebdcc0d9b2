//! Text for every subsystem: a bounded writer, times.
#![forbid(unsafe_code)]

pub mod time;
pub mod writer;
