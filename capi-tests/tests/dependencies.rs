//! What the library depends on: few crates, all under its own licences.

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// The crates in the library, and those that run while it is compiled.
const LINKED: [&str; 3] = ["bitflags", "libc", "thiserror"];
const COMPILING: [&str; 5] = ["proc-macro2", "quote", "syn", "thiserror-impl", "unicode-ident"];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
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

#[test]
fn the_library_depends_on_these_crates_alone() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let ctrs = packages.iter().find(|package| package["name"] == "ctrs").unwrap();
    let mut ids = BTreeSet::new();
    closure(&metadata, &ctrs["id"], &mut ids);
    let mut names = BTreeSet::new();
    for id in ids {
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
        names.insert(name);
    }
    assert_eq!(names, LINKED.into_iter().chain(COMPILING).collect());
}
