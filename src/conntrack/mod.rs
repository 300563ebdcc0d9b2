//! The flow table: entries, expectations, their labels, what selects them, and the typed face on it.

pub mod error;
pub mod events;
pub mod filter;
#[allow(unsafe_code, reason = "owns blocks of the C allocator")]
pub mod heap;
pub mod labels;
pub mod object;
pub mod print;
pub mod table;
pub mod wire;
