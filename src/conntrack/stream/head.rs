//! What there is of an event beside what it is about, and how records have it.
#![forbid(unsafe_code)]

use super::record::{EventRecord, ExpectationEventRecord};
use crate::conntrack::dump::Listed;
#[cfg(feature = "capi")]
use crate::conntrack::dump::WithId;
use crate::conntrack::expectation::seen::Expectation;
use crate::conntrack::flow::Flow;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::record::ExpectationRecord;
use crate::conntrack::wire::Change;
use crate::netlink::Error;
use crate::record::Record;
use crate::uapi::cta;
use std::time::{Duration, SystemTime};

/// Of `change` of a record: events were lost.
pub(crate) const LOST: u32 = 8;
/// Flags of a record: `when` is the kernel's, there is an `nsid`, `lost` counts failed deliveries.
pub(crate) const KERNEL_TIME: u32 = 1;
pub(crate) const NSID: u32 = 2;
pub(crate) const UNDELIVERED: u32 = 4;

/// What is missing at a place among events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Gap {
    /// How many events; 0 where the kernel does not say.
    pub count: u64,
    /// Whether it counts how often the kernel could not deliver one, of which it tells some again.
    pub undelivered: bool,
}

impl Gap {
    /// The same, as an error.
    pub fn error(self) -> Error {
        match self {
            Self { count: 0, .. } => Error::Overrun,
            Self { count, undelivered: false } => Error::Missed(count),
            Self { count, undelivered: true } => Error::Undelivered(count),
        }
    }
}

/// An event without what it is about, or a gap.
#[derive(Debug, Clone, Copy)]
#[doc(hidden)]
pub struct Head {
    pub(crate) what: Result<Change, Gap>,
    /// When it was received, nanoseconds since 1970.
    pub(crate) received: u64,
    pub(crate) namespace: Option<i32>,
    /// Netlink port of who asked for the change.
    pub(crate) port: u32,
}

impl Head {
    /// When it was received.
    pub(crate) fn received(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.received)
    }

    /// Whether a program asked for the change.
    pub(crate) fn is_by_request(&self) -> bool {
        self.port != 0
    }

    /// Whether something was lost here.
    #[cfg(feature = "capi")]
    pub(crate) fn is_gap(&self) -> bool {
        self.what.is_err()
    }

    fn change(&self) -> u32 {
        self.what.map_or(LOST, |change| change as u32)
    }

    fn lost(&self) -> u64 {
        self.what.err().map_or(0, |gap| gap.count)
    }

    fn flags(&self) -> u32 {
        let undelivered = self.what.is_err_and(|gap| gap.undelivered);
        u32::from(self.namespace.is_some()) * NSID + u32::from(undelivered) * UNDELIVERED
    }
}

/// What events are about, as their messages are read.
#[doc(hidden)]
#[allow(private_bounds, reason = "nobody else tells anything")]
pub trait Tells: Listed + Default {
    /// The subsystem of its messages.
    const SUBSYSTEM: u8;
    /// The record of such an event.
    type Record: Record;

    /// Makes an empty record that of an event, or of a gap.
    fn put(&self, head: &Head, record: &mut Self::Record);
}

/// Puts the head of an event into an empty record.
macro_rules! put_head {
    ($record:ident, $head:ident) => {
        $record.when = $head.received;
        $record.lost = $head.lost();
        $record.change = $head.change();
        $record.flags = $head.flags();
        $record.nsid = $head.namespace.unwrap_or(0);
        $record.port = $head.port;
    };
}

fn put_flow(ct: &Conntrack, head: &Head, record: &mut EventRecord) {
    put_head!(record, head);
    if head.what.is_err() {
        return;
    }
    record.flow.fill(ct);
    if record.flow.has(Attr::TimestampEvent) {
        record.when = record.flow.event_time;
        record.flags |= KERNEL_TIME;
    }
}

fn put_expectation(
    expectation: impl FnOnce() -> ExpectationRecord,
    head: &Head,
    record: &mut ExpectationEventRecord,
) {
    put_head!(record, head);
    if head.what.is_ok() {
        record.expectation = expectation();
    }
}

impl Tells for Conntrack {
    const SUBSYSTEM: u8 = cta::SUBSYS_CT;
    type Record = EventRecord;

    fn put(&self, head: &Head, record: &mut EventRecord) {
        put_flow(self, head, record);
    }
}

impl Tells for Flow {
    const SUBSYSTEM: u8 = cta::SUBSYS_CT;
    type Record = EventRecord;

    fn put(&self, head: &Head, record: &mut EventRecord) {
        put_flow(&self.0, head, record);
    }
}

impl Tells for Expectation {
    const SUBSYSTEM: u8 = cta::SUBSYS_EXP;
    type Record = ExpectationEventRecord;

    fn put(&self, head: &Head, record: &mut ExpectationEventRecord) {
        put_expectation(|| self.into(), head, record);
    }
}

#[cfg(feature = "capi")]
impl Tells for WithId {
    const SUBSYSTEM: u8 = cta::SUBSYS_EXP;
    type Record = ExpectationEventRecord;

    fn put(&self, head: &Head, record: &mut ExpectationEventRecord) {
        let of = || {
            let mut record = ExpectationRecord::of(&self.expect);
            self.id.iter().for_each(|id| record.set_id(*id));
            record
        };
        put_expectation(of, head, record);
    }
}

/// What the records of both kinds of events tell in the same way.
macro_rules! told_by {
    ($record:ident) => {
        impl $record {
            /// What happened; `None` where events were lost.
            #[must_use]
            pub fn change(&self) -> Option<Change> {
                let all = [Change::New, Change::Update, Change::Destroy];
                all.into_iter().find(|change| *change as u32 == self.change)
            }

            /// How many events were lost here, if any were; 0 where the kernel does not say.
            #[must_use]
            pub fn lost(&self) -> Option<u64> {
                (self.change == LOST).then_some(self.lost)
            }

            /// Whether [`lost`](Self::lost) is how many times an event did not fit the buffer of a
            /// listener that is [reliable](crate::Options::reliable): ends of flows among them come
            /// again.
            #[must_use]
            pub fn counts_deliveries(&self) -> bool {
                self.flags & UNDELIVERED != 0
            }

            /// The id that the listener's network namespace knows the event's by; `None` for its own.
            #[must_use]
            pub fn namespace(&self) -> Option<i32> {
                (self.flags & NSID != 0).then_some(self.nsid)
            }

            /// Whether `when` is by the kernel's clock.
            #[must_use]
            pub fn has_kernel_time(&self) -> bool {
                self.flags & KERNEL_TIME != 0
            }

            crate::record::bytes!();
        }
    };
}

told_by!(EventRecord);
told_by!(ExpectationEventRecord);
