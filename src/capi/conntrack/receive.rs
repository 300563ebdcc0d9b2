//! The receive loop of a call.
//!
//! A callback may leave it by a jump or an exception, and a thread may be cancelled while it waits.
//! So no frame between a system call or a callback and C has anything to drop: what a call needs
//! is in the handle's `State`, or plain data on the stack.

use super::callback;
use super::request::Built;
use super::state::{NextStep, State};
use super::types::{nf_conntrack, nf_expect};
use crate::capi::ffi::at_work::Frame;
use crate::capi::ffi::boundary::{boundary, errno, set_errno};
use crate::capi::ffi::error::Error;
use crate::capi::ffi::nfnl::{Callback, point_at_attributes};
use crate::capi::ffi::ptr;
use crate::conntrack::wire::query::Request;
use crate::conntrack::zeroing::{Next, Zeroing};
use crate::nested::Token;
use crate::netlink;
use crate::netlink::exchange::{Cursor, Exchange, Place};
use crate::netlink::message::Message;
use crate::netlink::socket;
use crate::uapi::cta;
use libc::c_int;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// Bytes of a datagram that the stack has room for: the most that the kernel fills with a dump.
const ROOM: usize = 32 * 1024;

/// Bytes of the answer about one entry: the most that the kernel allocates for it.
const ENTRY_ROOM: usize = 8 * 1024;

/// What a call is to do.
#[derive(Clone, Copy)]
pub(super) enum Task<'a> {
    /// Send a request and receive its answer.
    Query(&'a Request<'a>),
    /// Receive whatever comes.
    Catch,
}

