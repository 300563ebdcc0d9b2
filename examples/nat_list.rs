//! Lists what NAT makes of flows, of those that match: `nat_list [EXPRESSION]`.

use ctrs::{Expression, FlowTable};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let which = std::env::args().nth(1).unwrap_or_else(|| "natted".into());
    let mut list = FlowTable::open()?.list_where(&Expression::parse(&which)?)?;
    for flow in &mut list {
        let flow = flow?;
        let (Some(sent), Some(reply)) = (flow.tuple(), flow.reply()) else { continue };
        // What answers go to is what the source was made, and where they come from the destination.
        let became = reply.inverse();
        print!("protocol {} ", u8::from(sent.protocol()));
        for (tuple, end) in [(sent, " as "), (became, "\n")] {
            let (from, to) =
                (tuple.source_port().unwrap_or(0), tuple.destination_port().unwrap_or(0));
            print!("{} {from} > {} {to}{end}", tuple.source(), tuple.destination());
        }
    }
    if !list.is_consistent() {
        return Err("flows may be missing, or be there twice: list them again".into());
    }
    Ok(())
}
