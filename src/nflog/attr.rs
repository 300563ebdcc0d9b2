//! The attributes of a logged packet: where each is in its message.
#![forbid(unsafe_code)]

use crate::netlink::message::{
    ATTRIBUTE_HEADER_SIZE, Attributes, FAMILY_HEADER_SIZE, HEADER_SIZE, Message, align,
};
use crate::uapi::nful;

/// Attributes that a packet may have, by number from 1.
pub const COUNT: usize = nful::L2HDR as usize;
/// Where the attributes of a message begin.
pub(super) const BEGIN: usize = HEADER_SIZE + FAMILY_HEADER_SIZE;
/// The bits of a type that tell one attribute from another: among packets, bit 14 does too.
const TYPE_MASK: u16 = 0x7fff;

/// Where the attributes of a packet are found, by number.
pub trait Find<'a> {
    /// The value of the last attribute of a number, without header and padding.
    fn find(&self, kind: u16) -> Option<&'a [u8]>;
}

/// The number of each attribute in `bytes`, and where it begins; the first that does not fit ends
/// them.
#[inline(always)]
pub(crate) fn each(bytes: &[u8]) -> impl Iterator<Item = (u16, usize)> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let at = next;
        let header: &[u8; ATTRIBUTE_HEADER_SIZE] = bytes.get(at..)?.first_chunk()?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]);
        if length < ATTRIBUTE_HEADER_SIZE || length > bytes.len() - at {
            return None;
        }
        next += align(length);
        Some((kind & TYPE_MASK, at))
    })
}

/// Where the attributes of a message are, by their number less 1; 0 for those that it lacks.
pub(super) type Places = [u32; COUNT];

/// The attributes of a message.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    pub(super) message: &'a [u8],
    pub(super) places: Places,
}

impl<'a> Found<'a> {
    /// Those of a message about a packet; `None` for another message.
    #[inline]
    pub(super) fn of(message: &Message<'a>) -> Option<Self> {
        if message.kind != nful::PACKET || message.bytes().len() < BEGIN {
            return None;
        }
        let mut places = [0; COUNT];
        for (kind, at) in each(message.attributes()) {
            if let Some(place) = places.get_mut(usize::from(kind).wrapping_sub(1)) {
                *place = (BEGIN + at) as u32;
            }
        }
        Some(Self { message: message.bytes(), places })
    }
}

impl<'a> Find<'a> for Found<'a> {
    #[inline]
    fn find(&self, kind: u16) -> Option<&'a [u8]> {
        let place = *self.places.get(usize::from(kind).wrapping_sub(1))? as usize;
        let rest = self.message.get(place..).filter(|_| place != 0)?;
        let length = u16::from_ne_bytes(*rest.first_chunk()?);
        rest.get(ATTRIBUTE_HEADER_SIZE..length.into())
    }
}

/// The first bytes of a value; `None` if it is shorter.
#[inline]
pub(super) fn first<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.first_chunk().copied()
}

#[inline]
pub(super) fn be16(value: &[u8]) -> Option<u16> {
    first(value).map(u16::from_be_bytes)
}

#[inline]
pub(super) fn be32(value: &[u8]) -> Option<u32> {
    first(value).map(u32::from_be_bytes)
}

/// The seconds and microseconds of a timestamp.
#[inline]
pub(super) fn timestamp(value: &[u8]) -> Option<(u64, u64)> {
    let value = u128::from_be_bytes(first(value)?);
    Some(((value >> 64) as u64, value as u64))
}

/// The value of the first attribute of a number in a nest.
pub(super) fn member(nest: &[u8], kind: u16) -> Option<&[u8]> {
    Attributes::new(nest).find(|attribute| attribute.kind == kind).map(|found| found.value)
}
