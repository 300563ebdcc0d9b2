//! Mirrors: what changes in the flow table.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::without_handle;
use super::filter::{ctrs_filter, optional};
use super::open::ctrs_open_options;
use super::record::{checked_size, put, put_filled};
use crate::capi::ffi::alloc::{place, unplace};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::{point_of_cancellation, without_cancellation};
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::{ctrs_error, errno_of};
use crate::capi::ffi::ptr;
use crate::conntrack::mirror::record::{
    ChangeRecord, KERNEL_TIME, SETTLED, SYNTHESISED, VERIFYING,
};
use crate::conntrack::mirror::{Driver, MirrorReader};
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::record::FlowRecord;
use crate::conntrack::replica::{Happened, TableChange};
use crate::error::{Error, Invalid};
use crate::netlink;
use crate::netlink::wait::{Patience, Stopper};
use libc::{c_int, size_t};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

/// What has happened to the flows of a mirror, in struct ctrs_change.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_mirror_change {
    /// A flow is there that was not: `after`.
    CTRS_CHANGE_NEW = 1,
    /// It has changed, in more than time, counters and flags of TCP: `before` and `after`.
    CTRS_CHANGE_UPDATED = 2,
    /// It has ended: `before` is it, with what its end told: its counters and times.
    CTRS_CHANGE_DESTROYED = 3,
    /// It has changed so that the mirror's filter selects it: `before` and `after`.
    CTRS_CHANGE_ENTERED = 4,
    /// It has changed so that the filter selects it no more: `before` and `after`.
    CTRS_CHANGE_LEFT = 5,
    /// Events were lost here: more may have changed than was told.
    CTRS_CHANGE_OVERRUN = 6,
    /// What is kept is compared with the table from now on.
    CTRS_CHANGE_RESYNCING = 7,
    /// What is kept is what the table is.
    CTRS_CHANGE_SETTLED = 8,
    /// Events are lost faster than the table can be listed. The mirror goes on trying, less often.
    CTRS_CHANGE_CANNOT_SETTLE = 9,
}

use ctrs_mirror_change::*;

/// Flags of struct ctrs_change.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_change_flags {
    /// No event told it: a list of the table has shown it, or another event.
    CTRS_CHANGE_SYNTHESISED = 1,
    /// There is a time, of the kernel's clock: it stamps events, where
    /// net.netfilter.nf_conntrack_timestamp is 1.
    CTRS_CHANGE_KERNEL_TIME = 2,
}

/// Flags of struct ctrs_mirror_info.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_mirror_flags {
    /// What is kept was the table at the last event that was read, but for what changes silently.
    CTRS_MIRROR_SETTLED = 1,
    /// What is kept is compared with the table, or is to be.
    CTRS_MIRROR_VERIFYING = 2,
}

const _: () = {
    assert!(ctrs_change_flags::CTRS_CHANGE_SYNTHESISED as u32 == SYNTHESISED);
    assert!(ctrs_change_flags::CTRS_CHANGE_KERNEL_TIME as u32 == KERNEL_TIME);
    assert!(ctrs_mirror_flags::CTRS_MIRROR_SETTLED as u32 == SETTLED);
    assert!(ctrs_mirror_flags::CTRS_MIRROR_VERIFYING as u32 == VERIFYING);
};

/// A live copy of the flow table of a network namespace.
///
/// Made by ctrs_mirror_open(), released with ctrs_mirror_close().
pub struct ctrs_mirror {
    _private: [u8; 0],
}

/// What is behind it.
pub(super) struct Placed {
    /// What ends waits, and what looks flows up: other threads use both while one works on the rest.
    patience: Patience,
    pub reader: MirrorReader,
    fd: RawFd,
    state: State,
}

struct State {
    driver: Driver,
    error: ctrs_error,
}

/// Runs `f` on a mirror: an error becomes `on_error` and `errno`, and is what the mirror's last call
/// said.
///
/// # Safety
/// `mirror` is NULL or a live mirror, which nobody else uses meanwhile but to wake it and to look flows
/// up.
unsafe fn work<T, F>(mirror: *mut ctrs_mirror, on_error: T, f: F) -> T
where
    F: FnOnce(&mut State) -> Result<T, Error>,
{
    // A cancelled thread leaves without dropping anything.
    const { assert!(!std::mem::needs_drop::<F>() && !std::mem::needs_drop::<T>()) };
    without_cancellation(|| {
        boundary(on_error, || {
            ptr::not_null(mirror)?;
            // SAFETY: the mirror is not NULL, so it is one that was placed; of its state nobody else
            // uses anything.
            let state = unsafe { &mut (*mirror.cast::<Placed>()).state };
            state.error.clear();
            f(state).map_err(|error| {
                state.error.set(&error);
                Errno::of(errno_of(&error))
            })
        })
    })
}

