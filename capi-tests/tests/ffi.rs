//! What other languages see: `ctrs.cdef` is all that they need, and records lie in memory as
//! `abi/records.tsv` says, whoever looks: C, of 64 bits and of 32, Rust, Python and LuaJIT.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

include!(concat!(env!("OUT_DIR"), "/records.rs"));

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(here(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The library that is tested, as in `exports.rs`.
fn library() -> PathBuf {
    let usual = here("../target/release/libctrs.so");
    let library = std::env::var_os("CTRS_LIB").map_or(usual, PathBuf::from);
    assert!(library.exists(), "{library:?} does not exist: run `make`, or set CTRS_LIB");
    library
}

/// What a program says, which must succeed and say nothing else.
fn said(program: &mut Command) -> String {
    let output = program.output().unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{program:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A script below `ffi/`, whose first argument is `ctrs.cdef`. Python is Debian's, as its packages are.
fn script(name: &str, first: &[&str]) -> Command {
    let interpreter = if name.ends_with(".py") { "/usr/bin/python3" } else { "luajit" };
    let mut command = Command::new(interpreter);
    command.arg(here("ffi").join(name)).args(first).arg(here("../include/ctrs.cdef"));
    command
}

/// The snapshot: structure, member (`-`: all of it), offset, size.
fn snapshot() -> Vec<String> {
    read("abi/records.tsv").lines().filter(|row| !row.starts_with('#')).map(str::to_owned).collect()
}

/// The structures of `ctrs.h` that are plain data, in its order, with their members.
fn structures(cdef: &str) -> Vec<(&str, Vec<&str>)> {
    let (mut found, mut lines) = (Vec::new(), cdef.lines());
    while let Some(line) = lines.next() {
        let head = line.strip_prefix("struct ").and_then(|line| line.strip_suffix(" {"));
        let Some(name) = head.filter(|name| name.starts_with("ctrs_")) else { continue };
        let body: Vec<_> = lines.by_ref().take_while(|line| *line != "};").collect();
        if body.iter().all(|line| !line.contains('*')) {
            let members = body.iter().filter_map(|line| line.split(['[', ';']).next());
            found.push((name, members.filter_map(|line| line.split(' ').next_back()).collect()));
        }
    }
    found
}

#[test]
fn records_lie_as_the_snapshot_says() {
    let cdef = read("../include/ctrs.cdef");
    let mut program = "#include <stddef.h>\n#include <stdio.h>\n#include <ctrs.h>\n\
                       int main(void)\n{\n"
        .to_owned();
    for (name, members) in structures(&cdef) {
        program += &format!("printf(\"{name}\\t-\\t0\\t%zu\\n\", sizeof(struct {name}));\n");
        for member in members {
            let place = format!("offsetof(struct {name}, {member})");
            let size = format!("sizeof(((struct {name} *)0)->{member})");
            program += &format!("printf(\"{name}\\t{member}\\t%zu\\t%zu\\n\", {place}, {size});\n");
        }
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("records.c"), program + "return 0;\n}\n").unwrap();
    let mut cc = Command::new("cc");
    cc.current_dir(folder).arg("-I").arg(here("../include"));
    assert_eq!(said(cc.args(["-o", "records", "records.c"])), "");
    let told = said(&mut Command::new(folder.join("records")));
    if std::env::var_os("CTRS_UPDATE_RECORDS").is_some_and(|value| value == "1") {
        let head = "# How the plain structures of ctrs.h lie in memory. They grow at the end only.\n\
                    #structure\tmember\toffset\tsize\n";
        std::fs::write(here("abi/records.tsv"), head.to_owned() + &told).unwrap();
    }
    assert_eq!(told.lines().map(str::to_owned).collect::<Vec<_>>(), snapshot());
}

/// Structures of 8-byte numbers are of a multiple of 8 bytes, and such a number at one; so they lie alike
/// where those are aligned to 4 bytes only.
#[test]
fn records_lie_alike_on_every_machine() {
    let mut asserts = String::new();
    for (number, row) in snapshot().iter().enumerate() {
        let [name, member, offset, size] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let holds = match member {
            "-" => format!("sizeof(struct {name}) == {size}"),
            _ => format!(
                "offsetof(struct {name}, {member}) == {offset} && \
                 sizeof(((struct {name} *)0)->{member}) == {size}"
            ),
        };
        asserts += &format!("typedef char row_{number}[{holds} ? 1 : -1];\n");
    }
    let head =
        "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\ntypedef long ssize_t;\n";
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alike.c");
    std::fs::write(&file, format!("{head}{}{asserts}", read("../include/ctrs.cdef"))).unwrap();
    for target in ["x86_64", "i686", "arm", "aarch64", "s390x", "mips", "powerpc64", "riscv32"] {
        let mut clang = Command::new("clang");
        clang.arg(format!("--target={target}-linux-gnu"));
        said(clang.args(["-ffreestanding", "-fsyntax-only", "-w"]).arg(&file));
    }
}

#[test]
fn records_lie_alike_for_other_languages() {
    let (snapshot, cdef) = (snapshot(), read("../include/ctrs.cdef"));
    let names: Vec<_> = structures(&cdef).into_iter().map(|(name, _)| name).collect();
    for how in ["ctypes", "numpy", "cffi"] {
        let told = said(script("layout.py", &[how]).args(&names));
        assert_eq!(told.lines().collect::<Vec<_>>(), snapshot, "{how}");
    }
    let fields = |row: &String| row.split('\t').map(str::to_owned).collect::<Vec<_>>();
    let members = snapshot.iter().map(fields).map(|row| format!("{}.{}", row[0], row[1]));
    let told = said(script("layout.lua", &[]).args(members));
    assert!(told.lines().zip(&snapshot).all(|(told, row)| row.starts_with(told)), "{told}");
    assert_eq!(told.lines().count(), snapshot.len());
}

#[test]
fn cffi_finds_all_in_the_declarations() {
    let told = said(script("calls.py", &[]).arg(library()));
    let (functions, enumerators) = told.split_once('\n').unwrap();
    let exported = read("abi/exports.txt");
    // What the C header takes by itself in place of another has no name of its own.
    let named =
        exported.lines().filter(|line| !line.starts_with('#') && !line.contains("_time64@"));
    assert_eq!(functions.parse(), Ok(named.count()));
    let table = read("abi/libnetfilter_conntrack/constants.tsv");
    let known: BTreeMap<_, _> = table
        .lines()
        .map(|row| row.split('\t').collect::<Vec<_>>())
        .filter_map(|row| Some((*row.first()?, *row.get(1)?)))
        .collect();
    let mut compared = 0;
    for (name, value) in enumerators.lines().filter_map(|line| line.split_once(' ')) {
        if let Some(wanted) = known.get(name) {
            assert_eq!(&value, wanted, "{name}");
            compared += 1;
        }
    }
    assert!(compared > 250, "{compared}");
}

#[test]
fn luajit_finds_all_in_the_declarations() {
    assert_eq!(said(script("calls.lua", &[]).arg(library())), "mark\n");
}

#[test]
fn the_declarations_need_no_preprocessor() {
    let cdef = read("../include/ctrs.cdef");
    assert!(!cdef.contains(['#', '\\']) && !cdef.contains("__attribute__"));
    assert!(!cdef.contains("extern \"C\"") && !cdef.contains("//"));
}
