//! An expression as a program that the kernel runs on each event.
//!
//! It accepts what may be true: of each term, negated or not, what the kernel can decide, and
//! anything where it cannot. Negations are carried to the terms on the way down, so that what a
//! message does not tell makes a term and its negation alike fail, as unknown does.
#![forbid(unsafe_code)]

use super::fields::{Field, InEvents, Read, Stateful};
use super::tree::{Joint, Node, Of, Term, Test, Value};
use crate::conntrack::filter::criteria::End;
use crate::conntrack::filter::net::Net;
use crate::conntrack::object::layer4::Layer4;
use crate::conntrack::values::Direction;
use crate::netlink::Error;
use crate::netlink::bpf::{BPF_MAXINSNS, Instruction, Width};
use crate::netlink::decisions::{Compare, Decisions, Place};
use crate::netlink::message::{ATTRIBUTE_HEADER_SIZE, FAMILY_HEADER_SIZE, HEADER_SIZE};
use crate::uapi::cta;

/// Which terms the kernel decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decides {
    /// Those whose answer never changes for a flow: for who keeps a copy of flows, and must hear of
    /// one that stops to match.
    Fixed,
    /// Those, too, whose answer is that of the moment: for who takes each event by itself.
    All,
}

/// Instructions kept free for what precedes the questions.
const PROLOGUE: usize = 16;

/// The type of a message is in host order: the high byte is its subsystem, the low one its number.
const SUBSYSTEM: u32 = if cfg!(target_endian = "little") { 5 } else { 4 };
const NUMBER: u32 = if cfg!(target_endian = "little") { 4 } else { 5 };
/// The low byte of its flags.
const FLAGS: u32 = if cfg!(target_endian = "little") { 6 } else { 7 };
const SEQUENCE: u32 = 8;
const FAMILY: u32 = HEADER_SIZE as u32;
const ATTRIBUTES: u32 = (HEADER_SIZE + FAMILY_HEADER_SIZE) as u32;
const ATTRIBUTE_HEADER: u32 = ATTRIBUTE_HEADER_SIZE as u32;
const PROTOCOL: &[u16] = &[cta::TUPLE_ORIG, cta::TUPLE_PROTO, cta::PROTO_NUM];
// ICMP and ICMPv6 have attributes of their own.
const ICMP_TYPE: [&[u16]; 2] = [
    &[cta::TUPLE_ORIG, cta::TUPLE_PROTO, cta::PROTO_ICMP_TYPE],
    &[cta::TUPLE_ORIG, cta::TUPLE_PROTO, cta::PROTO_ICMPV6_TYPE],
];
const ICMP_CODE: [&[u16]; 2] = [
    &[cta::TUPLE_ORIG, cta::TUPLE_PROTO, cta::PROTO_ICMP_CODE],
    &[cta::TUPLE_ORIG, cta::TUPLE_PROTO, cta::PROTO_ICMPV6_CODE],
];
const ICMP_ID: [&[u16]; 2] = [
    &[cta::TUPLE_ORIG, cta::TUPLE_PROTO, cta::PROTO_ICMP_ID],
    &[cta::TUPLE_ORIG, cta::TUPLE_PROTO, cta::PROTO_ICMPV6_ID],
];

/// What is joined by `and` at the top of an expression, each negated or not besides by itself; the
/// whole, if it is joined otherwise.
pub(super) fn conjunction(root: &Node) -> (&[Node], bool) {
    match &root.of {
        Of::Series(joint, nodes) if joint.under(root.negated) == Joint::And => {
            (nodes, root.negated)
        }
        _ => (std::slice::from_ref(root), false),
    }
}

/// A program for events, and of which nodes of the conjunction it is.
#[derive(Debug)]
pub(super) struct Program {
    pub instructions: Vec<Instruction>,
    pub included: Vec<bool>,
}

/// The program for events: of what is joined by `and` as much as the kernel takes, what needs least
/// first.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub(super) fn program(root: &Node, decides: Decides) -> Result<Program, Error> {
    let (nodes, negated) = conjunction(root);
    let sizes = sizes(nodes, negated, decides)?;
    let mut room = BPF_MAXINSNS - PROLOGUE;
    loop {
        let included = fitting(&sizes, room)?;
        let (mut writer, accept, drop) = Writer::new(decides)?;
        let mut next = accept;
        for (node, _) in nodes.iter().zip(&included).rev().filter(|(_, included)| **included) {
            next = writer.node(node, negated, next, drop)?;
        }
        writer.prologue(next, accept)?;
        match writer.out.finish() {
            // Long jumps need more instructions than each node by itself.
            Err(Error::ProgramTooLong(_)) => room -= room / 8,
            result => return result.map(|instructions| Program { instructions, included }),
        }
    }
}

