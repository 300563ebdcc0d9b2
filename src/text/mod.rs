//! Text for every subsystem: a bounded writer, times, JSON.
#![forbid(unsafe_code)]

pub mod json;
pub mod time;
pub mod writer;
