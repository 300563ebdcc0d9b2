//! Compares ctrs with the libraries that it takes the place of, call by call.
//!
//! Both get the same random sequences of calls, each in a process of its own; return
//! values, `errno`, attributes, texts, messages and verdicts must agree, but for the differences
//! that `docs/differences.md` lists.
//!
//! ```text
//! differential [NAME...]     compares; CTRS_DIFF_CALLS and CTRS_DIFF_SEED say how much and what
//! differential --self-test [NAME...]   compares the references with broken copies of themselves
//! ```
//!
//! Names are those of libraries, as `libnetfilter_log`; without one it compares all. `CTRS_DIFF_REFERENCE`
//! names another reference than the system's, or the folder of all, and `CTRS_DIFF_LIBRARY` another
//! libctrs.so than the one that `make` built. `CTRS_DIFF_WORKER` is the command that loads them, where they
//! are of another processor than this program.

#[path = "../differential/mod.rs"]
mod differential;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use capi_tests::libraries::{LIBRARIES, Library};
use differential::parent::{Pair, Tally, compare, survive};
use differential::{COMPARISONS, Comparison, differences, report, selftest, worker};

/// Sequences that may disagree before the comparison gives up.
const MOST_FAILURES: u64 = 40;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (passed, failed) = match words[..] {
        ["worker", name, ..] => {
            let comparison = named(name);
            (comparison.worker)(&plan(comparison.library, &args[2..]));
            return ExitCode::SUCCESS;
        }
        ["--self-test", ref names @ ..] => each(names, selftest::run),
        ref names => each(names, run),
    };
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn named(name: &str) -> &'static Comparison {
    let found = COMPARISONS.iter().find(|comparison| comparison.library.name == name);
    found.unwrap_or_else(|| panic!("no library that is compared: {name}"))
}

/// Does this with the libraries of these names, or with all; what passed and failed of it.
fn each(
    names: &[&str],
    what: fn(&'static Comparison, &str, u64, u64) -> (usize, usize),
) -> (usize, usize) {
    let (calls, seed) = (setting("CTRS_DIFF_CALLS", 200_000), setting("CTRS_DIFF_SEED", 42));
    let chosen: Vec<_> = match names {
        [] => COMPARISONS.iter().collect(),
        names => names.iter().map(|name| named(name)).collect(),
    };
    let mut sum = (0, 0);
    if names.is_empty() {
        sum.1 += LIBRARIES.iter().filter(|library| is_missing(library)).count();
    }
    for comparison in chosen {
        let (passed, failed) = match reference(comparison.library) {
            Some(reference) => what(comparison, &reference, seed, calls),
            None => {
                println!("{} is not installed", comparison.library.soname);
                (0, 1)
            }
        };
        sum = (sum.0 + passed, sum.1 + failed);
    }
    sum
}

/// Whether a library that has all its functions is not compared.
fn is_missing(library: &Library) -> bool {
    let compared = COMPARISONS.iter().any(|comparison| comparison.library.name == library.name);
    let missing = !compared && !library.unfinished;
    if missing {
        println!("{} is not compared", library.name);
    }
    missing
}

fn run(comparison: &'static Comparison, reference: &str, seed: u64, calls: u64) -> (usize, usize) {
    let undocumented = differences::undocumented(comparison.differences);
    if !undocumented.is_empty() {
        println!("docs/differences.md lacks {undocumented:?}");
        return (0, 1);
    }
    let (library, subject) = (comparison.library, subject().display().to_string());
    println!("reference {reference}\nctrs      {subject}");
    let pair =
        Pair { library, reference: reference.to_owned(), subject, shim: false, mend: true, seed };
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
fn reference(library: &Library) -> Option<String> {
    if let Ok(path) = std::env::var("CTRS_DIFF_REFERENCE") {
        let path = Path::new(&path);
        let file = if path.is_dir() { path.join(library.soname) } else { path.to_owned() };
        return file.exists().then(|| file.display().to_string());
    }
    let machine = std::env::consts::ARCH;
    let directories =
        [format!("/usr/lib/{machine}-linux-gnu"), "/usr/lib64".into(), "/usr/lib".into()];
    let paths = directories.map(|directory| format!("{directory}/{}", library.soname));
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
fn plan(library: &'static Library, args: &[String]) -> worker::Plan {
    let number = |at: usize| args[at].parse().expect("a number");
    let has = |word: &str| args[5..].iter().any(|arg| arg == word);
    worker::Plan {
        library,
        path: args[0].clone(),
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
