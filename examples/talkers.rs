//! Who began the most flows, of those that match: `talkers [NUMBER [EXPRESSION]]`.

use ctrs::{Expression, FlowTable};
use std::collections::BTreeMap;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let most = arguments.next().map_or(Ok(10), |number| number.parse())?;
    let which = Expression::parse(arguments.next().as_deref().unwrap_or("all"))?;
    let mut talkers = BTreeMap::new();
    for flow in FlowTable::open()?.list_where(&which)? {
        if let Some(tuple) = flow?.tuple() {
            *talkers.entry(tuple.source()).or_insert(0) += 1;
        }
    }
    let mut talkers: Vec<_> = talkers.into_iter().collect();
    talkers.sort_by_key(|(_, flows)| std::cmp::Reverse(*flows));
    for (address, flows) in talkers.iter().take(most) {
        println!("{flows:7} {address}");
    }
    Ok(())
}
