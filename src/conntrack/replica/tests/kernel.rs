//! A kernel: a table of flows, a socket that events come through, and a dump of the table.
//!
//! It knows nothing of what keeps a copy. What it does is what was seen of Linux.
#![forbid(unsafe_code)]

use super::messages::{KEYS, Part, Real};
use super::random::Random;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::wire::Change;
use crate::uapi::ips;
use std::collections::VecDeque;

/// What a kernel is like.
#[derive(Debug, Clone, Copy)]
pub struct Nature {
    /// Events that fit the socket's buffer.
    pub room: usize,
    /// Whether an overrun is told as an error, after which nothing comes until all was read.
    pub errors: bool,
    /// Whether it tells how many messages were lost.
    pub counts: bool,
    /// Whether somebody listens reliably: ends and beginnings are told again, or late.
    pub reliable: bool,
    /// Whether flows that report nothing are made.
    pub silent: bool,
    /// Whether the hash table is resized.
    pub resized: bool,
    /// Whether second entries of clashes are made.
    pub clashes: bool,
}

impl Nature {
    pub fn any(random: &mut Random) -> Self {
        let errors = random.below(3) != 0;
        Self {
            room: [4, 12, 1000][random.below(3)],
            errors,
            // Who is told nothing at all cannot know.
            counts: !errors || random.one_in(2),
            reliable: random.one_in(3),
            silent: random.one_in(4),
            resized: random.one_in(4),
            clashes: random.one_in(4),
        }
    }
}

/// An event.
#[derive(Debug)]
pub struct Event {
    pub change: Change,
    pub by_request: bool,
    pub ct: Conntrack,
    /// Told after its end, by another processor.
    pub stray: bool,
}

/// What reading the socket gives.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "made and taken apart at once")]
pub enum Read {
    Event(Event),
    Overrun,
    Empty,
}

/// A dump: what it has put into the other socket, and how far it is.
#[derive(Debug, Default)]
struct Dump {
    bucket: usize,
    written: VecDeque<Conntrack>,
    emitted: Vec<(usize, u64)>,
    failed: bool,
    done: bool,
    /// A flow that lives until the dump was read.
    pinned: Option<usize>,
}

#[derive(Debug)]
pub struct Kernel {
    pub nature: Nature,
    pub table: Vec<Real>,
    /// Second entries of clashes, that nobody finds.
    hidden: Vec<Real>,
    /// Ends that somebody is still to be told, and whether this socket was told.
    undelivered: Vec<(Real, bool)>,
    /// Bucket of each tuple.
    order: [usize; KEYS],
    pub buckets: u32,
    events: VecDeque<Event>,
    subscribed: bool,
    congested: bool,
    error: bool,
    lost: u32,
    dump: Option<Dump>,
    clock: u64,
    generation: u32,
    /// The id that each tuple's memory gives.
    memory: [u32; KEYS],
}

impl Kernel {
    pub fn new(nature: Nature, random: &mut Random) -> Self {
        let mut order = [0; KEYS];
        order.iter_mut().for_each(|bucket| *bucket = random.below(4));
        Self {
            nature,
            table: Vec::new(),
            hidden: Vec::new(),
            undelivered: Vec::new(),
            order,
            buckets: 16,
            events: VecDeque::new(),
            subscribed: false,
            congested: false,
            error: false,
            lost: 0,
            dump: None,
            clock: 0,
            generation: 0,
            memory: [0; KEYS],
        }
    }

    /// The flow of this tuple that lives and can be found.
    pub fn living(&self, key: usize) -> Option<&Real> {
        self.table.iter().find(|flow| flow.key == key && !flow.dying)
    }

    /// Whether this is the id of a second entry of a clash.
    pub fn hides(&self, id: u32) -> bool {
        self.hidden.iter().any(|flow| flow.id == id)
    }

    // The sockets.

    pub fn subscribe(&mut self) {
        self.subscribed = true;
    }

    pub fn lost(&self) -> u32 {
        if self.nature.counts { self.lost } else { 0 }
    }

    fn send(&mut self, event: Event) -> bool {
        if !self.subscribed {
            return true;
        }
        let full = self.events.len() >= self.nature.room;
        if full || self.congested {
            self.lost += 1;
            if self.nature.errors && full {
                (self.error, self.congested) = (true, true);
            }
            return false;
        }
        self.events.push_back(event);
        true
    }

    pub fn read(&mut self) -> Read {
        if std::mem::take(&mut self.error) {
            return Read::Overrun;
        }
        let event = self.events.pop_front();
        if self.events.is_empty() {
            self.congested = false;
        }
        event.map_or(Read::Empty, Read::Event)
    }

