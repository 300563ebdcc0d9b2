//! The headers say of every function of the library what it is: what `build.rs` makes of them compiles
//! only when each parameter and each result is of the same type.
#![allow(deprecated, reason = "they are functions of the library too")]

use std::collections::BTreeSet;

include!(concat!(env!("OUT_DIR"), "/prototypes.rs"));

#[test]
fn every_function_of_the_interface_was_compared() {
    let table = include_str!("../abi/symbols.txt");
    let wanted: BTreeSet<_> = table.lines().filter_map(|row| row.split('\t').next()).collect();
    let extensions = COMPARED.iter().filter(|name| name.starts_with("ctrs_")).count();
    let compared = BTreeSet::from(COMPARED);
    assert!(wanted.is_subset(&compared), "{:?}", wanted.difference(&compared));
    assert_eq!(compared.len(), wanted.len() + extensions);
    assert!(extensions > 0);
}
