//! Creates a connection whose packets go to another server, as a rule of NAT would have made it:
//! `redirect 10.0.0.5:40000 192.0.2.7:443 10.0.0.9:8443`.

use ctrs::{Changes, Flow, FlowTable, Mark};
use std::net::SocketAddr;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ends = std::env::args().skip(1).map(|end| end.parse::<SocketAddr>());
    let ends: Vec<_> = ends.collect::<Result<_, _>>()?;
    let [client, server, instead] = ends[..] else {
        return Err("usage: redirect CLIENT SERVER INSTEAD".into());
    };
    let mut table = FlowTable::open()?;
    let flow = Flow::tcp(client, server)?.timeout(Duration::from_secs(60)).destination_nat(instead);
    table.create(&flow)?;
    table.update(&flow, &Changes::new().mark(Mark::masked(1, 1)))?;
    println!("{}", table.get(&flow)?.ok_or("it is gone")?);
    Ok(())
}
