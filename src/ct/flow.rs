//! Conntrack objects in Rust's terms: addresses, ports, numbers.
#![forbid(unsafe_code)]

use super::attr::{Attr, Storage};
use super::conntrack::{Conntrack, Counters, Slot, Tuple};
use super::objopt::SETUP_REPLY;
use crate::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

bitflags::bitflags! {
    /// Status bits of an entry, `IPS_*` of `linux/netfilter/nf_conntrack_common.h`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Status: u32 {
        /// Another flow's helper expected this one.
        const EXPECTED = 1 << 0;
        /// Packets were seen in both directions.
        const SEEN_REPLY = 1 << 1;
        /// The entry is not dropped early when the table is full.
        const ASSURED = 1 << 2;
        /// The entry is in the table.
        const CONFIRMED = 1 << 3;
        /// The source is translated.
        const SRC_NAT = 1 << 4;
        /// The destination is translated.
        const DST_NAT = 1 << 5;
        /// Sequence numbers are adjusted.
        const SEQ_ADJUST = 1 << 6;
        /// Source translation is set up.
        const SRC_NAT_DONE = 1 << 7;
        /// Destination translation is set up.
        const DST_NAT_DONE = 1 << 8;
        /// The entry is being removed.
        const DYING = 1 << 9;
        /// The timeout cannot be changed.
        const FIXED_TIMEOUT = 1 << 10;
        /// A template, not a flow.
        const TEMPLATE = 1 << 11;
        /// The helper was given by a rule or request.
        const HELPER = 1 << 13;
        /// Packets take the software fast path.
        const OFFLOAD = 1 << 14;
        /// Packets take the hardware fast path.
        const HW_OFFLOAD = 1 << 15;
        // Newer kernels may set others.
        const _ = !0;
    }
}

/// One direction of a flow, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// Source and destination address; `None` if the layer 3 protocol is neither IPv4 nor IPv6.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// Layer 4 protocol, `IPPROTO_*`.
    pub protocol: u8,
    /// Source and destination port; of GRE the keys. Meaningless for protocols without ports.
    pub ports: (u16, u16),
}

impl From<&Tuple> for Endpoints {
    fn from(tuple: &Tuple) -> Self {
        let address = |bytes: [u8; 16]| match i32::from(tuple.l3proto) {
            libc::AF_INET => {
                let [a, b, c, d, ..] = bytes;
                Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
            }
            libc::AF_INET6 => Some(IpAddr::V6(Ipv6Addr::from(bytes))),
            _ => None,
        };
        Self {
            addresses: address(tuple.src).zip(address(tuple.dst)),
            protocol: tuple.l4proto,
            ports: (u16::from_be_bytes(tuple.l4src), u16::from_be_bytes(tuple.l4dst)),
        }
    }
}

impl Conntrack {
    /// A flow of layer 4 protocol `protocol` (`libc::IPPROTO_*`) from `src` to `dst`, with the
    /// reply direction that follows from it.
    ///
    /// # Errors
    /// [`Error::FamilyConflict`] if one address is IPv4 and the other IPv6.
    pub fn flow(protocol: u8, src: SocketAddr, dst: SocketAddr) -> Result<Self, Error> {
        if src.is_ipv4() != dst.is_ipv4() {
            return Err(Error::FamilyConflict);
        }
        let family = if src.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        let mut ct = Self::new();
        ct.set_u8(Attr::OrigL3Proto, family as u8);
        ct.set_u8(Attr::OrigL4Proto, protocol);
        let (from, to) = match src {
            SocketAddr::V4(_) => (Attr::OrigIpv4Src, Attr::OrigIpv4Dst),
            SocketAddr::V6(_) => (Attr::OrigIpv6Src, Attr::OrigIpv6Dst),
        };
        ct.set_address(from, src.ip());
        ct.set_address(to, dst.ip());
        ct.set_port(Attr::OrigPortSrc, src.port());
        ct.set_port(Attr::OrigPortDst, dst.port());
        ct.set_option(SETUP_REPLY)?;
        Ok(ct)
    }

    /// Sets an 8-bit attribute.
    pub fn set_u8(&mut self, attr: Attr, value: u8) {
        self.set(attr, slot(&[value]));
    }

    /// Sets a 16-bit attribute in host order: a zone.
    pub fn set_u16(&mut self, attr: Attr, value: u16) {
        self.set(attr, slot(&value.to_ne_bytes()));
    }