/// Runs `f` on what looks flows up, of a mirror that another thread may work on.
///
/// # Safety
/// `mirror` is NULL or a live mirror, which is not closed meanwhile.
pub(super) unsafe fn look<T, F>(mirror: *const ctrs_mirror, on_error: T, f: F) -> T
where
    F: FnOnce(&MirrorReader) -> Result<T, Errno>,
{
    // Cancellation is not held off, for nothing inside is a point of it: the lock waits by syscall(3),
    // which is none in glibc and in musl, and what is done under it makes no system call.
    boundary(on_error, || {
        ptr::not_null(mirror)?;
        // SAFETY: the mirror is not NULL, so it is one that was placed; its reader nobody changes.
        f(unsafe { &(*mirror.cast::<Placed>()).reader })
    })
}

/// Opens a mirror of the flow table of a network namespace: that of the options, or where these are
/// NULL that of the thread. It subscribes to events on one socket and lists the table on another;
/// ctrs_mirror_next() has both done and hands out what changes. Flows that report are kept exactly:
/// docs/events.md says which do not. A mirror of several namespaces there is not: open one for each.
///
/// Of the options those of any socket count, CTRS_OPEN_RELIABLE and timeout_ms, which answers of the
/// kernel are waited for. A receive_buffer of 0 is one of 4 MiB, which grows up to
/// receive_buffer_limit, or if that is 0 to 32 MiB; an event takes about 1,280 bytes of it.
///
/// With a filter, which is not needed any more afterwards, the flows of which it is true as they
/// are are handed out and looked up. Of its terms those that cannot change for a flow decide which
/// are kept, in the kernel where that can be. `filter` may be NULL.
///
/// Returns the mirror; NULL as ctrs_open(), also with EINVAL for groups, for subsystems and for
/// CTRS_OPEN_NO_ENOBUFS, and with EOPNOTSUPP for CTRS_OPEN_ALL_NAMESPACES. `error`, unless it is
/// NULL, then says more.
///
/// # Safety
/// `options` is NULL or points to as many readable bytes as its `size` says; `filter` is NULL or a live
/// filter; `error` is NULL or points to as many writable bytes as its `size` says.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_mirror_open(
    options: *const ctrs_open_options,
    filter: *const ctrs_filter,
    error: *mut ctrs_error,
) -> *mut ctrs_mirror {
    point_of_cancellation();
    // SAFETY: `error` is NULL or the caller's; so are the options, and their path is a C string; the
    // filter is NULL or live.
    unsafe {
        without_handle(error, std::ptr::null_mut(), || {
            let wanted = ctrs_open_options::read(options)?;
            if !wanted.are_of_a_mirror() {
                return Err(Invalid::Argument("options that are not of a mirror").into());
            }
            let filter = optional(filter).map(|filter| &**filter);
            let driver = Driver::open(&wanted.options()?, filter)?;
            let stopper = Some(Stopper::of_one_wait()?);
            let placed = Placed {
                patience: Patience { stopper, time: None, ends_by_signals: true },
                reader: driver.reader().clone(),
                fd: driver.as_fd().as_raw_fd(),
                state: State { driver, error: ctrs_error::NONE },
            };
            let placed = place(placed).map(<*mut Placed>::cast);
            placed.map_err(|_| netlink::Error::OutOfMemory.into())
        })
    }
}

/// Where a caller has a change put.
#[derive(Clone, Copy)]
struct Room {
    change: *mut ChangeRecord,
    size: usize,
    before: *mut FlowRecord,
    after: *mut FlowRecord,
    flow_size: usize,
}

impl Room {
    /// The same, if it is room at all.
    fn checked(&self) -> Result<(), Error> {
        let has_flows = !self.before.is_null() || !self.after.is_null();
        let fits = checked_size::<ChangeRecord>(self.size).is_ok() && !self.change.is_null();
        let flows_fit = !has_flows || checked_size::<FlowRecord>(self.flow_size).is_ok();
        if fits && flows_fit {
            return Ok(());
        }
        Err(Invalid::Argument("NULL, or no size of such a structure").into())
    }

