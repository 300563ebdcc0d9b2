//! What is behind a `struct nflog_handle`, and behind a `struct nflog_g_handle`.

use super::dispatch;
use super::types::{NflogCallback, nfgenmsg, nflog_data, nflog_g_handle, nflog_handle};
use crate::capi::ffi::alloc::{place, unplace};
use crate::capi::ffi::at_work::Frame;
use crate::capi::ffi::closed::{self, Closable, Closed, End};
use crate::capi::ffi::error::Error;
use crate::capi::ffi::nfnl::{Block, Registration};
use crate::nested::{Nested, Token};
use crate::netlink::message::Message;
use crate::netlink::socket::Socket;
use crate::nflog::datagram::Kept;
use crate::nflog::request::Requests;
use crate::uapi::nful;
use libc::{c_int, c_void};

/// Logged packets, as libnfnetlink knows them.
const PACKETS: Registration = Registration {
    id: nful::SUBSYS_ULOG,
    messages: 2,
    attributes: nful::CT_INFO,
    heard: &[nful::PACKET as u8],
};

/// A socket, the groups that are bound through it, and the calls at work on it.
pub(in crate::capi) struct State {
    pub(super) socket: Socket,
    block: *mut Block,
    pub(super) requests: Requests,
    /// By number.
    groups: Vec<*mut Group>,
    /// Groups that were unbound while calls are at work: a callback may still use its own.
    unbound: *mut Group,
    /// Packets that requests met which were made inside other calls.
    pub(super) kept: Kept,
    pub(super) calls: Nested<Frame, Held>,
    end: End<Self>,
}

/// What a call holds.
#[derive(Default)]
pub(super) struct Held {
    /// Room for datagrams.
    pub(super) room: Vec<u8>,
    /// What is handed on of those that were kept.
    pub(super) kept: Vec<u8>,
    /// The attributes that a function registered with libnfnetlink is handed.
    pub(super) table: Vec<*mut c_void>,
}

/// A group, and what its packets go to.
pub(super) struct Group {
    handle: *mut State,
    number: u16,
    phase: Phase,
    callback: NflogCallback,
    data: *mut c_void,
    /// The next one of those that were unbound.
    next: *mut Self,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A call asks the kernel for it, or asked and never came back.
    Binding(Token),
    Bound,
    /// A call gives it up, or gave it up and never came back.
    Unbinding(Token),
    Unbound,
}

/// The function of a callback.
type LogFunction = unsafe extern "C-unwind" fn(
    *mut nflog_g_handle,
    *mut nfgenmsg,
    *mut nflog_data,
    *mut c_void,
) -> c_int;

/// A group whose callback is to be called.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) group: *mut nflog_g_handle,
    pub(super) callback: LogFunction,
    pub(super) data: *mut c_void,
}

impl State {
    /// A handle without groups.
    ///
    /// # Safety
    /// `block` is a live block, which the handle takes over if this succeeds.
    pub(super) unsafe fn new(
        socket: Socket,
        block: *mut Block,
    ) -> Result<*mut Self, (Socket, Error)> {
        // SAFETY: the block is live, and used by nobody else while a handle is made of it.
        let this = unsafe { &mut *block };
        if let Err(error) = this.open(&socket, &PACKETS, 0) {
            return Err((socket, error));
        }
        let state = place(Self {
            socket,
            block,
            requests: Requests::new(this.seq),
            groups: Vec::new(),
            unbound: std::ptr::null_mut(),
            kept: Kept::default(),
            calls: Nested::default(),
            end: End::default(),
        })
        .map_err(|(state, error)| {
            this.close(PACKETS.id);
            (state.socket, error)
        })?;
        // It was opened above, so this does not fail.
        let _ = this.hook(&PACKETS, Some(dispatch::hooked), state.cast());
        Ok(state)
    }

    /// The state behind a handle, or [`Error::NULL`].
    ///
    /// # Safety
    /// `h` is NULL or a live handle, which nobody else uses while the reference is used.
    pub(super) unsafe fn of<'a>(h: *mut nflog_handle) -> Result<&'a mut Self, Error> {
        // SAFETY: `h` is NULL or live, and a live handle is a state that `new` made.
        unsafe { h.cast::<Self>().as_mut() }.ok_or(Error::NULL)
    }

