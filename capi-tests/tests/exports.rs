//! The shared libraries export what the headers declare, need nothing but libc, and are hardened.
//!
//! They are `CTRS_LIB`, or else what `make` leaves, and the drop-in libraries in
//! `CTRS_COMPAT_DIR` when that is set.
#![forbid(unsafe_code)]

use capi_tests::libraries::{LIBRARIES, Library, Symbol};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most bytes of libctrs.so without its symbols: what it was when all its functions were there, and a
/// hundredth.
const MOST_OF_CTRS: u64 = 893_536 * 101 / 100;

fn existing(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{path:?} does not exist: run `make`, or set CTRS_LIB to libctrs.so");
    path
}

fn library() -> PathBuf {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/libctrs.so");
    existing(std::env::var_os("CTRS_LIB").map_or(usual, PathBuf::from))
}

/// The drop-in libraries: each with its file.
fn drop_ins() -> Vec<(&'static Library, PathBuf)> {
    let Some(directory) = std::env::var_os("CTRS_COMPAT_DIR") else { return Vec::new() };
    let path = |library: &Library| existing(Path::new(&directory).join(library.soname));
    LIBRARIES.iter().map(|library| (library, path(library))).collect()
}

/// A built library, its SONAME, what it needs beside libc, and the most bytes it may have.
struct Built {
    path: PathBuf,
    soname: &'static str,
    needed: &'static [&'static str],
    most: u64,
}

fn built() -> Vec<Built> {
    let ctrs = Built { path: library(), soname: "libctrs.so.0", needed: &[], most: MOST_OF_CTRS };
    let drop_in = |(library, path): (&'static Library, _)| {
        let Library { soname, needed, most, .. } = library;
        Built { path, soname, needed, most: *most }
    };
    std::iter::once(ctrs).chain(drop_ins().into_iter().map(drop_in)).collect()
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
fn dynamic(library: &Path, tag: &str) -> Vec<String> {
    inspect(library, "readelf", &["--wide", "--dynamic"])
        .lines()
        .filter(|line| line.contains(tag))
        .filter_map(|line| line.split(['[', ']']).nth(1).map(str::to_owned))
        .collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// The functions that a header declares.
fn functions_of(header: &str) -> BTreeSet<String> {
    let text = read(&format!("../include/{header}"));
    let code = text.lines().filter(|line| !line.trim_start().starts_with(['/', '#', '*']));
    code.filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next().map(str::to_owned))
        .collect()
}

/// What the originals export, as far as it is made, and what is added to them.
fn of_the_originals() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for library in &LIBRARIES {
        let headers = library.headers();
        let made: BTreeSet<_> = headers.iter().flat_map(|header| functions_of(header)).collect();
        let is_made = |symbol: &Symbol| {
            !library.unfinished || !symbol.is_function() || made.contains(&symbol.name)
        };
        names.extend(library.symbols().into_iter().filter(is_made).map(|symbol| symbol.name));
        names.extend(library.added.iter().map(ToString::to_string));
    }
    names
}

/// The functions that `ctrs.h` adds.
fn of_the_header() -> BTreeSet<String> {
    functions_of("ctrs.h").into_iter().filter(|name| name.starts_with("ctrs_")).collect()
}

/// All that libctrs.so exports.
fn declared() -> BTreeSet<String> {
    of_the_originals().union(&of_the_header()).cloned().collect()
}

/// What a library exports, each name with its node: `nfct_new@@CTRS_0.1`.
fn exported(library: &Path) -> BTreeSet<String> {
    inspect(library, "nm", &["--dynamic", "--defined-only", "--format=posix"])
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, rest)| !rest.starts_with("A ")) // the nodes themselves
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn same(library: &Path, wanted: &BTreeSet<String>, exported: &BTreeSet<String>) {
    let missing: Vec<_> = wanted.difference(exported).collect();
    let extra: Vec<_> = exported.difference(wanted).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{library:?}: missing: {missing:?}, extra: {extra:?}"
    );
}

/// The node of the release that is being made: that of the package's version.
fn present_node() -> String {
    let manifest = read("../Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = \"")).unwrap();
    let mut parts = version.split('.');
    format!("CTRS_{}.{}", parts.next().unwrap(), parts.next().unwrap())
}

/// The snapshot: each function with the release that it came with. What a release has stays as it is.
/// `CTRS_UPDATE_EXPORTS=1` adds the functions of the headers that are in none to the present one.
fn snapshot() -> BTreeSet<String> {
    let path = "abi/exports.txt";
    let mut table = read(path);
    if std::env::var_os("CTRS_UPDATE_EXPORTS").is_some_and(|value| value == "1") {
        let known: BTreeSet<_> = table.lines().filter_map(|line| line.split('@').next()).collect();
        let node = present_node();
        let declared = declared().into_iter();
        let new = declared.filter(|name| !known.contains(name.as_str()));
        let mut rows: Vec<_> = table.lines().map(str::to_owned).collect();
        rows.extend(new.map(|name| format!("{name}@@{node}")));
        // By release, then by name.
        rows.sort_by_key(|row| {
            row.split_once('@').map(|(name, node)| (node.to_owned(), name.to_owned()))
        });
        table = rows.join("\n") + "\n";
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), &table).expect(path);
    }
    table.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn functions_are_in_the_node_of_their_release() {
    let wanted = snapshot();
    let named = |name: &String| name.split('@').next().unwrap_or_default().to_owned();
    same(Path::new("capi-tests/abi/exports.txt"), &declared(), &wanted.iter().map(named).collect());
    same(&library(), &wanted, &exported(&library()));
}

