//! Prints the packets that rules log to a group until a line is typed, and says what was lost: `log 5`.

use ctrs::{CopyMode, LogFlags, LogSettings, Logged, Options, PacketLog};
use std::io::stdin;
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let group: u16 = std::env::args().nth(1).ok_or("usage: log GROUP")?.parse()?;
    let mut log = PacketLog::open_with(&Options::new().receive_buffer(1 << 20))?;
    let settings = LogSettings::new()
        .copy(CopyMode::Range(128))
        .timeout(Duration::from_millis(100))
        .flags(LogFlags::SEQ);
    log.bind(group, &settings)?;
    let stopper = log.stopper()?;
    thread::spawn(move || {
        let _ = stdin().read_line(&mut String::new());
        stopper.stop();
    });
    println!("group {group}");
    log.run(|logged| {
        match logged {
            Logged::Packet { packet, .. } => {
                let prefix = packet.prefix_lossy().unwrap_or_default();
                let (from, to) = (packet.indev().unwrap_or(0), packet.outdev().unwrap_or(0));
                let bytes = packet.payload().map_or(0, <[u8]>::len);
                println!("{prefix}device {from} to {to}, {bytes} bytes");
            }
            Logged::Lost(loss) => println!("lost: {loss}"),
        }
        ControlFlow::<()>::Continue(())
    })?;
    println!("{} packets were lost", log.losses().packets);
    Ok(())
}
