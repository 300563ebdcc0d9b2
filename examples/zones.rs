//! How many flows each zone has, as that of a VRF or a tenant: `zones`.

use ctrs::FlowTable;
use std::collections::BTreeMap;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut zones = BTreeMap::new();
    let mut list = FlowTable::open()?.list()?;
    for flow in &mut list {
        *zones.entry(flow?.zone().number()).or_insert(0) += 1;
    }
    if !list.is_consistent() {
        return Err("flows may be missing, or be there twice: list them again".into());
    }
    for (zone, flows) in zones {
        println!("{flows:7} zone {zone}");
    }
    Ok(())
}
