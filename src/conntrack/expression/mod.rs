//! Expressions: what selects flows, as a person writes it.
#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod docs;
mod eval;
mod explain;
mod fields;
mod lexer;
mod names;
mod narrow;
mod parser;
mod print;
mod program;
mod tree;
mod value;

pub use eval::Truth;
#[doc(hidden)]
pub use program::Decides;

use crate::conntrack::error;
use crate::conntrack::filter::dump::DumpFilter;
use crate::conntrack::filter::narrowing::narrowing;
use crate::conntrack::flow::Flow;
use crate::conntrack::labels::map::LabelMap;
use crate::conntrack::object::entry::Conntrack;
#[cfg(feature = "capi")]
use crate::conntrack::syntax::Syntax;
use crate::conntrack::wire::Change;
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::netlink;
use crate::netlink::bpf::Instruction;
use eval::{Terms, Told};
use explain::Explanation;
use std::fmt;
use std::str::FromStr;
use tree::Node;

/// What selects flows, as a person writes it: `tcp and dport {80, 443} and not replied`.
///
/// Terms are joined by `and`, `or`, `not` and parentheses; `not` binds tighter than `and`, and that
/// tighter than `or`. `docs/expressions.md` has the fields. A term about something that was not told
/// of a flow is unknown: [`Truth`]. Lists, deletes and events take what is definitely true.
///
/// Printed it is an expression again, an equal one: labels by number, so that it needs no names.
///
/// ```
/// use ctrs::{Expression, Flow};
/// use std::net::SocketAddr;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let web: Expression = "tcp and (dport 80 or dport 443) and not src 10.0.0.0/8".parse()?;
/// assert_eq!(web.to_string(), "tcp and (dport 80 or dport 443) and src != 10.0.0.0/8");
/// assert_eq!(web, web.to_string().parse()?);
///
/// let error = "tcp and dport 80 or dprt 443".parse::<Expression>().unwrap_err();
/// assert_eq!(error.offset(), Some(20));
/// assert!(error.to_string().contains("is `dport` meant?"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    root: Node,
}

impl Expression {
    /// Reads an expression; labels are numbers in it.
    ///
    /// # Errors
    /// [`ErrorKind::Syntax`]: [`Error::offset`] is the byte that it points at.
    /// [`ErrorKind::OutOfMemory`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self::compile(text, None)?)
    }

    /// Reads an expression in which labels may have these names.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_with_labels(text: &str, labels: &LabelMap) -> Result<Self, Error> {
        Ok(Self::compile(text, Some(labels))?)
    }

    /// As [`compile`](Self::compile), from bytes that need not be UTF-8.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    #[cfg(feature = "capi")]
    pub(crate) fn compile_bytes(
        text: &[u8],
        labels: Option<&LabelMap>,
    ) -> Result<Self, error::Error> {
        let text = std::str::from_utf8(text)
            .map_err(|error| Syntax::says(error.valid_up_to(), "this is no character of UTF-8"))?;
        Self::compile(text, labels)
    }

    /// # Errors
    /// [`error::Error::Syntax`], [`error::Error::OutOfMemory`].
    pub(crate) fn compile(text: &str, labels: Option<&LabelMap>) -> Result<Self, error::Error> {
        parser::parse(text, labels).map(|root| Self { root })
    }

    /// What it is of a flow of a list, or one that was asked for.
    #[must_use]
    pub fn matches(&self, flow: &Flow) -> Truth {
        self.truth(&flow.0, None)
    }

    /// What it is of a flow as an event tells of it. Events do not tell all: those of a change tell
    /// labels and the state if they changed, those of an end neither labels nor the helper, and none
    /// but those of an end tell counters and times.
    #[must_use]
    pub fn matches_event(&self, change: Change, flow: &Flow) -> Truth {
        self.truth(&flow.0, Some(change))
    }

    /// As [`matches`](Self::matches), of an object.
    pub(crate) fn truth(&self, ct: &Conntrack, change: Option<Change>) -> Truth {
        self.root.truth(Told { ct, change, terms: Terms::All })
    }

    /// Whether it may be true of the flow at some time, whatever of it changes.
    pub(crate) fn may_become_true(&self, ct: &Conntrack) -> bool {
        self.root.truth(Told { ct, change: None, terms: Terms::Fixed }) != Truth::False
    }

    /// Who decides which term, a line each: the kernel, so that less has to be read, or the library.
    /// Whoever does, each flow is checked again.
    ///
    /// ```
    /// use ctrs::Expression;
    ///
    /// let expression: Expression = "tcp and dst 10.0.0.0/8 and mark 0x2a/0xff and not bytes < 1M".parse()?;
    /// assert_eq!(
    ///     expression.explain()?.to_string(),
    ///     "tcp             list: kernel           events: kernel\n\
    ///      dst 10.0.0.0/8  list: kernel in part   events: kernel\n\
    ///      mark 0x2a/0xff  list: kernel           events: kernel, as it is at that moment\n\
    ///      not bytes < 1M  list: library          events: library\n\
    ///      The whole expression is checked again on every flow and event."
    /// );
    /// # Ok::<(), ctrs::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`].
    pub fn explain(&self) -> Result<impl fmt::Display + use<'_>, Error> {
        Ok(self.explanation()?)
    }

    pub(crate) fn explanation(&self) -> Result<Explanation<'_>, error::Error> {
        Explanation::of(&self.root)
    }

    /// What of it the kernel compares when it hands out a list; `None` if no flow can match.
    ///
    /// # Errors
    /// [`error::Error::OutOfMemory`].
    pub(crate) fn narrowing(&self) -> Result<Option<DumpFilter>, error::Error> {
        narrowing(&narrow::implied(&self.root, false)?)
    }

    /// The program that the kernel runs on events, which lets pass all that may match.
    ///
    /// # Errors
    /// [`netlink::Error::OutOfMemory`].
    #[doc(hidden)]
    pub fn program(&self, decides: Decides) -> Result<Vec<Instruction>, netlink::Error> {
        Ok(program::program(&self.root, decides)?.instructions)
    }

    /// A copy of its own.
    ///
    /// # Errors
    /// [`error::Error::OutOfMemory`].
    pub(crate) fn try_clone(&self) -> Result<Self, error::Error> {
        Ok(Self { root: self.root.try_clone()? })
    }
}

impl FromStr for Expression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

#[cfg(test)]
mod tests;
