//! Packets to send through a router, and what answers them.

use std::net::{Ipv4Addr, Ipv6Addr};

pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const GRE: u8 = 47;
pub const ICMPV6: u8 = 58;
pub const SCTP: u8 = 132;
pub const UDPLITE: u8 = 136;

/// Chunks of SCTP, each of which answers the one before; data is what answers at last.
const CHUNKS: [u8; 6] = [1, 2, 10, 11, 0, 3];
/// Its tag in both directions.
const TAG: [u8; 4] = [0x11, 0x22, 0x33, 0x44];
const SYN: u8 = 2;
const ACK: u8 = 16;

/// Addresses of a packet. IPv4 ones are the last four bytes.
pub type Address = [u8; 16];

/// A packet of either family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub ipv6: bool,
    pub src: Address,
    pub dst: Address,
    pub protocol: u8,
    /// Tells it from all others.
    pub id: u16,
    pub ttl: u8,
    /// Options of IPv4, extension headers of IPv6.
    pub options: bool,
    pub body: Vec<u8>,
}

fn four(address: &Address) -> [u8; 4] {
    address[12..].try_into().unwrap()
}

pub fn ipv4(a: u8, b: u8, c: u8, d: u8) -> Address {
    Ipv4Addr::new(a, b, c, d).to_ipv6_compatible().octets()
}

pub fn ipv6(text: &str) -> Address {
    text.parse::<Ipv6Addr>().unwrap().octets()
}

/// The checksum of the internet.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

impl Sent {
    pub fn bytes(&self) -> Vec<u8> {
        if self.ipv6 { self.bytes6() } else { self.bytes4(0) }
    }

    /// As IPv4, with these fragment bits.
    fn bytes4(&self, fragment: u16) -> Vec<u8> {
        let options: &[u8] = if self.options { &[1, 1, 1, 0] } else { &[] };
        let length = (20 + options.len() + self.body.len()) as u16;
        let first = 0x45 + (options.len() / 4) as u8;
        let mut header = [&[first, 0][..], &length.to_be_bytes(), &self.id.to_be_bytes()].concat();
        header.extend(fragment.to_be_bytes());
        header.extend([self.ttl, self.protocol, 0, 0]);
        header.extend(four(&self.src));
        header.extend(four(&self.dst));
        header.extend(options);
        let sum = checksum(&header);
        header[10..12].copy_from_slice(&sum);
        [header, self.body.clone()].concat()
    }

