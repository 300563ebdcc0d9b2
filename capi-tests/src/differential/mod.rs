//! The reference and ctrs side by side, each in a process of its own, driven by the same calls.

pub mod api;
pub mod attrs;
pub mod build;
pub mod copy;
pub mod ct;
pub mod differences;
pub mod expect;
pub mod filter;
pub mod guard;
pub mod labels;
pub mod messages;
pub mod parent;
pub mod parse;
pub mod print;
pub mod record;
pub mod repair;
pub mod report;
pub mod rng;
pub mod schema;
pub mod selftest;
pub mod worker;
pub mod world;
