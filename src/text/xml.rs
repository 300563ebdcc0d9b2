//! Elements of XML as the kernel's tools print them: nothing is escaped.
#![forbid(unsafe_code)]

use super::time::CivilTime;
use super::writer::Writer;

/// A number between its tags.
#[inline(always)]
pub(crate) fn number(out: &mut Writer<'_>, open: &[u8], value: u64, close: &[u8]) {
    out.text(open);
    out.decimal(value);
    out.text(close);
}

/// A string between its tags.
#[inline(always)]
pub(crate) fn string(out: &mut Writer<'_>, open: &[u8], value: &[u8], close: &[u8]) {
    out.text(open);
    out.text(value);
    out.text(close);
}

/// Bytes in hexadecimal between their tags.
#[inline(always)]
pub(crate) fn hex(out: &mut Writer<'_>, open: &[u8], value: &[u8], close: &[u8]) {
    out.text(open);
    out.hex_bytes(value);
    out.text(close);
}

/// The `when` element with a local time.
pub(crate) fn when(out: &mut Writer<'_>, time: &CivilTime) {
    number(out, b"<when><hour>", time.hour.into(), b"</hour><min>");
    out.two_digits(time.minute);
    out.text(b"</min><sec>");
    out.two_digits(time.second);
    number(out, b"</sec><wday>", u64::from(time.weekday) + 1, b"</wday>");
    number(out, b"<day>", time.day.into(), b"</day>");
    number(out, b"<month>", time.month.into(), b"</month>");
    number(out, b"<year>", time.year.into(), b"</year></when>");
}
