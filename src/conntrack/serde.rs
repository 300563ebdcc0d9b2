//! Values and flows for serde: the feature `serde`. Numbers that have names are written as those, sets
//! of bits as numbers, what has parts as an object of those that are there.
#![forbid(unsafe_code)]

use super::filter::net::Net;
use super::flow::Flow;
use super::invalid::Invalid;
use super::labels::set::Labels;
use super::object::attr::Attr;
use super::object::layer4::Layer4 as Kind;
use super::tuple::{Layer4, Tuple};
use super::values::{
    DccpState, Direction, Helper, Id, Mark, Nat, Protocol, SctpState, Status, TcpFlags, TcpState,
    Zone,
};
use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    Status as u32: |status| status.bits(), |bits| Ok(Status::from_bits_retain(bits));
    TcpFlags as u8: |flags| flags.bits(), |bits| Ok(TcpFlags::from_bits_retain(bits));
    Id as u32: |id| id.0, |number| Ok(Id(number));
    Labels as Vec<u8>: |labels| labels.iter().collect(), |labels| Ok(labels.into_iter().collect());
    Net as String: |net| net.to_string(), |text| text.parse();
    Mark as MarkParts: |mark| MarkParts { value: mark.value(), mask: mark.mask() },
        |parts| Ok(Mark::masked(parts.value, parts.mask));
    Zone as ZoneParts: |zone| ZoneParts { number: zone.number(), only: zone.only() }, |parts| Ok(parts.zone());
    Nat as NatParts: NatParts::of, |parts| Ok(parts.nat());
    Helper as HelperParts: |helper| HelperParts { name: helper.name().into(), data: helper.data().into() },
        |parts| Ok(Helper::new(&parts.name)?.with_data(parts.data));
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
    data: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct TupleParts {
    protocol: Protocol,
    source: IpAddr,
    destination: IpAddr,
    #[serde(flatten)]
    layer4: Layer4Parts,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Layer4Parts {
    Ports { source_port: u16, destination_port: u16 },
    Keys { source_key: u16, destination_key: u16 },
    Icmp { icmp_type: u8, icmp_code: u8, icmp_id: u16 },
    Nothing {},
}

impl TupleParts {
    fn of(tuple: &Tuple) -> Self {
        let layer4 = match tuple.layer4() {
            Layer4::Ports { source, destination } => {
                Layer4Parts::Ports { source_port: source, destination_port: destination }
            }
            Layer4::Keys { source, destination } => {
                Layer4Parts::Keys { source_key: source, destination_key: destination }
            }
            Layer4::Icmp { kind, code, id } => {
                Layer4Parts::Icmp { icmp_type: kind, icmp_code: code, icmp_id: id }
            }
            Layer4::Nothing => Layer4Parts::Nothing {},
        };
        let (protocol, source, destination) =
            (tuple.protocol(), tuple.source(), tuple.destination());
        Self { protocol, source, destination, layer4 }
    }

    /// A tuple of any direction: that of a reply holds the answers of ICMP, which no query is.
    fn tuple(self) -> Result<Tuple, Invalid> {
        let layer4 = match (Kind::of(self.protocol.number()), self.layer4) {
            (Kind::Ports, Layer4Parts::Ports { source_port, destination_port }) => {
                [source_port, destination_port]
            }
            (Kind::Keys, Layer4Parts::Keys { source_key, destination_key }) => {
                [source_key, destination_key]
            }
            (Kind::Icmp, Layer4Parts::Icmp { icmp_type, icmp_code, icmp_id }) => {
                [icmp_id, u16::from_be_bytes([icmp_type, icmp_code])]
            }
            (Kind::Nothing, Layer4Parts::Nothing {}) => [0, 0],
            _ => return Err(Invalid::NeedsPorts),
        };
        let tuple = Tuple::build(self.protocol, [self.source, self.destination], layer4)?;
        Tuple::from_object(tuple.object()).ok_or(Invalid::IcmpQuery)
    }
}

/// What was told. A flow is not made of that again: the kernel alone tells flows.
impl Serialize for Flow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        macro_rules! entries {
            ($($name:literal $value:expr;)*) => {
                $(if let Some(value) = $value {
                    object.serialize_entry($name, &value)?;
                })*
            };
        }
        let has_zone = [Attr::Zone, Attr::OrigZone, Attr::ReplZone].map(|attr| self.0.has(attr));
        entries! {
            "tuple" self.tuple();
            "reply" self.reply();
            "master" self.master();
            "zone" has_zone.contains(&true).then(|| self.zone());
            "id" self.id();
            "mark" self.0.has(Attr::Mark).then(|| self.mark());
            "status" self.0.has(Attr::Status).then(|| self.status());
            "timeout" self.timeout().map(|timeout| timeout.as_secs());
            "state" self.state();
            "tcp" self.tcp_info();
            "sctp" self.sctp_info();
            "counters" self.counters(Direction::Original);
            "reply_counters" self.counters(Direction::Reply);
            "source_nat" self.source_nat();
            "destination_nat" self.destination_nat();
            "labels" self.labels();
            "helper" self.helper();
            "seq_adjust" self.seq_adjust(Direction::Original);
            "reply_seq_adjust" self.seq_adjust(Direction::Reply);
            "synproxy" self.synproxy();
            "security_context" self.security_context();
            "started" self.started().and_then(nanoseconds);
            "stopped" self.stopped().and_then(nanoseconds);
            "event_time" self.event_time().and_then(nanoseconds);
        }
        object.end()
    }
}

/// Nanoseconds since 1970, as the kernel tells times.
fn nanoseconds(time: SystemTime) -> Option<u64> {
    time.duration_since(UNIX_EPOCH).ok().as_ref().map(Duration::as_nanos)?.try_into().ok()
}
