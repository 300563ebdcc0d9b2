//! Keeps a copy of the flow table, prints what changes, and looks flows up in another thread: an address on a
//! line of standard input is answered by what it has open. `mirror tcp`, or any other expression.

use ctrs::{Error, ErrorKind, Expression, Flow, Happened, Mirror, MirrorReader, Options};
use std::time::Duration;

/// Prints the flows from or to an address, as they are at this moment.
fn answer(reader: &MirrorReader, address: &str) -> Result<(), Error> {
    for flow in reader.flows_where(&format!("any host {address}").parse()?)? {
        println!("open: {}", flow?);
    }
    let info = reader.info();
    println!("of {} flows, {} of which have not reported yet", info.flows, info.unheard);
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let which = std::env::args().nth(1).unwrap_or_else(|| "all".to_owned());
    let mut mirror = Mirror::open_where(&Options::new(), &which.parse::<Expression>()?)?;
    // What changes without an event, as flows that are silent, is found out so often.
    mirror.verify_every(Some(Duration::from_secs(60)))?;
    let (reader, stopper) = (mirror.reader().clone(), mirror.stopper()?);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            answer(&reader, line.trim()).unwrap_or_else(|error| println!("{error}"));
        }
        stopper.stop();
    });
    loop {
        let change = match mirror.next_change() {
            Err(error) if error.kind() == ErrorKind::Stopped => return Ok(()),
            change => change?,
        };
        let found = if change.synthesised { " (found out)" } else { "" };
        let print =
            |word, flow: &Option<Flow>| flow.iter().for_each(|it| println!("{word}{found} {it}"));
        match change.happened {
            Happened::New | Happened::Entered => print("new", &change.after),
            Happened::Updated => print("now", &change.after),
            Happened::Destroyed | Happened::Left => print("end", &change.before),
            Happened::Overrun(lost) => println!("{lost} events were lost"),
            Happened::Settled => println!("{} flows are kept", mirror.info().flows),
            _ => {}
        }
    }
}
