//! What names one expectation.
#![forbid(unsafe_code)]

use super::create::NewExpectation;
use super::pattern::Pattern;
use super::seen::Expectation;
use crate::conntrack::tuple::Tuple;
use crate::conntrack::values::Id;

/// What names one expectation: the tuple of a flow that meets it, and the zone. Of an expectation
/// that was seen, its id too, so that another one that took its place is not taken for it.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{Error, Expectation, ExpectationKey, Expectations, Tuple};
///
/// fn find(table: &mut Expectations, tuple: Tuple) -> Result<Option<Expectation>, Error> {
///     table.get(ExpectationKey::from(tuple).in_zone(3))
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExpectationKey {
    pub(crate) tuple: Tuple,
    pub(crate) zone: u16,
    pub(crate) id: Option<Id>,
}

impl ExpectationKey {
    /// The one in this zone.
    #[must_use]
    pub fn in_zone(self, zone: u16) -> Self {
        Self { zone, ..self }
    }

    /// The one with this id alone, as an expectation that was seen told it.
    #[must_use]
    pub fn with_id(self, id: Option<Id>) -> Self {
        Self { id, ..self }
    }

    /// Any expectation of that tuple and zone, whatever its id.
    #[must_use]
    pub fn any_life(self) -> Self {
        Self { id: None, ..self }
    }
}

/// The expectation that a flow with this original tuple meets.
impl From<Tuple> for ExpectationKey {
    fn from(tuple: Tuple) -> Self {
        Self { tuple, zone: 0, id: None }
    }
}

/// The expectation with this pattern.
impl From<Pattern> for ExpectationKey {
    fn from(pattern: Pattern) -> Self {
        pattern.tuple().into()
    }
}

/// The expectation that this one created.
impl From<&NewExpectation> for ExpectationKey {
    fn from(new: &NewExpectation) -> Self {
        Self::from(new.expected).in_zone(new.zone)
    }
}

/// The expectation that was seen, and none that took its place.
impl From<&Expectation> for ExpectationKey {
    fn from(seen: &Expectation) -> Self {
        let tuple = seen.expected().map_or_else(Tuple::none, |expected| expected.tuple());
        Self { tuple, zone: seen.zone(), id: seen.id() }
    }
}
