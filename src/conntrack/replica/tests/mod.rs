//! The copy and a kernel, without a kernel: many short runs of what may happen, each compared in its end.
//! Whoever breaks a rule is found out.
#![forbid(unsafe_code)]

mod kernel;
mod messages;
mod random;
mod run;

use super::rules::Rule;
use super::{Ending, Happened, Replica};
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::wire::Change;
use run::{Broken, Driving, Run, Wrong};
use std::ops::Range;

/// The first of these runs that is wrong.
fn first_wrong(seeds: Range<u64>, broken: Broken) -> Option<(u64, Wrong)> {
    seeds.into_iter().find_map(|seed| Run::new(seed, broken).run().err().map(|wrong| (seed, wrong)))
}

/// `CTRS_MIRROR_RUNS` says how many runs there are, if not as many as the tests of a check.
#[test]
fn it_is_what_the_kernel_has() {
    let asked = std::env::var("CTRS_MIRROR_RUNS").ok().and_then(|runs| runs.parse().ok());
    let runs: u64 = asked.unwrap_or(if cfg!(miri) { 3 } else { 5_000 });
    std::thread::scope(|scope| {
        for half in [0..runs / 2, runs / 2..runs] {
            scope.spawn(|| assert_eq!(first_wrong(half, Broken::default()), None));
        }
    });
}

/// Runs that show what breaking any rule does.
const SEEDS: u64 = 1_000;

/// Where such begin of rules that few runs need.
fn begin(rule: Rule) -> u64 {
    match rule {
        Rule::NewTouches => 2_000,
        Rule::DeadForGood => 4_000,
        Rule::OtherIgnored => 5_000,
        Rule::EndTwice => 18_000,
        _ => 0,
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes hours")]
fn each_rule_is_needed() {
    let rule = |rule: &Rule| (begin(*rule), Broken { rule: Some(*rule), driving: None });
    let driving = |it: &Driving| (0, Broken { rule: None, driving: Some(*it) });
    let all = Rule::ALL.iter().map(rule).chain(Driving::ALL.iter().map(driving));
    for (first, broken) in all {
        assert!(first_wrong(first..first + SEEDS, broken).is_some(), "{broken:?}");
    }
}

#[test]
fn a_loss_is_told_in_its_place() {
    let mut copy = Replica::new(None);
    let begins = |copy: &mut Replica, port| {
        let mut ct = Conntrack::new();
        (ct.flat.orig.l4src, ct.flat.id) = ([0, port], port.into());
        assert!(copy.event(Change::New, false, ct).unwrap().is_none());
    };
    copy.begin(None).unwrap();
    copy.end(&Ending::default()).unwrap();
    begins(&mut copy, 1);
    copy.overrun(3);
    copy.overrun(2);
    begins(&mut copy, 2);
    copy.overrun(0);
    assert!(copy.wants_dump() && !copy.is_settled());
    copy.begin(None).unwrap();
    copy.overrun(7);
    let told: Vec<_> = std::iter::from_fn(|| copy.next_change().map(|it| it.happened)).collect();
    let began = [Happened::Resyncing, Happened::Settled, Happened::New];
    let lost = [Happened::Overrun(5), Happened::New, Happened::Overrun(0), Happened::Resyncing];
    assert_eq!(told, [&began[..], &lost, &[Happened::Overrun(7)]].concat());
    assert!(!copy.has_changes());
    assert_eq!((copy.counts().lost, copy.counts().overruns), (12, 4));
}
