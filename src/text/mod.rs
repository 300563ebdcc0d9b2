//! Text for every subsystem: a bounded writer, times, JSON.
#![forbid(unsafe_code)]

mod digits;
pub(crate) mod display;
pub mod json;
#[cfg(feature = "serde")]
pub(crate) mod serde;
pub mod time;
pub mod writer;
pub(crate) mod xml;
