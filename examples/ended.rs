//! Counts the flows that end, and their bytes, and misses none: until so many have ended, `ended NUMBER`.

use ctrs::{Direction, ErrorKind, EventKind, Events, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number: u64 = std::env::args().nth(1).ok_or("usage: ended NUMBER")?.parse()?;
    // An end that does not fit the buffer comes again, and the buffer grows until all fit.
    let options = Options::new().reliable(true).receive_buffer_limit(32 << 20);
    let mut events = Events::open_with(EventKind::DESTROY, &options)?;
    let (mut ended, mut bytes) = (0, 0);
    while ended < number {
        match events.next_event() {
            Ok(event) => {
                ended += 1;
                for direction in [Direction::Original, Direction::Reply] {
                    bytes += event.flow.counters(direction).map_or(0, |count| count.bytes);
                }
            }
            Err(error) if error.kind() == ErrorKind::Lost => eprintln!("{error}"),
            Err(error) => return Err(error.into()),
        }
    }
    println!("{ended} flows ended, {bytes} bytes");
    Ok(())
}
