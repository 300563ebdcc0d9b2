//! Random calls to libnetfilter_conntrack.

pub mod api;
pub mod attrs;
pub mod broken;
pub mod build;
pub mod copy;
pub mod ct;
pub mod expect;
pub mod filter;
pub mod labels;
pub mod messages;
pub mod parse;
pub mod print;
pub mod repair;
pub mod schema;
pub mod world;

use capi_tests::libraries::LIBRARIES;

use super::Comparison;
use super::api::Loaded;
use super::record::Transcript;
use super::rng::Rng;
use super::worker::{Caller, Step, Steps, run};
use api::Api;
use world::World;

pub const COMPARISON: Comparison = Comparison {
    library: &LIBRARIES[0],
    worker: run::<World>,
    differences: &DIFFERENCES,
    broken: &broken::BROKEN,
};

/// The intended differences that exceptions are made for.
const DIFFERENCES: [&str; 13] = [
    "snprintf-length",
    "errno-after-success",
    "timestamp-event",
    "helper-info-length",
    "copy-parts",
    "build-refusal",
    "incomplete-request",
    "flush-filter",
    "expect-family",
    "expect-query-family",
    "padding",
    "nat-ports",
    "label-masks",
];

/// What a sequence is made of, and how often.
const STEPS: [(u64, Step<World>); 33] = [
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
    (1, expect::set_narrow),
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
const FILTER_STEPS: [(u64, Step<World>); 3] =
    [(6, filter::add), (2, filter::set_logic), (2, filter::attach)];

/// What some sequences start with, so that there is something to look at.
const FIRST_STEPS: [Step<World>; 5] =
    [parse::conntrack, parse::conntrack, labels::new_map, expect::parse, ct::set_tuples];

impl Caller for World {
    fn new(library: &Loaded, out: Transcript, mend: bool) -> Self {
        World::new(Api::look_up(library), out, mend)
    }

    fn out(&mut self) -> &mut Transcript {
        &mut self.out
    }

    fn steps(rng: &mut Rng) -> Steps<Self> {
        if rng.one_in(12) {
            return Steps { first: &[], others: &FILTER_STEPS };
        }
        Steps { first: if rng.one_in(3) { &[] } else { &FIRST_STEPS }, others: &STEPS }
    }

    fn begin(&mut self, rng: &mut Rng) {
        self.make_objects(rng);
    }

    fn wild(&mut self, rng: &mut Rng) {
        parse::wild(self, rng);
    }

    fn look(&mut self, rng: &mut Rng) {
        for at in 0..self.cts.len() {
            ct::inspect(self, at);
            print::all_formats(self, at);
            build::plain(self, at);
        }
        expect::inspect(self, 0);
        expect::inspect(self, 1);
        copy::compare(self, rng);
    }

    fn end(&mut self) {
        self.destroy_objects();
    }
}