/// How many instructions each node needs by itself.
fn sizes(nodes: &[Node], negated: bool, decides: Decides) -> Result<Vec<(usize, usize)>, Error> {
    let mut sizes = Vec::new();
    sizes.try_reserve_exact(nodes.len())?;
    for (at, node) in nodes.iter().enumerate() {
        let (mut writer, accept, drop) = Writer::new(decides)?;
        writer.node(node, negated, accept, drop)?;
        sizes.push((writer.out.len(), at));
    }
    sizes.sort_unstable();
    Ok(sizes)
}

/// Which nodes there is room for, the smallest first.
fn fitting(sizes: &[(usize, usize)], mut room: usize) -> Result<Vec<bool>, Error> {
    let mut included = Vec::new();
    included.try_reserve_exact(sizes.len())?;
    included.resize(sizes.len(), false);
    for (size, at) in sizes {
        let Some(left) = room.checked_sub(*size) else { break };
        room = left;
        if let Some(included) = included.get_mut(*at) {
            *included = true;
        }
    }
    Ok(included)
}

/// Writes a program from its end. Each method returns where what it wrote begins: where it had to
/// write nothing, where that would go on.
struct Writer {
    out: Decisions,
    decides: Decides,
}

/// Where an answer leads.
#[derive(Clone, Copy)]
struct Ways {
    hit: Place,
    miss: Place,
    /// The message does not tell.
    unknown: Place,
    /// The kernel cannot ask.
    undecided: Place,
}

impl Writer {
    fn new(decides: Decides) -> Result<(Self, Place, Place), Error> {
        let (out, accept, drop) = Decisions::new()?;
        Ok((Self { out, decides }, accept, drop))
    }

    /// What is no event goes by: other subsystems, answers, which have a number or belong to a dump,
    /// and other messages.
    fn prologue(&mut self, questions: Place, accept: Place) -> Result<(), Error> {
        let new = self.out.ask(Compare::Equal, cta::MSG_NEW.into(), questions, accept)?;
        self.out.ask(Compare::Equal, cta::MSG_DELETE.into(), questions, new)?;
        let number = self.out.load_at(Width::Byte, NUMBER)?;
        self.out.ask(Compare::HasAny, libc::NLM_F_MULTI as u32, accept, number)?;
        let flags = self.out.load_at(Width::Byte, FLAGS)?;
        self.out.ask(Compare::Equal, 0, flags, accept)?;
        let sequence = self.out.load_at(Width::Word, SEQUENCE)?;
        self.out.ask(Compare::Equal, cta::SUBSYS_CT.into(), sequence, accept)?;
        self.out.load_at(Width::Byte, SUBSYSTEM).map(|_| ())
    }

    /// Goes on at `yes` if the node may be true, else at `no`.
    fn node(&mut self, node: &Node, negated: bool, yes: Place, no: Place) -> Result<Place, Error> {
        let negated = node.negated != negated;
        match &node.of {
            Of::Term(term) => self.term(term, negated, yes, no),
            Of::Series(joint, nodes) => {
                let joint = joint.under(negated);
                let nodes = nodes.iter().rev();
                self.series(joint, nodes, yes, no, |this, node, yes, no| {
                    this.node(node, negated, yes, no)
                })
            }
        }
    }

    /// One after another, the last first: of `and` each must be true, of `or` one.
    fn series<T>(
        &mut self,
        joint: Joint,
        items: impl Iterator<Item = T>,
        yes: Place,
        no: Place,
        write: impl Fn(&mut Self, T, Place, Place) -> Result<Place, Error>,
    ) -> Result<Place, Error> {
        let mut next = if joint == Joint::And { yes } else { no };
        for item in items {
            next = match joint {
                Joint::And => write(self, item, next, no)?,
                Joint::Or => write(self, item, yes, next)?,
            };
        }
        Ok(next)
    }

    fn term(&mut self, term: &Term, negated: bool, yes: Place, no: Place) -> Result<Place, Error> {
        if !self.decides.takes(term.field) {
            return Ok(yes);
        }
        let joint = Joint::Or.under(negated);
        let reads = term.field.reads(term.side).iter().rev();
        self.series(joint, reads, yes, no, |this, read, yes, no| {
            let (hit, miss) = if negated { (no, yes) } else { (yes, no) };
            this.read(*read, &term.test, Ways { hit, miss, unknown: no, undecided: yes })
        })
    }

