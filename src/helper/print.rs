//! A user-space helper as text.
#![forbid(unsafe_code)]

use super::object::{Helper, Number};
use crate::text::writer::Writer;

/// The numbers that are printed, in order.
const LINES: [(&str, Number); 4] = [
    ("queuenum", Number::Queue),
    ("l3protonum", Number::L3Proto),
    ("l4protonum", Number::L4Proto),
    ("priv_data_len", Number::PrivateLength),
];

/// Prints a helper as libnetfilter_cthelper does: all but its policies, what is not set as 0.
pub fn helper(out: &mut Writer<'_>, helper: &Helper) {
    out.text(b"{\n\t.name = ");
    out.text(helper.name());
    for (name, number) in LINES {
        out.text(b",\n\t.");
        out.text(name.as_bytes());
        out.text(b" = ");
        out.decimal(helper.number(number).into());
    }
    let enabled = helper.number(Number::Status) != 0;
    out.text(b",\n\t.status = ");
    out.text(if enabled { b"enabled" } else { b"disabled" });
    out.text(b",\n};");
}