    pub fn has_events(&self) -> bool {
        self.error || !self.events.is_empty()
    }

    /// Answers at once.
    pub fn get(&self, key: usize) -> Option<Conntrack> {
        self.living(key).map(Real::entry)
    }

    /// Begins a dump, and writes some of it: what is read may be older than events.
    pub fn start_dump(&mut self, random: &mut Random) {
        self.dump = Some(Dump::default());
        (0..random.below(8)).for_each(|_| self.write_dump());
    }

    /// The next entry; `None` at the end, with whether it failed.
    pub fn read_dump(&mut self) -> Result<Conntrack, bool> {
        loop {
            let Some(dump) = &mut self.dump else { return Err(true) };
            if let Some(entry) = dump.written.pop_front() {
                return Ok(entry);
            }
            if dump.done {
                let failed = dump.failed;
                self.dump = None;
                return Err(failed);
            }
            self.write_dump();
        }
    }

    /// Writes the next buckets of the dump. That is done ahead of the reader.
    pub fn write_dump(&mut self) {
        let Some(dump) = &mut self.dump else { return };
        let first = dump.bucket;
        dump.bucket += 1;
        let found = self.table.iter().filter(|flow| self.order[flow.key] == first);
        for flow in found {
            dump.written.push_back(flow.entry());
            dump.emitted.push((flow.key, flow.start));
        }
        dump.done |= dump.bucket > 4;
    }

    // What happens to flows.

    fn event(&mut self, change: Change, by_request: bool, flow: &Real, part: Part) -> bool {
        let ct = match change {
            Change::New => flow.begun(),
            Change::Update => flow.update(part, by_request),
            Change::Destroy => flow.destroy(),
        };
        flow.silent || self.send(Event { change, by_request, ct, stray: false })
    }

    fn create(&mut self, random: &mut Random) {
        let key = random.below(KEYS);
        if self.table.iter().any(|flow| flow.key == key) {
            return;
        }
        self.clock += 1;
        let held = self.undelivered.iter().any(|(flow, _)| flow.key == key)
            || self.hidden.iter().any(|flow| flow.key == key);
        if held || random.one_in(4) || self.memory[key] == 0 {
            self.generation += 1;
            self.memory[key] = self.generation * 16 + key as u32;
        }
        let flow = Real {
            key,
            id: self.memory[key],
            reply: random.below(3) as u8,
            status: ips::CONFIRMED,
            mark: random.below(3) as u32,
            label: random.below(3) as u32,
            helper: random.one_in(3),
            context: random.one_in(3),
            state: random.below(4) as u8,
            adjusted: random.below(2) as u32,
            proxied: random.one_in(3),
            master: random.one_in(3),
            start: self.clock,
            packets: 1,
            silent: self.nature.silent && (!self.subscribed || random.one_in(3)),
            dying: false,
            again: false,
            renewed: self.nature.reliable && random.one_in(3),
        };
        self.event(Change::New, false, &flow, Part::Mark);
        let at = random.below(self.table.len() + 1);
        self.table.insert(at, flow);
    }

    fn update(&mut self, random: &mut Random) {
        if self.table.is_empty() {
            return;
        }
        let at = random.below(self.table.len());
        let mut flow = self.table[at].clone();
        flow.packets += 1;
        let (part, by_request) = match random.below(7) {
            0 => (Part::Mark, random.one_in(2)),
            1 => (Part::Label, random.one_in(2)),
            2 => (Part::State, random.one_in(2)),
            3 => (Part::Helper, true),
            4 => (Part::Status, false),
            5 => (Part::Adjusted, true),
            // Counters alone.
            _ => return self.table[at] = flow,
        };
        if flow.dying {
            return;
        }
        match part {
            Part::Mark => flow.mark = random.below(3) as u32,
            Part::Label if by_request => flow.label = random.below(3) as u32,
            // Packets clear none that would be told.
            Part::Label => flow.label = 1 + random.below(2) as u32,
            Part::State => flow.state = random.below(4) as u8,
            Part::Helper => flow.helper = random.one_in(2),
            Part::Status => flow.status |= [ips::SEEN_REPLY, ips::ASSURED][random.below(2)],
            Part::Adjusted => {
                (flow.adjusted, flow.proxied) = (random.below(2) as u32, random.one_in(2));
            }
        }
        let renewed = std::mem::take(&mut flow.renewed);
        flow.again |= renewed;
        let change = if renewed { Change::New } else { Change::Update };
        self.event(change, by_request, &flow, part);
        self.table[at] = flow;
    }

