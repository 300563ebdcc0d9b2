//! Timeout policies: how long flows live, state by state, where a rule says so.

pub mod object;
pub mod print;
pub mod states;
pub mod wire;
