//! Filtered dumps, those of the C interface and lists of the Rust one, hand out exactly the flows that
//! were asked for: random filters over a table of every protocol, against what this program works out
//! from its own list.
//!
//! `CTRS_SEED` repeats a run.

use capi_tests::in_namespace;
use ctrs::conntrack::filter::dump::DumpFilter;
use ctrs::conntrack::filter::dump::Masked;
use ctrs::conntrack::object::attr::Attr;
use ctrs::conntrack::object::entry::Conntrack;
use ctrs::conntrack::wire::decode;
use ctrs::conntrack::wire::query::{Query, Request};
use ctrs::netlink::exchange::Exchange;
use ctrs::netlink::socket::Socket;
use ctrs::{Filter, FlowTable, Mark, Net, NewFlow, Status, Zone};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

/// An entry of the table; its mark names it.
#[derive(Debug, Clone, Copy)]
struct Entry {
    ipv6: bool,
    protocol: u8,
    src: u8,
    dst: u8,
    /// Ports or keys; of ICMP the id, and the type and code.
    ends: (u16, u16),
    zone: u16,
    /// The attribute that the zone is in.
    zoned: Attr,
    assured: bool,
    mark: u32,
}

/// What is asked for.
#[derive(Debug, Default)]
struct Wanted {
    family: Option<u8>,
    mark: Option<Masked>,
    assured: Option<bool>,
    zone: Option<u16>,
    tuple: Option<Tuple>,
}

#[derive(Debug)]
struct Tuple {
    ipv6: bool,
    src: Option<u8>,
    dst: Option<u8>,
    protocol: Option<u8>,
    ends: [Option<u16>; 2],
    zone: Option<u16>,
}

struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = std::env::var("CTRS_SEED").map_or_else(|_| now(), |seed| seed.parse().unwrap());
        println!("CTRS_SEED={seed}");
        Self(seed | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % limit
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn maybe<T>(&mut self, one_in: u64, value: T) -> Option<T> {
        (self.below(one_in) == 0).then_some(value)
    }
}

const ICMP: [u8; 2] = [1, 58];

fn address(ipv6: bool, host: u8) -> IpAddr {
    match ipv6 {
        false => Ipv4Addr::new(10, 0, 0, host).into(),
        true => Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, host.into()).into(),
    }
}

fn random_entry(random: &mut Random, mark: u32) -> Entry {
    let ipv6 = random.below(2) == 0;
    let protocol = random.one_of(&[6, 17, 136, 132, 47, ICMP[usize::from(ipv6)], 99]);
    let ends = match protocol {
        99 => (0, 0),
        1 => (random.one_of(&[1, 2, 80]), 8 << 8),
        58 => (random.one_of(&[1, 2, 80]), 128 << 8),
        _ => (random.one_of(&[80, 1000, 1001]), random.one_of(&[80, 81])),
    };
    Entry {
        ipv6,
        protocol,
        src: random.one_of(&[1, 2, 3]),
        dst: random.one_of(&[4, 5]),
        ends,
        zone: random.one_of(&[0, 0, 1, 2]),
        zoned: random.one_of(&[Attr::Zone, Attr::OrigZone, Attr::ReplZone]),
        assured: random.below(2) == 0,
        mark,
    }
}

/// The original tuple of an entry.
fn packets(entry: &Entry) -> ctrs::Tuple {
    let [src, dst] = [entry.src, entry.dst].map(|host| address(entry.ipv6, host));
    let ports = |make: fn(SocketAddr, SocketAddr) -> Result<ctrs::Tuple, ctrs::Invalid>| {
        make((src, entry.ends.0).into(), (dst, entry.ends.1).into())
    };
    let tuple = match entry.protocol {
        6 => ports(ctrs::Tuple::tcp),
        17 => ports(ctrs::Tuple::udp),
        132 => ports(ctrs::Tuple::sctp),
        136 => ports(ctrs::Tuple::udp_lite),
        47 => ctrs::Tuple::gre(src, dst, entry.ends),
        1 | 58 => ctrs::Tuple::ping(src, dst, entry.ends.0),
        other => ctrs::Tuple::other(other, src, dst),
    };
    tuple.unwrap()
}

