//! Packets as JSON, with their flows.
#![forbid(unsafe_code)]

use super::flow::{ARP, NETDEV};
use super::packet::Packet;
use super::values::{CtInfo, CtState};
use crate::conntrack::flow::Flow;
use crate::conntrack::json::{self, STRINGS, Style};
use crate::conntrack::labels::map::LabelMap;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::values::Direction;
use crate::text::display::display;
use crate::text::json::{JsonWriter, Word};
use crate::text::writer::Writer;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

macro_rules! keys {
    ($($name:ident $text:literal;)*) => { $(const $name: Word = Word::key($text);)* };
}

keys! {
    FAMILY "family"; HOOK "hook"; PROTOCOL "protocol"; GROUP "group"; PREFIX "prefix";
    TIMESTAMP "timestamp"; RECEIVED "received";
    INDEV "indev"; OUTDEV "outdev"; PHYSINDEV "physindev"; PHYSOUTDEV "physoutdev";
    MARK "mark"; UID "uid"; GID "gid"; SEQ "seq"; SEQ_GLOBAL "seq_global";
    HWTYPE "hwtype"; HWADDR "hwaddr"; HWHEADER "hwheader"; L2HEADER "l2header";
    VLAN "vlan"; ID "id"; PRIORITY "priority"; DROP_ELIGIBLE "drop_eligible";
    TUPLE "tuple"; INSIDE "inside"; CONNTRACK "conntrack"; FLOW "flow"; PAYLOAD "payload";
}

const fn family(name: &str) -> Word {
    Word::member("family", name)
}

const fn hook(name: &str) -> Word {
    Word::member("hook", name)
}

/// Families of rules, by `NFPROTO_*`.
static FAMILIES: [Word; 11] = {
    let none = Word::NONE;
    let (inet, arp, device, bridge) =
        (family("inet"), family("arp"), family("netdev"), family("bridge"));
    [none, inet, family("ipv4"), arp, none, device, none, bridge, none, none, family("ipv6")]
};
/// Hooks of most families; of ARP, and of devices.
static HOOKS: [Word; 6] = [
    hook("prerouting"),
    hook("input"),
    hook("forward"),
    hook("output"),
    hook("postrouting"),
    hook("ingress"),
];
static HOOKS_OF_ARP: [Word; 3] = [hook("input"), hook("output"), hook("forward")];
static HOOKS_OF_DEVICES: [Word; 2] = [hook("ingress"), hook("egress")];

fn hooks(family: u8) -> &'static [Word] {
    match family {
        ARP => &HOOKS_OF_ARP,
        NETDEV => &HOOKS_OF_DEVICES,
        _ => &HOOKS,
    }
}

/// What is written of a packet beside itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beside<'a> {
    /// When it was received, in nanoseconds since 1970.
    pub(crate) received: Option<u64>,
    /// Its flow.
    pub(crate) flow: Option<&'a Conntrack>,
    pub(crate) style: Style<'a>,
}

/// Writes a packet as one object of what was told.
pub(crate) fn packet(out: &mut Writer<'_>, packet: &Packet<'_>, beside: &Beside<'_>) {
    let mut out = JsonWriter::new(out);
    out.begin_object();
    place(&mut out, packet);
    times(&mut out, packet, beside.received);
    numbers(&mut out, packet);
    link_layer(&mut out, packet);
    flow(&mut out, packet, beside);
    if let Some(payload) = packet.payload() {
        out.word(&PAYLOAD);
        out.hex(payload);
    }
    out.end_object();
}

/// Where it was logged.
fn place(out: &mut JsonWriter<'_, '_>, packet: &Packet<'_>) {
    json::named(out, &FAMILY, packet.family().into(), &FAMILIES);
    if let Some(hook) = packet.hook() {
        json::named(out, &HOOK, hook.into(), hooks(packet.family()));
    }
    if let Some(protocol) = packet.protocol() {
        match i32::from(protocol) {
            libc::ETH_P_IP => out.word(&const { Word::member("protocol", "ipv4") }),
            libc::ETH_P_IPV6 => out.word(&const { Word::member("protocol", "ipv6") }),
            libc::ETH_P_ARP => out.word(&const { Word::member("protocol", "arp") }),
            _ => number(out, &PROTOCOL, Some(protocol)),
        }
    }
    number(out, &GROUP, Some(packet.group()));
    if let Some(prefix) = packet.prefix() {
        out.word(&PREFIX);
        out.text(prefix);
    }
}

fn number(out: &mut JsonWriter<'_, '_>, key: &Word, value: Option<impl Into<u64>>) {
    if let Some(value) = value {
        out.word(key);
        out.number(value.into());
    }
}

