//! Handles: opened and closed, and the families whose default logger they make NFLOG.

use super::request::{self, Task};
use super::state::State;
use super::types::nflog_handle;
use crate::capi::conntrack::types::nfnl_handle;
use crate::capi::ffi::at_work::Frame;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::point_of_cancellation;
use crate::capi::ffi::closed::Closable;
use crate::capi::ffi::nfnl::Block;
use crate::capi::ffi::ptr;
use crate::netlink::socket::Socket;
use crate::nflog::config::Command;
use libc::c_int;

/// Opens a handle: a netlink socket for logged packets. Release it with nflog_close().
///
/// The descriptor is close-on-exec and belongs to the network namespace of the calling thread. No
/// privilege is needed until something is bound.
///
/// Returns the handle; NULL with EPROTONOSUPPORT if the kernel lacks netfilter netlink, with EMFILE,
/// ENFILE or ENOMEM.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_open() -> *mut nflog_handle {
    let mark = 0u8;
    boundary(std::ptr::null_mut(), || {
        State::closed().sweep(&Frame::of(&raw const mark));
        let socket = Socket::open()?;
        let block = Block::create(&socket)?;
        // SAFETY: the block is new and nobody else's.
        unsafe {
            // As programs know it: libnfnetlink does not compare numbers.
            (*block).flags = 0;
            State::new(socket, block).map(<*mut State>::cast).map_err(|(_, error)| {
                Block::free(block);
                error
            })
        }
    })
}

/// Opens a handle on a netlink handle of libnfnetlink, which nflog_close() then closes too.
///
/// Returns the handle; NULL with EBUSY if logged packets are open on it already, with EINVAL for
/// NULL, with ENOMEM. The netlink handle then stays the caller's.
///
/// # Safety
/// `nfnlh` is NULL or a live handle from nfnl_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_open_nfnl(nfnlh: *mut nfnl_handle) -> *mut nflog_handle {
    let mark = 0u8;
    boundary(std::ptr::null_mut(), || {
        ptr::not_null(nfnlh)?;
        State::closed().sweep(&Frame::of(&raw const mark));
        let block: *mut Block = nfnlh.cast();
        // SAFETY: the block is not NULL, so it is live, and its descriptor is an open netlink socket;
        // it is the caller's again if this fails.
        unsafe {
            let socket = Socket::from_raw((*block).fd);
            State::new(socket, block).map(<*mut State>::cast).map_err(|(socket, error)| {
                socket.release();
                error
            })
        }
    })
}

/// Closes a handle and its socket, and releases its groups. The kernel unbinds them by itself, no
/// privilege is needed. The handle is gone whatever is returned.
///
/// A callback may close its own handle: the function that it was called from hands out no more, and
/// returns -1 with EBADF if there was more to do.
///
/// Returns 0; -1 with errno of close(), with EINVAL for NULL.
///
/// # Safety
/// `h` is NULL or a live handle, and neither it nor one of its groups is used again.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nflog_close(h: *mut nflog_handle) -> c_int {
    // Where close() would be one.
    point_of_cancellation();
    let mark = 0u8;
    boundary(-1, || {
        ptr::not_null(h)?;
        let now = Frame::of(&raw const mark);
        // SAFETY: the handle is not NULL, so it is live; the caller does not use it again.
        unsafe { State::close(h.cast(), now) }.map(|()| 0)
    })
}

/// The descriptor of a handle, to receive from, to poll, to set options of. It stays the handle's:
/// do not close it.
///
/// Hand what is received to nflog_handle_packet(). A buffer of 262144 bytes holds whatever comes;
/// one of 65536 is too small for the largest packets. ENOBUFS says that packets came faster than
/// they were read and that some are missing; the next recv() goes on.
///
/// Returns the descriptor; -1 with EINVAL for NULL.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_fd(h: *mut nflog_handle) -> c_int {
    boundary(-1, || {
        // SAFETY: `h` is NULL or live, and used by nobody else during the call.
        let state = unsafe { State::of(h) }?;
        Ok(state.block().fd)
    })
}

/// The netlink handle under a handle, for functions of libnfnetlink, as nfnl_rcvbufsiz(). It is the
/// same for the life of the handle and stays the handle's.
///
/// Returns the netlink handle; NULL with EINVAL for NULL.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_nfnlh(h: *mut nflog_handle) -> *mut nfnl_handle {
    boundary(std::ptr::null_mut(), || {
        // SAFETY: `h` is NULL or live, and used by nobody else during the call.
        let state = unsafe { State::of(h) }?;
        Ok(std::ptr::from_mut(state.block()).cast())
    })
}

/// Makes NFLOG the default logger of a family in the network namespace of the handle: what
/// conntrack says of invalid packets, and what TRACE says, then goes to group 0. Rules that name a
/// group need none of this. It outlives the handle.
///
/// `pf` is an address family, of which the low byte counts: AF_INET, AF_INET6, AF_BRIDGE.
///
/// Packets that wait are handed to the callbacks of their groups, as nflog_handle_packet() does.
///
/// Returns 0; -1 with EPERM without CAP_NET_ADMIN, with EINVAL for a family that the kernel does not
/// know and for NULL, with ENOMEM, with ENOBUFS if the kernel's answers are lost again and again,
/// with EBADF when a callback closed the handle.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nflog_bind_pf(h: *mut nflog_handle, pf: u16) -> c_int {
    // SAFETY: `h` is NULL or a live handle.
    unsafe { ask_for_family(h, pf, Command::BindFamily) }
}

/// Takes its default logger from a family, whichever it is: see nflog_bind_pf().
///
/// Returns as nflog_bind_pf().
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nflog_unbind_pf(h: *mut nflog_handle, pf: u16) -> c_int {
    // SAFETY: `h` is NULL or a live handle.
    unsafe { ask_for_family(h, pf, Command::UnbindFamily) }
}

/// # Safety
/// `h` is NULL or a live handle.
unsafe fn ask_for_family(h: *mut nflog_handle, pf: u16, command: Command) -> c_int {
    point_of_cancellation();
    let mark = 0u8;
    if !boundary(false, || ptr::not_null(h).map(|()| true)) {
        return -1;
    }
    // SAFETY: the handle is not NULL, so it is live; the mark is in this function's frame.
    unsafe { request::run(h.cast(), &raw const mark, Task::Family(pf as u8, command)).0 }
}
