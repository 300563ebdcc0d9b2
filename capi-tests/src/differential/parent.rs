//! The comparison: reads the transcripts of both workers and stops at the first difference of
//! every sequence.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use capi_tests::libraries::Library;

use super::differences;

/// Two libraries and the seed of the calls that both get.
#[derive(Clone)]
pub struct Pair {
    /// What both are.
    pub library: &'static Library,
    /// Path of the reference.
    pub reference: String,
    /// Path of the library that is compared with it.
    pub subject: String,
    /// Whether the subject stands on the reference.
    pub shim: bool,
    /// Whether intended differences apply.
    pub mend: bool,
    /// The seed.
    pub seed: u64,
}

/// What the comparison found.
#[derive(Default)]
pub struct Tally {
    /// Calls that agreed.
    pub calls: u64,
    /// Sequences that agreed.
    pub sequences: u64,
    /// How often each intended difference was met.
    pub met: BTreeMap<String, u64>,
    /// The first disagreement of each of the other sequences.
    pub failures: Vec<Failure>,
}

/// Where two transcripts part.
#[derive(Clone)]
pub struct Failure {
    /// The sequence.
    pub sequence: u64,
    /// The step in it.
    pub step: usize,
    /// The calls of the sequence up to here, with what the reference returned.
    pub history: Vec<String>,
    /// The reference's side.
    pub reference: String,
    /// The other side.
    pub subject: String,
}

impl Failure {
    /// The name of the call, to tell one cause from another.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.reference.split(['(', '\t']).next().unwrap_or_default()
    }
}

/// A line of a transcript.
#[derive(Debug)]
enum Line {
    Start,
    Call {
        step: usize,
        call: String,
        result: String,
        mended: Option<(String, String)>,
    },
    Met(String),
    End {
        calls: u64,
    },
    /// The worker is gone; the last call it made, if it said so.
    Gone(String),
}

/// A worker and its transcript.
struct Side {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// Some sequences of a pair, and how to run them.
pub struct Portion {
    /// The first sequence.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// Steps to leave out.
    pub skip: Vec<usize>,
    /// Whether calls are written before they are made.
    pub careful: bool,
}

impl Side {
    fn start(pair: &Pair, reference: bool, portion: &Portion) -> Self {
        let library = if reference { &pair.reference } else { &pair.subject };
        let mend = pair.mend && (reference || pair.shim);
        let shim = pair.shim && !reference;
        let words = [(mend, "mend"), (shim, "shim"), (portion.careful, "careful")];
        let said = words.iter().filter_map(|(on, word)| on.then_some(*word));
        Self::spawn(pair.library, library, pair.seed, portion, said)
    }

    /// Starts a worker, told how by some words.
    fn spawn<'a>(
        of: &Library,
        library: &str,
        seed: u64,
        portion: &Portion,
        words: impl Iterator<Item = &'a str>,
    ) -> Self {
        let skip: Vec<String> = portion.skip.iter().map(ToString::to_string).collect();
        let mut child = program()
            .args(["worker", of.name, library])
            .args([seed, portion.first, portion.count].map(|number| number.to_string()))
            .arg(skip.join(","))
            .args(words)
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .expect("a worker");
        let lines = BufReader::new(child.stdout.take().expect("the worker's output"));
        Self { child, lines }
    }

    fn next(&mut self) -> Line {
        let mut bytes = Vec::new();
        self.lines.read_until(b'\n', &mut bytes).expect("the worker's output");
        let text = String::from_utf8_lossy(&bytes);
        match text.strip_suffix('\n') {
            Some(line) => parse(line),
            None => {
                let status = self.child.wait().expect("the worker's status");
                Line::Gone(format!(
                    "{} [the worker ended: {status}]",
                    text.trim_start_matches("C ")
                ))
            }
        }
    }

    /// The next line that is not about the state of the reference, which is counted.
    fn next_call(&mut self, met: &mut BTreeMap<String, u64>) -> Line {
        loop {
            match self.next() {
                Line::Met(id) => *met.entry(id).or_default() += 1,
                line => return line,
            }
        }
    }

    /// Reads on to the end of the sequence; false if the worker is gone.
    fn drain(&mut self) -> bool {
        loop {
            match self.next() {
                Line::End { .. } => return true,
                Line::Gone(_) => return false,
                _ => {}
            }
        }
    }
}

