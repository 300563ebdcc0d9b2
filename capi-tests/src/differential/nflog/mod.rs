//! Random calls to libnetfilter_log.

pub mod api;
mod handle;
mod messages;
mod nlmsg;
mod packet;
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
    library: &LIBRARIES[1],
    worker: run::<World>,
    differences: &[
        "log-attributes",
        "log-header-length",
        "log-message-end",
        "log-datagrams",
        "errno-after-success",
        "padding",
    ],
    broken: &BROKEN,
};

/// What a sequence is made of, and how often.
const STEPS: [(u64, Step<World>); 9] = [
    (2, packet::getters),
    (12, packet::xml),
    (6, packet::nlmsg),
    (10, nlmsg::parse),
    (4, nlmsg::build),
    (12, handle::datagram),
    (4, handle::set),
    (1, handle::bind),
    (1, handle::family),
];

/// Libraries that are the reference but for one function; each is to be noticed.
const BROKEN: [Broken; 5] = [
    Broken {
        name: "getter",
        shows: "mark",
        source: "unsigned nflog_get_nfmark(void *d) {
            REAL(nflog_get_nfmark);
            unsigned v = real(d); return v > 9 ? v ^ 1 : v; }",
    },
    Broken {
        name: "text",
        shows: "xml",
        source: "int nflog_snprintf_xml(char *b, size_t s, void *d, int f) {
            REAL(nflog_snprintf_xml);
            int v = real(b, s, d, f); if (v > 90 && s > 90) b[80] ^= 32; return v; }",
    },
    Broken {
        name: "message",
        shows: "build",
        source: "int nflog_attr_put_cfg_mode(char *h, unsigned char m, unsigned r) {
            REAL(nflog_attr_put_cfg_mode);
            int v = real(h, m, r); if (*(unsigned *)h > 60) h[56] ^= 1; return v; }",
    },
    Broken {
        name: "parser",
        shows: "parse",
        source: "int nflog_nlmsg_parse(const void *h, void **a) {
            REAL(nflog_nlmsg_parse);
            int v = real(h, a); a[9] = NULL; return v; }",
    },
    Broken {
        name: "dispatcher",
        shows: "datagram",
        source: "int nflog_handle_packet(void *h, char *b, int n) {
            REAL(nflog_handle_packet);
            return real(h, b, n > 300 ? 300 : n); }",
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
        Steps { first: &[], others: &STEPS }
    }

    fn begin(&mut self, _: &mut Rng) {
        self.open();
    }

    fn wild(&mut self, rng: &mut Rng) {
        handle::wild(self, rng);
    }

    fn look(&mut self, rng: &mut Rng) {
        packet::getters(self, rng);
        handle::datagram(self, rng);
    }

    fn end(&mut self) {
        self.close();
    }
}
