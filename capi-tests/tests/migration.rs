//! The pages about the libraries that ctrs takes the place of: each has every function of the original,
//! and names no function that there is not.
#![forbid(unsafe_code)]

use capi_tests::libraries::LIBRARIES;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands in backticks and looks like a function, or with a star behind it like several.
fn functions(page: &str) -> impl Iterator<Item = &str> {
    let text = page.split("```").step_by(2);
    let quoted = text.flat_map(|text| text.split('`').skip(1).step_by(2));
    let names = quoted.map(|name| name.split(['(', ' ']).next().unwrap());
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '*';
    names.filter(move |name| {
        let ours =
            ["nfct_", "nfexp_", "nflog_", "ctrs_"].iter().any(|start| name.starts_with(start));
        ours && *name != "ctrs_" && name.chars().all(plain)
    })
}

/// Whether a function is meant by a name, or by the beginning of one.
fn means(name: &str, function: &str) -> bool {
    match name.strip_suffix('*') {
        Some(start) => function.starts_with(start),
        None => name == function,
    }
}

#[test]
fn every_function_of_an_original_has_its_place() {
    for library in &LIBRARIES {
        let page = read(&format!("docs/migrate-{}.md", library.name));
        let names: Vec<_> = functions(&page).collect();
        for symbol in library.symbols() {
            let told = names.iter().any(|name| means(name, &symbol.name));
            assert!(told, "{} has no place in the page of {}", symbol.name, library.name);
        }
    }
}

#[test]
fn pages_name_functions_that_there_are() {
    let exports = read("capi-tests/abi/exports.txt");
    let exported: Vec<_> = exports.lines().filter_map(|line| line.split('@').next()).collect();
    let mut checked = 0;
    for library in &LIBRARIES {
        let page = read(&format!("docs/migrate-{}.md", library.name));
        for name in functions(&page) {
            let found = exported.iter().any(|function| means(name, function));
            assert!(found, "{} names {name}", library.name);
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked}");
}
