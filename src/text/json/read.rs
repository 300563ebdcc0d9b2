//! JSON from borrowed bytes: the program asks for what it expects, value by value.
#![forbid(unsafe_code)]

use super::strings::{Number, Text, character, number_length};

/// What is wrong with a document, and at which of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at byte {offset} of the JSON)")]
pub struct Error {
    /// What is wrong, in a few words.
    pub what: &'static str,
    /// The first byte that is.
    pub offset: usize,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An object.
    Object,
    /// An array.
    Array,
    /// A string.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
}

/// How deep objects and arrays may lie in each other.
pub const DEPTH: u32 = 64;

/// Reads a document.
///
/// Where a value may stand, one of [`begin_object`](Self::begin_object),
/// [`begin_array`](Self::begin_array), [`text`](Self::text), [`number`](Self::number),
/// [`bool`](Self::bool), [`null`](Self::null) and [`skip`](Self::skip) reads it. In an object
/// [`key`](Self::key), in an array [`element`](Self::element) goes to the next one.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    document: &'a [u8],
    at: usize,
    depth: u32,
    /// Whether nothing was read yet of the present object or array.
    first: bool,
}

impl<'a> Reader<'a> {
    /// A reader of this document.
    #[must_use]
    pub fn new(document: &'a [u8]) -> Self {
        Self { document, at: 0, depth: 0, first: false }
    }