    /// Puts a change there.
    ///
    /// # Safety
    /// It is as large as it says, which was checked, and nobody else uses it.
    unsafe fn put(&self, change: &TableChange) {
        let record = ChangeRecord::of(change, number_of(change.happened) as u32);
        let flow = |to: *mut FlowRecord, ct: Option<&Conntrack>| {
            if !to.is_null() {
                let fill = |record: &mut FlowRecord| ct.into_iter().for_each(|ct| record.fill(ct));
                // SAFETY: it is not NULL, so it has as many writable bytes as were checked.
                unsafe { put_filled(to, self.flow_size, fill) };
            }
        };
        flow(self.before, change.before.as_ref());
        flow(self.after, change.after.as_ref());
        // SAFETY: the record has as many writable bytes, which was checked.
        unsafe { put(self.change, self.size, record) };
    }
}

fn number_of(happened: Happened) -> ctrs_mirror_change {
    match happened {
        Happened::New => CTRS_CHANGE_NEW,
        Happened::Updated => CTRS_CHANGE_UPDATED,
        Happened::Destroyed => CTRS_CHANGE_DESTROYED,
        Happened::Entered => CTRS_CHANGE_ENTERED,
        Happened::Left => CTRS_CHANGE_LEFT,
        Happened::Overrun(_) => CTRS_CHANGE_OVERRUN,
        Happened::Resyncing => CTRS_CHANGE_RESYNCING,
        Happened::Settled => CTRS_CHANGE_SETTLED,
        Happened::CannotSettle(_) => CTRS_CHANGE_CANNOT_SETTLE,
    }
}

/// Waits for something to do, at most until the deadline. The thread may be cancelled here, so nothing
/// on the way has anything to drop.
///
/// # Safety
/// `mirror` is a live mirror.
unsafe fn wait(mirror: *mut ctrs_mirror, deadline: Option<Instant>) -> Result<(), netlink::Error> {
    if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
        return Err(netlink::Error::TimedOut);
    }
    // SAFETY: the mirror is live, what it waits with nobody changes, and its descriptor is open.
    let (patience, fd) = unsafe {
        let placed = mirror.cast::<Placed>();
        (&(*placed).patience, BorrowedFd::borrow_raw((*placed).fd))
    };
    patience.wait(fd, deadline)
}

/// Whether a wait that is about to begin ends at once.
///
/// # Safety
/// `mirror` is NULL or a live mirror.
unsafe fn is_woken(mirror: *mut ctrs_mirror) -> bool {
    // SAFETY: a mirror that is not NULL is one that was placed; its patience nobody changes.
    let patience = (!mirror.is_null()).then(|| unsafe { &(*mirror.cast::<Placed>()).patience });
    patience.and_then(|patience| patience.stopper.as_ref()).is_some_and(Stopper::ends_wait)
}

/// Hands out the next change of a mirror, which is what keeps it up to date: first the flows that
/// are there, as new, and CTRS_CHANGE_SETTLED; then what events tell. Where events were lost it
/// says so in its place, lists the table again, tells what that shows, and that it is settled again.
/// `before` and `after` are the flow as it was and as it is, as the change says; the other one, or
/// both, are all zero. Each may be NULL.
///
/// `size` is sizeof(struct ctrs_change) and `flow_size` sizeof(struct ctrs_flow) as the program was
/// compiled; what they lack is cut. `timeout_ms` says how long it waits: 0 not at all, negative
/// without end. Without waiting it gives up after 4,096 events, or as many flows of a list, that
/// change nothing, and ctrs_mirror_fd() is readable then. A thread that waits can be cancelled.
///
/// Returns 1 with a change; 0 if none came in time; -1 with EINVAL for NULL, for a `size` that is no
/// multiple of 8, less than 24 or above 65,536, and for a wrong `flow_size`, which is as in
/// ctrs_flow_from(), with ECANCELED when ctrs_mirror_wake() ended the wait, with EINTR when the
/// handler of a signal ran, with EPERM without CAP_NET_ADMIN, with ENOMEM when there is no memory,
/// with errno of any other system call that failed. But for EINVAL the mirror makes up for what has
/// failed when it is called again.
///
/// # Safety
/// `mirror` is NULL or a live mirror; `change` is NULL or points to `size` writable bytes, and `before`
/// and `after` to `flow_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_mirror_next(
    mirror: *mut ctrs_mirror,
    change: *mut ChangeRecord,
    size: size_t,
    before: *mut FlowRecord,
    after: *mut FlowRecord,
    flow_size: size_t,
    timeout_ms: c_int,
) -> c_int {
    let room = Room { change, size, before, after, flow_size };
    let time = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
    let deadline = time.and_then(|time| Instant::now().checked_add(time));
    point_of_cancellation();
    // SAFETY: `mirror` is NULL or live.
    let woken = timeout_ms != 0 && unsafe { is_woken(mirror) };
    let mut ended = woken.then_some(netlink::Error::Stopped);
    loop {
        let mut nothing = false;
        // SAFETY: `mirror` is NULL or live, and the room as large as it says.
        let found = unsafe {
            work(mirror, -1, |state| {
                room.checked()?;
                match ended {
                    Some(netlink::Error::TimedOut) => return Ok(0),
                    Some(error) => return Err(error.into()),
                    None => {}
                }
                let change = state.driver.next()?;
                change.iter().for_each(|change| room.put(change));
                nothing = change.is_none() && timeout_ms != 0;
                Ok(c_int::from(change.is_some()))
            })
        };
        if !nothing {
            return found;
        }
        // SAFETY: there is a mirror, which has said that nothing has come.
        ended = unsafe { wait(mirror, deadline) }.err();
    }
}

