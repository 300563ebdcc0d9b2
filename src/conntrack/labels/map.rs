//! Names of connection labels, as `connlabel.conf` gives them.
//!
//! A line is a number, as `strtoul` of C reads one in any base, and a name of letters, digits,
//! spaces and hyphens. Lines that are not are skipped, and so are numbers and names that a line
//! above has taken:
//!
//! ```text
//! # number  name
//! 0         eth0-in
//! 0x1f      via isp
//! ```
#![forbid(unsafe_code)]

use crate::conntrack::error::Error;
use crate::conntrack::heap::Text;
use crate::conntrack::labels::set::Labels;
use crate::invalid::Invalid;
use std::ffi::{CStr, c_ulong};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Where the names are by default.
pub const DEFAULT_PATH: &CStr = c"/etc/xtables/connlabel.conf";

/// The first number that is too high for a label.
const LABEL_COUNT: c_ulong = 1024;
/// What of a longer line counts as a line; the rest is the next one.
const CHUNK_MAX: usize = 1023;

/// Names of labels.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{LabelMap, Labels};
///
/// let text = "# number  name\n0  eth0-in\n0x1f  via isp\n";
/// let names = LabelMap::parse(text.as_bytes())?.ok_or("no names")?;
/// assert_eq!(names.bit(b"via isp"), Some(31));
/// assert_eq!(names.name(0), Some(&b"eth0-in"[..]));
/// let labels: Labels = names.labels(["via isp", "eth0-in"])?;
/// assert!(labels.contains(31) && labels.contains(0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct LabelMap {
    /// By label, up to the highest that has a name.
    names: Vec<Option<Text>>,
    /// The labels that have a name, sorted by it.
    by_name: Vec<u16>,
}

impl LabelMap {
    /// Reads names; `None` if there is no usable line. An error of the reader ends the input.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn parse(mut reader: impl Read) -> Result<Option<Self>, Error> {
        let mut names = Parser::default();
        let mut block = [0; 4096];
        loop {
            match reader.read(&mut block) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) | Ok(0) => return names.finish(),
                Ok(length) => names.feed(block.get(..length).unwrap_or_default())?,
            }
        }
    }

    /// Reads the names in a file; `None` if there is no usable line in it.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be opened; [`Error::OutOfMemory`].
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        let file = File::open(path)
            .map_err(|error| Error::File(error.raw_os_error().unwrap_or(libc::EINVAL)))?;
        Self::parse(file)
    }

    /// Bytes of the longest name.
    pub(crate) const LONGEST: usize = CHUNK_MAX;

    /// Names a label, unless the label or the name is taken.
    fn add(&mut self, bit: u16, name: &[u8]) -> Result<(), Error> {
        if self.text(bit.into()).is_some() {
            return Ok(());
        }
        let Err(rank) = self.rank(name) else {
            return Ok(());
        };
        let text = Text::new(name)?;
        let count = self.names.len().max(usize::from(bit) + 1);
        self.names.try_reserve(count - self.names.len())?;
        self.by_name.try_reserve(1)?;
        self.names.resize_with(count, || None);
        if let Some(slot) = self.names.get_mut(usize::from(bit)) {
            *slot = Some(text);
        }
        self.by_name.insert(rank, bit);
        Ok(())
    }

    fn text(&self, bit: u32) -> Option<&Text> {
        self.names.get(bit as usize)?.as_ref()
    }

    /// Where a name is among the sorted ones, or as an error, where it belongs.
    fn rank(&self, name: &[u8]) -> Result<usize, usize> {
        let name_of = |bit: &u16| self.text((*bit).into()).map(Text::as_bytes);
        self.by_name.binary_search_by(|bit| name_of(bit).cmp(&Some(name)))
    }

    /// The name of a label; empty for one without, `None` above the highest that has one.
    #[must_use]
    pub fn name(&self, bit: u32) -> Option<&[u8]> {
        let name = self.names.get(bit as usize)?;
        Some(name.as_ref().map_or(&[], Text::as_bytes))
    }

    /// As [`LabelMap::name`], as a C string that lives as long as the map.
    #[cfg(feature = "capi")]
    pub(crate) fn name_c(&self, bit: u32) -> Option<*const u8> {
        let name = self.names.get(bit as usize)?;
        Some(name.as_ref().map_or(c"".as_ptr().cast(), Text::as_ptr))
    }

    /// The labels of some names, which must be exact.
    ///
    /// # Errors
    /// [`Invalid::LabelName`]: no label has one of the names. [`Invalid::Label`]: a label above 127,
    /// the last that the kernel has.
    pub fn labels<N: AsRef<[u8]>>(
        &self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Labels, Invalid> {
        let label = |name: N| {
            let label = self.bit(name.as_ref()).ok_or(Invalid::LabelName)?;
            u8::try_from(label).ok().filter(|label| *label < 128).ok_or(Invalid::Label)
        };
        names.into_iter().map(label).collect()
    }

    /// The label of a name, which must be exact.
    #[must_use]
    pub fn bit(&self, name: &[u8]) -> Option<u32> {
        self.rank(name).ok().and_then(|rank| self.by_name.get(rank)).copied().map(u32::from)
    }
}

