//! The boundary itself: pointers, memory, errors, cancellation, and the block of libnfnetlink.

pub mod alloc;
pub mod at_work;
pub mod boundary;
pub mod cancel;
pub mod clock;
pub mod closed;
pub mod error;
pub mod explained;
pub mod nfnl;
pub mod nlmsg;
pub mod ptr;
pub mod text;
