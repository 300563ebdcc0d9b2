//! The extensions of `ctrs.h`.

pub mod version;
