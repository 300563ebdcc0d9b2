//! The extensions of `ctrs.h`.

mod answer;
pub mod attr;
pub mod batch;
pub mod call;
pub mod delete;
pub mod diagnose;
pub mod dump;
pub mod error;
pub mod event;
pub mod expect_dump;
pub mod filter;
pub mod flow;
#[cfg(c_header)]
mod header;
pub mod helper;
pub mod json;
pub mod mirror;
pub mod mirror_find;
pub mod namespaces;
pub mod nflog;
pub mod nflog_read;
pub mod open;
pub mod packet;
pub mod packet_flow;
pub mod pcap;
mod reading;
pub mod record;
pub mod stats;
pub mod timeout;
pub mod types;
pub mod version;
pub mod wake;