    /// The block of libnfnetlink.
    #[inline(always)]
    pub(super) fn block(&mut self) -> &mut Block {
        // SAFETY: the block lives as long as the handle, which owns it.
        unsafe { &mut *self.block }
    }

    /// Whether the handle was closed while calls are at work on it.
    pub(super) fn is_closed(&self) -> bool {
        self.end.is_closed()
    }

    /// What a call holds.
    pub(super) fn held(&mut self, token: Token) -> Result<&mut Held, Error> {
        self.calls.held(token).ok_or(Error::CLOSED)
    }

    #[inline(always)]
    fn position(&self, number: u16) -> Result<usize, usize> {
        // SAFETY: what is in the list is live, and used by nobody else during the call.
        self.groups.binary_search_by_key(&number, |group| unsafe { (**group).number })
    }

    #[inline(always)]
    fn group(&mut self, number: u16) -> Option<&mut Group> {
        let group = *self.groups.get(self.position(number).ok()?)?;
        // SAFETY: what is in the list is live, and used by nobody else during the call.
        Some(unsafe { &mut *group })
    }

    /// What the packets of a group go to; `None` if it is not bound here, is being given up, or has
    /// no callback.
    #[inline(always)]
    pub(super) fn target(&mut self, message: &Message<'_>) -> Option<Target> {
        let group = self.group(message.resource())?;
        let (phase, callback, data) = (group.phase, group.callback?, group.data);
        let group = std::ptr::from_mut(group).cast();
        (!self.is_busy(phase)).then_some(Target { group, callback, data })
    }

    /// Whether the call that binds or unbinds a group is still at it.
    #[inline(always)]
    fn is_busy(&mut self, phase: Phase) -> bool {
        match phase {
            Phase::Bound | Phase::Unbound => false,
            Phase::Binding(token) | Phase::Unbinding(token) => self.is_at_work(token),
        }
    }

    #[cold]
    #[inline(never)]
    fn is_at_work(&mut self, token: Token) -> bool {
        self.calls.place(token).is_some()
    }

    /// Notes that a call asks the kernel for a group; whether one did before and never came back.
    pub(super) fn begin_to_bind(&mut self, token: Token, number: u16) -> Result<bool, Error> {
        let at = match self.position(number) {
            Ok(_) => {
                let phase = self.group(number).map_or(Phase::Bound, |group| group.phase);
                if phase == Phase::Bound || self.is_busy(phase) {
                    return Err(Error::ALREADY_OPEN);
                }
                self.set_phase(number, Phase::Binding(token));
                return Ok(true);
            }
            Err(at) => at,
        };
        self.groups.try_reserve(1)?;
        let (handle, callback) = (std::ptr::from_mut(self), None);
        let (data, next) = (std::ptr::null_mut(), std::ptr::null_mut());
        let group = Group { handle, number, phase: Phase::Binding(token), callback, data, next };
        self.groups.insert(at, place(group).map_err(|(_, error)| error)?);
        Ok(false)
    }

    /// Notes what the kernel said to that. The group; NULL if it was refused.
    pub(super) fn end_to_bind(&mut self, number: u16, done: bool) -> *mut nflog_g_handle {
        if done {
            self.set_phase(number, Phase::Bound);
            return self
                .group(number)
                .map_or(std::ptr::null_mut(), |group| std::ptr::from_mut(group).cast());
        }
        self.let_go(number);
        std::ptr::null_mut()
    }

    fn set_phase(&mut self, number: u16, phase: Phase) {
        if let Some(group) = self.group(number) {
            group.phase = phase;
        }
    }

    /// Takes a group out of the list. Its memory is freed when no call is at work.
    fn let_go(&mut self, number: u16) {
        if let Ok(at) = self.position(number) {
            let group = self.groups.remove(at);
            // SAFETY: what was in the list is live.
            unsafe {
                (*group).phase = Phase::Unbound;
                (*group).next = self.unbound;
            }
            self.unbound = group;
        }
    }

