//! Prints the TCP flows to a network: `flows_to 10.0.0.0/8`.

use ctrs::{Filter, FlowTable, Net, Protocol};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let net: Net = std::env::args().nth(1).ok_or("usage: flows_to NETWORK")?.parse()?;
    let filter = Filter::new().protocol(Protocol::Tcp).destination(net);
    for flow in FlowTable::open()?.list_matching(&filter)? {
        println!("{}", flow?);
    }
    Ok(())
}
