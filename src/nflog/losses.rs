//! What was lost: the groups that number their packets show it, packet by packet.
#![forbid(unsafe_code)]

use crate::netlink::Error;
use std::fmt;

/// What did not come.
///
/// ```
/// use ctrs::Loss;
///
/// let loss = Loss::Packets { group: 5, count: 17 };
/// assert_eq!(format!("lost: {loss}"), "lost: 17 packets of group 5");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// The receive buffer was full, and packets of any group were lost after those that it held. How
    /// many, the next packet of each group tells that has [`LogFlags::SEQ`](crate::LogFlags::SEQ).
    Overrun,
    /// A datagram was longer than any that the kernel is known to send.
    Datagram,
    /// So many packets of a group were lost, just before the packet that comes next.
    Packets {
        /// The group.
        group: u16,
        /// How many.
        count: u32,
    },
}

/// In words that follow "lost".
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overrun => f.write_str("packets, as the receive buffer was full"),
            Self::Datagram => f.write_str("packets, as a datagram was longer than any should be"),
            Self::Packets { group, count } => write!(f, "{count} packets of group {group}"),
        }
    }
}

/// What was lost since a log was opened.
///
/// ```
/// use ctrs::{Losses, PacketLog};
///
/// fn is_whole(log: &PacketLog) -> bool {
///     log.losses() == Losses::default()
/// }
/// match PacketLog::open() {
///     Ok(log) => assert!(is_whole(&log), "nothing was bound yet"),
///     Err(error) => println!("{error}"),
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Losses {
    /// How often the receive buffer was full. An overrun lasts until what it holds was received.
    pub overruns: u64,
    /// Datagrams that were longer than any that the kernel is known to send.
    pub datagrams: u64,
    /// Packets of the groups that number them.
    pub packets: u64,
}

impl Losses {
    /// Counts what did not come.
    pub(crate) fn count(&mut self, loss: Loss) {
        match loss {
            Loss::Overrun => self.overruns += 1,
            Loss::Datagram => self.datagrams += 1,
            Loss::Packets { count, .. } => self.packets += u64::from(count),
        }
    }
}

/// The groups that are bound, and the number of the next packet of each.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// In the order of the groups.
    groups: Vec<Numbered>,
}

#[derive(Debug)]
struct Numbered {
    group: u16,
    next: u32,
    /// Packets to come that were numbered before the group was bound, when it was bound before.
    older: usize,
}

impl Numbers {
    fn place(&self, group: u16) -> Result<usize, usize> {
        self.groups.binary_search_by_key(&group, |numbered| numbered.group)
    }

    /// Makes room for one more group.
    pub fn reserve(&mut self) -> Result<(), Error> {
        Ok(self.groups.try_reserve(1)?)
    }

    /// Numbers the packets of a group from 0 on, behind so many older ones; there is room for it.
    pub fn begin(&mut self, group: u16, older: usize) {
        self.end(group);
        let (Ok(at) | Err(at)) = self.place(group);
        self.groups.insert(at, Numbered { group, next: 0, older });
    }

    /// Forgets a group.
    pub fn end(&mut self, group: u16) {
        if let Ok(at) = self.place(group) {
            self.groups.remove(at);
        }
    }

    /// The groups.
    pub fn groups(&self) -> impl Iterator<Item = u16> + '_ {
        self.groups.iter().map(|numbered| numbered.group)
    }

    /// How many packets of a group are missing before one with this number, which is shown again if any
    /// are.
    pub fn missing(&mut self, group: u16, number: Option<u32>) -> u32 {
        let place = self.place(group).ok();
        let Some(numbered) = place.and_then(|at| self.groups.get_mut(at)) else { return 0 };
        if numbered.older > 0 {
            numbered.older -= 1;
            return 0;
        }
        let Some(number) = number else { return 0 };
        let missing = number.wrapping_sub(numbered.next);
        // A number from before is none after which any are missing.
        let missing = if missing > u32::MAX / 2 { 0 } else { missing };
        numbered.next = if missing == 0 { number.wrapping_add(1) } else { number };
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(groups: &[u16]) -> Numbers {
        let mut numbers = Numbers::default();
        for group in groups {
            numbers.reserve().unwrap();
            numbers.begin(*group, 0);
        }
        numbers
    }

    #[test]
    fn each_gap_is_told_once_and_to_its_group() {
        let mut numbers = bound(&[9, 2]);
        assert_eq!(numbers.groups().collect::<Vec<_>>(), [2, 9]);
        let seen = [(9, 0), (2, 0), (9, 1), (9, 5), (9, 5), (2, 1), (7, 3), (9, 6)];
        let missing = seen.map(|(group, number)| numbers.missing(group, Some(number)));
        assert_eq!(missing, [0, 0, 0, 3, 0, 0, 0, 0]);
        assert_eq!(numbers.missing(2, None), 0);
        assert_eq!((numbers.missing(2, Some(3)), numbers.missing(2, Some(3))), (1, 0));
    }

    #[test]
    fn the_first_packets_may_be_missing_and_numbers_begin_again() {
        let mut numbers = bound(&[1]);
        assert_eq!((numbers.missing(1, Some(4)), numbers.missing(1, Some(4))), (4, 0));
        numbers.groups[0].next = u32::MAX;
        assert_eq!([u32::MAX, 0, 2].map(|number| numbers.missing(1, Some(number))), [0, 0, 1]);
    }

    #[test]
    fn packets_from_before_a_group_was_bound_again_are_not_missed() {
        let mut numbers = bound(&[1]);
        numbers.end(1);
        assert_eq!(numbers.missing(1, Some(70)), 0);
        numbers.begin(1, 2);
        let seen = [80, 81, 0, 2, 2].map(|number| numbers.missing(1, Some(number)));
        assert_eq!(seen, [0, 0, 0, 1, 0]);
    }
}
