//! What selects flows: narrowed by the kernel where it can, and checked again.
#![forbid(unsafe_code)]

use super::dump::DumpFilter;
use super::event::{EventFilter, FilterAttr};
use super::narrowing::narrowing;
use super::net::Net;
use crate::conntrack::error::Error;
use crate::conntrack::fill::slot;
use crate::conntrack::flow::Flow;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::tuple::{Layer4, Tuple};
use crate::conntrack::values::{Direction, Family, Mark, Protocol, Status};
use std::net::IpAddr;

/// Selects flows: those that meet all of its criteria.
///
/// The kernel leaves out what it can, so that less has to be read, and every flow it hands out is
/// checked again: an old kernel makes a list slower, not longer. Each method names the least kernel
/// that helps.
///
/// ```
/// use ctrs::{Filter, Net, Protocol, Status};
///
/// let net: Net = "10.0.0.0/8".parse()?;
/// let filter = Filter::new().protocol(Protocol::Tcp).destination(net).lacks(Status::ASSURED);
/// # Ok::<(), ctrs::Invalid>(())
/// ```
#[must_use = "a filter selects what FlowTable::list_matching hands out"]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// A criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term {
    Family(Family),
    Protocol(Protocol),
    Address(Direction, End, Net),
    Port(Direction, End, u16),
    IcmpType(u8),
    IcmpCode(u8),
    IcmpId(u16),
    Mark(Mark),
    Zone(u16),
    Label(u8),
    Status { value: Status, mask: Status },
    Tuple(Tuple),
}

/// An end of a tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Source,
    Destination,
}

impl Filter {
    /// Selects all flows.
    pub fn new() -> Self {
        Self::default()
    }

    fn and(mut self, term: Term) -> Self {
        self.terms.push(term);
        self
    }

    /// Flows of IPv4. Any kernel.
    pub fn ipv4(self) -> Self {
        self.and(Term::Family(Family::Ipv4))
    }

    /// Flows of IPv6. Any kernel.
    pub fn ipv6(self) -> Self {
        self.and(Term::Family(Family::Ipv6))
    }

    /// Flows of a layer 4 protocol. Linux 5.8, beside a family or an address.
    pub fn protocol(self, protocol: impl Into<Protocol>) -> Self {
        self.and(Term::Protocol(protocol.into()))
    }

    /// Flows whose source is that address, or in that network. One IPv4 address: Linux 5.8; of IPv6,
    /// and of a network, the kernel compares none.
    pub fn source(self, net: impl Into<Net>) -> Self {
        self.and(Term::Address(Direction::Original, End::Source, net.into()))
    }

    /// Flows whose destination, before translation, is that address, or in that network. As
    /// [`source`](Self::source).
    pub fn destination(self, net: impl Into<Net>) -> Self {
        self.and(Term::Address(Direction::Original, End::Destination, net.into()))
    }

    /// Flows whose answers come from that address or network: the destination after translation. As
    /// [`source`](Self::source).
    pub fn reply_source(self, net: impl Into<Net>) -> Self {
        self.and(Term::Address(Direction::Reply, End::Source, net.into()))
    }

    /// Flows whose answers go to that address or network: the source after translation. As
    /// [`source`](Self::source).
    pub fn reply_destination(self, net: impl Into<Net>) -> Self {
        self.and(Term::Address(Direction::Reply, End::Destination, net.into()))
    }

    /// Flows from that port, of any protocol that has ports. Beside [`Protocol::Tcp`] or
    /// [`Protocol::Udp`] and a family or an address: Linux 5.8; else the kernel compares none.
    pub fn source_port(self, port: u16) -> Self {
        self.and(Term::Port(Direction::Original, End::Source, port))
    }

    /// Flows to that port, before translation. As [`source_port`](Self::source_port).
    pub fn destination_port(self, port: u16) -> Self {
        self.and(Term::Port(Direction::Original, End::Destination, port))
    }

