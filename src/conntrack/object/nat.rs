//! Options of an object: tuples derived from each other, and whether a flow is translated.
#![forbid(unsafe_code)]

use super::attr::{Attr, Presence};
use super::entry::{Conntrack, Flat, NatRange, Tuple};
use super::layer4::Layer4;
use crate::conntrack::error::Error;
use crate::uapi::ips;

/// Turns the source NAT seen in the tuples into a request for it, and undoes it in the reply.
pub const UNDO_SNAT: u32 = 0;
/// The same for the destination address.
pub const UNDO_DNAT: u32 = 1;
/// The same for the source port.
pub const UNDO_SPAT: u32 = 2;
/// The same for the destination port.
pub const UNDO_DPAT: u32 = 3;
/// Makes the original tuple the inverse of the reply tuple.
pub const SETUP_ORIGINAL: u32 = 4;
/// Makes the reply tuple the inverse of the original tuple.
pub const SETUP_REPLY: u32 = 5;

/// Whether the source address is translated.
pub const IS_SNAT: u32 = 0;
/// Whether the destination address is translated.
pub const IS_DNAT: u32 = 1;
/// Whether the source port is translated.
pub const IS_SPAT: u32 = 2;
/// Whether the destination port is translated.
pub const IS_DPAT: u32 = 3;

/// Attributes 0 to 18: all that is in the tuples but for the zones.
const TUPLES: Presence = {
    use Attr::*;
    Presence::of(&[
        OrigIpv4Src,
        OrigIpv4Dst,
        ReplIpv4Src,
        ReplIpv4Dst,
        OrigIpv6Src,
        OrigIpv6Dst,
        ReplIpv6Src,
        ReplIpv6Dst,
        OrigPortSrc,
        OrigPortDst,
        ReplPortSrc,
        ReplPortDst,
        IcmpType,
        IcmpCode,
        IcmpId,
        OrigL3Proto,
        ReplL3Proto,
        OrigL4Proto,
        ReplL4Proto,
    ])
};

impl Conntrack {
    /// Applies one of the options [`UNDO_SNAT`] to [`SETUP_REPLY`]. Values count whether present
    /// or not; the setups mark all attributes of both tuples present but the zones.
    ///
    /// # Errors
    /// [`Error::UnknownOption`].
    pub fn set_option(&mut self, option: u32) -> Result<(), Error> {
        let Flat { orig, reply, snat, dnat, present, .. } = &mut self.flat;
        match option {
            UNDO_SNAT => {
                let attrs = [Attr::SnatIpv4, Attr::SnatIpv6];
                undo_address(orig.l3proto, snat, &mut reply.dst, &orig.src, present, attrs);
            }
            UNDO_DNAT => {
                let attrs = [Attr::DnatIpv4, Attr::DnatIpv6];
                undo_address(orig.l3proto, dnat, &mut reply.src, &orig.dst, present, attrs);
            }
            UNDO_SPAT => {
                undo_port(snat, &mut reply.l4dst, orig.l4src);
                present.set(Attr::SnatPort);
            }
            UNDO_DPAT => {
                undo_port(dnat, &mut reply.l4src, orig.l4dst);
                present.set(Attr::DnatPort);
            }
            SETUP_ORIGINAL => invert(reply, orig),
            SETUP_REPLY => invert(orig, reply),
            _ => return Err(Error::UnknownOption(option)),
        }
        if matches!(option, SETUP_ORIGINAL | SETUP_REPLY) {
            present.insert(TUPLES);
        }
        Ok(())
    }

    /// Answers one of the options [`IS_SNAT`] to [`IS_DPAT`] by comparing the tuples. With a
    /// status, the flow must also be marked as translated there.
    ///
    /// # Errors
    /// [`Error::UnknownOption`].
    pub fn get_option(&self, option: u32) -> Result<bool, Error> {
        let Flat { orig, reply, .. } = &self.flat;
        let (done, differs) = match option {
            IS_SNAT => (ips::SRC_NAT_DONE, addresses_differ(orig.l3proto, &reply.dst, &orig.src)),
            IS_DNAT => (ips::DST_NAT_DONE, addresses_differ(orig.l3proto, &reply.src, &orig.dst)),
            IS_SPAT => (ips::SRC_NAT_DONE, reply.l4dst != orig.l4src),
            IS_DPAT => (ips::DST_NAT_DONE, reply.l4src != orig.l4dst),
            _ => return Err(Error::UnknownOption(option)),
        };
        Ok(differs && (!self.has(Attr::Status) || self.flat.status & done != 0))
    }
}

