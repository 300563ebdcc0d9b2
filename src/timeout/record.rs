//! Timeout policies as plain data of a fixed layout. The comments are those of the C header.

use super::object::Timeout;
use super::states;
use crate::record::{Record, TextByte};
use std::mem::offset_of;

/// Timeouts that there is room for.
const ROOM: usize = 16;

/// A timeout policy, or the timeouts of flows without one, as plain data: what is not there is
/// zero. The layout is that of every architecture of the same byte order, 32 bits or 64. It only
/// grows, at the end: each call is told the size that its program was compiled with.
///
/// # Examples
///
/// ```
/// use ctrs::{Family, Protocol, TimeoutPolicy, TimeoutState, Timeouts};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), ctrs::Invalid> {
/// let timeouts = Timeouts::of(Protocol::Udp)?
///     .with(TimeoutState::UDP_REPLIED, Duration::from_secs(300))?;
/// let record: ctrs::TimeoutRecord = TimeoutPolicy::new("long", Family::Ipv4, timeouts)?.record();
/// assert_eq!((record.given, record.timeouts[1], &record.name[..5]), (2, 300, &b"long\0"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct TimeoutRecord {
    /// Bit n: timeouts has one of the state with number n.
    pub given: u32,
    /// How many rules use the policy, as the kernel told.
    pub rules: u32,
    /// Seconds by the number of the state: NFCT_TIMEOUT_ATTR_TCP_ESTABLISHED and its like, and
    /// CTRS_TIMEOUT_SCTP_HEARTBEAT_SENT and _ACKED.
    pub timeouts: [u32; 16],
    /// AF_INET or AF_INET6.
    pub l3proto: u16,
    /// IPPROTO_*; 255 stands for all protocols that are not tracked.
    pub l4proto: u8,
    /// Zero.
    pub(crate) reserved: [u8; 5],
    /// The name, with its NUL.
    pub name: [TextByte; 32],
}

const _: () = {
    assert!(offset_of!(TimeoutRecord, l3proto) == 8 + 4 * ROOM);
    assert!(offset_of!(TimeoutRecord, name) == 16 + 4 * ROOM);
    assert!(size_of::<TimeoutRecord>() == 112);
};

// SAFETY: integers and arrays of them, which the assertions above show to have no padding.
unsafe impl Record for TimeoutRecord {
    const LEAST: usize = 8;

    fn cut(&mut self, size: usize) {
        let timeouts = size.saturating_sub(offset_of!(Self, timeouts)) / size_of::<u32>();
        if timeouts < ROOM {
            self.given &= (1 << timeouts) - 1;
        }
    }
}

impl TimeoutRecord {
    /// The record of a policy, and how many rules use it.
    #[doc(hidden)]
    #[must_use]
    pub fn of(policy: &Timeout, rules: Option<u32>) -> Self {
        let mut record = Self { rules: rules.unwrap_or(0), ..Self::default() };
        record.l3proto = policy.l3proto();
        record.l4proto = policy.l4proto();
        record.name.iter_mut().zip(policy.name()).for_each(|(to, byte)| *to = *byte);
        for (state, to) in record.timeouts.iter_mut().enumerate() {
            if let Some(seconds) = policy.given(state) {
                *to = seconds;
                record.given |= 1 << state;
            }
        }
        record
    }

    /// The policy of a record; what is given of states that the protocol does not have is passed over.
    #[doc(hidden)]
    #[must_use]
    pub fn policy(&self) -> Timeout {
        let mut policy = Timeout::default();
        policy.set_l4proto(self.l4proto);
        if self.name.first() != Some(&0) {
            policy.set_name(&self.name);
        }
        if self.l3proto != 0 {
            policy.set_l3proto(self.l3proto);
        }
        for (state, seconds) in self.timeouts.iter().enumerate() {
            if self.given >> state & 1 != 0 {
                // Not every protocol has it.
                let _ = policy.set(state, *seconds);
            }
        }
        policy
    }

    /// Whether it gives a state that the protocol does not have.
    #[doc(hidden)]
    #[must_use]
    pub fn gives_too_much(&self) -> bool {
        let states = states::of(self.l4proto).map_or(0, |row| row.states.len());
        self.given.checked_shr(states as u32).unwrap_or(0) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_all_of_a_policy() {
        let mut policy = Timeout::default();
        policy.set_l4proto(132);
        policy.set_name(b"name");
        policy.set_l3proto(10);
        for state in 0..9 {
            policy.set(state, state as u32 + 1).unwrap();
        }
        let record = TimeoutRecord::of(&policy, Some(3));
        assert_eq!((record.given, record.rules, record.timeouts[8]), (0x1ff, 3, 9));
        assert_eq!(record.policy(), policy);
        assert!(!record.gives_too_much());
        assert!(TimeoutRecord { given: 0x200, ..record }.gives_too_much());
        let mut cut = record;
        cut.cut(16);
        assert_eq!(cut.given, 3);
    }
}
