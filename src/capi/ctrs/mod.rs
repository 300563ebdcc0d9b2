//! The extensions of `ctrs.h`.

pub mod record;
pub mod version;