    /// How far it has come; before a value, where that begins.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// What the value is that comes next.
    ///
    /// # Errors
    /// None comes.
    pub fn kind(&mut self) -> Result<Kind, Error> {
        self.blanks();
        match self.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(_) => Err(self.error("a value is expected here")),
            None => Err(self.error("the text ends too early")),
        }
    }

    /// Goes into an object.
    ///
    /// # Errors
    /// None comes, or too many lie in each other.
    pub fn begin_object(&mut self) -> Result<(), Error> {
        self.expect(Kind::Object, "an object is expected here")?;
        self.enter()
    }

    /// The key of the next member, whose value is to be read then; `None` at the end of the object.
    ///
    /// # Errors
    /// Neither comes.
    pub fn key(&mut self) -> Result<Option<Text<'a>>, Error> {
        if self.ends(b'}', "a comma or the end of the object is expected here")? {
            return Ok(None);
        }
        self.expect(Kind::String, "a string is expected here")?;
        let key = self.string()?;
        self.blanks();
        self.take(b':', "a colon is expected here")?;
        Ok(Some(key))
    }

    /// Goes into an array.
    ///
    /// # Errors
    /// None comes, or too many lie in each other.
    pub fn begin_array(&mut self) -> Result<(), Error> {
        self.expect(Kind::Array, "an array is expected here")?;
        self.enter()
    }

    /// Whether the array has another value, which is to be read then.
    ///
    /// # Errors
    /// Neither that comes nor the end.
    pub fn element(&mut self) -> Result<bool, Error> {
        Ok(!self.ends(b']', "a comma or the end of the array is expected here")?)
    }

    /// Reads a string.
    ///
    /// # Errors
    /// None comes, or it is not right.
    pub fn text(&mut self) -> Result<Text<'a>, Error> {
        self.expect(Kind::String, "a string is expected here")?;
        self.string()
    }

    /// Reads a number.
    ///
    /// # Errors
    /// None comes, or it is not right.
    pub fn number(&mut self) -> Result<Number<'a>, Error> {
        self.expect(Kind::Number, "a number is expected here")?;
        let (offset, text) = (self.at, self.rest());
        let length = number_length(text).map_err(|(what, further)| self.further(what, further))?;
        self.at += length;
        Ok(Number { raw: text.get(..length).unwrap_or_default(), offset })
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    /// Neither comes.
    pub fn bool(&mut self) -> Result<bool, Error> {
        self.expect(Kind::Bool, "true or false is expected here")?;
        let value = self.peek() == Some(b't');
        self.literal(if value { b"true" } else { b"false" })?;
        Ok(value)
    }

    /// Reads `null`.
    ///
    /// # Errors
    /// Something else comes.
    pub fn null(&mut self) -> Result<(), Error> {
        self.expect(Kind::Null, "null is expected here")?;
        self.literal(b"null")
    }

    /// Reads a value of any kind, and nothing of it counts but that it is right.
    ///
    /// # Errors
    /// It is not right.
    pub fn skip(&mut self) -> Result<(), Error> {
        match self.kind()? {
            Kind::Object => {
                self.begin_object()?;
                while self.key()?.is_some() {
                    self.skip()?;
                }
                Ok(())
            }
            Kind::Array => {
                self.begin_array()?;
                while self.element()? {
                    self.skip()?;
                }
                Ok(())
            }
            Kind::String => self.text().map(drop),
            Kind::Number => self.number().map(drop),
            Kind::Bool => self.bool().map(drop),
            Kind::Null => self.null(),
        }
    }

    /// Passes a value over, and gives it as it stands there.
    ///
    /// # Errors
    /// It is not right.
    pub fn raw(&mut self) -> Result<&'a [u8], Error> {
        self.kind()?;
        let start = self.at;
        self.skip()?;
        Ok(self.document.get(start..self.at).unwrap_or_default())
    }

    /// Ends the document, behind which only blanks may follow.
    ///
    /// # Errors
    /// Something else follows.
    pub fn end(&mut self) -> Result<(), Error> {
        self.blanks();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("something follows the value")),
        }
    }

    /// An error at the place that was come to.
    #[must_use]
    pub fn error(&self, what: &'static str) -> Error {
        Error { what, offset: self.at }
    }

    fn further(&self, what: &'static str, further: usize) -> Error {
        let offset = self.at + further;
        if offset >= self.document.len() {
            return Error { what: "the text ends too early", offset: self.document.len() };
        }
        Error { what, offset }
    }

    fn rest(&self) -> &'a [u8] {
        self.document.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.document.get(self.at).copied()
    }

    fn blanks(&mut self) {
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.at += self.rest().iter().take_while(blank).count();
    }

    fn expect(&mut self, kind: Kind, what: &'static str) -> Result<(), Error> {
        match self.kind()? {
            found if found == kind => Ok(()),
            _ => Err(self.error(what)),
        }
    }

    fn take(&mut self, byte: u8, what: &'static str) -> Result<(), Error> {
        if self.peek() != Some(byte) {
            return Err(self.further(what, 0));
        }
        self.at += 1;
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Error> {
        for byte in word {
            self.take(*byte, "no such word")?;
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Error> {
        if self.depth == DEPTH {
            return Err(self.error("too many objects and arrays lie in each other"));
        }
        self.at += 1;
        self.depth += 1;
        self.first = true;
        Ok(())
    }

    /// Whether the present object or array ends; if not, what comes next may be read.
    fn ends(&mut self, end: u8, what: &'static str) -> Result<bool, Error> {
        let first = std::mem::replace(&mut self.first, false);
        self.blanks();
        if self.peek() == Some(end) {
            self.at += 1;
            self.depth = self.depth.saturating_sub(1);
            return Ok(true);
        }
        if !first {
            self.take(b',', what)?;
        }
        Ok(false)
    }

    /// Reads a string, whose quote comes next.
    fn string(&mut self) -> Result<Text<'a>, Error> {
        self.at += 1;
        let offset = self.at;
        loop {
            let rest = self.rest();
            if let [b'"', ..] = rest {
                let raw = self.document.get(offset..self.at).unwrap_or_default();
                self.at += 1;
                return Ok(Text { raw, offset });
            }
            match character(rest) {
                Ok((_, length)) => self.at += length,
                Err((what, further)) => return Err(self.further(what, further)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8]) -> Result<(), Error> {
        let mut reader = Reader::new(text);
        reader.skip()?;
        reader.end()
    }

    fn whole(text: &str) -> Option<u64> {
        Reader::new(text.as_bytes()).number().unwrap().whole()
    }

    #[test]
    fn documents_that_are_right() {
        for text in [
            "{}",
            " [ ] ",
            "[1,2.5,-0,1e5,1E+5,0.0e-7]",
            r#"{"a":{"b":[null,true,false,"x"]},"a":""}"#,
            "\t\"\\u00e4\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\"\n\r",
            "0",
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
    }

    #[test]
    fn errors_point_at_the_byte() {
        const EARLY: &str = "the text ends too early";
        for (text, offset, what) in [
            ("", 0, EARLY),
            ("{", 1, EARLY),
            ("{\"a\"", 4, EARLY),
            ("{\"a\":", 5, EARLY),
            ("{\"a\":1", 6, EARLY),
            ("[1,]", 3, "a value is expected here"),
            ("{\"a\":1,}", 7, "a value is expected here"),
            ("{a:1}", 1, "a value is expected here"),
            ("{1:1}", 1, "a string is expected here"),
            ("{\"a\" 1}", 5, "a colon is expected here"),
            ("[1 2]", 3, "a comma or the end of the array is expected here"),
            ("[1}", 2, "a comma or the end of the array is expected here"),
            ("{\"a\":1]", 6, "a comma or the end of the object is expected here"),
            ("[1]]", 3, "something follows the value"),
            ("01", 0, "a number does not begin with 0"),
            ("-x", 1, "a digit is expected here"),
            ("-", 1, EARLY),
            ("[1.]", 3, "a digit is expected here"),
            ("[1e+]", 4, "a digit is expected here"),
            ("+1", 0, "a value is expected here"),
            (".5", 0, "a value is expected here"),
            ("NaN", 0, "a value is expected here"),
            ("nul", 3, EARLY),
            ("nulx", 3, "no such word"),
            ("truE", 3, "no such word"),
            ("'a'", 0, "a value is expected here"),
            ("\"a\nb\"", 2, "a control character in a string must be escaped"),
            ("\"\\x\"", 1, "no such escape"),
            ("\"\\u00g0\"", 1, "four hexadecimal digits are expected here"),
            ("\"\\ud800\"", 1, "half of a surrogate pair"),
            ("\"\\ud800\\n\"", 1, "half of a surrogate pair"),
            ("\"\\udc00\\ud800\"", 1, "half of a surrogate pair"),
            ("\"\\ud800\\ud800\"", 1, "half of a surrogate pair"),
            ("\"abc", 4, EARLY),
            ("\u{feff}1", 0, "a value is expected here"),
            ("/**/1", 0, "a value is expected here"),
        ] {
            assert_eq!(check(text.as_bytes()), Err(Error { what, offset }), "{text:?}");
        }
        for bytes in [&b"\"\xff\""[..], b"\"\xc3\"", b"\"\xed\xa0\x80\"", b"\"\xf5\x80\x80\x80\""] {
            assert_eq!(check(bytes), Err(Error { what: "this is not UTF-8", offset: 1 }));
        }
    }

    #[test]
    fn every_beginning_of_a_document_is_refused() {
        let text = r#"{"a":[{"b":"ä\ud83d\ude00"},-1.5e+3,true,null],"c":false}"#.as_bytes();
        assert_eq!(check(text), Ok(()));
        for length in 0..text.len() {
            let error = check(&text[..length]).unwrap_err();
            assert!(error.offset <= length, "{error:?}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert_eq!(check(&nested(DEPTH as usize)), Ok(()));
        let error = check(&nested(DEPTH as usize + 1)).unwrap_err();
        assert_eq!(error.offset, DEPTH as usize);
        assert!(check(&[b'['; 100_000]).is_err());
    }

    #[test]
    fn numbers_are_exact() {
        for (text, value) in [
            ("0", Some(0)),
            ("-0", None),
            ("-1", None),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("1764000000123456789", Some(1_764_000_000_123_456_789)),
            ("9007199254740993", Some((1 << 53) + 1)),
            ("1e3", Some(1000)),
            ("1.8446744073709551615e19", Some(u64::MAX)),
            ("12.0", Some(12)),
            ("12.50e1", Some(125)),
            ("12.5", None),
            ("1200e-2", Some(12)),
            ("1e-1", None),
            ("1e19", Some(10_000_000_000_000_000_000)),
            ("1e20", None),
            ("0e99999999999999999999", None),
            ("0e999999999", Some(0)),
            ("1e999999999", None),
        ] {
            assert_eq!(whole(text), value, "{text}");
        }
    }

    #[test]
    fn strings_are_decoded() {
        let mut reader = Reader::new(br#"["a\u0062c","\ud83d\ude00","plain"]"#);
        reader.begin_array().unwrap();
        for text in ["abc", "\u{1f600}", "plain"] {
            assert!(reader.element().unwrap());
            let read = reader.text().unwrap();
            assert!(read.is(text.as_bytes()) && !read.is(b"a") && !read.is(b"abcd"));
            let mut room = [0; 5];
            assert_eq!(read.copy_to(&mut room), Some(text.as_bytes()));
            assert_eq!((read.length(), read.copy_to(&mut [0; 2])), (text.len(), None));
        }
        assert!(!reader.element().unwrap());
        reader.end().unwrap();
    }
}
