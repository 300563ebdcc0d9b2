//! Creates so many flows, the first alone and the others by a batch, and says what became of them:
//! `load 1000`.

use ctrs::{Batch, Flow, FlowTable, Returned};
use std::net::SocketAddr;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number: u16 = std::env::args().nth(1).ok_or("usage: load NUMBER")?.parse()?;
    let server = SocketAddr::from(([10, 2, 0, 1], 53));
    let flow = |port| Flow::udp(SocketAddr::from(([10, 1, 0, 1], port)), server);
    let mut table = FlowTable::open()?;
    // As the kernel has made it: with its id.
    let Returned { flow: first, .. } = table.create_returning(&flow(0)?)?;
    println!("{}", first.ok_or("it is gone")?);

    let mut batch = Batch::new();
    for port in 1..number {
        batch.create(&flow(port)?)?;
    }
    let refused = table.run(&mut batch)?;
    for why in batch.results().filter_map(Result::err) {
        println!("{why}");
    }
    println!("{} created by the batch, {refused} refused", batch.len() - refused);
    Ok(())
}
