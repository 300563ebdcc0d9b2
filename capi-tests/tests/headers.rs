//! The headers in `include/` are what cbindgen makes of `src/capi`, today.
//!
//! `CTRS_UPDATE_HEADERS=1 cargo test --manifest-path capi-tests/Cargo.toml --test headers` writes them.
#![forbid(unsafe_code)]

mod header;

use capi_tests::libraries::{LIBRARIES, Symbol};
use cbindgen::{Builder, Config};
use header::{HEADERS, Header, Section, Text, ctrs};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether the compiler never sees this source.
fn is_header_only(source: &Path) -> bool {
    source.parent().is_some_and(|directory| directory.ends_with("header"))
}

/// The types that a source declares: cbindgen has to be told about those no function mentions.
fn declared_types(source: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(source).unwrap_or_else(|e| panic!("{source:?}: {e}"));
    let name = |line: &str| {
        let rest = ["pub enum ", "pub struct ", "pub union "]
            .iter()
            .find_map(|keyword| line.strip_prefix(keyword))?;
        rest.split([' ', ';']).next().map(str::to_owned)
    };
    text.lines().filter_map(name).collect()
}

/// The sources of the types that main headers declare.
const OBJECTS: [&str; 4] =
    ["conntrack/types.rs", "nflog/types.rs", "timeout/types.rs", "helper/types.rs"];

/// What cbindgen makes of the sources of a header, each declaration with its comment.
fn declarations(header: &Header) -> Vec<String> {
    let sources: Vec<_> =
        header.sources.iter().map(|name| root().join("src/capi").join(name)).collect();
    let mut config = Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml");
    // What has another name in C is declared there, but for what ctrs adds.
    let elsewhere = config.export.rename.iter().filter(|(_, name)| !name.starts_with("ctrs_"));
    config.export.exclude.extend(elsewhere.map(|(name, _)| name.clone()));
    // A header that includes a main one, or names its objects, finds them declared there.
    for elsewhere in OBJECTS.iter().filter(|objects| !header.sources.contains(objects)) {
        let mut objects = declared_types(&root().join("src/capi").join(elsewhere));
        objects.retain(|name| !config.export.rename.contains_key(name));
        config.export.exclude.extend(objects.iter().cloned());
        let tags = objects.into_iter().map(|name| (name.clone(), format!("struct {name}")));
        config.export.rename.extend(tags);
    }
    let declared = |path: &PathBuf| {
        let all = path.ends_with("types.rs") || is_header_only(path);
        declared_types(path).into_iter().filter(move |name| all || name.starts_with("ctrs_"))
    };
    config.export.include = sources.iter().flat_map(declared).collect();
    let builder = sources.iter().fold(Builder::new().with_config(config), Builder::with_src);
    let mut text = Vec::new();
    builder.generate().expect("cbindgen").write(&mut text);
    let text = String::from_utf8(text).expect("headers are ASCII");
    text.split("\n\n").map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

/// What a declaration declares.
fn name_of(declaration: &str) -> &str {
    let code = declaration
        .lines()
        .map(|line| line.trim_start_matches("__attribute__((deprecated))").trim_start())
        .find(|line| !line.is_empty() && !line.starts_with("///"))
        .unwrap_or_else(|| panic!("only a comment: {declaration}"));
    let head = code.split(['(', '{', ';']).next().unwrap_or(code);
    let keyword = ["#define ", "enum ", "struct ", "union "];
    let type_name = keyword.iter().find_map(|keyword| code.strip_prefix(keyword));
    match type_name.filter(|_| !code.contains('(') || code.starts_with('#')) {
        Some(rest) => rest.split([' ', '{', ';']).next(),
        None => head.rsplit([' ', '*']).next(),
    }
    .unwrap_or(head)
}

fn is_function(declaration: &str) -> bool {
    let name = name_of(declaration);
    !declaration.contains("#define ") && declaration.contains(&format!("{name}("))
}

/// How well a name of a section fits: the longer the better.
fn fit(pattern: &str, name: &str) -> Option<usize> {
    let fits = match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    };
    fits.then_some(pattern.len())
}

