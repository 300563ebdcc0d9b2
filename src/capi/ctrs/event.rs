//! Events, read as they are wanted.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::with_handle;
use super::reading::array;
use super::record::put_filled;
use crate::capi::conntrack::extension::{Extended, Hearing};
use crate::capi::conntrack::types::{nf_conntrack, nf_expect, nfct_handle};
use crate::capi::ffi::alloc::Opaque;
use crate::capi::ffi::ptr;
use crate::conntrack::dump::WithId;
use crate::conntrack::expression::Expression;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::expectation::Expect;
use crate::conntrack::stream::record::{EventRecord, ExpectationEventRecord};
use crate::conntrack::stream::{Head, KERNEL_TIME, LOST, NSID, Source, Tells, UNDELIVERED};
use crate::error::{Error, Invalid};
use crate::netlink;
use crate::netlink::wait::{Stopper, wait_until};
use libc::{c_int, size_t, ssize_t};
use std::os::fd::{BorrowedFd, RawFd};
use std::time::{Duration, Instant};

/// What the change of struct ctrs_event is, if it is none of NFCT_T_*.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_event_change {
    /// Events were lost here, as the receive buffer was full.
    CTRS_EVENT_LOST = 8,
}

/// Flags of struct ctrs_event.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_event_flags {
    /// The time is the kernel's, of the moment when it happened: it stamps events, where
    /// net.netfilter.nf_conntrack_timestamp is 1.
    CTRS_EVENT_KERNEL_TIME = 1,
    /// The event is of another network namespace than the handle: CTRS_OPEN_ALL_NAMESPACES.
    CTRS_EVENT_NSID = 2,
    /// With CTRS_OPEN_RELIABLE, in a record of what was lost: it counts how often an event did
    /// not fit. Ends of flows among them come again, and may count again; others may be lost.
    CTRS_EVENT_UNDELIVERED = 4,
}

const _: () = {
    assert!(ctrs_event_change::CTRS_EVENT_LOST as u32 == LOST);
    assert!(ctrs_event_flags::CTRS_EVENT_KERNEL_TIME as u32 == KERNEL_TIME);
    assert!(ctrs_event_flags::CTRS_EVENT_NSID as u32 == NSID);
    assert!(ctrs_event_flags::CTRS_EVENT_UNDELIVERED as u32 == UNDELIVERED);
};

/// What events of a handle are about, and where they are read into.
trait Heard: Tells {
    /// The object of C that holds this.
    type Object: Opaque;

    /// The next event, or what was lost, receiving at most so many.
    fn next<'a>(
        hearing: &'a mut Hearing,
        source: &Source<'_>,
        filter: Option<&Expression>,
        most: usize,
    ) -> Result<Option<(Head, &'a mut Self)>, Error>;

    /// What was read, as the object of C.
    fn object(&mut self) -> &mut <Self::Object as Opaque>::Inner;
}

impl Heard for Conntrack {
    type Object = nf_conntrack;

    fn next<'a>(
        hearing: &'a mut Hearing,
        source: &Source<'_>,
        filter: Option<&Expression>,
        most: usize,
    ) -> Result<Option<(Head, &'a mut Self)>, Error> {
        let Hearing { stream, flow, .. } = hearing;
        let head = stream.next(source, most, flow, &|change, ct: &Conntrack| {
            filter.is_none_or(|filter| filter.truth(ct, Some(change)).is_true())
        })?;
        Ok(head.map(|head| (head, flow)))
    }

    fn object(&mut self) -> &mut Conntrack {
        self
    }
}

impl Heard for WithId {
    type Object = nf_expect;

    fn next<'a>(
        hearing: &'a mut Hearing,
        source: &Source<'_>,
        _: Option<&Expression>,
        most: usize,
    ) -> Result<Option<(Head, &'a mut Self)>, Error> {
        let Hearing { stream, expectation, .. } = hearing;
        let head = stream.next(source, most, expectation, &|_, _| true)?;
        Ok(head.map(|head| (head, expectation)))
    }

    fn object(&mut self) -> &mut Expect {
        &mut self.expect
    }
}

