//! How records of a mirror lie in memory.
//!
//! Their comments are those of the C header.

use crate::conntrack::replica::{Counts, Replica};
#[cfg(feature = "capi")]
use crate::conntrack::replica::{Happened, TableChange};
use crate::record::Record;

/// Flags of the numbers: it is settled; it is compared with the table, or is to be.
pub(crate) const SETTLED: u32 = 1;
pub(crate) const VERIFYING: u32 = 2;
/// Flags of a change: no event told it; `when` is there.
#[cfg(feature = "capi")]
pub(crate) const SYNTHESISED: u32 = 1;
#[cfg(feature = "capi")]
pub(crate) const KERNEL_TIME: u32 = 2;

/// A mirror in numbers.
///
/// # Examples
///
/// ```
/// let info = ctrs::MirrorInfo::default();
/// assert!(info.flows == 0 && !info.is_settled() && !info.is_verifying());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
#[non_exhaustive]
pub struct MirrorInfo {
    /// Flows that are kept: with a filter, those that it may select as they are or after a change.
    pub flows: u64,
    /// Of these, such that no event has told of since: nothing has happened to them, or they are
    /// silent.
    pub unheard: u64,
    /// Events that were taken in.
    pub events: u64,
    /// Events that were lost, as far as the kernel counts them.
    pub lost: u64,
    /// How often events were lost.
    pub overruns: u64,
    /// Lists of the table that were read, in vain or not.
    pub dumps: u64,
    /// Changes that a list has shown though no event told them and none were lost.
    pub corrected: u64,
    /// Bytes that the receive buffer holds, as the kernel counts them.
    pub receive_buffer: u64,
    /// Some of enum ctrs_mirror_flags.
    pub flags: u32,
    /// Zero.
    pub(crate) reserved: u32,
}

impl MirrorInfo {
    pub(super) fn of(replica: &Replica, receive_buffer: u64) -> Self {
        let Counts { flows, unheard, events, lost, dumps, overruns, corrected } = replica.counts();
        let is_verifying = replica.wants_dump() || replica.is_dumping();
        let flags = u32::from(replica.is_settled()) * SETTLED + u32::from(is_verifying) * VERIFYING;
        let (flows, unheard) = (flows as u64, unheard as u64);
        Self {
            flows,
            unheard,
            events,
            lost,
            overruns,
            dumps,
            corrected,
            receive_buffer,
            flags,
            reserved: 0,
        }
    }

    /// Whether what is kept was the table at the last event that was read, but for flows that change
    /// without events.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.flags & SETTLED != 0
    }

    /// Whether what is kept is compared with the table, or is to be.
    #[must_use]
    pub fn is_verifying(&self) -> bool {
        self.flags & VERIFYING != 0
    }
}

/// A change of a mirror, as plain data. The flows that it is of are records of their own.
///
/// # Examples
///
/// ```
/// assert_eq!(ctrs::ChangeRecord::default().change, 0);
/// ```
#[cfg(feature = "capi")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct ChangeRecord {
    /// With CTRS_CHANGE_KERNEL_TIME, when it happened, nanoseconds since 1970.
    pub when: u64,
    /// With CTRS_CHANGE_OVERRUN, how many events were lost; 0: more than none. With
    /// CTRS_CHANGE_CANNOT_SETTLE, how many lists in a row were in vain.
    pub lost: u64,
    /// One of enum ctrs_mirror_change.
    pub change: u32,
    /// Some of enum ctrs_change_flags.
    pub flags: u32,
    /// Zero.
    pub(crate) reserved: [u32; 10],
}

#[cfg(feature = "capi")]
impl ChangeRecord {
    /// Of a change, whose number in C is this.
    pub(crate) fn of(change: &TableChange, number: u32) -> Self {
        let lost = match change.happened {
            Happened::Overrun(lost) | Happened::CannotSettle(lost) => lost.into(),
            _ => 0,
        };
        let synthesised = u32::from(change.synthesised) * SYNTHESISED;
        let kernel_time = u32::from(change.when.is_some()) * KERNEL_TIME;
        Self {
            when: change.when.unwrap_or(0),
            lost,
            change: number,
            flags: synthesised | kernel_time,
            reserved: [0; 10],
        }
    }
}

// No padding anywhere: the bytes of a record rely on it.
const _: () = assert!(size_of::<MirrorInfo>() == 8 * 8 + 2 * 4);
#[cfg(feature = "capi")]
const _: () = assert!(size_of::<ChangeRecord>() == 2 * 8 + 12 * 4);

// SAFETY: integers and arrays of them, without padding, as asserted above.
unsafe impl Record for MirrorInfo {
    const LEAST: usize = 8;

    fn cut(&mut self, _: usize) {}
}

// SAFETY: as above.
#[cfg(feature = "capi")]
unsafe impl Record for ChangeRecord {
    const LEAST: usize = 24;

    fn cut(&mut self, _: usize) {}
}
