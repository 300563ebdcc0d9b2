//! The objects: conntrack entries and expectations. Plain data, no I/O.

pub mod attr;
pub mod compare;
pub mod copy;
pub mod entry;
pub mod expectation;
pub mod group;
pub mod icmp;
pub mod layer4;
#[allow(unsafe_code, reason = "an entry as bytes")]
pub mod layout;
pub mod nat;
#[cfg(feature = "capi")]
mod number;
mod presence;
pub(crate) mod renew;
pub(crate) mod sets;
pub mod status;
pub(crate) mod tuple;
