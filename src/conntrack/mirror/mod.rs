//! A live copy of the flow table.

mod changes;
mod epoch;
mod hear;
mod index;
mod keep;
mod key;
mod lookup;
mod merge;
mod replica;
mod rules;
mod see;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use changes::{Happened, TableChange};
pub use epoch::Ending;
pub use lookup::Kept;
pub use replica::{Counts, Replica};
