//! The fields of a conntrack message that event filters look at: where they are, and the
//! instructions that find them and compare them with the entries of a list.
#![forbid(unsafe_code)]

use crate::netlink::Error;
use crate::netlink::bpf::{Place, Program, Width};
use crate::netlink::message::{ATTRIBUTE_HEADER_SIZE, FAMILY_HEADER_SIZE, HEADER_SIZE};
use crate::uapi::cta;

/// What a filter can look at, with the numbers of `enum nfct_filter_attr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterAttr {
    /// Layer 4 protocol.
    L4Proto = 0,
    /// State of a TCP, DCCP or SCTP connection.
    L4ProtoState = 1,
    /// IPv4 source address.
    SrcIpv4 = 2,
    /// IPv4 destination address.
    DstIpv4 = 3,
    /// IPv6 source address.
    SrcIpv6 = 4,
    /// IPv6 destination address.
    DstIpv6 = 5,
    /// Packet mark.
    Mark = 6,
    /// Zone, of both directions or of one.
    Zone = 7,
}

impl FilterAttr {
    /// All of them, at the index of their number.
    pub const ALL: [Self; 8] = [
        Self::L4Proto,
        Self::L4ProtoState,
        Self::SrcIpv4,
        Self::DstIpv4,
        Self::SrcIpv6,
        Self::DstIpv6,
        Self::Mark,
        Self::Zone,
    ];

    /// Bytes of a value.
    #[cfg(feature = "capi")]
    pub(crate) fn value_size(self) -> usize {
        match self {
            Self::L4Proto | Self::L4ProtoState => 4,
            Self::SrcIpv4 | Self::DstIpv4 | Self::Mark => 8,
            Self::SrcIpv6 | Self::DstIpv6 => 32,
            Self::Zone => 2,
        }
    }
}

impl TryFrom<u32> for FilterAttr {
    type Error = crate::conntrack::error::Error;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        Self::ALL.get(number as usize).copied().ok_or(Self::Error::UnknownFilter(number))
    }
}

/// A number to compare with, under a mask; both in host order.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Masked {
    pub value: u32,
    pub mask: u32,
}

impl Masked {
    pub const EMPTY: Self = Self { value: 0, mask: 0 };

    /// The number itself, every bit of it.
    pub fn exactly(value: impl Into<u32>) -> Self {
        Self { value: value.into(), mask: u32::MAX }
    }

    pub fn wanted(self) -> u32 {
        self.value & self.mask
    }
}

/// What a check makes of a message without the field.
#[derive(Clone, Copy)]
pub(super) enum Absent {
    Passes,
    /// The field counts as present with the value 0.
    IsZero,
}

/// A field of a message: an attribute, or consecutive words of one.
pub(super) struct Field {
    /// Whose logic applies.
    pub attr: FilterAttr,
    /// Where it is, the first place that has it: the types of the attribute and of the nests around
    /// it, from the outermost in.
    paths: &'static [&'static [u16]],
    width: Width,
    pub absent: Absent,
}

/// The state of one protocol.
pub(super) struct StateField {
    pub protocol: u16,
    pub field: Field,
}

impl Field {
    /// Makes the attribute the start of indexed loads.
    pub fn find(&self, program: &mut Program, if_absent: Place) -> Result<(), Error> {
        let Some((last, others)) = self.paths.split_last() else { return Ok(()) };
        for path in others {
            walk(program, path, Place::NextPath)?;
            program.jump(Place::Found)?;
            program.here(Place::NextPath)?;
        }
        walk(program, last, if_absent)?;
        program.here(Place::Found)?;
        program.index_here()
    }

    /// Jumps if an entry matches. The field is loaded only where the accumulator may hold something
    /// else than that word under that mask, so plain values cost one instruction each.
    pub fn compare<const WORDS: usize>(
        &self,
        program: &mut Program,
        entries: impl Iterator<Item = [Masked; WORDS]>,
        on_match: Place,
    ) -> Result<(), Error> {
        let mut loaded = None;
        for entry in entries {
            // A mask of 0 matches whatever is there.
            let mut words = (0u32..).zip(entry).filter(|(_, word)| word.mask != 0).peekable();
            if words.peek().is_none() {
                return program.jump(on_match);
            }
            while let Some((at, word)) = words.next() {
                if loaded != Some((at, word.mask)) {
                    self.load(program, at, word.mask)?;
                    loaded = Some((at, word.mask));
                }
                match words.peek() {
                    Some(_) => program.jump_unless(word.wanted(), Place::NextEntry)?,
                    None => program.jump_if(word.wanted(), on_match)?,
                }
            }
            if WORDS > 1 {
                // Which word the accumulator holds depends on where the entry failed.
                loaded = None;
                program.here(Place::NextEntry)?;
            }
        }
        Ok(())
    }