    /// Flows whose answers come from that port. As [`source_port`](Self::source_port).
    pub fn reply_source_port(self, port: u16) -> Self {
        self.and(Term::Port(Direction::Reply, End::Source, port))
    }

    /// Flows whose answers go to that port. As [`source_port`](Self::source_port).
    pub fn reply_destination_port(self, port: u16) -> Self {
        self.and(Term::Port(Direction::Reply, End::Destination, port))
    }

    /// Flows of ICMP or ICMPv6 that begin with that type. Beside [`Protocol::Icmp`] or
    /// [`Protocol::Icmpv6`] and a family or an address: Linux 5.8.
    pub fn icmp_type(self, kind: u8) -> Self {
        self.and(Term::IcmpType(kind))
    }

    /// Flows of ICMP or ICMPv6 with that code. As [`icmp_type`](Self::icmp_type).
    pub fn icmp_code(self, code: u8) -> Self {
        self.and(Term::IcmpCode(code))
    }

    /// Flows of ICMP or ICMPv6 with that id. As [`icmp_type`](Self::icmp_type).
    pub fn icmp_id(self, id: u16) -> Self {
        self.and(Term::IcmpId(id))
    }

    /// Flows with that mark, or with those bits of it. Any kernel.
    pub fn mark(self, mark: impl Into<Mark>) -> Self {
        self.and(Term::Mark(mark.into()))
    }

    /// Flows in that zone, by either direction. Linux 6.8.
    pub fn zone(self, zone: u16) -> Self {
        self.and(Term::Zone(zone))
    }

    /// Flows with that label; the kernel compares none.
    pub fn label(self, label: u8) -> Self {
        self.and(Term::Label(label))
    }

    /// Flows that have all of these status bits. Linux 5.15.
    pub fn has(self, bits: Status) -> Self {
        self.and(Term::Status { value: bits, mask: bits })
    }

    /// Flows that have none of these status bits. Linux 5.15.
    pub fn lacks(self, bits: Status) -> Self {
        self.and(Term::Status { value: Status::empty(), mask: bits })
    }

    /// Flows with this original tuple: one in each zone. Linux 5.8.
    pub fn tuple(self, tuple: &Tuple) -> Self {
        self.and(Term::Tuple(*tuple))
    }

    /// Whether a flow meets all criteria, as far as was told of it.
    #[must_use]
    pub fn matches(&self, flow: &Flow) -> bool {
        self.terms.iter().all(|term| term.holds(flow))
    }

    /// What the kernel can compare of events, and never changes for a flow.
    pub(crate) fn of_events(&self) -> EventFilter {
        let mut filter = EventFilter::new();
        for term in self.terms.iter().flat_map(Term::parts) {
            match term {
                Term::Protocol(protocol) => filter.add_protocol(protocol.number().into()),
                Term::Address(Direction::Original, end, net) => end.narrow(&mut filter, net),
                _ => {}
            }
        }
        filter
    }

    /// What the kernel can compare of this; `None` if no flow can meet it.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn narrowing(&self) -> Result<Option<DumpFilter>, Error> {
        let terms: Vec<_> = self.terms.iter().flat_map(|term| term.parts()).collect();
        narrowing(&terms)
    }
}

impl Term {
    /// Whether a flow meets it.
    fn holds(&self, flow: &Flow) -> bool {
        let original = || flow.tuple();
        let of = |direction| match direction {
            Direction::Original => flow.tuple(),
            Direction::Reply => flow.reply(),
        };
        let icmp = || original().map(|tuple| tuple.layer4());
        match *self {
            Self::Family(family) => original().and_then(|tuple| tuple.family()) == Some(family),
            Self::Protocol(protocol) => flow.protocol() == Some(protocol),
            Self::Address(direction, end, net) => {
                of(direction).is_some_and(|tuple| net.contains(end.address(&tuple)))
            }
            Self::Port(direction, end, port) => {
                of(direction).and_then(|tuple| end.port(&tuple)) == Some(port)
            }
            Self::IcmpType(wanted) => {
                matches!(icmp(), Some(Layer4::Icmp { kind, .. }) if kind == wanted)
            }
            Self::IcmpCode(wanted) => {
                matches!(icmp(), Some(Layer4::Icmp { code, .. }) if code == wanted)
            }
            Self::IcmpId(wanted) => matches!(icmp(), Some(Layer4::Icmp { id, .. }) if id == wanted),
            Self::Mark(mark) => flow.mark() & mark.mask() == mark.value(),
            Self::Zone(zone) => flow.zone().number() == zone,
            Self::Label(label) => flow.0.labels().is_some_and(|labels| labels.has(label.into())),
            Self::Status { value, mask } => flow.status() & mask == value,
            Self::Tuple(tuple) => original() == Some(tuple),
        }
    }

