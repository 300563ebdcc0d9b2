//! Disagreements, made as short as they go, for a person to read.

use std::collections::BTreeMap;

use super::parent::{Failure, Pair, Tally, run_again};

/// How often a sequence is run again to shorten it.
const ATTEMPTS: usize = 80;

/// Prints the disagreements by the call they are about, each kind once in full.
pub fn failures(pair: &Pair, tally: &Tally) {
    let mut kinds: BTreeMap<&str, Vec<&Failure>> = BTreeMap::new();
    for failure in &tally.failures {
        kinds.entry(failure.kind()).or_default().push(failure);
    }
    for (kind, failures) in kinds {
        println!("--- {kind}: {} sequences disagree", failures.len());
        let sequences: Vec<u64> = failures.iter().map(|failure| failure.sequence).collect();
        println!("seed {}, sequences {sequences:?}", pair.seed);
        let short = failures.iter().take(3).map(|failure| shorten(pair, failure));
        print(&short.min_by_key(|failure| failure.history.len()).expect("at least one"));
    }
}

fn print(failure: &Failure) {
    println!("sequence {}, step {}:", failure.sequence, failure.step);
    for call in &failure.history {
        println!("    {}", cut(call));
    }
    println!("  reference: {}", failure.reference);
    println!("  ctrs:      {}", failure.subject);
}

/// Long results of calls that agreed say little.
fn cut(call: &str) -> String {
    match call.char_indices().nth(600) {
        Some((at, _)) => format!("{}...", &call[..at]),
        None => call.to_string(),
    }
}

/// Leaves steps out as long as the same call disagrees.
fn shorten(pair: &Pair, failure: &Failure) -> Failure {
    let mut best = match run_again(pair, failure.sequence, &[]) {
        Some(again) if again.kind() == failure.kind() => again,
        _ => return failure.clone(), // happens only in company of other sequences
    };
    let mut skip = Vec::new();
    for step in (1..best.step).rev().take(ATTEMPTS) {
        skip.push(step);
        match run_again(pair, failure.sequence, &skip) {
            Some(shorter) if shorter.kind() == best.kind() => best = shorter,
            _ => drop(skip.pop()),
        }
    }
    best
}