/// Where a declaration stands: section, and place in it.
fn place(sections: &[Section], name: &str) -> (usize, usize) {
    let places = sections.iter().enumerate().flat_map(|(section, of)| {
        let fit = move |(at, pattern): (_, &&str)| Some((fit(pattern, name)?, section, at));
        of.names.iter().enumerate().filter_map(fit)
    });
    let (_, section, at) = places.max().unwrap_or_else(|| {
        panic!("{name} is in no section of the header: give it a place in capi-tests/tests/header")
    });
    (section, at)
}

const RULE: &str = "========================================================================";

/// The declarations under their headings.
fn in_sections(declarations: &[String], sections: &[Section]) -> Vec<String> {
    let mut placed: Vec<_> =
        declarations.iter().map(|one| (place(sections, name_of(one)), one)).collect();
    placed.sort_by_key(|(place, _)| *place);
    let titles = sections.iter().map(|section| format!(" *     {}\n", section.title));
    let mut parts = vec![format!("/* In this order:\n *\n{} */", titles.collect::<String>())];
    for (number, section) in sections.iter().enumerate() {
        let left_out = ctrs::LEFT_OUT.iter().find(|(words, _)| section.title.contains(words));
        parts.extend(left_out.map(|(_, name)| format!("#ifndef {name}")));
        parts.push(format!("/* {RULE}\n * {}\n * {RULE} */", section.title));
        parts.extend(Some(section.text.to_owned()).filter(|text| !text.is_empty()));
        let here = placed.iter().filter(|((section, _), _)| *section == number);
        parts.extend(here.map(|(_, one)| (*one).clone()));
        parts.extend(left_out.map(|(_, name)| format!("#endif /* {name} */")));
    }
    parts
}

fn generate(header: &Header) -> String {
    let declarations = declarations(header);
    let text = match header.text {
        Text::Here(text) => text.to_owned(),
        Text::File(name) => std::fs::read_to_string(root().join("src/capi").join(name)).unwrap(),
    };
    let guard = header.guard;
    let mut parts = vec![
        "/* SPDX-License-Identifier: MIT OR Apache-2.0 */".to_owned(),
        format!("#ifndef {guard}\n#define {guard}"),
        "/* Generated by cbindgen from src/capi: change it there. */".to_owned(),
    ];
    parts.extend(Some(text.trim().to_owned()).filter(|text| !text.is_empty()));
    let has_linkage = |one: &String| is_function(one) || one.contains("\nextern ");
    let has_linkage = declarations.iter().any(has_linkage);
    if has_linkage {
        parts.push("#ifdef __cplusplus\nextern \"C\" {\n#endif".to_owned());
    }
    match header.sections {
        [] => parts.extend(declarations),
        sections => parts.extend(in_sections(&declarations, sections)),
    }
    if has_linkage {
        parts.push("#ifdef __cplusplus\n} /* extern \"C\" */\n#endif".to_owned());
    }
    parts.push(format!("#endif /* {guard} */"));
    for_c(&with_version(&(parts.join("\n\n") + "\n")))
}

/// The text with the numbers of the package, which is the one place that has them.
fn with_version(text: &str) -> String {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let line = manifest.lines().find_map(|line| line.strip_prefix("version = "));
    let version = line.expect("the package has a version").trim_matches('"');
    let parts = version.split('.').map(|part| part.parse().expect("three numbers"));
    let number = parts.fold(0_u32, |number, part: u8| number << 8 | u32::from(part));
    text.replace("@VERSION@", version).replace("@NUMBER@", &format!("0x{number:06x}"))
}

/// The enums that have no tag in C: a generator of bindings puts a tag before the constants' names.
const ANONYMOUS: [&str; 9] = [
    "nfct_callback_result",
    "nfct_compare_flags",
    "nfct_copy_flags",
    "nfct_get_option",
    "nfct_output_flags",
    "nfct_output_type",
    "nfct_set_option",
    "nfct_subsystem",
    "nfct_timeout_output_type",
];

/// Declarations as C90 and C++98 have them: block comments, and no comma behind the last
/// enumerator. cbindgen writes neither: its own block comments take two lines more.
fn for_c(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some((indent, first)) = comment(line) {
            let mut all = vec![first];
            while let Some((_, next)) = lines.peek().and_then(|line| comment(line)) {
                all.push(next);
                lines.next();
            }
            out += &block_comment(indent, &all);
        } else if let Some(tag) = ANONYMOUS.iter().find(|tag| *line == format!("enum {tag} {{")) {
            out += &line.replacen(&format!("{tag} "), "", 1);
        } else {
            let last = lines.peek().is_some_and(|next| *next == "};");
            let line = if last { line.trim_end_matches(',') } else { line };
            // A type of functions: a callback is a pointer to one.
            let line = &line.replace("nflog_callback * ", "nflog_callback *");
            out += &if line.contains(" | ") { alternatives(line) } else { line.to_owned() };
        }
        out.push('\n');
    }
    out
}