/// Bytes of an address of the family, none for one that is neither.
fn address_width(family: u8) -> usize {
    match i32::from(family) {
        libc::AF_INET => 4,
        libc::AF_INET6 => 16,
        _ => 0,
    }
}

fn addresses_differ(family: u8, a: &[u8; 16], b: &[u8; 16]) -> bool {
    a.iter().zip(b).take(address_width(family)).any(|(a, b)| a != b)
}

/// Moves the translated address of the reply into a NAT range and puts the original one back;
/// `attrs` are the range's attributes for IPv4 and IPv6.
fn undo_address(
    family: u8,
    nat: &mut NatRange,
    translated: &mut [u8; 16],
    original: &[u8; 16],
    present: &mut Presence,
    [ipv4, ipv6]: [Attr; 2],
) {
    let width = address_width(family);
    let copy = |to: &mut [u8; 16], from: &[u8; 16]| {
        to.iter_mut().zip(from).take(width).for_each(|(to, from)| *to = *from);
    };
    copy(&mut nat.min, translated);
    copy(&mut nat.max, translated);
    copy(translated, original);
    match width {
        4 => present.set(ipv4),
        16 => present.set(ipv6),
        _ => {}
    }
}

fn undo_port(nat: &mut NatRange, translated: &mut [u8; 2], original: [u8; 2]) {
    nat.min_port = *translated;
    nat.max_port = *translated;
    *translated = original;
}

