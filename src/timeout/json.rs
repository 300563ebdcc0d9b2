//! Timeout policies as JSON, and back.
#![forbid(unsafe_code)]

use super::object::{NAME_SIZE, Timeout};
use super::states;
use super::value::{TimeoutPolicy, Timeouts, checked_name};
use crate::error::{Error, Invalid};
use crate::protocol::{Family, Protocol};
use crate::text::display::display;
use crate::text::json::{Error as Syntax, JsonWriter, Kind, Reader, Word};
use crate::text::writer::Writer;
use std::ffi::CStr;
use std::fmt;

static NAME: Word = Word::key("name");
static FAMILY: Word = Word::key("family");
static PROTOCOL: Word = Word::key("protocol");
static TIMEOUTS: Word = Word::key("timeouts");
static RULES: Word = Word::key("rules");

const GENERIC: &str = "generic";

/// Writes a policy, or timeouts without a name, as one object; how many rules use it if that is known.
pub fn write(out: &mut Writer<'_>, policy: &Timeout, rules: Option<u32>) {
    let mut out = JsonWriter::new(out);
    out.begin_object();
    if !policy.name().is_empty() {
        out.word(&NAME);
        out.text(policy.name());
        out.word(&FAMILY);
        match Family::of(policy.l3proto()) {
            Some(family) => out.string(family.name()),
            None => out.number(policy.l3proto().into()),
        }
    }
    out.word(&PROTOCOL);
    protocol(&mut out, policy.l4proto().into());
    out.word(&TIMEOUTS);
    out.begin_object();
    let row = states::of(policy.l4proto());
    for (state, name) in row.map_or(&[][..], |row| row.states).iter().enumerate() {
        if let Some(seconds) = policy.given(state) {
            out.word(&key(name));
            out.number(seconds.into());
        }
    }
    out.end_object();
    if let Some(rules) = rules {
        out.word(&RULES);
        out.number(rules.into());
    }
    out.end_object();
}

fn protocol(out: &mut JsonWriter<'_, '_>, protocol: Protocol) {
    match protocol.name() {
        Some(name) => out.string(name),
        None if protocol == Timeouts::GENERIC => out.string(GENERIC),
        None => out.number(protocol.number().into()),
    }
}

/// The key of a state: its name in lower case.
fn key(name: &CStr) -> Word {
    let mut room = [0; 24];
    let lower = room.iter_mut().zip(name.to_bytes()).map(|(to, byte)| {
        *to = byte.to_ascii_lowercase();
    });
    let length = lower.count();
    let lower = room.get(..length).and_then(|name| std::str::from_utf8(name).ok());
    Word::key(lower.unwrap_or_default())
}

/// Reads what [`write`] writes. Members that are not known are passed over, and how many rules use it,
/// which is the kernel's to say; so are states that the protocol does not have.
///
/// # Errors
/// [`ErrorKind::Syntax`](crate::ErrorKind::Syntax); [`Invalid::NoTimeouts`].
pub fn read(text: &[u8]) -> Result<Timeout, Error> {
    let mut policy = Timeout::default();
    let mut reader = Reader::new(text);
    let (mut timeouts, mut has_protocol) = (None, false);
    reader.begin_object()?;
    while let Some(key) = reader.key()? {
        if key.is(NAME.name()) {
            name(&mut reader, &mut policy)?;
        } else if key.is(FAMILY.name()) {
            policy.set_l3proto(named(&mut reader, u16::MAX.into(), family_number)? as u16);
        } else if key.is(PROTOCOL.name()) {
            policy.set_l4proto(named(&mut reader, u8::MAX.into(), protocol_number)? as u8);
            has_protocol = true;
        } else if key.is(TIMEOUTS.name()) {
            // They are the protocol's, which may come behind them.
            timeouts = Some(reader.clone());
            reader.skip()?;
        } else {
            reader.skip()?;
        }
    }
    let missing = reader.error("timeouts need a protocol");
    reader.end()?;
    if !has_protocol {
        return Err(missing.into());
    }
    states::of(policy.l4proto()).ok_or(Invalid::NoTimeouts)?;
    timeouts.map_or(Ok(()), |mut reader| read_timeouts(&mut reader, &mut policy))?;
    Ok(policy)
}

fn family_number(text: &[u8]) -> Option<u64> {
    let family = Family::named(std::str::from_utf8(text).ok()?)?;
    Some(family.number().into())
}

fn protocol_number(text: &[u8]) -> Option<u64> {
    if text == GENERIC.as_bytes() {
        return Some(Timeouts::GENERIC.number().into());
    }
    let protocol: Protocol = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(protocol.number().into())
}

/// A number up to `most`, or a name that stands for one.
fn named(
    reader: &mut Reader<'_>,
    most: u64,
    number: impl Fn(&[u8]) -> Option<u64>,
) -> Result<u64, Syntax> {
    let kind = reader.kind()?;
    let before = reader.clone();
    let value = if kind == Kind::String {
        let mut room = [0; 24];
        reader.text()?.copy_to(&mut room).and_then(number)
    } else {
        reader.number()?.whole()
    };
    value.filter(|value| *value <= most).ok_or(before.error("no such name or number"))
}

/// A name, which is an array of its bytes where it is no UTF-8.
fn name(reader: &mut Reader<'_>, policy: &mut Timeout) -> Result<(), Syntax> {
    let kind = reader.kind()?;
    let before = reader.clone();
    let mut room = [0; NAME_SIZE - 1];
    let name = match kind {
        Kind::Array => bytes(reader, &mut room)?,
        _ => reader.text()?.copy_to(&mut room),
    };
    let name = name.and_then(|name| checked_name(name).ok());
    policy.set_name(name.ok_or(before.error("a name has 1 to 31 bytes and no NUL"))?);
    Ok(())
}

