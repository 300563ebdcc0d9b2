//! A copy that is kept of a kernel's table, and whether it is right.
#![forbid(unsafe_code)]

use super::kernel::{Kernel, Nature, Read};
use super::messages::{KEYS, Real, key_of};
use super::random::Random;
use crate::conntrack::expression::Expression;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::record::FlowRecord;
use crate::conntrack::replica::epoch::Ending;
use crate::conntrack::replica::rules::Rule;
use crate::conntrack::replica::{AT_ONCE, Happened, Name, Replica};
use crate::conntrack::values::Direction;
use crate::conntrack::wire::Change;
use crate::uapi::ips;

/// What whoever drives a copy keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driving {
    /// It subscribes before it makes a list.
    SubscribesFirst,
    /// It reads how many messages were lost, then the events that wait.
    CountsFirst,
    /// It reads these before it makes a list.
    ReadsOut,
    /// It takes an answer in before it reads another event.
    AsksAtOnce,
    /// It tells of losses.
    TellsLosses,
}

impl Driving {
    pub const ALL: [Self; 5] = [
        Self::SubscribesFirst,
        Self::CountsFirst,
        Self::ReadsOut,
        Self::AsksAtOnce,
        Self::TellsLosses,
    ];
}

/// What is broken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Broken {
    pub rule: Option<Rule>,
    pub driving: Option<Driving>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Steady,
    ReadingOut,
    Begun,
    Dumping,
}

/// Why a run is wrong.
pub type Wrong = &'static str;

fn holds(what: bool, wrong: Wrong) -> Result<(), Wrong> {
    if what { Ok(()) } else { Err(wrong) }
}

pub struct Run {
    kernel: Kernel,
    copy: Replica,
    random: Random,
    driving: Option<Driving>,
    filter: Option<Expression>,
    phase: Phase,
    /// Messages lost at the beginning of the epoch.
    lost: u32,
    /// Ids of flows that the dump has shown, and that were kept then.
    shown: Vec<u32>,
    /// What the changes say that there is.
    told: [Option<Conntrack>; KEYS],
    /// Ids of flows whose end was read since, or seems to have been.
    ended: Vec<u32>,
    /// An answer about a flow that is to be taken in.
    asked: Option<Option<Conntrack>>,
}

const FILTERS: [&str; 3] = ["mark 1", "zone 7 or assured", "tcp and not label 1"];

/// What packets change without an event.
const VOLATILE: Presence = Presence::of(&[
    Attr::Timeout,
    Attr::Use,
    Attr::OrigCounterPackets,
    Attr::OrigCounterBytes,
    Attr::TimestampStart,
    Attr::TimestampStop,
    Attr::TcpFlagsOrig,
    Attr::TcpMaskOrig,
    Attr::TcpFlagsRepl,
    Attr::TcpMaskRepl,
]);

/// Whether two are the same but for what is passed over.
fn same(a: &Conntrack, b: &Conntrack, but: Presence) -> bool {
    let record = |ct: &Conntrack| {
        let mut bare = Conntrack { flat: ct.flat, ..Conntrack::new() };
        bare.flat.present.remove(but);
        bare.flat.present.remove(Presence::of(&[Attr::Mark]));
        let mut record = FlowRecord::of(&bare);
        record.mark = if ct.has(Attr::Mark) { ct.flat.mark } else { 0 };
        record
    };
    let labels = |ct: &Conntrack| ct.labels().map_or(0, |labels| labels.words()[0]);
    // Of a master of ICMP, no record tells all.
    let master = |ct: &Conntrack| {
        ct.has(Attr::MasterL4Proto).then_some([ct.flat.master.l4src, ct.flat.master.l4dst])
    };
    record(a) == record(b)
        && master(a) == master(b)
        && labels(a) == labels(b)
        && [Attr::Secctx, Attr::HelperInfo].iter().all(|attr| a.get(*attr) == b.get(*attr))
}

