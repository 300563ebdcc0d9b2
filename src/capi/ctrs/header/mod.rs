//! What only `ctrs.h` has: enumerators of what other headers have as macros, or do not share with
//! it.
//!
//! The compiler never sees these files, as those of `capi/conntrack/header`.

mod constants;
