//! Messages and nested attributes, written into a caller's buffer.
#![forbid(unsafe_code)]

use super::error::Error;
use super::message::{ATTRIBUTE_HEADER_SIZE, FAMILY_HEADER_SIZE, HEADER_SIZE, align};

/// Bytes of the buffer a request is built in: more than any but absurdly large labels need.
pub const REQUEST_SIZE: usize = 4096;

/// `nlmsg_flags` of a request: of any, of one that is acknowledged, of a dump, and of one that
/// creates what is not there.
pub(crate) const REQUEST: u16 = libc::NLM_F_REQUEST as u16;
pub(crate) const ACK: u16 = REQUEST | libc::NLM_F_ACK as u16;
pub(crate) const DUMP: u16 = REQUEST | libc::NLM_F_DUMP as u16;
pub(crate) const CREATE: u16 = ACK | libc::NLM_F_CREATE as u16;

/// The flag of an attribute whose value is attributes.
const NESTED: u16 = 0x8000;

/// The fixed part of a netfilter request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Header {
    /// `nlmsg_type`: subsystem and message number.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`.
    pub seq: u32,
    /// Address family.
    pub family: u8,
    /// `nfgenmsg.version`.
    pub version: u8,
    /// `nfgenmsg.res_id`: what a message is about, where its attributes do not tell.
    pub resource: u16,
}

impl Header {
    /// Of a message of a subsystem, of no address family.
    pub(crate) fn of(subsystem: u8, number: u8, flags: u16, seq: u32) -> Self {
        let kind = u16::from(subsystem) << 8 | u16::from(number);
        Self { kind, flags, seq, ..Self::default() }
    }
}

/// Builds a message in a buffer that is all zero before, and after a failure.
#[cfg(feature = "capi")]
pub(crate) fn in_cleared<E>(
    buffer: &mut [u8],
    build: impl FnOnce(&mut [u8]) -> Result<usize, E>,
) -> Result<usize, E> {
    buffer.fill(0);
    build(buffer).inspect_err(|_| buffer.fill(0))
}

/// Appends attributes to a message.
///
/// It counts on past the end of its buffer, as `snprintf` does, and says so in
/// [`finish`](Self::finish): an empty buffer measures a message.
#[derive(Debug)]
pub struct Builder<'a> {
    buffer: &'a mut [u8],
    length: usize,
    too_long: bool,
}

/// The header of an attribute; its length counts the header.
#[inline(always)]
fn header(kind: u16, length: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (length.to_ne_bytes(), kind.to_ne_bytes());
    [a, b, c, d]
}

/// Where an open nest began.
#[derive(Debug)]
#[must_use = "a nest must be ended"]
pub struct Nest(usize);

impl<'a> Builder<'a> {
    /// Appends behind the first `length` bytes of `buffer`.
    #[must_use]
    #[inline(always)]
    pub fn new(buffer: &'a mut [u8], length: usize) -> Self {
        Self { buffer, length, too_long: false }
    }

    /// Begins a netfilter message at the start of `buffer`.
    #[must_use]
    pub fn message(buffer: &'a mut [u8], header: Header) -> Self {
        let mut builder = Self::new(buffer, 0);
        let Header { kind, flags, seq, family, version, resource } = header;
        builder.write(&[0; 4]);
        builder.write(&kind.to_ne_bytes());
        builder.write(&flags.to_ne_bytes());
        builder.write(&seq.to_ne_bytes());
        builder.write(&[0; HEADER_SIZE - 12]);
        builder.write(&[family, version]);
        builder.write(&resource.to_be_bytes());
        builder
    }