fn create(table: &mut FlowTable, entry: &Entry) -> bool {
    let zone = match entry.zoned {
        Attr::Zone => Zone::from(entry.zone),
        Attr::OrigZone => Zone::original(entry.zone),
        _ => Zone::reply(entry.zone),
    };
    let mut flow = NewFlow::new(packets(entry)).mark(entry.mark).zone(zone);
    if entry.assured {
        flow = flow.assured().seen_reply();
    }
    match table.create(&flow) {
        Ok(()) => true,
        Err(error) if error.kind() == ctrs::ErrorKind::Exists => false,
        Err(error) => panic!("{entry:?}: {error}"),
    }
}

fn random_wanted(random: &mut Random, entries: &[Entry]) -> Wanted {
    let model = random.one_of(entries);
    let other = random.one_of(entries);
    let mask = random.one_of(&[u32::MAX, 0xf, 1, 0]);
    let by_tuple = random.below(4) != 0;
    let in_zone = if model.zoned == Attr::ReplZone { 0 } else { model.zone };
    let has_ends = model.protocol != 99;
    let mut tuple = Tuple {
        ipv6: model.ipv6,
        src: random.maybe(2, model.src),
        dst: random.maybe(3, model.dst),
        protocol: random.maybe(2, model.protocol),
        ends: [
            random.maybe(2, model.ends.0).filter(|_| has_ends),
            random.maybe(2, model.ends.1).filter(|_| has_ends),
        ],
        zone: random
            .maybe(4, random.0 as u16 % 3)
            .map(|zone| if zone == 2 { in_zone } else { zone }),
    };
    if tuple.ends != [None, None] {
        // The kernel refuses what only some protocols have otherwise.
        tuple.protocol = Some(model.protocol);
    }
    if random.below(4) == 0 {
        tuple.dst = Some(other.dst);
    }
    let family = if by_tuple { family(model.ipv6) } else { random.one_of(&[0, 2, 10]) };
    Wanted {
        family: random.maybe(3, family),
        mark: random.maybe(4, Masked { value: model.mark & mask, mask }),
        assured: random.maybe(4, model.assured),
        zone: random.maybe(5, model.zone),
        tuple: by_tuple.then_some(tuple),
    }
}

fn family(ipv6: bool) -> u8 {
    if ipv6 { 10 } else { 2 }
}

fn selects(wanted: &Wanted, entry: &Entry) -> bool {
    let same = |wanted: Option<u16>, value: u16| wanted.is_none_or(|wanted| wanted == value);
    let original_zone = if entry.zoned == Attr::ReplZone { 0 } else { entry.zone };
    wanted.family.is_none_or(|wanted| wanted == 0 || wanted == family(entry.ipv6))
        && wanted.mark.is_none_or(|mark| entry.mark & mark.mask == mark.value)
        && wanted.assured.is_none_or(|assured| assured == entry.assured)
        && same(wanted.zone, entry.zone)
        && wanted.tuple.as_ref().is_none_or(|tuple| {
            tuple.ipv6 == entry.ipv6
                && same(tuple.src.map(u16::from), entry.src.into())
                && same(tuple.dst.map(u16::from), entry.dst.into())
                && same(tuple.protocol.map(u16::from), entry.protocol.into())
                && same(tuple.ends[0], entry.ends.0)
                && same(tuple.ends[1], entry.ends.1)
                && same(tuple.zone, original_zone)
        })
}

fn filter(wanted: &Wanted) -> DumpFilter {
    let mut filter = DumpFilter::new();
    wanted.family.iter().for_each(|family| filter.set_family(*family));
    wanted.mark.iter().for_each(|mark| filter.set_mark(*mark));
    wanted.zone.iter().for_each(|zone| filter.set_zone(*zone));
    if let Some(assured) = wanted.assured {
        let mask = Status::ASSURED.bits();
        filter.set_status(Masked { value: if assured { mask } else { 0 }, mask });
    }
    if let Some(tuple) = &wanted.tuple {
        filter.set_tuple(&pattern(tuple)).unwrap();
    }
    filter
}

fn set(ct: &mut Conntrack, attr: Attr, bytes: &[u8]) {
    ct.set(attr, std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0)));
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().into(),
        IpAddr::V6(address) => address.octets().into(),
    }
}

