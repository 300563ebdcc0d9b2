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
#[cfg(feature = "helper")]
pub mod helper;
pub mod json;
pub mod mirror;
pub mod mirror_find;
pub mod namespaces;
#[cfg(feature = "nflog")]
pub mod nflog;
#[cfg(feature = "nflog")]
pub mod nflog_read;
pub mod open;
#[cfg(feature = "nflog")]
pub mod packet;
#[cfg(feature = "nflog")]
pub mod packet_flow;
#[cfg(feature = "nflog")]
pub mod packet_json;
#[cfg(feature = "nflog")]
pub mod pcap;
mod reading;
pub mod record;
pub mod stats;
#[cfg(feature = "timeout")]
pub mod timeout;
pub mod types;
pub mod wake;
