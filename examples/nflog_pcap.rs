//! Writes the packets that rules log to a group into a file for tcpdump and Wireshark:
//! `nflog_pcap GROUP FILE NUMBER`.

use ctrs::{LinkType, LogFlags, LogSettings, Logged, Options, PacketLog, Pcap, PcapWriter};
use std::fs::File;
use std::io::{BufWriter, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [group, file, number] = &arguments[..] else {
        return Err("usage: nflog_pcap GROUP FILE NUMBER".into());
    };
    let mut left: u64 = number.parse()?;
    let out = BufWriter::new(File::create(file)?);
    let mut file = PcapWriter::new(out, Pcap::new(LinkType::Nflog))?;
    let mut log = PacketLog::open_with(&Options::new().receive_buffer(8 << 20))?;
    log.bind(group.parse()?, &LogSettings::new().flags(LogFlags::SEQ))?;
    while left > 0 {
        match log.next_event()? {
            Logged::Packet { packet, received } => {
                left -= u64::from(file.write(&packet, received)?)
            }
            Logged::Lost(loss) => eprintln!("lost: {loss}"),
        }
    }
    file.get_mut().flush()?;
    Ok(())
}
