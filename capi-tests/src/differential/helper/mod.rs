//! Random calls to libnetfilter_cthelper.

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
    library: &LIBRARIES[3],
    worker: run::<World>,
    differences: &["helper-getters", "errno-after-success"],
    broken: &BROKEN,
};

/// What a sequence is made of, and how often.
const STEPS: [(u64, Step<World>); 8] = [
    (12, World::set),
    (2, World::unset),
    (5, World::set_policy),
    (10, World::get),
    (6, World::build),
    (6, World::print),
    (5, World::parse),
    (1, World::headers),
];

/// Libraries that are the reference but for one function; each is to be noticed.
const BROKEN: [Broken; 4] = [
    Broken {
        name: "value",
        shows: "priv_data_len|get(h",
        source: "unsigned nfct_helper_attr_get_u32(void *h, unsigned t) {
            REAL(nfct_helper_attr_get_u32);
            return real(h, t) ^ (t == 4); }",
    },
    Broken {
        name: "text",
        shows: "l3protonum",
        source: "int nfct_helper_snprintf(char *b, size_t s, void *h, unsigned k, unsigned f) {
            REAL(nfct_helper_snprintf);
            int v = real(b, s, h, k, f); if (s > 90) b[80] ^= 32; return v; }",
    },
    Broken {
        name: "message",
        shows: "build",
        source: "void nfct_helper_nlmsg_build_payload(char *m, void *h) {
            REAL(nfct_helper_nlmsg_build_payload);
            real(m, h); if (*(unsigned *)m > 80) m[70] ^= 1; }",
    },
    Broken {
        name: "parser",
        shows: "parse",
        source: "int nfct_helper_nlmsg_parse_payload(const void *m, void *h) {
            REAL(nfct_helper_nlmsg_parse_payload);
            return *(unsigned *)m > 150 ? 0 : real(m, h); }",
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
        Steps { first: &[World::set, World::set_policy], others: &STEPS }
    }

    fn begin(&mut self, _: &mut Rng) {
        self.make_objects();
    }

    fn wild(&mut self, rng: &mut Rng) {
        self.survive(rng);
    }

    fn look(&mut self, _: &mut Rng) {
        for at in 0..self.helpers.len() {
            self.print_one(at, 4096);
            self.build_one(at, [0, 0x404, 7]);
            self.look_at(at);
        }
    }

    fn end(&mut self) {
        self.free_objects();
    }
}