/// A release that is over takes no more functions: only the node of the present one has a pattern.
#[test]
fn only_the_present_release_takes_functions() {
    let map = read("../pkgconfig/ctrs.map");
    let nodes: Vec<_> = map.split("CTRS_").filter(|part| part.contains('{')).collect();
    let open: Vec<_> = nodes.iter().filter(|node| node.contains("_*")).collect();
    assert_eq!(open.len(), 1);
    let name = open[0].split_whitespace().next().unwrap();
    assert_eq!(format!("CTRS_{name}"), present_node());
}

/// Of the original's names all, and no other but what is added for its header: it takes the place of a
/// library that has no ctrs.h. They are in its nodes, or in none where it has none.
#[test]
fn drop_ins_export_what_the_originals_do() {
    for (library, path) in drop_ins() {
        let mut wanted: BTreeSet<_> = library.symbols().iter().map(Symbol::exported).collect();
        wanted.extend(library.added.iter().map(ToString::to_string));
        let exported = exported(&path);
        assert!(library.unfinished != (wanted == exported), "is {} unfinished?", library.name);
        if library.unfinished {
            wanted.retain(|name| exported.contains(name));
        }
        same(&path, &wanted, &exported);
        let versions = inspect(&path, "readelf", &["--wide", "--version-info"]);
        let nodes = library.symbols().iter().any(|symbol| symbol.node.is_some());
        assert_eq!(versions.contains("Version definition"), nodes, "{path:?}: {versions}");
    }
}

/// Programs that are not position-independent have a copy of it as large as it was.
#[test]
fn data_is_as_large_as_in_the_original() {
    let of_log = drop_ins().into_iter().filter(|(library, _)| library.name.ends_with("_log"));
    for path in of_log.map(|(_, path)| path).chain([library()]) {
        let symbols = inspect(&path, "readelf", &["--wide", "--dyn-syms"]);
        let row = symbols.lines().find(|line| line.contains(" nflog_errno")).unwrap();
        let fields: Vec<_> = row.split_whitespace().collect();
        assert_eq!(fields[2..5], ["4", "OBJECT", "GLOBAL"], "{path:?}");
    }
}

/// A program of a time when the library had no nodes starts on this one.
#[test]
fn a_program_linked_before_there_were_nodes_starts() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("before");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("old.c", "void *nfct_new(void) { return 0; } void nfct_destroy(void *ct) { (void)ct; }");
    write(
        "program.c",
        "#include <stdio.h>\nvoid *nfct_new(void); void nfct_destroy(void *);\n\
         int main(void) { void *ct = nfct_new(); nfct_destroy(ct); return puts(ct ? \"yes\" : \"no\") < 0; }",
    );
    let run = |program: &mut Command| {
        let output = program.current_dir(&folder).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let nothing = (true, String::new());
    let shared = ["-shared", "-Wl,-soname,libctrs.so.0", "-o", "libctrs.so", "old.c"];
    assert_eq!(run(Command::new("cc").args(shared)), nothing);
    let program = ["-o", "program", "program.c", "-L.", "-lctrs"];
    assert_eq!(run(Command::new("cc").args(program)), nothing);
    let present = folder.join("libctrs.so.0");
    std::fs::copy(library(), &present).unwrap();
    let started = run(Command::new("./program").env("LD_LIBRARY_PATH", &folder));
    assert_eq!(started, (true, "yes\n".to_owned()));
}

#[test]
fn libraries_need_libc_and_are_named() {
    for Built { path: library, soname, needed: first, .. } in built() {
        assert_eq!(dynamic(&library, "(SONAME)"), [soname]);
        let all = dynamic(&library, "(NEEDED)");
        let (needed, own) = all.split_at(first.len());
        assert_eq!(needed, first, "{library:?}");
        assert!(own.contains(&"libc.so.6".to_owned()), "{library:?} needs {all:?}");
        for needed in own {
            let usual = ["libc.so.6", "libgcc_s.so.1"].contains(&&**needed);
            assert!(usual || needed.starts_with("ld-linux"), "{library:?} needs {needed}");
        }
    }
}

/// Files have the names of the originals' files, and programs are built through `pkg-config`.
#[test]
fn drop_ins_are_installed_as_the_originals_are() {
    for (library, path) in drop_ins() {
        assert_eq!(std::fs::read_link(&path).unwrap(), Path::new(library.file));
        let folder = path.parent().unwrap();
        let ask = |option: &str| {
            let mut command = Command::new("pkg-config");
            command.env("PKG_CONFIG_PATH", folder).args([option, library.name]);
            let output = command.output().expect("pkg-config");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        assert_eq!(ask("--modversion"), library.version);
        assert_eq!(Path::new(&ask("--variable=libdir")), folder);
        let libs = ask("--libs");
        assert!(libs.contains(&format!("-l{}", library.name.trim_start_matches("lib"))), "{libs}");
    }
}

/// Function pointers are read-only once loaded, no memory is both writable and executable, and no
/// code is changed to load it.
#[test]
fn libraries_are_hardened() {
    for Built { path: library, .. } in built() {
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
    for Built { path, soname, most, .. } in built() {
        inspect(&path, "strip", &["-o", stripped.to_str().unwrap()]);
        let size = std::fs::metadata(&stripped).unwrap().len();
        assert!(size <= most, "{soname}: {size} bytes, more than {most}");
        println!("{soname}: {size} of {most} bytes");
    }
}
