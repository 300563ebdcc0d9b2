//! Units of C and C++ that include the headers, checked by every compiler, with libnfnetlink's headers
//! and without.

use capi_tests::libraries::{LIBRARIES, Library};
use std::path::{Path, PathBuf};
use std::process::Command;

/// All that is installed, of each library in order.
pub fn headers() -> Vec<String> {
    let libraries = LIBRARIES.iter().flat_map(Library::headers);
    std::iter::once("ctrs.h".to_owned()).chain(libraries).collect()
}

/// The standards that the headers compile under, from the oldest on.
pub const C: [&str; 5] = ["c89", "gnu89", "c99", "gnu17", "c2x"];
pub const CXX: [&str; 6] = ["c++98", "gnu++98", "c++11", "c++14", "c++17", "c++20"];

#[derive(Clone, Copy, PartialEq)]
pub enum Language {
    C,
    Cxx,
}

/// Whether the compiler finds libnfnetlink's headers.
#[derive(Clone, Copy, PartialEq)]
pub enum Nfnetlink {
    Installed,
    Absent,
}

pub fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn include_dir() -> PathBuf {
    here().join("../include").canonicalize().expect("the headers of ctrs")
}

/// Runs a program to its end: its standard output, or what it said when it failed.
pub fn run(command: &mut Command) -> Result<String, String> {
    let output = command.env("LC_ALL", "C").output().map_err(|e| format!("{command:?}: {e}"))?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout) + &text(&output.stderr)),
        false => Err(format!("{command:?}\n{}", text(&output.stderr))),
    }
}

/// The compilers of a language.
pub fn compilers(language: Language) -> [&'static str; 2] {
    match language {
        Language::C => ["gcc", "clang"],
        Language::Cxx => ["g++", "clang++"],
    }
}

pub const NFNETLINK_CASES: [Nfnetlink; 2] = [Nfnetlink::Installed, Nfnetlink::Absent];

/// A copy of /usr/include, by links, that lacks the libraries whose absence is to be tested.
fn system_headers_without_nfnetlink() -> PathBuf {
    let farm = Path::new(env!("CARGO_TARGET_TMPDIR")).join("include-without-libnfnetlink");
    std::fs::create_dir_all(&farm).unwrap();
    for entry in std::fs::read_dir("/usr/include").unwrap() {
        let entry = entry.unwrap();
        let link = farm.join(entry.file_name());
        let name = entry.file_name();
        let hidden = ["libnfnetlink", "ctrs"].iter().any(|hidden| name == *hidden)
            || LIBRARIES.iter().any(|library| name == library.name);
        if !hidden && link.symlink_metadata().is_err() {
            // Another test may have made it meanwhile.
            let _ = std::os::unix::fs::symlink(entry.path(), link);
        }
    }
    farm
}

/// Options that make the compiler search only what is left without libnfnetlink.
fn without_nfnetlink(compiler: &str) -> Vec<String> {
    let farm = system_headers_without_nfnetlink();
    let ask = |what: &str| run(Command::new(compiler).arg(what)).unwrap().trim().to_owned();
    let machine = run(Command::new("gcc").arg("-print-multiarch")).unwrap_or_default();
    let mut options = vec!["-nostdinc".to_owned()];
    for directory in
        [PathBuf::from(ask("-print-file-name=include")), farm.join(machine.trim()), farm]
    {
        options.extend(["-isystem".to_owned(), directory.to_str().unwrap().to_owned()]);
    }
    options
}

/// What is compiled, and how.
#[derive(Clone, Copy)]
pub struct Unit<'a> {
    pub name: &'a str,
    pub source: &'a str,
    pub language: Language,
    pub standard: &'a str,
    pub nfnetlink: Nfnetlink,
}

const WARNINGS: [&str; 8] = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wpedantic",
    "-Wundef",
    "-Wshadow",
    "-Wredundant-decls",
    "-Wfatal-errors",
];

impl Unit<'_> {
    /// The command that checks the unit without producing anything.
    pub fn command(&self, compiler: &str) -> Command {
        let suffix = if self.language == Language::C { "c" } else { "cpp" };
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("abi");
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join(format!("{}.{suffix}", self.name));
        std::fs::write(&file, self.source).unwrap();
        let mut command = Command::new(compiler);
        command.args(["-fsyntax-only", "-I"]).arg(include_dir()).arg(file);
        command.arg(format!("-std={}", self.standard)).args(WARNINGS);
        if self.language == Language::C {
            command.arg("-Wstrict-prototypes");
        }
        if self.standard.ends_with("89") {
            // clang says that bool is younger, of the original's headers too.
            command.arg("-Wno-c99-extensions");
        }
        if self.nfnetlink == Nfnetlink::Absent {
            command.args(without_nfnetlink(compiler));
        }
        command
    }

    /// Compiles with every compiler.
    pub fn check(&self) {
        for compiler in compilers(self.language) {
            run(&mut self.command(compiler)).unwrap_or_else(|message| panic!("{message}"));
        }
    }
}

pub fn include(header: &str) -> String {
    format!("#include <{header}>\n")
}

pub fn all_headers() -> String {
    headers().iter().filter(|name| !name.contains("_ipv")).map(|name| include(name)).collect()
}

/// A C program and a C++ program with the same text.
pub fn check_in_both(name: &str, nfnetlink: Nfnetlink, c: &str, cxx: &str) {
    let unit = Unit { name, source: c, language: Language::C, standard: "gnu17", nfnetlink };
    unit.check();
    Unit { source: cxx, language: Language::Cxx, standard: "c++17", ..unit }.check();
}