/// The bytes of an array; `None` of more than there is room for.
fn bytes<'a>(reader: &mut Reader<'_>, room: &'a mut [u8]) -> Result<Option<&'a [u8]>, Syntax> {
    let mut length = 0;
    reader.begin_array()?;
    while reader.element()? {
        let byte = named(reader, u8::MAX.into(), |_| None)? as u8;
        if let Some(to) = room.get_mut(length) {
            *to = byte;
        }
        length += 1;
    }
    Ok(room.get(..length))
}

fn read_timeouts(reader: &mut Reader<'_>, policy: &mut Timeout) -> Result<(), Syntax> {
    reader.begin_object()?;
    while let Some(key) = reader.key()? {
        let mut room = [0; 24];
        let state = key.copy_to(&mut room).and_then(|name| states::by_name(policy.l4proto(), name));
        let Some(state) = state else {
            reader.skip()?;
            continue;
        };
        let seconds = named(reader, u32::MAX.into(), |_| None)? as u32;
        // The protocol has it.
        let _ = policy.set(state, seconds);
    }
    Ok(())
}

/// What [`write`] writes.
struct Json<'a>(&'a Timeout, Option<u32>);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(f, &|out| write(out, self.0, self.1))
    }
}

impl TimeoutPolicy {
    /// The policy as JSON, on one line.
    ///
    /// ```
    /// use ctrs::{Family, Protocol, TimeoutPolicy, TimeoutState, Timeouts};
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let timeouts = Timeouts::of(Protocol::Udp)?
    ///     .with(TimeoutState::UDP_REPLIED, Duration::from_secs(300))?;
    /// let json = TimeoutPolicy::new("long", Family::Ipv4, timeouts)?.json();
    /// assert_eq!(
    ///     json,
    ///     r#"{"name":"long","family":"ipv4","protocol":"udp","timeouts":{"replied":300}}"#
    /// );
    /// assert_eq!(TimeoutPolicy::from_json(&json)?.name(), b"long");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn json(&self) -> String {
        Json(self.object(), self.rules()).to_string()
    }

    /// A policy from JSON, as [`json`](Self::json) writes it. Members that are not known are passed over.
    ///
    /// # Errors
    /// [`ErrorKind::Syntax`](crate::ErrorKind::Syntax), and [`Error::offset`] tells where;
    /// [`Invalid::NoTimeouts`].
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let object = read(json.as_bytes())?;
        let policy = Self::read(object, None);
        if policy.name().is_empty() || policy.family().is_none() {
            let offset = json.len();
            return Err(Syntax { what: "a policy has a name and a family", offset }.into());
        }
        Ok(policy)
    }
}

impl Timeouts {
    /// The timeouts as JSON, on one line: that of a policy without its name and family.
    #[must_use]
    pub fn json(&self) -> String {
        Json(self.object(), None).to_string()
    }

    /// Timeouts from JSON, as [`json`](Self::json) or that of a policy writes them.
    ///
    /// # Errors
    /// Those of [`TimeoutPolicy::from_json`].
    pub fn from_json(json: &str) -> Result<Self, Error> {
        read(json.as_bytes()).map(|object| Self::read(&object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn what_is_written_is_read_again() {
        let texts = [
            r#"{"protocol":"generic","timeouts":{"timeout":5}}"#,
            r#"{"name":"a\"b","family":"ipv6","protocol":"sctp","timeouts":{"closed":1,"heartbeat_sent":30,"heartbeat_acked":0}}"#,
            r#"{"name":[97,255,98],"family":"ipv4","protocol":"udp","timeouts":{}}"#,
            r#"{"name":"x","family":99,"protocol":"tcp","timeouts":{"syn_sent":4294967295,"unacknowledged":7}}"#,
        ];
        for json in texts {
            assert_eq!(Json(&read(json.as_bytes()).unwrap(), None).to_string(), json);
        }
        let odd = br#" {"rules":3,"timeouts":{"REPLIED":8,"closed":[1]},"new":{},"protocol":17} "#;
        let policy = read(odd).unwrap();
        assert_eq!(
            Json(&policy, Some(2)).to_string(),
            r#"{"protocol":"udp","timeouts":{"replied":8},"rules":2}"#
        );
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let long = format!(r#"{{"name":{:?}}}"#, [1; NAME_SIZE]);
        for (json, offset) in [
            (r#"{"timeouts":{"replied":8}}"#, 26),
            (r#"{"protocol":"no"}"#, 12),
            (r#"{"protocol":256}"#, 12),
            (r#"{"protocol":"udp","timeouts":{"replied":4294967296}}"#, 40),
            (r#"{"protocol":"udp","timeouts":{"replied":"x"}}"#, 40),
            (r#"{"name":"","protocol":"udp"}"#, 8),
            (r#"{"name":[],"protocol":"udp"}"#, 8),
            (r#"{"name":[97,0],"protocol":"udp"}"#, 8),
            (r#"{"name":[97,256],"protocol":"udp"}"#, 12),
            (r#"{"name":"12345678901234567890123456789012","protocol":"udp"}"#, 8),
            (&long, 8),
            (r#"{"protocol":"udp"}x"#, 18),
            ("[]", 0),
        ] {
            let error = read(json.as_bytes()).unwrap_err();
            assert_eq!((error.kind(), error.offset()), (ErrorKind::Syntax, Some(offset)), "{json}");
        }
        assert!(TimeoutPolicy::from_json(r#"{"protocol":"udp"}"#).is_err());
        assert_eq!(read(br#"{"protocol":"esp"}"#).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
