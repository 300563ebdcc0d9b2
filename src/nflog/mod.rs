//! Packets that rules log: NFLOG, the subsystem `nfnetlink_log` of the kernel.

pub mod attr;
pub mod owned;
pub mod packet;
#[cfg(test)]
mod tests;
pub mod values;
