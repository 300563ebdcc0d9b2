//! What is behind a `struct nfct_handle`.

use super::alloc::{Object, place, unplace};
use super::nfnl::Block;
use super::types::{RawMsgType, nf_conntrack, nf_expect};
use crate::error::Error;
use crate::handle::Handle;
use crate::netlink::message::Message;
use crate::netlink::socket::Socket;
use crate::wire::{Change, cta};
use libc::{c_int, c_void, nlmsghdr};

/// The functions of one subsystem, and what both are called with.
pub(super) struct Functions<T> {
    /// Which changes are wanted, `NFCT_T_*`.
    pub(super) types: RawMsgType,
    pub(super) data: *mut c_void,
    pub(super) v1: Option<unsafe extern "C-unwind" fn(RawMsgType, *mut T, *mut c_void) -> c_int>,
    pub(super) v2: Option<
        unsafe extern "C-unwind" fn(*const nlmsghdr, RawMsgType, *mut T, *mut c_void) -> c_int,
    >,
}

impl<T> Clone for Functions<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Functions<T> {}

impl<T> Default for Functions<T> {
    fn default() -> Self {
        Self { types: 0, data: std::ptr::null_mut(), v1: None, v2: None }
    }
}

impl<T> Functions<T> {
    /// Whether a message is wanted, and what it says.
    pub(super) fn wanted(&self, message: &Message<'_>) -> Option<RawMsgType> {
        let change = Change::of(message)? as RawMsgType;
        (self.types & change != 0).then_some(change)
    }

    pub(super) fn forget(&mut self) {
        self.types = 0;
        self.data = std::ptr::null_mut();
    }
}

/// A socket with its callbacks.
pub(super) struct State {
    pub(super) core: Handle,
    block: *mut Block,
    pub(super) ct: Functions<nf_conntrack>,
    pub(super) exp: Functions<nf_expect>,
    /// An object to lend to the next callback.
    pub(super) spare_ct: Option<*mut Object<nf_conntrack>>,
    /// The same for expectations.
    pub(super) spare_exp: Option<*mut Object<nf_expect>>,
    /// Number of receive loops at work.
    loops: u32,
    /// The handle was closed while loops are at work: the last one frees it.
    closing: bool,
}

impl State {
    /// A handle for the subsystems that `subsystem` stands for: 0 for both, 1 or 2 for one of
    /// them, any other number for none.
    ///
    /// # Safety
    /// `block` is a live block, which the handle takes over if this succeeds.
    pub(super) unsafe fn new(
        socket: Socket,
        block: *mut Block,
        subsystem: u8,
        groups: u32,
    ) -> Result<*mut Self, (Socket, Error)> {
        // SAFETY: this function's contract.
        let this = unsafe { &mut *block };
        let wanted = match subsystem {
            0 => &[cta::SUBSYS_CT, cta::SUBSYS_EXP][..],
            1 => &[cta::SUBSYS_CT],
            2 => &[cta::SUBSYS_EXP],
            _ => &[],
        };
        for (at, id) in wanted.iter().enumerate() {
            if let Err(error) = this.open(&socket, *id, groups) {
                wanted.iter().take(at).for_each(|id| this.close(*id));
                return Err((socket, error));
            }
        }
        let core = Handle::new(socket, this.seq);
        let (ct, exp) = (Functions::default(), Functions::default());
        let state = Self {
            core,
            block,
            ct,
            exp,
            spare_ct: None,
            spare_exp: None,
            loops: 0,
            closing: false,
        };
        place(state).map_err(|(state, error)| {
            wanted.iter().for_each(|id| this.close(*id));
            (state.core.into_socket(), error)
        })
    }

    /// The block of libnfnetlink.
    pub(super) fn block(&mut self) -> &mut Block {
        // SAFETY: the block lives as long as the handle, which owns it.
        unsafe { &mut *self.block }
    }

    /// Takes over what programs changed in the block by calling libnfnetlink.
    pub(super) fn read_block(&mut self) {
        let (seq, size) = (self.block().seq, self.block().rcv_buffer_size);
        self.core.set_last_seq(seq);
        self.core.set_receive_size(size as usize);
    }

    /// Tells libnfnetlink the number of the last request.
    pub(super) fn write_block(&mut self) {
        self.block().seq = self.core.last_seq();
    }

    /// Whether a callback closed the handle.
    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Notes that a receive loop begins.
    pub(super) fn enter(&mut self) {
        self.loops += 1;
    }

    /// Notes that a receive loop ends; the last one of a closed handle frees it.
    ///
    /// # Safety
    /// `state` is live, and not used again by this loop.
    pub(super) unsafe fn leave(state: *mut Self) {
        // SAFETY: this function's contract; the reference ends before the handle is freed.
        let done = unsafe {
            (*state).loops -= 1;
            (*state).closing && (*state).loops == 0
        };
        if done {
            // SAFETY: no loop is left, and the program gave the handle up.
            unsafe { Self::free(state) };
        }
    }

    /// Closes the socket and frees the handle, or leaves that to the last loop at work.
    ///
    /// # Errors
    /// [`Error::System`]; the handle is gone all the same.
    ///
    /// # Safety
    /// `state` is live, and not used again but by its loops.
    pub(super) unsafe fn close(state: *mut Self) -> Result<(), Error> {
        // SAFETY: this function's contract; the reference ends before the handle is freed.
        let this = unsafe { &mut *state };
        let closed = this.core.close();
        this.closing = true;
        if this.loops == 0 {
            // SAFETY: no loop is at work, and the caller gave the handle up.
            unsafe { Self::free(state) };
        }
        closed
    }

    /// # Safety
    /// `state` is live and not used again; its socket is closed.
    unsafe fn free(state: *mut Self) {
        // SAFETY: this function's contract; the block is the handle's own.
        unsafe {
            if let Some(object) = (*state).spare_ct.take() {
                Object::free(object);
            }
            if let Some(object) = (*state).spare_exp.take() {
                Object::free(object);
            }
            Block::free((*state).block);
            unplace(state);
        }
    }
}
