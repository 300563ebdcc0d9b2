//! Connection labels: sets of them, and their names.
#![forbid(unsafe_code)]

pub mod bitmask;
pub mod map;
pub mod set;
