//! A live copy of the flow table, kept by the kernel's events and lists.

mod driver;
mod flows;
mod mirror;
mod reader;
#[allow(unsafe_code, reason = "records as bytes")]
pub mod record;

#[cfg(feature = "capi")]
pub(crate) use driver::Driver;
pub use flows::MirrorFlows;
pub use mirror::{Mirror, MirrorChange};
pub use reader::MirrorReader;
pub use record::MirrorInfo;
