//! Prints what happens to flows until a line is typed: `stop`.

use ctrs::{EventKind, Events};
use std::io::stdin;
use std::thread;

fn main() -> Result<(), ctrs::Error> {
    let mut events = Events::open(EventKind::ALL)?;
    let stopper = events.stopper()?;
    thread::spawn(move || {
        let _ = stdin().read_line(&mut String::new());
        stopper.stop();
    });
    for event in events.by_ref() {
        let event = event?;
        println!("{} {}", event.change, event.flow);
    }
    println!("{} events were lost", events.lost()?);
    Ok(())
}
