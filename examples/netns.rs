//! Counts the flows of the network namespace that a process is in: `netns 4711`.

use ctrs::{FlowTable, Options};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pid = std::env::args().nth(1).ok_or("the number of a process is needed")?.parse()?;
    let options = Options::new().netns_of_pid(pid)?.timeout(Duration::from_secs(5));
    println!("{} flows", FlowTable::open_with(&options)?.statistics()?.entries);
    Ok(())
}
