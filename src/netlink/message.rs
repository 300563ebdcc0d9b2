//! Borrowed iteration over netlink messages and attributes.
//!
//! ```text
//! datagram:   | message | pad | message | pad | ...
//! message:    | u32 length | u16 type | u16 flags | u32 seq | u32 port | payload ... |
//! payload:    | u8 family | u8 version | be16 resource |  attribute | pad | attribute | ...
//! attribute:  | u16 length | u16 type | value ... |      (length without the padding to 4)
//! ```
//!
//! Every length is checked once, here; what an iterator yields is inside its datagram. An iterator
//! ends at the first thing that does not fit: what came before it stands.
#![forbid(unsafe_code)]

/// Bytes of `struct nlmsghdr`.
pub const HEADER_SIZE: usize = 16;
/// Bytes of `struct nfgenmsg`, which begins the payload of every netfilter message.
pub const FAMILY_HEADER_SIZE: usize = 4;
/// Bytes of `struct nlattr`.
pub const ATTRIBUTE_HEADER_SIZE: usize = 4;
/// The bits of an attribute's type that are its number: without the nested and byte order flags.
const TYPE_MASK: u16 = 0x3fff;

/// `length` rounded up to where the next message or attribute begins.
#[inline(always)]
pub(crate) const fn align(length: usize) -> usize {
    (length + 3) & !3
}

#[inline(always)]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_ne_bytes)
}

#[inline(always)]
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

/// One netlink message inside a datagram.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`.
    pub seq: u32,
}

impl<'a> Message<'a> {
    /// The message at the beginning of `bytes`; `None` if it has no whole header or is cut short.
    #[must_use]
    pub fn first(bytes: &'a [u8]) -> Option<Self> {
        let length = u32_at(bytes, 0)? as usize;
        if length < HEADER_SIZE {
            return None;
        }
        Some(Self {
            bytes: bytes.get(..length)?,
            kind: u16_at(bytes, 4)?,
            flags: u16_at(bytes, 6)?,
            seq: u32_at(bytes, 8)?,
        })
    }

    /// A message that was parsed before, again.
    #[must_use]
    pub(crate) fn parsed(bytes: &'a [u8], kind: u16, flags: u16, seq: u32) -> Self {
        Self { bytes, kind, flags, seq }
    }

    /// The whole message, header included.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What follows the header.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(HEADER_SIZE..).unwrap_or_default()
    }

    /// `nlmsg_pid`: of an event, the port of who asked for what it tells.
    #[must_use]
    pub(crate) fn port(&self) -> u32 {
        u32_at(self.bytes, 12).unwrap_or(0)
    }

    /// The netfilter subsystem: the high byte of the type.
    #[must_use]
    pub fn subsystem(&self) -> u8 {
        (self.kind >> 8) as u8
    }

    /// The message number inside the subsystem: the low byte of the type.
    #[must_use]
    pub fn number(&self) -> u8 {
        self.kind as u8
    }

    /// The address family of a netfilter message; 0 if it is too short to have one.
    #[must_use]
    pub fn family(&self) -> u8 {
        self.payload().first().copied().unwrap_or(0)
    }

    /// The resource id of a netfilter message, as the number of a CPU; 0 if it is too short.
    #[must_use]
    pub fn resource(&self) -> u16 {
        let bytes = self.payload().get(2..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u16::from_be_bytes(*bytes))
    }

    /// The attributes of a netfilter message, as bytes.
    #[must_use]
    pub fn attributes(&self) -> &'a [u8] {
        self.payload().get(FAMILY_HEADER_SIZE..).unwrap_or_default()
    }
}

/// The messages of a datagram.
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// Iterates over the messages in `datagram`.
    #[must_use]
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let Some(message) = Message::first(self.rest) else {
            self.rest = &[];
            return None;
        };
        self.rest = self.rest.get(align(message.bytes.len())..).unwrap_or_default();
        Some(message)
    }
}

/// One attribute: its number and its value.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    /// The number, without the nested and byte order flags.
    pub kind: u16,
    /// The value, without header and padding.
    pub value: &'a [u8],
}

/// The attributes of one level.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Iterates over the attributes in `bytes`: a message's or those in the value of a nest.
    #[must_use]
    #[inline(always)]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Attribute<'a>> {
        let header: [u8; 4] = *self.rest.first_chunk()?;
        let [low, high, kind @ ..] = header;
        let length = usize::from(u16::from_ne_bytes([low, high]));
        let value = self.rest.get(ATTRIBUTE_HEADER_SIZE..length)?;
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        Some(Attribute { kind: u16::from_ne_bytes(kind) & TYPE_MASK, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, length: u16, value: &[u8]) -> Vec<u8> {
        [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat()
    }

    #[test]
    fn attributes_end_at_the_first_that_does_not_fit() {
        let good = attribute(0x8001, 6, &[1, 2, 0, 0]);
        for bad in [attribute(2, 3, &[]), attribute(2, 5, &[]), vec![4, 0, 1], attribute(2, 0, &[])]
        {
            let bytes = [&good[..], &bad].concat();
            let kinds: Vec<_> =
                Attributes::new(&bytes).map(|a| (a.kind, a.value.to_vec())).collect();
            assert_eq!(kinds.first(), Some(&(1, vec![1, 2])));
            assert_eq!(kinds.len(), 1);
        }
    }

    #[test]
    fn the_last_attribute_needs_no_padding() {
        let bytes = attribute(3, 5, &[9]);
        assert_eq!(Attributes::new(&bytes).map(|a| a.value.len()).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn messages_end_at_a_bad_length() {
        let message = |length: u32| {
            [&length.to_ne_bytes()[..], &0x0100_u16.to_ne_bytes(), &[0; 10], &[2, 0, 0, 0]].concat()
        };
        let two = [message(20), message(20)].concat();
        assert_eq!(Messages::new(&two).count(), 2);
        for bad in [0, 15, 21] {
            let bytes = [message(20), message(bad)].concat();
            assert_eq!(Messages::new(&bytes).count(), 1);
        }
        let first = Message::first(&two).unwrap();
        assert_eq!((first.subsystem(), first.number(), first.family()), (1, 0, 2));
        assert_eq!(Message::first(&two[..19]).map(|m| m.kind), None);
    }
}
