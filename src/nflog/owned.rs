//! A packet that outlives its datagram.
#![forbid(unsafe_code)]

use super::attr::{Found, Places};
use super::packet::Packet;
use crate::error::Error;
use crate::netlink;

/// A packet with a message of its own: see [`Packet::copied`].
///
/// ```
/// use ctrs::{Error, OwnedPacket, Packets};
///
/// fn last(datagram: &[u8]) -> Result<Option<OwnedPacket>, Error> {
///     Packets::of(datagram).last().map(|packet| packet.copied()).transpose()
/// }
/// let kept = last(&[]).unwrap();
/// assert!(kept.is_none_or(|kept| kept.packet().group() == 5));
/// ```
#[derive(Debug)]
pub struct OwnedPacket {
    message: Vec<u8>,
    places: Places,
}

impl OwnedPacket {
    pub(super) fn of(found: &Found<'_>) -> Result<Self, Error> {
        let mut message = Vec::new();
        message
            .try_reserve_exact(found.message.len())
            .map_err(|_| Error::from(netlink::Error::OutOfMemory))?;
        message.extend_from_slice(found.message);
        Ok(Self { message, places: found.places })
    }

    /// The packet, as it was borrowed from the datagram.
    #[must_use]
    pub fn packet(&self) -> Packet<'_> {
        Packet::on(Found { message: &self.message, places: self.places })
    }
}
