//! JSON as Rust programs say it.
#![forbid(unsafe_code)]

use super::{STRINGS, Style};
use crate::conntrack::expectation::seen::Expectation;
use crate::conntrack::flow::Flow;
use crate::conntrack::labels::map::LabelMap;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::expectation::Expect;
use crate::conntrack::wire::Change;
use crate::error::Error;
use crate::text::display::display;
use crate::text::writer::Writer;
use std::fmt;

/// A flow or an expectation as JSON: what was told, as one object on one line. See
/// [`Flow::json`].
///
/// ```
/// use ctrs::{Change, Flow, Json};
///
/// let flow = Flow::from_json(r#"{"counters":{"reply":{"bytes":9007199254740993}}}"#)?;
/// let json: Json<'_> = flow.json().event(Change::Destroy).wide_numbers_as_strings();
/// let text = r#"{"event":"destroy","counters":{"reply":{"bytes":"9007199254740993"}}}"#;
/// assert_eq!(json.to_string(), text);
/// # Ok::<(), ctrs::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Json<'a> {
    of: Object<'a>,
    style: Style<'a>,
}

#[derive(Clone, Copy)]
enum Object<'a> {
    Flow(&'a Conntrack),
    Expectation(&'a Expect),
}

impl<'a> Json<'a> {
    fn new(of: Object<'a>) -> Self {
        Self { of, style: Style::default() }
    }

    /// With the names of labels, where they have any.
    #[must_use]
    pub fn labels(mut self, names: &'a LabelMap) -> Self {
        self.style.labels = Some(names);
        self
    }

    /// With the event that told of it, as the member `event`.
    #[must_use]
    pub fn event(mut self, change: Change) -> Self {
        self.style.message = change as u32;
        self
    }

    /// With numbers of 64 bits as strings, for readers that keep numbers as doubles, as jq 1.6 does.
    #[must_use]
    pub fn wide_numbers_as_strings(mut self) -> Self {
        self.style.flags |= STRINGS;
        self
    }

    fn write(&self, out: &mut Writer<'_>) {
        match self.of {
            Object::Flow(ct) => super::write(out, ct, &self.style),
            Object::Expectation(expect) => super::expect(out, expect, &self.style),
        }
    }
}

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(f, &|out| self.write(out))
    }
}

impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({self})")
    }
}

impl Flow {
    /// The flow as JSON: one object of all that was told. `docs/json.md` lists the members.
    ///
    /// ```
    /// use ctrs::Flow;
    ///
    /// let text = r#"{"original":{"family":"ipv4","src":"192.0.2.1","dst":"198.51.100.7","protocol":"esp"},"mark":7}"#;
    /// let flow = Flow::from_json(text)?;
    /// assert_eq!((flow.mark(), flow.json().to_string()), (7, text.into()));
    /// # Ok::<(), ctrs::Error>(())
    /// ```
    #[must_use]
    pub fn json(&self) -> Json<'_> {
        Json::new(Object::Flow(&self.0))
    }

    /// Reads what [`json`](Self::json) writes, so that
    /// [`FlowTable::restore`](crate::FlowTable::restore) can create the flow again: one that belongs to
    /// another (`master`) after that one. Counters and times are the kernel's, and begin anew.
    ///
    /// Members may come in any order, and unknown ones are passed over. Numbers may be strings, and
    /// times whole numbers of nanoseconds.
    ///
    /// # Errors
    /// [`ErrorKind::Syntax`](crate::ErrorKind::Syntax), with the byte that it is about
    /// ([`Error::offset`]).
    pub fn from_json(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        Ok(Self(super::read(text.as_ref(), None)?))
    }

    /// As [`from_json`](Self::from_json), where labels have these names.
    ///
    /// # Errors
    /// As there.
    pub fn from_json_with(text: impl AsRef<[u8]>, names: &LabelMap) -> Result<Self, Error> {
        Ok(Self(super::read(text.as_ref(), Some(names))?))
    }
}

impl Expectation {
    /// The expectation as JSON: one object of all that was told.
    ///
    /// ```
    /// assert_eq!(ctrs::Expectation::default().json().to_string(), "{}");
    /// ```
    #[must_use]
    pub fn json(&self) -> Json<'_> {
        Json::new(Object::Expectation(&self.object))
    }
}
