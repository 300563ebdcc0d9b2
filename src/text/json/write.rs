//! JSON to a bounded text writer.
#![forbid(unsafe_code)]

use crate::text::digits::PIECE;
use crate::text::writer::Writer;

/// A piece of JSON that the compiler has written, behind a comma.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    bytes: [u8; PIECE],
    length: u8,
}

impl Word {
    /// The key of a member. It must need no escape, nor must the others.
    #[must_use]
    pub const fn key(name: &str) -> Self {
        Self::NONE.with(",\"").with(name).with("\":")
    }

    /// The key of a member whose value is text that needs no escape: it is open, and
    /// [`JsonWriter::ipv4`] or [`JsonWriter::ipv6`] ends it.
    #[must_use]
    pub const fn open(name: &str) -> Self {
        Self::key(name).with("\"")
    }

    /// A member whose value is a string.
    #[must_use]
    pub const fn member(name: &str, value: &str) -> Self {
        Self::open(name).with(value).with("\"")
    }

    /// A string in an array.
    #[must_use]
    pub const fn element(value: &str) -> Self {
        Self::NONE.with(",\"").with(value).with("\"")
    }

    /// In place of a word that there is not.
    pub const NONE: Self = Self { bytes: [0; PIECE], length: 0 };

    /// Whether it is [`Word::NONE`].
    #[must_use]
    #[inline(always)]
    pub const fn is_none(&self) -> bool {
        self.length == 0
    }

    /// The value of a member or element, the name of a key.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        let text = self.bytes.get(..self.length.into()).unwrap_or_default();
        let mut quoted = text.split(|byte| *byte == b'"').skip(1).step_by(2);
        quoted.by_ref().filter(|name| !name.is_empty()).last().unwrap_or_default()
    }

    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    const fn with(mut self, text: &str) -> Self {
        let mut at = 0;
        while at < text.len() {
            let byte = text.as_bytes()[at];
            assert!(byte >= b' ' && byte != b'\\');
            self.bytes[self.length as usize] = byte;
            self.length += 1;
            at += 1;
        }
        self
    }
}

/// Writes JSON, and puts what is between.
///
/// What may stand where is the caller's to keep: a value behind each key, a key or an end behind
/// each value of an object, [`JsonWriter::element`] before each value of an array that is no word.
#[derive(Debug)]
pub struct JsonWriter<'a, 'b> {
    out: &'a mut Writer<'b>,
    /// What stands before the next member or element: the beginning of the object or array, or a
    /// comma.
    before: u8,
}

impl<'a, 'b> JsonWriter<'a, 'b> {
    /// A writer that goes on where `out` has come to.
    #[must_use]
    pub fn new(out: &'a mut Writer<'b>) -> Self {
        Self { out, before: b',' }
    }

    /// Begins an object.
    #[inline(always)]
    pub fn begin_object(&mut self) {
        self.before = b'{';
    }

    /// Ends an object.
    #[inline(always)]
    pub fn end_object(&mut self) {
        self.end(b'{', b'}');
    }

    /// Begins an array.
    #[inline(always)]
    pub fn begin_array(&mut self) {
        self.before = b'[';
    }

    /// Ends an array.
    #[inline(always)]
    pub fn end_array(&mut self) {
        self.end(b'[', b']');
    }

    #[inline(always)]
    fn end(&mut self, begin: u8, end: u8) {
        if std::mem::replace(&mut self.before, b',') == begin {
            self.out.text(&[begin]);
        }
        self.out.text(&[end]);
    }

    /// Writes a prepared word: a key whose value comes next, a member, or a string in an array.
    #[inline(always)]
    pub fn word(&mut self, word: &Word) {
        self.out.piece(&word.bytes, word.length.into(), self.before);
        self.before = b',';
    }

    /// Writes a piece of JSON as it is, of whole values and keys or with the beginnings and ends around
    /// them.
    #[inline(always)]
    pub fn piece<const SIZE: usize>(&mut self, piece: &[u8; SIZE]) {
        self.out.text(piece);
    }

    /// Makes way for the next value of an array.
    #[inline(always)]
    pub fn element(&mut self) {
        self.out.text(&[self.before]);
        self.before = b',';
    }

    /// A number, with all its digits.
    #[inline(always)]
    pub fn number(&mut self, value: u64) {
        match value {
            // Many are flags and small counts.
            0..=9 => self.out.text(&[b'0' + value as u8]),
            _ => self.out.decimal(value),
        }
    }

    /// A number as a string.
    pub fn quoted_number(&mut self, value: u64) {
        self.out.text(b"\"");
        self.out.decimal(value);
        self.out.text(b"\"");
    }

    /// An IPv4 address, behind a key that [`Word::open`] made.
    #[inline(always)]
    pub fn ipv4(&mut self, address: [u8; 4]) {
        self.out.ipv4_before(address, b'"');
    }

