//! The library's own JSON as a serializer or deserializer of any format has it: one way to write
//! what has text, whoever asks.
#![forbid(unsafe_code)]

use crate::text::json::{JsonWriter, Kind, Reader};
use crate::text::writer::Writer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::{self, Write};

/// A value of JSON that this library wrote.
pub(crate) struct Written<'a>(pub(crate) &'a [u8]);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut reader = Reader::new(self.0);
        let kind = reader.kind().map_err(S::Error::custom)?;
        match kind {
            Kind::Object => object(&mut reader, to),
            Kind::Array => array(&mut reader, to),
            Kind::String => {
                let text = reader.text().map_err(S::Error::custom)?;
                to.collect_str(&text.characters().collect::<String>())
            }
            _ => {
                let number = reader.number().map_err(S::Error::custom)?;
                to.serialize_u64(number.whole().ok_or(S::Error::custom("no whole number"))?)
            }
        }
    }
}

fn object<S: Serializer>(reader: &mut Reader<'_>, to: S) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(None)?;
    reader.begin_object().map_err(S::Error::custom)?;
    while let Some(key) = reader.key().map_err(S::Error::custom)? {
        let value = reader.raw().map_err(S::Error::custom)?;
        map.serialize_entry(&key.characters().collect::<String>(), &Written(value))?;
    }
    map.end()
}

fn array<S: Serializer>(reader: &mut Reader<'_>, to: S) -> Result<S::Ok, S::Error> {
    let mut list = to.serialize_seq(None)?;
    reader.begin_array().map_err(S::Error::custom)?;
    while reader.element().map_err(S::Error::custom)? {
        list.serialize_element(&Written(reader.raw().map_err(S::Error::custom)?))?;
    }
    list.end()
}

/// A value of any format, as JSON that this library reads.
pub(crate) struct Told(pub(crate) String);

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut text = String::new();
        from.deserialize_any(Teller(&mut text))?;
        Ok(Self(text))
    }
}

/// Appends what it visits.
struct Teller<'a>(&'a mut String);

impl<'de> serde::de::DeserializeSeed<'de> for Teller<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl Teller<'_> {
    fn tell<E: serde::de::Error>(&mut self, value: impl fmt::Display) -> Result<(), E> {
        write!(self.0, "{value}").map_err(E::custom)
    }

    fn quote<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        // Six bytes for each, if all are escaped by number, and the quotes.
        let mut room = vec![0; text.len() * 6 + 3];
        let mut out = Writer::new(&mut room);
        JsonWriter::new(&mut out).string(text);
        let length = out.finish();
        let quoted = room.get(..length).and_then(|text| std::str::from_utf8(text).ok());
        self.tell(quoted.unwrap_or_default())
    }
}

impl<'de> Visitor<'de> for Teller<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what this library writes as JSON")
    }

    fn visit_bool<E: serde::de::Error>(mut self, value: bool) -> Result<(), E> {
        self.tell(value)
    }

    fn visit_i64<E: serde::de::Error>(mut self, value: i64) -> Result<(), E> {
        self.tell(value)
    }

    fn visit_u64<E: serde::de::Error>(mut self, value: u64) -> Result<(), E> {
        self.tell(value)
    }

    fn visit_f64<E: serde::de::Error>(mut self, value: f64) -> Result<(), E> {
        if value.is_finite() { self.tell(value) } else { Err(E::custom("no number of JSON")) }
    }

    fn visit_str<E: serde::de::Error>(mut self, value: &str) -> Result<(), E> {
        self.quote(value)
    }

    fn visit_unit<E: serde::de::Error>(mut self) -> Result<(), E> {
        self.tell("null")
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut from: A) -> Result<(), A::Error> {
        self.tell::<A::Error>("[")?;
        let mut end = self.0.len();
        while from.next_element_seed(Teller(self.0))?.is_some() {
            end = self.0.len();
            self.tell::<A::Error>(",")?;
        }
        // What stands behind the last one.
        self.0.truncate(end);
        self.tell("]")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut from: A) -> Result<(), A::Error> {
        let mut before = "{";
        while let Some(key) = from.next_key::<String>()? {
            self.tell::<A::Error>(before)?;
            self.quote::<A::Error>(&key)?;
            self.tell::<A::Error>(":")?;
            from.next_value_seed(Teller(self.0))?;
            before = ",";
        }
        self.tell(if before == "{" { "{}" } else { "}" })
    }
}
