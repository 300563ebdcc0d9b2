//! ctrs
#[allow(unsafe_code, reason = "the C interface")]
pub mod capi;
pub mod ct;
mod error;
pub mod filter;
pub mod handle;
pub mod netlink;
pub mod print;
pub mod wire;
pub use error::Error;
