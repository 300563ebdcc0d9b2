//! The functions of libnetfilter_log, a file for each noun.

pub mod errno;
#[cfg(c_header)]
mod header;
pub mod types;
