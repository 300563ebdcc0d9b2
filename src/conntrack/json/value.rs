//! Values of JSON as the members of an entry hold them. Each error points at the value.
#![forbid(unsafe_code)]

use super::words::{self, Words};
use crate::conntrack::error::Error;
use crate::text::json::{self, Kind, Reader};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Room for the longest text of an address.
const ADDRESS: usize = 48;

/// A number up to `max`, which may be written as a string.
pub(super) fn number(reader: &mut Reader<'_>, max: u64) -> Result<u64, json::Error> {
    let kind = reader.kind()?;
    let before = reader.clone();
    let number = match kind {
        Kind::String => reader.text()?.number(),
        _ => Some(reader.number()?),
    };
    let number = number.ok_or(before.error("a number is expected here"))?;
    let whole = number.whole().ok_or(before.error("no whole number of 64 bits"))?;
    if whole <= max { Ok(whole) } else { Err(before.error("the number is too large here")) }
}

/// A number of up to 8 bits, or its name.
pub(super) fn named(reader: &mut Reader<'_>, words: &Words) -> Result<u8, json::Error> {
    match name(reader, words)? {
        Some(number) => Ok(number),
        None => number(reader, u8::MAX.into()).map(|number| number as u8),
    }
}

/// A set of bits: an array of names, and of numbers that are sets themselves; or one number.
pub(super) fn bits(reader: &mut Reader<'_>, words: &Words) -> Result<u32, json::Error> {
    let number = |reader: &mut Reader<'_>| number(reader, u32::MAX.into()).map(|bits| bits as u32);
    if reader.kind()? != Kind::Array {
        return number(reader);
    }
    let mut bits = 0;
    reader.begin_array()?;
    while reader.element()? {
        bits |= match name(reader, words)? {
            Some(bit) => 1 << bit,
            None => number(reader)?,
        };
    }
    Ok(bits)
}

/// The number of a name, if the value is one; a number, as a string or not, is left to be read.
fn name(reader: &mut Reader<'_>, words: &Words) -> Result<Option<u8>, json::Error> {
    if reader.kind()? != Kind::String {
        return Ok(None);
    }
    let before = reader.clone();
    let text = reader.text()?;
    let number = words::number(&text, words).and_then(|number| number.try_into().ok());
    if number.is_none() && text.number().is_none() {
        return Err(before.error("no such name"));
    }
    if number.is_none() {
        *reader = before;
    }
    Ok(number)
}

/// Nanoseconds since 1970: an object of seconds and nanoseconds, or one number of the latter.
pub(super) fn time(reader: &mut Reader<'_>) -> Result<u64, json::Error> {
    if reader.kind()? != Kind::Object {
        return number(reader, u64::MAX);
    }
    let before = reader.clone();
    let (mut seconds, mut nanoseconds) = (None, 0);
    reader.begin_object()?;
    while let Some(key) = reader.key()? {
        if key.is(b"sec") {
            seconds = Some(number(reader, u64::MAX / 1_000_000_000)?);
        } else if key.is(b"nsec") {
            nanoseconds = number(reader, 999_999_999)?;
        } else {
            reader.skip()?;
        }
    }
    let seconds = seconds.ok_or(before.error("a time has seconds"))?;
    let time = (seconds * 1_000_000_000).checked_add(nanoseconds);
    time.ok_or(before.error("the time is too late"))
}

/// An address, and whether it is one of IPv6.
pub(super) fn address(reader: &mut Reader<'_>) -> Result<([u8; 16], bool), json::Error> {
    reader.kind()?;
    let before = reader.clone();
    let text = reader.text()?;
    let mut room = [0; ADDRESS];
    let text = text.copy_to(&mut room).and_then(|text| std::str::from_utf8(text).ok());
    let text = text.unwrap_or_default();
    let mut bytes = [0; 16];
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        bytes.iter_mut().zip(address.octets()).for_each(|(to, from)| *to = from);
        return Ok((bytes, false));
    }
    let address = text.parse::<Ipv6Addr>().ok();
    address.map(|address| (address.octets(), true)).ok_or(before.error("no address"))
}

/// Bytes, at most `max`: a string's, or those of an array of numbers.
pub(super) fn bytes(reader: &mut Reader<'_>, max: usize) -> Result<Vec<u8>, Error> {
    let kind = reader.kind()?;
    let before = reader.clone();
    let mut bytes = Vec::new();
    let room = match kind {
        Kind::String => reader.clone().text()?.length(),
        _ => length(reader.clone())?,
    };
    if room > max {
        return Err(before.error("too long").into());
    }
    bytes.try_reserve_exact(room)?;
    if kind == Kind::String {
        bytes.resize(room, 0);
        reader.text()?.copy_to(&mut bytes);
        return Ok(bytes);
    }
    reader.begin_array()?;
    while reader.element()? {
        bytes.push(number(reader, u8::MAX.into())? as u8);
    }
    Ok(bytes)
}

/// Bytes of a C string, at most `max`.
pub(super) fn name_of_c(reader: &mut Reader<'_>, max: usize) -> Result<Vec<u8>, Error> {
    reader.kind()?;
    let before = reader.clone();
    let bytes = bytes(reader, max)?;
    if bytes.contains(&0) {
        return Err(before.error("no text of C has a NUL").into());
    }
    Ok(bytes)
}

/// Values of an array.
fn length(mut reader: Reader<'_>) -> Result<usize, json::Error> {
    let mut length = 0;
    reader.begin_array()?;
    while reader.element()? {
        reader.skip()?;
        length += 1;
    }
    Ok(length)
}