    fn bytes6(&self) -> Vec<u8> {
        // Destination options, authentication of 24 bytes, and a fragment that is the whole.
        let extensions: Vec<u8> = if self.options {
            let mut all = vec![51, 0, 1, 4, 0, 0, 0, 0];
            all.extend([44, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
            all.extend([
                self.protocol,
                0,
                0,
                0,
                0,
                0,
                self.id.to_be_bytes()[0],
                self.id.to_be_bytes()[1],
            ]);
            all
        } else {
            Vec::new()
        };
        let next = if self.options { 60 } else { self.protocol };
        let length = (extensions.len() + self.body.len()) as u16;
        let id = self.id.to_be_bytes();
        let mut packet = vec![0x60, 0, id[0], id[1]];
        packet.extend(length.to_be_bytes());
        packet.extend([next, self.ttl]);
        packet.extend(self.src);
        packet.extend(self.dst);
        packet.extend(extensions);
        packet.extend(&self.body);
        packet
    }

    /// In two pieces, the first one of 8 bytes of the body.
    pub fn pieces(&self) -> [Vec<u8>; 2] {
        let (head, tail) = self.body.split_at(8);
        let of = |body: &[u8]| Self { body: body.to_vec(), options: false, ..self.clone() };
        if !self.ipv6 {
            return [of(head).bytes4(0x2000), of(tail).bytes4(1)];
        }
        [(head, [0, 1]), (tail, [0, 8])].map(|(body, bits)| {
            let id = self.id.to_be_bytes();
            let header = [&[self.protocol, 0][..], &bits, &[0, 0], &id].concat();
            Self { protocol: 44, ..of(&[&header, body].concat()) }.bytes()
        })
    }

    /// Reads what a router hands on.
    pub fn read(bytes: &[u8]) -> Self {
        let wide = |address: &[u8]| {
            let mut bytes = [0; 16];
            bytes[16 - address.len()..].copy_from_slice(address);
            bytes
        };
        if bytes[0] >> 4 == 4 {
            let header = usize::from(bytes[0] & 15) * 4;
            return Self {
                ipv6: false,
                src: wide(&bytes[12..16]),
                dst: wide(&bytes[16..20]),
                protocol: bytes[9],
                id: u16::from_be_bytes([bytes[4], bytes[5]]),
                ttl: bytes[8],
                options: header > 20,
                body: bytes[header..].to_vec(),
            };
        }
        let (mut protocol, mut at) = (bytes[6], 40);
        while let 60 | 51 | 44 = protocol {
            let length = match protocol {
                51 => 24,
                _ => 8,
            };
            (protocol, at) = (bytes[at], at + length);
        }
        Self {
            ipv6: true,
            src: wide(&bytes[8..24]),
            dst: wide(&bytes[24..40]),
            protocol,
            id: u16::from_be_bytes([bytes[2], bytes[3]]),
            ttl: bytes[7],
            options: at > 40,
            body: bytes[at..].to_vec(),
        }
    }

    /// Where it came from, as it is answered; `None` if nothing answers it.
    pub fn answer(&self, id: u16) -> Option<Self> {
        let mut body = self.body.clone();
        let ports = matches!(self.protocol, TCP | UDP | SCTP | UDPLITE);
        // A piece is not answered.
        if body.len() < if ports { 12 } else { 8 } || self.protocol == TCP && body.len() < 20 {
            return None;
        }
        if ports {
            let (src, dst) = ([body[0], body[1]], [body[2], body[3]]);
            body[..4].copy_from_slice(&[dst, src].concat());
        }
        match self.protocol {
            TCP => body[13] = if body[13] == SYN { SYN | ACK } else { ACK },
            SCTP => {
                let chunk = *body.get(12)?;
                let at = CHUNKS.iter().position(|known| *known == chunk)?;
                body[4..8].copy_from_slice(&TAG);
                body[12] = *CHUNKS.get(at + 1).unwrap_or(&0);
            }
            ICMP | ICMPV6 => {
                body[0] = match body[0] {
                    8 => 0,
                    13 => 14,
                    128 => 129,
                    _ => return None,
                };
            }
            _ => {}
        }
        Some(Self { src: self.dst, dst: self.src, id, ttl: 60, body, ..self.clone() })
    }

    /// Whether it is the first packet of an association, where it is one of SCTP at all.
    pub fn begins_if_sctp(&self) -> bool {
        self.protocol != SCTP || self.body.get(12) == CHUNKS.first()
    }

    /// An ICMP error about it, from somewhere.
    pub fn error(&self, from: Address, kind: u8, id: u16) -> Self {
        let mut about = self.bytes();
        about.truncate(120);
        let body = [&[kind, 0, 0, 0, 0, 0, 0, 0][..], &about].concat();
        let protocol = if self.ipv6 { ICMPV6 } else { ICMP };
        Self {
            src: from,
            dst: self.src,
            protocol,
            id,
            ttl: 60,
            options: false,
            body,
            ipv6: self.ipv6,
        }
    }

    /// The body of a packet that begins a flow.
    pub fn body_of(protocol: u8, ports: [u16; 2], variant: u8) -> Vec<u8> {
        let [src, dst] = ports.map(u16::to_be_bytes);
        let both = [src, dst].concat();
        match protocol {
            TCP => [&both[..], &[0, 0, 0, 1, 0, 0, 0, 1, 0x50, SYN, 16, 0, 0, 0, 0, 0]].concat(),
            UDP => [&both[..], &[0, 12, 0, 0], b"data"].concat(),
            UDPLITE => [&both[..], &[0, 8, 0, 1], b"data"].concat(),
            SCTP => {
                [&both[..], &[0; 8], &[1, 0, 0, 20], &TAG, &[0, 0, 16, 0, 0, 1, 0, 1, 0, 0, 0, 1]]
                    .concat()
            }
            ICMP => [&[if variant == 0 { 8 } else { 13 }, 0, 0, 0][..], &src, &[0, 1], &[0; 12]]
                .concat(),
            ICMPV6 => [&[128, 0, 0, 0][..], &src, &[0, 1], b"data"].concat(),
            // Of PPTP, and of any other tunnel.
            GRE if variant == 0 => {
                [&[0x30, 1, 0x88, 0x0b, 0, 4][..], &dst, &[0, 0, 0, 1], b"data"].concat()
            }
            GRE => [&[0x20, 0, 8, 0][..], &dst, &src, b"data"].concat(),
            _ => [&both[..], b"12345678"].concat(),
        }
    }
}
