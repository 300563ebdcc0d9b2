//! What only the C headers have: enums some of whose names share a value, and macros.
//!
//! The compiler never sees these files (`cfg(c_header)` is never set): cbindgen reads them, with
//! the rest of `capi`, when it generates `include/`. One file per header, two for the main one, and
//! in `top.h` the C text above its first section. Sections and their order are a table in
//! `capi-tests/tests/header`.

mod api;
mod attr;
mod dccp;
mod icmp;
mod linux_nf_conntrack_common;
mod linux_nfnetlink_conntrack;
mod sctp;
mod tcp;
mod udp;
