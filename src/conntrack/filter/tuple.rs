//! What a tuple filter asks for: members of the tuples of either direction, each with the flag
//! that tells the kernel to compare it.
//!
//! An object has members that its protocol has not: deriving the reply marks all of them present.
//! Those do not count: of addresses those of the other family, ICMP fields of another protocol,
//! ports of ICMP.
#![forbid(unsafe_code)]

use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::layer4::Layer4;
use crate::uapi::filter;

/// One direction of a flow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Direction {
    ipv4: [Attr; 2],
    ipv6: [Attr; 2],
    l3proto: Attr,
    l4proto: Attr,
    ports: [Attr; 2],
    icmp: &'static [Attr],
    zone: Attr,
}

/// The original direction.
pub(crate) static ORIGINAL: Direction = Direction {
    ipv4: [Attr::OrigIpv4Src, Attr::OrigIpv4Dst],
    ipv6: [Attr::OrigIpv6Src, Attr::OrigIpv6Dst],
    l3proto: Attr::OrigL3Proto,
    l4proto: Attr::OrigL4Proto,
    ports: [Attr::OrigPortSrc, Attr::OrigPortDst],
    icmp: &[Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId],
    zone: Attr::OrigZone,
};

/// The reply direction.
pub(crate) static REPLY: Direction = Direction {
    ipv4: [Attr::ReplIpv4Src, Attr::ReplIpv4Dst],
    ipv6: [Attr::ReplIpv6Src, Attr::ReplIpv6Dst],
    l3proto: Attr::ReplL3Proto,
    l4proto: Attr::ReplL4Proto,
    ports: [Attr::ReplPortSrc, Attr::ReplPortDst],
    icmp: &[],
    zone: Attr::ReplZone,
};

/// A member of a tuple that a filter asks for.
#[derive(Debug, Clone, Copy)]
struct Member {
    attr: Attr,
    /// `CTA_FILTER_FLAG_*` of the kernel; 0 for the family, which is in the message's header.
    flag: u32,
    /// Whether the kernel compares it, and does so right.
    exact: bool,
}

impl Direction {
    /// The members that an object has and its protocol too.
    fn members(&'static self, filter: &Conntrack) -> impl Iterator<Item = Member> {
        let number = |attr| filter.get(attr).and_then(<[u8]>::first).copied().map(i32::from);
        let (family, protocol) = (number(self.l3proto), number(self.l4proto));
        // Of IPv6 the kernel hands out the entries that have another address.
        let ipv4 = family != Some(libc::AF_INET6);
        let ([src, dst], [src_port, dst_port]) =
            (if ipv4 { self.ipv4 } else { self.ipv6 }, self.ports);
        // Of other protocols it takes the flag and compares nothing; without one it refuses the
        // request, as it should get to.
        let ports = matches!(protocol, None | Some(libc::IPPROTO_TCP | libc::IPPROTO_UDP));
        let icmp_flag = if protocol == Some(libc::IPPROTO_ICMPV6) {
            filter::ICMPV6_TYPE
        } else {
            filter::ICMP_TYPE
        };
        let is_icmp = protocol.map(|protocol| Layer4::of(protocol as u8) == Layer4::Icmp);
        let common = [
            (self.l3proto, 0, true),
            (src, filter::SRC, ipv4),
            (dst, filter::DST, ipv4),
            (self.zone, filter::ZONE, false),
            (self.l4proto, filter::PROTO_NUM, true),
        ];
        let ports = [(src_port, filter::SRC_PORT, ports), (dst_port, filter::DST_PORT, ports)];
        let ports = ports.into_iter().filter(move |_| is_icmp != Some(true));
        let icmp = self.icmp.iter().zip([icmp_flag, icmp_flag << 1, icmp_flag << 2]);
        let icmp =
            icmp.filter(move |_| is_icmp != Some(false)).map(|(attr, flag)| (*attr, flag, true));
        let all = common.into_iter().chain(ports).chain(icmp);
        all.map(|(attr, flag, exact)| Member { attr, flag, exact })
            .filter(|member| filter.has(member.attr))
    }

    /// Whether an entry has the members that a filter asks for. What it lacks is zero.
    pub fn accepts(&'static self, filter: &Conntrack, ct: &Conntrack) -> bool {
        self.members(filter).all(|Member { attr, .. }| {
            let wanted = filter.get(attr).unwrap_or_default();
            let value = ct.get(attr).or_else(|| ct.get(Attr::Zone).filter(|_| attr == self.zone));
            value.map_or_else(|| wanted.iter().all(|byte| *byte == 0), |value| value == wanted)
        })
    }

    /// The flags of what the kernel compares, and does so right.
    pub fn exact_flags(&'static self, filter: &Conntrack) -> u32 {
        let exact = self.members(filter).filter(|member| member.exact);
        exact.fold(0, |flags, member| flags | member.flag)
    }

    /// Whether the kernel compares all that a filter asks for.
    pub fn is_exact(&'static self, filter: &Conntrack) -> bool {
        self.members(filter).all(|member| member.exact)
    }
}