    /// Asks whether what is read of a message is what a test wants.
    fn read(&mut self, read: Read, test: &Test, ways: Ways) -> Result<Place, Error> {
        let zero = if test.holds_of(0) { ways.hit } else { ways.miss };
        let mut number =
            |paths: &[&[u16]], width, absent| self.attribute(paths, width, absent, test, ways);
        match read {
            Read::Always => Ok(ways.hit),
            Read::Family => self.numbers(test, |out| out.load_at(Width::Byte, FAMILY), ways),
            Read::Protocol => number(&[PROTOCOL], Width::Byte, ways.unknown),
            Read::Address(of, end) => self.address(of, end, test, ways),
            Read::Port(of, end) => self.layer4(of, end, test, ways, Layer4::Ports),
            Read::Key(of, end) => self.layer4(of, end, test, ways, Layer4::Keys),
            Read::IcmpType => number(&ICMP_TYPE, Width::Byte, ways.unknown),
            Read::IcmpCode => number(&ICMP_CODE, Width::Byte, ways.unknown),
            Read::IcmpId => number(&ICMP_ID, Width::Half, ways.unknown),
            Read::Mark => number(&[&[cta::MARK]], Width::Word, zero),
            Read::Zone(of) => number(zones(of), Width::Half, zero),
            Read::State(of) => number(&[state(of)], Width::Byte, ways.unknown),
            Read::Status(bits) => self.status(bits.bits(), ways),
            Read::Id => number(&[&[cta::ID]], Width::Word, ways.unknown),
            Read::Timeout => number(&[&[cta::TIMEOUT]], Width::Word, ways.unknown),
            Read::Label | Read::Helper | Read::Age | Read::Bytes(_) | Read::Packets(_) => {
                Ok(ways.undecided)
            }
        }
    }

    fn status(&mut self, bits: u32, ways: Ways) -> Result<Place, Error> {
        self.out.ask(Compare::HasAny, bits, ways.hit, ways.miss)?;
        let loaded = self.out.load_from_index(Width::Word, ATTRIBUTE_HEADER)?;
        self.find(&[&[cta::STATUS]], ways.miss, loaded)
    }

    /// An address is of one family: networks of the other do not have it.
    fn address(
        &mut self,
        of: Direction,
        end: End,
        test: &Test,
        ways: Ways,
    ) -> Result<Place, Error> {
        let Test::In(values) = test else { return Ok(ways.undecided) };
        let (ipv4, ipv6) = match end {
            End::Source => (cta::IP_V4_SRC, cta::IP_V6_SRC),
            End::Destination => (cta::IP_V4_DST, cta::IP_V6_DST),
        };
        let mut absent = ways.miss;
        for (is_ipv4, attribute) in [(false, ipv6), (true, ipv4)] {
            let nets = values.iter().filter_map(|value| match value {
                Value::Net(net) => Some(net).filter(|net| net.address().is_ipv4() == is_ipv4),
                _ => None,
            });
            let mut asked = ways.miss;
            for net in nets.rev() {
                asked = self.net(*net, ways.hit, asked)?;
            }
            if asked != ways.miss {
                absent = self.find(&[&[tuple(of), cta::TUPLE_IP, attribute]], absent, asked)?;
            }
        }
        Ok(absent)
    }

    /// Asks whether the words at the index are in a network.
    fn net(&mut self, net: Net, hit: Place, miss: Place) -> Result<Place, Error> {
        let [words, masks] = net.words();
        let skipped = if net.address().is_ipv4() { 3 } else { 0 };
        let words = words.into_iter().zip(masks).skip(skipped).enumerate();
        let mut next = hit;
        for (at, (word, mask)) in words.rev().filter(|(_, (_, mask))| *mask != 0) {
            self.out.ask(Compare::Equal, word & mask, next, miss)?;
            if mask != u32::MAX {
                self.out.and(mask)?;
            }
            next = self.out.load_from_index(Width::Word, ATTRIBUTE_HEADER + 4 * at as u32)?;
        }
        Ok(next)
    }

    /// A port or a key, of the protocols that have one.
    fn layer4(
        &mut self,
        of: Direction,
        end: End,
        test: &Test,
        ways: Ways,
        holds: Layer4,
    ) -> Result<Place, Error> {
        let attribute = match end {
            End::Source => cta::PROTO_SRC_PORT,
            End::Destination => cta::PROTO_DST_PORT,
        };
        let path = [tuple(of), cta::TUPLE_PROTO, attribute];
        let asked = self.attribute(&[&path], Width::Half, ways.unknown, test, ways)?;
        let mut next = ways.unknown;
        // The last is asked first: of TCP and UDP most often.
        for protocol in (0..=u8::MAX).rev().filter(|protocol| Layer4::of(*protocol) == holds) {
            next = self.out.ask(Compare::Equal, protocol.into(), asked, next)?;
        }
        let loaded = self.out.load_from_index(Width::Byte, ATTRIBUTE_HEADER)?;
        let path = [tuple(of), cta::TUPLE_PROTO, cta::PROTO_NUM];
        self.find(&[&path], ways.unknown, loaded)
    }