fn pattern(tuple: &Tuple) -> Conntrack {
    let mut ct = Conntrack::new();
    set(&mut ct, Attr::OrigL3Proto, &[family(tuple.ipv6)]);
    let [src, dst] = match tuple.ipv6 {
        false => [Attr::OrigIpv4Src, Attr::OrigIpv4Dst],
        true => [Attr::OrigIpv6Src, Attr::OrigIpv6Dst],
    };
    for (attr, host) in [(src, tuple.src), (dst, tuple.dst)] {
        host.iter().for_each(|host| set(&mut ct, attr, &octets(address(tuple.ipv6, *host))));
    }
    tuple.protocol.iter().for_each(|number| set(&mut ct, Attr::OrigL4Proto, &[*number]));
    let is_icmp = tuple.protocol.is_some_and(|protocol| ICMP.contains(&protocol));
    if let Some(end) = tuple.ends[0] {
        set(&mut ct, if is_icmp { Attr::IcmpId } else { Attr::OrigPortSrc }, &end.to_be_bytes());
    }
    match tuple.ends[1] {
        Some(end) if is_icmp => {
            set(&mut ct, Attr::IcmpType, &[(end >> 8) as u8]);
            set(&mut ct, Attr::IcmpCode, &[end as u8]);
        }
        Some(end) => set(&mut ct, Attr::OrigPortDst, &end.to_be_bytes()),
        None => {}
    }
    tuple.zone.iter().for_each(|zone| set(&mut ct, Attr::OrigZone, &zone.to_ne_bytes()));
    ct
}

/// The marks of the entries of a dump, narrowed by the kernel and checked again.
fn dump(filter: &DumpFilter) -> Vec<u32> {
    let mut exchange = Exchange::new(Socket::open().unwrap(), 0);
    let mut request = [0; 4096];
    let narrowed = Request::Narrowed(Query::DumpFilter, filter);
    let length = narrowed.build(&mut request, exchange.next_seq()).unwrap();
    let mut receiver = exchange.query(&request[..length], true).unwrap();
    let mut marks = Vec::new();
    while let Some(message) = exchange.next(&mut receiver).unwrap() {
        let mut entry = Conntrack::new();
        decode::as_far_as_possible(&mut entry, &message).unwrap();
        if filter.accepts(&entry) {
            marks.push(u32::from_ne_bytes(entry.get(Attr::Mark).unwrap().try_into().unwrap()));
        }
    }
    marks
}

/// A criterion, and which entries meet it.
type Criterion = (Box<dyn Fn(Filter) -> Filter>, Box<dyn Fn(&Entry) -> bool>);

macro_rules! criterion {
    ($filter:ident => $with:expr, $entry:ident => $meets:expr) => {
        (Box::new(move |$filter: Filter| $with), Box::new(move |$entry: &Entry| $meets))
    };
}

/// Every criterion that the model meets. No flow is translated.
fn criteria(model: Entry, random: &mut Random) -> Vec<Criterion> {
    let Entry { ipv6, protocol, src, dst, ends: (from, to), zone, assured, mark, .. } = model;
    let [source, destination] = [src, dst].map(|host| address(ipv6, host));
    let mask = random.one_of(&[u32::MAX, 0xf, 1, 0]);
    // Hosts 2 and 3, or 4 and 5.
    let pair =
        if ipv6 { format!("fd00::{}/127", dst & 6) } else { format!("10.0.0.{}/31", dst & 6) };
    let pair: Net = pair.parse().unwrap();
    let tuple = packets(&model);
    let mut all: Vec<Criterion> = vec![
        criterion!(f => if ipv6 { f.ipv6() } else { f.ipv4() }, e => e.ipv6 == ipv6),
        criterion!(f => f.protocol(protocol), e => e.protocol == protocol),
        criterion!(f => f.source(source), e => e.ipv6 == ipv6 && e.src == src),
        criterion!(f => f.destination(destination), e => e.ipv6 == ipv6 && e.dst == dst),
        criterion!(f => f.destination(pair), e => e.ipv6 == ipv6 && e.dst & 6 == dst & 6),
        criterion!(f => f.reply_source(destination), e => e.ipv6 == ipv6 && e.dst == dst),
        criterion!(f => f.reply_destination(source), e => e.ipv6 == ipv6 && e.src == src),
        criterion!(f => f.mark(Mark::masked(mark, mask)), e => (e.mark ^ mark) & mask == 0),
        criterion!(f => f.zone(zone), e => e.zone == zone),
        criterion!(
            f => if assured { f.has(Status::ASSURED) } else { f.lacks(Status::ASSURED) },
            e => e.assured == assured
        ),
        criterion!(f => f.tuple(&tuple), e => packets(e) == tuple),
    ];
    let has_ports = |e: &Entry| [6, 17, 132, 136].contains(&e.protocol);
    if has_ports(&model) {
        all.extend::<[Criterion; 4]>([
            criterion!(f => f.source_port(from), e => has_ports(e) && e.ends.0 == from),
            criterion!(f => f.destination_port(to), e => has_ports(e) && e.ends.1 == to),
            criterion!(f => f.reply_source_port(to), e => has_ports(e) && e.ends.1 == to),
            criterion!(f => f.reply_destination_port(from), e => has_ports(e) && e.ends.0 == from),
        ]);
    }
    if ICMP.contains(&protocol) {
        all.extend::<[Criterion; 3]>([
            criterion!(f => f.icmp_type((to >> 8) as u8), e => e.protocol == protocol),
            criterion!(f => f.icmp_code(0), e => ICMP.contains(&e.protocol)),
            criterion!(f => f.icmp_id(from), e => ICMP.contains(&e.protocol) && e.ends.0 == from),
        ]);
    }
    all
}