/// Where a caller has events put.
struct Room<T: Heard> {
    events: *mut T::Record,
    most: usize,
    /// Bytes of a record.
    size: usize,
    /// Where the object of the last one is put, or NULL.
    object: *mut T::Object,
}

impl<T: Heard> Clone for Room<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Heard> Copy for Room<T> {}

impl<T: Heard> Room<T> {
    /// Fills it with what has come, and tells how many records that takes.
    ///
    /// # Safety
    /// It is as large as it says, and nobody else uses it; the object is NULL or live.
    unsafe fn fill(self, extended: &mut Extended<'_>) -> Result<usize, Error> {
        let size = array(self.events, self.size)?;
        if self.most == 0 {
            return Err(Invalid::Argument("an array of no records has no room for an event").into());
        }
        let (source, hearing, filter) = extended.hearing();
        for filled in 0..self.most {
            match T::next(hearing, &source, filter, self.most - filled) {
                Ok(Some((head, entry))) => {
                    // SAFETY: there is room for more than `filled` records of `size` bytes, which is
                    // checked; the object is NULL or live, and nobody else uses it.
                    unsafe {
                        let to = self.events.byte_add(filled * size);
                        put_filled(to, size, |record| entry.put(&head, record));
                        if let (Ok(object), false) = (ptr::unique(self.object), head.is_gap()) {
                            std::mem::swap(entry.object(), object);
                        }
                    }
                }
                // What failed fails again in the next call.
                Err(error) if filled == 0 => return Err(error),
                _ => return Ok(filled),
            }
        }
        Ok(self.most)
    }
}

/// Waits for something to read, at most until the deadline, which the first wait sets. The thread
/// may be cancelled here, so nothing on the way has anything to drop.
///
/// # Safety
/// The descriptor is open, and the stopper is there.
unsafe fn wait(
    (fd, stopper): (RawFd, *const Stopper),
    timeout_ms: c_int,
    deadline: &mut Option<Instant>,
) -> Result<(), netlink::Error> {
    if let (None, Ok(milliseconds)) = (*deadline, u64::try_from(timeout_ms)) {
        *deadline = Instant::now().checked_add(Duration::from_millis(milliseconds));
    }
    // SAFETY: as said.
    unsafe { wait_until(BorrowedFd::borrow_raw(fd), stopper.as_ref(), *deadline, true) }
}

/// Reads what has come, or waits for it.
///
/// # Safety
/// `h` is NULL or a live handle; the room is as large as it says, and its object NULL or live.
unsafe fn hear<T: Heard>(h: *mut nfct_handle, room: Room<T>, timeout_ms: c_int) -> ssize_t {
    let (mut ended, mut deadline, mut begins) = (None, None, timeout_ms != 0);
    loop {
        let mut nothing = None;
        // SAFETY: `h` is NULL or live, and the room as large as it says.
        let filled = unsafe {
            with_handle(h, -1, |extended| match ended {
                Some(netlink::Error::TimedOut) => Ok(0),
                Some(error) => Err(error.into()),
                None => {
                    let ends = (extended.socket().fd(), extended.stopper()?);
                    if begins && (*ends.1).ends_wait() {
                        return Err(netlink::Error::Stopped.into());
                    }
                    let filled = room.fill(extended)?;
                    nothing = (filled == 0 && timeout_ms != 0).then_some(ends);
                    Ok(ssize_t::try_from(filled).unwrap_or(ssize_t::MAX))
                }
            })
        };
        let Some(ends) = nothing else { return filled };
        begins = false;
        // SAFETY: the handle has said that nothing has come, so it is live, and so is what ends waits.
        ended = unsafe { wait(ends, timeout_ms, &mut deadline) }.err();
    }
}

