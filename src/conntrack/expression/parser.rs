//! The text of an expression to a tree.
//!
//! ```text
//! expression  =  together { "or" together }
//! together    =  one { "and" one }
//! one         =  { "not" } ( "(" expression ")" | term )
//! term        =  [ "orig" | "reply" | "any" ] field [ operator ] ( value | list ) | flag | protocol | family
//! list        =  "{" value { "," value } "}"
//! operator    =  "=" | "!=" | "<" | "<=" | ">" | ">="
//! ```
#![forbid(unsafe_code)]

use super::fields::{Field, Kind, Side};
use super::lexer::{Is, Lexer, Token};
use super::names;
use super::tree::{Joint, Node, Of, Order, Term, Test, Value};
use super::value::Reader;
use crate::conntrack::error::Error;
use crate::conntrack::labels::map::LabelMap;
use crate::conntrack::syntax::{Fault, Syntax};

/// How deep parentheses may be inside each other: whatever walks a tree calls itself that deep.
const DEPTH: u32 = 64;

const TERM: &str = "a term, as `tcp`, `dport 22`, `src 10.0.0.0/8` or `not replied`";

/// Reads an expression.
///
/// # Errors
/// [`Error::Syntax`], [`Error::OutOfMemory`].
pub(super) fn parse(text: &str, labels: Option<&LabelMap>) -> Result<Node, Error> {
    let mut lexer = Lexer::new(text);
    let token = lexer.next()?;
    if token.is == Is::End {
        return Err(Syntax::expected(token.at, "an expression; every flow is `all`").into());
    }
    let mut parser = Parser { lexer, token, labels, depth: 0 };
    let node = parser.series(Joint::Or)?;
    match parser.token.is {
        Is::End => Ok(node),
        _ => Err(parser.unexpected().into()),
    }
}

/// What is still to be read: the next token, and the text behind it.
struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token<'a>,
    labels: Option<&'a LabelMap>,
    depth: u32,
}

impl<'a> Parser<'a> {
    fn advance(&mut self) -> Result<(), Syntax> {
        self.token = self.lexer.next()?;
        Ok(())
    }

    /// Goes on if the next token is this.
    fn eat(&mut self, wanted: Is<'_>) -> Result<bool, Syntax> {
        let found = self.token.is == wanted;
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// Nodes with a word between them.
    fn series(&mut self, joint: Joint) -> Result<Node, Error> {
        let mut nodes = Vec::new();
        loop {
            let node = match joint {
                Joint::Or => self.series(Joint::And)?,
                Joint::And => self.one()?,
            };
            let last = !self.eat(Is::Word(joint.word()))?;
            if last && nodes.is_empty() {
                return Ok(node);
            }
            add(&mut nodes, node, joint)?;
            if last {
                return Ok(Node { negated: false, of: Of::Series(joint, nodes) });
            }
        }
    }

    fn one(&mut self) -> Result<Node, Error> {
        let mut negated = false;
        while self.eat(Is::Word("not"))? {
            negated = !negated;
        }
        let mut node = match self.token.is {
            Is::Sign("(") => self.parenthesis()?,
            _ => self.term()?,
        };
        node.negated ^= negated;
        Ok(node)
    }

    fn parenthesis(&mut self) -> Result<Node, Error> {
        if self.depth == DEPTH {
            return Err(Syntax::says(self.token.at, "parentheses are more than 64 deep").into());
        }
        self.depth += 1;
        self.advance()?;
        let node = self.series(Joint::Or)?;
        self.depth -= 1;
        match self.eat(Is::Sign(")"))? {
            true => Ok(node),
            false if self.token.is == Is::End => {
                Err(Syntax::expected(self.token.at, "`and`, `or` or `)`").into())
            }
            false => Err(self.unexpected().into()),
        }
    }

    /// What is wrong with a token behind a term.
    fn unexpected(&self) -> Syntax {
        let fault = match self.token.is {
            Is::Sign(")") => Fault::Says("no `(` stands before this `)`"),
            Is::Word(_) | Is::Sign("(") => Fault::Says("two terms need `and` or `or` between them"),
            _ => Fault::Expected("`and`, `or` or the end"),
        };
        Syntax::new(self.token.at, fault)
    }

    fn term(&mut self) -> Result<Node, Error> {
        let start = self.token.at;
        let Is::Word(mut word) = self.token.is else {
            return Err(Syntax::expected(start, TERM).into());
        };
        let side = Side::WORDS.into_iter().find(|side| side.word() == word);
        if side.is_some() {
            let before = self.token;
            self.advance()?;
            match self.token.is {
                Is::Word(field) => word = field,
                _ => return Err(no_field(before, self.token.at).into()),
            }
        }
        match Field::named(word, self.word_behind()) {
            Some(field) => {
                let Some(side) = field.side(side.unwrap_or(Side::Plain)) else {
                    return Err(Syntax::says(start, not_of_a_side(field)).into());
                };
                (0..field.words()).try_for_each(|_| self.advance())?;
                self.test(field, side)
            }
            None => self.short(word, side.map(|_| start)),
        }
    }

    /// The word behind the next token; empty if it is none.
    fn word_behind(&self) -> &'a str {
        match self.lexer.clone().next() {
            Ok(Token { is: Is::Word(word), .. }) => word,
            _ => "",
        }
    }

