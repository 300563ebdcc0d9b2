//! Compares ctrs with Debian's libnetfilter_conntrack, call by call.
//!
//! Both libraries get the same random sequences of calls, each in a process of its own; return
//! values, `errno`, attributes, texts, messages and verdicts must agree, but for the differences
//! that `docs/differences.md` lists.
//!
//! ```text
//! differential               compares; CTRS_DIFF_CALLS and CTRS_DIFF_SEED say how much and what
//! differential --self-test   compares the reference with broken copies of itself
//! ```
//!
//! `CTRS_DIFF_REFERENCE` and `CTRS_DIFF_LIBRARY` name other libraries than the system's and the one
//! that `make` built.

#[path = "../differential/mod.rs"]
mod differential;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use differential::parent::{Pair, Tally, compare, survive};
use differential::{differences, report, selftest, worker};

/// Sequences that may disagree before the comparison gives up.
const MOST_FAILURES: u64 = 40;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == "worker") {
        worker::run(&plan(&args[1..]));
        return ExitCode::SUCCESS;
    }
    let Some(reference) = reference() else {
        println!("libnetfilter_conntrack.so.3 is not installed");
        return ExitCode::FAILURE;
    };
    let (calls, seed) = (setting("CTRS_DIFF_CALLS", 200_000), setting("CTRS_DIFF_SEED", 42));
    let (passed, failed) = match args.first().map(String::as_str) {
        None => run(reference, calls, seed),
        Some("--self-test") => selftest::run(&reference, seed, calls),
        Some(other) => panic!("unknown argument {other}"),
    };
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(reference: String, calls: u64, seed: u64) -> (usize, usize) {
    let undocumented = differences::undocumented();
    if !undocumented.is_empty() {
        println!("docs/differences.md lacks {undocumented:?}");
        return (0, 1);
    }
    let subject = subject().display().to_string();
    println!("reference {reference}\nctrs      {subject}");
    let pair = Pair { reference, subject, shim: false, mend: true, seed };
    let tally = compare(&pair, calls, setting("CTRS_DIFF_FAILURES", MOST_FAILURES) as usize);
    report::failures(&pair, &tally);
    let survived = survive(&pair, calls / 4);
    match &survived {
        Ok(made) => println!("{made} calls over broken messages survived (seed {seed})"),
        Err(how) => println!("broken messages ended the process: {how}"),
    }
    println!("{}", summary(&tally, seed));
    let failed = tally.failures.len() + usize::from(survived.is_err());
    (tally.sequences as usize + usize::from(survived.is_ok()), failed)
}

fn summary(tally: &Tally, seed: u64) -> String {
    let met: Vec<String> = tally.met.iter().map(|(id, times)| format!("{id} {times}")).collect();
    let met = if met.is_empty() { "none".to_string() } else { met.join(", ") };
    format!(
        "{} calls in {} sequences agreed (seed {seed}); intended differences met: {met}",
        tally.calls, tally.sequences
    )
}

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => default,
    }
}

/// The reference as it is installed.
fn reference() -> Option<String> {
    if let Ok(path) = std::env::var("CTRS_DIFF_REFERENCE") {
        return Some(path);
    }
    let machine = std::env::consts::ARCH;
    let directories =
        [format!("/usr/lib/{machine}-linux-gnu"), "/usr/lib64".into(), "/usr/lib".into()];
    let paths = directories.map(|directory| format!("{directory}/libnetfilter_conntrack.so.3"));
    paths.into_iter().find(|path| Path::new(path).exists())
}

/// The shared library of ctrs that `make` built, beside this program.
fn subject() -> PathBuf {
    if let Ok(path) = std::env::var("CTRS_DIFF_LIBRARY") {
        return path.into();
    }
    let exe = std::env::current_exe().expect("the path of this program");
    let directory = exe.parent().expect("a directory");
    let library = directory.join("libctrs.so");
    assert!(library.exists(), "no {}: run make", library.display());
    library
}

/// The arguments of a worker, as the parent gives them.
fn plan(args: &[String]) -> worker::Plan {
    let number = |at: usize| args[at].parse().expect("a number");
    let has = |word: &str| args[5..].iter().any(|arg| arg == word);
    worker::Plan {
        library: args[0].clone(),
        seed: number(1),
        first: number(2),
        count: number(3),
        skip: args[4].split(',').filter_map(|step| step.parse().ok()).collect(),
        mend: has("mend"),
        shim: has("shim"),
        wild: has("wild"),
        careful: has("careful"),
    }
}
