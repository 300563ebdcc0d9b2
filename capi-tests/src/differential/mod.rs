//! The reference and ctrs side by side, each in a process of its own, driven by the same calls.

pub mod api;
pub mod conntrack;
pub mod differences;
pub mod guard;
pub mod helper;
pub mod nflog;
pub mod parent;
pub mod record;
pub mod report;
pub mod rng;
pub mod selftest;
pub mod timeout;
pub mod wire;
pub mod worker;

use capi_tests::libraries::Library;

/// How one library is compared: a module here has its calls.
pub struct Comparison {
    pub library: &'static Library,
    /// Makes the calls of a plan: `worker::run` of its `Caller`.
    pub worker: fn(&worker::Plan),
    /// The ids of the differences that it makes exceptions for.
    pub differences: &'static [&'static str],
    /// Libraries that it must notice.
    pub broken: &'static [selftest::Broken],
}

pub static COMPARISONS: [Comparison; 4] =
    [conntrack::COMPARISON, nflog::COMPARISON, timeout::COMPARISON, helper::COMPARISON];

/// Whether qemu runs the libraries, which hands out no programs of filters.
#[must_use]
pub fn is_emulated() -> bool {
    std::env::var_os("CTRS_DIFF_EMULATED").is_some()
}
