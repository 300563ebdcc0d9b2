//! User-space helpers: which packets go to which queue, and what they may expect.

pub mod helpers;
pub mod object;
#[allow(unsafe_code, reason = "owns blocks of the C allocator")]
pub mod policies;
pub mod policy;
pub mod print;
pub(crate) mod request;
pub mod value;
pub mod wire;
