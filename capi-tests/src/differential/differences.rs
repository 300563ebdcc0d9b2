//! The intended differences, as `docs/differences.md` lists them: the only exceptions there are.

use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../docs/differences.md");

/// The ids that this program makes exceptions for.
pub const USED: [&str; 12] = [
    "snprintf-length",
    "errno-after-success",
    "timestamp-event",
    "helper-info-length",
    "copy-parts",
    "build-refusal",
    "incomplete-request",
    "flush-filter",
    "expect-family",
    "padding",
    "nat-ports",
    "label-masks",
];

/// The ids of the document: the first cell of every row of its tables.
#[must_use]
pub fn documented() -> BTreeSet<&'static str> {
    let cell = |line: &'static str| line.strip_prefix('|')?.split('|').next();
    DOCUMENT.lines().filter_map(cell).map(|id| id.trim().trim_matches('`')).collect()
}

/// The ids used here that the document lacks.
#[must_use]
pub fn undocumented() -> Vec<&'static str> {
    let documented = documented();
    USED.into_iter().filter(|id| !documented.contains(id)).collect()
}
