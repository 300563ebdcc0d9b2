//! Says how full the flow table is, and what each CPU has counted that is not zero: `stats`.

use ctrs::{Counter, Error, FlowTable};

fn main() -> Result<(), Error> {
    let mut table = FlowTable::open()?;
    let all = table.statistics()?;
    println!("{} flows here, {} at most everywhere", all.entries, all.maximum.unwrap_or(0));
    for cpu in table.cpu_statistics()? {
        for counter in Counter::ALL {
            match cpu.get(counter) {
                None | Some(0) => {}
                Some(count) => println!("CPU {}: {count} {counter}", cpu.cpu()),
            }
        }
    }
    Ok(())
}
