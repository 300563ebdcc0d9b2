//! Libraries that are the reference but for one function.

use crate::differential::selftest::{Broken, VERDICTS};

/// Each is to be noticed.
pub const BROKEN: [Broken; 8] = [
    Broken {
        name: "value",
        shows: "nfct_get_attr_u32(ct",
        source: "unsigned nfct_get_attr_u32(const void *ct, unsigned t) {
            REAL(nfct_get_attr_u32);
            unsigned v = real(ct, t); return t == 25 ? v ^ 1 : v; }",
    },
    Broken {
        name: "errno",
        shows: "nfct_attr_is_set(ct",
        source: "int nfct_attr_is_set(const void *ct, unsigned t) {
            REAL(nfct_attr_is_set);
            int v = real(ct, t); if (v < 0) errno = 0; return v; }",
    },
    Broken {
        name: "text",
        shows: "nfct_snprintf(ct",
        source: "int nfct_snprintf(char *b, unsigned s, void *ct, unsigned m, unsigned o, unsigned f) {
            REAL(nfct_snprintf);
            int v = real(b, s, ct, m, o, f); if (v > 90 && s > 90 && o < 2) b[80] ^= 32; return v; }",
    },
    Broken {
        name: "message",
        shows: "build",
        source: "int nfct_nlmsg_build(char *h, const void *ct) {
            REAL(nfct_nlmsg_build);
            int v = real(h, ct); if (*(unsigned *)h > 100) h[99] ^= 1; return v; }",
    },
    Broken {
        name: "copy",
        shows: "ct",
        source: "void nfct_copy_attr(void *to, const void *from, unsigned t) {
            REAL(nfct_copy_attr);
            if (t != 24) real(to, from, t); }",
    },
    Broken {
        name: "parser",
        shows: "exp",
        source: "int nfexp_nlmsg_parse(const char *h, void *e) {
            REAL(nfexp_nlmsg_parse);
            int (*unset)(void *, unsigned) = dlsym(RTLD_NEXT, \"nfexp_attr_unset\");
            int v = real(h, e); unset(e, 5); return v; }",
    },
    Broken {
        name: "filter",
        shows: VERDICTS,
        source: "void nfct_filter_add_attr(void *f, unsigned t, const unsigned *v) {
            REAL(nfct_filter_add_attr);
            unsigned w[8]; memcpy(w, v, sizeof(w)); w[0] ^= t == 6; real(f, t, w); }",
    },
    Broken {
        name: "clear, which crashes",
        shows: "nfct_bitmask_clear(mask",
        source: "void nfct_bitmask_clear(void *b) { (void)b; __builtin_trap(); }",
    },
];
