//! Prints the packets of group 5 through the crate nflog: `nflog-rs COUNT AT_ONCE RANGE`.
//!
//! Only what a packet is sure to have is asked for without a check: the crate has none.

use nflog::{CfgFlags, CopyMode, Message, Queue, XMLFormatFlags};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Packets still to come.
static LEFT: AtomicUsize = AtomicUsize::new(0);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn print(message: &Message) {
    use XMLFormatFlags::{XmlDev, XmlHw, XmlMark, XmlPayload, XmlPhysDev, XmlPrefix};
    let header = message.get_msg_packet_hdr();
    println!("protocol {:#x} hook {}", header.hw_protocol, header.hook);
    println!("prefix {:?} mark {}", message.get_prefix(), message.get_nfmark());
    println!("devices {} {}", message.get_indev(), message.get_outdev());
    println!("ports {} {}", message.get_physindev(), message.get_physoutdev());
    if message.get_indev() != 0 {
        println!("type {} header {}", message.get_hwtype(), hex(message.get_packet_hwhdr()));
    }
    println!("from {:?}", message.get_packet_hw().map(|from| from.to_string()).ok());
    println!("timestamp {}", message.get_timestamp().is_ok());
    println!("owner {:?} {:?}", message.get_uid().ok(), message.get_gid().ok());
    println!("numbers {:?} {:?}", message.get_seq().ok(), message.get_seq_global().ok());
    println!("payload {}", hex(message.get_payload()));
    let parts = [XmlPrefix, XmlHw, XmlMark, XmlDev, XmlPhysDev, XmlPayload];
    println!("{}\n{message}", message.as_xml_str(&parts).unwrap());
    // Its loop has no other end.
    if LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
        std::process::exit(0);
    }
}

fn main() {
    let numbers: Vec<u32> = std::env::args().skip(1).map(|word| word.parse().unwrap()).collect();
    let [count, at_once, range] = numbers[..] else { panic!("nflog-rs COUNT AT_ONCE RANGE") };
    LEFT.store(count as usize, Ordering::Relaxed);
    let mut queue = Queue::new();
    queue.open();
    println!("family {} {}", queue.unbind(2), queue.bind(2));
    queue.bind_group(5);
    queue.set_mode(CopyMode::CopyPacket, range);
    queue.set_qthresh(at_once);
    queue.set_timeout(6000);
    queue.set_nlbufsiz(65_536);
    queue.set_flags(CfgFlags::CfgFlagsSeq);
    queue.set_callback(print);
    println!("ready with {}", library());
    queue.run_loop();
}

/// The library that this runs on.
fn library() -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let file = maps.lines().find(|line| line.contains("/libnetfilter_log.so")).unwrap();
    file.split_whitespace().last().unwrap().to_owned()
}
