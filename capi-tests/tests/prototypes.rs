//! The headers say of every function of the library what it is: what `build.rs` makes of them compiles
//! only when each parameter and each result is of the same type.
#![allow(deprecated, reason = "they are functions of the library too")]

use capi_tests::libraries::{LIBRARIES, Symbol};
use std::collections::BTreeSet;

include!(concat!(env!("OUT_DIR"), "/prototypes.rs"));

#[test]
fn every_function_of_the_interface_was_compared() {
    let mut compared = BTreeSet::from(COMPARED.map(str::to_owned));
    for library in &LIBRARIES {
        for symbol in library.symbols().into_iter().filter(Symbol::is_function) {
            assert!(compared.remove(&symbol.name) || library.unfinished, "{}", symbol.name);
        }
    }
    assert!(!compared.is_empty());
    assert!(compared.iter().all(|name| name.starts_with("ctrs_")), "{compared:?}");
}
