//! The extensions of `ctrs.h`.

pub mod attr;
pub mod call;
pub mod diagnose;
pub mod error;
#[cfg(c_header)]
mod header;
pub mod open;
pub mod record;
pub mod types;
pub mod version;
pub mod wake;
