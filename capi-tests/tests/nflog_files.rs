//! Packets in files: what tcpdump and tshark make of those that a real kernel has sent.
#![forbid(unsafe_code)]

use capi_tests::corpus::{message_kind, messages};
use ctrs::{LinkType, Packet, Pcap, PcapWriter};
use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

/// Seconds since 1970 at which all packets came, for those whose message does not tell.
const RECEIVED: u64 = 9;

/// Messages about packets that a real kernel has sent.
fn recorded() -> Vec<Vec<u8>> {
    let all = messages(|file| file.ends_with("-nflog.hex")).into_iter().map(|(_, bytes)| bytes);
    all.filter(|message| message_kind(message) == [4, 0]).collect()
}

/// A message as this test reads it: family, and attributes by number.
struct Told(u8, HashMap<u16, Vec<u8>>);

impl Told {
    fn of(message: &[u8]) -> Self {
        let (mut attributes, mut at) = (HashMap::new(), 20);
        while at + 4 <= message.len() {
            let number = |at| u16::from_ne_bytes([message[at], message[at + 1]]);
            let length = usize::from(number(at));
            attributes.insert(number(at + 2) & 0x3fff, message[at + 4..at + length].to_vec());
            at += (length + 3) & !3;
        }
        Self(message[16], attributes)
    }

    fn attribute(&self, number: u16) -> &[u8] {
        self.1.get(&number).map_or(&[], |value| value)
    }

    /// In microseconds.
    fn time(&self) -> u64 {
        let number = |eight: &[u8]| u64::from_be_bytes(eight.try_into().unwrap());
        let told = self.attribute(3).split_at_checked(8).filter(|(_, rest)| !rest.is_empty());
        told.map_or(RECEIVED * 1_000_000, |(seconds, rest)| {
            number(seconds) * 1_000_000 + number(rest)
        })
    }

    /// The header of the device and what is behind it: what leaves through one begins with it.
    fn frame(&self) -> (&[u8], &[u8]) {
        let (payload, hook) = (self.attribute(9), self.attribute(1)[2]);
        let header = match self.attribute(21) {
            [] => self.attribute(16),
            header => header,
        };
        match (self.0, hook) {
            (5, 1) => payload.split_at(header.len()),
            (3, 1) => payload.split_at(14),
            _ => (header, payload),
        }
    }

    /// The IP packet behind tags.
    fn ip(&self) -> &[u8] {
        let (mut kind, mut rest) = (self.attribute(1)[..2].to_vec(), self.frame().1);
        while kind == [0x81, 0] {
            (kind, rest) = (rest[2..4].to_vec(), &rest[4..]);
        }
        let is_ip = matches!(kind[..], [8, 0] | [0x86, 0xdd]) && !rest.is_empty();
        if is_ip { rest } else { &[] }
    }

    /// How many bytes the IP packet had before it was cut.
    fn length(&self) -> usize {
        let number =
            |at: usize| usize::from(u16::from_be_bytes([self.ip()[at], self.ip()[at + 1]]));
        let length = match self.ip().first().map(|first| first >> 4) {
            Some(4) if self.ip().len() >= 4 => number(2),
            Some(6) if self.ip().len() >= 6 => number(4) + 40,
            _ => 0,
        };
        length.max(self.ip().len())
    }

    /// The source of IP, as text.
    fn source(&self) -> String {
        match self.ip() {
            ip if ip.len() < 20 => String::new(),
            ip if ip[0] >> 4 == 4 => {
                std::net::Ipv4Addr::from(ip[12..16].first_chunk().copied().unwrap()).to_string()
            }
            ip if ip.len() < 40 => String::new(),
            ip => std::net::Ipv6Addr::from(ip[8..24].first_chunk().copied().unwrap()).to_string(),
        }
    }
}