/// What runs as a worker: this program, or one of another processor and what runs it.
fn program() -> Command {
    let said = std::env::var("CTRS_DIFF_WORKER").unwrap_or_default();
    let mut words = said.split_whitespace();
    let Some(first) = words.next() else {
        return Command::new(std::env::current_exe().expect("the path of this program"));
    };
    let mut command = Command::new(first);
    command.args(words);
    command
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn parse(line: &str) -> Line {
    let (kind, rest) = line.split_once(' ').expect("a line of a transcript");
    match kind {
        "S" => Line::Start,
        "M" => Line::Met(rest.to_string()),
        "E" => {
            let calls = rest.split(' ').nth(1).and_then(|calls| calls.parse().ok());
            Line::End { calls: calls.expect("a number of calls") }
        }
        _ => {
            let mut fields = rest.split('\t').map(ToString::to_string);
            let mut field = || fields.next();
            let step = field().and_then(|step| step.parse().ok()).expect("a step");
            let (call, result) = (field().expect("a call"), field().expect("a result"));
            Line::Call { step, call, result, mended: field().zip(field()) }
        }
    }
}

/// Compares sequences from 0 on until so many calls agreed or so many sequences did not.
#[must_use]
pub fn compare(pair: &Pair, calls: u64, most_failures: usize) -> Tally {
    let mut tally = Tally::default();
    let mut next = 0;
    while tally.calls < calls && tally.failures.len() < most_failures {
        let portion = Portion { first: next, count: u64::MAX, skip: Vec::new(), careful: false };
        next = compare_portion(pair, &portion, &mut tally, calls, most_failures);
    }
    tally
}

/// Compares until the goal is reached or a worker is gone; returns the sequence to go on with.
fn compare_portion(
    pair: &Pair,
    portion: &Portion,
    tally: &mut Tally,
    calls: u64,
    most: usize,
) -> u64 {
    let [mut reference, mut subject] = [true, false].map(|which| Side::start(pair, which, portion));
    let mut calls_before = 0;
    let mut sequence = portion.first;
    while tally.calls < calls
        && tally.failures.len() < most
        && sequence - portion.first < portion.count
    {
        let goes_on = match compare_sequence(&mut reference, &mut subject, sequence, &mut tally.met)
        {
            Ok(calls_now) => {
                tally.sequences += 1;
                tally.calls += calls_now - calls_before;
                calls_before = calls_now;
                true
            }
            Err((failure, both_live)) => {
                tally.failures.push(failure);
                // Calls of a sequence that disagreed do not count.
                both_live && drain(&mut reference, &mut subject, &mut calls_before)
            }
        };
        sequence += 1;
        if !goes_on {
            break;
        }
    }
    sequence
}

fn drain(reference: &mut Side, subject: &mut Side, calls_before: &mut u64) -> bool {
    if !reference.drain() {
        return false;
    }
    loop {
        match subject.next() {
            Line::End { calls } => {
                *calls_before = calls;
                return true;
            }
            Line::Gone(_) => return false,
            _ => {}
        }
    }
}

/// The calls that the subject has made in all, or where they parted and whether both go on.
fn compare_sequence(
    reference: &mut Side,
    subject: &mut Side,
    sequence: u64,
    met: &mut BTreeMap<String, u64>,
) -> Result<u64, (Failure, bool)> {
    let mut history = Vec::new();
    loop {
        let (of_reference, of_subject) =
            (reference.next_call(met), subject.next_call(&mut BTreeMap::new()));
        let both_live =
            !matches!((&of_reference, &of_subject), (Line::Gone(_), _) | (_, Line::Gone(_)));
        let step = match (&of_reference, &of_subject) {
            (Line::Start, Line::Start) => continue,
            (Line::End { .. }, Line::End { calls }) => return Ok(*calls),
            (Line::Call { step, .. }, _) | (_, Line::Call { step, .. }) => *step,
            _ => 0,
        };
        if !agree(&of_reference, &of_subject, met) {
            let [reference, subject] = [of_reference, of_subject].map(|line| show(&line));
            return Err((Failure { sequence, step, history, reference, subject }, both_live));
        }
        history.push(show(&of_reference));
    }
}

fn agree(reference: &Line, subject: &Line, met: &mut BTreeMap<String, u64>) -> bool {
    let (
        Line::Call { call, result, mended, .. },
        Line::Call { call: other_call, result: other, .. },
    ) = (reference, subject)
    else {
        return false;
    };
    if call != other_call || result == other {
        return call == other_call;
    }
    let meant = mended.as_ref().filter(|(id, _)| differences::documented().contains(id.as_str()));
    match meant {
        Some((id, meant)) if meant == other => {
            *met.entry(id.clone()).or_default() += 1;
            true
        }
        _ => false,
    }
}

fn show(line: &Line) -> String {
    match line {
        Line::Call { call, result, mended: Some((id, meant)), .. } => {
            format!("{call}\t= {result} [by {id} ctrs returns: {meant}]")
        }
        Line::Call { call, result, .. } => format!("{call}\t= {result}"),
        Line::Gone(last) => last.clone(),
        other => format!("{other:?}"),
    }
}

/// Runs one sequence without some of its steps, every call written before it is made.
#[must_use]
pub fn run_again(pair: &Pair, sequence: u64, skip: &[usize]) -> Option<Failure> {
    let portion = Portion { first: sequence, count: 1, skip: skip.to_vec(), careful: true };
    let [mut reference, mut subject] =
        [true, false].map(|which| Side::start(pair, which, &portion));
    let result = compare_sequence(&mut reference, &mut subject, sequence, &mut BTreeMap::new());
    result.err().map(|(failure, _)| failure)
}

/// Runs sequences of a library alone over broken messages; the calls made, or where it ended.
///
/// # Errors
/// The sequence after which the worker was gone, and how it ended.
pub fn survive(pair: &Pair, calls: u64) -> Result<u64, String> {
    let portion = Portion { first: 0, count: u64::MAX, skip: Vec::new(), careful: false };
    let words = ["wild", "careful"].into_iter();
    let mut side = Side::spawn(pair.library, &pair.subject, pair.seed, &portion, words);
    let mut sequence = 0;
    loop {
        match side.next() {
            Line::End { calls: made } if made >= calls => return Ok(made),
            Line::End { .. } => sequence += 1,
            Line::Gone(how) => {
                return Err(format!("seed {}, sequence {sequence}: {how}", pair.seed));
            }
            _ => {}
        }
    }
}
