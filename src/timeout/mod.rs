//! Timeout policies: how long flows live, state by state, where a rule says so.

pub mod json;
pub mod object;
pub mod policies;
pub mod print;
#[allow(unsafe_code, reason = "plain data as bytes")]
pub mod record;
pub(crate) mod request;
#[cfg(feature = "serde")]
mod serde;
pub mod states;
pub mod value;
pub mod wire;
