//! One side of the comparison: makes the calls that the seed says and writes what they did.

use capi_tests::libraries::Library;

use super::api::Loaded;
use super::record::Transcript;
use super::rng::{Rng, mix};

/// Some calls that belong together, mostly one.
pub type Step<C> = fn(&mut C, &mut Rng);

/// What a sequence is made of.
pub struct Steps<C: 'static> {
    /// What it starts with, so that there is something to look at.
    pub first: &'static [Step<C>],
    /// What it goes on with, and how often.
    pub others: &'static [(u64, Step<C>)],
}

/// What makes the calls to one library: its functions, the objects made with it, and the transcript.
pub trait Caller: Sized + 'static {
    /// A caller without objects. The reference is to be brought to where ctrs differs on purpose: `mend`.
    fn new(library: &Loaded, out: Transcript, mend: bool) -> Self;

    /// Where results go.
    fn out(&mut self) -> &mut Transcript;

    /// What a new sequence is made of.
    fn steps(rng: &mut Rng) -> Steps<Self>;

    /// Makes the objects that every sequence starts with.
    fn begin(&mut self, rng: &mut Rng);

    /// Makes calls over what is broken on purpose, which only ctrs survives.
    fn wild(&mut self, rng: &mut Rng);

    /// Looks at everything that is left.
    fn look(&mut self, rng: &mut Rng);

    /// Destroys it.
    fn end(&mut self);
}

/// Which part of the calls a worker makes, and how.
pub struct Plan {
    /// The library.
    pub library: &'static Library,
    /// Path of its file.
    pub path: String,
    /// Whether this is the reference, to be brought to where ctrs differs on purpose.
    pub mend: bool,
    /// Whether the library stands on another one that has most functions.
    pub shim: bool,
    /// Whether messages are broken on purpose, which only ctrs survives.
    pub wild: bool,
    /// Write every call before it is made.
    pub careful: bool,
    /// The seed of everything.
    pub seed: u64,
    /// The first sequence.
    pub first: u64,
    /// How many sequences.
    pub count: u64,
    /// Steps to leave out.
    pub skip: Vec<usize>,
}

/// Seconds that a sequence may take.
const PATIENCE: u32 = 60;

/// Runs the sequences of the plan.
pub fn run<C: Caller>(plan: &Plan) {
    // SAFETY: the worker has one thread, and nothing has read the environment yet.
    unsafe { std::env::set_var("TZ", "UTC") };
    let loaded = Loaded::load(plan.library, &plan.path, plan.shim);
    let mut caller = C::new(&loaded, Transcript::new(plan.careful), plan.mend);
    for sequence in plan.first..plan.first.saturating_add(plan.count) {
        // SAFETY: alarm has no preconditions; it ends a worker that hangs.
        unsafe { libc::alarm(PATIENCE) };
        caller.out().start(sequence);
        run_sequence(&mut caller, plan, mix(plan.seed, sequence));
        caller.out().end(sequence);
    }
}

/// Each step has a generator of its own, so that leaving one out does not change the others.
fn run_sequence<C: Caller>(caller: &mut C, plan: &Plan, seed: u64) {
    let mut rng = Rng::new(seed);
    let steps = C::steps(&mut rng);
    let len = rng.range(8, 60) as usize;
    caller.out().step(0);
    caller.begin(&mut rng);
    for at in 1..=len {
        if plan.skip.contains(&at) {
            continue;
        }
        caller.out().step(at);
        let mut rng = Rng::new(mix(seed, at as u64));
        match steps.first.get(at - 1) {
            Some(step) => step(caller, &mut rng),
            None if plan.wild && rng.one_in(3) => caller.wild(&mut rng),
            None => any_step(&mut rng, steps.others)(caller, &mut rng),
        }
    }
    if !plan.skip.contains(&(len + 1)) {
        caller.out().step(len + 1);
        caller.look(&mut rng);
    }
    caller.out().step(len + 2);
    caller.end();
}

fn any_step<C>(rng: &mut Rng, steps: &[(u64, Step<C>)]) -> Step<C> {
    let mut at = rng.below(steps.iter().map(|(weight, _)| weight).sum());
    for (weight, step) in steps {
        if at < *weight {
            return *step;
        }
        at -= weight;
    }
    unreachable!("the weights add up")
}
