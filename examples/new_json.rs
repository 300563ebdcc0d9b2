//! Prints new flows as JSON, one object a line, for ever or so many of them: `new_json [NUMBER]`.

use ctrs::{ErrorKind, EventKind, Events, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut left = std::env::args().nth(1).map_or(Ok(u64::MAX), |number| number.parse())?;
    let options = Options::new().receive_buffer(4 << 20);
    let mut events = Events::open_with(EventKind::NEW, &options)?;
    while left > 0 {
        match events.next_event() {
            Ok(event) => println!("{}", event.flow.json().event(event.change)),
            Err(error) if error.kind() == ErrorKind::Lost => {
                eprintln!("{error}");
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        left -= 1;
    }
    Ok(())
}
