//! The attributes of a tuple, in each place that an object has for one.
#![forbid(unsafe_code)]

use super::attr::{Attr, Presence};
use super::entry::Tuple;
use super::layer4::Layer4;

/// What the attributes of ICMP are: those of the original tuple, which count for the others.
pub(crate) const ICMP: Presence = Presence::of(&[Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId]);

/// Which attributes the members of a tuple are.
#[derive(Debug)]
pub(crate) struct TupleAttrs {
    pub(crate) ipv4: [Attr; 2],
    pub(crate) ipv6: [Attr; 2],
    pub(crate) ports: [Attr; 2],
    pub(crate) l3proto: Attr,
    pub(crate) l4proto: Attr,
    pub(crate) zone: Option<Attr>,
    /// What a tuple of the usual shape has, beside its layer 3 protocol.
    pub(crate) ipv4_shape: Presence,
    pub(crate) ipv6_shape: Presence,
    /// What a whole tuple has beside what layer 4 has.
    ipv4_whole: Presence,
    ipv6_whole: Presence,
    /// The same with ports.
    ipv4_ends: Presence,
    ipv6_ends: Presence,
}

impl TupleAttrs {
    const fn new(
        ipv4: [Attr; 2],
        ipv6: [Attr; 2],
        ports: [Attr; 2],
        [l3proto, l4proto]: [Attr; 2],
        zone: Option<Attr>,
    ) -> Self {
        let common = Presence::of(&[ports[0], ports[1], l4proto]);
        let (ipv4_shape, ipv6_shape) =
            (common.with(Presence::of(&ipv4)), common.with(Presence::of(&ipv6)));
        let protocols = Presence::of(&[l3proto, l4proto]);
        let ipv4_whole = protocols.with(Presence::of(&ipv4));
        let ipv6_whole = protocols.with(Presence::of(&ipv6));
        Self {
            ipv4,
            ipv6,
            ports,
            l3proto,
            l4proto,
            zone,
            ipv4_shape,
            ipv6_shape,
            ipv4_whole,
            ipv6_whole,
            ipv4_ends: ipv4_whole.with(common),
            ipv6_ends: ipv6_whole.with(common),
        }
    }

    /// Whether they are those of the original tuple.
    pub(crate) fn is_original(&self) -> bool {
        self.l3proto as u8 == Attr::OrigL3Proto as u8
    }

    /// All that a tuple can have. ICMP members are attributes of the original tuple.
    pub(crate) const fn any(&self) -> Presence {
        let shapes = self.ipv4_shape.with(self.ipv6_shape).with(Presence::of(&[self.l3proto]));
        match self.zone {
            Some(Attr::OrigZone) => shapes.with(Presence::of(&[Attr::OrigZone])).with(ICMP),
            Some(zone) => shapes.with(Presence::of(&[zone])),
            None => shapes,
        }
    }

    /// What a whole tuple has, by its protocols; `None` for one that is neither IPv4 nor IPv6.
    #[inline]
    pub(crate) fn whole(&self, l3proto: u8, l4proto: u8) -> Option<Presence> {
        let (whole, ends) = match i32::from(l3proto) {
            libc::AF_INET => (self.ipv4_whole, self.ipv4_ends),
            libc::AF_INET6 => (self.ipv6_whole, self.ipv6_ends),
            _ => return None,
        };
        Some(match Layer4::of(l4proto) {
            Layer4::Ports | Layer4::Keys => ends,
            Layer4::Icmp => whole.with(ICMP),
            Layer4::Nothing => whole,
        })
    }

    /// Whether it is of a flow that the kernel has told, as the id shows, and lacks but ports or keys:
    /// a kernel tells none that does not know the protocol, as since 6.17 DCCP, or was built so.
    pub(crate) fn is_told_without_ports(&self, tuple: &Tuple, present: &Presence) -> bool {
        let is_optional = matches!(
            i32::from(tuple.l4proto),
            libc::IPPROTO_DCCP | libc::IPPROTO_GRE | libc::IPPROTO_SCTP | libc::IPPROTO_UDPLITE
        );
        // As of a protocol that has no ports.
        let told = self.whole(tuple.l3proto, 0).map(|whole| whole.with(Presence::of(&[Attr::Id])));
        is_optional
            && told.is_some_and(|told| present.has_all(told))
            && !present.has_any(Presence::of(&self.ports))
    }
}

/// Those of the original tuple.
pub(crate) static ORIG: TupleAttrs = TupleAttrs::new(
    [Attr::OrigIpv4Src, Attr::OrigIpv4Dst],
    [Attr::OrigIpv6Src, Attr::OrigIpv6Dst],
    [Attr::OrigPortSrc, Attr::OrigPortDst],
    [Attr::OrigL3Proto, Attr::OrigL4Proto],
    Some(Attr::OrigZone),
);
/// Those of the reply tuple.
pub(crate) static REPLY: TupleAttrs = TupleAttrs::new(
    [Attr::ReplIpv4Src, Attr::ReplIpv4Dst],
    [Attr::ReplIpv6Src, Attr::ReplIpv6Dst],
    [Attr::ReplPortSrc, Attr::ReplPortDst],
    [Attr::ReplL3Proto, Attr::ReplL4Proto],
    Some(Attr::ReplZone),
);
/// Those of the tuple of the master.
pub(crate) static MASTER: TupleAttrs = TupleAttrs::new(
    [Attr::MasterIpv4Src, Attr::MasterIpv4Dst],
    [Attr::MasterIpv6Src, Attr::MasterIpv6Dst],
    [Attr::MasterPortSrc, Attr::MasterPortDst],
    [Attr::MasterL3Proto, Attr::MasterL4Proto],
    None,
);
