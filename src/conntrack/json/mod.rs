//! Entries and expectations as JSON, and back: the same tree of members drives both ways.
#![forbid(unsafe_code)]

mod expect;
mod face;
mod members;
mod read;
#[cfg(test)]
mod tests;

mod tuple;
mod usual;
mod value;
mod words;
mod write;

pub use expect::{expect, read as read_expect};
pub use face::Json;

pub use read::conntrack as read;
pub use write::conntrack as write;
pub(crate) use write::{flow, time};

use crate::conntrack::labels::map::LabelMap;
use crate::conntrack::object::tuple::ORIG;
use crate::conntrack::tuple::Tuple;
#[cfg(feature = "serde")]
use crate::text::json::{Error, Reader};
use crate::text::json::{JsonWriter, Word};
#[cfg(feature = "serde")]
use crate::text::writer::Writer;

/// Numbers of 64 bits as strings, for readers that keep numbers as doubles.
pub const STRINGS: u32 = 1;

/// How to write.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style<'a> {
    /// The event to name, `NFCT_T_*`: new, update or destroy; any other value names none.
    pub message: u32,
    /// [`STRINGS`] or 0; unknown bits are ignored.
    pub flags: u32,
    /// The names of labels; one without a name is its number.
    pub labels: Option<&'a LabelMap>,
}

/// Writes a tuple, whole.
pub(crate) fn tuple(out: &mut JsonWriter<'_, '_>, tuple: &Tuple) {
    let tuple = tuple.object();
    if let Some(whole) = ORIG.whole(tuple.l3proto, tuple.l4proto) {
        tuple::write(out, &whole, tuple, &ORIG);
    }
}

/// Writes a member that is a number with a name, or the number where `words` has none.
pub(crate) fn named(out: &mut JsonWriter<'_, '_>, key: &Word, number: u32, words: &[Word]) {
    words::write(out, key, number, words);
}

/// Writes the bits of a status as the member of that name is written.
#[cfg(feature = "serde")]
pub(super) fn write_status(out: &mut Writer<'_>, bits: u32) {
    words::write_bits(&mut JsonWriter::new(out), bits, &words::STATUS);
}

/// Reads the bits of a status as the member of that name is read.
#[cfg(feature = "serde")]
pub(super) fn read_status(text: &[u8]) -> Result<u32, Error> {
    value::bits(&mut Reader::new(text), &words::STATUS)
}