/// A constant of flags, as one would write it: cbindgen puts every two of them into parentheses.
fn alternatives(line: &str) -> String {
    let (head, value) = line.split_at(line.find('(').unwrap());
    let (value, end) = value.split_at(value.rfind(')').unwrap() + 1);
    let continued = if head.starts_with('#') { " \\" } else { "" };
    let mut lines = vec![format!("{head}(")];
    for flag in value.split(" | ").map(|flag| flag.trim_matches(['(', ')'])) {
        let first = lines.last().is_some_and(|line| line.ends_with('('));
        let flag = if first { flag.to_owned() } else { format!(" | {flag}") };
        match lines.last_mut() {
            Some(line) if line.len() + flag.len() < 95 => *line += &flag,
            _ => lines.push(format!("       {flag}")),
        }
    }
    lines.join(&format!("{continued}\n")) + ")" + end
}

/// The indentation and the text of a line of a doc comment.
fn comment(line: &str) -> Option<(&str, &str)> {
    line.split_once("///").filter(|(indent, _)| indent.trim().is_empty())
}

/// A doc comment as C has it. What Rust asks for under `# Safety` is left out: for all of C it is
/// said once, in the rules at the top. So are examples in Rust. Nor does C mark names.
fn block_comment(indent: &str, lines: &[&str]) -> String {
    let told = lines.iter().take_while(|line| !["# Safety", "# Examples"].contains(&line.trim()));
    let mut text = told.map(|line| line.replace('`', "")).collect::<Vec<_>>().join("\n");
    text.truncate(text.trim_end().len());
    let text = text.replace('\n', &format!("\n{indent} *"));
    let width = indent.len() + text.lines().last().unwrap_or_default().trim_start().len() + 7;
    let end = if width > 100 { format!("\n{indent} */") } else { " */".to_owned() };
    format!("{indent}/**{text}{end}")
}

/// What is installed for readers without a preprocessor.
fn cdef() -> String {
    let named = |path: &&str| HEADERS.iter().find(|header| header.path == *path);
    header::cdef::cdef(header::cdef::HEADERS.iter().filter_map(named).map(generate))
}

/// The first line that differs, for a message.
fn first_difference(old: &str, new: &str) -> String {
    let (mut old, mut new) = (old.lines(), new.lines());
    for number in 1.. {
        let (old, new) = (old.next(), new.next());
        if old != new {
            return format!("line {number}: {old:?} is to be {new:?}");
        }
        if old.is_none() {
            break;
        }
    }
    "line ends differ".to_owned()
}

#[test]
fn committed_headers_are_up_to_date() {
    let update = std::env::var_os("CTRS_UPDATE_HEADERS").is_some_and(|value| value == "1");
    let mut stale = Vec::new();
    let headers = HEADERS.iter().map(|header| (header.path, generate(header)));
    for (path, new) in headers.chain([("ctrs.cdef", cdef())]) {
        let path = root().join("include").join(path);
        let old = std::fs::read_to_string(&path).unwrap_or_default();
        if old == new {
            continue;
        }
        if update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, new).unwrap();
        } else {
            stale.push(format!("{}: {}", path.display(), first_difference(&old, &new)));
        }
    }
    assert!(
        stale.is_empty(),
        "include/ is not what src/capi says; write it with\n    \
         CTRS_UPDATE_HEADERS=1 cargo test --manifest-path capi-tests/Cargo.toml --test headers\n{}",
        stale.join("\n")
    );
}

#[test]
fn every_exporting_source_is_read() {
    let listed: Vec<_> = HEADERS.iter().flat_map(|header| header.sources).collect();
    let rooms = std::fs::read_dir(root().join("src/capi")).unwrap();
    let rooms = rooms.map(|room| room.unwrap().path()).filter(|room| room.is_dir());
    for entry in rooms.flat_map(|room| std::fs::read_dir(room).unwrap()) {
        let path = entry.unwrap().path();
        let exports = path.is_file()
            && std::fs::read_to_string(&path).unwrap().contains("#[unsafe(no_mangle)]");
        let listed = listed.iter().any(|name| path.ends_with(name));
        assert!(
            !exports || listed,
            "{path:?} exports functions: add it to the sources of a header in capi-tests/tests/header"
        );
    }
}

