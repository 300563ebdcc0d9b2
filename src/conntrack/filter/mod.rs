//! Filters: classic BPF for the events of a socket, attributes for the dumps and flushes of the kernel.
#![forbid(unsafe_code)]

pub mod dump;
pub mod event;
mod field;
pub(crate) mod tuple;
