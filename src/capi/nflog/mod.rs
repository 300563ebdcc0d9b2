//! The functions of libnetfilter_log, a file for each noun.

pub mod data;
pub mod dispatch;
pub mod errno;
pub mod group;
pub mod handle;
#[cfg(c_header)]
mod header;
pub mod nlmsg;
pub mod packet;
pub mod print;
mod request;
mod state;
pub mod time;
pub mod types;
