//! Netlink itself: a socket, messages read, messages written. Knows nothing of connection tracking.

pub mod ack;
pub mod batch;
pub mod bpf;
pub mod builder;
#[allow(unsafe_code, reason = "a system call that receives several datagrams")]
pub(crate) mod datagrams;
pub mod decisions;
pub mod error;
pub mod exchange;
pub mod message;
pub(crate) mod name;
#[allow(unsafe_code, reason = "system calls about namespaces")]
mod namespace;
pub(crate) mod nsid;
pub(crate) mod number;
#[allow(unsafe_code, reason = "system calls that make an epoll and a timer")]
pub(crate) mod ready;
pub mod receiver;
#[allow(unsafe_code, reason = "system calls on the socket")]
pub mod settings;
#[allow(unsafe_code, reason = "system calls on the socket")]
pub mod socket;
#[allow(unsafe_code, reason = "declared as they are called")]
mod syscalls;
#[allow(unsafe_code, reason = "system calls that wait, and that end a wait")]
pub mod wait;
#[allow(unsafe_code, reason = "asks the C library for words")]
pub(crate) mod words;

pub use error::Error;