fn times(out: &mut JsonWriter<'_, '_>, packet: &Packet<'_>, received: Option<u64>) {
    let told = packet.timestamp().and_then(nanoseconds);
    for (key, time) in [(&TIMESTAMP, told), (&RECEIVED, received)] {
        if let Some(time) = time {
            out.word(key);
            json::time(out, time);
        }
    }
}

/// Since 1970; `None` beyond what 64 bits hold.
fn nanoseconds(time: SystemTime) -> Option<u64> {
    let since: Duration = time.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

fn numbers(out: &mut JsonWriter<'_, '_>, packet: &Packet<'_>) {
    for (key, value) in [
        (&INDEV, packet.indev()),
        (&OUTDEV, packet.outdev()),
        (&PHYSINDEV, packet.physindev()),
        (&PHYSOUTDEV, packet.physoutdev()),
        (&MARK, packet.mark()),
        (&UID, packet.uid()),
        (&GID, packet.gid()),
        (&SEQ, packet.seq()),
        (&SEQ_GLOBAL, packet.seq_global()),
    ] {
        number(out, key, value);
    }
}

fn link_layer(out: &mut JsonWriter<'_, '_>, packet: &Packet<'_>) {
    number(out, &HWTYPE, packet.hardware_type());
    if let Some(address) = packet.hardware_address() {
        out.word(&HWADDR);
        out.hex(address);
    }
    for (key, header) in [(&HWHEADER, packet.hardware_header()), (&L2HEADER, packet.link_header())]
    {
        if let Some(header) = header {
            out.word(key);
            out.hex(header);
        }
    }
    if let Some(vlan) = packet.vlan() {
        out.word(&VLAN);
        out.begin_object();
        number(out, &PROTOCOL, Some(vlan.protocol));
        number(out, &ID, Some(vlan.id()));
        number(out, &PRIORITY, Some(vlan.priority()));
        out.word(&DROP_ELIGIBLE);
        out.boolean(vlan.drop_eligible());
        out.end_object();
    }
}

/// What the packet tells of its flow, and that.
fn flow(out: &mut JsonWriter<'_, '_>, packet: &Packet<'_>, beside: &Beside<'_>) {
    for (key, tuple) in [(&TUPLE, packet.tuple()), (&INSIDE, packet.tuple_inside())] {
        if let Some(tuple) = tuple {
            out.word(key);
            json::tuple(out, &tuple);
        }
    }
    if let Some(info) = packet.conntrack_info() {
        out.word(&CONNTRACK);
        conntrack(out, info);
    }
    if let Some(flow) = beside.flow {
        out.word(&FLOW);
        json::flow(out, flow, &beside.style);
    }
}

fn conntrack(out: &mut JsonWriter<'_, '_>, info: CtInfo) {
    out.begin_object();
    out.word(match info.state {
        CtState::Established => &const { Word::member("state", "established") },
        CtState::Related => &const { Word::member("state", "related") },
        CtState::New => &const { Word::member("state", "new") },
    });
    out.word(match info.direction {
        Direction::Original => &const { Word::member("direction", "original") },
        Direction::Reply => &const { Word::member("direction", "reply") },
    });
    out.end_object();
}

/// A packet as JSON: what was told, as one object on one line. See [`Packet::json`].
///
/// ```
/// use ctrs::{Packet, PacketJson};
///
/// /// A line for each packet.
/// fn line(packet: &Packet<'_>, received: std::time::SystemTime) -> String {
///     let json: PacketJson<'_> = packet.json().received(received);
///     json.to_string()
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct PacketJson<'a> {
    packet: Packet<'a>,
    beside: Beside<'a>,
}

impl<'a> PacketJson<'a> {
    /// With the time of receipt, as the member `received`.
    #[must_use]
    pub fn received(mut self, time: SystemTime) -> Self {
        self.beside.received = nanoseconds(time);
        self
    }

    /// With its flow, as the member `flow`, in place of the one that the kernel attached.
    #[must_use]
    pub fn flow(mut self, flow: &'a Flow) -> Self {
        self.beside.flow = Some(&flow.0);
        self
    }

    /// With the names of the flow's labels, where they have any.
    #[must_use]
    pub fn labels(mut self, names: &'a LabelMap) -> Self {
        self.beside.style.labels = Some(names);
        self
    }

    /// With numbers of 64 bits, which a flow may have, as strings: for readers that keep numbers as
    /// doubles, as jq 1.6 does.
    #[must_use]
    pub fn wide_numbers_as_strings(mut self) -> Self {
        self.beside.style.flags |= STRINGS;
        self
    }
}

