//! The manual: a page for each function, structure and enum of the headers, as `make install-man` makes
//! them of the comments there, whatever awk it has; and what is written by hand.
#![forbid(unsafe_code)]

use capi_tests::libraries::{LIBRARIES, Library};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Those that distributions have as `awk`. The last one is that of small systems.
const AWKS: [&str; 4] = ["mawk", "gawk", "original-awk", "busybox awk"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The standard output of a program that succeeds.
fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(status.success(), "{command:?}\n{}{}", text(&stdout), text(&stderr));
    text(&stdout)
}

/// Installs the manual, made by this awk, into a folder of the test's.
fn install(awk: &str) -> PathBuf {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("man {awk}").replace(' ', "-"));
    let _ = std::fs::remove_dir_all(&folder);
    let mut make = Command::new("make");
    make.args(["-s", "-C"]).arg(root()).arg("install-man").env_remove("MAKEFLAGS");
    make.arg(format!("AWK={awk}")).arg(format!("MANDIR={}", folder.display()));
    run(make.args(["DESTDIR=", "PREFIX=/usr"]));
    folder
}

fn manual() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = install(AWKS[0]);
        std::fs::create_dir_all(folder.join("man1")).unwrap();
        // Which goes where ctrs-run is, with the drop-in libraries.
        let text = std::fs::read_to_string(root().join("man/ctrs-run.1.in")).unwrap();
        std::fs::write(folder.join("man1/ctrs-run.1"), text).unwrap();
        folder
    })
}

/// The pages of a section, by name.
fn pages(folder: &Path, section: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder.join(section)).unwrap();
    let mut all: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    all.sort();
    all
}

fn page(name: &str) -> String {
    let path = manual().join(format!("man3/{name}.3ctrs"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name} has no page: {e}"))
}

/// What a page has under a heading.
fn section<'a>(page: &'a str, title: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("\n.Sh {title}\n"))?;
    Some(rest.split_once("\n.Sh ").map_or(rest, |(section, _)| section))
}

/// The functions that the headers declare.
fn functions() -> BTreeSet<String> {
    let all = headers().into_iter().flat_map(|header| declarations(&header));
    let name = |declaration: String| {
        let code = declaration.rsplit_once("*/")?.1.replace("__attribute__((deprecated))", "");
        let code = code.trim();
        let (head, _) =
            code.strip_suffix(");").filter(|code| !code.starts_with("typedef"))?.split_once('(')?;
        Some(head.rsplit([' ', '*']).next()?.to_owned())
    };
    all.filter_map(name).collect()
}

/// The declarations of a header, each with its comment.
fn declarations(path: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("include").join(path)).unwrap();
    text.split("\n\n").map(|one| one.trim().to_owned()).collect()
}

/// The declaration of a function.
fn declaration(name: &str) -> String {
    let all = headers().into_iter().flat_map(|header| declarations(&header));
    let is_it = |one: &String| {
        let code = one.rsplit_once("*/").map_or("", |(_, code)| code);
        code.contains(&format!(" {name}(")) || code.contains(&format!("*{name}("))
    };
    all.into_iter().find(is_it).unwrap_or_else(|| panic!("no header declares {name}"))
}

