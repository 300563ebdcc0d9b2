//! What of an expression the kernel compares when it hands out a list.
#![forbid(unsafe_code)]

use super::fields::Read;
use super::tree::{Joint, Node, Of, Term, Value};
use crate::conntrack::error::Error;
use crate::conntrack::filter::criteria;
use crate::conntrack::filter::net::Net;
use crate::conntrack::object::status::Status;
use crate::conntrack::values::{Family, Mark, Protocol};

/// What a term, or its negation, is to the kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Criterion {
    pub asks: criteria::Term,
    /// Whether it asks all that the term does, or less.
    pub whole: bool,
}

/// More terms than this are not compared with those of other branches: each branch would be compared
/// with each.
const MOST: usize = 256;

/// What all flows meet of which a node is true.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub(super) fn implied(node: &Node, negated: bool) -> Result<Vec<criteria::Term>, Error> {
    let negated = node.negated != negated;
    let mut all = Vec::new();
    match &node.of {
        Of::Term(term) => {
            let criterion = criterion(term, negated);
            all.try_reserve_exact(1)?;
            all.extend(criterion.map(|criterion| criterion.asks));
        }
        Of::Series(joint, nodes) if joint.under(negated) == Joint::And => {
            for node in nodes {
                if all.len() >= MOST {
                    break;
                }
                let mut more = implied(node, negated)?;
                all.try_reserve(more.len())?;
                all.append(&mut more);
            }
        }
        Of::Series(_, nodes) => {
            let mut nodes = nodes.iter();
            if let Some(first) = nodes.next() {
                all = implied(first, negated)?;
            }
            for node in nodes {
                let also = implied(node, negated)?;
                all.retain(|term| also.contains(term));
            }
        }
    }
    Ok(all)
}

/// What the kernel can compare of a term, or of its negation.
pub(super) fn criterion(term: &Term, negated: bool) -> Option<Criterion> {
    use criteria::Term as Asked;
    let whole = |asks| Some(Criterion { asks, whole: true });
    let part = |asks| Some(Criterion { asks, whole: false });
    let read = match *term.field.reads(term.side) {
        [Read::Key(..), ..] if !negated => return part(Asked::Protocol(Protocol::Gre)),
        [read] => read,
        _ => return family(term, negated).map(Asked::Family).and_then(part),
    };
    if let Read::Status(bits) = read {
        return status(bits, negated).and_then(whole);
    }
    if negated {
        return None;
    }
    let number = term.number();
    match read {
        Read::Family => whole(Asked::Family(Family::of(number?)?)),
        Read::Protocol => whole(Asked::Protocol(Protocol::from(number? as u8))),
        Read::Address(of, end) => match term.one() {
            Some(Value::Net(net)) => whole(Asked::Address(of, end, net)),
            _ => family(term, negated).map(Asked::Family).and_then(part),
        },
        Read::Port(of, end) => whole(Asked::Port(of, end, number? as u16)),
        Read::IcmpType => whole(Asked::IcmpType(number? as u8)),
        Read::IcmpCode => whole(Asked::IcmpCode(number? as u8)),
        Read::IcmpId => whole(Asked::IcmpId(number? as u16)),
        Read::Mark => match term.one()? {
            Value::Masked { value, mask } => {
                whole(Asked::Mark(Mark::masked(value as u32, mask as u32)))
            }
            _ => whole(Asked::Mark(Mark::from(number? as u32))),
        },
        Read::Zone(None) => whole(Asked::Zone(number? as u16)),
        Read::Zone(Some(_)) => part(Asked::Zone(number.filter(|zone| *zone != 0)? as u16)),
        Read::State(of) => part(Asked::Protocol(of.protocol())),
        _ => None,
    }
}

/// All bits of a mask are compared with a value: one of several cannot be asked for.
fn status(bits: Status, negated: bool) -> Option<criteria::Term> {
    let one = bits.bits().is_power_of_two();
    let value = if negated { Status::empty() } else { bits };
    (one || negated).then_some(criteria::Term::Status { value, mask: bits })
}

/// The family of all networks that a term asks for.
fn family(term: &Term, negated: bool) -> Option<Family> {
    let super::tree::Test::In(values) = &term.test else { return None };
    let of = |value: &Value| match value {
        Value::Net(net) => Some(of_net(*net)),
        _ => None,
    };
    let first = values.first().and_then(of).filter(|_| !negated)?;
    values.iter().all(|value| of(value) == Some(first)).then_some(first)
}

fn of_net(net: Net) -> Family {
    if net.address().is_ipv4() { Family::Ipv4 } else { Family::Ipv6 }
}