/// Reads the next event of a flow into a record, and the flow into an entry, in place of what that
/// holds, unless `ct` is NULL. Where events were lost it is a record that says so
/// (CTRS_EVENT_LOST), in its place: behind those that are older. The receive buffer of a handle of
/// ctrs_open() has grown then as its options allow.
///
/// The handle is subscribed to groups: nfct_open(CONNTRACK, NFCT_ALL_CT_GROUPS), or those of
/// ctrs_open(). A filter of ctrs_filter_attach() holds. What is not an event of a flow is passed
/// over: events of expectations, and answers to what nfct_send() sent. So a program that wants both
/// kinds of events opens a handle for each. Functions of this header that ask the kernel something
/// meanwhile leave the events and their order as they are.
///
/// It never receives more than it returns, so that other ways to receive see what comes next, and
/// the descriptor, nfct_fd(), is readable as long as there is an event to read. A loss behind the
/// last one may be left when it is not any more, so who waits for it reads until 0 is returned.
///
/// `size` is sizeof(struct ctrs_event) as the program was compiled: what that lacks of the flow is
/// cut. `timeout_ms` says how long it waits: 0 not at all, negative without end, whatever the
/// descriptor would do and the options of the handle say. A thread that waits can be cancelled.
///
/// Returns 1 with an event or a loss; 0 if none came in time; -1 with EINVAL for NULL, and for a
/// `size` that is no multiple of 8, less than 96 or above 65,536, with ECANCELED when ctrs_wake()
/// ended the wait, with EINTR when the handler of a signal ran, with ENOMEM when there is no
/// memory: the event comes again. `ct` is then as it was.
///
/// # Safety
/// `h` is NULL or a live handle; `event` is NULL or points to `size` writable bytes; `ct` is NULL or a
/// live object.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_event_next(
    h: *mut nfct_handle,
    event: *mut EventRecord,
    size: size_t,
    ct: *mut nf_conntrack,
    timeout_ms: c_int,
) -> c_int {
    let room = Room::<Conntrack> { events: event, most: 1, size, object: ct };
    // SAFETY: `h` is NULL or live; the room is NULL or as large as it says, the object NULL or live.
    unsafe { hear(h, room, timeout_ms) as c_int }
}

/// Reads the next events of flows into an array of `n` records: as many as have come, several with
/// one system call. It waits only if nothing has come. All else is as in ctrs_event_next().
///
/// Returns how many records it has filled: at least one, unless none came in time: 0. -1 as
/// ctrs_event_next(), and with EINVAL for an `n` of 0.
///
/// # Safety
/// `h` is NULL or a live handle; `events` is NULL or points to `n` times `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_event_read(
    h: *mut nfct_handle,
    events: *mut EventRecord,
    n: size_t,
    size: size_t,
    timeout_ms: c_int,
) -> ssize_t {
    let room = Room::<Conntrack> { events, most: n, size, object: std::ptr::null_mut() };
    // SAFETY: `h` is NULL or live; the room is NULL or as large as it says.
    unsafe { hear(h, room, timeout_ms) }
}

/// Reads the next event of an expectation into a record, and the expectation into an object unless
/// `exp` is NULL, as ctrs_event_next() reads those of flows, which it passes over. The handle is
/// subscribed to NF_NETLINK_CONNTRACK_EXP_NEW or NF_NETLINK_CONNTRACK_EXP_DESTROY.
///
/// Returns as ctrs_event_next(); -1 with EINVAL for a `size`, here sizeof(struct
/// ctrs_expectation_event), that is less than 88.
///
/// # Safety
/// `h` is NULL or a live handle; `event` is NULL or points to `size` writable bytes; `exp` is NULL or a
/// live object.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_expectation_event_next(
    h: *mut nfct_handle,
    event: *mut ExpectationEventRecord,
    size: size_t,
    exp: *mut nf_expect,
    timeout_ms: c_int,
) -> c_int {
    let room = Room::<WithId> { events: event, most: 1, size, object: exp };
    // SAFETY: `h` is NULL or live; the room is NULL or as large as it says, the object NULL or live.
    unsafe { hear(h, room, timeout_ms) as c_int }
}

/// Reads the next events of expectations into an array of `n` records, as ctrs_event_read().
///
/// Returns as ctrs_event_read().
///
/// # Safety
/// `h` is NULL or a live handle; `events` is NULL or points to `n` times `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_expectation_event_read(
    h: *mut nfct_handle,
    events: *mut ExpectationEventRecord,
    n: size_t,
    size: size_t,
    timeout_ms: c_int,
) -> ssize_t {
    let room = Room::<WithId> { events, most: n, size, object: std::ptr::null_mut() };
    // SAFETY: `h` is NULL or live; the room is NULL or as large as it says.
    unsafe { hear(h, room, timeout_ms) }
}
