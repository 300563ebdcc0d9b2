//! Prints the packets that rules log to a group, with the flow that each belongs to:
//! `dropped GROUP NUMBER`. A rule that does:
//! `nft add rule inet filter input ip saddr 192.0.2.0/24 log group 5 prefix '"drop "' drop`.

use ctrs::{FlowLookup, FlowTable, LogSettings, Logged, PacketLog};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = || arguments.next().ok_or("usage: dropped GROUP NUMBER");
    let (group, mut left): (u16, u64) = (number()?.parse()?, number()?.parse()?);
    let mut table = FlowTable::open()?;
    let mut log = PacketLog::open()?;
    log.bind(group, &LogSettings::new())?;
    while left > 0 {
        let Logged::Packet { packet, .. } = log.next_event()? else { continue };
        print!("{}", packet.prefix_lossy().unwrap_or_default());
        let found = packet.find_flow(&mut table, &FlowLookup::new())?.map(|found| found.flow);
        match found.as_ref().and_then(|flow| Some((flow.mark(), flow.tuple()?))) {
            Some((mark, tuple)) => println!(
                "protocol {} {} {} > {} {} mark {mark}",
                u8::from(tuple.protocol()),
                tuple.source(),
                tuple.source_port().unwrap_or(0),
                tuple.destination(),
                tuple.destination_port().unwrap_or(0),
            ),
            // That of a first packet which is dropped never begins.
            None => println!("no flow"),
        }
        left -= 1;
    }
    Ok(())
}
