//! What names one flow.
#![forbid(unsafe_code)]

use super::object::entry::Conntrack;
use super::tuple::Tuple;
use super::values::{Direction, Id, Zone};

/// What names one flow: the tuple of either direction, and the zone. Of a flow that was seen, its
/// id too, so that another one with the same tuple that took its place is not taken for it.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{Key, Tuple};
/// use std::net::SocketAddr;
///
/// let (client, server): (SocketAddr, SocketAddr) = ("192.0.2.1:40000".parse()?, "198.51.100.7:443".parse()?);
/// let by_original = Key::from(Tuple::tcp(client, server)?);
/// let by_reply = Key::reply(Tuple::tcp(server, client)?).in_zone(3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub(crate) tuple: Tuple,
    pub(crate) direction: Direction,
    pub(crate) zone: Zone,
    pub(crate) id: Option<Id>,
}

impl Key {
    /// The flow with this original tuple.
    #[must_use]
    pub fn original(tuple: Tuple) -> Self {
        Self { tuple, direction: Direction::Original, zone: Zone::default(), id: None }
    }

    /// The flow whose answers have this tuple: what is seen behind a translation.
    #[must_use]
    pub fn reply(tuple: Tuple) -> Self {
        Self { direction: Direction::Reply, ..Self::original(tuple) }
    }

    /// The flow of which an object has the tuple of this direction, whole, and the zone, whatever its
    /// id.
    #[inline]
    pub(crate) fn of(ct: &Conntrack, direction: Direction) -> Option<Self> {
        let tuple = Tuple::of(ct, direction)?;
        Some(Self { tuple, direction, zone: Zone::of(ct), id: None })
    }

    /// The flow that an object names: by its original tuple, or if that is not whole by its reply
    /// tuple; whatever its id.
    pub(crate) fn named_by(ct: &Conntrack) -> Option<Self> {
        Self::of(ct, Direction::Original).or_else(|| Self::of(ct, Direction::Reply))
    }

    /// Whether a flow with this name has the id too, if that counts.
    pub(crate) fn is_of(&self, ct: &Conntrack) -> bool {
        self.id.is_none_or(|id| id.0 == ct.flat.id)
    }

    /// The one in this zone.
    #[must_use]
    pub fn in_zone(self, zone: impl Into<Zone>) -> Self {
        Self { zone: zone.into(), ..self }
    }

    /// The one with this id alone, as a flow that was seen told it.
    #[must_use]
    pub fn with_id(self, id: Option<Id>) -> Self {
        Self { id, ..self }
    }

    /// Any flow with that tuple and zone, whatever its id.
    #[must_use]
    pub fn any_life(self) -> Self {
        Self { id: None, ..self }
    }

    /// The tuple.
    #[must_use]
    pub fn tuple(&self) -> Tuple {
        self.tuple
    }

    /// The direction that the tuple is of.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The zone.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// The id, if that counts.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        self.id
    }
}

/// The flow with this original tuple.
impl From<Tuple> for Key {
    fn from(tuple: Tuple) -> Self {
        Self::original(tuple)
    }
}

/// The flow with this original tuple.
impl From<&Tuple> for Key {
    fn from(tuple: &Tuple) -> Self {
        Self::original(*tuple)
    }
}

impl From<&Self> for Key {
    fn from(key: &Self) -> Self {
        *key
    }
}
