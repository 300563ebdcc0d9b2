//! What follows a field, from its text.
#![forbid(unsafe_code)]

use super::fields::{Field, Kind, Unit};
use super::names;
use super::tree::{Name, Value};
use crate::conntrack::filter::net::Net;
use crate::conntrack::labels::map::LabelMap;
use crate::conntrack::syntax::{Fault, Syntax};
use crate::netlink::name::{copy_name, fits};
use std::net::IpAddr;

/// The highest label that the kernel has.
const LABELS: u64 = 127;

/// Units of times, in seconds, and of counts.
pub(super) const TIMES: [(&str, u64); 4] = [("d", 86400), ("h", 3600), ("m", 60), ("s", 1)];
pub(super) const COUNTS: [(&str, u64); 6] = [
    ("G", 1_000_000_000),
    ("M", 1_000_000),
    ("k", 1000),
    ("Gi", 1 << 30),
    ("Mi", 1 << 20),
    ("Ki", 1 << 10),
];

impl Unit {
    /// The names of its units, with how much each is.
    pub fn names(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::None => &[],
            Self::Time => &TIMES,
            Self::Count => &COUNTS,
        }
    }
}

/// Reads the values of a field. Offsets are those of the whole text.
pub(super) struct Reader<'a> {
    pub field: &'static Field,
    pub labels: Option<&'a LabelMap>,
}

impl Reader<'_> {
    fn expected(&self, at: usize) -> Syntax {
        Syntax::expected(at, self.field.value)
    }

    /// A value that stands in quotes.
    pub fn quoted(&self, name: &str, at: usize) -> Result<Value, Syntax> {
        match self.field.kind {
            Kind::Label => self.label(name, at),
            Kind::Helper => {
                helper(name).ok_or(Syntax::says(at, "the name of a helper has 1 to 15 bytes"))
            }
            _ => Err(Syntax::says(at, "this stands without quotes")),
        }
    }

    fn label(&self, name: &str, at: usize) -> Result<Value, Syntax> {
        let Some(labels) = self.labels else {
            return Err(Syntax::says(at, "no names of labels were given: write its number"));
        };
        match labels.bit(name.as_bytes()).map(u64::from) {
            Some(label @ ..=LABELS) => Ok(Value::Range(label, label)),
            Some(_) => {
                Err(Syntax::says(at, "this label is above 127, the last that the kernel has"))
            }
            None => Err(Syntax::says(at, "no label has this name")),
        }
    }

    /// A value without quotes.
    pub fn word(&self, word: &str, at: usize) -> Result<Value, Syntax> {
        match self.field.kind {
            Kind::Flag => Err(self.expected(at)),
            Kind::Family | Kind::State(_) => self.name(word, at),
            Kind::Protocol if !is_number(word) => self.name(word, at),
            Kind::Protocol => self.number(word, at, 255, Unit::None).map(one),
            Kind::Address => self.net(word, at),
            Kind::Number(most, unit) => self.range(word, at, most, unit),
            Kind::Mark => self.mark(word, at),
            Kind::Label if is_number(word) => self.number(word, at, LABELS, Unit::None).map(one),
            Kind::Label => {
                Err(Syntax::says(at, "the name of a label stands in quotes: label \"name\""))
            }
            Kind::Helper => {
                Err(Syntax::says(at, "the name of a helper stands in quotes: helper \"ftp\""))
            }
        }
    }

    fn name(&self, word: &str, at: usize) -> Result<Value, Syntax> {
        let kind = self.field.kind;
        let unknown = || match names::unknown_value(kind, word) {
            Some(near) => Syntax::new(at, Fault::Near(near)),
            None => self.expected(at),
        };
        names::number(kind, word).map(one).ok_or_else(unknown)
    }

    /// A number, or a range of numbers.
    fn range(&self, word: &str, at: usize, most: u64, unit: Unit) -> Result<Value, Syntax> {
        let Some((first, last)) = word.split_once('-') else {
            return self.number(word, at, most, unit).map(one);
        };
        let behind = at + first.len() + 1;
        let first = self.number(first, at, most, unit)?;
        let last = self.number(last, behind, most, unit)?;
        if last < first {
            return Err(Syntax::says(behind, "the range ends before it begins"));
        }
        Ok(Value::Range(first, last))
    }

    /// A number up to `most`.
    fn number(&self, word: &str, at: usize, most: u64, unit: Unit) -> Result<u64, Syntax> {
        let (number, digits) = digits(word);
        if word.starts_with('0') && word.as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
            return Err(Syntax::says(
                at,
                "a number has no zeros in front; one of base 16 begins with 0x",
            ));
        }
        let behind = word.get(digits..).unwrap_or_default();
        let factor = match units(word, unit).iter().find(|(name, _)| *name == behind) {
            _ if digits == 0 => return Err(self.expected(at)),
            Some((_, factor)) => *factor,
            None if behind.is_empty() => 1,
            None => return Err(self.expected(at + digits)),
        };
        let number = number.and_then(|number| number.checked_mul(factor));
        number.filter(|number| *number <= most).ok_or(self.expected(at))
    }

    fn mark(&self, word: &str, at: usize) -> Result<Value, Syntax> {
        const MOST: u64 = u32::MAX as u64;
        let Some((value, mask)) = word.split_once('/') else {
            return self.range(word, at, MOST, Unit::None);
        };
        let behind = at + value.len() + 1;
        let value = self.number(value, at, MOST, Unit::None)?;
        let mask = self.number(mask, behind, MOST, Unit::None)?;
        if value & !mask != 0 {
            return Err(Syntax::says(
                at,
                "the mark has bits outside of its mask, so no flow has it",
            ));
        }
        match mask {
            MOST => Ok(one(value)),
            _ => Ok(Value::Masked { value, mask }),
        }
    }

    fn net(&self, word: &str, at: usize) -> Result<Value, Syntax> {
        let (text, prefix) = word.split_once('/').unwrap_or((word, ""));
        let address: IpAddr = text.parse().map_err(|_| self.expected(at))?;
        if address.to_canonical() != address {
            return Err(Syntax::says(at, "write the IPv4 address that this stands for"));
        }
        if text.len() == word.len() {
            return Ok(Value::Net(address.into()));
        }
        let behind = at + text.len() + 1;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = self.number(prefix, behind, 128, Unit::None)?;
        if prefix > width {
            return Err(Syntax::says(behind, "the prefix is longer than the address"));
        }
        let stray = || Syntax::says(at + part_of_bit(text, address, prefix as u8), STRAY);
        Net::new(address, prefix as u8).map(Value::Net).map_err(|_| stray())
    }
}

