//! Netlink itself: a socket, messages read, messages written. Knows nothing of connection tracking.

pub mod builder;
#[allow(unsafe_code, reason = "what Miri calls in their place is declared here")]
mod calls;
pub mod message;
#[allow(unsafe_code, reason = "system calls on the socket")]
pub mod socket;
