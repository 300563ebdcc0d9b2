//! Whether what is kept is what the kernel has, flow by flow and attribute by attribute.

use ctrs::{Attribute, Flow, FlowRecord, FlowTable, Key, MirrorReader};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// What packets change without an event, and times, which are not in every event.
const VOLATILE: [Attribute; 14] = [
    Attribute::Timeout,
    Attribute::Use,
    Attribute::OrigCounterPackets,
    Attribute::OrigCounterBytes,
    Attribute::ReplCounterPackets,
    Attribute::ReplCounterBytes,
    Attribute::TimestampStart,
    Attribute::TimestampStop,
    Attribute::TimestampEvent,
    Attribute::TcpFlagsOrig,
    Attribute::TcpFlagsRepl,
    Attribute::TcpMaskOrig,
    Attribute::TcpMaskRepl,
    // An absent mark is 0.
    Attribute::Mark,
];

/// All of a flow that is compared.
pub fn lasting(flow: &Flow) -> FlowRecord {
    let mut record = FlowRecord::from(flow);
    for attribute in VOLATILE {
        let bit = attribute as usize;
        record.present[bit / 64] &= !(1 << (bit % 64));
    }
    (record.timeout, record.use_count) = (0, 0);
    (record.packets, record.bytes) = ([0; 2], [0; 2]);
    (record.start, record.stop, record.event_time) = (0, 0, 0);
    (record.tcp_flags, record.tcp_mask) = ([0; 2], [0; 2]);
    record
}

/// What it is found by.
pub fn name(flow: &Flow) -> Key {
    flow.key().any_life()
}

/// What the kernel had: of each flow a number that is another if the flow is.
#[derive(Debug, Default)]
pub struct Before {
    random: RandomState,
    flows: HashMap<Key, u64>,
}

impl Before {
    /// The table as it is. What has expired is collected by that, and told.
    pub fn of(table: &FlowTable) -> Self {
        let mut before = Self::default();
        for flow in whole(table) {
            let number = before.number(&flow);
            before.flows.insert(name(&flow), number);
        }
        before
    }

    fn number(&self, flow: &Flow) -> u64 {
        self.random.hash_one(lasting(flow).as_bytes())
    }

    /// Whether a flow is as it was.
    fn has(&self, flow: &Flow) -> bool {
        self.flows.get(&name(flow)) == Some(&self.number(flow))
    }
}

/// A list that the kernel's hash table was not resized under.
fn whole(table: &FlowTable) -> Vec<Flow> {
    for _ in 0..100 {
        let mut list = table.list().expect("a list");
        let flows: Vec<_> = list.by_ref().map(|flow| flow.expect("a flow")).collect();
        if list.is_consistent() {
            return flows;
        }
    }
    panic!("the hash table is resized all the time");
}

/// What came of a comparison.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Flows that were compared, with each copy.
    pub judged: usize,
    /// Such that came, went or changed while they were.
    pub moved: usize,
    /// What is wrong, as text.
    pub wrong: Vec<String>,
}

impl Verdict {
    fn note(&mut self, what: &str, flow: &Flow, other: Option<&Flow>) {
        let other =
            other.map_or(String::new(), |other| format!(", kept as {other} {:?}", other.id()));
        self.wrong.push(format!("{what}: {flow} {:?}{other}", flow.id()));
    }
}

/// Compares copies, in which nothing changes meanwhile, with the table: what it has now, if it had that
/// before the copies came to rest. Nobody makes flows between.
pub fn compare(before: &Before, table: &FlowTable, copies: &[MirrorReader]) -> Verdict {
    let mut verdict = Verdict::default();
    let mut now = HashSet::new();
    for flow in whole(table) {
        if before.has(&flow) {
            copies.iter().for_each(|copy| judge(&mut verdict, copy, &flow));
            now.insert(name(&flow));
        } else {
            verdict.moved += 1;
        }
    }
    verdict.moved += before.flows.len() - now.len();
    copies.iter().for_each(|copy| find_ghosts(&mut verdict, copy, before));
    verdict
}

fn judge(verdict: &mut Verdict, copy: &MirrorReader, flow: &Flow) {
    verdict.judged += 1;
    match copy.find(name(flow)).expect("memory") {
        None => verdict.note("missing", flow, None),
        Some(kept) if lasting(&kept) != lasting(flow) => {
            verdict.note("different", flow, Some(&kept))
        }
        Some(_) => {}
    }
}

/// What is kept and was not there, or is kept twice.
fn find_ghosts(verdict: &mut Verdict, copy: &MirrorReader, before: &Before) {
    let mut met = HashSet::new();
    for flow in copy.flows() {
        let flow = flow.expect("memory");
        let (twice, known) = (!met.insert(name(&flow)), before.flows.contains_key(&name(&flow)));
        if twice || !known {
            verdict.note(if twice { "kept twice" } else { "a ghost" }, &flow, None);
        }
    }
}
