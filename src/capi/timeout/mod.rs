//! The functions of libnetfilter_cttimeout, a file for each noun.

#[cfg(c_header)]
mod header;
pub mod nlmsg;
mod opaque;
pub mod policy;
pub mod print;
pub mod types;