    /// An IPv6 address, behind a key that [`Word::open`] made.
    pub fn ipv6(&mut self, address: &[u8; 16]) {
        self.out.ipv6(address);
        self.out.text(b"\"");
    }

    /// Bytes that are text: a string, or if they are no UTF-8, an array of their numbers, since
    /// no string of JSON could hold them.
    pub fn text(&mut self, text: &[u8]) {
        match std::str::from_utf8(text) {
            Ok(text) => self.string(text),
            Err(_) => self.bytes(text),
        }
    }

    /// Bytes as the digits of a string.
    pub fn hex(&mut self, bytes: &[u8]) {
        self.out.text(b"\"");
        self.out.hex_bytes(bytes);
        self.out.text(b"\"");
    }

    /// A truth value.
    pub fn boolean(&mut self, value: bool) {
        self.out.text(if value { b"true" } else { b"false" });
    }

    /// An array of the numbers of bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.begin_array();
        for byte in bytes {
            self.element();
            self.number((*byte).into());
        }
        self.end_array();
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        self.out.text(b"\"");
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|byte| *byte < b' ' || b"\"\\".contains(byte)) {
            let (plain, special) = rest.split_at(at);
            self.out.text(plain);
            rest = match special {
                [byte, rest @ ..] => {
                    self.escape(*byte);
                    rest
                }
                [] => &[],
            };
        }
        self.out.text(rest);
        self.out.text(b"\"");
    }

    fn escape(&mut self, byte: u8) {
        match byte {
            b'"' => self.out.text(b"\\\""),
            b'\\' => self.out.text(b"\\\\"),
            8 => self.out.text(b"\\b"),
            12 => self.out.text(b"\\f"),
            b'\n' => self.out.text(b"\\n"),
            b'\r' => self.out.text(b"\\r"),
            b'\t' => self.out.text(b"\\t"),
            _ => {
                self.out.text(if byte < 16 { b"\\u000" } else { b"\\u00" });
                self.out.hex(byte.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::json::Reader;

    fn json(write: impl Fn(&mut JsonWriter<'_, '_>)) -> String {
        let mut buffer = [0; 8192];
        let mut out = Writer::new(&mut buffer);
        write(&mut JsonWriter::new(&mut out));
        let length = out.finish();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn commas_stand_between() {
        const A: Word = Word::key("a");
        const LONG: Word = Word::key("a_key_of_many_letters");
        let text = json(|out| {
            out.begin_object();
            out.word(&A);
            out.begin_array();
            out.end_array();
            out.word(&LONG);
            out.begin_object();
            out.word(&LONG);
            out.number(u64::MAX);
            out.word(&A);
            out.quoted_number(7);
            out.word(&const { Word::member("state", "HEARTBEAT") });
            out.end_object();
            out.word(&A);
            out.begin_array();
            for number in [7, 8] {
                out.word(&const { Word::element("word") });
                out.element();
                out.number(number);
            }
            out.end_array();
            out.word(&const { Word::open("ip") });
            out.ipv4([10, 0, 0, 255]);
            out.word(&const { Word::open("ip") });
            out.ipv6(&[0; 16]);
            out.word(&A);
            out.begin_object();
            out.end_object();
            out.end_object();
        });
        assert_eq!(
            text,
            r#"{"a":[],"a_key_of_many_letters":{"a_key_of_many_letters":18446744073709551615,"a":"7","state":"HEARTBEAT"},"a":["word",7,"word",8],"ip":"10.0.0.255","ip":"::","a":{}}"#
        );
        assert_eq!(LONG.name(), b"a_key_of_many_letters");
        assert_eq!(Word::member("state", "HEARTBEAT").name(), b"HEARTBEAT");
        assert_eq!(Word::element("word").name(), b"word");
        assert_eq!(Word::open("ip").name(), b"ip");
    }

    #[test]
    fn strings_are_escaped_and_read_back() {
        for (text, written) in [
            ("", r#""""#),
            ("plain", r#""plain""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\n\r\t\u{8}\u{c}\u{1}\u{1f}\u{7f}", "\"\\n\\r\\t\\b\\f\\u0001\\u001f\u{7f}\""),
            ("ä€😀/", "\"ä€😀/\""),
        ] {
            assert_eq!(json(|out| out.text(text.as_bytes())), written);
        }
        for character in (0..0x11_0000).step_by(if cfg!(miri) { 4099 } else { 1 }) {
            let Some(character) = char::from_u32(character) else { continue };
            let mut bytes = [0; 4];
            let text = character.encode_utf8(&mut bytes).as_bytes();
            let written = json(|out| out.text(text));
            let mut reader = Reader::new(written.as_bytes());
            let read = reader.text().unwrap();
            assert!(read.is(text), "{written}");
            reader.end().unwrap();
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_numbers() {
        assert_eq!(json(|out| out.text(b"ftp\xff")), "[102,116,112,255]");
        assert_eq!(json(|out| out.bytes(b"")), "[]");
    }
}
