//! Rules about the source that the compiler does not know.

use capi_tests::libraries::{LIBRARIES, Symbol};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../src")
}

/// The Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The room of the crate that a path of modules leads to: its first part, or two below `conntrack`
/// and `capi`.
fn room<'a>(path: impl Iterator<Item = &'a str>) -> String {
    let parts: Vec<&str> = path.take(2).collect();
    match parts[..] {
        [house @ ("conntrack" | "capi"), room] => format!("{house}/{room}"),
        [room, ..] => room.to_owned(),
        [] => String::new(),
    }
}

/// The room a file is in.
fn room_of(file: &Path) -> String {
    let path = file.strip_prefix(source()).unwrap().with_extension("");
    room(path.components().map(|part| part.as_os_str().to_str().unwrap()))
}

/// The code of a file, without its unit tests.
fn code(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    text.split("#[cfg(test)]").next().unwrap().to_owned()
}

#[test]
fn data_goes_one_way() {
    let objects = [
        "netlink",
        "uapi",
        "width",
        "invalid",
        "protocol",
        "conntrack/error",
        "conntrack/heap",
        "conntrack/labels",
        "conntrack/object",
        "conntrack/syntax",
    ];
    let typed = [
        "conntrack/change",
        "conntrack/expectation",
        "conntrack/fill",
        "conntrack/flow",
        "conntrack/key",
        "conntrack/new_flow",
        "conntrack/stats",
        "conntrack/tuple",
        "conntrack/values",
    ];
    let wire = ["conntrack/filter", "conntrack/wire"];
    let with = |rooms: &[&[&'static str]]| rooms.concat();
    let below = with(&[&objects, &typed, &wire, &["conntrack/print"]]);
    let faces = with(&[&below, &["conntrack/expression", "error", "options"]]);
    // A logged packet has a flow.
    let logged = with(&[&faces, &["nflog"]]);
    let mut allowed = BTreeMap::from([
        // What was asked tells why it was refused: of objects, the numbers of attributes.
        ("error", with(&[&objects, &["facts", "text", "error"]])),
        ("facts", vec!["netlink", "facts"]),
        ("conntrack/diagnose", vec!["netlink", "facts"]),
        ("options", vec!["netlink", "error", "shared"]),
        ("namespaces", vec!["netlink", "facts", "options", "record", "namespaces"]),
        ("netlink", vec!["netlink", "shared"]),
        ("record", vec![]),
        ("shared", vec![]),
        ("text", vec!["text"]),
        ("compile_fail", vec![]),
        ("uapi", vec![]),
        ("width", vec![]),
        ("conntrack/error", vec!["netlink", "text", "invalid", "conntrack/syntax"]),
        ("invalid", vec![]),
        ("protocol", vec!["invalid"]),
        (
            "timeout",
            with(&[
                &["netlink", "text", "uapi", "invalid", "protocol", "record", "facts"],
                &["error", "options", "connection", "timeout"],
            ]),
        ),
        (
            "helper",
            with(&[
                &["netlink", "text", "uapi", "protocol", "error", "options"],
                &["connection", "helper"],
            ]),
        ),
        ("conntrack/syntax", vec![]),
        ("conntrack/heap", vec!["conntrack/error"]),
        (
            "conntrack/labels",
            vec!["conntrack/error", "conntrack/heap", "invalid", "conntrack/labels"],
        ),
        ("conntrack/object", objects.to_vec()),
        ("conntrack/filter", with(&[&objects, &typed, &["conntrack/filter"]])),
        (
            "conntrack/expression",
            with(&[&objects, &typed, &wire, &["error", "conntrack/expression"]]),
        ),
        (
            "conntrack/serde",
            with(&[
                &objects,
                &typed,
                &["text", "conntrack/filter", "conntrack/events", "conntrack/json"],
            ]),
        ),
        ("conntrack/wire", with(&[&objects, &typed, &wire])),
        ("conntrack/selection", with(&[&objects, &wire, &["conntrack/expression"]])),
        ("conntrack/record", with(&[&objects, &typed, &["error", "record", "conntrack/record"]])),
        (
            "conntrack/json",
            with(&[&objects, &typed, &["text", "error", "conntrack/wire"], &["conntrack/json"]]),
        ),
        ("conntrack/zeroing", with(&[&objects, &wire])),
        ("conntrack/calls", with(&[&objects, &wire, &["conntrack/selection", "nested"]])),
        ("conntrack/print", with(&[&objects, &["text", "conntrack/print"]])),
        ("connection", vec!["netlink", "error", "options"]),
        ("conntrack/selects", with(&[&objects, &typed, &wire, &["conntrack/expression"]])),
        ("conntrack/dump", with(&[&faces, &["connection", "conntrack/dump", "conntrack/zeroing"]])),
        (
            "conntrack/listing",
            with(&[
                &faces,
                &["connection", "conntrack/dump", "conntrack/expression"],
                &["conntrack/record", "conntrack/selects"],
            ]),
        ),
        ("conntrack/asking", with(&[&faces, &["connection"]])),
        ("conntrack/batch", with(&[&faces, &["connection", "conntrack/asking"]])),
        (
            "conntrack/deletion",
            with(&[&faces, &["conntrack/batch", "connection", "conntrack/listing"]]),
        ),
        ("conntrack/one", with(&[&faces, &["conntrack/batch", "connection"]])),
        ("conntrack/returned", with(&[&faces, &["conntrack/one", "conntrack/table"]])),
        (
            "conntrack/table",
            with(&[
                &faces,
                &[
                    "conntrack/batch",
                    "connection",
                    "conntrack/deletion",
                    "conntrack/diagnose",
                    "conntrack/dump",
                ],
                &["conntrack/expression", "conntrack/listing", "conntrack/one"],
            ]),
        ),
        (
            "conntrack/expectations",
            with(&[
                &faces,
                &["connection", "conntrack/dump", "conntrack/listener"],
                &["conntrack/record", "conntrack/stream"],
            ]),
        ),
        ("conntrack/stream", with(&[&faces, &["record", "conntrack/dump", "conntrack/record"]])),
        (
            "conntrack/listener",
            with(&[
                &faces,
                &["conntrack/diagnose", "conntrack/selects", "conntrack/stream", "namespaces"],
            ]),
        ),
        (
            "conntrack/events",
            with(&[&faces, &["conntrack/listener", "conntrack/selects", "conntrack/stream"]]),
        ),
        (
            "conntrack/replica",
            with(&[
                &objects,
                &typed,
                &wire,
                &["conntrack/expression", "conntrack/replica", "conntrack/record"],
            ]),
        ),
        (
            "conntrack/mirror",
            with(&[
                &faces,
                &["connection", "facts", "record", "shared", "conntrack/dump"],
                &["conntrack/mirror", "conntrack/replica", "conntrack/stream"],
            ]),
        ),
        (
            "nflog",
            with(&[
                &logged,
                &["record", "text", "connection", "conntrack/dump", "conntrack/json"],
                &["conntrack/table"],
            ]),
        ),
        ("nested", vec![]),
        ("capi/ffi", vec!["nested", "netlink", "width", "text", "error", "capi/ffi"]),
        (
            "capi/conntrack",
            with(&[
                &faces,
                &["text", "width", "conntrack/calls", "conntrack/selection", "conntrack/zeroing"],
                &["connection", "nested", "shared", "conntrack/dump", "conntrack/stream"],
                &["capi/ffi", "capi/conntrack"],
            ]),
        ),
        // Objects of one library name the handle of another.
        (
            "capi/nflog",
            with(&[&logged, &["nested", "text", "capi/ffi", "capi/conntrack", "capi/nflog"]]),
        ),
        ("capi/timeout", with(&[&faces, &["timeout", "text", "capi/ffi", "capi/timeout"]])),
        ("capi/helper", with(&[&faces, &["helper", "text", "capi/ffi", "capi/helper"]])),
        ("capi/version", vec!["capi/ffi"]),
        (
            "capi/ctrs",
            with(&[
                &faces,
                &["conntrack/batch", "connection", "conntrack/diagnose"],
                &["conntrack/deletion", "conntrack/dump", "conntrack/json", "conntrack/listing"],
                &["conntrack/mirror", "conntrack/replica"],
                &["conntrack/one", "conntrack/record", "conntrack/stream"],
                &["record", "nflog", "timeout", "helper", "text", "shared", "namespaces"],
                &["capi/ffi", "capi/conntrack", "capi/timeout", "capi/helper", "capi/ctrs"],
            ]),
        ),
    ]);
    // What a flow has, as a Rust program says it: on the objects, and below requests.
    allowed.extend(typed.map(|room| (room, with(&[&objects, &typed]))));
    for file in files(&source()) {
        let here = room_of(&file);
        if here == "lib" || here.ends_with("/mod") {
            continue;
        }
        let code = code(&file);
        let code = code.replace("pub(in crate::capi)", "pub");
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for (_, rest) in
                line.match_indices("crate::").map(|(at, it)| line.split_at(at + it.len()))
            {
                let there = room(rest.split(|c: char| !c.is_alphanumeric() && c != '_').step_by(2));
                let known =
                    allowed.get(here.as_str()).unwrap_or_else(|| panic!("no rule for {here}"));
                assert!(
                    known.contains(&there.as_str()),
                    "{}: {here} must not use {there}: {line}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn wire_and_filter_make_no_system_call() {
    let silent = ["conntrack/wire", "conntrack/filter"];
    for file in files(&source()).iter().filter(|file| silent.contains(&&*room_of(file))) {
        assert!(!code(file).contains("socket::"), "{}", file.display());
    }
}

#[test]
fn every_exported_function_goes_through_the_boundary() {
    let mut exported = BTreeSet::new();
    for file in files(&source().join("capi")) {
        let code = code(&file);
        for function in code.split("#[unsafe(no_mangle)]").skip(1) {
            let body = function.split("\n}\n").next().unwrap();
            if body.trim_start().starts_with("pub static ") {
                continue;
            }
            let name = body.split("fn ").nth(1).unwrap().split('(').next().unwrap();
            let through = [
                "boundary(",
                "with_answer(",
                "set_functions::<",
                "catch(h)",
                "query_with(",
                "send_with(",
                "load(",
            ]
            .iter()
            .chain(&["with_handle(", "without_handle(", "with_list(", "change_named("])
            .chain(&["work(log", "read(log", "hear(h", "handle(h, buf", "work(mirror", "look("])
            .chain(&[
                "ask_for_family(",
                "ask_for(gh",
                "set(gh",
                "number(nfad",
                "place(nfad",
                "store(nfad",
            ])
            .any(|call| body.contains(call));
            assert!(through, "{}: {name}", file.display());
            exported.insert(name.to_owned());
        }
    }
    for library in LIBRARIES.iter().filter(|library| !library.unfinished) {
        let mut functions = library.symbols().into_iter().filter(Symbol::is_function);
        assert!(functions.all(|symbol| exported.contains(&symbol.name)), "{}", library.name);
    }
}

#[test]
fn unsafe_is_in_few_places() {
    for file in files(&source()) {
        let path = file.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
        let may = path.starts_with("capi/")
            || [
                "namespaces/record.rs",
                "netlink/syscalls.rs",
                "netlink/namespace.rs",
                "netlink/datagrams.rs",
                "netlink/ready.rs",
                "netlink/settings.rs",
                "netlink/socket.rs",
                "netlink/wait.rs",
                "netlink/words.rs",
                "record.rs",
                "shared.rs",
                "facts/folder.rs",
                "facts/ticks.rs",
                "conntrack/heap.rs",
                "conntrack/mirror/record.rs",
                "helper/policies.rs",
                "timeout/record.rs",
                "conntrack/object/layout.rs",
                "conntrack/record/layout.rs",
                "conntrack/stream/record.rs",
                "nflog/record/layout.rs",
            ]
            .contains(&path.as_str());
        let code: String =
            code(&file).lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let uses =
            code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl");
        assert!(may || !uses, "{path}");
        let forbids = code.contains("#![forbid(unsafe_code)]");
        assert!(may || forbids || path.ends_with("mod.rs") || path == "lib.rs", "{path}");
    }
}

/// Why a block is sound must be said of this block: that its function asks for something is no reason.
#[test]
fn safety_comments_say_why() {
    let empty = ["this function's contract", "the same contract", "the caller's promise"];
    for file in files(&source()) {
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let (_, comment) = line.split_once("// SAFETY: ").unwrap_or_default();
            let number = number + 1;
            assert!(!empty.iter().any(|start| comment.starts_with(start)), "{file:?}:{number}");
        }
    }
}

#[test]
fn files_fit_a_sitting() {
    for file in files(&source()) {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        // The headers' constants are one list.
        let list = file.ends_with("linux_nfnetlink_conntrack.rs") || file.ends_with("api.rs");
        assert!(lines <= 520 || list, "{}: {lines} lines", file.display());
    }
}
