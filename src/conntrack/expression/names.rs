//! Names that an expression has, and those that are close to one.
#![forbid(unsafe_code)]

use super::fields::{FIELDS, Kind, MISTAKEN, lower};
use super::tree::protocol_name;
use crate::conntrack::syntax::{Fault, Syntax};
use crate::conntrack::values::Family;

/// The number that a name of a family or a protocol stands for, or that of a state.
pub(super) fn number(kind: Kind, name: &str) -> Option<u64> {
    match kind {
        Kind::Family => Family::named(name).map(|family| family.number().into()),
        Kind::Protocol => (0..=255).find(|number| protocol_name(*number) == Some(name)),
        Kind::State(of) => of.number(name).map(u64::from),
        _ => None,
    }
}

/// What to say of a name that no field has.
pub(super) fn unknown(name: &str, at: usize) -> Syntax {
    if let Some((_, advice)) = MISTAKEN.iter().find(|(mistaken, _)| *mistaken == name) {
        return Syntax::says(at, advice);
    }
    if name.starts_with(|letter: char| !letter.is_ascii_alphabetic()) {
        return Syntax::says(at, "a field stands before a value, as `host` or `port`");
    }
    let fields = FIELDS.iter().map(|field| field.name);
    let protocols = (0..=255).filter_map(protocol_name);
    let words = ["and", "or", "not", "orig", "reply", "any"];
    let all = fields.chain(protocols).chain(Family::ALL.map(Family::name)).chain(words);
    nearest(name, all).map_or(Syntax::says(at, UNKNOWN), |near| Syntax::new(at, Fault::Near(near)))
}

const UNKNOWN: &str = "no field, flag, protocol or family has this name";

/// A value that is none of the names of its kind.
pub(super) fn unknown_value(kind: Kind, name: &str) -> Option<&'static str> {
    match kind {
        Kind::Family => nearest(name, Family::ALL.into_iter().map(Family::name)),
        Kind::Protocol => nearest(name, (0..=255).filter_map(protocol_name)),
        _ => None,
    }
}

/// The name that differs least, in one letter of three at most.
fn nearest(name: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let near = names.map(|known| (distance(name, known), known)).min_by_key(|near| near.0)?;
    (near.0 * 3 <= name.len()).then_some(near.1)
}

/// No name that is known is longer.
const LONGEST: usize = 16;

/// How many letters must be put in, taken out or changed to make one name of the other, capitals
/// being as small letters; many, if a name is longer than any.
fn distance(name: &str, known: &str) -> usize {
    if name.len() >= LONGEST || known.len() >= LONGEST {
        return LONGEST;
    }
    // A row of the table of distances between the beginnings of both.
    let mut row: [usize; LONGEST] = std::array::from_fn(|at| at);
    for (at, letter) in (1..).zip(lower(name)) {
        let (mut diagonal, mut left) = (at - 1, at);
        row[0] = at;
        for (other, cell) in lower(known).zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(letter != other);
            diagonal = *cell;
            left = changed.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.get(known.len()).copied().unwrap_or(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, far) in [
            ("", "", 0),
            ("tcp", "tcp", 0),
            ("TCP", "tcp", 0),
            ("tpc", "tcp", 2),
            ("dprt", "dport", 1),
            ("srcc", "src", 1),
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("a-name-that-is-long", "all", LONGEST),
        ] {
            assert_eq!(distance(a, b), far, "{a} {b}");
        }
    }

    #[test]
    fn names_fit_the_table_of_distances() {
        assert!(FIELDS.iter().all(|field| field.name.len() < LONGEST));
    }
}
