//! Who decides which term: the kernel, before it hands out a flow, or the library afterwards.
#![forbid(unsafe_code)]

use super::fields::InEvents;
use super::narrow::{self, Criterion};
use super::program::{self, Decides};
use super::tree::{Joint, Node, Of, Term};
use crate::conntrack::error::Error;
use crate::conntrack::filter::criteria;
use crate::conntrack::filter::narrowing::Common;
use crate::conntrack::values::Protocol;
use std::fmt::{self, Display, Formatter, Write};

/// What is said of an expression.
#[derive(Debug)]
pub(crate) struct Explanation<'a> {
    root: &'a Node,
    /// What all flows that match have; `None` if that contradicts itself.
    common: Option<Common>,
    /// Which nodes of the conjunction the program for events has room for.
    included: Vec<bool>,
    /// The longest term's length.
    width: usize,
}

/// Where a term stands.
#[derive(Clone, Copy)]
struct Place {
    negated: bool,
    /// Every flow that matches must meet it.
    must: bool,
    included: bool,
}

/// Terms beyond this length have their lines unaligned.
const WIDEST: usize = 40;

impl<'a> Explanation<'a> {
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(super) fn of(root: &'a Node) -> Result<Self, Error> {
        let common = Common::of(&narrow::implied(root, false)?);
        let included = program::program(root, Decides::All)?.included;
        let mut this = Self { root, common, included, width: 0 };
        let mut width = 0;
        let measured = this.each(&mut |term, place| {
            let mut length = Length(0);
            write!(length, "{}", Turned(term, place.negated))?;
            width = width.max(length.0.min(WIDEST));
            Ok(())
        });
        this.width = if measured.is_ok() { width } else { 0 };
        Ok(this)
    }

    /// All terms, in their order.
    fn each(&self, visit: &mut dyn FnMut(&Term, Place) -> fmt::Result) -> fmt::Result {
        let (nodes, negated) = program::conjunction(self.root);
        for (node, included) in nodes.iter().zip(&self.included) {
            terms(node, Place { negated, must: true, included: *included }, visit)?;
        }
        Ok(())
    }

    fn line(&self, f: &mut Formatter<'_>, term: &Term, place: Place) -> fmt::Result {
        let mut length = Length(0);
        let turned = Turned(term, place.negated);
        write!(length, "{turned}")?;
        let blanks = self.width.saturating_sub(length.0);
        let (list, events) = (self.in_lists(term, place), in_events(term, place));
        writeln!(f, "{turned}{:blanks$}  list: {list:15}  events: {events}", "")
    }

    fn in_lists(&self, term: &Term, place: Place) -> &'static str {
        let criterion = narrow::criterion(term, place.negated).filter(|_| place.must);
        let (Some(Criterion { asks, whole }), Some(common)) = (criterion, &self.common) else {
            return "library";
        };
        let asked = is_asked(&asks, common);
        let address = matches!(asks, criteria::Term::Address(..));
        match () {
            () if asked && whole => "kernel",
            // Of an address that is not asked for, the family is.
            () if asked || address => "kernel in part",
            () => "library",
        }
    }
}

/// Whether the kernel compares it, beside what else it is asked for.
fn is_asked(term: &criteria::Term, common: &Common) -> bool {
    let beside = |protocols: [Protocol; 2]| {
        let protocol = common.protocol.is_some_and(|protocol| protocols.contains(&protocol));
        common.family.is_some() && protocol
    };
    use criteria::Term;
    match term {
        Term::Family(_) | Term::Mark(_) | Term::Zone(_) | Term::Status { .. } => true,
        Term::Label(_) => false,
        Term::Protocol(_) | Term::Tuple(_) => common.family.is_some(),
        Term::Address(_, _, net) => net.is_one() && net.address().is_ipv4(),
        Term::Port(..) => beside([Protocol::Tcp, Protocol::Udp]),
        Term::IcmpType(_) | Term::IcmpCode(_) | Term::IcmpId(_) => {
            beside([Protocol::Icmp, Protocol::Icmpv6])
        }
    }
}

fn in_events(term: &Term, place: Place) -> &'static str {
    match term.field.in_events {
        InEvents::No => "library",
        _ if !place.included => "library, as the kernel takes no longer program",
        InEvents::Fixed => "kernel",
        InEvents::Changing => "kernel, as it is at that moment",
    }
}

fn terms(
    node: &Node,
    place: Place,
    visit: &mut dyn FnMut(&Term, Place) -> fmt::Result,
) -> fmt::Result {
    let negated = node.negated != place.negated;
    match &node.of {
        Of::Term(term) => visit(term, Place { negated, ..place }),
        Of::Series(joint, nodes) => {
            let must = place.must && joint.under(negated) == Joint::And;
            let place = Place { negated, must, ..place };
            nodes.iter().try_for_each(|node| terms(node, place, visit))
        }
    }
}

impl Display for Explanation<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.each(&mut |term, place| self.line(f, term, place))?;
        f.write_str(match self.common {
            Some(_) => "The whole expression is checked again on every flow and event.",
            None => "No flow can match: terms contradict each other, and nothing is listed.",
        })
    }
}

/// A term or its negation.
struct Turned<'a>(&'a Term, bool);

impl Display for Turned<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.print(f, self.1)
    }
}

/// Counts bytes.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}
