//! Records: packets as plain data of a fixed layout, for programs in any language, files and shared
//! memory.

mod fill;
#[allow(unsafe_code, reason = "records as bytes")]
pub mod layout;
#[cfg(test)]
mod tests;

pub use layout::{PacketField, PacketRecord, PartRecord};
