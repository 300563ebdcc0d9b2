//! One side of the comparison: makes the calls that the seed says and writes what they did.

use super::api::Api;
use super::record::Transcript;
use super::rng::{Rng, mix};
use super::world::World;
use super::{build, copy, ct, expect, filter, labels, parse, print};

type Step = fn(&mut World, &mut Rng);

/// What a sequence is made of, and how often.
const STEPS: [(u64, Step); 32] = [
    (14, ct::set),
    (8, ct::get),
    (3, ct::is_set),
    (3, ct::unset),
    (5, ct::group),
    (4, ct::option),
    (6, copy::copy),
    (3, copy::copy_attr),
    (2, copy::clone),
    (5, copy::compare),
    (3, copy::compare_changed),
    (8, print::conntrack),
    (4, print::expect),
    (6, build::conntrack),
    (3, build::request),
    (1, build::family_request),
    (2, build::set_dump_filter),
    (2, build::dump_filter),
    (9, parse::conntrack),
    (5, expect::set),
    (3, expect::get),
    (2, expect::presence),
    (2, expect::tuple),
    (3, expect::compare),
    (1, expect::clone),
    (4, expect::parse),
    (4, expect::build),
    (3, labels::bitmask),
    (3, labels::set_labels),
    (2, labels::new_map),
    (1, labels::look_up),
    (1, labels::large_bitmask),
];

/// What a sequence about event filters is made of.
const FILTER_STEPS: [(u64, Step); 3] =
    [(6, filter::add), (2, filter::set_logic), (2, filter::attach)];

/// What some sequences start with, so that there is something to look at.
const FIRST_STEPS: [Step; 5] =
    [parse::conntrack, parse::conntrack, labels::new_map, expect::parse, ct::set_tuples];

/// Which part of the calls a worker makes, and how.
pub struct Plan {
    /// Path of the library.
    pub library: String,
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
pub fn run(plan: &Plan) {
    // SAFETY: the worker has one thread, and nothing has read the environment yet.
    unsafe { std::env::set_var("TZ", "UTC") };
    let api = Api::load(&plan.library, plan.shim);
    let mut world = World::new(api, Transcript::new(plan.careful), plan.mend);
    for sequence in plan.first..plan.first.saturating_add(plan.count) {
        // SAFETY: alarm has no preconditions; it ends a worker that hangs.
        unsafe { libc::alarm(PATIENCE) };
        world.out.start(sequence);
        run_sequence(&mut world, plan, mix(plan.seed, sequence));
        world.out.end(sequence);
    }
}

/// Each step has a generator of its own, so that leaving one out does not change the others.
fn run_sequence(w: &mut World, plan: &Plan, seed: u64) {
    let mut rng = Rng::new(seed);
    let filters = rng.one_in(12);
    let steps: &[(u64, Step)] = if filters { &FILTER_STEPS } else { &STEPS };
    let first: &[Step] = if filters || rng.one_in(3) { &[] } else { &FIRST_STEPS };
    let len = rng.range(8, 60) as usize;
    w.out.step(0);
    w.make_objects(&mut rng);
    for at in 1..=len {
        if plan.skip.contains(&at) {
            continue;
        }
        w.out.step(at);
        let mut rng = Rng::new(mix(seed, at as u64));
        match first.get(at - 1) {
            Some(step) => step(w, &mut rng),
            None if plan.wild && rng.one_in(3) => parse::wild(w, &mut rng),
            None => any_step(&mut rng, steps)(w, &mut rng),
        }
    }
    finish(w, &mut rng, plan, len + 1);
}

fn any_step(rng: &mut Rng, steps: &[(u64, Step)]) -> Step {
    let mut at = rng.below(steps.iter().map(|(weight, _)| weight).sum());
    for (weight, step) in steps {
        if at < *weight {
            return *step;
        }
        at -= weight;
    }
    unreachable!("the weights add up")
}

/// Looks at everything that is left and destroys it.
fn finish(w: &mut World, rng: &mut Rng, plan: &Plan, step: usize) {
    if !plan.skip.contains(&step) {
        w.out.step(step);
        for at in 0..w.cts.len() {
            ct::inspect(w, at);
            print::all_formats(w, at);
            build::plain(w, at);
        }
        expect::inspect(w, 0);
        expect::inspect(w, 1);
        copy::compare(w, rng);
    }
    w.out.step(step + 1);
    w.destroy_objects();
}
