//! Netlink itself: a socket, messages read, messages written. Knows nothing of connection tracking.

pub mod bpf;
pub mod builder;
#[allow(unsafe_code, reason = "declared as they are called")]
mod calls;
pub mod error;
pub mod exchange;
pub mod message;
#[allow(unsafe_code, reason = "system calls about namespaces")]
mod namespace;
#[allow(unsafe_code, reason = "system calls on the socket")]
pub mod socket;

pub use error::Error;