impl Run {
    pub fn new(seed: u64, broken: Broken) -> Self {
        let mut random = Random::new(seed);
        let nature = Nature::any(&mut random);
        let kernel = Kernel::new(nature, &mut random);
        let filter = random.one_in(4).then(|| FILTERS[random.below(3)].parse().unwrap());
        let mut copy = Replica::new(filter.clone());
        copy.broken = broken.rule;
        let (phase, driving) = (Phase::Steady, broken.driving);
        let told = [const { None }; KEYS];
        let (lost, shown, ended, asked) = (0, Vec::new(), Vec::new(), None);
        Self { kernel, copy, random, driving, filter, phase, lost, shown, told, ended, asked }
    }

    fn keeps(&self, driving: Driving) -> bool {
        self.driving != Some(driving)
    }

    /// Runs, and compares in the end.
    pub fn run(mut self) -> Result<(), Wrong> {
        for _ in 0..self.random.below(6) {
            self.kernel.step(&mut self.random);
        }
        if self.keeps(Driving::SubscribesFirst) {
            self.kernel.subscribe();
        }
        // Of a reader that is slow, or fast.
        let (all, reads) = ([2, 4, 10][self.random.below(3)], 1 + self.random.below(2));
        let verifies = self.random.one_in(3);
        for _ in 0..60 + self.random.below(60) {
            match self.random.below(all) {
                number if number >= reads => {
                    if verifies && self.random.one_in(20) {
                        self.copy.verify();
                    }
                    self.kernel.step(&mut self.random);
                }
                _ => self.drive()?,
            }
        }
        self.rest()?;
        self.compare(VOLATILE, true)?;
        self.copy.verify();
        self.rest()?;
        self.compare(Presence::default(), false)
    }

    fn rest(&mut self) -> Result<(), Wrong> {
        for _ in 0..2_000 {
            self.drive()?;
            let idle =
                self.asked.is_none() && self.phase == Phase::Steady && !self.copy.wants_dump();
            if idle && !self.kernel.has_events() && !self.kernel.rest() {
                return holds(self.copy.is_settled(), "it is at rest and not settled");
            }
        }
        Err("it comes to no rest")
    }

    /// Does one thing.
    fn drive(&mut self) -> Result<(), Wrong> {
        let late = self.asked.is_some() && self.random.one_in(4);
        let answer = if late { self.asked.take() } else { None };
        match self.phase {
            Phase::Steady if self.copy.wants_dump() => {
                if self.keeps(Driving::CountsFirst) {
                    self.lost = self.kernel.lost();
                    self.copy.prepare(self.lost);
                }
                self.phase = Phase::ReadingOut;
            }
            Phase::ReadingOut => {
                if !self.keeps(Driving::ReadsOut) || !self.hear()? {
                    if !self.keeps(Driving::CountsFirst) {
                        (0..12).for_each(|_| self.kernel.step(&mut self.random));
                        self.lost = self.kernel.lost();
                        self.copy.prepare(self.lost);
                    }
                    self.copy.begin(Some(self.kernel.buckets)).unwrap();
                    self.phase = Phase::Begun;
                }
            }
            Phase::Begun => {
                self.shown.clear();
                self.ended.clear();
                self.kernel.start_dump(&mut self.random);
                self.phase = Phase::Dumping;
            }
            Phase::Dumping if self.random.one_in(2) => self.see()?,
            Phase::Steady | Phase::Dumping => {
                self.hear()?;
            }
        }
        self.answer(answer);
        self.follow()
    }

