//! An expression as a tree. The parser makes one form of each: no series inside a series of its kind,
//! none of one node, and negation as a property of a node, so that two make none.
#![forbid(unsafe_code)]

use super::fields::{Field, Kind, Side};
use crate::conntrack::error::Error;
use crate::conntrack::filter::net::Net;
use crate::netlink::name::until_nul;

/// A node, negated or not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub negated: bool,
    pub of: Of,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Of {
    Term(Term),
    /// Two nodes or more.
    Series(Joint, Vec<Node>),
}

/// What joins the nodes of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    And,
    Or,
}

/// A field, and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    pub field: &'static Field,
    pub side: Side,
    pub test: Test,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// That it is set.
    Set,
    /// That it is one of these values.
    In(Vec<Value>),
    /// How it compares with a number.
    Compare(Order, u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// The numbers from the first to the last.
    Range(u64, u64),
    /// The numbers that have these bits under a mask.
    Masked {
        value: u64,
        mask: u64,
    },
    Net(Net),
    Name(Name),
}

/// The name of a helper, padded with NULs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name(pub [u8; 16]);

impl Name {
    pub fn bytes(&self) -> &[u8] {
        until_nul(&self.0)
    }
}

impl Node {
    pub fn term(term: Term) -> Self {
        Self { negated: false, of: Of::Term(term) }
    }

    /// A copy of its own.
    pub fn try_clone(&self) -> Result<Self, Error> {
        let of = match &self.of {
            Of::Term(term) => Of::Term(term.try_clone()?),
            Of::Series(joint, nodes) => {
                let mut copies = Vec::new();
                copies.try_reserve_exact(nodes.len())?;
                for node in nodes {
                    copies.push(node.try_clone()?);
                }
                Of::Series(*joint, copies)
            }
        };
        Ok(Self { negated: self.negated, of })
    }
}

impl Term {
    fn try_clone(&self) -> Result<Self, Error> {
        let Self { field, side, .. } = *self;
        let test = match &self.test {
            Test::Set => Test::Set,
            Test::Compare(order, number) => Test::Compare(*order, *number),
            Test::In(values) => {
                let mut copies = Vec::new();
                copies.try_reserve_exact(values.len())?;
                copies.extend_from_slice(values);
                Test::In(copies)
            }
        };
        Ok(Self { field, side, test })
    }

    /// The one value that it asks for.
    pub fn one(&self) -> Option<Value> {
        match &self.test {
            Test::In(values) => match values[..] {
                [value] => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    /// The one number that it asks for.
    pub fn number(&self) -> Option<u64> {
        match self.one() {
            Some(Value::Range(first, last)) if first == last => Some(first),
            _ => None,
        }
    }

    /// Whether its value alone says what it asks: the name of a protocol or a family.
    pub fn is_short(&self) -> bool {
        let named = |number: u64| match self.field.kind {
            Kind::Family => true,
            Kind::Protocol => protocol_name(number).is_some(),
            _ => false,
        };
        self.number().is_some_and(named)
    }
}

impl Joint {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::And => Self::Or,
            Self::Or => Self::And,
        }
    }

    /// What it is under a negation, which turns it around.
    pub fn under(self, negated: bool) -> Self {
        if negated { self.other() } else { self }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

impl Order {
    pub fn holds(self, value: u64, with: u64) -> bool {
        match self {
            Self::Less => value < with,
            Self::AtMost => value <= with,
            Self::More => value > with,
            Self::AtLeast => value >= with,
        }
    }

    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    /// The numbers that it holds of, up to the largest there is; `None` if of none.
    pub fn range(self, with: u64) -> Option<(u64, u64)> {
        match self {
            Self::Less => Some((0, with.checked_sub(1)?)),
            Self::AtMost => Some((0, with)),
            Self::More => Some((with.checked_add(1)?, u64::MAX)),
            Self::AtLeast => Some((with, u64::MAX)),
        }
    }
}

/// The name of a protocol that has one.
pub(super) fn protocol_name(number: u64) -> Option<&'static str> {
    use crate::conntrack::values::Protocol;
    u8::try_from(number).ok().and_then(|number| Protocol::from(number).name())
}
