//! What is wrong with a text that a program or a person wrote.
#![forbid(unsafe_code)]

use std::fmt;

/// Where a text cannot be read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Syntax {
    /// The byte, counted from 0. At the end of the text it is the length.
    pub(crate) offset: u32,
    pub(crate) fault: Fault,
}

/// What is wrong there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// Something else than this.
    Expected(&'static str),
    /// A name that nothing has, close to this one.
    Near(&'static str),
    /// This.
    Says(&'static str),
}

impl Syntax {
    pub(crate) fn new(offset: usize, fault: Fault) -> Self {
        Self { offset: u32::try_from(offset).unwrap_or(u32::MAX), fault }
    }

    pub(crate) fn expected(offset: usize, what: &'static str) -> Self {
        Self::new(offset, Fault::Expected(what))
    }

    pub(crate) fn says(offset: usize, what: &'static str) -> Self {
        Self::new(offset, Fault::Says(what))
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Fault::Expected(what) => write!(f, "expected {what}")?,
            Fault::Near(name) => write!(f, "nothing has this name: is `{name}` meant?")?,
            Fault::Says(what) => f.write_str(what)?,
        }
        write!(f, " (at byte {})", self.offset)
    }
}

impl std::error::Error for Syntax {}
