//! The functions of libnetfilter_cthelper, a file for each noun.

#[cfg(c_header)]
mod header;
#[allow(clippy::module_inception, reason = "a helper is the noun of its library")]
pub mod helper;
pub mod nlmsg;
mod opaque;
pub mod policy;
pub mod print;
pub mod types;
