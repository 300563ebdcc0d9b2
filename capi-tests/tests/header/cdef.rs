//! The declarations of the headers for readers that have no preprocessor: cffi, LuaJIT and their like.

use std::collections::BTreeSet;

/// The headers whose declarations `ctrs.cdef` has, in an order in which each finds what it mentions.
pub const HEADERS: [&str; 10] = [
    "libnetfilter_conntrack/linux_nf_conntrack_common.h",
    "libnetfilter_conntrack/libnetfilter_conntrack.h",
    "libnetfilter_conntrack/libnetfilter_conntrack_tcp.h",
    "libnetfilter_conntrack/libnetfilter_conntrack_sctp.h",
    "libnetfilter_conntrack/libnetfilter_conntrack_dccp.h",
    "libnetfilter_log/linux_nfnetlink_log.h",
    "libnetfilter_log/libnetfilter_log.h",
    "libnetfilter_cttimeout/libnetfilter_cttimeout.h",
    "libnetfilter_cthelper/libnetfilter_cthelper.h",
    "ctrs.h",
];

const TOP: &str = "\
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The declarations of ctrs.h and of the headers of the libraries that ctrs takes the place of, for
 * ffi.cdef() of cffi and LuaJIT and for other readers without a preprocessor. Macros that are whole
 * numbers are enumerators here. What each is, the headers say. */
";

/// What only compilers understand, the kernel's names of types, and a suffix that other languages' numbers
/// lack.
const PLAIN: [(&str, &str); 8] = [
    ("__attribute__((deprecated))", ""),
    ("__extension__", ""),
    ("__aligned_be64", "uint64_t"),
    ("__be32", "uint32_t"),
    ("__be16", "uint16_t"),
    ("__u16", "uint16_t"),
    ("__u8", "uint8_t"),
    ("ffU", "ff"),
];

/// The declarations of these headers.
pub fn cdef(headers: impl Iterator<Item = String>) -> String {
    let (mut out, mut known) = (TOP.to_owned(), BTreeSet::new());
    for header in headers {
        let text = without_packed(&joined(&without_comments(&header)));
        // Of a comment between the members of a structure its indentation is left.
        let lines = text.lines().filter(|line| line.is_empty() || !line.trim().is_empty());
        for line in lines {
            let line = PLAIN.iter().fold(line.to_owned(), |line, (of, to)| line.replace(of, to));
            let line = line.trim_end();
            if let Some(constant) = line.strip_prefix("#define ") {
                out += &enumerator(constant, &known).unwrap_or_default();
            } else if !line.starts_with('#') && !line.contains("extern \"C\"") {
                out += line;
                out.push('\n');
            }
            known.extend(names(&out[out.trim_end().rfind('\n').unwrap_or(0)..]).map(str::to_owned));
        }
    }
    without_holes(&out)
}

/// C text without its comments; the line that ends the linkage of C is one of them, with its brace.
fn without_comments(text: &str) -> String {
    let text = text.replace("} /* extern \"C\" */", "");
    let mut out = String::new();
    for (number, part) in text.split("/*").enumerate() {
        out += if number == 0 { part } else { part.split_once("*/").map_or("", |(_, code)| code) };
    }
    out
}

/// Lines that go on after a backslash, as one.
fn joined(text: &str) -> String {
    text.replace("\\\n", " ")
}

/// Structures without padding, which is for compilers only, are their names.
fn without_packed(text: &str) -> String {
    let mut parts = text.split("struct __attribute__((packed)) ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let (name, rest) = part.split_once(" {").unwrap_or_default();
        let (_, behind) = rest.split_once("};").unwrap_or_default();
        format!("{out}struct {name};{behind}")
    })
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// An enumerator for a macro that is a number, or made of names that are known; `None` for others.
fn enumerator(constant: &str, known: &BTreeSet<String>) -> Option<String> {
    let (name, value) = constant.split_once(' ')?;
    let value = value.trim();
    let value = value.strip_suffix('u').unwrap_or(value);
    let is_number = !value.contains(['"', '#']) && !name.contains('(') && !value.is_empty();
    let digits = value.starts_with(|c: char| c.is_ascii_digit());
    let fits = digits || names(value).all(|name| known.contains(name));
    (is_number && fits).then(|| format!("enum {{ {name} = {value} }};\n"))
}

/// One empty line between declarations, none at the ends.
fn without_holes(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        if !line.trim().is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    lines.join("\n").trim_end().to_owned() + "\n"
}
