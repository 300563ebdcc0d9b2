//! Timeout policies for serde: the feature `serde`. They are written as their JSON is.
#![forbid(unsafe_code)]

use super::value::{TimeoutPolicy, Timeouts};
use crate::text::serde::{Told, Written};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! as_json {
    ($($name:ident)*) => {$(
        /// As its `json` writes it.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Written(self.json().as_bytes()).serialize(serializer)
            }
        }

        /// As its `from_json` reads it.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::from_json(&Told::deserialize(deserializer)?.0).map_err(D::Error::custom)
            }
        }
    )*};
}

as_json! { TimeoutPolicy Timeouts }
