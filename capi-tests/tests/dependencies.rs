//! What the library depends on: few crates, all under its own licences. And what a Rust program that
//! depends on it gets: no function of the C interface.

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// The crates in the library, and those that run while it is compiled.
const LINKED: [&str; 3] = ["bitflags", "libc", "thiserror"];
const COMPILING: [&str; 5] = ["proc-macro2", "quote", "syn", "thiserror-impl", "unicode-ident"];

/// What the feature `serde` adds.
const SERDE: [&str; 3] = ["serde", "serde_core", "serde_derive"];

/// What a program prints.
fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What cargo knows of the library, with some features.
fn metadata(features: &[&str]) -> Value {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let metadata = ["metadata", "--format-version", "1", "--locked", "--manifest-path", manifest];
    let text = output(Command::new(env!("CARGO")).args(metadata).args(features));
    serde_json::from_slice(&text).unwrap()
}

/// The entry of a list whose `id` is `id`.
fn by_id<'a>(list: &'a Value, id: &Value) -> &'a Value {
    list.as_array().unwrap().iter().find(|entry| entry["id"] == *id).unwrap()
}

/// Adds the packages that a package needs to be built and run, tests aside.
fn closure<'a>(metadata: &'a Value, id: &'a Value, found: &mut BTreeSet<&'a str>) {
    for dependency in by_id(&metadata["resolve"]["nodes"], id)["deps"].as_array().unwrap() {
        let kinds = dependency["dep_kinds"].as_array().unwrap();
        if kinds.iter().any(|kind| kind["kind"] != "dev")
            && found.insert(dependency["pkg"].as_str().unwrap())
        {
            closure(metadata, &dependency["pkg"], found);
        }
    }
}

/// The ids of the library and of all that it needs.
fn needed(metadata: &Value) -> BTreeSet<&str> {
    let packages = metadata["packages"].as_array().unwrap();
    let ctrs = packages.iter().find(|package| package["name"] == "ctrs").unwrap();
    let mut ids = BTreeSet::new();
    closure(metadata, &ctrs["id"], &mut ids);
    ids
}

/// The names of what the library depends on with some features, all of which may be used with it.
fn dependencies(features: &[&str]) -> BTreeSet<String> {
    let metadata = metadata(features);
    let mut names = BTreeSet::new();
    for id in needed(&metadata) {
        let package = by_id(&metadata["packages"], &id.into());
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap();
        let free = ["MIT OR Apache-2.0", "Apache-2.0 OR MIT"].contains(&licence);
        // The tables of this one have a licence too, and stay in the compiler.
        assert!(
            free || name == "unicode-ident" && licence == "(MIT OR Apache-2.0) AND Unicode-3.0",
            "{name}: {licence}"
        );
        let source = package["source"].as_str();
        assert_eq!(source, Some("registry+https://github.com/rust-lang/crates.io-index"), "{name}");
        names.insert(name.to_owned());
    }
    names
}

#[test]
fn the_library_depends_on_these_crates_alone() {
    let few: BTreeSet<_> = LINKED.into_iter().chain(COMPILING).map(str::to_owned).collect();
    assert_eq!(dependencies(&[]), few);
    assert_eq!(dependencies(&["--features", "capi"]), few);
    let more = few.into_iter().chain(SERDE.map(str::to_owned)).collect();
    assert_eq!(dependencies(&["--features", "serde"]), more);
}

/// Programs that lock their dependencies lock these, so what only a test needs is not among them.
#[test]
fn the_lock_file_holds_what_features_need_alone() {
    let metadata = metadata(&["--all-features"]);
    let locked = metadata["packages"].as_array().unwrap().len();
    assert_eq!(locked, needed(&metadata).len() + 1);
}

/// `dependant` is a library in Rust that uses `ctrs` and exports one function of its own.
#[test]
fn rust_programs_export_no_c_functions() {
    let build = ["build", "--locked", "--package", "dependant", "--message-format", "json"];
    let messages =
        output(Command::new(env!("CARGO")).args(build).current_dir(env!("CARGO_MANIFEST_DIR")));
    let library = String::from_utf8(messages)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|message| message["target"]["name"] == "dependant")
        .find_map(|message| message["filenames"][0].as_str().map(str::to_owned))
        .unwrap();
    let symbols = output(Command::new("nm").args(["--dynamic", "--defined-only", &library]));
    let symbols = String::from_utf8(symbols).unwrap();
    let names: Vec<_> = symbols.lines().filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(names, ["dependant_count"]);
}

#[test]
fn what_is_published_compiles() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let package = ["package", "--quiet", "--offline", "--allow-dirty", "--manifest-path", manifest];
    output(Command::new(env!("CARGO")).args(package));
}
