//! Strings and numbers as they stand in JSON.
#![forbid(unsafe_code)]

/// A string of a document, whose escapes are known to be right.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// What is between the quotes.
    pub(super) raw: &'a [u8],
    /// Where that begins in the document.
    pub(super) offset: usize,
}

impl<'a> Text<'a> {
    /// Where the string's text begins in the document.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Whether it is this text, in UTF-8.
    #[must_use]
    pub fn is(&self, text: &[u8]) -> bool {
        if !self.raw.contains(&b'\\') {
            return self.raw == text;
        }
        let mut rest = text;
        for character in self.characters() {
            let mut bytes = [0; 4];
            match rest.strip_prefix(character.encode_utf8(&mut bytes).as_bytes()) {
                Some(more) => rest = more,
                None => return false,
            }
        }
        rest.is_empty()
    }

    /// The number that is all of the text.
    #[must_use]
    pub fn number(&self) -> Option<Number<'a>> {
        let Self { raw, offset } = *self;
        (number_length(raw) == Ok(raw.len())).then_some(Number { raw, offset })
    }

    /// Copies the text, in UTF-8, to where there is room for it: what was written, or `None` if it
    /// does not fit.
    pub fn copy_to<'b>(&self, room: &'b mut [u8]) -> Option<&'b [u8]> {
        let mut length = 0;
        for character in self.characters() {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            room.get_mut(length..length + bytes.len())?.copy_from_slice(bytes);
            length += bytes.len();
        }
        room.get(..length)
    }

    /// Bytes of the text in UTF-8.
    #[must_use]
    pub fn length(&self) -> usize {
        self.characters().map(char::len_utf8).sum()
    }

    /// The characters.
    pub fn characters(&self) -> impl Iterator<Item = char> + use<'a> {
        let mut rest = self.raw;
        std::iter::from_fn(move || {
            let (character, length) = character(rest).ok()?;
            rest = rest.get(length..)?;
            Some(character)
        })
    }
}

/// The character that text within quotes begins with, and its bytes there.
///
/// # Errors
/// What is wrong, and how far from the beginning; the end of the text is the caller's to see.
pub(super) fn character(text: &[u8]) -> Result<(char, usize), (&'static str, usize)> {
    match text {
        [b'\\', rest @ ..] => escape(rest).map(|(character, length)| (character, length + 1)),
        [byte, ..] if *byte < b' ' => Err(("a control character in a string must be escaped", 0)),
        [byte, ..] if byte.is_ascii() => Ok((char::from(*byte), 1)),
        _ => {
            let start = text.get(..text.len().min(4)).unwrap_or_default();
            let valid = match std::str::from_utf8(start) {
                Ok(text) => text,
                Err(error) => {
                    std::str::from_utf8(start.get(..error.valid_up_to()).unwrap_or_default())
                        .unwrap_or_default()
                }
            };
            let character = valid.chars().next().ok_or(("this is not UTF-8", 0))?;
            Ok((character, character.len_utf8()))
        }
    }
}

/// The character of an escape, of which `text` is what follows the backslash.
fn escape(text: &[u8]) -> Result<(char, usize), (&'static str, usize)> {
    let character = match text {
        [byte @ (b'"' | b'\\' | b'/'), ..] => char::from(*byte),
        [b'b', ..] => '\u{8}',
        [b'f', ..] => '\u{c}',
        [b'n', ..] => '\n',
        [b'r', ..] => '\r',
        [b't', ..] => '\t',
        [b'u', digits @ ..] => return unicode(digits).map(|(it, length)| (it, length + 1)),
        _ => return Err(("no such escape", 0)),
    };
    Ok((character, 1))
}

/// The character of an escape by number: four digits, or for one beyond 16 bits two such escapes.
fn unicode(text: &[u8]) -> Result<(char, usize), (&'static str, usize)> {
    const LONE: (&str, usize) = ("half of a surrogate pair", 0);
    let first = four_digits(text)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 4));
    }
    let Some([b'\\', b'u', rest @ ..]) = text.get(4..).filter(|_| first < 0xdc00) else {
        return Err(LONE);
    };
    let second = four_digits(rest)?;
    if !(0xdc00..0xe000).contains(&second) {
        return Err(LONE);
    }
    let number = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    char::from_u32(number).map(|character| (character, 10)).ok_or(LONE)
}

fn four_digits(text: &[u8]) -> Result<u32, (&'static str, usize)> {
    const ERROR: (&str, usize) = ("four hexadecimal digits are expected here", 0);
    let digits = text.first_chunk::<4>().ok_or(ERROR)?;
    let mut number = 0;
    for digit in digits {
        number = number << 4 | char::from(*digit).to_digit(16).ok_or(ERROR)?;
    }
    Ok(number)
}

/// A number of a document.
#[derive(Debug, Clone, Copy)]
pub struct Number<'a> {
    pub(super) raw: &'a [u8],
    pub(super) offset: usize,
}

impl<'a> Number<'a> {
    /// Where it begins in the document.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// As it stands there.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The number, if it is whole, not negative, and below 2 to the 64th. How it is written does not
    /// matter: `1e3` is 1000, and `12.0` is 12.
    #[must_use]
    pub fn whole(&self) -> Option<u64> {
        let mut exponent = self.raw.split(|byte| matches!(byte, b'e' | b'E'));
        let mantissa = exponent.next()?;
        let mut parts = mantissa.split(|byte| *byte == b'.');
        let (digits, fraction) = (parts.next()?, parts.next().unwrap_or_default());
        let fraction = trim_zeros(fraction);
        let exponent = exponent.next().map_or(Some(0), signed)?;
        let shift = exponent.checked_sub(fraction.len() as i64)?;
        let value = decimal(decimal(0, digits)?, fraction)?;
        if value == 0 {
            return Some(0);
        }
        let power = 10u64.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?)?;
        match shift {
            0.. => value.checked_mul(power),
            _ => (value % power == 0).then_some(value / power),
        }
    }
}

/// Without the zeros at the end.
fn trim_zeros(digits: &[u8]) -> &[u8] {
    let length = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |at| at + 1);
    digits.get(..length).unwrap_or_default()
}

/// The number that `value` becomes with these digits behind it.
fn decimal(value: u64, digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(value, |value, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        value.checked_mul(10)?.checked_add(digit.into())
    })
}

fn signed(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let value = i64::try_from(decimal(0, digits)?).ok()?;
    Some(if negative { -value } else { value })
}

/// The bytes of a number that `text` begins with.
///
/// # Errors
/// What is wrong, and how far from the beginning.
pub(super) fn number_length(text: &[u8]) -> Result<usize, (&'static str, usize)> {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count > 0 { Ok(count) } else { Err(("a digit is expected here", from)) }
    };
    let at = |place: usize| text.get(place).copied().unwrap_or(0);
    let start = usize::from(at(0) == b'-');
    let mut end = start + digits(start)?;
    if at(start) == b'0' && end > start + 1 {
        return Err(("a number does not begin with 0", start));
    }
    if at(end) == b'.' {
        end += 1 + digits(end + 1)?;
    }
    if matches!(at(end), b'e' | b'E') {
        end += 1 + usize::from(matches!(at(end + 1), b'+' | b'-'));
        end += digits(end)?;
    }
    Ok(end)
}