    /// Reads an event; false if there is none.
    fn hear(&mut self) -> Result<bool, Wrong> {
        let steady = self.phase == Phase::Steady;
        if steady && self.kernel.lost() != self.lost && self.keeps(Driving::TellsLosses) {
            let more = self.kernel.lost() - self.lost;
            self.lost = self.kernel.lost();
            self.copy.overrun(more);
        }
        let event = match self.kernel.read() {
            Read::Empty => return Ok(false),
            Read::Overrun => {
                if self.keeps(Driving::TellsLosses) {
                    self.copy.overrun(0);
                }
                return Ok(true);
            }
            Read::Event(event) => event,
        };
        let key = key_of(&event.ct);
        let was = self.found(key).map(|ct| ct.flat.id);
        let id = event.ct.flat.id;
        self.ended.extend((event.change == Change::Destroy).then_some(id));
        let asks = self.copy.event(event.change, event.by_request, event.ct).unwrap();
        let is = self.found(key).map(|ct| ct.flat.id);
        self.ended.extend(was.into_iter().chain(is).filter(|_| was.is_some() && is != was));
        if event.stray && self.copy.is_dumping() {
            holds(is == was, "an update of what has ended makes it live")?;
        }
        if event.change == Change::Update && was.is_none() && !self.copy.is_dumping() {
            let lives = self.kernel.living(key).is_some_and(|real| real.id == id);
            let hears = !lives || asks.is_some() || self.filter.is_some();
            holds(hears || self.kernel.hides(id), "nothing is asked of what is not known")?;
        }
        self.asked = asks.map(|_| self.kernel.get(key)).or(self.asked.take());
        if self.keeps(Driving::AsksAtOnce) {
            let answer = self.asked.take();
            self.answer(answer);
        }
        Ok(true)
    }

    fn answer(&mut self, answer: Option<Option<Conntrack>>) {
        if let Some(ct) = answer.flatten() {
            self.copy.got(ct).unwrap();
        }
    }

    fn see(&mut self) -> Result<(), Wrong> {
        match self.kernel.read_dump() {
            Ok(entry) => {
                let (key, id) = (key_of(&entry), entry.flat.id);
                let dying = entry.flat.status & ips::DYING != 0;
                self.copy.listed(entry).unwrap();
                let kept = self.found(key).is_some_and(|ct| ct.flat.id == id);
                self.shown.extend((kept && !dying).then_some(id));
            }
            Err(failed) => {
                let (lost, buckets) = (self.kernel.lost(), Some(self.kernel.buckets));
                let good = self.copy.end(&Ending { failed, lost, buckets }).unwrap();
                self.phase = Phase::Steady;
                if !self.keeps(Driving::SubscribesFirst) {
                    self.kernel.subscribe();
                }
                if good {
                    self.check_starts()?;
                }
            }
        }
        Ok(())
    }

    /// The flow of a tuple that is kept.
    fn found(&self, key: usize) -> Option<&Conntrack> {
        self.copy.flows_in(0..u64::MAX).map(|kept| kept.flow).find(|ct| key_of(ct) == key)
    }

    /// A flow that a dump has shown has what no event tells.
    fn check_starts(&self) -> Result<(), Wrong> {
        let sure = |real: &&Real| !real.again && !self.ended.contains(&real.id) && !real.dying;
        for real in self.kernel.table.iter().filter(sure) {
            let shown = self.shown.contains(&real.id);
            let kept = self.found(real.key).filter(|ct| shown && ct.flat.id == real.id);
            let whole = kept.is_none_or(|ct| ct.has(Attr::TimestampStart));
            holds(whole, "what no event tells is missing")?;
        }
        Ok(())
    }

