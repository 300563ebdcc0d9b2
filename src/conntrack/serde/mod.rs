//! Values and flows for serde: the feature `serde`. What is a member of a flow's JSON is written as it
//! is there.
#![forbid(unsafe_code)]

use crate::conntrack::events::Event;
use crate::conntrack::expectation::seen::Expectation;
use crate::conntrack::filter::net::Net;
use crate::conntrack::flow::Flow;
use crate::conntrack::json;
use crate::conntrack::labels::set::Labels;
use crate::conntrack::object::layer4::Layer4 as Kind;
use crate::conntrack::tuple::{Layer4, Tuple};
use crate::conntrack::values::{
    DccpState, Direction, Family, Helper, Id, Mark, Nat, Protocol, SctpInfo, SctpState, Status,
    TcpFlags, TcpState, Zone,
};
use crate::invalid::Invalid;
use crate::text::serde::{Told, Written};
use crate::text::writer::Writer;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::net::IpAddr;

/// A name, or the number of what has none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Number(u8),
    Name(String),
}

macro_rules! words {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.name() {
                    Some(name) => serializer.serialize_str(name),
                    None => serializer.serialize_u8(self.number()),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = match Word::deserialize(deserializer)? {
                    Word::Number(number) => return Ok(number.into()),
                    Word::Name(name) => name,
                };
                let named = (0..=u8::MAX).map(Self::from).find(|it| it.name() == Some(&name));
                named.ok_or_else(|| {
                    D::Error::custom(format_args!("no {} is {name:?}", stringify!($name)))
                })
            }
        }
    )*};
}

words! { Protocol TcpState SctpState DccpState }