    fn destroy(&mut self, random: &mut Random) {
        let pinned = self.dump.as_ref().and_then(|dump| dump.pinned);
        if self.table.is_empty() {
            return;
        }
        let at = random.below(self.table.len());
        let flow = self.table[at].clone();
        if pinned == Some(flow.key) {
            return;
        }
        if flow.dying {
            self.table.remove(at);
            return;
        }
        if self.nature.reliable && random.one_in(3) && !flow.silent {
            // Somebody is not told, this socket or another.
            let told = random.one_in(2) && self.event(Change::Destroy, false, &flow, Part::Mark);
            self.undelivered.push((flow, told));
            self.table.remove(at);
            return;
        }
        self.event(Change::Destroy, false, &flow, Part::Mark);
        if random.one_in(6) && !flow.silent {
            // Another processor was about to tell of a change.
            let ct = flow.update(Part::Status, false);
            self.send(Event { change: Change::Update, by_request: false, ct, stray: true });
        }
        if random.one_in(3) {
            self.table[at].dying = true;
        } else {
            self.table.remove(at);
        }
    }

    /// Tells an end again; `true` if that was the last time.
    fn retry(&mut self, random: &mut Random) {
        if self.undelivered.is_empty() {
            return;
        }
        let at = random.below(self.undelivered.len());
        let (flow, told) = self.undelivered[at].clone();
        let now = self.event(Change::Destroy, false, &flow, Part::Mark);
        self.undelivered[at].1 |= now;
        if (told || now) && random.one_in(2) {
            self.undelivered.remove(at);
        }
    }

    fn clash(&mut self, random: &mut Random) {
        if let Some(at) = (!self.hidden.is_empty()).then(|| random.below(self.hidden.len())) {
            let flow = self.hidden[at].clone();
            if random.one_in(2) {
                self.event(Change::Update, false, &flow, Part::Status);
            } else {
                self.event(Change::Destroy, false, &flow, Part::Mark);
                self.hidden.remove(at);
            }
            return;
        }
        let Some(flow) = self.table.iter().find(|flow| !flow.dying && !flow.silent) else { return };
        self.generation += 1;
        let mut second = flow.clone();
        second.id = self.generation * 16 + flow.key as u32;
        second.status |= ips::NAT_CLASH;
        (second.mark, second.renewed) = (2, false);
        self.event(Change::New, false, &second, Part::Mark);
        self.hidden.push(second);
    }

    fn resize(&mut self, random: &mut Random) {
        self.order.iter_mut().for_each(|bucket| *bucket = random.below(4));
        let Some(dump) = &mut self.dump else {
            self.buckets += 16;
            return;
        };
        if dump.done {
            return;
        }
        // There and back within one dump: the number tells nothing, but something comes twice.
        let (table, emitted) = (&self.table, &dump.emitted);
        let again =
            table.iter().find(|flow| !flow.dying && emitted.contains(&(flow.key, flow.start)));
        match again {
            Some(flow) if dump.pinned.is_none() && random.one_in(2) => {
                dump.written.extend([flow.entry(), flow.entry()]);
                dump.pinned = Some(flow.key);
            }
            _ => self.buckets += 16,
        }
    }

    fn fail(&mut self) {
        if let Some(dump) = &mut self.dump {
            if !dump.done {
                (dump.done, dump.failed) = (true, true);
            }
        }
    }

    /// Does something.
    pub fn step(&mut self, random: &mut Random) {
        let Nature { reliable, clashes, resized, .. } = self.nature;
        if reliable && self.dump.is_some() && random.one_in(4) {
            return self.retry(random);
        }
        match random.below(24) {
            0..7 => self.create(random),
            7..14 => self.update(random),
            14..18 => self.destroy(random),
            18..20 if reliable => self.retry(random),
            20 if clashes => self.clash(random),
            21 if resized => self.resize(random),
            22 if random.one_in(8) => self.fail(),
            _ => self.write_dump(),
        }
    }

    /// Nothing begins any more, and what is to be told is told.
    pub fn rest(&mut self) -> bool {
        self.table.retain(|flow| !flow.dying);
        self.nature.room = usize::MAX;
        if let Some(at) = self.undelivered.iter().position(|(_, told)| !told) {
            let flow = self.undelivered[at].0.clone();
            self.undelivered[at].1 = self.event(Change::Destroy, false, &flow, Part::Mark);
            return true;
        }
        if let Some(flow) = self.hidden.pop() {
            self.event(Change::Destroy, false, &flow, Part::Mark);
            return true;
        }
        false
    }
}
