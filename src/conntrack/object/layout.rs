//! The plain parts of the objects, also as bytes, which the attribute tables read and write by
//! offset.

use std::mem::offset_of;

/// Which attributes of an object are present: a bit for each number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Presence(pub(super) [u32; 3]);

/// One direction of a flow.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(4))]
pub struct Tuple {
    /// Source address; an IPv4 address is its first four bytes.
    pub src: [u8; 16],
    /// Destination address; an IPv4 address is its first four bytes.
    pub dst: [u8; 16],
    /// `AF_INET` or `AF_INET6`.
    pub l3proto: u8,
    /// `IPPROTO_*`.
    pub l4proto: u8,
    /// Zone of this direction, host order.
    pub zone: u16,
    /// Source port, GRE key or ICMP id, network order.
    pub l4src: [u8; 2],
    /// Destination port or GRE key, network order; or ICMP type and code.
    pub l4dst: [u8; 2],
}

/// What a NAT binding is chosen from.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(4))]
pub struct NatRange {
    /// Lowest address.
    pub min: [u8; 16],
    /// Highest address.
    pub max: [u8; 16],
    /// Lowest port, network order.
    pub min_port: [u8; 2],
    /// Highest port, network order.
    pub max_port: [u8; 2],
}

/// Packets and bytes of one direction.
///
/// ```
/// use ctrs::{Counters, Direction, Flow};
///
/// /// Packets and bytes of a flow in both directions, as far as they were told.
/// fn total(flow: &Flow) -> Counters {
///     let [original, reply] = [Direction::Original, Direction::Reply]
///         .map(|direction| flow.counters(direction).unwrap_or_default());
///     Counters { packets: original.packets + reply.packets, bytes: original.bytes + reply.bytes }
/// }
///
/// assert_eq!(total(&Flow::default()), Counters { packets: 0, bytes: 0 });
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(C)]
pub struct Counters {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// State of the layer 4 protocol. TCP, SCTP and DCCP share these bytes, as C programs expect.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(8))]
pub struct ProtoInfo(pub [u8; 16]);

/// Where the state of DCCP lies in [`ProtoInfo`]: as C has it, for whom a 64-bit number begins at the
/// next multiple of 4 on some machines of 32 bits, and of 8 on others.
#[repr(C)]
pub(super) struct DccpInfo {
    pub(super) state: u8,
    pub(super) role: u8,
    pub(super) handshake_seq: u64,
}

impl ProtoInfo {
    /// The handshake sequence number of DCCP.
    pub(crate) fn handshake_seq(&self) -> u64 {
        let bytes = self.0.get(offset_of!(DccpInfo, handshake_seq)..).and_then(<[u8]>::first_chunk);
        bytes.copied().map_or(0, u64::from_ne_bytes)
    }
}

/// The part of an object that is plain data: all zero bytes is an empty object.
///
/// The original tuple and the presence bits come first, as programs find them through the tuples
/// of an expectation. Attributes that share bytes here share them for C programs too, and an
/// accessor wider than its attribute reads on into the next field, so the order is part of the
/// interface. What a dump touches lies in the first 240 bytes.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Flat {
    /// The original direction.
    pub orig: Tuple,
    /// Which attributes are present.
    pub present: Presence,
    /// The reply direction.
    pub reply: Tuple,
    /// The entry that this one is related to.
    pub master: Tuple,
    /// Seconds until the entry expires.
    pub timeout: u32,
    /// Mark.
    pub mark: u32,
    /// Security mark.
    pub secmark: u32,
    /// Status bits.
    pub status: u32,
    /// Reference count.
    pub use_count: u32,
    /// Identifier.
    pub id: u32,
    /// Zone of both directions.
    pub zone: u16,
    /// Name of the helper with its NUL.
    pub helper_name: [u8; 16],
    _reserved: [u8; 2],
    /// State of the layer 4 protocol.
    pub protoinfo: ProtoInfo,
    /// Counters of the original and the reply direction.
    pub counters: [Counters; 2],
    /// Source NAT to set up.
    pub snat: NatRange,
    /// Destination NAT to set up.
    pub dnat: NatRange,
    /// Sequence adjustment: position, offset before, offset after; original, then reply.
    pub seq_adjust: [u32; 6],
    /// When the entry was made, nanoseconds since 1970.
    pub start: u64,
    /// When the entry ended.
    pub stop: u64,
    /// SYN proxy: initial sequence number, initial timestamp, timestamp offset.
    pub synproxy: [u32; 3],
    _reserved2: u32,
    /// When the event happened.
    pub event_time: u64,
}

