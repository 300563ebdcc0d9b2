//! Whether an expression is true of a flow, with a third value for what was not told.
#![forbid(unsafe_code)]

use super::fields::{InEvents, Read, Stateful};
use super::tree::{Joint, Node, Of, Term, Test, Value};
use crate::conntrack::filter::criteria::End;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::{Conntrack, Counters, Tuple};
use crate::conntrack::object::layer4::Layer4;
use crate::conntrack::values::{Direction, Protocol};
use crate::conntrack::wire::Change;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Not;
use std::time::{SystemTime, UNIX_EPOCH};

/// What an expression is of a flow: what was not told of it may leave that open.
///
/// ```
/// use ctrs::{Expression, Flow, Truth};
///
/// let large: Expression = "not bytes < 1M".parse()?;
/// // Nothing was counted: it is neither small nor large.
/// assert_eq!(large.matches(&Flow::default()), Truth::Unknown);
/// assert!(!Truth::Unknown.is_true() && !(!Truth::Unknown).is_true());
/// # Ok::<(), ctrs::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truth {
    /// It is not.
    False,
    /// It is.
    True,
    /// Something decides that was not told.
    Unknown,
}

impl Truth {
    /// Whether it is definitely true: what selects, deletes and hands out flows.
    #[must_use]
    pub fn is_true(self) -> bool {
        self == Self::True
    }

    /// What joins two: of `and`, false decides; of `or`, true does.
    pub(super) fn join(self, other: Self, joint: Joint) -> Self {
        let decides = joint.decider();
        match (self, other) {
            (one, _) | (_, one) if one == decides => decides,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            _ => !decides,
        }
    }
}

impl Joint {
    fn decider(self) -> Truth {
        match self {
            Self::And => Truth::False,
            Self::Or => Truth::True,
        }
    }
}

/// What was not told is unknown turned around, too.
impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::True => Self::False,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::True } else { Self::False }
    }
}

/// A flow, and the event that told of it; `None` for an entry of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub ct: &'a Conntrack,
    pub change: Option<Change>,
    /// The terms that are looked at; the others are unknown.
    pub terms: Terms,
}

/// Terms of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    All,
    /// Those whose answer never changes for a flow.
    Fixed,
}

