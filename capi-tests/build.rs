//! Writes the prototypes of the headers as the types of Rust functions, which `tests/prototypes.rs` has
//! the compiler compare with the functions of the library.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    println!("cargo::rerun-if-changed=build.rs");
    let watched = ["include", "src/capi", "cbindgen.toml", "capi-tests/abi"];
    watched.iter().for_each(|path| println!("cargo::rerun-if-changed=../{path}"));
    // A build script that fails would keep the headers from being written anew.
    let text = generate(&root).unwrap_or_else(|error| format!("compile_error!({error:?});\n"));
    let out = std::env::var_os("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&out).join("prototypes.rs"), text).expect("a file in OUT_DIR");
    std::fs::write(Path::new(&out).join("records.rs"), records(&root)).expect("a file in OUT_DIR");
}

/// A line for each prototype, and a list of their names.
fn generate(root: &Path) -> Result<String, String> {
    let mut source = Source::read(root);
    let (mut lines, mut names) = (String::new(), Vec::new());
    for header in files(&root.join("include"), "h") {
        for prototype in prototypes(&read(&header)) {
            let (result, name, parameters) = parts(&prototype)?;
            if let Some(result) = result.strip_prefix("typedef ") {
                let callback = source.function("C-unwind", result, parameters)?;
                source.callbacks.insert(name.to_owned(), format!("Option<{callback}>"));
                continue;
            }
            let item = source.items.get(name).ok_or(format!("src/capi has no {name}"))?;
            let kind = source.function(&item.abi, result, parameters)?;
            lines += &format!("const _: {kind} = {};\n", item.path);
            names.push(name.to_owned());
        }
    }
    Ok(format!("{lines}const COMPARED: [&str; {}] = {names:?};\n", names.len()))
}

/// What `abi/records.tsv` says of the records, for the compiler to compare with those of the library.
/// Members that say nothing are private.
fn records(root: &Path) -> String {
    let (source, mut text) = (Source::read(root), String::new());
    let table =
        std::fs::read_to_string(root.join("capi-tests/abi/records.tsv")).unwrap_or_default();
    for row in table.lines().filter(|row| !row.starts_with('#') && !row.contains("\treserved")) {
        let [name, member, offset, size] = row.split('\t').collect::<Vec<_>>()[..] else {
            return format!("compile_error!({row:?});\n");
        };
        let path = source.items.get(name).map_or(name, |item| &item.path);
        text += &match member {
            "-" => format!("const _: () = assert!(size_of::<{path}>() == {size});\n"),
            _ => format!(
                "const _: () = assert!(std::mem::offset_of!({path}, {member}) == {offset});\n"
            ),
        };
    }
    text
}

/// A function or a type of the library.
struct Item {
    path: String,
    abi: String,
}

/// The source of the C interface.
struct Source {
    items: BTreeMap<String, Item>,
    enums: BTreeMap<String, &'static str>,
    /// The types of functions that have a name.
    callbacks: BTreeMap<String, String>,
}

impl Source {
    fn read(root: &Path) -> Self {
        let mut items = BTreeMap::new();
        let folder = root.join("src/capi");
        // What is below `header` the compiler never sees.
        let seen = files(&folder, "rs")
            .into_iter()
            .filter(|path| !path.parent().is_some_and(|parent| parent.ends_with("header")));
        for file in seen {
            let inside = file.strip_prefix(&folder).expect("a file of the folder");
            let module = inside.with_extension("").display().to_string().replace('/', "::");
            let module = module.trim_end_matches("::mod");
            for line in read(&file).lines() {
                let Some((abi, name)) = declared(line) else { continue };
                let path = format!("ctrs::capi::{module}::{name}");
                items.insert(name.to_owned(), Item { path, abi: abi.to_owned() });
            }
        }
        items.extend(renamed(root));
        for (foreign, from) in
            [("nlmsghdr", "libc"), ("nlattr", "libc"), ("timeval", "ctrs::capi::nflog::time")]
        {
            let item = Item { path: format!("{from}::{foreign}"), abi: String::new() };
            items.insert(foreign.to_owned(), item);
        }
        Self { items, enums: enums(root), callbacks: BTreeMap::new() }
    }

    /// The type of a function with this result and these parameters.
    fn function(&self, abi: &str, result: &str, parameters: &str) -> Result<String, String> {
        let mut kinds = Vec::new();
        for parameter in split(parameters).into_iter().filter(|parameter| *parameter != "void") {
            kinds.push(self.parameter(parameter)?);
        }
        let result = match result {
            "void" => String::new(),
            result => format!(" -> {}", self.kind(result)?),
        };
        Ok(format!("unsafe extern {abi:?} fn({}){result}", kinds.join(", ")))
    }

