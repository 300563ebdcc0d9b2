//! Proof that the comparison can fail: libraries that are the reference but for one function.

use std::path::Path;
use std::process::Command;

use super::parent::{Pair, compare, run_again};

/// A library to be noticed.
struct Broken {
    /// What is wrong with it.
    name: &'static str,
    /// What the record of the disagreement must contain: the reference uses its own functions, so
    /// that another one may show it first.
    shows: &'static str,
    /// The function; `REAL(name, type)` declares `real`, the right one.
    source: &'static str,
}

const BROKEN: [Broken; 8] = [
    Broken {
        name: "value",
        shows: "nfct_get_attr_u32(ct",
        source: "unsigned nfct_get_attr_u32(const void *ct, unsigned t) {
            REAL(nfct_get_attr_u32, unsigned (*)(const void *, unsigned));
            unsigned v = real(ct, t); return t == 25 ? v ^ 1 : v; }",
    },
    Broken {
        name: "errno",
        shows: "nfct_attr_is_set(ct",
        source: "int nfct_attr_is_set(const void *ct, unsigned t) {
            REAL(nfct_attr_is_set, int (*)(const void *, unsigned));
            int v = real(ct, t); if (v < 0) errno = 0; return v; }",
    },
    Broken {
        name: "text",
        shows: "nfct_snprintf(ct",
        source: "int nfct_snprintf(char *b, unsigned s, void *ct, unsigned m, unsigned o, unsigned f) {
            REAL(nfct_snprintf, int (*)(char *, unsigned, void *, unsigned, unsigned, unsigned));
            int v = real(b, s, ct, m, o, f); if (v > 90 && s > 90 && o < 2) b[80] ^= 32; return v; }",
    },
    Broken {
        name: "message",
        shows: "build",
        source: "int nfct_nlmsg_build(char *h, const void *ct) {
            REAL(nfct_nlmsg_build, int (*)(char *, const void *));
            int v = real(h, ct); if (*(unsigned *)h > 100) h[99] ^= 1; return v; }",
    },
    Broken {
        name: "copy",
        shows: "ct",
        source: "void nfct_copy_attr(void *to, const void *from, unsigned t) {
            REAL(nfct_copy_attr, void (*)(void *, const void *, unsigned));
            if (t != 24) real(to, from, t); }",
    },
    Broken {
        name: "parser",
        shows: "exp",
        source: "int nfexp_nlmsg_parse(const char *h, void *e) {
            REAL(nfexp_nlmsg_parse, int (*)(const char *, void *));
            int (*unset)(void *, unsigned) = dlsym(RTLD_NEXT, \"nfexp_attr_unset\");
            int v = real(h, e); unset(e, 5); return v; }",
    },
    Broken {
        name: "filter",
        shows: "verdicts",
        source: "void nfct_filter_add_attr(void *f, unsigned t, const unsigned *v) {
            REAL(nfct_filter_add_attr, void (*)(void *, unsigned, const void *));
            unsigned w[8]; memcpy(w, v, sizeof(w)); w[0] ^= t == 6; real(f, t, w); }",
    },
    Broken {
        name: "clear, which crashes",
        shows: "nfct_bitmask_clear(mask",
        source: "void nfct_bitmask_clear(void *b) { (void)b; __builtin_trap(); }",
    },
];

const PROLOGUE: &str = "#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#define REAL(name, ...) __VA_ARGS__; __typeof__(__VA_ARGS__) real
";

/// Compares the reference with itself, which must agree, and with the broken ones, which must not.
/// Returns how many of these tests passed and failed.
#[must_use]
pub fn run(reference: &str, seed: u64, calls: u64) -> (usize, usize) {
    let reference_path = reference.to_string();
    let pair = |subject: String| Pair {
        reference: reference_path.clone(),
        subject,
        shim: true,
        mend: true,
        seed,
    };
    let tally = compare(&pair(reference.to_string()), calls, 1);
    for failure in &tally.failures {
        println!("reference: {}\nitself:    {}", failure.reference, failure.subject);
    }
    let same = format!("the reference agrees with itself in {} calls", tally.calls);
    let mut passed = usize::from(check(&same, tally.failures.is_empty()));
    for (number, broken) in BROKEN.iter().enumerate() {
        let library = compile(reference, number, broken.source);
        let noticed = is_noticed(&pair(library.display().to_string()), calls, broken.shows);
        passed += usize::from(check(&format!("a broken {} is noticed", broken.name), noticed));
        let _ = std::fs::remove_file(library);
    }
    (passed, BROKEN.len() + 1 - passed)
}

/// Whether the libraries disagree, and about what they should.
fn is_noticed(pair: &Pair, calls: u64, shows: &str) -> bool {
    let tally = compare(pair, calls, 1);
    let again = |sequence| run_again(pair, sequence, &[]);
    let failure = tally.failures.first().and_then(|failure| again(failure.sequence));
    failure.is_some_and(|failure| {
        let noticed = failure.step > 0 && failure.subject.contains(shows);
        if !noticed {
            println!("reference: {}\nbroken:    {}", failure.reference, failure.subject);
        }
        noticed
    })
}

fn check(what: &str, holds: bool) -> bool {
    println!("{} {what}", if holds { "ok  " } else { "FAIL" });
    holds
}

/// Compiles a library that has one function and depends on the reference for the rest.
fn compile(reference: &str, number: usize, source: &str) -> std::path::PathBuf {
    let stem = std::env::temp_dir().join(format!("ctrs-broken-{number}-{}", std::process::id()));
    let (file, library) = (stem.with_extension("c"), stem.with_extension("so"));
    let source = format!("{PROLOGUE}{}\n", expand(source));
    std::fs::write(&file, source).expect("a source file");
    let status = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()))
        .args(["-shared", "-fPIC", "-w", "-o"])
        .args([library.as_path(), file.as_path(), Path::new("-Wl,--no-as-needed")])
        .args([reference, "-ldl"])
        .status()
        .expect("a C compiler");
    let _ = std::fs::remove_file(file);
    assert!(status.success(), "the broken library does not compile");
    library
}

/// `REAL(name, type)` declares `real` with that type and looks the function up.
fn expand(source: &str) -> String {
    let Some(start) = source.find("REAL(") else { return source.to_string() };
    let end = start + source[start..].find(';').expect("a statement");
    let inside = &source[start + 5..end - 1];
    let (name, kind) = inside.split_once(", ").expect("a name and a type");
    let declared = kind.replacen("(*)", "(*real)", 1);
    format!("{}{declared} = dlsym(RTLD_NEXT, \"{name}\"){}", &source[..start], &source[end..])
}