/// Types that are written as others are: how they become those, and are made of them.
macro_rules! written {
    ($($name:ident as $shape:ty: $to:expr, $from:expr;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let to: fn(&Self) -> $shape = $to;
                to(self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let from: fn($shape) -> Result<Self, Invalid> = $from;
                from(<$shape>::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    )*};
}

written! {
    TcpFlags as u8: |flags| flags.bits(), |bits| Ok(TcpFlags::from_bits_retain(bits));
    Id as u32: |id| id.0, |number| Ok(Id(number));
    Labels as Vec<u8>: |labels| labels.iter().collect(), |labels| Ok(labels.into_iter().collect());
    Net as String: |net| net.to_string(), |text| text.parse();
    Mark as MarkParts: |mark| MarkParts { value: mark.value(), mask: mark.mask() },
        |parts| Ok(Mark::masked(parts.value, parts.mask));
    Zone as ZoneParts: |zone| ZoneParts { number: zone.number(), only: zone.only() }, |parts| Ok(parts.zone());
    Nat as NatParts: NatParts::of, |parts| Ok(parts.nat());
    Helper as HelperParts: |helper| HelperParts { name: helper.name().into(), info: helper.data().into() },
        |parts| Ok(Helper::new(&parts.name)?.with_data(parts.info));
    SctpInfo as SctpParts: |info| SctpParts::of(*info), |parts| Ok(parts.info());
    Tuple as TupleParts: TupleParts::of, TupleParts::tuple;
}

#[derive(Serialize, Deserialize)]
struct MarkParts {
    value: u32,
    #[serde(default = "all_bits")]
    mask: u32,
}

fn all_bits() -> u32 {
    u32::MAX
}

#[derive(Serialize, Deserialize)]
struct ZoneParts {
    number: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    only: Option<Direction>,
}

impl ZoneParts {
    fn zone(&self) -> Zone {
        match self.only {
            None => Zone::from(self.number),
            Some(Direction::Original) => Zone::original(self.number),
            Some(Direction::Reply) => Zone::reply(self.number),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum NatParts {
    Address {
        address: IpAddr,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
    },
    Port {
        port: u16,
    },
}

impl NatParts {
    fn of(nat: &Nat) -> Self {
        match nat.address() {
            Some(address) => Self::Address { address, port: nat.port() },
            // One that translates nothing cannot be made.
            None => Self::Port { port: nat.port().unwrap_or(0) },
        }
    }

    fn nat(self) -> Nat {
        match self {
            Self::Address { address, port } => Nat::of(address, port),
            Self::Port { port } => Nat::to_port(port),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct HelperParts {
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    info: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct SctpParts {
    state: SctpState,
    original: SctpSide,
    reply: SctpSide,
}

#[derive(Serialize, Deserialize)]
struct SctpSide {
    tag: u32,
}

impl SctpParts {
    fn of(SctpInfo { state, tags: [original, reply] }: SctpInfo) -> Self {
        Self { state, original: SctpSide { tag: original }, reply: SctpSide { tag: reply } }
    }

    fn info(&self) -> SctpInfo {
        SctpInfo { state: self.state, tags: [self.original.tag, self.reply.tag] }
    }
}

#[derive(Serialize, Deserialize)]
struct TupleParts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    family: Option<Family>,
    src: IpAddr,
    dst: IpAddr,
    protocol: Protocol,
    #[serde(flatten)]
    layer4: Layer4Parts,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Layer4Parts {
    Ports {
        sport: u16,
        dport: u16,
    },
    Keys {
        srckey: u16,
        dstkey: u16,
    },
    Icmp {
        #[serde(rename = "type")]
        kind: u8,
        code: u8,
        id: u16,
    },
    Nothing {},
}

impl TupleParts {
    fn of(tuple: &Tuple) -> Self {
        let layer4 = match tuple.layer4() {
            Layer4::Ports { source, destination } => {
                Layer4Parts::Ports { sport: source, dport: destination }
            }
            Layer4::Keys { source, destination } => {
                Layer4Parts::Keys { srckey: source, dstkey: destination }
            }
            Layer4::Icmp { kind, code, id } => Layer4Parts::Icmp { kind, code, id },
            Layer4::Nothing => Layer4Parts::Nothing {},
        };
        let (src, dst) = (tuple.source(), tuple.destination());
        Self { family: tuple.family(), src, dst, protocol: tuple.protocol(), layer4 }
    }

    /// A tuple of any direction: that of a reply holds the answers of ICMP, which no query is.
    fn tuple(self) -> Result<Tuple, Invalid> {
        let layer4 = match (Kind::of(self.protocol.number()), self.layer4) {
            (Kind::Ports, Layer4Parts::Ports { sport, dport }) => [sport, dport],
            (Kind::Keys, Layer4Parts::Keys { srckey, dstkey }) => [srckey, dstkey],
            (Kind::Icmp, Layer4Parts::Icmp { kind, code, id }) => {
                [id, u16::from_be_bytes([kind, code])]
            }
            (Kind::Nothing, Layer4Parts::Nothing {}) => [0, 0],
            _ => return Err(Invalid::NeedsPorts),
        };
        let tuple = Tuple::build(self.protocol, [self.src, self.dst], layer4)?;
        if self.family.is_some_and(|family| Some(family) != tuple.family()) {
            return Err(Invalid::Family);
        }
        Tuple::from_object(tuple.object()).ok_or(Invalid::IcmpQuery)
    }
}

/// What was told, as [`Flow::json`] writes it.
impl Serialize for Flow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written(self.json().to_string().as_bytes()).serialize(serializer)
    }
}

/// As [`Flow::from_json`] reads it.
impl<'de> Deserialize<'de> for Flow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(Told::deserialize(deserializer)?.0).map_err(D::Error::custom)
    }
}

/// The flow, with what happened to it as `event`.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.flow.json().event(self.change).to_string();
        Written(text.as_bytes()).serialize(serializer)
    }
}

/// What was told, as [`Expectation::json`] writes it.
impl Serialize for Expectation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written(self.json().to_string().as_bytes()).serialize(serializer)
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut room = [0; STATUS];
        let mut out = Writer::new(&mut room);
        json::write_status(&mut out, self.bits());
        let length = out.finish();
        Written(room.get(..length).unwrap_or_default()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let told = Told::deserialize(deserializer)?;
        let bits = json::read_status(told.0.as_bytes()).map_err(D::Error::custom)?;
        Ok(Self::from_bits_retain(bits))
    }
}

/// Room for all bits of a status.
const STATUS: usize = 512;
