//! What a flow has besides its tuples, each as one value that cannot be half there.
#![forbid(unsafe_code)]

pub(crate) mod debug;
mod nat;
mod state;

pub use crate::conntrack::object::entry::Counters;
pub use crate::conntrack::object::status::Status;
pub use crate::protocol::{Family, Protocol};
pub use nat::{Nat, SeqAdjust, SynProxy, canonical};
pub use state::{DccpState, SctpInfo, SctpState, State, TcpFlags, TcpInfo, TcpSide, TcpState};

use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::Conntrack;
use crate::invalid::Invalid;
use crate::netlink::name::fits;
use std::fmt;

/// Which packets of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Direction {
    /// Those that go as the first one did.
    Original,
    /// Those that answer.
    Reply,
}

/// A mark, and which of its bits are meant: all of them where it is made from a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    value: u32,
    mask: u32,
}

impl Mark {
    /// The bits of `mask` alone, as they are in `value`.
    #[must_use]
    pub const fn masked(value: u32, mask: u32) -> Self {
        Self { value: value & mask, mask }
    }

    /// The bits, those that are not meant 0.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.value
    }

    /// Which bits are meant.
    #[must_use]
    pub const fn mask(self) -> u32 {
        self.mask
    }
}

impl From<u32> for Mark {
    fn from(value: u32) -> Self {
        Self { value, mask: u32::MAX }
    }
}

/// A conntrack zone: flows with the same tuples are told apart by it. It counts for both directions
/// of a flow where it is made from a number, or for one of them, the other being in zone 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Zone {
    number: u16,
    only: Option<Direction>,
}

impl Zone {
    /// That of an object; 0 where it has none.
    #[inline]
    pub(crate) fn of(ct: &Conntrack) -> Self {
        if ct.has(Attr::OrigZone) {
            Self::original(ct.flat.orig.zone)
        } else if ct.has(Attr::ReplZone) {
            Self::reply(ct.flat.reply.zone)
        } else {
            let zone = ct.has(Attr::Zone).then_some(ct.flat.zone);
            zone.unwrap_or(0).into()
        }
    }

    /// A zone of the original direction.
    #[must_use]
    pub const fn original(number: u16) -> Self {
        Self { number, only: Some(Direction::Original) }.or_default()
    }

    /// A zone of the reply direction.
    #[must_use]
    pub const fn reply(number: u16) -> Self {
        Self { number, only: Some(Direction::Reply) }.or_default()
    }

    /// Zone 0 is that of both directions.
    const fn or_default(self) -> Self {
        if self.number == 0 { Self { number: 0, only: None } } else { self }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.number
    }

    /// The direction it counts for, if it is one alone.
    #[must_use]
    pub const fn only(self) -> Option<Direction> {
        self.only
    }
}

impl From<u16> for Zone {
    fn from(number: u16) -> Self {
        Self { number, only: None }
    }
}

/// What the kernel tells the life of a flow from another of the same tuple by. Not a name: the
/// kernel can give it again.
///
/// ```
/// use ctrs::{Flow, Id};
///
/// /// Whether the second was seen at the place of the first and is another one.
/// fn replaced(before: &Flow, now: &Flow) -> bool {
///     let ids: [Option<Id>; 2] = [before.id(), now.id()];
///     before.tuple() == now.tuple() && matches!(ids, [Some(before), Some(now)] if before != now)
/// }
///
/// assert!(!replaced(&Flow::default(), &Flow::default()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(pub(crate) u32);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes of a helper's name with its NUL.
const NAME_SIZE: usize = 16;

/// What looks after a flow's payload, as `ftp` does.
///
/// ```
/// use ctrs::{Helper, Invalid};
///
/// let ftp = Helper::new("ftp")?;
/// assert_eq!((&*ftp.name(), ftp.data()), ("ftp", &[][..]));
/// assert_eq!(Helper::new("longer-than-15-bytes"), Err(Invalid::Name));
/// # Ok::<(), Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Helper {
    name: Box<[u8]>,
    data: Box<[u8]>,
}

impl Helper {
    /// The helper with this name.
    ///
    /// # Errors
    /// [`Invalid::Name`].
    pub fn new(name: &str) -> Result<Self, Invalid> {
        Self::from_bytes(name.as_bytes(), &[])
    }

    pub(crate) fn from_bytes(name: &[u8], data: &[u8]) -> Result<Self, Invalid> {
        if !fits(name, NAME_SIZE) {
            return Err(Invalid::Name);
        }
        Ok(Self { name: name.into(), data: data.into() })
    }

    /// With data that the helper understands.
    #[must_use]
    pub fn with_data(self, data: impl Into<Box<[u8]>>) -> Self {
        Self { data: data.into(), ..self }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }

    pub(crate) fn name_bytes(&self) -> &[u8] {
        &self.name
    }

    /// Its data.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_has_no_bits_that_are_not_meant() {
        assert_eq!(Mark::masked(0x142, 0xff), Mark::masked(0x42, 0xff));
        assert_eq!((Mark::from(7).value(), Mark::from(7).mask()), (7, u32::MAX));
    }

    #[test]
    fn zone_0_has_no_direction() {
        assert_eq!(Zone::original(0), Zone::default());
        assert_eq!(Zone::reply(0), Zone::from(0));
        assert_ne!(Zone::reply(3), Zone::original(3));
        assert_eq!(Zone::reply(3).only(), Some(Direction::Reply));
    }

    #[test]
    fn names_of_helpers() {
        for name in ["", "sixteen-bytes-16", "a\0b"] {
            assert_eq!(Helper::new(name), Err(Invalid::Name));
        }
        let helper = Helper::new("fifteen-bytes15").unwrap().with_data(*b"x");
        assert_eq!((&*helper.name(), helper.data()), ("fifteen-bytes15", &b"x"[..]));
    }
}
