//! Follows the flow table beside other work of a tokio runtime.

use ctrs::{Event, EventKind, Events};
use std::io;
use tokio::io::unix::AsyncFd;

/// Events that the runtime waits for.
#[allow(deprecated, reason = "in doubt whether a descriptor stays the same; that of events does")]
pub fn register(events: Events) -> io::Result<AsyncFd<Events>> {
    AsyncFd::new(events)
}

/// The next event. An error of the kind `ErrorKind::Lost` is inside the `io::Error`, and is told once
/// for each gap; events go on after it.
pub async fn next_event(events: &mut AsyncFd<Events>) -> io::Result<Event> {
    loop {
        let mut ready = events.readable_mut().await?;
        let tried = ready.try_io(|events| {
            let event = events.get_mut().try_next()?;
            event.ok_or_else(|| io::ErrorKind::WouldBlock.into())
        });
        if let Ok(result) = tried {
            return result;
        }
    }
}

#[allow(dead_code, reason = "the test of this example has its own")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut events = register(Events::open(EventKind::ALL)?)?;
    loop {
        tokio::select! {
            event = next_event(&mut events) => {
                let event = event?;
                println!("{} {}", event.change, event.flow);
            }
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}