    /// Follows the changes.
    fn follow(&mut self) -> Result<(), Wrong> {
        while let Some(change) = self.copy.next_change() {
            let objects = (change.before, change.after);
            let (enters, updates) = match change.happened {
                Happened::New => (true, false),
                Happened::Entered => (true, objects.0.is_some()),
                Happened::Updated | Happened::Left => (false, true),
                Happened::Destroyed => (false, false),
                _ => continue,
            };
            let Some(one) = objects.1.as_ref().or(objects.0.as_ref()) else {
                return Err("a change of nothing");
            };
            let told = &mut self.told[key_of(one)];
            holds(enters == told.is_none(), "a change that cannot be")?;
            if let (true, Some(before), Some(after)) = (updates, &objects.0, &objects.1) {
                let start = |ct: &Conntrack| ct.has(Attr::TimestampStart).then_some(ct.flat.start);
                let began = [before, after].map(start);
                let other = matches!(began, [Some(one), Some(other)] if one != other);
                let same = before.flat.id == after.flat.id && !other;
                holds(same, "a life that changes into another")?;
            }
            if let (Some(told), Some(before)) = (&told, &objects.0) {
                let ended = change.happened == Happened::Destroyed;
                holds(ended || same(told, before, VOLATILE), "it was not as it is told")?;
                holds(told.flat.id == before.flat.id, "it was another")?;
            }
            let gone = matches!(change.happened, Happened::Left | Happened::Destroyed);
            *told = objects.1.filter(|_| !gone);
        }
        Ok(())
    }

    fn compare(&self, but: Presence, silent: bool) -> Result<(), Wrong> {
        let silent = |real: &Real| silent && real.silent;
        let selects = |ct: &Conntrack| match &self.filter {
            Some(filter) => filter.truth(ct, None).is_true(),
            None => true,
        };
        for real in &self.kernel.table {
            let (entry, kept) = (real.entry(), self.found(real.key));
            let by_filter = self.filter.is_some() && !selects(&entry);
            if silent(real) || by_filter && kept.is_none() {
                continue;
            }
            let Some(kept) = kept else { return Err("a flow is missing") };
            holds(same(kept, &entry, but), "a flow is not as it is")?;
            if kept.has(Attr::TimestampStart) && !self.kernel.nature.silent {
                holds(kept.flat.start == real.start, "a flow has the start of another life")?;
            }
        }
        let mut kept = self.copy.flows_in(0..u64::MAX).collect::<Vec<_>>();
        kept.sort_by_key(|kept| key_of(kept.flow));
        for one in &kept {
            let real = self.kernel.living(key_of(one.flow));
            let unheard = real.is_none_or(silent) && self.kernel.nature.silent;
            holds(real.is_some() || unheard && but == VOLATILE, "a flow is there that is not")?;
            holds(one.selected == selects(one.flow), "what is selected is not")?;
            let told = self.told[key_of(one.flow)].as_ref();
            let right = told.is_some_and(|told| same(told, one.flow, VOLATILE));
            holds(if one.selected { right } else { told.is_none() }, "the changes tell otherwise")?;
            self.check_lookups(one.flow)?;
        }
        let told = self.told.iter().flatten().count();
        holds(told == kept.iter().filter(|one| one.selected).count(), "more is told than kept")?;
        holds(kept.len() == self.copy.counts().flows, "the count is wrong")
    }

    fn check_lookups(&self, ct: &Conntrack) -> Result<(), Wrong> {
        for direction in [Direction::Original, Direction::Reply] {
            let key = crate::conntrack::key::Key::of(ct, direction).unwrap();
            let found = self.copy.find(&key).map(|kept| kept.flow.flat.id);
            // Of the reply tuple there may be several.
            let several = direction == Direction::Reply && found.is_some();
            holds(several || found == Some(ct.flat.id), "a flow is not found by its tuple")?;
            let mut names = [None; AT_ONCE];
            names[AT_ONCE / 2] = Name::of(ct, direction);
            let all = self.copy.find_all(&names).map(|kept| kept.map(|kept| kept.flow.flat.id));
            let right = |(at, id)| id == if at == AT_ONCE / 2 { found } else { None };
            holds(all.into_iter().enumerate().all(right), "nor among others")?;
        }
        let found = self.copy.find_id(ct.flat.id);
        holds(found.is_some_and(|kept| kept.flow.flat.id == ct.flat.id), "nor by its id")
    }
}
