//! What the fuzz targets do with their input, through the C interface.
//!
//! Each body takes any bytes and panics when something does not hold. The fuzz targets call them
//! with what libFuzzer makes up; a test of `capi-tests` includes this file and calls them with the
//! committed corpus, so it must build with the stable toolchain and needs no crate but `ctrs` and
//! `libc`. Memory handed to C functions is as large as their contract asks, so that a sanitizer
//! sees every byte too many.

mod api;
#[path = "../../capi-tests/src/attributes.rs"]
mod attributes;
#[path = "../../capi-tests/src/bpf.rs"]
mod bpf;
mod expression;
mod filter;
mod helper;
mod input;
mod json;
mod kernel;
mod labels;
mod message;
mod mirror;
mod nflog;
mod objects;
mod receive;
mod record;
mod roundtrip;
mod timeout;
mod whole;

pub use api::api;
pub use expression::expression;
pub use filter::filter;
pub use helper::helper;
pub use json::json;
pub use labels::labels;
pub use message::message;
pub use mirror::mirror;
pub use nflog::nflog;
pub use receive::receive;
pub use record::record;
pub use roundtrip::roundtrip;
pub use timeout::timeout;

/// A body: takes any bytes, panics when something does not hold.
pub type Body = fn(&[u8]);

/// All bodies, by the name of their target.
pub const BODIES: [(&str, Body); 13] = [
    ("message", message),
    ("roundtrip", roundtrip),
    ("api", api),
    ("labels", labels),
    ("filter", filter),
    ("receive", receive),
    ("record", record),
    ("json", json),
    ("expression", expression),
    ("timeout", timeout),
    ("helper", helper),
    ("nflog", nflog),
    ("mirror", mirror),
];