/// Reads names as their text comes, block by block.
#[derive(Debug)]
pub(crate) struct Parser {
    map: LabelMap,
    /// The beginning of a line whose end has not come yet.
    line: [u8; CHUNK_MAX],
    length: usize,
}

impl Default for Parser {
    fn default() -> Self {
        Self { map: LabelMap::default(), line: [0; CHUNK_MAX], length: 0 }
    }
}

impl Parser {
    /// Takes the next part of the text.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn feed(&mut self, text: &[u8]) -> Result<(), Error> {
        for byte in text {
            if let Some(place) = self.line.get_mut(self.length) {
                *place = *byte;
                self.length += 1;
            }
            if *byte == b'\n' || self.length == CHUNK_MAX {
                self.end_line()?;
            }
        }
        Ok(())
    }

    /// The names, at the end of the text; `None` if no line was usable.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn finish(&mut self) -> Result<Option<LabelMap>, Error> {
        self.end_line()?;
        Ok(Some(std::mem::take(&mut self.map)).filter(|map| !map.names.is_empty()))
    }

    fn end_line(&mut self) -> Result<(), Error> {
        let line = self.line.get(..self.length).unwrap_or_default();
        self.length = 0;
        match parse_line(line) {
            Some((bit, name)) => self.map.add(bit, name),
            None => Ok(()),
        }
    }
}

/// The label and the name on a line, if it is usable.
fn parse_line(line: &[u8]) -> Option<(u16, &[u8])> {
    let line = line.split(|byte| *byte == 0).next()?;
    if line.starts_with(b"#") {
        return None;
    }
    let (number, rest) = parse_number(line)?;
    let bit = u16::try_from(number).ok().filter(|_| number < LABEL_COUNT)?;
    let name = trim_start(rest, is_blank).split(|byte| *byte == b'\n').next()?;
    let name = trim_end(name);
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b" -".contains(byte);
    (!name.is_empty() && name.iter().all(allowed)).then_some((bit, name))
}

/// A number as `strtoul` reads it in any base, and what follows it. One that is too large is
/// `ULONG_MAX`, as there, where the negative of a large number is a small one.
fn parse_number(text: &[u8]) -> Option<(c_ulong, &[u8])> {
    let text = trim_start(text, |byte| is_blank(byte) || byte == b'\n');
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (radix, digits) = match text {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => (16, text.get(2..)?),
        [b'0', ..] => (8, text),
        [digit, ..] if digit.is_ascii_digit() => (10, text),
        _ => return None,
    };
    let mut value = Some(0 as c_ulong);
    let mut rest = digits;
    while let [byte, tail @ ..] = rest {
        let Some(digit) = char::from(*byte).to_digit(radix) else {
            break;
        };
        value = value
            .and_then(|value| value.checked_mul(radix.into()))
            .and_then(|value| value.checked_add(digit.into()));
        rest = tail;
    }
    let signed = value.map(|value| if negative { value.wrapping_neg() } else { value });
    Some((signed.unwrap_or(c_ulong::MAX), rest))
}

/// White space within a line.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

