//! Rules about the source that the compiler does not know.

use std::collections::BTreeMap;
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

/// The part of the crate a file belongs to: its folder, or its name.
fn part(file: &Path) -> String {
    let path = file.strip_prefix(source()).unwrap();
    path.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").into()
}

/// The code of a file, without its unit tests.
fn code(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    text.split("#[cfg(test)]").next().unwrap().to_owned()
}

#[test]
fn data_goes_one_way() {
    let allowed = BTreeMap::from([
        ("error", vec![]),
        ("ct", vec!["error", "ct"]),
        ("netlink", vec!["error", "netlink"]),
        ("filter", vec!["error", "ct", "filter"]),
        ("wire", vec!["error", "ct", "netlink", "filter", "wire"]),
        ("print", vec!["error", "ct", "print"]),
        ("flow_table", vec!["error", "ct", "filter", "netlink", "wire"]),
        ("events", vec!["error", "ct", "filter", "netlink", "wire"]),
    ]);
    for file in files(&source()) {
        let part = part(&file);
        if ["lib", "capi"].contains(&part.as_str()) {
            continue;
        }
        let code = code(&file);
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let Some((_, rest)) = line.split_once("crate::") else { continue };
            let used = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            assert!(
                allowed[part.as_str()].contains(&used),
                "{}: {part} must not use {used}: {line}",
                file.display()
            );
        }
    }
}

#[test]
fn wire_and_filter_make_no_system_call() {
    for file in files(&source()).iter().filter(|file| ["wire", "filter"].contains(&&*part(file))) {
        assert!(!code(file).contains("socket::"), "{}", file.display());
    }
}

#[test]
fn every_exported_function_goes_through_the_boundary() {
    let mut exported = 0;
    for file in files(&source().join("capi")) {
        let code = code(&file);
        for function in code.split("#[unsafe(no_mangle)]").skip(1) {
            let body = function.split("\n}\n").next().unwrap();
            let name = body.split("fn ").nth(1).unwrap().split('(').next().unwrap();
            let through = ["boundary(", "catch(h)", "query_with(", "send_with(", "load("]
                .iter()
                .any(|call| body.contains(call));
            assert!(through, "{}: {name}", file.display());
            exported += 1;
        }
    }
    assert_eq!(exported, 106);
}

#[test]
fn unsafe_is_in_three_places() {
    for file in files(&source()) {
        let path = file.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
        let may = path.starts_with("capi/")
            || ["netlink/calls.rs", "netlink/namespace.rs", "netlink/socket.rs", "ct/storage.rs"]
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

#[test]
fn files_fit_a_sitting() {
    for file in files(&source()) {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        // The headers' constants are one list.
        let list = file.ends_with("linux_nfnetlink_conntrack.rs") || file.ends_with("api.rs");
        assert!(lines <= 520 || list, "{}: {lines} lines", file.display());
    }
}
