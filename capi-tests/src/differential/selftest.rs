//! Proof that the comparison can fail: libraries that are the reference but for one function.

use std::path::Path;
use std::process::Command;

use super::Comparison;
use super::parent::{Pair, compare, run_again};

/// A library to be noticed.
pub struct Broken {
    /// What is wrong with it.
    pub name: &'static str,
    /// What the record of the disagreement must contain, one of what `|` separates: the reference uses
    /// its own functions, so that another one may show it first.
    pub shows: &'static str,
    /// The function; `REAL(name)` declares `real`, the right one.
    pub source: &'static str,
}

/// What filters are seen by, where the kernel hands out their programs.
pub const VERDICTS: &str = "verdicts";

const PROLOGUE: &str = "#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#define REAL(name) __typeof__(name) *real = dlsym(RTLD_NEXT, #name)
";

/// Compares the reference with itself, which must agree, and with the broken ones, which must not.
/// Returns how many of these tests passed and failed.
#[must_use]
pub fn run(
    comparison: &'static Comparison,
    reference: &str,
    seed: u64,
    calls: u64,
) -> (usize, usize) {
    let reference_path = reference.to_string();
    let pair = |subject: String| Pair {
        library: comparison.library,
        reference: reference_path.clone(),
        subject,
        shim: true,
        mend: true,
        seed,
    };
    let tally = compare(&pair(reference.to_string()), calls, 1);
    for failure in &tally.failures {
        println!("reference: {}\nitself:    {}", failure.reference, failure.subject);
    }
    let same = format!("the reference agrees with itself in {} calls", tally.calls);
    let mut passed = usize::from(check(&same, tally.failures.is_empty()));
    let emulated = super::is_emulated();
    let (left_out, noticeable): (Vec<_>, Vec<_>) =
        comparison.broken.iter().partition(|broken| emulated && broken.shows == VERDICTS);
    left_out.iter().for_each(|broken| println!("not run under qemu: a broken {}", broken.name));
    for (number, broken) in noticeable.iter().enumerate() {
        let library = compile(reference, number, broken.source);
        let noticed = is_noticed(&pair(library.display().to_string()), calls, broken.shows);
        passed += usize::from(check(&format!("a broken {} is noticed", broken.name), noticed));
        let _ = std::fs::remove_file(library);
    }
    (passed, noticeable.len() + 1 - passed)
}

/// Whether the libraries disagree, and about what they should.
fn is_noticed(pair: &Pair, calls: u64, shows: &str) -> bool {
    let tally = compare(pair, calls, 1);
    let again = |sequence| run_again(pair, sequence, &[]);
    let failure = tally.failures.first().and_then(|failure| again(failure.sequence));
    failure.is_some_and(|failure| {
        let noticed =
            failure.step > 0 && shows.split('|').any(|part| failure.subject.contains(part));
        if !noticed {
            println!("reference: {}\nbroken:    {}", failure.reference, failure.subject);
        }
        noticed
    })
}

fn check(what: &str, holds: bool) -> bool {
    println!("{} {what}", if holds { "ok  " } else { "FAIL" });
    holds
}

/// Compiles a library that has one function and depends on the reference for the rest.
fn compile(reference: &str, number: usize, source: &str) -> std::path::PathBuf {
    let stem = std::env::temp_dir().join(format!("ctrs-broken-{number}-{}", std::process::id()));
    let (file, library) = (stem.with_extension("c"), stem.with_extension("so"));
    let source = format!("{PROLOGUE}{source}\n");
    std::fs::write(&file, source).expect("a source file");
    let status = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()))
        .args(["-shared", "-fPIC", "-w", "-o"])
        .args([library.as_path(), file.as_path(), Path::new("-Wl,--no-as-needed")])
        .args([reference, "-ldl"])
        .status()
        .expect("a C compiler");
    let _ = std::fs::remove_file(file);
    assert!(status.success(), "the broken library does not compile");
    library
}
