//! An expectation as the kernel told it.
#![forbid(unsafe_code)]

use super::ExpectationFlags;
use super::pattern::Pattern;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::expectation::{Expect, ExpectAttr};
use crate::conntrack::object::tuple::ORIG;
use crate::conntrack::tuple::Tuple;
use crate::conntrack::values::debug::fields_told;
use crate::conntrack::values::{Direction, Id};
use crate::netlink::name::until_nul;
use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// An expectation as the kernel told it: that a flow comes which belongs to another one.
///
/// As text it is the line that `conntrack -L expect` prints.
#[derive(Clone, Default)]
pub struct Expectation {
    pub(crate) object: Box<Expect>,
    pub(crate) id: Option<u32>,
}

impl Expectation {
    /// Which flows meet it. `None` where it was not told.
    #[must_use]
    pub fn expected(&self) -> Option<Pattern> {
        whole(&self.object.expected)?;
        let mask = self.object.mask.flat.orig;
        Pattern::from_object(&self.object.expected.flat.orig, &mask)
    }

    /// The original tuple of the flow whose helper expects them.
    #[must_use]
    pub fn master(&self) -> Option<Tuple> {
        whole(&self.object.master)
    }

    /// How long it lasts if no flow meets it, in whole seconds.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.number(ExpectAttr::Timeout).map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// The name of the helper that expects it.
    #[must_use]
    pub fn helper(&self) -> Option<Cow<'_, str>> {
        self.name(ExpectAttr::HelperName, &self.object.flat.helper_name)
    }

    /// What else holds for it.
    #[must_use]
    pub fn flags(&self) -> ExpectationFlags {
        ExpectationFlags::from_bits_retain(self.number(ExpectAttr::Flags).unwrap_or(0))
    }

    /// The class of the helper's policy.
    #[must_use]
    pub fn class(&self) -> u32 {
        self.number(ExpectAttr::Class).unwrap_or(0)
    }

    /// The zone; the kernel does not tell it.
    #[must_use]
    pub fn zone(&self) -> u16 {
        self.number(ExpectAttr::Zone).map_or(0, |_| self.object.flat.zone)
    }

    pub(crate) fn set_zone(&mut self, zone: u16) {
        self.object.store_number(ExpectAttr::Zone, zone.into());
    }

    /// What the function translates the flow with, and the direction of the master that the flow
    /// comes from.
    #[must_use]
    pub fn nat(&self) -> Option<(SocketAddr, Direction)> {
        let tuple = whole(&self.object.nat)?;
        let direction = match self.number(ExpectAttr::NatDir)? {
            0 => Direction::Original,
            _ => Direction::Reply,
        };
        Some((tuple.source_socket()?, direction))
    }

    /// What is done to the flow that meets it.
    #[must_use]
    pub fn function(&self) -> Option<Cow<'_, str>> {
        self.name(ExpectAttr::Function, &self.object.flat.function)
    }

    /// What this expectation is told from another one with the same pattern by.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        self.id.map(Id)
    }

    fn number(&self, attr: ExpectAttr) -> Option<u32> {
        self.object.number(attr)
    }

    fn name<'a>(&self, attr: ExpectAttr, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
        let text = until_nul(bytes);
        (self.object.has(attr) && !text.is_empty()).then(|| String::from_utf8_lossy(text))
    }
}

/// The tuple of an object that holds nothing else, if it is whole.
fn whole(ct: &Conntrack) -> Option<Tuple> {
    let tuple = &ct.flat.orig;
    let whole = ORIG.whole(tuple.l3proto, tuple.l4proto)?;
    ct.flat.present.has_all(whole).then(|| Tuple::from_object(tuple))?
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(f)
    }
}

/// What was told, and nothing else.
impl fmt::Debug for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = f.debug_struct("Expectation");
        fields_told! { parts,
            "expected" self.expected();
            "master" self.master();
            "id" self.id();
            "timeout" self.timeout();
            "flags" Some(self.flags()).filter(|flags| !flags.is_empty());
            "class" self.number(ExpectAttr::Class);
            "helper" self.helper();
            "zone" self.number(ExpectAttr::Zone);
            "nat" self.nat();
            "function" self.function();
        }
        parts.finish()
    }
}
