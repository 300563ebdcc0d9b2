//! The extensions of `ctrs.h`.

pub mod call;
pub mod error;
pub mod open;
pub mod record;
pub mod version;
pub mod wake;
