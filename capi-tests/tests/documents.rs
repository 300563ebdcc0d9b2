//! The documents name files that exist, and every public type is in an example.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

const DOCUMENTS: &[&str] = &[
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "capi-tests/README.md",
    "docs/architecture.md",
    "docs/build-systems.md",
    "docs/cookbook/README.md",
    "docs/cookbook/change.md",
    "docs/cookbook/inspect.md",
    "docs/cookbook/look.md",
    "docs/cookbook/packets.md",
    "docs/cookbook/watch.md",
    "docs/differences.md",
    "docs/events.md",
    "docs/expressions.md",
    "docs/ffi.md",
    "docs/json.md",
    "docs/kernels.md",
    "docs/migrate-libnetfilter_conntrack.md",
    "docs/migrate-libnetfilter_cthelper.md",
    "docs/migrate-libnetfilter_cttimeout.md",
    "docs/migrate-libnetfilter_log.md",
    "docs/packaging.md",
    "docs/drop-in.md",
    "docs/robustness.md",
    "docs/services.md",
    "docs/performance.md",
];

/// Whether a name in backticks is one of a file or folder here.
fn is_path(name: &str) -> bool {
    let start = [
        "src/",
        "bindings/",
        "capi-tests/",
        "docs/",
        "include/",
        "man/",
        "fuzz/",
        "examples/",
        "examples-c/",
        "examples-sh/",
        "packaging/",
        "pkgconfig/",
    ];
    let plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    start.iter().any(|start| name.starts_with(start)) && name.chars().all(plain)
}

/// What a document links to, and the files it names in backticks.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let links = links.filter(|link| !link.is_empty() && !link.contains("://"));
    let quoted = text.split('`').skip(1).step_by(2).filter_map(|code| code.split(' ').next());
    links.chain(quoted.filter(|name| is_path(name) && !name.contains("NAME")))
}

#[test]
fn documents_name_files_that_exist() {
    let mut checked = 0;
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(root().join(document)).expect(document);
        let beside = root().join(document);
        for name in named(&text) {
            let exists = root().join(name).exists() || beside.with_file_name(name).exists();
            assert!(exists, "{document} names {name}");
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked} names");
}

/// The block of code behind the link to a file.
fn shown<'a>(text: &'a str, file: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("{file})"))?;
    let (_, block) = rest.split_once("\n```")?;
    let (_, code) = block.split_once('\n')?;
    code.split_once("```\n").map(|(code, _)| code)
}

#[test]
fn documents_show_programs_as_they_are() {
    for (document, file) in [
        ("README.md", "examples-c/sum.c"),
        ("docs/build-systems.md", "capi-tests/systems/make/Makefile"),
        ("docs/build-systems.md", "capi-tests/systems/cmake/CMakeLists.txt"),
        ("docs/build-systems.md", "capi-tests/systems/meson/meson.build"),
        ("docs/build-systems.md", "capi-tests/systems/autoconf/configure.ac"),
        ("docs/build-systems.md", "capi-tests/systems/autoconf-search/configure.ac"),
        ("docs/ffi.md", "bindings/python/flows.py"),
        ("docs/ffi.md", "bindings/go/flows.go"),
        ("docs/ffi.md", "bindings/luajit/flows.lua"),
        ("docs/ffi.md", "bindings/cpp/flows.cpp"),
    ] {
        let text = std::fs::read_to_string(root().join(document)).expect(document);
        let program = std::fs::read_to_string(root().join(file)).expect(file);
        assert_eq!(shown(&text, file), Some(&program[..]), "{document} shows another {file}");
    }
}

/// The Rust files below a folder, one after the other.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(path).unwrap();
        }
    }
    text
}

/// The examples in the documentation of some code, those that are run: no `no_run` and the like.
fn run_with_documentation(code: &str) -> String {
    let lines = code.lines().map(str::trim_start);
    let lines = lines.filter_map(|line| line.strip_prefix("///").or(line.strip_prefix("//!")));
    let (mut examples, mut inside) = (String::new(), None);
    for line in lines.map(|line| line.strip_prefix(' ').unwrap_or(line)) {
        match (line.strip_prefix("```"), inside) {
            (Some(kind), None) => inside = Some(kind.is_empty()),
            (Some(_), Some(_)) => inside = None,
            (None, Some(true)) => examples.extend([line, "\n"]),
            (None, _) => {}
        }
    }
    examples
}

/// The names that the library exports.
fn exported(library: &str) -> Vec<&str> {
    let uses = library.split("\npub use ").skip(1);
    let paths = uses.filter_map(|rest| rest.split(';').next());
    let names = paths.flat_map(|path| match path.split_once('{') {
        Some((_, list)) => list.trim_end_matches('}').split(',').map(str::trim).collect(),
        None => vec![path.rsplit("::").next().unwrap()],
    });
    let names = names.map(|name| name.split_once(" as ").map_or(name, |(_, name)| name));
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_public_type_is_in_an_example_that_runs() {
    let examples =
        sources(&root().join("examples")) + &run_with_documentation(&sources(&root().join("src")));
    let words: Vec<_> = examples.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let library = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let names = exported(&library);
    assert!(names.len() > 40 && names.contains(&"SynProxy"), "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !words.contains(name)).collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
}
