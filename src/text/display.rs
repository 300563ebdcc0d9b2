//! Text of any length for `Display`.
#![forbid(unsafe_code)]

use super::writer::Writer;
use std::fmt;

/// Bytes of most lines.
pub(crate) const LINE: usize = 1024;

/// Writes what `print` prints; what is not UTF-8 is replaced.
pub(crate) fn display(f: &mut fmt::Formatter<'_>, print: &dyn Fn(&mut Writer<'_>)) -> fmt::Result {
    let print = |line: &mut [u8]| {
        let mut out = Writer::new(line);
        print(&mut out);
        out.finish()
    };
    let (mut short, mut long) = ([0; LINE], Vec::new());
    let mut line = &mut short[..];
    let length = print(line);
    if length >= LINE {
        long.try_reserve_exact(length + 1).map_err(|_| fmt::Error)?;
        long.resize(length + 1, 0);
        line = &mut long;
        print(line);
    }
    let line = line.get(..length).unwrap_or_default();
    match std::str::from_utf8(line) {
        Ok(text) => f.write_str(text),
        Err(_) => f.write_str(&String::from_utf8_lossy(line)),
    }
}
