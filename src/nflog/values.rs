//! What packets have that is more than a number.
#![forbid(unsafe_code)]

use super::attr::{be16, member};
use crate::conntrack::values::Direction;
use crate::uapi::nful;

/// The tag of a virtual LAN, taken off the packet.
///
/// ```
/// use ctrs::Vlan;
///
/// let vlan = Vlan { protocol: 0x8100, tci: 0x6064 };
/// assert_eq!((vlan.id(), vlan.priority(), vlan.drop_eligible()), (100, 3, false));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Vlan {
    /// The type of the tag: 0x8100 of IEEE 802.1Q, 0x88a8 of 802.1ad.
    pub protocol: u16,
    /// The tag's control information: priority, drop eligible, id.
    pub tci: u16,
}

impl Vlan {
    /// Of the value of the attribute: both members, or nothing.
    pub(super) fn of(nest: &[u8]) -> Option<Self> {
        let number = |kind| be16(member(nest, kind)?);
        Some(Self { protocol: number(nful::VLAN_PROTO)?, tci: number(nful::VLAN_TCI)? })
    }

    /// The number of the virtual LAN, 0 to 4095.
    #[must_use]
    pub const fn id(self) -> u16 {
        self.tci & 0xfff
    }

    /// The priority (PCP), 0 to 7.
    #[must_use]
    pub const fn priority(self) -> u8 {
        (self.tci >> 13) as u8
    }

    /// Whether the packet may be dropped first where there is no room (DEI).
    #[must_use]
    pub const fn drop_eligible(self) -> bool {
        self.tci & 0x1000 != 0
    }
}

/// What a packet is to its flow.
///
/// ```
/// use ctrs::{CtInfo, CtState, Direction};
///
/// let answer = CtInfo::from_number(3);
/// assert_eq!(
///     answer,
///     Some(CtInfo { state: CtState::Established, direction: Direction::Reply })
/// );
/// assert_eq!(CtInfo::from_number(7), None, "untracked");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CtInfo {
    /// Of what kind the packet is.
    pub state: CtState,
    /// Whether it goes as the first packet did, or answers.
    pub direction: Direction,
}

/// Of what kind a packet of a flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CtState {
    /// Of a flow that has seen packets both ways.
    Established,
    /// Related to a flow: the first of an expected one, or an ICMP error.
    Related,
    /// Of a flow that nothing has answered yet.
    New,
}

impl CtInfo {
    /// Of the kernel's `enum ip_conntrack_info`; `None` for numbers that no tracked packet has.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        let direction = if number < 3 { Direction::Original } else { Direction::Reply };
        let state = match number {
            0 | 3 => CtState::Established,
            1 | 4 => CtState::Related,
            2 | 5 => CtState::New,
            _ => return None,
        };
        Some(Self { state, direction })
    }
}
