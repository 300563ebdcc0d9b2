//! The functions of libnetfilter_conntrack, a file for each noun.

pub mod attr;
pub mod beyond;
pub mod bitmask;
pub mod callback;
pub mod dump_filter;
pub mod entry;
mod errno;
pub mod event_filter;
pub mod expect;
pub mod extension;
pub mod group;
pub mod handle;
#[cfg(c_header)]
mod header;
pub mod labelmap;
pub mod nlmsg;
pub mod opaque;
pub mod print;
pub mod query;
pub mod receive;
pub mod request;
pub mod state;
pub mod types;