/// Has the whole table listed and compared with what is kept, counters too, while the next changes
/// are read: what changes without events is put right, and told as CTRS_CHANGE_SYNTHESISED. As long
/// as that lasts ctrs_mirror_get_info() has CTRS_MIRROR_VERIFYING.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `mirror` is NULL or a live mirror.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_mirror_verify(mirror: *mut ctrs_mirror) -> c_int {
    // SAFETY: `mirror` is NULL or live.
    unsafe { work(mirror, -1, |state| state.driver.verify().map(|()| 0)) }
}

/// Has done what ctrs_mirror_verify() has, each time that so many milliseconds have passed; 0: not
/// any more.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `mirror` is NULL or a live mirror.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_mirror_verify_every(
    mirror: *mut ctrs_mirror,
    milliseconds: u32,
) -> c_int {
    let interval = (milliseconds != 0).then(|| Duration::from_millis(milliseconds.into()));
    // SAFETY: `mirror` is NULL or live.
    unsafe { work(mirror, -1, |state| state.driver.verify_every(interval).map(|()| 0)) }
}

/// The descriptor, to wait on: it is readable while there is a change to be read, or something to
/// be done to find one. It stays the mirror's. A ctrs_mirror_next() with a timeout of 0 does that,
/// again while it is readable.
///
/// Returns it; -1 with EINVAL for NULL.
///
/// # Safety
/// `mirror` is NULL or a live mirror.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_mirror_fd(mirror: *const ctrs_mirror) -> c_int {
    boundary(-1, || {
        ptr::not_null(mirror)?;
        // SAFETY: the mirror is not NULL, so it is one that was placed; its number nobody changes.
        Ok(unsafe { (*mirror.cast::<Placed>()).fd })
    })
}

/// Ends the call that waits for a change, which then fails with ECANCELED; if none waits, the next
/// that does. Several wakes before that count as one. Any thread may call this while another uses
/// the mirror, and so may the handler of a signal; errno stays as it is.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `mirror` is NULL or a live mirror, which is not closed meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_mirror_wake(mirror: *mut ctrs_mirror) -> c_int {
    boundary(-1, || {
        ptr::not_null(mirror)?;
        // SAFETY: the mirror is not NULL, so it is one that was placed; its patience nobody changes.
        let patience = unsafe { &(*mirror.cast::<Placed>()).patience };
        patience.stopper.iter().for_each(Stopper::stop);
        Ok(0)
    })
}

/// What the last ctrs_mirror_ call that worked on the mirror said: not those that look flows up.
///
/// Returns it; it lasts until the next call on the mirror. NULL with EINVAL for NULL.
///
/// # Safety
/// `mirror` is NULL or a live mirror.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_mirror_last_error(mirror: *const ctrs_mirror) -> *const ctrs_error {
    boundary(std::ptr::null(), || {
        ptr::not_null(mirror)?;
        // SAFETY: the mirror is not NULL, so it is one that was placed.
        Ok(unsafe { &raw const (*mirror.cast::<Placed>()).state.error })
    })
}

/// Closes a mirror and its descriptors.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `mirror` is NULL or a live mirror, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_mirror_close(mirror: *mut ctrs_mirror) -> c_int {
    without_cancellation(|| {
        boundary(-1, || {
            ptr::not_null(mirror)?;
            // SAFETY: the mirror is not NULL, so it is one that was placed; it is not used again.
            unsafe { unplace(mirror.cast::<Placed>()) };
            Ok(0)
        })
    })
}