const STRAY: &str = "the address has bits behind its prefix: make them 0, or leave the prefix out";

fn one(number: u64) -> Value {
    Value::Range(number, number)
}

fn is_number(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_digit())
}

/// The number that a word begins with, unless it is too large, and the length of its text.
fn digits(word: &str) -> (Option<u64>, usize) {
    let (front, text, base) = match word.strip_prefix("0x") {
        Some(text) => (2, text, 16),
        None => (0, word, 10),
    };
    let length = text.find(|digit: char| !digit.is_digit(base)).unwrap_or(text.len());
    let number = text.get(..length).and_then(|text| u64::from_str_radix(text, base).ok());
    (number, if length == 0 { 0 } else { front + length })
}

/// The units that may stand behind a number.
fn units(number: &str, unit: Unit) -> &'static [(&'static str, u64)] {
    if number.starts_with("0x") { &[] } else { unit.names() }
}

fn helper(name: &str) -> Option<Value> {
    let mut bytes = [0; 16];
    copy_name(&mut bytes, name.as_bytes());
    fits(name.as_bytes(), bytes.len()).then_some(Value::Name(Name(bytes)))
}

/// Where in the text of an address the part begins that has the first bit set behind a prefix.
fn part_of_bit(text: &str, address: IpAddr, prefix: u8) -> usize {
    let (bits, width, sign) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 8, '.'),
        IpAddr::V6(address) => (address.to_bits(), 16, ':'),
    };
    let behind = u128::MAX.checked_shr(prefix.into()).unwrap_or(0);
    let wanted = ((bits & behind).leading_zeros() / width) as usize;
    let parts = |text: &str| if text.is_empty() { 0 } else { text.split(sign).count() };
    // What follows `::` is counted from the end.
    let (front, back) = text.split_once("::").unwrap_or((text, ""));
    let (skipped, from, part) = match wanted.checked_sub(parts(front)) {
        None => (0, front, wanted),
        Some(_) => (text.len() - back.len(), back, (wanted + parts(back)).saturating_sub(8)),
    };
    let length = from.split(sign).take(part).map(|part| part.len() + 1).sum::<usize>();
    skipped + length.min(from.rfind(sign).map_or(0, |last| last + 1))
}