// No padding anywhere: the fields' sizes add up. the bytes below rely on it.
const _: () = assert!(
    FLAT_SIZE
        == 3 * size_of::<Tuple>()
            + size_of::<Presence>()
            + 24
            + 2
            + 16
            + 2
            + 16
            + 32
            + 2 * size_of::<NatRange>()
            + 24
            + 16
            + 12
            + 4
            + 8
        && size_of::<Tuple>() == 40
        && size_of::<NatRange>() == 36
);

/// What is not a tuple in an expectation.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct ExpectFlat {
    pub(crate) timeout: u32,
    pub(crate) flags: u32,
    pub(crate) class: u32,
    pub(crate) nat_dir: u32,
    pub(crate) zone: u16,
    _reserved: [u8; 2],
    pub(crate) helper_name: [u8; 16],
    pub(crate) function: [u8; 24],
    /// Bit `n` says that attribute `n` is present.
    pub(crate) present: u32,
}

// No padding: the bytes below rely on it.
const _: () = assert!(size_of::<ExpectFlat>() == 4 * 4 + 2 + 2 + 16 + 24 + 4);

/// Bytes of the plain part of an object.
pub const FLAT_SIZE: usize = size_of::<Flat>();

impl Flat {
    /// The object's plain part as bytes.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8; FLAT_SIZE] {
        // SAFETY: `Flat` is `repr(C)` without padding (asserted above), so all its bytes are
        // initialised; `u8` has no alignment to keep.
        unsafe { &*std::ptr::from_ref(self).cast() }
    }

    /// The object's plain part as bytes to write.
    #[inline(always)]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8; FLAT_SIZE] {
        // SAFETY: as in `bytes`; and every field of `Flat` is an integer or an array of integers,
        // for which any bytes are a value.
        unsafe { &mut *std::ptr::from_mut(self).cast() }
    }
}

impl ExpectFlat {
    /// `N` bytes of the plain part.
    pub(super) fn slot<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        // SAFETY: `ExpectFlat` is `repr(C)` without padding (asserted above), so all its bytes
        // are initialised; `u8` has no alignment to keep.
        let bytes: &[u8; size_of::<Self>()] = unsafe { &*std::ptr::from_ref(self).cast() };
        bytes.get(offset..)?.first_chunk().copied()
    }

    /// Puts `N` bytes into the plain part.
    pub(super) fn put<const N: usize>(&mut self, offset: usize, value: [u8; N]) {
        // SAFETY: as in `slot`; and any bytes are a value of its integers.
        let bytes: &mut [u8; size_of::<Self>()] = unsafe { &mut *std::ptr::from_mut(self).cast() };
        if let Some(slot) = bytes.get_mut(offset..).and_then(<[u8]>::first_chunk_mut) {
            *slot = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::object::attr::Attr;
    use crate::conntrack::object::entry::{Conntrack, Slot};

    #[test]
    fn the_states_of_protocols_lie_as_c_has_them() {
        let place = |attr: Attr| usize::from(attr.row().offset) - offset_of!(Flat, protoinfo);
        assert_eq!(place(Attr::SctpVtagRepl), 8);
        // Where a number of 64 bits begins at multiples of 4, it lies over a tag of SCTP.
        assert_eq!(place(Attr::DccpHandshakeSeq), std::mem::align_of::<u64>());
        let mut slot = Slot::default();
        slot[..8].copy_from_slice(&0x0102_0304_0506_0708_u64.to_ne_bytes());
        let mut ct = Conntrack::new();
        ct.set(Attr::DccpHandshakeSeq, slot);
        assert_eq!(ct.flat.protoinfo.handshake_seq(), 0x0102_0304_0506_0708);
    }
}
