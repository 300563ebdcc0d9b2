//! Records: flows and expectations as plain data of a fixed layout, for programs in any language,
//! files and shared memory.

pub mod expectation;
pub mod flow;
#[allow(unsafe_code, reason = "records as bytes")]
pub mod layout;
mod places;
#[cfg(test)]
mod tests;
mod words;

pub use layout::{
    ExpectationRecord, FlowRecord, NatRecord, SeqAdjustRecord, SynproxyRecord, TupleRecord,
};
