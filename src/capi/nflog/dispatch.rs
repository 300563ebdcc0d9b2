//! Packets, handed to the callbacks of their groups.
//!
//! A callback may leave by a jump or an exception. So no frame between it and C has anything to drop:
//! what a call needs is in the handle's `State`, or plain data on the stack.

use super::data::{Attributes, Data};
use super::state::{State, Target};
use super::types::{nfgenmsg, nflog_handle};
use crate::capi::ffi::at_work::Frame;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::nfnl::{Callback, point_at_attributes};
use crate::capi::ffi::ptr;
use crate::nested::Token;
use crate::netlink::message::Message;
use crate::nflog::datagram::{Found, Walk};
use crate::uapi::nful;
use libc::{c_char, c_int, c_void, nlmsghdr};

/// What a callback returns to go on.
const CONTINUE: c_int = 0;
/// What C is told of a failure, which `errno` explains.
const FAILURE: c_int = -1;

/// What comes next in a datagram.
enum Ahead<'a> {
    /// Its end.
    End,
    /// What nearly all messages are: a packet with a callback.
    Packet(Target, Message<'a>),
    /// Anything else, which is to be looked at again.
    Other,
}

/// What a message goes to.
#[derive(Clone, Copy)]
enum Receiver {
    /// Nobody wants to know of it.
    Nobody,
    /// The callback of a group.
    Group(Target),
    /// The function that was registered with libnfnetlink for such messages.
    Registered,
}

const _: () = assert!(!std::mem::needs_drop::<Receiver>());

impl State {
    /// What libnfnetlink calls for such messages.
    #[inline(always)]
    fn registered(&mut self, message: &Message<'_>) -> Result<Callback, Error> {
        let registered = self.block().callback(message.subsystem(), message.number());
        registered.ok_or(Error::FOREIGN_MESSAGE)
    }

    /// What comes next in a datagram. All but packets with a callback is left to
    /// [`receiver`](Self::receiver), which knows why.
    #[inline(always)]
    fn ahead<'a>(&mut self, walk: &mut Walk, datagram: &'a [u8]) -> Ahead<'a> {
        let mut ahead = *walk;
        let message = match ahead.next(datagram) {
            None => return Ahead::End,
            Some(Ok(Found::Packet(message))) => message,
            Some(_) => return Ahead::Other,
        };
        let Some(target) = self.packet_target(&message) else { return Ahead::Other };
        *walk = ahead;
        Ahead::Packet(target, message)
    }

    #[inline(always)]
    fn packet_target(&mut self, message: &Message<'_>) -> Option<Target> {
        let registered = self.block().callback(nful::SUBSYS_ULOG, nful::PACKET as u8)?;
        let ours = registered.call.is_some()
            && registered.attr_count != 0
            && std::ptr::eq(registered.data.cast(), self)
            && !self.is_closed();
        if ours { self.target(message) } else { None }
    }

    #[inline(always)]
    fn receiver(&mut self, message: &Message<'_>) -> Result<Receiver, Error> {
        if self.is_closed() {
            return Err(Error::CLOSED);
        }
        let registered = self.registered(message)?;
        if registered.call.is_none() || registered.attr_count == 0 {
            return Ok(Receiver::Nobody);
        }
        if !std::ptr::eq(registered.data.cast(), self) {
            return Ok(Receiver::Registered);
        }
        self.target(message).map(Receiver::Group).ok_or(Error::of(libc::ENODEV))
    }
}

/// Hands a message to what it goes to, and returns its verdict; `None` with `errno` if there is nothing.
///
/// # Safety
/// `token` is a call at work on `state`.
pub(super) unsafe fn deliver(
    state: *mut State,
    token: Token,
    message: &Message<'_>,
) -> Option<c_int> {
    // SAFETY: the call at work keeps the handle from being freed, and the reference into it ends
    // before anything of the program runs; the receiver was found just now.
    unsafe {
        let receiver = boundary(None, || (*state).receiver(message).map(Some))?;
        hand(state, token, message, receiver)
    }
}

/// Hands a message to its receiver.
///
/// # Safety
/// `token` is a call at work on `state`; the receiver is live.
#[inline(always)]
unsafe fn hand(
    state: *mut State,
    token: Token,
    message: &Message<'_>,
    receiver: Receiver,
) -> Option<c_int> {
    // SAFETY: the receiver is live, and the call at work.
    unsafe {
        match receiver {
            Receiver::Nobody => Some(CONTINUE),
            Receiver::Group(target) => Some(call(&target, message)),
            Receiver::Registered => call_registered(state, token, message),
        }
    }
}

/// Calls the callback of a group.
///
/// # Safety
/// The target's group is live.
#[inline(always)]
unsafe fn call(target: &Target, message: &Message<'_>) -> c_int {
    let mut attributes = Attributes::NONE;
    attributes.fill(message);
    let mut data = Data::of(&attributes);
    let head = message.payload().as_ptr().cast_mut().cast::<nfgenmsg>();
    // SAFETY: the function is what the program registered for the packets of this group; all that it
    // is handed is alive until it returns, and no reference into the handle is held meanwhile.
    unsafe { (target.callback)(target.group, head, (&raw mut data).cast(), target.data) }
}