    /// The name of a protocol or a family, alone: no direction may stand before it.
    fn short(&mut self, word: &str, side: Option<usize>) -> Result<Node, Error> {
        let at = self.token.at;
        for (field, kind) in [("family", Kind::Family), ("proto", Kind::Protocol)] {
            let (Some(number), Some(field)) = (names::number(kind, word), Field::named(field, ""))
            else {
                continue;
            };
            if let Some(side) = side {
                return Err(Syntax::says(side, not_of_a_side(field)).into());
            }
            self.advance()?;
            let mut values = Vec::new();
            push(&mut values, Value::Range(number, number))?;
            return Ok(Node::term(Term { field, side: Side::Plain, test: Test::In(values) }));
        }
        Err(match word {
            "and" | "or" => Syntax::expected(at, TERM),
            _ => names::unknown(word, at),
        }
        .into())
    }

    /// The operator and the values of a field.
    fn test(&mut self, field: &'static Field, side: Side) -> Result<Node, Error> {
        let Token { at, is } = self.token;
        let sign = match is {
            Is::Sign(sign @ ("=" | "!=" | "<" | "<=" | ">" | ">=")) => sign,
            _ => "",
        };
        if field.kind == Kind::Flag {
            return match sign {
                "" => Ok(Node::term(Term { field, side, test: Test::Set })),
                _ => Err(Syntax::says(at, "this stands alone, or behind `not`").into()),
            };
        }
        if !sign.is_empty() {
            self.advance()?;
        }
        let test = match order(sign) {
            Some(order) => self.compare(field, order, at)?,
            None => Test::In(self.values(field)?),
        };
        let negated = sign == "!=";
        Ok(Node { negated, of: Of::Term(Term { field, side, test }) })
    }

    fn compare(&mut self, field: &'static Field, order: Order, sign: usize) -> Result<Test, Error> {
        if !matches!(field.kind, Kind::Number(..) | Kind::Mark) {
            return Err(Syntax::says(sign, "only `=` and `!=` have a meaning here").into());
        }
        let at = self.token.at;
        match self.value(field)? {
            Value::Range(first, last) if first == last => Ok(Test::Compare(order, first)),
            _ => Err(Syntax::says(at, "it is compared with one number, without a mask").into()),
        }
    }

    /// A value, or a list of some.
    fn values(&mut self, field: &'static Field) -> Result<Vec<Value>, Error> {
        let mut values = Vec::new();
        if !self.eat(Is::Sign("{"))? {
            push(&mut values, self.value(field)?)?;
            return Ok(values);
        }
        loop {
            push(&mut values, self.value(field)?)?;
            if self.eat(Is::Sign("}"))? {
                return Ok(values);
            }
            if !self.eat(Is::Sign(","))? {
                return Err(Syntax::expected(self.token.at, "`,` or `}`").into());
            }
        }
    }

    fn value(&mut self, field: &'static Field) -> Result<Value, Error> {
        let Token { at, is } = self.token;
        let reader = Reader { field, labels: self.labels };
        let value = match is {
            Is::Word(word) => reader.word(word, at)?,
            Is::Quoted(name) => reader.quoted(name, at)?,
            _ => return Err(Syntax::expected(at, field.value).into()),
        };
        self.advance()?;
        Ok(value)
    }
}

/// Adds a node to a series; those of a series of its kind in its place.
fn add(nodes: &mut Vec<Node>, node: Node, joint: Joint) -> Result<(), Error> {
    match node.of {
        Of::Series(of, inner) if of == joint && !node.negated => {
            nodes.try_reserve(inner.len())?;
            nodes.extend(inner);
            Ok(())
        }
        _ => push(nodes, node),
    }
}

fn push<T>(to: &mut Vec<T>, item: T) -> Result<(), Error> {
    to.try_reserve(1)?;
    to.push(item);
    Ok(())
}

fn order(sign: &str) -> Option<Order> {
    use Order::{AtLeast, AtMost, Less, More};
    [Less, AtMost, More, AtLeast].into_iter().find(|order| order.sign() == sign)
}

/// A direction without a field behind it.
fn no_field(Token { is, at }: Token<'_>, behind: usize) -> Syntax {
    match is {
        Is::Word("any") => Syntax::says(at, "`any` stands before a field; every flow is `all`"),
        _ => Syntax::expected(behind, "a field of that direction, as `src`, `dport` or `zone`"),
    }
}

/// Why a field is of no such side.
fn not_of_a_side(field: &Field) -> &'static str {
    match field.sides.len() {
        1 => "this has no direction",
        _ => "this is of both directions without a word, or of `orig` or `reply`",
    }
}
