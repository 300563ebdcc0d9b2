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

/// Length and type in an attribute's header, read at once.
#[inline(always)]
fn header(bytes: [u8; ATTRIBUTE_HEADER_SIZE]) -> (usize, u16) {
    let both = u32::from_ne_bytes(bytes);
    let (first, second) = (both as u16, (both >> 16) as u16);
    if cfg!(target_endian = "little") { (first.into(), second) } else { (second.into(), first) }
}

/// The number of each attribute in `bytes`, and the bytes from it on; the first that does not fit ends
/// them.
#[inline(always)]
pub(crate) fn each(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(next..)?;
        let (length, kind) = header(*rest.first_chunk()?);
        // Those shorter than their header become longer than anything.
        if length.wrapping_sub(ATTRIBUTE_HEADER_SIZE) > rest.len() - ATTRIBUTE_HEADER_SIZE {
            return None;
        }
        next += align(length);
        Some((kind & TYPE_MASK, rest))
    })
}

/// The value of the attribute at the beginning of `bytes`, of those of [`each`].
#[inline(always)]
pub(super) fn value(bytes: &[u8]) -> &[u8] {
    let length = bytes.first_chunk().map_or(0, |length| u16::from_ne_bytes(*length));
    bytes.get(ATTRIBUTE_HEADER_SIZE..length.into()).unwrap_or_default()
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
        for (kind, rest) in each(message.attributes()) {
            if let Some(place) = places.get_mut(usize::from(kind).wrapping_sub(1)) {
                *place = (message.bytes().len() - rest.len()) as u32;
            }
        }
        Some(Self { message: message.bytes(), places })
    }
}

impl<'a> Find<'a> for Found<'a> {
    #[inline]
    fn find(&self, kind: u16) -> Option<&'a [u8]> {
        let place = *self.places.get(usize::from(kind).wrapping_sub(1))? as usize;
        self.message.get(place..).filter(|_| place != 0).map(value)
    }
}

/// The first bytes of a value; `None` if it is shorter. (Numbers of other subsystems have just their
/// length: those of [`number`](crate::netlink::number).)
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
