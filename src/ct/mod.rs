//! The objects: conntrack entries, expectations, label bitmasks and label maps. Plain data, no I/O.

pub mod attr;
pub mod bitmask;
pub mod compare;
pub mod conntrack;
pub mod copy;
pub mod expect;
pub mod flow;
pub mod group;
pub mod icmp;
pub mod labelmap;
pub mod layer4;
pub mod objopt;
#[allow(unsafe_code, reason = "owns heap blocks of the C allocator and reads slots by offset")]
pub mod storage;