const _: () = assert!(!std::mem::needs_drop::<Task<'_>>() && !std::mem::needs_drop::<Loop>());

/// A call at work, as far as it is on the stack.
struct Loop {
    state: *mut State,
    token: Token,
    cursor: Cursor,
    request: Built,
    /// Whether whatever comes is received, without end: a wake ends that where there is no wait, too.
    catches: bool,
    /// The last datagram.
    datagram: *const u8,
    received: usize,
    /// What the call reads and zeroes, if that is what it is for.
    zeroing: Option<Zeroing>,
    /// What the last callback returned.
    verdict: c_int,
}

/// Does a task, and returns what C is told: 0, a callback's verdict, or -1 with `errno`.
///
/// # Safety
/// `state` is a live handle; `now` is in a frame above this one.
#[inline(never)]
pub(super) unsafe fn run(state: *mut State, now: &Frame, task: Task<'_>) -> c_int {
    let mut room = [MaybeUninit::<u8>::uninit(); ROOM];
    let frame = now.down_to(room.as_ptr());
    // SAFETY: the handle is live, and the reference ends before the loop begins.
    let entered = boundary(None, || unsafe { Ok(Some((*state).calls.enter(now, frame)?)) });
    let Some(token) = entered else { return -1 };
    let mut this = Loop::new(state, token);
    // SAFETY: the state lives until its last call leaves, and only here are references into it
    // made, none of which is held while a callback runs; the room is alive.
    unsafe {
        let begun = boundary(false, || this.begin(task).map(|()| true));
        let result = if begun { this.work(&raw mut room[..]) } else { -1 };
        State::leave(state, token);
        result
    }
}

/// Reads an entry that a dump told of, and zeroes its counters, by a request of its own, and calls
/// the functions of the handle with the answer. Returns their verdict; `None` if the entry ended
/// meanwhile, or cannot be told from another.
///
/// # Safety
/// `state` is a live handle, `token` a call at work on it, which has `entry` on loan.
#[inline(never)]
pub(super) unsafe fn read_and_zero(
    state: *mut State,
    token: Token,
    entry: *const nf_conntrack,
) -> Option<c_int> {
    let mut room = [MaybeUninit::<u8>::uninit(); ENTRY_ROOM];
    // SAFETY: as in `run`; the entry is not changed as long as it is on loan.
    unsafe {
        let begun = boundary(None, || {
            Ok(Some((Zeroing::of(ptr::shared(entry)?), (*state).calls.zeroing(token)?)))
        });
        let Some((mut zeroing, inner)) = begun else { return Some(callback::FAILURE) };
        loop {
            let mut this = Loop { zeroing: Some(zeroing), ..Loop::new(state, inner) };
            let begun = boundary(false, || {
                let request = zeroing.request(ptr::shared(entry)?);
                this.begin(Task::Query(&request)).map(|()| true)
            });
            let result = if begun { this.work(&raw mut room[..]) } else { callback::FAILURE };
            if this.verdict <= 0 {
                return Some(this.verdict);
            }
            zeroing = this.zeroing?;
            if result != 0 && errno() != libc::ENOENT {
                return Some(result);
            }
            match zeroing.after(result == 0) {
                Next::Ask => {}
                Next::Done => return Some(callback::CONTINUE),
                Next::Gone => return None,
            }
        }
    }
}

impl Loop {
    /// A loop of a call that listens to whatever comes.
    fn new(state: *mut State, token: Token) -> Self {
        Self {
            state,
            token,
            cursor: Exchange::listen(),
            request: Built::default(),
            catches: false,
            datagram: NonNull::dangling().as_ptr(),
            received: 0,
            zeroing: None,
            verdict: callback::CONTINUE,
        }
    }

    /// # Safety
    /// The call is at work.
    unsafe fn begin(&mut self, task: Task<'_>) -> Result<(), Error> {
        let Task::Query(request) = task else {
            self.catches = true;
            return Ok(());
        };
        // SAFETY: the call is at work, and nothing of the program runs meanwhile.
        self.cursor = unsafe { self.state() }.begin(self.token, request, &mut self.request)?;
        Ok(())
    }

    /// # Safety
    /// The call is at work; `room` is memory of the caller's.
    unsafe fn work(&mut self, room: *mut [MaybeUninit<u8>]) -> c_int {
        loop {
            // SAFETY: the call is at work until this returns, and so is the room.
            unsafe {
                match boundary(None, || self.step().map(Some)) {
                    Some(NextStep::Send) if self.send() => {}
                    Some(NextStep::Receive(wait)) if self.receive(room, wait) => {}
                    Some(NextStep::Deliver(target, place)) => {
                        self.verdict = self.deliver(target, place);
                        if self.verdict <= 0 {
                            return self.verdict;
                        }
                    }
                    Some(NextStep::End) => {
                        // As programs know it: what a callback left is gone.
                        set_errno(0);
                        return 0;
                    }
                    _ => return -1,
                }
            }
        }
    }

    /// The handle. The reference must end before a callback or a system call.
    ///
    /// # Safety
    /// The call is at work.
    unsafe fn state<'a>(&self) -> &'a mut State {
        // SAFETY: a call at work keeps the handle from being freed.
        unsafe { &mut *self.state }
    }

    /// # Safety
    /// The call is at work.
    unsafe fn step(&mut self) -> Result<NextStep, Error> {
        // SAFETY: the call is at work; the datagram is as long as was received, or empty.
        unsafe {
            let datagram = std::slice::from_raw_parts(self.datagram, self.received);
            self.state().step(self.token, &mut self.cursor, datagram)
        }
    }

    /// # Safety
    /// The call is at work.
    unsafe fn send(&mut self) -> bool {
        // SAFETY: the call is at work; no reference into the handle is held while the thread can be
        // cancelled.
        unsafe {
            let Some(fd) = boundary(None, || Ok(Some(self.state().calls.fd(self.token)?))) else {
                return false;
            };
            let result = socket::send(fd, self.request.bytes());
            boundary(false, || {
                self.state().calls.sent(self.token, &mut self.cursor, result)?;
                Ok(true)
            })
        }
    }

    /// # Safety
    /// The call is at work; `room` is memory of the caller's.
    unsafe fn receive(&mut self, room: *mut [MaybeUninit<u8>], wait: bool) -> bool {
        self.received = 0;
        // SAFETY: the call is at work; the room is the caller's or the call's own, which nobody
        // else uses.
        unsafe {
            let begun = boundary(None, || {
                let calls = &mut self.state().calls;
                let large = calls.large_room(self.token, room.len())?;
                let room = large.map_or(room, std::ptr::from_mut);
                Ok(Some((calls.fd(self.token)?, room)))
            });
            let Some((fd, room)) = begun else { return false };
            let patience = if wait { self.state().patience() } else { None };
            if self.catches && patience.is_some_and(|patience| (*patience).is_woken()) {
                return boundary(false, || Err(netlink::Error::Stopped.into()));
            }
            let before = errno();
            let result = socket::receive(fd, &mut *room, wait && patience.is_none());
            if let (Some(patience), Ok(None)) = (patience, result) {
                let result = (*patience).wait(fd);
                return boundary(false, || Ok(result.map(|()| true)?));
            }
            if let Err(netlink::Error::System { errno: libc::EINTR, .. }) = result {
                set_errno(before);
                return true;
            }
            self.datagram = room.cast();
            self.received = result.ok().flatten().unwrap_or(0);
            boundary(false, || {
                if result == Err(netlink::Error::Overrun) {
                    self.state().overrun();
                }
                let datagram = std::slice::from_raw_parts(self.datagram, self.received);
                let result = result.map(|found| found.map(|_| datagram));
                self.state().calls.received(self.token, &mut self.cursor, result)?;
                Ok(true)
            })
        }
    }

    /// Hands a message to what it goes to.
    ///
    /// # Safety
    /// The call is at work; the message was just found in the datagram.
    unsafe fn deliver(&mut self, target: Callback, place: Place) -> c_int {
        let ours = std::ptr::eq(target.data.cast(), self.state);
        // SAFETY: the call is at work; the datagram stays as it is until the next is received.
        unsafe {
            let message = place.message(std::slice::from_raw_parts(self.datagram, self.received));
            if self.zeroing.as_mut().is_some_and(|zeroing| !zeroing.hands_on(&message)) {
                return callback::CONTINUE;
            }
            match message.subsystem() {
                cta::SUBSYS_CT if ours => {
                    callback::call_registered::<nf_conntrack>(self.state, self.token, &message)
                }
                cta::SUBSYS_EXP if ours => {
                    callback::call_registered::<nf_expect>(self.state, self.token, &message)
                }
                _ => self.deliver_to_foreign(target, &message),
            }
        }
    }

    /// Hands a message to a function registered with libnfnetlink: with its attributes, by
    /// number - 1.
    ///
    /// # Safety
    /// The call is at work; `target` is from an open subsystem.
    unsafe fn deliver_to_foreign(&mut self, target: Callback, message: &Message<'_>) -> c_int {
        let table = boundary(None, || {
            // SAFETY: the call is at work, and nothing of the program runs while the table is
            // filled.
            let table = &mut unsafe { self.state() }.calls.held(self.token)?.table;
            point_at_attributes(table, target.attr_count, message)?;
            Ok(Some(table.as_mut_ptr()))
        });
        let (Some(table), Some(call)) = (table, target.call) else { return -1 };
        // SAFETY: the function is what the program registered for such messages.
        unsafe { call(ptr::message(message), table, target.data) }
    }
}
