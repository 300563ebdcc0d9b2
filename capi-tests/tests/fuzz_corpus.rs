//! The fuzz targets on their committed corpus and on mutations of it, without a fuzzer.

#[path = "../../fuzz/src/lib.rs"]
mod bodies;

use bodies::{BODIES, Body};
use std::panic;
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Mutations of each target's corpus, as far as the time allows.
const MUTATIONS: usize = 1000;
const TIME: Duration = Duration::from_secs(3);
/// Which files of the corpus run; Miri interprets, some thousand times slower.
const EVERY: usize = if cfg!(miri) { 10 } else { 1 };

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// The files of a target's corpus, in order.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Runs a body; a panic that the C boundary swallows counts too.
fn run(body: Body, input: &[u8], what: &str) {
    let before = PANICS.load(Ordering::SeqCst);
    let result = panic::catch_unwind(|| body(input));
    let quiet = PANICS.load(Ordering::SeqCst) == before;
    assert!(result.is_ok() && quiet, "{what}: {input:?}");
}

fn replay(target: &str) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            report(panic);
        }));
    });
    let (_, body) = *BODIES.iter().find(|(name, _)| *name == target).unwrap();
    let files = corpus(target);
    assert!(files.len() > 10, "{target}: {} files", files.len());
    for (name, input) in files.iter().step_by(EVERY) {
        run(body, input, name);
    }
    let mutations = mutate(target, body, &files);
    println!("{target}: {} files, {mutations} mutations", files.len());
}

#[test]
fn message() {
    replay("message");
}

#[test]
fn roundtrip() {
    replay("roundtrip");
}

#[test]
fn api() {
    replay("api");
}

#[test]
fn labels() {
    replay("labels");
}

#[test]
fn filter() {
    replay("filter");
}

#[test]
fn receive() {
    replay("receive");
}

#[test]
fn record() {
    replay("record");
}

#[test]
fn json() {
    replay("json");
}

#[test]
fn expression() {
    replay("expression");
}

#[test]
fn mirror() {
    replay("mirror");
}

#[test]
fn timeout() {
    replay("timeout");
}

#[test]
fn helper() {
    replay("helper");
}

#[test]
fn nflog() {
    replay("nflog");
}

/// Runs a body on mutations; returns how many.
fn mutate(target: &str, body: Body, files: &[(String, Vec<u8>)]) -> usize {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let begin = Instant::now();
    let in_time = |_: &usize| begin.elapsed() < TIME;
    let mutated = (0..MUTATIONS).take_while(in_time).map(|number| {
        let input = random.mutation(files);
        run(body, &input, &format!("{target}, mutation {number}"));
    });
    mutated.count()
}

/// A xorshift generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// A file with some bytes changed, removed or taken from another file.
    fn mutation(&mut self, files: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut input = files[self.below(files.len())].1.clone();
        for _ in 0..1 + self.below(4) {
            let at = self.below(input.len() + 1);
            match self.below(4) {
                0 => input.truncate(at),
                1 => {
                    let other = &files[self.below(files.len())].1;
                    let from = self.below(other.len() + 1);
                    input.splice(at.., other[from..].iter().copied());
                }
                _ => {
                    let byte = [0, 1, 4, 0x7f, 0x80, 0xff, self.below(256) as u8];
                    if let Some(slot) = input.get_mut(at) {
                        *slot = byte[self.below(byte.len())];
                    }
                }
            }
        }
        input
    }
}
