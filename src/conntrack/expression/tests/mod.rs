//! Expressions read, printed and asked.

mod compiled;
mod evaluated;
mod random;
mod read;

use super::*;

#[test]
fn an_expression_goes_to_any_thread() {
    const fn goes_anywhere<T: Send + Sync + 'static>() {}
    const { goes_anywhere::<Expression>() };
}

fn parsed(text: &str) -> Expression {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
