//! Any events and dumps, in any order, into the live copy of a table: what it tells must be what it has.

use super::attributes::entries;
use super::input::Input;
use ctrs::conntrack::expression::Expression;
use ctrs::conntrack::key::Key;
use ctrs::conntrack::object::attr::Attr;
use ctrs::conntrack::object::copy::flags;
use ctrs::conntrack::object::entry::Conntrack;
use ctrs::conntrack::replica::{Ending, Happened, Replica};
use ctrs::conntrack::tuple::Tuple;
use ctrs::conntrack::wire::Change;
use ctrs::conntrack::wire::decode;
use std::collections::BTreeMap;
use std::net::SocketAddr;

const FILTERS: [&str; 4] = ["all", "mark 1", "udp or zone 3", "not assured and not label 2"];
/// Of the tuples that are made up of few bytes.
const TUPLE: [Attr; 12] = [
    Attr::OrigL3Proto,
    Attr::OrigL4Proto,
    Attr::OrigIpv4Src,
    Attr::OrigIpv4Dst,
    Attr::OrigPortSrc,
    Attr::OrigPortDst,
    Attr::ReplL3Proto,
    Attr::ReplL4Proto,
    Attr::ReplIpv4Src,
    Attr::ReplIpv4Dst,
    Attr::ReplPortSrc,
    Attr::ReplPortDst,
];

/// A flow: one of few, or whatever attributes say.
fn flow(input: &mut Input<'_>) -> Conntrack {
    let mut ct = Conntrack::new();
    let set = |ct: &mut Conntrack, attr, number: u32| {
        let mut slot = [0; 16];
        match entries()[attr as usize].bytes {
            1 => slot[0] = number as u8,
            2 => slot[..2].copy_from_slice(&(number as u16).to_ne_bytes()),
            _ => slot[..4].copy_from_slice(&number.to_ne_bytes()),
        }
        ct.set(attr, slot);
    };
    let (which, parts) = (input.u8(), input.u8());
    for attr in TUPLE {
        set(&mut ct, attr, if attr.name().ends_with("l3proto") { 2 } else { 17 });
    }
    set(&mut ct, Attr::OrigPortSrc, u32::from(which & 3));
    set(&mut ct, Attr::ReplPortSrc, u32::from(which >> 2 & 1));
    set(&mut ct, Attr::Id, u32::from(which >> 3 & 3));
    set(&mut ct, Attr::Status, u32::from(parts & 0x0f) << 2 | u32::from(which & 0x40) << 3);
    for (bit, attr) in [
        (0x10, Attr::Mark),
        (0x20, [Attr::Zone, Attr::OrigZone, Attr::ReplZone][usize::from(which) % 3]),
        (0x40, Attr::TcpState),
    ] {
        if parts & bit != 0 {
            set(&mut ct, attr, u32::from(input.u8() & 3));
        }
    }
    if parts & 0x80 != 0 {
        let length = input.u8().into();
        let mut other = Conntrack::new();
        // Labels that are too long leave out what is behind them.
        let _ = decode::conntrack(&mut other, input.bytes(length), 2);
        ct.copy_from(&other, flags::META).unwrap();
    }
    ct
}

/// What changes have told, by tuple, and zone of its direction.
#[derive(Default)]
struct Told(BTreeMap<[u16; 2], u32>);

fn number(ct: &Conntrack, attr: Attr) -> Option<u16> {
    ct.get(attr).and_then(|bytes| bytes.first_chunk()).map(|bytes| u16::from_ne_bytes(*bytes))
}

/// What tells flows apart here: a port, and the zone of the original direction.
fn name(ct: &Conntrack) -> [u16; 2] {
    let zone = number(ct, Attr::Zone).or(number(ct, Attr::OrigZone)).unwrap_or(0);
    [number(ct, Attr::OrigPortSrc).unwrap(), zone]
}

fn key(ct: &Conntrack) -> Key {
    let [port, zone] = name(ct);
    let end = |port: u16| SocketAddr::from((17_u32.to_ne_bytes(), u16::from_be(port)));
    Key::original(Tuple::udp(end(port), end(17)).unwrap()).in_zone(zone)
}

impl Told {
    fn follow(&mut self, copy: &mut Replica) {
        while let Some(change) = copy.next_change() {
            let after = change.after.as_ref().map(|ct| (name(ct), id(ct)));
            let before = change.before.as_ref().map(|ct| (name(ct), id(ct)));
            match change.happened {
                Happened::New => {
                    let (name, id) = after.unwrap();
                    assert!(before.is_none() && self.0.insert(name, id).is_none());
                }
                Happened::Entered => {
                    let (name, id) = after.unwrap();
                    assert!(before.is_some() && self.0.insert(name, id).is_none());
                }
                Happened::Updated => {
                    let ((old, was), (new, id)) = (before.unwrap(), after.unwrap());
                    assert_eq!((old, Some(was)), (new, self.0.insert(new, id)));
                }
                Happened::Left | Happened::Destroyed => {
                    let (name, id) = before.unwrap();
                    assert_eq!(self.0.remove(&name), Some(id));
                }
                _ => assert!(before.is_none() && after.is_none()),
            }
        }
        assert!(!copy.has_changes());
    }
}

fn id(ct: &Conntrack) -> u32 {
    ct.get(Attr::Id).map_or(0, |id| u32::from_ne_bytes([id[0], id[1], id[2], id[3]]))
}

/// Input: a byte for the filter, then steps.
pub fn mirror(data: &[u8]) {
    let mut input = Input(data);
    let filter = FILTERS[usize::from(input.u8()) % FILTERS.len()];
    let filter: Expression = filter.parse().unwrap();
    let mut copy = Replica::new(Some(filter));
    let mut told = Told::default();
    while !input.is_empty() {
        let step = input.u8();
        match step & 15 {
            0..6 => {
                let changes = [Change::New, Change::Update, Change::Destroy];
                let change = changes[usize::from(step & 15) % 3];
                copy.event(change, step & 16 != 0, flow(&mut input)).unwrap();
            }
            6..9 => copy.listed(flow(&mut input)).unwrap(),
            9 => copy.got(flow(&mut input)).unwrap(),
            10 => copy.overrun((step >> 4).into()),
            11 => copy.verify(),
            12 => copy.prepare((step >> 4).into()),
            13 if copy.wants_dump() => copy.begin(Some((step >> 6).into())).unwrap(),
            14 if copy.is_dumping() => {
                let (lost, buckets) = (u32::from(step >> 4 & 3), Some((step >> 6).into()));
                copy.end(&Ending { failed: false, lost, buckets }).unwrap();
            }
            _ => told.follow(&mut copy),
        }
    }
    told.follow(&mut copy);
    let mut flows = 0;
    for kept in copy.flows_in(0..copy.places()) {
        flows += 1;
        assert_eq!(told.0.get(&name(kept.flow)).copied(), kept.selected.then(|| id(kept.flow)));
        assert!(copy.find_id(id(kept.flow)).is_some());
        let found = copy.find(&key(kept.flow)).unwrap();
        assert_eq!((name(found.flow), found.next), (name(kept.flow), kept.next));
    }
    let counts = copy.counts();
    assert!(flows == counts.flows && counts.unheard <= flows);
    assert!(told.0.len() <= flows);
}
