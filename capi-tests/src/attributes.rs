//! The attributes of entries and expectations, and the groups, as `abi/attributes.tsv` lists them: for
//! the tests here, and for the fuzz targets, which include this file.

use std::sync::LazyLock;

/// How a value is stored, and what its setter does: the words of the table's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    Inert,
    Fixed,
    Text,
    Context,
    Data,
    Labels,
    Tuple,
    Either,
}

/// A row of the table.
#[allow(dead_code, reason = "the fuzz targets read some of it")]
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// `entry`, `group` or `expectation`.
    pub object: &'static str,
    /// Its number.
    pub number: u32,
    /// Its name in C.
    pub name: &'static str,
    /// Bytes of the value, of the longest text with its NUL, or of a group's structure.
    pub bytes: usize,
    /// How it is stored.
    pub kind: Kind,
    /// The flag with which `nfct_copy` takes an entry's attribute along.
    pub class: u32,
    /// What likely values are, or a group's members.
    pub holds: &'static str,
}

/// The attributes of entries, in order.
#[must_use]
pub fn entries() -> &'static [Attribute] {
    static ROWS: LazyLock<Vec<Attribute>> = LazyLock::new(|| rows("entry"));
    &ROWS
}

/// The groups of attributes, in order.
#[must_use]
pub fn groups() -> &'static [Attribute] {
    static ROWS: LazyLock<Vec<Attribute>> = LazyLock::new(|| rows("group"));
    &ROWS
}

/// The attributes of expectations, in order.
#[must_use]
pub fn expectations() -> &'static [Attribute] {
    static ROWS: LazyLock<Vec<Attribute>> = LazyLock::new(|| rows("expectation"));
    &ROWS
}

fn rows(object: &str) -> Vec<Attribute> {
    let table = include_str!("../abi/attributes.tsv").lines();
    let rows = table.filter(|line| !line.starts_with('#')).map(row);
    rows.filter(|row| row.object == object).collect()
}

fn row(line: &'static str) -> Attribute {
    let fields: Vec<&str> = line.split('\t').collect();
    let [object, number, name, bytes, kind, class, holds] = fields[..] else { panic!("{line:?}") };
    let number_of = |field: &str| field.parse::<u32>().unwrap_or_else(|e| panic!("{line:?}: {e}"));
    Attribute {
        object,
        number: number_of(number),
        name,
        bytes: number_of(bytes) as usize,
        kind: kind_of(kind),
        class: match class {
            "orig" => 1,
            "repl" => 2,
            "meta" => 4,
            _ => 0,
        },
        holds,
    }
}

fn kind_of(word: &str) -> Kind {
    match word {
        "plain" => Kind::Plain,
        "inert" => Kind::Inert,
        "fixed" => Kind::Fixed,
        "text" => Kind::Text,
        "context" => Kind::Context,
        "data" => Kind::Data,
        "labels" => Kind::Labels,
        "tuple" => Kind::Tuple,
        "either" => Kind::Either,
        _ => panic!("no kind {word}"),
    }
}
