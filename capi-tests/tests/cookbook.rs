//! The cookbook shows what is in the files that it links to, each task in three languages, and the
//! script that runs them knows all.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every page of documentation, with its path.
fn pages() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["docs", "docs/cookbook"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                let path = format!("{folder}/{name}");
                found.push((path.clone(), read(path)));
            }
        }
    }
    found
}

/// The files that a page shows, in lines that are a link with a colon behind, and the code below.
fn shown(page: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for part in page.split("\n[`").skip(1) {
        let Some((file, rest)) = part.split_once("`](") else { continue };
        let Some((_, rest)) = rest.split_once("):\n\n```") else { continue };
        let Some((line, code)) = rest.split_once('\n') else { continue };
        if !line.contains(' ') {
            found.push((file, code.split("\n```").next().unwrap()));
        }
    }
    found
}

#[test]
fn code_below_a_link_is_that_of_the_file() {
    let mut checked = 0;
    for (path, page) in pages() {
        for (file, code) in shown(&page) {
            let there = format!("\n{}", read(file)).contains(&format!("\n{code}\n"));
            assert!(there && !code.is_empty(), "{path} shows what is not in {file}:\n{code}");
            checked += 1;
        }
    }
    assert!(checked >= 58, "{checked}");
}

/// The sections of a page: what its link ends with, and the text.
fn sections(page: &str) -> impl Iterator<Item = (String, &str)> {
    page.split("\n## ").skip(1).map(|section| {
        let title = section.lines().next().unwrap().to_lowercase().replace(' ', "-");
        let kept = |c: &char| c.is_alphanumeric() || *c == '-';
        (title.chars().filter(kept).collect(), section)
    })
}

#[test]
fn each_of_twenty_tasks_is_done_in_three_languages() {
    let index = read("docs/cookbook/README.md");
    let links = index.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(") |"));
    let tasks: Vec<_> = links.map(|link| link.split_once('#').unwrap()).collect();
    assert_eq!(tasks.len(), 20, "{tasks:?}");
    for (page, anchor) in tasks {
        let page = read(Path::new("docs/cookbook").join(page));
        let (_, section) = sections(&page).find(|(name, _)| name == anchor).expect(anchor);
        for folder in ["examples-c/", "examples/", "examples-sh/"] {
            let links = section.split("](../../").skip(1);
            assert!(links.clone().any(|link| link.starts_with(folder)), "{anchor}: no {folder}");
        }
    }
}

#[test]
fn what_the_cookbook_shows_is_run() {
    let mut script = read("capi-tests/cookbook.sh");
    for part in ["look", "inspect", "change", "watch", "packets"] {
        script += &read(format!("capi-tests/cookbook/{part}.bash"));
    }
    let words: Vec<_> =
        script.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').collect();
    for (path, page) in pages().iter().filter(|(path, _)| path.starts_with("docs/cookbook")) {
        for (file, _) in shown(page) {
            let name = Path::new(file).file_stem().unwrap().to_str().unwrap();
            let (name, dashed) = (name.to_owned(), name.replace('_', "-"));
            let run = words.contains(&&name[..]) || words.contains(&&dashed[..]);
            assert!(run, "{path} shows {file}, which nothing runs");
        }
    }
}