#[test]
fn every_function_says_what_it_returns_and_how_it_fails() {
    let functions = functions();
    assert!(functions.len() > 280, "{}", functions.len());
    for name in functions {
        let (page, declaration) = (page(&name), declaration(&name));
        let (comment, code) = declaration.rsplit_once("*/").unwrap();
        let code = code.replace("__attribute__((deprecated))", "");
        assert!(section(&page, "SYNOPSIS").unwrap().contains(&format!(".Fo {name}\n")), "{name}");
        let values = section(&page, "RETURN VALUES");
        assert_eq!(values.is_some(), !code.trim().starts_with("void "), "{name}: a value");
        assert!(values.is_none_or(|text| text.starts_with("Returns")), "{name}: {values:?}");
        let errors = section(&page, "ERRORS").unwrap_or_else(|| panic!("{name}: no errors"));
        let mut none = true;
        let words = comment.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (returns, of_errors) = comment.rsplit_once("\n *\n").unwrap_or(("", comment));
        assert!(!returns.contains(" Returns "), "{name} says it before the last paragraph");
        let of_errors: BTreeSet<_> =
            of_errors.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
        for error in words.filter(|word| is_errno(word) && of_errors.contains(word)) {
            none = name == "ctrs_last_error";
            let there = errors.contains(&format!(".It Bq Er {error}\n"))
                || errors.contains(&format!(".Er {error}\n"));
            assert!(none || there, "{name}: {error}\n{errors}");
        }
        let told = ["Bq Er", "Those of", "The\n.Va errno"].iter().any(|word| errors.contains(word));
        assert!(told || none && errors.contains("sets no\n.Va errno"), "{name}\n{errors}");
    }
}

fn is_errno(word: &str) -> bool {
    word.len() > 3
        && word.starts_with('E')
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && word != "EXPECT"
}

#[test]
fn every_error_has_its_reason() {
    for (name, page) in pages(manual(), "man3") {
        for item in page.split(".It Bq Er ").skip(1) {
            let (error, reason) = item.split_once('\n').unwrap();
            let bare = [".It", ".El"].iter().any(|next| reason.starts_with(next));
            assert!(!bare, "{name}: {error}");
        }
    }
}

/// The headers of a library, or `ctrs.h`.
fn headers() -> Vec<String> {
    let libraries = LIBRARIES.iter().flat_map(Library::headers);
    std::iter::once("ctrs.h".to_owned()).chain(libraries).collect()
}

/// The lines of a declaration that name members, and what they are of: nothing if it is of no name.
fn members(declaration: &str) -> Option<(&str, Vec<&str>)> {
    let (head, body) = declaration.split_once(" {\n")?;
    let head = head.lines().last().filter(|head| !head.starts_with("extern"))?;
    let name = head.split(' ').next_back().filter(|name| *name != "enum")?;
    let lines = body.lines().filter(|line| line.starts_with("    ")).map(str::trim);
    Some((name, lines.filter(|line| !line.starts_with(['/', '*', '|'])).collect()))
}

#[test]
fn every_structure_and_enum_has_its_members_with_their_comments() {
    let mut seen = 0;
    for header in headers() {
        let all = declarations(&header);
        let opaque =
            all.iter().filter_map(|one| one.rsplit_once("*/\nstruct ")?.1.strip_suffix(';'));
        for name in opaque.filter(|rest| !rest.contains(['\n', '(', '{'])) {
            assert!(
                section(&page(name), "SYNOPSIS").unwrap().contains(&format!("struct {name} ;"))
            );
        }
        for (name, lines) in all.iter().filter_map(|declaration| members(declaration)) {
            let page = page(name);
            for line in lines {
                let member = line.trim_end_matches([',', ';']);
                let item = match member.split_once(" = ") {
                    Some((name, _)) => format!("\n.It Dv {name} Pq "),
                    None => format!("\n.It Fa \"{member}\""),
                };
                let (_, rest) = page.split_once(&item).unwrap_or_else(|| panic!("{name}: {item}"));
                let (_, text) = rest.split_once('\n').unwrap();
                let bare = text.starts_with(".It") || text.starts_with(".El");
                assert!(header != "ctrs.h" || !bare, "{name}: {member} is bare");
                seen += 1;
            }
        }
    }
    assert!(seen > 800, "{seen}");
}

