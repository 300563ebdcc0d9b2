//! Expressions read, printed and asked.

mod compiled;
mod evaluated;
mod random;
mod read;

use super::*;

fn parsed(text: &str) -> Expression {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
