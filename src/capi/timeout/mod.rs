//! The functions of libnetfilter_cttimeout, a file for each noun.

#[cfg(c_header)]
mod header;
pub mod types;