#[test]
fn the_map_has_every_function() {
    let map = std::fs::read_to_string(manual().join("man7/ctrs.7")).unwrap();
    let map = section(&map, "TASKS").unwrap();
    let words: Vec<_> = map.split_whitespace().collect();
    let named = words.windows(3).filter(|words| words[0].trim_start_matches('.') == "Xr");
    let named: BTreeSet<_> =
        named.filter(|words| words[2] == "3").map(|words| words[1].to_owned()).collect();
    let functions = functions();
    let unlike: Vec<_> = named.symmetric_difference(&functions).collect();
    assert!(unlike.is_empty(), "not in the map of man/ctrs.7.in, or no function: {unlike:?}");
}

#[test]
fn every_page_that_is_referred_to_is_there() {
    let sections = ["man1", "man3", "man7"].map(|section| pages(manual(), section));
    let names: BTreeSet<_> = sections.iter().flatten().map(|(name, _)| name.as_str()).collect();
    let ours = ["nfct_", "nfexp_", "nflog_", "ctrs", "libnetfilter_"];
    for (name, page) in sections.iter().flatten() {
        let words: Vec<_> = page.split_whitespace().collect();
        for reference in words.windows(2).filter(|words| words[0].trim_start_matches('.') == "Xr") {
            let to = reference[1];
            let must = ours.iter().any(|start| to.starts_with(start));
            assert!(!must || names.contains(to), "{name} refers to {to}");
        }
    }
}

/// Whether this is no fault: mandoc does not know where pages will be installed; and one that says of what
/// release it is, is no page of NetBSD.
fn is_meant(message: &str) -> bool {
    message.contains("referenced manual not found") || message.contains("(NetBSD)")
}

#[test]
fn mandoc_finds_no_fault() {
    for section in ["man1", "man3", "man7"] {
        let folder = manual().join(section);
        let mut files: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        let mut mandoc = Command::new("mandoc");
        let said = mandoc.args(["-T", "lint", "-W", "style"]).args(&files).output();
        let said = said.expect("mandoc").stdout;
        let said = String::from_utf8(said).unwrap();
        let faults: Vec<_> = said.lines().filter(|line| !is_meant(line)).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert!(said.contains("referenced manual not found"), "mandoc looked at nothing: {said}");
    }
}

#[test]
fn man_finds_and_shows_the_pages() {
    for name in ["nfct_open", "ctrs_flow", "enum nfct_filter_attr", "ctrs.h", "nflog_callback"] {
        let name = name.trim_start_matches("enum ");
        let mut man = Command::new("mman");
        let text = run(man.arg("-M").arg(manual()).args(["-T", "ascii", "3", name]));
        assert!(text.starts_with(&format!("{}(3)", name.to_uppercase())), "{text}");
        assert!(text.contains("ctrs 0."), "no release: {text}");
    }
}

#[test]
fn pages_are_for_c_readers() {
    for (name, page) in pages(manual(), "man3") {
        for word in ["::", "`", "Rust", "&mut", "# Safety", "\\e", "/**", "*/"] {
            assert!(!page.contains(word), "{name} says {word}");
        }
        let what = page.split_once("\n.Nd ").unwrap().1.lines().next().unwrap();
        assert!((8..=105).contains(&what.len()), "{name}: {what}");
        assert!(!what.ends_with(['.', ',', ':']), "{name}: {what}");
    }
}

#[test]
fn every_awk_makes_the_same_pages() {
    let wanted = pages(manual(), "man3");
    for awk in &AWKS[1..] {
        let folder = install(awk);
        assert!(pages(&folder, "man3") == wanted, "{awk} makes others, in {folder:?}");
    }
}

#[test]
fn the_example_compiles() {
    let page = std::fs::read_to_string(root().join("man/ctrs.7.in")).unwrap();
    let example = section(&page, "EXAMPLES").unwrap();
    let (_, code) = example.split_once(".Bd -literal -offset indent\n").unwrap();
    let (code, _) = code.split_once("\n.Ed").unwrap();
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("man-example.c");
    std::fs::write(&file, code.replace("\\e", "\\")).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"]).arg(root().join("include"));
    run(cc.arg(&file));
}
