//! Prints the first events of the flow table, or all: `watch 10`.

use ctrs::{EventKind, Events};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args().nth(1).map_or(Ok(usize::MAX), |count| count.parse())?;
    for event in Events::open(EventKind::ALL)?.take(count) {
        let event = event?;
        println!("{} {}", event.change, event.flow);
    }
    Ok(())
}