#[test]
fn lists_hand_out_what_was_asked_for() {
    in_namespace(|| {
        let mut random = Random::new();
        let (mut table, entries) = table_of(&mut random);
        let mut some = 0;
        for _ in 0..300 {
            let model = random.one_of(&entries);
            // Now and then something that contradicts the rest.
            let other = random.one_of(&entries);
            let other = random.maybe(8, other);
            let mut chosen = criteria(model, &mut random);
            chosen.retain(|_| random.below(5) == 0);
            chosen.extend(other.and_then(|other| criteria(other, &mut random).pop()));
            let filter = chosen.iter().fold(Filter::new(), |filter, (with, _)| with(filter));
            let meets = |entry: &&Entry| chosen.iter().all(|(_, meets)| meets(entry));
            let expected: BTreeSet<_> = entries.iter().filter(meets).map(|e| e.mark).collect();
            let listed: Vec<_> =
                table.list_matching(&filter).unwrap().map(|flow| flow.unwrap().mark()).collect();
            assert_eq!(listed.len(), expected.len(), "{filter:?}");
            assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected, "{filter:?}");
            some += usize::from(!expected.is_empty() && expected.len() < entries.len());
        }
        assert!(some > 100, "{some} filters select some flows");
        let half = Filter::new().mark(Mark::masked(1, 1));
        let odd = entries.iter().filter(|entry| entry.mark % 2 == 1).count();
        let done = table.delete_matching(&half).unwrap();
        assert_eq!((done.matched, done.deleted, done.gone), (odd as u64, odd as u64, 0));
        assert_eq!(table.delete_matching(&half).unwrap().matched, 0);
        assert_eq!(table.list().unwrap().count(), entries.len() - odd);
    });
}

/// A table of random entries, each with a mark of its own.
fn table_of(random: &mut Random) -> (FlowTable, Vec<Entry>) {
    let mut table = FlowTable::open().unwrap();
    let drawn: Vec<_> = (1..300).map(|mark| random_entry(random, mark)).collect();
    let entries: Vec<_> = drawn.into_iter().filter(|entry| create(&mut table, entry)).collect();
    assert!(entries.len() > 150);
    (table, entries)
}

#[test]
fn dumps_hand_out_what_was_asked_for() {
    in_namespace(|| {
        let mut random = Random::new();
        let (_, entries) = table_of(&mut random);
        let mut some = 0;
        for _ in 0..600 {
            let wanted = random_wanted(&mut random, &entries);
            let expected: BTreeSet<_> = entries
                .iter()
                .filter(|entry| selects(&wanted, entry))
                .map(|entry| entry.mark)
                .collect();
            let dumped = dump(&filter(&wanted));
            assert_eq!(dumped.len(), expected.len(), "{wanted:?}");
            assert_eq!(dumped.into_iter().collect::<BTreeSet<_>>(), expected, "{wanted:?}");
            some += usize::from(!expected.is_empty() && expected.len() < entries.len());
        }
        assert!(some > 200, "{some} filters select some entries");
    });
}
