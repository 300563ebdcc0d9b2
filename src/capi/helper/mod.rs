//! The functions of libnetfilter_cthelper, a file for each noun.

#[cfg(c_header)]
mod header;
pub mod types;
