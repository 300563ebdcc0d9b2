//! The copy and a kernel, without a kernel: many short runs of what may happen, each compared in its end.
//! Whoever breaks a rule is found out.
#![forbid(unsafe_code)]

mod kernel;
mod messages;
mod random;
mod run;

use super::rules::Rule;
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