/// What a flow has where a term looks.
enum Seen<'a> {
    Unknown,
    Number(u64),
    Address(IpAddr),
    Labels(&'a [u32]),
    Name(&'a [u8]),
}

impl Node {
    pub fn truth(&self, told: Told<'_>) -> Truth {
        let truth = match &self.of {
            Of::Term(term) => term.truth(told),
            Of::Series(joint, nodes) => join(*joint, nodes.iter().map(|node| node.truth(told))),
        };
        if self.negated { !truth } else { truth }
    }
}

/// All joined, as far as it takes to decide.
fn join(joint: Joint, truths: impl Iterator<Item = Truth>) -> Truth {
    let mut all = !joint.decider();
    for truth in truths {
        all = all.join(truth, joint);
        if all == joint.decider() {
            break;
        }
    }
    all
}

impl Term {
    fn truth(&self, told: Told<'_>) -> Truth {
        if told.terms == Terms::Fixed && self.field.in_events != InEvents::Fixed {
            return Truth::Unknown;
        }
        let reads = self.field.reads(self.side).iter();
        join(Joint::Or, reads.map(|read| self.test.truth(&told.read(*read))))
    }
}

impl Test {
    fn truth(&self, seen: &Seen<'_>) -> Truth {
        let any = |is: &dyn Fn(&Value) -> bool| match self {
            Self::In(values) => values.iter().any(is),
            _ => false,
        };
        match seen {
            Seen::Unknown => Truth::Unknown,
            Seen::Number(number) => self.holds_of(*number).into(),
            Seen::Address(address) => any(&|value| value.has_address(*address)).into(),
            Seen::Labels(words) => any(&|value| value.is_among(words)).into(),
            Seen::Name(name) => any(&|value| value.is_name(name)).into(),
        }
    }

    /// Whether it holds of a number.
    pub fn holds_of(&self, number: u64) -> bool {
        match self {
            Self::Set => number != 0,
            Self::Compare(order, with) => order.holds(number, *with),
            Self::In(values) => values.iter().any(|value| value.has_number(number)),
        }
    }
}

impl Value {
    fn has_number(&self, number: u64) -> bool {
        match self {
            Self::Range(first, last) => (*first..=*last).contains(&number),
            Self::Masked { value, mask } => number & mask == *value,
            Self::Net(_) | Self::Name(_) => false,
        }
    }

    fn has_address(&self, address: IpAddr) -> bool {
        matches!(self, Self::Net(net) if net.contains(address))
    }

    /// Whether its label is in a bitmask.
    fn is_among(&self, words: &[u32]) -> bool {
        let Self::Range(label, _) = self else { return false };
        let word = words.get(*label as usize / 32);
        word.is_some_and(|word| word & (1 << (label % 32)) != 0)
    }

    fn is_name(&self, name: &[u8]) -> bool {
        matches!(self, Self::Name(wanted) if wanted.bytes() == name)
    }
}

impl<'a> Told<'a> {
    fn read(&self, read: Read) -> Seen<'a> {
        let flat = &self.ct.flat;
        match read {
            Read::Always => Seen::Number(1),
            Read::Family => self.number(L3PROTO, [flat.orig.l3proto, flat.reply.l3proto]),
            Read::Protocol => self.number(L4PROTO, [flat.orig.l4proto, flat.reply.l4proto]),
            Read::Address(of, end) => self.address(of, end),
            Read::Port(of, end) => self.layer4(of, end, Layer4::Ports),
            Read::Key(of, end) => self.layer4(of, end, Layer4::Keys),
            Read::IcmpType => self.icmp(Attr::IcmpType, flat.orig.l4dst[0].into()),
            Read::IcmpCode => self.icmp(Attr::IcmpCode, flat.orig.l4dst[1].into()),
            Read::IcmpId => self.icmp(Attr::IcmpId, u16::from_be_bytes(flat.orig.l4src).into()),
            Read::Mark => Seen::Number(self.told(Attr::Mark, flat.mark).unwrap_or(0).into()),
            Read::Zone(of) => Seen::Number(self.zone(of).into()),
            Read::State(of) => self.state(of),
            Read::Status(bits) => {
                let status = self.told(Attr::Status, flat.status).unwrap_or(0);
                Seen::Number((status & bits.bits()).into())
            }
            Read::Label => self.labels(),
            Read::Helper => self.helper(),
            Read::Id => self.number([Attr::Id], [flat.id]),
            Read::Timeout => self.number([Attr::Timeout], [flat.timeout]),
            Read::Age => self.age(),
            Read::Bytes(of) => self.counted(of, |counters| counters.bytes),
            Read::Packets(of) => self.counted(of, |counters| counters.packets),
        }
    }

    fn told<T>(&self, attr: Attr, value: T) -> Option<T> {
        self.ct.has(attr).then_some(value)
    }

    /// The first number that was told.
    fn number<const N: usize, T: Into<u64>>(&self, attrs: [Attr; N], numbers: [T; N]) -> Seen<'a> {
        let mut numbers = attrs.into_iter().zip(numbers);
        let told = numbers.find_map(|(attr, number)| self.told(attr, number));
        told.map_or(Seen::Unknown, |number| Seen::Number(number.into()))
    }

    fn tuple(&self, of: Direction) -> &'a Tuple {
        match of {
            Direction::Original => &self.ct.flat.orig,
            Direction::Reply => &self.ct.flat.reply,
        }
    }

    fn address(&self, of: Direction, end: End) -> Seen<'a> {
        let tuple = self.tuple(of);
        let bytes = match end {
            End::Source => &tuple.src,
            End::Destination => &tuple.dst,
        };
        let [a, b, c, d, ..] = *bytes;
        if self.ct.has(end.attr(End::IPV4, of)) && i32::from(tuple.l3proto) != libc::AF_INET6 {
            Seen::Address(Ipv4Addr::new(a, b, c, d).into())
        } else if self.ct.has(end.attr(End::IPV6, of)) {
            Seen::Address(IpAddr::from(*bytes))
        } else {
            Seen::Unknown
        }
    }

    /// What the layer 4 part of a tuple has at an end, if it is of this kind.
    fn layer4(&self, of: Direction, end: End, kind: Layer4) -> Seen<'a> {
        let tuple = self.tuple(of);
        let protocol = match of {
            Direction::Original => Attr::OrigL4Proto,
            Direction::Reply => Attr::ReplL4Proto,
        };
        let number = match end {
            End::Source => tuple.l4src,
            End::Destination => tuple.l4dst,
        };
        if self.ct.has(protocol) && Layer4::of(tuple.l4proto) == kind {
            self.number([end.attr(End::PORTS, of)], [u16::from_be_bytes(number)])
        } else {
            Seen::Unknown
        }
    }

    fn icmp(&self, attr: Attr, number: u64) -> Seen<'a> {
        let is_icmp = Layer4::of(self.ct.flat.orig.l4proto) == Layer4::Icmp;
        if is_icmp { self.number([attr], [number]) } else { Seen::Unknown }
    }

    /// The zone of a direction, or that of the flow, whichever it is for.
    fn zone(&self, of: Option<Direction>) -> u16 {
        let flat = &self.ct.flat;
        let both = self.told(Attr::Zone, flat.zone);
        let original = self.told(Attr::OrigZone, flat.orig.zone);
        let reply = self.told(Attr::ReplZone, flat.reply.zone);
        let zone = match of {
            None => both.or(original).or(reply),
            Some(Direction::Original) => original.or(both),
            Some(Direction::Reply) => reply.or(both),
        };
        zone.unwrap_or(0)
    }

    fn state(&self, of: Stateful) -> Seen<'a> {
        let attr = match of {
            Stateful::Tcp => Attr::TcpState,
            Stateful::Sctp => Attr::SctpState,
            Stateful::Dccp => Attr::DccpState,
        };
        let [state, ..] = self.ct.flat.protoinfo.0;
        let protocol = Protocol::from(self.ct.flat.orig.l4proto);
        match self.ct.has(Attr::OrigL4Proto) && protocol != of.protocol() {
            true => Seen::Unknown,
            false => self.number([attr], [state]),
        }
    }

    /// Events of a change tell labels that changed, and no event of an end tells any.
    fn labels(&self) -> Seen<'a> {
        match (self.ct.labels(), self.change) {
            (Some(labels), _) => Seen::Labels(labels.words()),
            (None, None | Some(Change::New)) => Seen::Labels(&[]),
            (None, Some(_)) => Seen::Unknown,
        }
    }

    /// The event of an end does not tell it.
    fn helper(&self) -> Seen<'a> {
        match self.change {
            _ if self.ct.has(Attr::HelperName) => Seen::Name(self.ct.helper_name()),
            Some(Change::Destroy) => Seen::Unknown,
            _ => Seen::Name(&[]),
        }
    }

    /// From its start to its stop, or until now.
    fn age(&self) -> Seen<'a> {
        let flat = &self.ct.flat;
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let Some(start) = self.told(Attr::TimestampStart, flat.start) else {
            return Seen::Unknown;
        };
        let stop = self.told(Attr::TimestampStop, flat.stop).unwrap_or_else(|| now() as u64);
        Seen::Number(stop.saturating_sub(start) / 1_000_000_000)
    }

    /// A counter of a direction, or the sum of both if both were told.
    fn counted(&self, of: Option<Direction>, number: fn(&Counters) -> u64) -> Seen<'a> {
        let [original, reply] = &self.ct.flat.counters;
        let original = self.told(Attr::OrigCounterPackets, number(original));
        let reply = self.told(Attr::ReplCounterPackets, number(reply));
        let counted = match of {
            Some(Direction::Original) => original,
            Some(Direction::Reply) => reply,
            None => original.zip(reply).map(|(a, b)| a.saturating_add(b)),
        };
        counted.map_or(Seen::Unknown, Seen::Number)
    }
}

const L3PROTO: [Attr; 2] = [Attr::OrigL3Proto, Attr::ReplL3Proto];
const L4PROTO: [Attr; 2] = [Attr::OrigL4Proto, Attr::ReplL4Proto];
