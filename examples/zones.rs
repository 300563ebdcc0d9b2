//! How many flows each zone has, as that of a VRF or a tenant: `zones`.

use ctrs::FlowTable;
use std::collections::BTreeMap;

fn main() -> Result<(), ctrs::Error> {
    let mut zones = BTreeMap::new();
    for flow in FlowTable::open()?.list()? {
        *zones.entry(flow?.zone().number()).or_insert(0) += 1;
    }
    for (zone, flows) in zones {
        println!("{flows:7} zone {zone}");
    }
    Ok(())
}
