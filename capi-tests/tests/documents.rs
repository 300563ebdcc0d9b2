//! The documents name files that exist.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

const DOCUMENTS: [&str; 8] = [
    "README.md",
    "CONTRIBUTING.md",
    "capi-tests/README.md",
    "docs/architecture.md",
    "docs/differences.md",
    "docs/drop-in.md",
    "docs/robustness.md",
    "docs/performance.md",
];

/// Whether a name in backticks is one of a file or folder here.
fn is_path(name: &str) -> bool {
    let start = ["src/", "capi-tests/", "docs/", "include/", "fuzz/", "examples-c/", "pkgconfig/"];
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