/// A file of these packets; which of them are in it.
fn file(link: LinkType, messages: &[Vec<u8>]) -> (PathBuf, Vec<Told>) {
    let path = std::env::temp_dir().join(format!("ctrs-{link:?}-{}.pcap", std::process::id()));
    let mut writer = PcapWriter::new(File::create(&path).unwrap(), Pcap::new(link)).unwrap();
    let mut inside = messages.to_vec();
    inside.retain(|message| {
        let packet = Packet::read(message).unwrap();
        writer.write(&packet, UNIX_EPOCH + Duration::from_secs(RECEIVED)).unwrap()
    });
    (path, inside.iter().map(|message| Told::of(message)).collect())
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("truncated"), "{command:?} {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// What both programs make of a file: `fields` of tshark, of the first header of each kind.
fn read(link: LinkType, fields: &[&str]) -> Vec<(Told, Vec<String>)> {
    let (path, inside) = file(link, &recorded());
    let lines = output(Command::new("tcpdump").args(["-nnt", "-r"]).arg(&path));
    let packets = lines.lines().filter(|line| !line.starts_with('\t')).count();
    assert_eq!(packets, inside.len(), "tcpdump {link:?}");
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(&path).args(["-n", "-T", "fields", "-E", "occurrence=f"]);
    for field in fields {
        tshark.args(["-e", field]);
    }
    let lines = output(&mut tshark);
    assert_eq!(lines.lines().count(), inside.len(), "tshark {link:?}");
    let _ = std::fs::remove_file(path);
    let split = |line: &str| line.split('\t').map(str::to_owned).collect();
    inside.into_iter().zip(lines.lines().map(split)).collect()
}

/// The time and lengths of a packet, as tshark tells them.
fn frame(told: &Told, captured: usize, length: usize) -> [String; 3] {
    let (seconds, rest) = (told.time() / 1_000_000, told.time() % 1_000_000);
    [format!("{seconds}.{rest:06}000"), captured.to_string(), length.to_string()]
}

const FRAME: [&str; 3] = ["frame.time_epoch", "frame.cap_len", "frame.len"];

#[test]
fn raw_files_have_every_ip_packet() {
    let read = read(LinkType::Raw, &[&FRAME[..], &["ip.src", "ipv6.src"]].concat());
    assert!(read.len() > 100);
    for (told, fields) in read {
        assert_eq!(fields[..3], frame(&told, told.ip().len(), told.length()));
        assert_eq!(fields[3..].concat(), told.source());
    }
}

#[test]
fn ethernet_files_have_frames_with_their_tags() {
    let fields = ["eth.dst", "vlan.id", "vlan.priority", "ip.src", "ipv6.src"];
    let read = read(LinkType::Ethernet, &[&FRAME[..], &fields].concat());
    assert!(read.len() > 80);
    let mut tagged = 0;
    for (told, fields) in read {
        let (header, body) = told.frame();
        let tag = told.attribute(20);
        let more = header.len() + if tag.is_empty() { 0 } else { 4 };
        let captured = body.len() + more;
        let length = if told.ip().is_empty() {
            captured
        } else {
            captured - told.ip().len() + told.length()
        };
        assert_eq!(fields[..3], frame(&told, captured, length));
        let address: Vec<_> = header[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(fields[3], address.join(":"));
        // The tags of 802.1ad have other names.
        if let [_, _, _, _, a, b, _, _, _, _, _, _, 0x81, 0, ..] = *tag {
            let number = u16::from_be_bytes([a, b]);
            assert_eq!(fields[4..6], [(number & 0xfff).to_string(), (number >> 13).to_string()]);
            tagged += 1;
        }
        assert_eq!(fields[6..].concat(), told.source());
    }
    assert!(tagged > 4, "{tagged}");
}

#[test]
fn nflog_files_have_every_packet_and_what_was_told_of_it() {
    let fields = ["nflog.res_id", "nflog.prefix", "nflog.hook", "ip.src", "ipv6.src"];
    let read = read(LinkType::Nflog, &[&FRAME[..], &fields].concat());
    assert_eq!(read.len(), recorded().len());
    for (message, (told, fields)) in recorded().iter().zip(read) {
        let length = message.len() - 16;
        assert_eq!(fields[..3], frame(&told, length, length));
        assert_eq!(fields[3], u16::from_be_bytes([message[18], message[19]]).to_string());
        let prefix = told.attribute(10).split(|byte| *byte == 0).next().unwrap();
        if prefix.is_ascii() && !prefix.iter().any(u8::is_ascii_control) {
            assert_eq!(fields[4].as_bytes(), prefix);
        }
        assert_eq!(fields[5], told.attribute(1)[2].to_string());
        if let 2 | 10 = told.0 {
            assert_eq!(fields[6..].concat(), told.source());
        }
    }
}
