//! Packets that rules log: NFLOG, the subsystem `nfnetlink_log` of the kernel.

pub mod attr;
pub mod config;
pub mod datagram;
mod flow;
mod ip;
pub mod json;
pub mod log;
pub mod logged;
pub mod lookup;
pub mod losses;
pub mod owned;
pub mod packet;
pub mod pcap;
pub mod record;
pub mod request;
pub mod settings;
#[cfg(feature = "capi")]
pub(crate) mod shape;
pub(crate) mod source;
#[cfg(test)]
mod tests;
pub mod values;
pub mod xml;
