//! Random calls to libnetfilter_cttimeout.

pub mod api;
mod world;

use capi_tests::libraries::LIBRARIES;

use super::Comparison;
use super::api::Loaded;
use super::record::Transcript;
use super::rng::Rng;
use super::selftest::Broken;
use super::worker::{Caller, Step, Steps, run};
use world::World;

pub const COMPARISON: Comparison = Comparison {
    library: &LIBRARIES[2],
    worker: run::<World>,
    differences: &["timeout-snprintf", "timeout-errno", "errno-after-success"],
    broken: &BROKEN,
};

/// What a sequence is made of, and how often.
const STEPS: [(u64, Step<World>); 8] = [
    (6, World::set),
    (2, World::unset),
    (12, World::set_state),
    (5, World::parse),
    (6, World::build),
    (6, World::print),
    (1, World::name),
    (1, World::headers),
];

/// Libraries that are the reference but for one function; each is to be noticed.
const BROKEN: [Broken; 4] = [
    Broken {
        name: "state",
        shows: "print|build",
        source: "int nfct_timeout_policy_attr_set_u32(void *t, unsigned s, unsigned v) {
            REAL(nfct_timeout_policy_attr_set_u32);
            return real(t, s, s == 1 ? v ^ 1 : v); }",
    },
    Broken {
        name: "text",
        shows: "print",
        source: "int nfct_timeout_snprintf(char *b, size_t s, void *t, unsigned k, unsigned f) {
            REAL(nfct_timeout_snprintf);
            int v = real(b, s, t, k, f); if (strlen(b) > 60) b[50] ^= 32; return v; }",
    },
    Broken {
        name: "message",
        shows: "build",
        source: "void nfct_timeout_nlmsg_build_payload(char *h, const void *t) {
            REAL(nfct_timeout_nlmsg_build_payload);
            real(h, t); if (*(unsigned *)h > 60) h[50] ^= 1; }",
    },
    Broken {
        name: "parser",
        shows: "(p",
        source: "int nfct_timeout_nlmsg_parse_payload(const void *h, void *t) {
            REAL(nfct_timeout_nlmsg_parse_payload);
            return *(unsigned *)h > 50 ? 0 : real(h, t); }",
    },
];

impl Caller for World {
    fn new(library: &Loaded, out: Transcript, mend: bool) -> Self {
        World::new(api::Api::look_up(library), out, mend)
    }

    fn out(&mut self) -> &mut Transcript {
        &mut self.out
    }

    fn steps(_: &mut Rng) -> Steps<Self> {
        Steps { first: &[World::set, World::set, World::set], others: &STEPS }
    }

    fn begin(&mut self, _: &mut Rng) {
        self.make_objects();
    }

    fn wild(&mut self, rng: &mut Rng) {
        self.survive(rng);
    }

    fn look(&mut self, _: &mut Rng) {
        for at in 0..self.policies.len() {
            self.print_one(at, 0);
            self.build_one(at, [0, 0x404, 7]);
        }
    }

    fn end(&mut self) {
        self.free_objects();
    }
}