    /// A tuple as the criteria that it consists of; any other criterion as it is.
    fn parts(&self) -> Vec<Self> {
        let Self::Tuple(tuple) = self else { return vec![*self] };
        let address = |end: End| Self::Address(Direction::Original, end, end.address(tuple).into());
        let port = |end: End| Some(Self::Port(Direction::Original, end, end.port(tuple)?));
        let mut parts =
            vec![Self::Protocol(tuple.protocol()), address(End::Source), address(End::Destination)];
        parts.extend([End::Source, End::Destination].into_iter().filter_map(port));
        if let Layer4::Icmp { kind, code, id } = tuple.layer4() {
            parts.extend([Self::IcmpType(kind), Self::IcmpCode(code), Self::IcmpId(id)]);
        }
        parts
    }

    /// Puts what the kernel compares of it into an object: of a port or of ICMP nothing, if their
    /// protocol is not known.
    pub(super) fn fill(&self, ct: &mut Conntrack, protocol: Option<Protocol>) {
        let has_ports = matches!(protocol, Some(Protocol::Tcp | Protocol::Udp));
        let is_icmp = matches!(protocol, Some(Protocol::Icmp | Protocol::Icmpv6));
        match *self {
            Self::Address(direction, end, net) if net.is_one() => match net.address() {
                IpAddr::V4(address) => {
                    ct.set(end.attr(End::IPV4, direction), slot(&address.octets()))
                }
                IpAddr::V6(address) => ct.set(end.attr(End::IPV6, direction), address.octets()),
            },
            Self::Port(direction, end, port) if has_ports => {
                ct.set(end.attr(End::PORTS, direction), slot(&port.to_be_bytes()));
            }
            Self::IcmpType(kind) if is_icmp => ct.fill_u8(Attr::IcmpType, kind),
            Self::IcmpCode(code) if is_icmp => ct.fill_u8(Attr::IcmpCode, code),
            Self::IcmpId(id) if is_icmp => ct.set(Attr::IcmpId, slot(&id.to_be_bytes())),
            _ => {}
        }
    }
}

/// Attributes of the ends of the original and of the reply direction.
type Ends = [[Attr; 2]; 2];

impl End {
    pub(crate) const IPV4: Ends =
        [[Attr::OrigIpv4Src, Attr::OrigIpv4Dst], [Attr::ReplIpv4Src, Attr::ReplIpv4Dst]];
    pub(crate) const IPV6: Ends =
        [[Attr::OrigIpv6Src, Attr::OrigIpv6Dst], [Attr::ReplIpv6Src, Attr::ReplIpv6Dst]];
    pub(crate) const PORTS: Ends =
        [[Attr::OrigPortSrc, Attr::OrigPortDst], [Attr::ReplPortSrc, Attr::ReplPortDst]];

    fn address(self, tuple: &Tuple) -> IpAddr {
        match self {
            Self::Source => tuple.source(),
            Self::Destination => tuple.destination(),
        }
    }

    fn port(self, tuple: &Tuple) -> Option<u16> {
        match self {
            Self::Source => tuple.source_port(),
            Self::Destination => tuple.destination_port(),
        }
    }