    fn load(&self, program: &mut Program, word: u32, mask: u32) -> Result<(), Error> {
        program.load_from_index(self.width, ATTRIBUTE_HEADER + 4 * word)?;
        match mask {
            u32::MAX => Ok(()),
            _ => program.and(mask),
        }
    }
}

/// Leaves the offset of the attribute at the end of a path in the accumulator.
fn walk(program: &mut Program, path: &[u16], if_absent: Place) -> Result<(), Error> {
    program.load_number(ATTRIBUTES_OFFSET)?;
    for (depth, attribute) in path.iter().enumerate() {
        match depth {
            0 => program.find_attribute(*attribute)?,
            _ => program.find_nested(*attribute)?,
        }
        program.jump_if(0, if_absent)?;
    }
    Ok(())
}

/// Where attributes start: behind `struct nlmsghdr` and `struct nfgenmsg`.
const ATTRIBUTES_OFFSET: u32 = (HEADER_SIZE + FAMILY_HEADER_SIZE) as u32;
/// The length of an attribute's header.
const ATTRIBUTE_HEADER: u32 = ATTRIBUTE_HEADER_SIZE as u32;

pub(super) const PROTOCOL: Field = Field {
    attr: FilterAttr::L4Proto,
    paths: &[&[cta::TUPLE_ORIG, cta::TUPLE_PROTO, cta::PROTO_NUM]],
    width: Width::Byte,
    absent: Absent::Passes,
};

pub(super) const SRC_IPV4: Field =
    address(FilterAttr::SrcIpv4, &[&[cta::TUPLE_ORIG, cta::TUPLE_IP, cta::IP_V4_SRC]]);
pub(super) const DST_IPV4: Field =
    address(FilterAttr::DstIpv4, &[&[cta::TUPLE_ORIG, cta::TUPLE_IP, cta::IP_V4_DST]]);
pub(super) const SRC_IPV6: Field =
    address(FilterAttr::SrcIpv6, &[&[cta::TUPLE_ORIG, cta::TUPLE_IP, cta::IP_V6_SRC]]);
pub(super) const DST_IPV6: Field =
    address(FilterAttr::DstIpv6, &[&[cta::TUPLE_ORIG, cta::TUPLE_IP, cta::IP_V6_DST]]);

pub(super) const MARK: Field = Field {
    attr: FilterAttr::Mark,
    paths: &[&[cta::MARK]],
    width: Width::Word,
    absent: Absent::IsZero,
};
/// An entry has one zone: of both directions, or in the tuple of the one that it is for.
pub(super) const ZONE: Field = Field {
    attr: FilterAttr::Zone,
    paths: &[
        &[cta::ZONE],
        &[cta::TUPLE_ORIG, cta::TUPLE_ZONE],
        &[cta::TUPLE_REPLY, cta::TUPLE_ZONE],
    ],
    width: Width::Half,
    absent: Absent::IsZero,
};

/// The protocols whose state the kernel reports, each a field of its own.
pub(super) const STATE_FIELDS: [StateField; 3] = [
    state(libc::IPPROTO_TCP, &[&[cta::PROTOINFO, cta::PROTOINFO_TCP, cta::TCP_STATE]]),
    state(libc::IPPROTO_DCCP, &[&[cta::PROTOINFO, cta::PROTOINFO_DCCP, cta::DCCP_STATE]]),
    state(libc::IPPROTO_SCTP, &[&[cta::PROTOINFO, cta::PROTOINFO_SCTP, cta::SCTP_STATE]]),
];

const fn address(attr: FilterAttr, paths: &'static [&'static [u16]]) -> Field {
    Field { attr, paths, width: Width::Word, absent: Absent::Passes }
}

const fn state(protocol: i32, paths: &'static [&'static [u16]]) -> StateField {
    let attr = FilterAttr::L4ProtoState;
    let field = Field { attr, paths, width: Width::Byte, absent: Absent::Passes };
    StateField { protocol: protocol as u16, field }
}
