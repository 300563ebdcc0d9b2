//! Handles: opened and closed.

use super::state::State;
use super::types::{nfct_handle, nfnl_handle};
use crate::capi::ffi::at_work::Frame;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::point_of_cancellation;
use crate::capi::ffi::closed::Closable;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::nfnl::Block;
use crate::capi::ffi::ptr;
use crate::netlink::socket::Socket;
use libc::{c_int, c_uint};

/// Opens a handle: a netlink socket for entries (CONNTRACK), expectations (EXPECT) or both (0),
/// which hears the groups of events in `subscriptions`: NFCT_ALL_CT_GROUPS, or some of
/// NF_NETLINK_CONNTRACK_*; 0 for none. Release it with nfct_close().
///
/// The descriptor is close-on-exec and belongs to the network namespace of the calling thread.
///
/// Returns the handle; NULL with EPERM for groups without CAP_NET_ADMIN, with EPROTONOSUPPORT if
/// the kernel lacks netfilter netlink, with EMFILE, ENFILE or ENOMEM.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_open(subsys_id: u8, subscriptions: c_uint) -> *mut nfct_handle {
    let mark = 0u8;
    boundary(std::ptr::null_mut(), || {
        State::closed().sweep(&Frame::of(&raw const mark));
        open_on(Socket::open()?, subsys_id, subscriptions)
    })
}

/// Makes a handle of a socket.
pub(in crate::capi) fn open_on(
    socket: Socket,
    subsystem: u8,
    groups: c_uint,
) -> Result<*mut nfct_handle, Error> {
    let block = Block::create(&socket)?;
    // SAFETY: the block is new and nobody else's.
    let state = unsafe { State::new(socket, block, subsystem, groups) };
    state.map(<*mut State>::cast).map_err(|(_, error)| {
        // SAFETY: no handle took the block over.
        unsafe { Block::free(block) };
        error
    })
}

/// Opens a handle on a netlink handle of libnfnetlink, which nfct_close() then closes too.
///
/// Returns the handle; NULL with EBUSY if the subsystem is open on it already, with EINVAL for
/// NULL, else as nfct_open(). The netlink handle then stays the caller's.
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
        ptr::not_null(nfnlh)?;
        let block: *mut Block = nfnlh.cast();
        // SAFETY: the block is not NULL, so it is live, and its descriptor is an open netlink
        // socket.
        let socket = unsafe { Socket::from_raw((*block).fd) };
        // SAFETY: the block is live; it is the caller's again if this fails.
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
/// A callback may close its own handle: the call that it was called from then returns as the
/// callback's verdict says, or -1 with EBADF.
///
/// Returns 0; -1 with errno of close(), with EINVAL for NULL.
///
/// # Safety
/// `cth` is NULL or a live handle, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfct_close(cth: *mut nfct_handle) -> c_int {
    // Where close() would be one.
    point_of_cancellation();
    let mark = 0u8;
    boundary(-1, || {
        ptr::not_null(cth)?;
        let now = Frame::of(&raw const mark);
        // SAFETY: the handle is not NULL, so it is live; the caller does not use it again.
        unsafe { State::close(cth.cast(), now) }.map(|()| 0)
    })
}

/// The descriptor of a handle, to poll, to set options of, or to make non-blocking. It stays the
/// handle's: do not close it.
///
/// Returns the descriptor; -1 with EINVAL for NULL.
///
/// # Safety
/// `cth` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_fd(cth: *mut nfct_handle) -> c_int {
    boundary(-1, || {
        // SAFETY: `cth` is NULL or live, and used by nobody else during the call.
        let state = unsafe { State::of(cth) }?;
        Ok(state.block().fd)
    })
}

/// The netlink handle under a handle, for functions of libnfnetlink. It is the same for the life of
/// the handle and stays the handle's.
///
/// Returns the netlink handle; NULL with EINVAL for NULL.
///
/// # Safety
/// `cth` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_nfnlh(cth: *mut nfct_handle) -> *const nfnl_handle {
    boundary(std::ptr::null(), || {
        // SAFETY: `cth` is NULL or live, and used by nobody else during the call.
        let state = unsafe { State::of(cth) }?;
        Ok(std::ptr::from_mut(state.block()).cast_const().cast())
    })
}
