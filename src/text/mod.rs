//! Text for every subsystem: a bounded writer, times, JSON.
#![forbid(unsafe_code)]

mod digits;
pub(crate) mod display;
pub mod json;
pub mod time;
pub mod writer;
pub(crate) mod xml;
