//! Packets that rules log: NFLOG, the subsystem `nfnetlink_log` of the kernel.

pub mod attr;
pub mod config;
pub mod datagram;
pub mod owned;
pub mod packet;
pub mod request;
#[cfg(test)]
mod tests;
pub mod values;
pub mod xml;
