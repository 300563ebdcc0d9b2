//! The intended differences, as `docs/differences.md` lists them: the only exceptions there are.

use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../docs/differences.md");

/// The ids of the document: the first cell of every row of its tables.
#[must_use]
pub fn documented() -> BTreeSet<&'static str> {
    let cell = |line: &'static str| line.strip_prefix('|')?.split('|').next();
    DOCUMENT.lines().filter_map(cell).map(|id| id.trim().trim_matches('`')).collect()
}

/// Those of these ids that the document lacks.
#[must_use]
pub fn undocumented(used: &'static [&'static str]) -> Vec<&'static str> {
    let documented = documented();
    used.iter().copied().filter(|id| !documented.contains(id)).collect()
}
