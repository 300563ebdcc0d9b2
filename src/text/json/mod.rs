//! JSON, RFC 8259: written to a bounded buffer, and read from borrowed bytes. Neither allocates.
#![forbid(unsafe_code)]

mod read;
mod strings;
mod write;

pub use read::{Error, Kind, Reader};
pub use strings::{Number, Text};
pub use write::{JsonWriter, Word};
