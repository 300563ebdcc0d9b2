//! Expressions: those that documents show, and programs for events against their meaning.
#![forbid(unsafe_code)]

use ctrs::conntrack::expression::docs::Table;
use ctrs::{Expression, Flow, Truth};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands in backticks, single ones.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2))
}

/// Words that make a text in backticks an expression, and nothing else that documents quote.
fn looks_like_one(text: &str) -> bool {
    let fields = [
        "tcp", "udp", "icmp", "ipv4", "ipv6", "src", "dst", "host", "sport", "dport", "port",
        "mark", "zone", "label", "helper", "timeout", "age", "bytes", "not", "any", "reply",
        "orig", "snat", "dnat", "natted", "assured", "replied", "expected", "proto", "family",
    ];
    text.split_once(' ').is_some_and(|(first, _)| fields.contains(&first))
}

/// Every expression that a document shows compiles.
#[test]
fn documents_show_expressions_that_compile() {
    let mut checked = 0;
    let mut check = |document: &str, text: &str| {
        if let Err(error) = text.parse::<Expression>() {
            panic!("{document}: {text}: {error}");
        }
        checked += 1;
    };
    let pages = ["docs/expressions.md", "docs/ffi.md", "docs/json.md", "README.md", "CHANGELOG.md"];
    let cookbook = ["change", "inspect", "look", "packets", "watch"];
    let cookbook = cookbook.map(|page| format!("docs/cookbook/{page}.md"));
    for document in pages.into_iter().chain(cookbook.iter().map(String::as_str)) {
        let text = read(document);
        for block in text.split("```expression\n").skip(1) {
            check(document, block.split("\n```").next().unwrap().trim());
        }
        // "`tcp state`" names a field, and is no expression.
        let names = ["tcp state", "sctp state", "dccp state", "icmp type", "icmp code", "icmp id"];
        for text in quoted(&text).filter(|text| looks_like_one(text) && !names.contains(text)) {
            check(document, text);
        }
        for line in text.lines().filter_map(|line| line.strip_prefix("$ explain '")) {
            check(document, line.trim_end_matches('\''));
        }
    }
    // Of sources: what is handed to a compiler or a parser.
    for folder in [".", "include", "examples-c", "examples"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let name = path.display().to_string();
            for call in text.split("ctrs_filter_compile(\"").skip(1) {
                check(&name, &call.split("\", ").next().unwrap().replace("\\\"", "\""));
            }
        }
    }
    assert!(checked > 30, "{checked} expressions");
}

#[test]
fn the_table_of_fields_is_that_of_the_library() {
    let (page, table) = (read("docs/expressions.md"), Table.to_string());
    assert!(page.contains(&table), "docs/expressions.md lacks this table:\n{table}");
}

/// Of the flows of the page, by their numbers.
#[test]
fn examples_select_what_the_page_says() {
    let page = read("docs/expressions.md");
    let (_, section) = page.split_once("\n## Examples\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let flows = section.lines().filter(|line| line.starts_with('{'));
    let flows: Vec<_> = flows.map(|line| Flow::from_json(line).unwrap()).collect();
    let mut checked = 0;
    for row in section.lines().filter_map(|line| line.strip_prefix("| `")) {
        let (text, rest) = row.split_once("` | ").unwrap();
        let (wanted, _) = rest.split_once('|').unwrap();
        let expression: Expression = text.parse().unwrap();
        let selected = (1..).zip(&flows);
        let selected = selected.filter(|(_, flow)| expression.matches(flow) == Truth::True);
        let selected: Vec<_> = selected.map(|(number, _)| number.to_string()).collect();
        assert_eq!(selected.join(", "), wanted.trim(), "{text}");
        checked += 1;
    }
    assert!(flows.len() == 5 && checked > 20, "{checked}");
}

#[test]
fn what_explain_says_is_what_the_page_shows() {
    let page = read("docs/expressions.md");
    let (_, shown) = page.split_once("$ explain '").unwrap();
    let (text, rest) = shown.split_once("'\n").unwrap();
    let expression: Expression = text.parse().unwrap();
    let explained = expression.explain().unwrap().to_string();
    assert_eq!(rest.split("\n```").next().unwrap(), explained);
}

#[test]
fn the_error_that_the_page_shows_is_that_of_the_library() {
    let page = read("docs/expressions.md");
    let (before, shown) = page.split_once("^ nothing has this name").unwrap();
    let text = before.lines().rev().nth(1).unwrap();
    let error = text.parse::<Expression>().unwrap_err();
    assert_eq!(error.offset(), Some(before.lines().next_back().unwrap().len()));
    let shown = format!("nothing has this name{}", shown.lines().next().unwrap());
    assert_eq!(error.to_string(), shown);
}
