//! The shared libraries export what the headers declare, need nothing but libc, and are hardened.
//!
//! They are `CTRS_LIB`, or else what `make` leaves, and the drop-in library in
//! `CTRS_COMPAT_DIR` when that is set.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most bytes of libctrs.so without its symbols. Two thirds are what the standard library has for
/// panics; functions of its own are a reason to raise it, a change of those there are is none.
const MOST_OF_CTRS: u64 = 700_000;
/// The same of the drop-in library. It takes a place where nobody asked for more: what it was when
/// all its functions were there, 446,896 bytes, and a fiftieth.
const MOST_OF_DROP_IN: u64 = 446_896 * 102 / 100;

fn existing(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{path:?} does not exist: run `make`, or set CTRS_LIB to libctrs.so");
    path
}

fn library() -> PathBuf {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/libctrs.so");
    existing(std::env::var_os("CTRS_LIB").map_or(usual, PathBuf::from))
}

/// A library, its SONAME, and the most bytes it may have.
struct Library {
    path: PathBuf,
    soname: &'static str,
    most: u64,
}

fn libraries() -> Vec<Library> {
    let ctrs = Library { path: library(), soname: "libctrs.so.0", most: MOST_OF_CTRS };
    let soname = "libnetfilter_conntrack.so.3";
    let drop_in = std::env::var_os("CTRS_COMPAT_DIR").map(|directory| Library {
        path: existing(Path::new(&directory).join(soname)),
        soname,
        most: MOST_OF_DROP_IN,
    });
    std::iter::once(ctrs).chain(drop_in).collect()
}

/// What a program of binutils says about a library.
fn inspect(library: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .arg(library)
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|e| panic!("{program} of binutils: {e}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The values of a tag of the dynamic section, for example `(NEEDED) Shared library: [libc.so.6]`.
fn dynamic(library: &Path, tag: &str) -> BTreeSet<String> {
    inspect(library, "readelf", &["--wide", "--dynamic"])
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
fn libraries_export_what_the_headers_declare() {
    let wanted = wanted();
    for Library { path: library, .. } in libraries() {
        let exported: BTreeSet<_> = inspect(&library, "nm", &["--dynamic", "--defined-only"])
            .lines()
            .filter_map(|line| line.split(' ').next_back().map(str::to_owned))
            .collect();
        let missing: Vec<_> = wanted.difference(&exported).collect();
        let extra: Vec<_> = exported.difference(&wanted).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{library:?}: missing: {missing:?}, extra: {extra:?}"
        );
    }
}

#[test]
fn exports_have_no_version() {
    for Library { path: library, .. } in libraries() {
        let versions = inspect(&library, "readelf", &["--wide", "--version-info"]);
        assert!(!versions.contains("Version definition"), "{library:?}: {versions}");
    }
}

#[test]
fn libraries_need_libc_and_are_named() {
    for Library { path: library, soname, .. } in libraries() {
        assert_eq!(dynamic(&library, "(SONAME)"), BTreeSet::from([soname.to_owned()]));
        let needed = dynamic(&library, "(NEEDED)");
        assert!(needed.contains("libc.so.6"), "{library:?} needs {needed:?}");
        for needed in needed {
            let usual = ["libc.so.6", "libgcc_s.so.1"].contains(&&*needed);
            assert!(usual || needed.starts_with("ld-linux"), "{library:?} needs {needed}");
        }
    }
}

/// Function pointers are read-only once loaded, no memory is both writable and executable, and no
/// code is changed to load it.
#[test]
fn libraries_are_hardened() {
    for Library { path: library, .. } in libraries() {
        let segments = inspect(&library, "readelf", &["--wide", "--program-headers"]);
        let flags = |kind: &str| -> String {
            let line = segments.lines().find(|line| line.split_whitespace().next() == Some(kind));
            let line = line.unwrap_or_else(|| panic!("{library:?} has no {kind}"));
            // Behind type, offset, two addresses and two sizes; the alignment is last.
            let fields: Vec<_> = line.split_whitespace().collect();
            fields[6..fields.len() - 1].concat()
        };
        assert_eq!(flags("GNU_STACK"), "RW", "{library:?}");
        assert_eq!(flags("GNU_RELRO"), "R", "{library:?}");
        let writable_code =
            segments.lines().any(|line| line.contains("LOAD ") && line.contains("WE"));
        assert!(!writable_code, "{library:?}: {segments}");
        let section = inspect(&library, "readelf", &["--wide", "--dynamic"]);
        assert!(section.contains("BIND_NOW"), "{library:?}: {section}");
        assert!(!section.contains("TEXTREL"), "{library:?}: {section}");
    }
}

#[test]
fn libraries_are_small() {
    let stripped = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stripped.so");
    for Library { path, soname, most } in libraries() {
        inspect(&path, "strip", &["-o", stripped.to_str().unwrap()]);
        let size = std::fs::metadata(&stripped).unwrap().len();
        assert!(size <= most, "{soname}: {size} bytes, more than {most}");
        println!("{soname}: {size} of {most} bytes");
    }
}
