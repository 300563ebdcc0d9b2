//! Filters: classic BPF for the events of a socket, attributes for the dumps and flushes of the kernel.
#![forbid(unsafe_code)]

pub mod criteria;
pub mod dump;
pub mod event;
mod field;
pub(crate) mod narrowing;
pub mod net;
pub(crate) mod tuple;
