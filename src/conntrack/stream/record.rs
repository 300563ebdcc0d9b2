//! How records of events lie in memory: the same wherever the byte order is.
//!
//! Their comments are those of the C header.

use crate::conntrack::record::{ExpectationRecord, FlowRecord};
use crate::record::Record;
use std::mem::offset_of;

/// An event of a flow as plain data, without a pointer: what happened, and the flow as far as the
/// event tells.
///
/// A record whose change is CTRS_EVENT_LOST is of no flow: it tells, in its place among the others,
/// that events were lost. Those before it are older than what was lost, those after it newer.
///
/// The layout is that of every architecture of the same byte order, 32 bits or 64. It only grows,
/// at the end of the flow: each call is told the size that its program was compiled with.
///
/// # Examples
///
/// ```
/// use ctrs::{Change, EventRecord};
///
/// /// Ends of flows in what was read, and whether something is missing.
/// fn ends(records: &[EventRecord]) -> (usize, bool) {
///     let ends = records.iter().filter(|record| record.change() == Some(Change::Destroy));
///     (ends.count(), records.iter().any(|record| record.lost().is_some()))
/// }
/// assert_eq!(ends(&[EventRecord::default()]), (0, false));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
#[non_exhaustive]
pub struct EventRecord {
    /// When it happened, nanoseconds since 1970: by the kernel's clock with
    /// CTRS_EVENT_KERNEL_TIME, else when the library received it.
    pub when: u64,
    /// With CTRS_EVENT_LOST, how many events were lost; 0: more than none, the kernel does not say
    /// how many.
    pub lost: u64,
    /// NFCT_T_NEW, NFCT_T_UPDATE, NFCT_T_DESTROY or CTRS_EVENT_LOST.
    pub change: u32,
    /// Some of enum ctrs_event_flags.
    pub flags: u32,
    /// With CTRS_EVENT_NSID, the id of the event's network namespace in that of the handle.
    pub nsid: i32,
    /// Netlink port of who asked for the change; 0: a packet made it, or time.
    pub port: u32,
    /// Zero.
    pub(crate) reserved: [u32; 12],
    /// The flow.
    pub flow: FlowRecord,
}

/// An event of an expectation as plain data, as one of a flow.
///
/// # Examples
///
/// ```
/// use ctrs::ExpectationEventRecord;
///
/// let record = ExpectationEventRecord::default();
/// assert_eq!((record.change(), record.lost()), (None, None));
/// assert_eq!(ExpectationEventRecord::from_bytes(record.as_bytes()), Some(record));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
#[non_exhaustive]
pub struct ExpectationEventRecord {
    /// When the library received it, nanoseconds since 1970.
    pub when: u64,
    /// With CTRS_EVENT_LOST, how many events were lost; 0: more than none, the kernel does not say
    /// how many.
    pub lost: u64,
    /// NFCT_T_NEW, NFCT_T_DESTROY or CTRS_EVENT_LOST.
    pub change: u32,
    /// Some of enum ctrs_event_flags.
    pub flags: u32,
    /// With CTRS_EVENT_NSID, the id of the event's network namespace in that of the handle.
    pub nsid: i32,
    /// Netlink port of who asked for the change; 0: a packet made it, or time.
    pub port: u32,
    /// Zero.
    pub(crate) reserved: [u32; 12],
    /// The expectation.
    pub expectation: ExpectationRecord,
}

/// Bytes before the flow or the expectation.
const HEAD: usize = 80;

// No padding anywhere: where one field ends the next begins. The bytes of a record rely on it.
const _: () = {
    assert!(offset_of!(EventRecord, change) == 16 && offset_of!(EventRecord, flow) == HEAD);
    assert!(size_of::<EventRecord>() == HEAD + size_of::<FlowRecord>());
    assert!(offset_of!(ExpectationEventRecord, change) == 16);
    assert!(offset_of!(ExpectationEventRecord, expectation) == HEAD);
    assert!(size_of::<ExpectationEventRecord>() == HEAD + size_of::<ExpectationRecord>());
};

// SAFETY: integers, arrays of them, and a record, without padding, as asserted above.
unsafe impl Record for EventRecord {
    const LEAST: usize = HEAD + FlowRecord::LEAST;

    fn cut(&mut self, size: usize) {
        self.flow.cut(size.saturating_sub(HEAD));
    }
}

// SAFETY: as above.
unsafe impl Record for ExpectationEventRecord {
    const LEAST: usize = HEAD + ExpectationRecord::LEAST;

    fn cut(&mut self, size: usize) {
        self.expectation.cut(size.saturating_sub(HEAD));
    }
}