/// Hands a message to the function that is registered with libnfnetlink for such messages.
///
/// # Safety
/// `token` is a call at work on `state`.
unsafe fn call_registered(state: *mut State, token: Token, message: &Message<'_>) -> Option<c_int> {
    let (function, table) = boundary(None, || {
        // SAFETY: the call is at work, and nothing of the program runs while the table is filled.
        let this = unsafe { &mut *state };
        let function = this.registered(message)?;
        let table = &mut this.held(token)?.table;
        point_at_attributes(table, function.attr_count, message)?;
        Ok(Some((function, table.as_mut_ptr())))
    })?;
    // SAFETY: the function is what the program registered for such messages.
    Some(unsafe { function.call?(ptr::message(message), table, function.data) })
}

/// The next message of a datagram that may be for somebody. A refusal is an error.
#[inline(always)]
fn next<'a>(walk: &mut Walk, datagram: &'a [u8]) -> Result<Option<Message<'a>>, Error> {
    loop {
        match walk.next(datagram).transpose()? {
            None => return Ok(None),
            Some(Found::Packet(message) | Found::Other(message)) => return Ok(Some(message)),
            Some(Found::Answer { errno: 0, .. }) => {}
            Some(Found::Answer { errno, .. }) => return Err(Error::of(errno)),
        }
    }
}

/// Hands the messages of a datagram to what they go to, up to the first that is refused. Returns what
/// C is told.
///
/// # Safety
/// `token` is a call at work on `state`; the datagram is alive.
#[inline(always)]
unsafe fn deliver_all(state: *mut State, token: Token, datagram: *const [u8]) -> c_int {
    let mut walk = Walk::default();
    loop {
        // SAFETY: the datagram is alive, and nobody changes it while it is looked at; the call is at
        // work until its function returns.
        unsafe {
            match (*state).ahead(&mut walk, &*datagram) {
                Ahead::End => return 0,
                Ahead::Packet(target, message) => {
                    if call(&target, &message) < 0 {
                        return FAILURE;
                    }
                }
                Ahead::Other => match deliver_other(state, token, walk, datagram) {
                    Some(after) => walk = after,
                    None => return FAILURE,
                },
            }
        }
    }
}

/// Hands the next message of a datagram to what it goes to, whatever it is. Where the walk is then;
/// `None` if it is refused, or what it goes to wants no more.
///
/// # Safety
/// As of [`deliver_all`].
#[cold]
#[inline(never)]
unsafe fn deliver_other(
    state: *mut State,
    token: Token,
    mut walk: Walk,
    datagram: *const [u8],
) -> Option<Walk> {
    // SAFETY: the datagram is alive, and nobody changes it while it is looked at; the call is at work
    // until its function returns.
    unsafe {
        let found = boundary(None, || {
            let Some(message) = next(&mut walk, &*datagram)? else { return Ok(Some(None)) };
            Ok(Some(Some(((*state).receiver(&message)?, message))))
        });
        let Some((receiver, message)) = found? else { return Some(walk) };
        let verdict = hand(state, token, &message, receiver)?;
        (verdict >= 0).then_some(walk)
    }
}

/// Hands on what requests met that were made inside other calls. A verdict stops nothing: what is
/// kept is of many datagrams.
///
/// # Safety
/// `token` is a call at work on `state`.
#[inline(always)]
pub(super) unsafe fn deliver_kept(state: *mut State, token: Token) {
    // SAFETY: the call is at work, and nothing of the program runs before the reference ends.
    unsafe {
        if !(*state).kept.is_empty() {
            deliver_what_is_kept(state, token);
        }
    }
}

/// # Safety
/// `token` is a call at work on `state`.
#[cold]
#[inline(never)]
unsafe fn deliver_what_is_kept(state: *mut State, token: Token) {
    // SAFETY: the call is at work, and nothing of the program runs meanwhile.
    while !unsafe { &*state }.kept.is_empty() {
        let kept = boundary(None, || {
            // SAFETY: the call is at work, and nothing of the program runs meanwhile.
            let this = unsafe { &mut *state };
            if this.kept.is_empty() || this.is_closed() || this.calls.is_nested(token) {
                return Ok(None);
            }
            let kept = this.kept.take();
            let held = this.held(token)?;
            held.kept = kept;
            Ok(Some(std::ptr::from_ref(held.kept.as_slice())))
        });
        let Some(kept) = kept else { return };
        let mut walk = Walk::default();
        // SAFETY: the call holds what was kept until it is over, and nobody changes it; the call is at
        // work until its function returns.
        unsafe {
            while let Some(Ok(Found::Packet(one) | Found::Other(one))) = walk.next(&*kept) {
                deliver(state, token, &one);
            }
        }
    }
}

