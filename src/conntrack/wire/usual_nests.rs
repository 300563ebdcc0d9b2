//! The nests that every message of the kernel has, in the one shape it sends them in.
//!
//! A nest whose headers are those expected is read at fixed places. One of any other shape, which
//! an older or newer kernel may send, gives `None` and is walked attribute by attribute.
#![forbid(unsafe_code)]

use crate::uapi::cta;

/// The flag of an attribute whose value is attributes.
const NESTED: u16 = 0x8000;

/// Bytes of a tuple nest with IPv4 addresses and ports.
const IPV4_TUPLE: usize = 48;
/// Bytes of a tuple nest with IPv6 addresses and ports.
const IPV6_TUPLE: usize = 72;
/// Bytes of a nest of 64-bit counters.
const COUNTERS: usize = 24;
/// Bytes of a nest of three 32-bit numbers.
const TRIPLE: usize = 24;
/// Bytes of a TCP nest in its outer nest.
const TCP: usize = 44;

/// What is left of a nest to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    #[inline(always)]
    fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(head)
    }

    /// Passes over the header of an attribute with a value of `length` bytes, if it is this one.
    #[inline(always)]
    fn header(&mut self, kind: u16, length: usize) -> Option<()> {
        let [a, b, c, d] = *self.take::<4>()?;
        let found = (u16::from_ne_bytes([c, d]), usize::from(u16::from_ne_bytes([a, b])));
        (found == (kind, length + 4)).then_some(())
    }

    /// The value of an attribute, padded to four bytes.
    #[inline(always)]
    fn short(&mut self, kind: u16, length: usize) -> Option<[u8; 4]> {
        self.header(kind, length)?;
        self.take().copied()
    }
}

/// A tuple of a protocol with ports.
pub(super) struct Ports<'a, const ADDRESS: usize> {
    pub(super) src: &'a [u8; ADDRESS],
    pub(super) dst: &'a [u8; ADDRESS],
    pub(super) protocol: u8,
    pub(super) l4src: [u8; 2],
    pub(super) l4dst: [u8; 2],
}

/// Reads a tuple nest with IPv4 addresses and ports.
#[inline(always)]
pub(super) fn ipv4(nest: &[u8]) -> Option<Ports<'_, 4>> {
    <&[u8; IPV4_TUPLE]>::try_from(nest).ok().and_then(|nest| tuple(nest, cta::IP_V4_SRC))
}

/// Reads a tuple nest with IPv6 addresses and ports.
#[inline(always)]
pub(super) fn ipv6(nest: &[u8]) -> Option<Ports<'_, 16>> {
    <&[u8; IPV6_TUPLE]>::try_from(nest).ok().and_then(|nest| tuple(nest, cta::IP_V6_SRC))
}

#[inline(always)]
fn tuple<const ADDRESS: usize>(nest: &[u8], src: u16) -> Option<Ports<'_, ADDRESS>> {
    let mut rest = Rest(nest);
    rest.header(cta::TUPLE_IP | NESTED, 2 * (4 + ADDRESS))?;
    rest.header(src, ADDRESS)?;
    let from = rest.take()?;
    rest.header(src + 1, ADDRESS)?;
    let to = rest.take()?;
    rest.header(cta::TUPLE_PROTO | NESTED, 24)?;
    let [protocol, ..] = rest.short(cta::PROTO_NUM, 1)?;
    let [a, b, ..] = rest.short(cta::PROTO_SRC_PORT, 2)?;
    let [c, d, ..] = rest.short(cta::PROTO_DST_PORT, 2)?;
    Some(Ports { src: from, dst: to, protocol, l4src: [a, b], l4dst: [c, d] })
}

/// Reads a nest of 64-bit counters: packets, bytes.
#[inline(always)]
pub(super) fn counters(nest: &[u8]) -> Option<[u64; 2]> {
    let mut rest = Rest(<&[u8; COUNTERS]>::try_from(nest).ok()?);
    rest.header(cta::COUNTERS_PACKETS, 8)?;
    let packets = u64::from_be_bytes(*rest.take()?);
    rest.header(cta::COUNTERS_BYTES, 8)?;
    Some([packets, u64::from_be_bytes(*rest.take()?)])
}

/// Reads a nest of three 32-bit numbers, members 1 to 3.
#[inline(always)]
pub(super) fn triple(nest: &[u8]) -> Option<[u32; 3]> {
    let mut rest = Rest(<&[u8; TRIPLE]>::try_from(nest).ok()?);
    let mut number = |kind| rest.short(kind, 4).map(u32::from_be_bytes);
    Some([number(1)?, number(2)?, number(3)?])
}

/// Reads a PROTOINFO nest of TCP: state, flags and mask of both directions, window scales, in the
/// order they are stored in.
#[inline(always)]
pub(super) fn tcp(nest: &[u8]) -> Option<[u8; 7]> {
    let mut rest = Rest(<&[u8; TCP]>::try_from(nest).ok()?);
    rest.header(cta::PROTOINFO_TCP | NESTED, TCP - 4)?;
    let [state, ..] = rest.short(cta::TCP_STATE, 1)?;
    let [wscale_orig, ..] = rest.short(cta::TCP_WSCALE_ORIGINAL, 1)?;
    let [wscale_reply, ..] = rest.short(cta::TCP_WSCALE_REPLY, 1)?;
    let [flags_orig, mask_orig, ..] = rest.short(cta::TCP_FLAGS_ORIGINAL, 2)?;
    let [flags_reply, mask_reply, ..] = rest.short(cta::TCP_FLAGS_REPLY, 2)?;
    Some([state, flags_orig, mask_orig, flags_reply, mask_reply, wscale_orig, wscale_reply])
}