fn trim_start(text: &[u8], white: impl Fn(u8) -> bool) -> &[u8] {
    let start = text.iter().position(|byte| !white(*byte)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |at| at + 1);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &[u8]) -> Vec<(u32, String)> {
        let Some(map) = LabelMap::parse(text).unwrap() else {
            return Vec::new();
        };
        let name = |bit| String::from_utf8(map.name(bit).unwrap().to_vec()).unwrap();
        let all: Vec<_> = (0..map.names.len() as u32).map(|bit| (bit, name(bit))).collect();
        assert_eq!(map.name(map.names.len() as u32), None);
        all.into_iter().filter(|(_, name)| !name.is_empty()).collect()
    }

    #[test]
    fn labels_have_names_that_the_map_knows() {
        let map = LabelMap::parse(&b"1 one\n127 last\n128 beyond\n"[..]).unwrap().unwrap();
        let labels = map.labels(["last", "one"]).unwrap();
        assert_eq!(labels.iter().collect::<Vec<_>>(), [1, 127]);
        assert_eq!(map.labels(["one", "two"]), Err(Invalid::LabelName));
        assert_eq!(map.labels(["beyond"]), Err(Invalid::Label));
        assert!(map.labels([""; 0]).unwrap().is_empty());
    }

    #[test]
    fn lines_of_every_kind() {
        for (text, bit, name) in [
            ("1 one", 1, "one"),
            ("\t3\tthree\n", 3, "three"),
            ("0x1f hex\n", 31, "hex"),
            ("010 oct\n", 8, "oct"),
            ("08 x\n", 0, "8 x"),
            ("0x foo\n", 0, "x foo"),
            ("0b11 foo\n", 0, "b11 foo"),
            ("42T\n", 42, "T"),
            ("0x1fgo\n", 31, "go"),
            ("+4 plus\n", 4, "plus"),
            ("1023 top\n", 1023, "top"),
            ("5 abc\0def\n", 5, "abc"),
            ("1 a_b\n1 ok\n", 1, "ok"),
            ("5 a   b\n", 5, "a   b"),
            ("5 abc\r\n", 5, "abc"),
            ("6 7 8\n", 6, "7 8"),
            ("7-y\n", 7, "-y"),
            ("1e3 a\n", 1, "e3 a"),
            ("-0 z\n", 0, "z"),
            ("1 a\n1 b\n", 1, "a"),
        ] {
            assert_eq!(names(text.as_bytes()), [(bit, name.into())], "{text:?}");
        }
    }

    #[test]
    fn numbers_are_as_wide_as_an_unsigned_long() {
        let [last, beyond] = match c_ulong::BITS {
            32 => ["4294967295", "18446744073709551615"],
            _ => ["18446744073709551615", "36893488147419103231"],
        };
        assert_eq!(names(format!("-{last} w\n").as_bytes()), [(1, "w".into())]);
        assert_eq!(names(format!("{last} w\n").as_bytes()), []);
        assert_eq!(names(format!("-{beyond} w\n{beyond} w\n").as_bytes()), []);
    }

    #[test]
    fn lines_that_are_skipped() {
        for text in [
            "",
            "\n",
            "# 1 a\n",
            " # 1 a\n",
            "0x1fade\n",
            "-1 neg\n",
            "1024 o\n",
            "5\n",
            "5   \n",
            "1.5 a\n",
            "1,a\n",
            "1 a\r2 b\r",
            "5 \"abc\"\n",
            "5 'abc'\n",
            "5 abc # c\n",
            "5 a_b\n",
            "5 a.b\n",
            "5: a\n",
            "5 a\tb\n",
            "\u{feff}1 a\n",
            "99999999999999999999 a\n",
            "-99999999999999999999 a\n",
            "\u{0}5 a\n",
            "- 5 a\n",
            "+-5 a\n",
            "5 \u{e4}\n",
        ] {
            assert_eq!(names(text.as_bytes()), [], "{text:?}");
        }
    }

    #[test]
    fn the_first_of_two_claims_wins() {
        let pair = |a: &str, b: &str| vec![(1, a.to_string()), (2, b.to_string())];
        assert_eq!(names(b"1 a\n2 a\n2 b\n"), pair("a", "b"));
        assert_eq!(names(b"1 a\n2 A\n"), pair("a", "A"));
    }

    #[test]
    fn a_line_that_is_too_long_goes_on_as_the_next() {
        let spill = format!("#{}7 spill\n", "x".repeat(1022));
        assert_eq!(names(spill.as_bytes()), [(7, "spill".into())]);
        let long = "a".repeat(1021);
        assert_eq!(names(format!("1 {long}\n").as_bytes()), [(1, long.clone())]);
        let evil = format!("1 {long}7 evil\n");
        assert_eq!(names(evil.as_bytes()), [(1, long), (7, "evil".into())]);
    }

    #[test]
    fn lookups() {
        let map = LabelMap::parse(&b"9 nine\n3 three\n5 Nine\n"[..]).unwrap().unwrap();
        assert_eq!(
            [&b"nine"[..], b"three", b"Nine"].map(|name| map.bit(name)),
            [9, 3, 5].map(Some)
        );
        assert_eq!([&b""[..], b"nin", b"nine "].map(|name| map.bit(name)), [None; 3]);
        assert_eq!(
            (map.name(0), map.name(9), map.name(10)),
            (Some(&b""[..]), Some(&b"nine"[..]), None)
        );
        #[cfg(feature = "capi")]
        assert!(map.name_c(9).is_some() && map.name_c(0).is_some() && map.name_c(10).is_none());
    }

    /// Gives one byte at a time, each after an interruption, and then fails.
    struct Failing(std::vec::IntoIter<u8>, bool);

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::Interrupted.into());
            }
            buffer[0] = self.0.next().ok_or(ErrorKind::Other)?;
            Ok(1)
        }
    }

    #[test]
    fn a_read_error_ends_the_input() {
        let map = LabelMap::parse(Failing(b"1 a\n2 b".to_vec().into_iter(), false)).unwrap();
        assert_eq!(map.unwrap().name(2), Some(&b"b"[..]));
    }

    #[test]
    fn files() {
        let error = LabelMap::open(Path::new("/nonexistent")).unwrap_err();
        assert_eq!(error, Error::File(libc::ENOENT));
        assert!(LabelMap::open(Path::new("/")).unwrap().is_none());
        assert!(LabelMap::open(Path::new("/dev/null")).unwrap().is_none());
    }
}
