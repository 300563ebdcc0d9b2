//! Deletes the flows of a client, those it began and those that others began to it: `kill 10.0.0.5`.

use ctrs::{Filter, FlowTable};
use std::net::IpAddr;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client: IpAddr = std::env::args().nth(1).ok_or("usage: kill ADDRESS")?.parse()?;
    let mut table = FlowTable::open()?;
    for filter in [Filter::new().source(client), Filter::new().reply_source(client)] {
        let done = table.delete_matching(&filter)?;
        println!("{} deleted, {} gone before", done.deleted, done.gone);
    }
    Ok(())
}
