//! Timeout policies: how long flows live, state by state, where a rule says so.

pub mod object;
pub mod policies;
pub mod print;
pub(crate) mod request;
pub mod states;
pub mod value;
pub mod wire;