/// Notes that a call begins, and hands on what was kept when one before never came back.
///
/// # Safety
/// `state` is a live handle; `above` is in the frame of the function that C called, `mark` in one below
/// it, or the same.
#[inline(always)]
pub(super) unsafe fn enter(state: *mut State, above: *const u8, mark: *const u8) -> Option<Token> {
    // SAFETY: the handle is live, and the reference into it ends before anything of the program runs.
    unsafe {
        let token = match (*state).calls.enter_alone(Frame::of(mark)) {
            Some(token) => token,
            None => enter_beside(state, above, mark)?,
        };
        deliver_kept(state, token);
        Some(token)
    }
}

/// Notes that a call begins where others are at work, or never came back.
///
/// # Safety
/// As of [`enter`].
#[cold]
#[inline(never)]
unsafe fn enter_beside(state: *mut State, above: *const u8, mark: *const u8) -> Option<Token> {
    let now = Frame::of(above);
    // SAFETY: the handle is live, and nothing of the program runs meanwhile.
    boundary(None, || Ok(Some(unsafe { &mut *state }.calls.enter(&now, now.down_to(mark))?)))
}

/// What libnfnetlink calls for a packet, when a program receives with that library.
///
/// Returns the callback's verdict, -ENODEV where there is none.
///
/// # Safety
/// `nlh` is a whole message; `data` is the handle that hooked it.
pub(super) unsafe extern "C-unwind" fn hooked(
    nlh: *mut nlmsghdr,
    _attributes: *mut *mut c_void,
    data: *mut c_void,
) -> c_int {
    let state: *mut State = data.cast();
    // SAFETY: the message is whole: it has as many bytes as its header says.
    let bytes = unsafe { std::slice::from_raw_parts(nlh.cast::<u8>(), (*nlh).nlmsg_len as usize) };
    let Some(message) = Message::first(bytes) else { return -libc::ENODEV };
    let mark = 0u8;
    // SAFETY: `data` is the handle that hooked the message, which is live while it is hooked; the call
    // is at work until it leaves.
    unsafe {
        let Some(token) = enter(state, &raw const mark, &raw const mark) else { return FAILURE };
        let target = boundary(None, || Ok((*state).target(&message)));
        let verdict = match target {
            Some(target) => call(&target, &message),
            None => -libc::ENODEV,
        };
        deliver_kept(state, token);
        State::leave(state, token);
        verdict
    }
}

/// Hands the packets of a datagram, which the program has received from nflog_fd(), to the
/// callbacks of their groups.
///
/// What the callbacks are handed points into `buf`. A callback that returns a negative number ends
/// this. It may call any function of this library, on its own group and handle too: a group that it
/// unbinds is called no more, and a handle that it closes hands out no more.
///
/// What tells nothing is passed over: the end of a batch, acknowledgements.
///
/// Returns 0; -1 when a callback ended it; -1 with ENODEV for a packet of a group that is not bound
/// through this handle or has no callback, with ENOENT for a message of another kind, with EBADMSG
/// or ENOSPC for what is no message, with errno of a refusal by the kernel, with EINVAL for NULL
/// and a negative length, with EBADF when a callback closed the handle. What comes behind is
/// dropped.
///
/// # Safety
/// `h` is NULL or a live handle; `buf` is NULL or has `len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nflog_handle_packet(
    h: *mut nflog_handle,
    buf: *mut c_char,
    len: c_int,
) -> c_int {
    let mark = 0u8;
    // SAFETY: the caller's word; the mark is in this function's frame.
    unsafe { handle(h, buf, len, &raw const mark) }
}

/// # Safety
/// As of [`nflog_handle_packet`]; `above` is in the frame above this one.
#[inline(never)]
unsafe fn handle(h: *mut nflog_handle, buf: *mut c_char, len: c_int, above: *const u8) -> c_int {
    let mark = 0u8;
    let length = boundary(None, || {
        ptr::not_null(h)?;
        let length = usize::try_from(len).map_err(|_| Error::of(libc::EINVAL))?;
        // What is shorter than a message may as well be nowhere.
        if buf.is_null() && length >= size_of::<nlmsghdr>() {
            return Err(Error::NULL);
        }
        Ok(Some(length))
    });
    let Some(length) = length else { return FAILURE };
    let state: *mut State = h.cast();
    // SAFETY: the handle is not NULL, so it is live; the call is at work on it until it leaves. `buf`
    // has so many readable bytes, or is NULL, and is the caller's until this returns.
    unsafe {
        let datagram = std::ptr::from_ref(ptr::bytes(buf.cast(), length));
        let Some(token) = enter(state, above, &raw const mark) else { return FAILURE };
        let result = deliver_all(state, token, datagram);
        deliver_kept(state, token);
        State::leave(state, token);
        result
    }
}