    /// Compares the number of an attribute, wherever it is first.
    fn attribute(
        &mut self,
        paths: &[&[u16]],
        width: Width,
        absent: Place,
        test: &Test,
        ways: Ways,
    ) -> Result<Place, Error> {
        let load = |out: &mut Decisions| out.load_from_index(width, ATTRIBUTE_HEADER);
        let asked = self.numbers(test, load, ways)?;
        self.find(paths, absent, asked)
    }

    /// Makes the attribute the index that the first of the paths leads to, and goes on at `found`.
    fn find(&mut self, paths: &[&[u16]], absent: Place, found: Place) -> Result<Place, Error> {
        let mut next = absent;
        for path in paths.iter().rev() {
            self.out.then(found)?;
            self.out.index_here()?;
            for (depth, attribute) in path.iter().enumerate().rev() {
                let there = self.out.here();
                self.out.ask(Compare::Equal, 0, next, there)?;
                self.out.find(*attribute, depth > 0)?;
            }
            next = self.out.load_number(ATTRIBUTES)?;
        }
        Ok(next)
    }

    /// Loads a number and asks whether a test wants it.
    fn numbers(
        &mut self,
        test: &Test,
        load: impl Fn(&mut Decisions) -> Result<Place, Error>,
        ways: Ways,
    ) -> Result<Place, Error> {
        let mut next = ways.miss;
        match test {
            Test::Set => next = ways.hit,
            Test::Compare(order, with) => {
                if let Some((first, last)) = order.range(*with) {
                    next = self.range(first, last, ways.hit, next)?;
                }
            }
            Test::In(values) => {
                for value in values.iter().rev() {
                    next = match value {
                        Value::Range(first, last) => self.range(*first, *last, ways.hit, next)?,
                        Value::Masked { value, mask } => {
                            // For the next value the mask leaves nothing.
                            if next != ways.miss {
                                self.out.then(next)?;
                                next = load(&mut self.out)?;
                            }
                            self.out.ask(Compare::Equal, *value as u32, ways.hit, next)?;
                            self.out.and(*mask as u32)?
                        }
                        Value::Net(_) | Value::Name(_) => ways.undecided,
                    };
                }
            }
        }
        self.out.then(next)?;
        load(&mut self.out)
    }

    fn range(&mut self, first: u64, last: u64, hit: Place, miss: Place) -> Result<Place, Error> {
        let Ok(first) = u32::try_from(first) else { return Ok(miss) };
        let last = u32::try_from(last).unwrap_or(u32::MAX);
        if first == last {
            return self.out.ask(Compare::Equal, first, hit, miss);
        }
        let below = match last {
            u32::MAX => hit,
            _ => self.out.ask(Compare::Above, last, miss, hit)?,
        };
        if first == 0 { Ok(below) } else { self.out.ask(Compare::AtLeast, first, below, miss) }
    }
}

impl Decides {
    /// Whether the kernel decides terms of a field.
    pub(super) fn takes(self, field: &Field) -> bool {
        match field.in_events {
            InEvents::Fixed => true,
            InEvents::Changing => self == Self::All,
            InEvents::No => false,
        }
    }
}

fn tuple(of: Direction) -> u16 {
    match of {
        Direction::Original => cta::TUPLE_ORIG,
        Direction::Reply => cta::TUPLE_REPLY,
    }
}

/// An entry has one zone: of both directions, or in the tuple of the one that it is for.
fn zones(of: Option<Direction>) -> &'static [&'static [u16]] {
    const BOTH: &[u16] = &[cta::ZONE];
    const ORIGINAL: &[u16] = &[cta::TUPLE_ORIG, cta::TUPLE_ZONE];
    const REPLY: &[u16] = &[cta::TUPLE_REPLY, cta::TUPLE_ZONE];
    match of {
        None => &[BOTH, ORIGINAL, REPLY],
        Some(Direction::Original) => &[BOTH, ORIGINAL],
        Some(Direction::Reply) => &[BOTH, REPLY],
    }
}

fn state(of: Stateful) -> &'static [u16] {
    match of {
        Stateful::Tcp => &[cta::PROTOINFO, cta::PROTOINFO_TCP, cta::TCP_STATE],
        Stateful::Sctp => &[cta::PROTOINFO, cta::PROTOINFO_SCTP, cta::SCTP_STATE],
        Stateful::Dccp => &[cta::PROTOINFO, cta::PROTOINFO_DCCP, cta::DCCP_STATE],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_header_are_found_in_host_order() {
        let (kind, flags) = (0x0102_u16.to_ne_bytes(), 0x0304_u16.to_ne_bytes());
        assert_eq!([kind[SUBSYSTEM as usize - 4], kind[NUMBER as usize - 4]], [1, 2]);
        assert_eq!(flags[FLAGS as usize - 6], 4);
    }
}