/// Makes `to` the inverse of `from`. Zones stay, and so do ICMP fields, which their setters
/// have written to both.
fn invert(from: &Tuple, to: &mut Tuple) {
    to.l3proto = from.l3proto;
    to.l4proto = from.l4proto;
    to.src = from.dst;
    to.dst = from.src;
    if Layer4::of(from.l4proto).has_ends() {
        to.l4src = from.l4dst;
        to.l4dst = from.l4src;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple(l3proto: u8, l4proto: u8) -> Tuple {
        Tuple {
            src: [1; 16],
            dst: [2; 16],
            l3proto,
            l4proto,
            zone: 7,
            l4src: [0x22, 0x11],
            l4dst: [0x44, 0x33],
        }
    }

    fn present(ct: &Conntrack) -> Vec<u32> {
        ct.flat.present.iter().map(|attr| attr as u32).collect()
    }

    #[test]
    fn setup_inverts_one_tuple_into_the_other() {
        let mut ct = Conntrack::new();
        ct.flat.orig = tuple(2, 6);
        ct.flat.present.set(Attr::OrigZone);
        ct.set_option(SETUP_REPLY).unwrap();
        assert_eq!(present(&ct), (0..=18).chain([68]).collect::<Vec<_>>());
        let reply = ct.flat.reply;
        assert_eq!((reply.src, reply.dst, reply.zone), ([2; 16], [1; 16], 0));
        assert_eq!((reply.l3proto, reply.l4proto), (2, 6));
        assert_eq!((reply.l4src, reply.l4dst), ([0x44, 0x33], [0x22, 0x11]));
        ct.flat.orig = Tuple::default();
        ct.set_option(SETUP_ORIGINAL).unwrap();
        assert_eq!((ct.flat.orig.src, ct.flat.orig.l4src), ([1; 16], [0x22, 0x11]));
    }

    #[test]
    fn setup_of_an_empty_object_and_of_other_protocols() {
        let mut ct = Conntrack::new();
        ct.set_option(SETUP_REPLY).unwrap();
        assert_eq!(present(&ct), (0..=18).collect::<Vec<_>>());
        for l4proto in 0..=255 {
            ct.flat.orig = tuple(2, l4proto);
            ct.flat.reply = Tuple::default();
            ct.set_option(SETUP_REPLY).unwrap();
            let ports = [6, 17, 33, 47, 132, 136].contains(&l4proto);
            assert_eq!(ct.flat.reply.l4dst == [0x22, 0x11], ports);
            assert_eq!(ct.flat.reply.l4src == [0, 0], !ports);
        }
    }

    #[test]
    fn undo_moves_addresses_into_the_nat_range() {
        for (l3proto, width, snat, dnat) in [(2, 4, 20, 21), (10, 16, 70, 71)] {
            let mut ct = Conntrack::new();
            ct.flat.orig = tuple(l3proto, 6);
            ct.flat.reply = Tuple { src: [3; 16], dst: [4; 16], ..Tuple::default() };
            ct.set_option(UNDO_SNAT).unwrap();
            ct.set_option(UNDO_DNAT).unwrap();
            assert_eq!(present(&ct), [snat, dnat]);
            let start = |byte: u8, rest: u8| {
                let mut all = [rest; 16];
                all[..width].fill(byte);
                all
            };
            assert_eq!((ct.flat.snat.min, ct.flat.snat.max), (start(4, 0), start(4, 0)));
            assert_eq!((ct.flat.dnat.min, ct.flat.dnat.max), (start(3, 0), start(3, 0)));
            assert_eq!((ct.flat.reply.src, ct.flat.reply.dst), (start(2, 3), start(1, 4)));
        }
        let mut other = Conntrack::new();
        other.flat.orig = tuple(7, 6);
        other.set_option(UNDO_SNAT).unwrap();
        assert_eq!((present(&other), other.flat.snat.min), (vec![], [0; 16]));
    }

    #[test]
    fn undo_moves_ports_into_the_nat_range() {
        let mut ct = Conntrack::new();
        ct.flat.orig = tuple(2, 6);
        ct.flat.reply.l4src = [5; 2];
        ct.flat.reply.l4dst = [6; 2];
        ct.set_option(UNDO_SPAT).unwrap();
        ct.set_option(UNDO_DPAT).unwrap();
        assert_eq!(present(&ct), [22, 23]);
        assert_eq!((ct.flat.snat.min_port, ct.flat.snat.max_port), ([6; 2], [6; 2]));
        assert_eq!((ct.flat.dnat.min_port, ct.flat.dnat.max_port), ([5; 2], [5; 2]));
        assert_eq!((ct.flat.reply.l4src, ct.flat.reply.l4dst), ([0x44, 0x33], [0x22, 0x11]));
    }

    #[test]
    fn translated_by_tuples_and_status() {
        let answers = |l3proto, status: Option<u32>| {
            let mut ct = Conntrack::new();
            ct.flat.orig = tuple(l3proto, 6);
            ct.flat.reply = Tuple { src: [3; 16], dst: [4; 16], ..Tuple::default() };
            if let Some(status) = status {
                ct.fill_u32(Attr::Status, status);
            }
            [0, 1, 2, 3].map(|option| u8::from(ct.get_option(option).unwrap()))
        };
        assert_eq!(answers(2, None), [1, 1, 1, 1]);
        assert_eq!(answers(2, Some(0)), [0, 0, 0, 0]);
        assert_eq!(answers(2, Some(0x80)), [1, 0, 1, 0]);
        assert_eq!(answers(10, Some(0x100)), [0, 1, 0, 1]);
        assert_eq!(answers(10, Some(0x180)), [1, 1, 1, 1]);
        assert_eq!(answers(0, None), [0, 0, 1, 1]);
    }

    #[test]
    fn family_decides_how_much_of_an_address_counts() {
        let mut ct = Conntrack::new();
        ct.flat.orig.src[15] = 1;
        for (l3proto, answer) in [(2, false), (10, true), (0, false)] {
            ct.flat.orig.l3proto = l3proto;
            assert_eq!(ct.get_option(IS_SNAT), Ok(answer));
        }
    }

    #[test]
    fn unknown_options_are_refused() {
        let mut ct = Conntrack::new();
        assert_eq!(ct.set_option(6), Err(Error::UnknownOption(6)));
        assert_eq!(ct.get_option(4), Err(Error::UnknownOption(4)));
        assert_eq!(present(&ct), []);
    }
}
