//! Handles: opened and closed.

use super::alloc::{Object, place, unplace};
use super::boundary::boundary;
use super::callback::Functions;
use super::nfnl::Block;
use super::types::{nf_conntrack, nf_expect, nfct_handle, nfnl_handle};
use crate::error::Error;
use crate::handle::Handle;
use crate::netlink::socket::Socket;
use crate::wire::cta;
use libc::{c_int, c_uint};

/// The two kinds of messages that a handle may be open for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Conntrack,
    Expectation,
}

/// What is behind a `struct nfct_handle`.
pub(super) struct State {
    pub(super) core: Handle,
    block: *mut Block,
    pub(super) ct: Functions<nf_conntrack>,
    pub(super) exp: Functions<nf_expect>,
    /// An object to lend to the next callback.
    pub(super) spare: Option<*mut Object>,
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
    unsafe fn new(
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
        let state = Self { core, block, ct, exp, spare: None, loops: 0, closing: false };
        place(state).map_err(|(state, error)| (state.core.into_socket(), error))
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

    /// # Safety
    /// `state` is live and not used again; its socket is closed.
    unsafe fn free(state: *mut Self) {
        // SAFETY: this function's contract; the block is the handle's own.
        unsafe {
            if let Some(object) = (*state).spare.take() {
                Object::free(object);
            }
            Block::free((*state).block);
            unplace(state);
        }
    }
}

/// Opens a handle: a netlink socket for conntrack (CONNTRACK), expectations (EXPECT) or both (0),
/// subscribed to the groups of events in `subscriptions` (`NFCT_ALL_CT_GROUPS`,
/// `NF_NETLINK_CONNTRACK_*`). Release it with nfct_close().
///
/// The descriptor is close-on-exec and belongs to the network namespace of the calling thread.
/// Returns NULL with errno: EPERM for groups without CAP_NET_ADMIN, EPROTONOSUPPORT for a kernel
/// without netfilter netlink, EMFILE, ENOMEM.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_open(subsys_id: u8, subscriptions: c_uint) -> *mut nfct_handle {
    boundary(std::ptr::null_mut(), || {
        let socket = Socket::open()?;
        let block = Block::create(&socket)?;
        // SAFETY: the block is new and nobody else's.
        let state = unsafe { State::new(socket, block, subsys_id, subscriptions) };
        state.map(<*mut State>::cast).map_err(|(_, error)| {
            // SAFETY: no handle took the block over.
            unsafe { Block::free(block) };
            error
        })
    })
}

/// Opens a handle on a netlink handle of libnfnetlink, which nfct_close() then closes too.
///
/// Returns NULL with EBUSY if the subsystem is open on it already, with EINVAL for NULL, else as
/// nfct_open(); the netlink handle then stays the caller's.
///
/// # Safety
/// `nfnlh` is NULL or a live handle from nfnl_open() or nfct_nfnlh().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_open_nfnl(
    nfnlh: *mut nfnl_handle,
    subsys_id: u8,
    subscriptions: c_uint,
) -> *mut nfct_handle {
    boundary(std::ptr::null_mut(), || {
        super::ptr::not_null(nfnlh, "the netlink handle")?;
        let block: *mut Block = nfnlh.cast();
        // SAFETY: this function's contract; the descriptor is the block's.
        let socket = unsafe { Socket::from_raw((*block).fd) };
        // SAFETY: this function's contract.
        unsafe { State::new(socket, block, subsys_id, subscriptions) }
            .map(<*mut State>::cast)
            .map_err(|(socket, error)| {
                socket.release();
                error
            })
    })
}

/// Closes a handle and its socket. The handle is gone whatever is returned.
///
/// A callback may close its own handle: the call it was called from then returns as the callback's
/// verdict says, or with EBADF. Returns 0; -1 with errno of close(), or EINVAL for NULL.
///
/// # Safety
/// `cth` is NULL or a live handle, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_close(cth: *mut nfct_handle) -> c_int {
    boundary(-1, || {
        let state: *mut State = cth.cast();
        // SAFETY: this function's contract; the reference ends before the handle is freed.
        let this = unsafe { state.as_mut() }.ok_or(Error::Null("the handle"))?;
        let closed = this.core.close();
        this.closing = true;
        if this.loops == 0 {
            // SAFETY: no loop is at work, and the caller gave the handle up.
            unsafe { State::free(state) };
        }
        closed.map(|()| 0)
    })
}

/// The handle's descriptor, to poll, to set options of, or to make non-blocking; -1 with EINVAL for
/// NULL. It stays the handle's.
///
/// # Safety
/// `cth` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_fd(cth: *mut nfct_handle) -> c_int {
    boundary(-1, || {
        // SAFETY: this function's contract.
        let state = unsafe { cth.cast::<State>().as_mut() }.ok_or(Error::Null("the handle"))?;
        Ok(state.block().fd)
    })
}

/// The netlink handle under a handle, for functions of libnfnetlink; NULL with EINVAL for NULL.
///
/// It is the same for the life of the handle and stays the handle's.
///
/// # Safety
/// `cth` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_nfnlh(cth: *mut nfct_handle) -> *const nfnl_handle {
    boundary(std::ptr::null(), || {
        // SAFETY: this function's contract.
        let state = unsafe { cth.cast::<State>().as_ref() }.ok_or(Error::Null("the handle"))?;
        Ok(state.block.cast_const().cast())
    })
}
