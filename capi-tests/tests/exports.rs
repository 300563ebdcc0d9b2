//! The shared library exports what the headers declare, and needs nothing but libc.
//!
//! It is `CTRS_LIB`, or else what `cargo build --release` leaves.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn library() -> PathBuf {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/libctrs.so");
    let path = std::env::var_os("CTRS_LIB").map_or(usual, PathBuf::from);
    assert!(
        path.exists(),
        "{path:?} does not exist: run `cargo build --release`, or set CTRS_LIB to libctrs.so"
    );
    path
}

/// What a program of binutils says about the library.
fn inspect(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .arg(library())
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|e| panic!("{program} of binutils: {e}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The values of a tag of the dynamic section, for example `(NEEDED) Shared library: [libc.so.6]`.
fn dynamic(tag: &str) -> BTreeSet<String> {
    inspect("readelf", &["--wide", "--dynamic"])
        .lines()
        .filter(|line| line.contains(tag))
        .filter_map(|line| line.split(['[', ']']).nth(1).map(str::to_owned))
        .collect()
}

/// The functions of libnetfilter_conntrack, and those that `ctrs.h` adds.
fn wanted() -> BTreeSet<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(here.join(path)).expect(path);
    let table = read("abi/symbols.txt");
    let header = read("../include/ctrs.h");
    let extensions = header
        .lines()
        .filter(|line| !line.trim_start().starts_with(['/', '#']))
        .filter_map(|line| line.split('(').next()?.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("ctrs_"));
    table
        .lines()
        .filter_map(|row| row.split('\t').next())
        .chain(extensions)
        .map(str::to_owned)
        .collect()
}

#[test]
fn library_exports_what_the_headers_declare() {
    let exported: BTreeSet<_> = inspect("nm", &["--dynamic", "--defined-only"])
        .lines()
        .filter_map(|line| line.split(' ').next_back().map(str::to_owned))
        .collect();
    let wanted = wanted();
    let missing: Vec<_> = wanted.difference(&exported).collect();
    let extra: Vec<_> = exported.difference(&wanted).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing: {missing:?}, extra: {extra:?}");
}

#[test]
fn exports_have_no_version() {
    assert!(!inspect("readelf", &["--wide", "--version-info"]).contains("Version definition"));
}

#[test]
fn library_needs_libc_and_is_named() {
    assert_eq!(dynamic("(SONAME)"), BTreeSet::from(["libctrs.so.0".to_owned()]));
    for needed in dynamic("(NEEDED)") {
        let usual = ["libc.so.6", "libgcc_s.so.1"].contains(&&*needed);
        assert!(usual || needed.starts_with("ld-linux"), "the library needs {needed}");
    }
}
