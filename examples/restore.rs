//! Creates the flows again that were saved as JSON, one object a line of standard input: `restore`.

use ctrs::{Batch, Flow, FlowTable};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut table = FlowTable::open()?;
    let mut batch = Batch::new();
    for line in std::io::stdin().lines() {
        batch.restore(&Flow::from_json(line?)?)?;
    }
    let refused = table.run(&mut batch)?;
    for why in batch.results().filter_map(Result::err) {
        eprintln!("{why}");
    }
    println!("{} created, {refused} refused", batch.len() - refused);
    Ok(())
}