impl fmt::Display for PacketJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attached = self.packet.conntrack().ok().flatten();
        let flow = self.beside.flow.or(attached.as_ref().map(|flow| &flow.0));
        let beside = Beside { flow, ..self.beside };
        display(f, &|out| packet(out, &self.packet, &beside))
    }
}

impl<'a> Packet<'a> {
    /// The packet as JSON: one object of all that was told, and the flow that the kernel attached.
    /// `docs/json.md` lists the members.
    #[must_use]
    pub fn json(&self) -> PacketJson<'a> {
        PacketJson { packet: *self, beside: Beside::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::flow::tests::logged;
    use super::super::ip::tests::{icmp, ipv4};
    use super::super::tests::{whole, with};
    use super::*;
    use crate::uapi::{cta, nful};

    fn json(message: &[u8]) -> String {
        Packet::read(message).unwrap().json().to_string()
    }

    #[test]
    fn all_that_was_told_is_written() {
        let told = r#"{"family":"bridge","hook":"output","protocol":"ipv6","group":258,"prefix":"ab","timestamp":{"sec":3,"nsec":9000},"indev":16909060,"outdev":16909061,"physindev":16909062,"physoutdev":16909063,"mark":16909058,"uid":16909067,"gid":16909070,"seq":16909068,"seq_global":16909069,"hwtype":772,"hwaddr":"010203040506","hwheader":"6865","l2header":"6c696e6b","vlan":{"protocol":34984,"id":291,"priority":5,"drop_eligible":true},"conntrack":{"state":"related","direction":"reply"},"flow":{"id":7},"payload":"64617461"}"#;
        assert_eq!(json(&whole()), told);
        assert_eq!(
            json(&with(nful::PREFIX, b"\xff\0")),
            r#"{"family":"bridge","group":258,"prefix":[255]}"#
        );
    }

    #[test]
    fn what_has_no_name_is_a_number() {
        let places = [
            ((2, 1), r#""family":"ipv4","hook":"input""#),
            ((3, 1), r#""family":"arp","hook":"output""#),
            ((5, 1), r#""family":"netdev","hook":"egress""#),
            ((1, 5), r#""family":"inet","hook":"ingress""#),
            ((9, 6), r#""family":9,"hook":6"#),
            ((11, 4), r#""family":11,"hook":"postrouting""#),
            ((5, 2), r#""family":"netdev","hook":2"#),
        ];
        for (place, text) in places {
            let text = format!(r#"{{{text},"protocol":33024,"group":258,"payload":""}}"#);
            assert_eq!(json(&logged(place, 0x8100, &[], &[])), text);
        }
    }

    #[test]
    fn the_tuple_of_the_packet_and_of_the_one_inside() {
        let about = ipv4(17, &[3, 232, 0, 53, 0, 8, 0, 0]);
        let tuple = r#"{"family":"ipv4","src":"10.0.0.1","dst":"10.9.0.1","protocol":"udp","sport":1000,"dport":53}"#;
        let text = json(&logged((2, 1), 0x0800, &[], &about));
        assert!(text.contains(&format!(r#""group":258,"tuple":{tuple},"payload":"#)), "{text}");
        let text = json(&logged((2, 1), 0x0800, &[], &icmp(3, &about)));
        assert!(text.contains(&format!(r#""group":258,"inside":{tuple},"payload":"#)), "{text}");
    }

    #[test]
    fn a_flow_is_that_of_the_caller_or_the_one_attached() {
        let mark = [8, cta::MARK].map(u16::to_ne_bytes).concat();
        let message = with(nful::CT, &[&mark[..], &[0, 0, 0, 5]].concat());
        let packet = Packet::read(&message).unwrap();
        let head = r#"{"family":"bridge","group":258,"#;
        assert_eq!(packet.json().to_string(), format!(r#"{head}"flow":{{"mark":5}}}}"#));
        assert_eq!(packet.conntrack().unwrap().unwrap().mark(), 5);
        let flow =
            Flow::from_json(r#"{"start":{"sec":1,"nsec":0},"counters":{"reply":{"bytes":1}}}"#)
                .unwrap();
        let text = packet.json().flow(&flow).wide_numbers_as_strings().to_string();
        assert!(
            text.starts_with(&format!(r#"{head}"flow":{{"counters":{{"reply":{{"bytes":"1"}}}}"#)),
            "{text}"
        );
        let received = packet.json().received(UNIX_EPOCH + Duration::new(1, 2)).to_string();
        assert!(received.contains(r#""received":{"sec":1,"nsec":2},"flow""#));
    }

    #[test]
    fn long_packets_are_written_whole() {
        let text = json(&logged((2, 1), 0x0800, &[], &[0x45; 900]));
        assert!(text.len() > 1800 && text.ends_with(r#"45"}"#));
    }
}