    /// Lets events pass of flows with this end in a network.
    fn narrow(self, filter: &mut EventFilter, net: Net) {
        let (ipv4, ipv6) = match self {
            Self::Source => (FilterAttr::SrcIpv4, FilterAttr::SrcIpv6),
            Self::Destination => (FilterAttr::DstIpv4, FilterAttr::DstIpv6),
        };
        match (net.address(), net.words()) {
            (IpAddr::V4(_), [[.., address], [.., mask]]) => filter.add_ipv4(ipv4, address, mask),
            (IpAddr::V6(_), [address, mask]) => filter.add_ipv6(ipv6, address, mask),
        }
    }

    /// The attribute of this end.
    pub(crate) fn attr(self, [original, reply]: Ends, direction: Direction) -> Attr {
        let [source, destination] = match direction {
            Direction::Original => original,
            Direction::Reply => reply,
        };
        match self {
            Self::Source => source,
            Self::Destination => destination,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::new_flow::NewFlow;
    use std::net::SocketAddr;

    fn end(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn flow(new: NewFlow) -> Flow {
        Flow(new.object().unwrap())
    }

    fn tcp() -> Tuple {
        Tuple::tcp(end("10.0.0.1:1000"), end("10.0.0.2:80")).unwrap()
    }

    fn net(text: &str) -> Net {
        text.parse().unwrap()
    }

    #[test]
    fn each_criterion_is_met_or_not() {
        let behind = Tuple::tcp(end("10.9.9.9:8080"), end("10.8.8.8:2000")).unwrap();
        let labels = [3, 64].into_iter().collect();
        let new = NewFlow::new(tcp()).reply(behind).mark(0x12).zone(7).labels(labels).assured();
        let seen = flow(new);
        let new = Filter::new;
        for (met, not) in [
            (new().ipv4(), new().ipv6()),
            (new().protocol(6), new().protocol(Protocol::Udp)),
            (new().source(net("10.0.0.0/8")), new().source(net("10.1.0.0/16"))),
            (new().destination(end("10.0.0.2:1").ip()), new().destination(net("::/0"))),
            (new().reply_source(net("10.9.9.9")), new().reply_source(net("10.0.0.2"))),
            (new().reply_destination(net("10.8.8.0/24")), new().reply_destination(net("10.0.0.1"))),
            (new().source_port(1000), new().source_port(80)),
            (new().destination_port(80), new().destination_port(1000)),
            (new().reply_source_port(8080), new().reply_source_port(80)),
            (new().reply_destination_port(2000), new().reply_destination_port(1000)),
            (new().mark(0x12), new().mark(0x13)),
            (new().mark(Mark::masked(0xff02, 0xf)), new().mark(Mark::masked(1, 1))),
            (new().zone(7), new().zone(0)),
            (new().label(3).label(64), new().label(4)),
            (new().has(Status::ASSURED), new().has(Status::ASSURED | Status::SEEN_REPLY)),
            (new().lacks(Status::SEEN_REPLY), new().lacks(Status::ASSURED)),
            (new().tuple(&tcp()), new().tuple(&tcp().inverse())),
            (new(), new().icmp_type(8)),
        ] {
            assert!(met.matches(&seen) && !not.matches(&seen), "{met:?} {not:?}");
            assert!(!met.clone().zone(8).matches(&seen), "all criteria count");
            assert_eq!(met.narrowing().unwrap().map(|kernel| kernel.accepts(&seen.0)), Some(true));
            let [source, destination] = ["10.0.0.1", "10.0.0.2"].map(|ip| ip.parse().unwrap());
            let ping = flow(NewFlow::new(Tuple::ping(source, destination, 7).unwrap()));
            assert!(!new().source_port(7).matches(&ping));
            assert!(new().icmp_id(7).icmp_type(8).icmp_code(0).matches(&ping));
            assert!(!new().icmp_id(8).matches(&ping) && !new().icmp_code(1).matches(&ping));
        }
    }

    /// What of a filter the kernel is asked to compare: its tuples' attributes.
    fn sent(filter: Filter) -> Vec<Attr> {
        let filter = filter.narrowing().unwrap().unwrap();
        filter.tuple().map(|ct| ct.flat.present.iter().collect()).unwrap_or_default()
    }

    #[test]
    fn the_kernel_is_asked_for_what_it_compares() {
        use Attr::*;
        let new = Filter::new;
        let (l3, l4) = (OrigL3Proto, OrigL4Proto);
        for (filter, attrs) in [
            (new(), &[][..]),
            (new().ipv4(), &[]),
            (new().protocol(6).destination_port(80), &[]),
            (new().ipv4().protocol(6), &[l3, l4]),
            (new().ipv6().protocol(6).destination_port(80), &[OrigPortDst, l3, l4]),
            (new().ipv6().destination_port(80), &[]),
            (new().ipv6().protocol(132).destination_port(80), &[l3, l4]),
            (new().source(net("10.0.0.1")), &[OrigIpv4Src, l3]),
            (new().source(net("10.0.0.0/8")), &[]),
            (new().ipv4().icmp_type(8), &[]),
            (new().ipv4().protocol(1).icmp_type(8).icmp_id(7), &[IcmpType, IcmpId, l3, l4]),
            (
                new().reply_source(net("10.0.0.1")).protocol(17).reply_source_port(53),
                &[ReplIpv4Src, ReplPortSrc, l3, ReplL3Proto, l4, ReplL4Proto],
            ),
            (new().tuple(&tcp()), &[OrigIpv4Src, OrigIpv4Dst, OrigPortSrc, OrigPortDst, l3, l4]),
        ] {
            assert_eq!(sent(filter.clone()), attrs, "{filter:?}");
        }
    }

    #[test]
    fn the_kernel_leaves_out_events_by_what_never_changes() {
        let program = |filter: EventFilter| filter.program().unwrap();
        let filter = Filter::new().mark(7).has(Status::ASSURED).zone(3).destination_port(80);
        assert_eq!(program(filter.of_events()), program(EventFilter::new()));
        let net6 = net("fd00::/16");
        let filter = filter.protocol(6).source(net("10.0.0.0/8")).destination(net6);
        let mut wanted = EventFilter::new();
        wanted.add_protocol(6);
        wanted.add_ipv4(FilterAttr::SrcIpv4, 0x0a00_0000, 0xff00_0000);
        wanted.add_ipv6(FilterAttr::DstIpv6, [0xfd00_0000, 0, 0, 0], [0xffff_0000, 0, 0, 0]);
        assert_eq!(program(filter.of_events()), program(wanted));
    }

    #[test]
    fn criteria_of_one_kind_are_put_together() {
        let both = Filter::new().has(Status::ASSURED).lacks(Status::SRC_NAT | Status::DST_NAT);
        assert_eq!(both.narrowing().unwrap().unwrap().status(), Some((0x4, 0x34)));
        let both = Filter::new().mark(Mark::masked(1, 1)).mark(Mark::masked(0x10, 0xf0));
        assert_eq!(both.narrowing().unwrap().unwrap().mark(), Some((0x11, 0xf1)));
        let nothing = Filter::new().has(Status::empty());
        assert_eq!(nothing.narrowing().unwrap().unwrap().status(), None);
    }

    #[test]
    fn what_no_flow_can_meet_is_not_asked_for() {
        let new = Filter::new;
        for filter in [
            new().ipv4().ipv6(),
            new().ipv4().source(net("fc00::/7")),
            new().source(net("10.0.0.0/8")).reply_source(net("::/0")),
            new().protocol(6).protocol(17),
            new().tuple(&tcp()).protocol(17),
            new().zone(1).zone(2),
            new().mark(1).mark(Mark::masked(2, 2)),
            new().has(Status::ASSURED).lacks(Status::ASSURED),
        ] {
            assert!(filter.narrowing().unwrap().is_none(), "{filter:?}");
        }
        let twice = new().ipv4().source(net("10.0.0.1")).protocol(6).protocol(6).zone(1).zone(1);
        assert!(twice.narrowing().unwrap().is_some());
    }
}