    /// Sets a port, GRE key or ICMP id, given as a number.
    pub fn set_port(&mut self, attr: Attr, port: u16) {
        self.set(attr, slot(&port.to_be_bytes()));
    }

    /// Sets a 32-bit attribute in host order: mark, timeout, status and the like.
    pub fn set_u32(&mut self, attr: Attr, value: u32) {
        self.set(attr, slot(&value.to_ne_bytes()));
    }

    /// Sets an address attribute; its family is that of the attribute chosen.
    pub fn set_address(&mut self, attr: Attr, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.set(attr, slot(&address.octets())),
            IpAddr::V6(address) => self.set(attr, address.octets()),
        }
    }

    /// The value of a numeric attribute in host order, if present; `None` for addresses, ports
    /// (see [`original`](Self::original)) and what is not a number.
    #[must_use]
    pub fn number(&self, attr: Attr) -> Option<u64> {
        let numeric = matches!(
            attr.row().storage,
            Storage::Plain(_) | Storage::FromKernel(_) | Storage::Unsettable(_)
        );
        match *self.get(attr).filter(|_| numeric)? {
            [a] => Some(a.into()),
            [a, b] => Some(u16::from_ne_bytes([a, b]).into()),
            [a, b, c, d] => Some(u32::from_ne_bytes([a, b, c, d]).into()),
            [a, b, c, d, e, f, g, h] => Some(u64::from_ne_bytes([a, b, c, d, e, f, g, h])),
            _ => None,
        }
    }

    /// The original direction.
    #[must_use]
    pub fn original(&self) -> Endpoints {
        Endpoints::from(&self.flat.orig)
    }

    /// The reply direction: where answers come from and go to, after translation.
    #[must_use]
    pub fn reply(&self) -> Endpoints {
        Endpoints::from(&self.flat.reply)
    }

    /// The mark, if present.
    #[must_use]
    pub fn mark(&self) -> Option<u32> {
        self.has(Attr::Mark).then_some(self.flat.mark)
    }

    /// Seconds until the entry expires, if present.
    #[must_use]
    pub fn timeout(&self) -> Option<u32> {
        self.has(Attr::Timeout).then_some(self.flat.timeout)
    }

    /// The identifier of the entry, if present.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.has(Attr::Id).then_some(self.flat.id)
    }

    /// The status bits, if present.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.has(Attr::Status).then(|| Status::from_bits_retain(self.flat.status))
    }

    /// Packets and bytes of the original and the reply direction, if the kernel counts them
    /// (`net.netfilter.nf_conntrack_acct`).
    #[must_use]
    pub fn counters(&self) -> Option<[Counters; 2]> {
        self.has(Attr::OrigCounterPackets).then_some(self.flat.counters)
    }
}

fn slot(bytes: &[u8]) -> Slot {
    let mut slot = [0; 16];
    slot.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    slot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_has_both_directions() {
        let (src, dst) = ("10.0.0.1:1000".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
        let ct = Conntrack::flow(6, src, dst).unwrap();
        assert_eq!(ct.original().addresses, Some((src.ip(), dst.ip())));
        assert_eq!(ct.original().ports, (1000, 80));
        assert_eq!(ct.reply().addresses, Some((dst.ip(), src.ip())));
        assert_eq!(ct.reply().ports, (80, 1000));
        assert_eq!(ct.mark(), None);
    }

    #[test]
    fn the_families_of_a_flow_agree() {
        let (src, dst) = ("10.0.0.1:1".parse().unwrap(), "[::1]:1".parse().unwrap());
        assert_eq!(Conntrack::flow(6, src, dst).err(), Some(Error::FamilyConflict));
    }

    #[test]
    fn numbers_are_in_host_order() {
        let mut ct = Conntrack::new();
        ct.set_u32(Attr::Mark, 7);
        ct.set_u16(Attr::Zone, 3);
        assert_eq!((ct.number(Attr::Mark), ct.mark()), (Some(7), Some(7)));
        assert_eq!(ct.number(Attr::Zone), Some(3));
        assert_eq!(ct.number(Attr::Timeout), None);
        assert_eq!(ct.number(Attr::HelperName), None);
    }

    #[test]
    fn unknown_status_bits_are_kept() {
        let mut ct = Conntrack::new();
        ct.set_u32(Attr::Status, 0x8000_0006);
        let status = ct.status().unwrap();
        assert!(status.contains(Status::ASSURED) && status.bits() == 0x8000_0006);
    }
}
