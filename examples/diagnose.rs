//! Says why nothing is heard, or counted, in this network namespace: `diagnose`.

use ctrs::{Error, EventKind, Events, Finding};

fn main() -> Result<(), Error> {
    let diagnosis = Events::open(EventKind::ALL)?.diagnose();
    print!("{diagnosis}");
    if diagnosis.findings().any(|finding| finding == Finding::NoCounters) {
        println!("so flows count nothing");
    }
    Ok(())
}
