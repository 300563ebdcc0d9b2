//! What the generator makes of the table of attributes: widths, classes, and likely values.

use crate::differential::rng::Rng;
use capi_tests::attributes::{Attribute, Kind, entries};

/// Number of attributes, the one that 1.0.9 lacks included.
pub const COUNT: u32 = 76;
/// `ATTR_ORIG_L4PROTO`.
pub const ORIG_L4PROTO: u32 = 17;
/// `ATTR_HELPER_NAME`.
pub const HELPER_NAME: u32 = 55;
/// `ATTR_SECCTX`.
pub const SECCTX: u32 = 62;
/// `ATTR_HELPER_INFO`.
pub const HELPER_INFO: u32 = 65;
/// `ATTR_CONNLABELS`.
pub const CONNLABELS: u32 = 66;
/// `ATTR_CONNLABELS_MASK`.
pub const CONNLABELS_MASK: u32 = 67;
/// `ATTR_TIMESTAMP_EVENT`, which 1.0.9 does not have.
pub const TIMESTAMP_EVENT: u32 = 75;
/// `ATTR_REPL_PORT_SRC` and `ATTR_REPL_PORT_DST`.
pub const REPL_PORTS: [u32; 2] = [10, 11];
/// `ATTR_ICMP_TYPE`, `ATTR_ICMP_CODE` and `ATTR_ICMP_ID`.
pub const ICMP: [u32; 3] = [12, 13, ICMP_ID];
/// `ATTR_ICMP_ID`.
pub const ICMP_ID: u32 = 14;
/// `ATTR_SNAT_PORT` and `ATTR_DNAT_PORT`.
pub const NAT_PORTS: [u32; 2] = [22, 23];

/// Bytes of an attribute inside the object; 0 for strings, heap parts and what does not exist.
#[must_use]
pub fn width(attr: u32) -> usize {
    let inside = |row: &&Attribute| matches!(row.kind, Kind::Plain | Kind::Inert | Kind::Fixed);
    entries().get(attr as usize).filter(inside).map_or(0, |row| row.bytes)
}

/// Whether `nfct_copy` with these flags, none of them OVERRIDE, takes the attribute along.
#[must_use]
pub fn copied_by(flags: u32, attr: u32) -> bool {
    flags == 0 || entries().get(attr as usize).is_some_and(|row| flags & row.class != 0)
}

const ADDRESSES: [[u8; 16]; 8] = [
    [0; 16],
    [10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [192, 168, 1, 254, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0, 0, 0],
    [255; 16],
];

/// 16 bytes that hold a likely value of the attribute, and noise or zeros behind it.
pub fn likely_value(rng: &mut Rng, attr: u32) -> [u8; 16] {
    let number = match entries().get(attr as usize).map_or("-", |row| row.holds) {
        "ipv4" | "ipv6" if !rng.one_in(4) => return rng.pick(&ADDRESSES),
        "ipv6" => return sparse_address(rng),
        "l3proto" => rng.pick(&[2, 2, 2, 10, 10, 10, 0, 7]),
        "l4proto" => rng.pick(&[6, 6, 17, 1, 58, 33, 132, 136, 47, 0, 50, 255]),
        "state" => rng.below(13),
        "icmp-type" => rng.pick(&[0, 8, 13, 14, 15, 16, 17, 18, 128, 129, 139, 140, 5]),
        "port" => rng.pick(&[0, 0x5000, 0x3500, 0x0803, rng.clone().next()]),
        "status" => {
            rng.pick(&[0, 2, 4, 6, 0xe, 0x80, 0x100, 0x18e, 0x4006, 0x8006, rng.clone().next()])
        }
        _ => rng.value(),
    };
    // Its own bytes first, then the rest.
    let mut bytes = [0; 16];
    let ahead = 64 - 8 * width(attr).clamp(1, 8) as u32;
    let number = if cfg!(target_endian = "big") { number.rotate_left(ahead) } else { number };
    bytes[..8].copy_from_slice(&number.to_ne_bytes());
    bytes
}

/// An address with runs of zeros, as the text form of IPv6 shortens them.
fn sparse_address(rng: &mut Rng) -> [u8; 16] {
    let mut bytes = [0; 16];
    for pair in bytes.chunks_mut(2) {
        if rng.one_in(2) {
            pair.copy_from_slice(&rng.pick(&[[0, 1], [0xff, 0xff], [0, 0x10], [0xa, 0xb]]));
        }
    }
    bytes
}

/// An attribute number: at times one that does not exist.
pub fn any_attr(rng: &mut Rng) -> u32 {
    if rng.one_in(30) {
        return rng.pick(&[76, 77, 95, 96, 200, 0xffff_ffff]);
    }
    rng.below(u64::from(COUNT)) as u32
}
