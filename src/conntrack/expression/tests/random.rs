//! Random trees.
#![forbid(unsafe_code)]

use super::super::fields::{FIELDS, Kind};
use super::super::tree::{Joint, Name, Node, Of, Order, Term, Test, Value};
use super::*;
use crate::conntrack::filter::net::Net;

const MOST: u64 = u32::MAX as u64;

/// A xorshift generator.
pub(super) struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// A number up to `most`, often a small one or a round one.
    fn number(&mut self, most: u64) -> u64 {
        let number = match self.below(4) {
            0 => self.below(300),
            1 => self.below(200) * [1000, 1 << 20, 60, 3600][self.below(4) as usize],
            2 => u64::MAX - self.below(2),
            _ => self.below(u64::MAX) >> self.below(60),
        };
        number.min(most)
    }

    pub fn node(&mut self, depth: u32) -> Node {
        let negated = self.below(3) == 0;
        if depth == 0 || self.below(3) == 0 {
            return Node { negated, of: Of::Term(self.term()) };
        }
        let joint = [Joint::And, Joint::Or][self.below(2) as usize];
        let mut nodes = Vec::new();
        while nodes.len() < 2 + self.below(3) as usize {
            match self.node(depth - 1) {
                Node { negated: false, of: Of::Series(inner, more) } if inner == joint => {
                    nodes.extend(more);
                }
                node => nodes.push(node),
            }
        }
        Node { negated, of: Of::Series(joint, nodes) }
    }

    fn term(&mut self) -> Term {
        let field = &FIELDS[self.below(FIELDS.len() as u64) as usize];
        let side = field.sides[self.below(field.sides.len() as u64) as usize].0;
        let test = match field.kind {
            Kind::Flag => Test::Set,
            Kind::Number(most, _) if self.below(3) == 0 => {
                Test::Compare(self.order(), self.number(most))
            }
            Kind::Mark if self.below(3) == 0 => {
                Test::Compare(self.order(), self.number(u32::MAX.into()))
            }
            kind => Test::In((0..=self.below(3)).map(|_| self.value(kind)).collect()),
        };
        Term { field, side, test }
    }

    fn order(&mut self) -> Order {
        [Order::Less, Order::AtMost, Order::More, Order::AtLeast][self.below(4) as usize]
    }

    fn value(&mut self, kind: Kind) -> Value {
        let one = |number| Value::Range(number, number);
        match kind {
            Kind::Flag => unreachable!(),
            Kind::Family => one([2, 10][self.below(2) as usize]),
            Kind::Protocol => one(self.below(256)),
            Kind::Address => Value::Net(self.net()),
            Kind::Number(most, _) => {
                let (a, b) = (self.number(most), self.number(most));
                [one(a), Value::Range(a.min(b), a.max(b))][self.below(2) as usize]
            }
            Kind::Mark => {
                let mask = self.number(u32::MAX.into());
                let value = self.number(u32::MAX.into());
                match mask {
                    MOST => one(value),
                    _ => Value::Masked { value: value & mask, mask },
                }
            }
            Kind::State(_) => one(self.below(10)),
            Kind::Label => one(self.below(128)),
            Kind::Helper => {
                let mut name = [0; 16];
                name[..1 + self.below(15) as usize].fill(b'a' + self.below(26) as u8);
                Value::Name(Name(name))
            }
        }
    }

    fn net(&mut self) -> Net {
        let bits = u128::from(self.below(u64::MAX)) << 64 | u128::from(self.below(u64::MAX));
        if self.below(2) == 0 {
            let prefix = self.below(33) as u32;
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            return Net::new((bits as u32 & mask).to_be_bytes().into(), prefix as u8).unwrap();
        }
        let prefix = self.below(129) as u32;
        let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
        // Not an IPv4 address inside an IPv6 one, and with runs of zeros.
        let bits = (bits & !(0xffff_ffff << self.below(96)) | 1 << 127) & mask;
        Net::new(bits.to_be_bytes().into(), prefix as u8).unwrap()
    }
}

#[test]
fn what_is_printed_is_read_as_an_equal_tree() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..if cfg!(miri) { 20 } else { 5000 } {
        let expression = Expression { root: random.node(4) };
        let text = expression.to_string();
        assert_eq!(parsed(&text), expression, "{text}");
        assert_eq!(expression.try_clone().unwrap(), expression);
    }
}
