//! The flow table: entries, expectations, their labels, what selects them, and the typed face on it.

mod asking;
pub mod batch;
#[cfg(feature = "capi")]
pub(crate) mod calls;
pub mod change;
pub mod deletion;
pub mod diagnose;
pub mod dump;
pub mod error;
pub mod events;
pub mod expectation;
pub mod expectations;
pub mod expression;
mod fill;
pub mod filter;
pub mod flow;
#[allow(unsafe_code, reason = "owns blocks of the C allocator")]
pub mod heap;
pub mod json;
pub mod key;
pub mod labels;
pub mod listener;
pub mod listing;
pub mod mirror;
pub mod new_flow;
pub mod object;
pub(crate) mod one;
pub mod print;
pub mod record;
pub mod replica;
pub mod returned;
#[cfg(feature = "capi")]
pub(crate) mod selection;
mod selects;
#[cfg(feature = "serde")]
mod serde;
pub mod stats;
pub mod stream;
pub mod syntax;
pub mod table;
pub mod tuple;
pub mod values;
pub mod wire;
pub(crate) mod zeroing;