    /// The number of bytes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        match self.buffer.get_mut(self.length..end) {
            Some(room) => room.copy_from_slice(bytes),
            None => self.too_long = true,
        }
        self.length = end;
    }

    /// Writes a fixed number of bytes, which is a few machine moves where a slice is a call.
    #[inline(always)]
    fn write_array<const N: usize>(&mut self, bytes: [u8; N]) {
        match self.buffer.get_mut(self.length..).and_then(<[u8]>::first_chunk_mut) {
            Some(room) => *room = bytes,
            None => self.too_long = true,
        }
        self.length += N;
    }

    #[inline(always)]
    fn header(&mut self, kind: u16, length: usize) {
        let Ok(length) = u16::try_from(length + ATTRIBUTE_HEADER_SIZE) else {
            self.too_long = true;
            return;
        };
        self.write_array(header(kind, length));
    }

    /// An attribute with its value as it is, padded with zero bytes.
    #[inline(always)]
    pub fn put(&mut self, kind: u16, value: &[u8]) {
        self.header(kind, value.len());
        self.write(value);
        let padding = align(value.len()) - value.len();
        self.write([0; 3].get(..padding).unwrap_or_default());
    }

    /// An attribute of at most four bytes, whose padding is in `value`.
    #[inline(always)]
    fn put_short(&mut self, kind: u16, length: u16, value: [u8; 4]) {
        let [a, b, c, d] = header(kind, length + ATTRIBUTE_HEADER_SIZE as u16);
        let [e, f, g, h] = value;
        self.write_array([a, b, c, d, e, f, g, h]);
    }

    /// An attribute of one byte.
    #[inline(always)]
    pub fn put_u8(&mut self, kind: u16, value: u8) {
        self.put_short(kind, 1, [value, 0, 0, 0]);
    }

    /// An attribute of two bytes as they are.
    #[inline(always)]
    pub fn put_pair(&mut self, kind: u16, [a, b]: [u8; 2]) {
        self.put_short(kind, 2, [a, b, 0, 0]);
    }

    /// An attribute of four bytes as they are.
    #[inline(always)]
    pub fn put_4_bytes(&mut self, kind: u16, value: [u8; 4]) {
        self.put_short(kind, 4, value);
    }

    /// A big-endian 16-bit attribute.
    #[inline(always)]
    pub fn put_be16(&mut self, kind: u16, value: u16) {
        self.put_pair(kind, value.to_be_bytes());
    }

    /// A big-endian 32-bit attribute.
    #[inline(always)]
    pub fn put_be32(&mut self, kind: u16, value: u32) {
        self.put_4_bytes(kind, value.to_be_bytes());
    }

    /// A 32-bit attribute in host order.
    pub fn put_host32(&mut self, kind: u16, value: u32) {
        self.put_4_bytes(kind, value.to_ne_bytes());
    }

    /// A big-endian 64-bit attribute.
    pub fn put_be64(&mut self, kind: u16, value: u64) {
        self.put(kind, &value.to_be_bytes());
    }

    /// All that another builder wrote.
    #[inline(always)]
    pub fn append(&mut self, other: &Builder<'_>) {
        self.too_long |= other.too_long;
        self.write(other.buffer.get(..other.length).unwrap_or_default());
    }

    /// A string attribute with its NUL.
    pub fn put_text(&mut self, kind: u16, text: &[u8]) {
        self.header(kind, text.len() + 1);
        self.write(text);
        let padding = align(text.len() + 1) - text.len();
        self.write([0; 4].get(..padding).unwrap_or_default());
    }

    /// A bitmask attribute of `size` words in host order: these, and zeros behind them.
    pub fn put_words(&mut self, kind: u16, words: impl Iterator<Item = u32>, size: usize) {
        self.header(kind, size * size_of::<u32>());
        let padded = words.chain(std::iter::repeat(0)).take(size);
        padded.for_each(|word| self.write(&word.to_ne_bytes()));
    }

    /// Opens an attribute whose value is the attributes up to [`end`](Self::end).
    #[inline(always)]
    pub fn begin(&mut self, kind: u16) -> Nest {
        let nest = Nest(self.length);
        self.header(kind | NESTED, 0);
        nest
    }

    /// Closes a nest.
    #[inline(always)]
    pub fn end(&mut self, nest: Nest) {
        let Ok(length) = u16::try_from(self.length - nest.0) else {
            self.too_long = true;
            return;
        };
        if let Some(slot) = self.buffer.get_mut(nest.0..).and_then(<[u8]>::first_chunk_mut) {
            *slot = length.to_ne_bytes();
        }
    }

    /// Changes the address family of the message this builder began or appends to.
    pub fn set_family(&mut self, family: u8) {
        if let Some(byte) = self.buffer.get_mut(HEADER_SIZE) {
            *byte = family;
        }
    }

    /// Writes the message's length into its header, if all of it fitted.
    ///
    /// # Errors
    /// [`Error::TooLong`]; the length in the header is as it was.
    pub fn finish(self) -> Result<usize, Error> {
        let Self { buffer, length, too_long } = self;
        let (Ok(total), false) = (u32::try_from(length), too_long) else {
            return Err(Error::TooLong { needed: length, room: buffer.len() });
        };
        if let Some(field) = buffer.first_chunk_mut() {
            *field = total.to_ne_bytes();
        }
        Ok(length)
    }
}

const _: () = assert!(HEADER_SIZE + FAMILY_HEADER_SIZE == 20);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::{Attributes, Message};

    fn sample(buffer: &mut [u8]) -> Result<usize, Error> {
        let mut builder =
            Builder::message(buffer, Header { kind: 0x100, family: 2, ..Header::default() });
        let nest = builder.begin(1);
        builder.put_u8(1, 6);
        builder.put_be16(2, 0x1234);
        builder.end(nest);
        builder.put_text(3, b"ftp");
        builder.put_text(4, b"");
        builder.put_words(5, [1].into_iter(), 2);
        builder.finish()
    }

    #[test]
    fn what_is_built_can_be_read() {
        let mut buffer = [0xff; 128];
        let length = sample(&mut buffer).unwrap();
        let message = Message::first(&buffer).unwrap();
        assert_eq!((message.bytes().len(), message.kind, message.family()), (length, 0x100, 2));
        let top: Vec<_> = Attributes::new(message.attributes()).collect();
        assert_eq!(top.iter().map(|a| a.value.len()).collect::<Vec<_>>(), [16, 4, 1, 8]);
        let inner: Vec<_> = Attributes::new(top[0].value).map(|a| a.value).collect();
        assert_eq!(inner, [&[6][..], &[0x12, 0x34]]);
    }

    #[test]
    fn a_short_buffer_is_never_overrun_and_the_need_is_told() {
        let needed = sample(&mut [0; 128]).unwrap();
        for room in 0..needed {
            assert_eq!(sample(&mut vec![0; room]), Err(Error::TooLong { needed, room }));
        }
    }

    #[test]
    fn an_attribute_longer_than_its_length_field_is_refused() {
        let mut buffer = vec![0; 70_000];
        let mut builder = Builder::new(&mut buffer, 0);
        builder.put(1, &[0; 65_532]);
        assert!(matches!(builder.finish(), Err(Error::TooLong { .. })));
    }
}