    fn parameter(&self, parameter: &str) -> Result<String, String> {
        if let Some((result, rest)) = parameter.split_once("(*") {
            let (_, parameters) = rest.split_once(")(").ok_or(parameter)?;
            let callback =
                self.function("C-unwind", result.trim(), parameters.trim_end_matches(')'))?;
            return Ok(format!("Option<{callback}>"));
        }
        if let Some(callback) = parameter.split_once(" *").and_then(|it| self.callbacks.get(it.0)) {
            return Ok(callback.clone());
        }
        let name = parameter.rfind(|c: char| !c.is_alphanumeric() && c != '_').ok_or(parameter)?;
        self.kind(&parameter[..=name])
    }

    /// A type that is no function.
    fn kind(&self, text: &str) -> Result<String, String> {
        if let Some(to) = text.trim().strip_suffix('*').filter(|to| to.contains('*')) {
            let constant = to.trim().strip_suffix("const");
            let to = self.kind(constant.unwrap_or(to))?;
            return Ok(format!("*{} {to}", if constant.is_some() { "const" } else { "mut" }));
        }
        let (base, constant) = match text.trim().strip_prefix("const ") {
            Some(base) => (base, true),
            None => (text.trim(), false),
        };
        let (base, pointer) = match base.split_once('*') {
            Some((base, "")) => (base.trim(), true),
            Some(_) => return Err(format!("a type that is not understood: {text}")),
            None => (base, false),
        };
        let base = match base {
            "void" => "libc::c_void",
            "char" => "libc::c_char",
            "int" => "libc::c_int",
            "unsigned int" => "libc::c_uint",
            "uint8_t" => "u8",
            "uint16_t" => "u16",
            "uint32_t" => "u32",
            "uint64_t" => "u64",
            "size_t" => "usize",
            "ssize_t" => "isize",
            "bool" => "bool",
            other => self.named(other).ok_or(format!("an unknown type: {text}"))?,
        };
        Ok(match (pointer, constant) {
            (true, true) => format!("*const {base}"),
            (true, false) => format!("*mut {base}"),
            _ => base.to_owned(),
        })
    }

    fn named(&self, name: &str) -> Option<&str> {
        match name.strip_prefix("struct ") {
            Some(tag) => self.items.get(tag).map(|item| item.path.as_str()),
            None => self.enums.get(name).copied(),
        }
    }
}

/// The types that the crate has under another name and its interface names where it takes them: what
/// `cbindgen.toml` renames to `ctrs_...`.
fn renamed(root: &Path) -> impl Iterator<Item = (String, Item)> {
    let config = read(&root.join("cbindgen.toml"));
    let rename = |line: &str| {
        let (name, tag) = line.split_once(" = \"ctrs_")?;
        let path = format!("ctrs::{name}");
        Some((format!("ctrs_{}", tag.trim_end_matches('"')), Item { path, abi: String::new() }))
    };
    config.lines().filter_map(rename).collect::<Vec<_>>().into_iter()
}

/// The ABI and name of a function that a line of Rust begins, or the name of a type.
fn declared(line: &str) -> Option<(&str, &str)> {
    let (abi, rest) = match line.split_once("extern \"") {
        Some((_, rest)) => rest.split_once("\" fn ")?,
        None => ("", line.strip_prefix("pub struct ")?),
    };
    Some((abi, rest.split(['(', ' ', '<', ';']).next()?))
}

/// The types behind the enums, from the table that the C compiler has checked.
fn enums(root: &Path) -> BTreeMap<String, &'static str> {
    let tables = files(&root.join("capi-tests/abi"), "tsv");
    let tables = tables.iter().filter(|table| table.ends_with("structs.tsv"));
    let text = tables.map(|table| read(table)).collect::<String>();
    let rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[0] == "enum")
        .map(|row| {
            (row[1].to_owned(), if row[6] == "signed int" { "libc::c_int" } else { "libc::c_uint" })
        })
        .collect()
}

/// The prototypes of a header, each on one line and without what stands around them.
fn prototypes(header: &str) -> Vec<String> {
    let mut code = String::new();
    let header = header.replace("\\\n", " "); // macros that go on
    for (number, part) in header.split("/*").enumerate() {
        code += if number == 0 { part } else { part.split_once("*/").map_or("", |(_, code)| code) };
    }
    let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let code =
        code.join(" ").replace("extern \"C\" {", "").replace("__attribute__((deprecated))", "");
    let statements = code.split([';', '}']).filter(|text| text.contains('('));
    let prototypes = statements.filter(|text| !text.contains(['{', '=', '\\']));
    prototypes.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Result, name and parameters of a prototype.
fn parts(prototype: &str) -> Result<(&str, &str, &str), String> {
    let (head, parameters) = prototype.split_once('(').ok_or(prototype)?;
    let name = head.rfind([' ', '*']).ok_or(prototype)? + 1;
    let parameters = parameters.strip_suffix(')').ok_or(prototype)?;
    Ok((head[..name].trim(), &head[name..], parameters))
}

/// The parameters of a list; those of a callback stay together.
fn split(parameters: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut found) = (0, 0, Vec::new());
    for (at, c) in parameters.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                found.push(parameters[begin..at].trim());
                begin = at + 1;
            }
            _ => (),
        }
    }
    found.push(parameters[begin..].trim());
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// The files below a folder with this extension, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|of| of == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}
