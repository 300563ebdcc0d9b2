//! A million flows, mirrored while they come, change and go as fast as a core makes them: every loss is
//! noticed, no more lists are read than losses take, what is kept is exact in the end, and takes no more
//! memory than is said.

use super::compare::{Before, compare};
use super::follower::{Follower, Manner};
use super::generator::{Generator, Pace};
use super::random::Random;
use super::{lost_by_kernel, set_sysctl};
use ctrs::{Happened, Mirror};
use std::fmt;
use std::time::{Duration, Instant};

const FLOWS: u64 = 1_000_000;
/// Of so many that may be there as many are, once it has gone on for a while.
const UNIVERSE: u32 = 1_400_000;
/// Bytes of memory for each.
const MOST: u64 = 600;

/// What happened.
#[derive(Debug, Default)]
pub struct Report {
    flows: [u64; 2],
    /// Bytes of memory a flow: once settled, and in the end.
    bytes: [u64; 2],
    requests: u64,
    events: u64,
    overruns: u64,
    lost: u64,
    dumps: u64,
    time: Duration,
    /// How long the first list took, and how long it was not settled afterwards.
    first: Duration,
    unsettled: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flows, bytes, requests, events, overruns, lost, dumps, .. } = self;
        let rate = |number: u64| number as f64 / self.time.as_secs_f64() / 1000.0;
        let [first, unsettled] = [self.first, self.unsettled].map(|time| time.as_secs_f64());
        write!(
            f,
            "exact: {flows:?} flows, {bytes:?} bytes each, {:.0} s with {requests} requests \
             ({:.0} thousand/s) and {events} events ({:.0} thousand/s), {overruns} overruns, \
             {lost} lost, {dumps} dumps, first {first:.1} s, then unsettled for {unsettled:.1} s",
            self.time.as_secs_f64(),
            rate(*requests),
            rate(*events),
        )
    }
}

/// Memory of this process that is there, in bytes.
fn resident() -> u64 {
    let sizes = std::fs::read_to_string("/proc/self/statm").expect("proc");
    let pages = sizes.split_whitespace().nth(1).expect("pages");
    pages.parse::<u64>().expect("a number") * 4096
}

/// A mirror with these flows, and how long it took.
fn settled(manner: Manner) -> (Mirror, Duration) {
    let begin = Instant::now();
    let mut mirror = manner.open();
    while mirror.next_change().expect("a change").happened != Happened::Settled {}
    (mirror, begin.elapsed())
}

/// Runs in the namespace of this thread, which is this run's own, with a receive buffer of so many bytes.
///
/// # Panics
/// Where anything does not hold.
pub fn run(seed: u64, time: Duration, buffer: usize) -> Report {
    super::traffic::prepare();
    set_sysctl("events", 1);
    let mut generator = Generator::new(UNIVERSE, false, None, Random::new(seed));
    generator.fill(FLOWS as u32 + FLOWS as u32 / 50);
    let before = resident();
    let manner = Manner { buffer, limit: buffer, verifies: None, followed: false };
    let (mirror, first) = settled(manner);
    let flows = mirror.info().flows;
    let each = |flows: u64| resident().saturating_sub(before) / flows;
    let mut report = Report { first, time, ..Report::default() };
    (report.flows[0], report.bytes[0]) = (flows, each(flows));
    let made = generator.tally.requests();
    std::thread::scope(|scope| {
        let follower = Follower::start(scope, mirror, manner);
        generator.go_on(time, Pace::Full);
        let paused = follower.pause();
        let info = paused.rest.info;
        (report.flows[1], report.bytes[1]) = (info.flows, each(info.flows));
        assert_eq!(lost_by_kernel(), [info.lost], "losses that were not noticed");
        let known = Before::of(generator.table());
        let verdict = compare(&known, generator.table(), std::slice::from_ref(&follower.reader));
        let few: Vec<_> = verdict.wrong.iter().take(8).collect();
        assert!(few.is_empty() && verdict.moved == 0, "{} wrong: {few:#?}", verdict.wrong.len());
        drop(paused);
        report.unsettled = follower.end().1.unsettled;
        (report.events, report.overruns, report.lost) = (info.events, info.overruns, info.lost);
        report.dumps = info.dumps;
    });
    report.requests = generator.tally.requests() - made;
    report.check();
    assert!(buffer > 1 << 16 || report.overruns > 0, "it has lost nothing: {report}");
    report
}

impl Report {
    fn check(&self) {
        assert!(self.flows.iter().all(|flows| *flows >= FLOWS * 95 / 100), "too few: {self}");
        assert!(self.dumps <= 1 + self.overruns, "more lists than losses: {self}");
        assert!(self.bytes[0] <= MOST, "too much memory: {self}");
    }
}
