//! A tree as text, which is read as an equal tree.
#![forbid(unsafe_code)]

use super::fields::{Field, Kind, Side, Stateful, Unit, lower};
use super::tree::{Joint, Node, Of, Term, Test, Value, protocol_name};
use crate::conntrack::values::Family;
use std::fmt::{self, Display, Formatter, Write};

/// As an operand of `and` a series of `or` stands in parentheses, and so does any behind `not`.
impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.of {
            Of::Term(term) => term.print(f, self.negated),
            Of::Series(..) if self.negated => write!(f, "not ({})", Inside(self)),
            Of::Series(..) => Inside(self).fmt(f),
        }
    }
}

/// A series without its negation.
struct Inside<'a>(&'a Node);

impl Display for Inside<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Of::Series(joint, nodes) = &self.0.of else { return Ok(()) };
        for (at, node) in nodes.iter().enumerate() {
            if at > 0 {
                write!(f, " {} ", joint.word())?;
            }
            let looser = matches!(node.of, Of::Series(Joint::Or, _)) && !node.negated;
            match *joint == Joint::And && looser {
                true => write!(f, "({node})")?,
                false => node.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.print(f, false)
    }
}

impl Term {
    pub(super) fn print(&self, f: &mut Formatter<'_>, negated: bool) -> fmt::Result {
        let Self { field, side, test } = self;
        let unequal = negated && !self.is_short() && matches!(test, Test::In(_));
        if negated && !unequal {
            f.write_str("not ")?;
        }
        if let (true, Some(Value::Range(number, _))) = (self.is_short(), self.one()) {
            return field.kind.number(f, number);
        }
        if *side != Side::Plain {
            write!(f, "{} ", side.word())?;
        }
        f.write_str(field.name)?;
        if unequal {
            f.write_str(" !=")?;
        }
        match test {
            Test::Set => Ok(()),
            Test::In(values) => list(f, field, values),
            Test::Compare(order, number) => {
                write!(f, " {} ", order.sign())?;
                field.kind.number(f, *number)
            }
        }
    }
}

fn list(f: &mut Formatter<'_>, field: &Field, values: &[Value]) -> fmt::Result {
    if let [value] = values {
        f.write_char(' ')?;
        return field.kind.value(f, *value);
    }
    for (at, value) in values.iter().enumerate() {
        f.write_str(if at == 0 { " {" } else { ", " })?;
        field.kind.value(f, *value)?;
    }
    f.write_char('}')
}

impl Kind {
    fn value(self, f: &mut Formatter<'_>, value: Value) -> fmt::Result {
        match value {
            Value::Range(first, last) if first == last => self.number(f, first),
            Value::Range(first, last) => {
                self.number(f, first)?;
                f.write_char('-')?;
                self.number(f, last)
            }
            Value::Masked { value, mask } => write!(f, "{value:#x}/{mask:#x}"),
            Value::Net(net) if net.is_one() => net.address().fmt(f),
            Value::Net(net) => net.fmt(f),
            Value::Name(name) => {
                write!(f, "\"{}\"", std::str::from_utf8(name.bytes()).unwrap_or_default())
            }
        }
    }

    fn number(self, f: &mut Formatter<'_>, number: u64) -> fmt::Result {
        let named = match self {
            Self::Family => Family::of(number).map(Family::name),
            Self::Protocol => protocol_name(number),
            Self::State(of) => return state(f, of, number),
            Self::Number(_, unit) => return with_unit(f, number, unit),
            Self::Mark => return write!(f, "{number:#x}"),
            _ => None,
        };
        match named {
            Some(name) => f.write_str(name),
            None => number.fmt(f),
        }
    }
}

fn state(f: &mut Formatter<'_>, of: Stateful, number: u64) -> fmt::Result {
    let name = u8::try_from(number).ok().and_then(|number| of.name(number)).unwrap_or_default();
    lower(name).try_for_each(|letter| f.write_char(letter))
}

/// A number in the largest unit that it is a multiple of.
fn with_unit(f: &mut Formatter<'_>, number: u64, unit: Unit) -> fmt::Result {
    let whole = |(_, size): &&(&str, u64)| number % size == 0 && (number > 0 || *size == 1);
    match unit.names().iter().find(whole) {
        Some((name, size)) => write!(f, "{}{name}", number / size),
        None => number.fmt(f),
    }
}