    /// Notes that a call gives a group up; whether one did before and never came back.
    pub(super) fn begin_to_unbind(&mut self, token: Token, number: u16) -> Result<bool, Error> {
        let phase = self.group(number).ok_or(Error::of(libc::ENODEV))?.phase;
        if self.is_busy(phase) {
            return Err(Error::ALREADY_OPEN);
        }
        self.set_phase(number, Phase::Unbinding(token));
        Ok(matches!(phase, Phase::Unbinding(_)))
    }

    /// Notes what the kernel said to that.
    pub(super) fn end_to_unbind(&mut self, number: u16, done: bool) {
        if done {
            self.let_go(number);
        } else {
            self.set_phase(number, Phase::Bound);
        }
    }

    /// Notes that a call, and what it called, is over; the last one of a closed handle frees it.
    ///
    /// # Safety
    /// `state` is live, and not used again by this call.
    #[inline(always)]
    pub(super) unsafe fn leave(state: *mut Self, token: Token) {
        // SAFETY: the handle is live, as this call is at work on it; the reference ends before it is
        // freed.
        unsafe {
            let this = &mut *state;
            this.calls.leave(token);
            if !this.unbound.is_null() && this.calls.is_empty() {
                this.free_unbound();
            }
            closed::leave(state);
        }
    }

    #[cold]
    #[inline(never)]
    fn free_unbound(&mut self) {
        while let Some(group) = std::ptr::NonNull::new(self.unbound) {
            // SAFETY: the group was placed, and no call is at work that knows it.
            unsafe {
                self.unbound = group.as_ref().next;
                unplace(group.as_ptr());
            }
        }
    }

    /// Closes the socket and frees the handle, or leaves that to the last call at work.
    ///
    /// # Errors
    /// That of closing the socket; the handle is gone all the same.
    ///
    /// # Safety
    /// `state` is live, and not used again but by the calls at work.
    pub(super) unsafe fn close(state: *mut Self, now: Frame) -> Result<(), Error> {
        Self::closed().sweep(&now);
        // SAFETY: the handle is live and only calls at work use it; the reference into it ends before
        // it is freed.
        unsafe {
            let closed = (*state).socket.close();
            closed::close(state, now);
            Ok(closed?)
        }
    }
}

impl Group {
    /// The group behind a handle, or [`Error::NULL`]; `ENODEV` if it was unbound.
    ///
    /// # Safety
    /// `gh` is NULL or a live group, which nobody else uses while the reference is used.
    pub(super) unsafe fn of<'a>(gh: *mut nflog_g_handle) -> Result<&'a mut Self, Error> {
        // SAFETY: `gh` is NULL or live, and a live one is a group that `begin_to_bind` made.
        let group = unsafe { gh.cast::<Self>().as_mut() }.ok_or(Error::NULL)?;
        if group.phase == Phase::Unbound { Err(Error::of(libc::ENODEV)) } else { Ok(group) }
    }

    /// The handle that it is bound through, and its number.
    pub(super) fn place(&self) -> (*mut State, u16) {
        (self.handle, self.number)
    }

    /// Says what its packets go to.
    pub(super) fn set_callback(&mut self, callback: NflogCallback, data: *mut c_void) {
        (self.callback, self.data) = (callback, data);
    }
}

static CLOSED: Closed<State> = Closed::none();

impl Closable for State {
    fn closed() -> &'static Closed<Self> {
        &CLOSED
    }

    fn end(&mut self) -> &mut End<Self> {
        &mut self.end
    }

    fn are_over(&mut self, now: &Frame) -> bool {
        self.calls.are_over(now)
    }

    fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    unsafe fn free(state: *mut Self) {
        // SAFETY: the handle is live and used by nobody else; the block and the groups are its own.
        unsafe {
            let this = &mut *state;
            this.free_unbound();
            for group in &this.groups {
                unplace(*group);
            }
            Block::free(this.block);
            unplace(state);
        }
    }
}