#[test]
fn c_readers_find_no_rust_in_the_headers() {
    for header in &HEADERS {
        let text = generate(header);
        for word in ["# Safety", "Rust", "`", "Option<", "::", "&mut", "unsafe", "contract"] {
            assert!(!text.contains(word), "{} says {word}", header.path);
        }
        let long = text.lines().find(|line| line.len() > 100);
        assert_eq!(long, None, "{}", header.path);
    }
}

#[test]
fn rules_and_headings_are_there_in_their_order() {
    let text = generate(&HEADERS[0]);
    let rules =
        ["Live objects", "NULL", "Ownership", "errno", "Byte order", "Threads", "Callbacks"];
    let rules = rules.iter().chain(&["Cancellation", "Kernels"]).map(|rule| format!(" * {rule}. "));
    let headings = HEADERS[0].sections.iter().map(|section| format!(" * {}\n", section.title));
    let mut rest = text.as_str();
    for wanted in rules.chain(headings) {
        let (_, behind) = rest.split_once(&wanted).unwrap_or_else(|| panic!("no {wanted:?}"));
        rest = behind;
    }
    for section in HEADERS[0].sections {
        assert!(!section.names.is_empty(), "{} is empty", section.title);
    }
}

/// The comment of a declaration in a header, and its code.
fn comment_and_code(declaration: &str) -> (&str, &str) {
    match declaration.rsplit_once("*/") {
        Some((comment, code)) if declaration.starts_with("/**") => (comment, code.trim()),
        _ => ("", declaration),
    }
}

#[test]
fn every_function_says_what_it_returns_and_how_it_fails() {
    let mut functions = BTreeSet::new();
    for header in &HEADERS {
        for declaration in generate(header).split("\n\n") {
            let (comment, code) = comment_and_code(declaration);
            if !code.ends_with(");") {
                continue;
            }
            functions.insert(name_of(code).to_owned());
            let of_value = !code.starts_with("void ");
            let wanted = match of_value {
                true => &["Returns "][..],
                false => &["Sets errno to ", "errno is left alone"],
            };
            assert!(wanted.iter().any(|words| comment.contains(words)), "{declaration}");
        }
    }
    for library in LIBRARIES.iter().filter(|library| !library.unfinished) {
        let mut wanted = library.symbols().into_iter().filter(Symbol::is_function);
        assert!(wanted.all(|symbol| functions.contains(&symbol.name)), "{}", library.name);
    }
}

/// The enumerators of an enum in a header, each with its comment.
fn enumerators<'a>(text: &'a str, tag: &str) -> Vec<(&'a str, String)> {
    let (_, rest) = text.split_once(&format!("\nenum {tag} {{\n")).unwrap();
    let (body, _) = rest.split_once("\n};").unwrap();
    let mut found = Vec::new();
    let mut comment = String::new();
    for line in body.lines().map(str::trim) {
        match line.split_once(" = ") {
            Some((name, _)) if !line.starts_with(['/', '*']) => {
                found.push((name, std::mem::take(&mut comment)));
            }
            _ => comment += &format!("{} ", line.trim_matches(['/', '*', ' '])),
        }
    }
    found
}

#[test]
fn every_attribute_says_its_type_and_byte_order() {
    let text = generate(&HEADERS[0]);
    for (tag, number) in [("nf_conntrack_attr", 76 + 8 + 1), ("nf_expect_attr", 11 + 1)] {
        let attributes = enumerators(&text, tag);
        assert_eq!(attributes.len(), number, "{tag} has aliases and MAX too");
        for (name, comment) in attributes {
            let type_ = comment.split([' ', ':', ',']).next().unwrap();
            let fits = match type_ {
                "u16" | "u32" | "u64" | "16" => comment.contains("byte order: "),
                "u8" => comment.contains(": ") || comment.contains("u32, host byte order"),
                "C" => comment.contains("C string"),
                "struct" | "Bytes" | "Tuple" => true,
                "The" => comment.starts_with("The same as ATTR_"),
                _ => name.ends_with("_MAX"),
            };
            assert!(fits, "{name}: {comment}");
        }
    }
}
