//! The proof that mirrors are exact, with the kernel: flows of all kinds come, change and go as fast as one
//! core makes them, while mirrors follow, some with so little room that most events are lost. Every second
//! or so it stops, and each mirror, and what its changes have told, is compared with the table: no flow is
//! missing, none is there that is not, every attribute is equal.
//!
//! It does nothing that nobody can follow by events: all flows begin while somebody listens and report;
//! no update is one that the kernel may refuse half way; all happens on one processor, so that no two
//! events of a flow are swapped; no packet is dropped. Not compared is what changes without an event: the
//! timeout, uses, counters, times, flags of TCP.

pub mod compare;
pub mod follower;
pub mod generator;
pub mod million;
pub mod population;
pub mod random;
pub mod traffic;

use compare::{Before, Verdict, compare};
use follower::{Follower, Manner, Paused, Told};
use generator::{Generator, Pace};
use random::Random;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use traffic::Traffic;

/// Flows that there may be.
const FLOWS: u32 = 24_000;

/// Held while nobody may resize the kernel's hash table, which spoils the lists that are compared.
pub static AT_REST: Mutex<()> = Mutex::new(());

/// What happened in a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Of the generator.
    pub requests: u64,
    pub sent: u64,
    pub refused: u64,
    /// Of all mirrors.
    pub events: u64,
    pub overruns: u64,
    pub lost: u64,
    pub dumps: u64,
    pub changes: u64,
    /// Comparisons of a mirror, and those before which it read no list once all was quiet.
    pub comparisons: u64,
    pub unaided: u64,
    /// Flows compared.
    pub judged: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, sent, refused, events, overruns, lost, dumps, .. } = self;
        let Self { changes, comparisons, unaided, judged, .. } = self;
        write!(
            f,
            "{requests} requests, {refused} refused, {sent} sent, {events} events, {overruns} overruns, \
             {lost} lost, {dumps} dumps, {changes} changes, {comparisons} comparisons, {unaided} of them \
             without a list after the last event, of {judged} flows"
        )
    }
}

/// Writes a sysctl of this thread's namespace.
pub fn set_sysctl(name: &str, value: u32) {
    let path = format!("/proc/sys/net/netfilter/nf_conntrack_{name}");
    std::fs::write(&path, value.to_string()).unwrap_or_else(|error| panic!("{path}: {error}"));
}

/// What the kernel has counted as lost, of each socket of this thread's namespace that listens as mirrors
/// do.
pub fn lost_by_kernel() -> Vec<u64> {
    let table = std::fs::read_to_string("/proc/thread-self/net/netlink").expect("netlink");
    let words = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mirrors = words.filter(|words| words[1] == "12" && words[3] == "00000007");
    let mut lost: Vec<_> = mirrors.map(|words| words[8].parse().expect("a number")).collect();
    lost.sort_unstable();
    lost
}

/// Has a namespace be one where all that events tell happens, and soon.
pub fn prepare(random: &mut Random) {
    traffic::prepare();
    set_sysctl("acct", 1);
    set_sysctl("timestamp", random.below(2));
    set_sysctl("events", 1 + random.below(2));
    for name in ["udp_timeout", "udp_timeout_stream", "tcp_timeout_close", "tcp_timeout_time_wait"]
    {
        set_sysctl(name, 2 + random.below(3));
    }
}

/// The mirrors of a run: one that loses most of what happens in a hurry, one that learns, and one that loses
/// nothing and compares all from time to time.
fn manners(random: &mut Random) -> [Manner; 3] {
    let tiny = 6_000 + random.below(60_000) as usize;
    let of = |buffer, limit, verifies| Manner { buffer, limit, verifies, followed: true };
    let interval = Duration::from_millis(300 + u64::from(random.below(700)));
    [of(tiny, tiny, None), of(20_000, 2 << 20, None), of(32 << 20, 32 << 20, Some(interval))]
}

/// Runs in the namespace of this thread, which is this run's own.
///
/// # Panics
/// Where a mirror is not what the table is.
pub fn run(seed: u64, time: Duration) -> Report {
    let mut random = Random::new(seed);
    prepare(&mut random);
    let manners = manners(&mut random);
    let mirrors = manners.map(|manner| manner.open());
    let traffic = Some(Traffic::new());
    let mut generator = Generator::new(FLOWS, true, traffic, random.clone());
    let mut report = Report::default();
    std::thread::scope(|scope| {
        let followers: Vec<_> = mirrors
            .into_iter()
            .zip(manners)
            .map(|(mirror, manner)| Follower::start(scope, mirror, manner))
            .collect();
        let end = Instant::now() + time;
        while Instant::now() < end {
            churn(&mut generator, &mut random);
            examine(seed, &generator, &followers, &mut report, false);
        }
        examine(seed, &generator, &followers, &mut report, true);
        report.add(followers.into_iter().map(Follower::end));
    });
    let tally = generator.tally;
    (report.requests, report.sent, report.refused) = (tally.requests(), tally.sent, tally.refused);
    report
}

/// Fast, and slow enough then for mirrors to list the table while flows come and go.
fn churn(generator: &mut Generator, random: &mut Random) {
    let mut time = |least: u32, most| Duration::from_millis((least + random.below(most)).into());
    let [fast, slow] = [time(300, 1700), time(200, 800)];
    generator.go_on(fast, Pace::Full);
    generator.go_on(slow, Pace::Gentle(1 + random.below(24) as usize));
}

/// Has all come to rest, and compares. At the end until nothing expires meanwhile.
fn examine(
    seed: u64,
    generator: &Generator,
    followers: &[Follower<'_>],
    report: &mut Report,
    last: bool,
) {
    let begin = Instant::now();
    loop {
        let _still = AT_REST.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = examine_once(generator, followers, report);
        let few: Vec<_> = verdict.wrong.iter().take(8).collect();
        assert!(few.is_empty(), "seed {seed}: {} wrong: {few:#?}", verdict.wrong.len());
        if !last || verdict.moved == 0 {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "seed {seed}: no rest: {verdict:?}");
    }
}

fn examine_once(generator: &Generator, followers: &[Follower<'_>], report: &mut Report) -> Verdict {
    let before = Before::of(generator.table());
    let paused: Vec<_> = followers.iter().map(Follower::pause).collect();
    let lost = lost_by_kernel();
    let mut noticed: Vec<_> = paused.iter().map(|paused| paused.rest.info.lost).collect();
    noticed.sort_unstable();
    let readers: Vec<_> = followers.iter().map(|follower| follower.reader.clone()).collect();
    let mut verdict = compare(&before, generator.table(), &readers);
    // What expires meanwhile may be lost by mirrors that read nothing now.
    if verdict.moved == 0 && noticed != lost {
        verdict.wrong.push(format!("noticed {noticed:?} lost, the kernel has lost {lost:?}"));
    }
    paused.into_iter().for_each(|paused| report.note(paused, &mut verdict));
    report.judged += verdict.judged as u64;
    verdict
}

impl Report {
    fn note(&mut self, paused: Paused, verdict: &mut Verdict) {
        let rest = &paused.rest;
        self.comparisons += 1;
        self.unaided += u64::from(rest.dumps == rest.info.dumps);
        verdict.wrong.extend(rest.wrong.iter().cloned());
    }

    fn add(&mut self, told: impl Iterator<Item = (ctrs::MirrorInfo, Told)>) {
        for (info, told) in told {
            self.events += info.events;
            self.overruns += info.overruns;
            self.lost += info.lost;
            self.dumps += info.dumps;
            self.changes += told.changes;
        }
    }
}
