//! Groups: bound, told what to send, and unbound.

use super::request::{self, Task};
use super::state::Group;
use super::types::{NflogCallback, nflog_g_handle, nflog_handle};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::point_of_cancellation;
use crate::capi::ffi::ptr;
use crate::nflog::config::Setting;
use libc::{c_int, c_uint, c_void};

/// Binds a group: the packets that rules of the handle's network namespace log to this number come
/// through the handle. Release it with nflog_unbind_group(), or with the handle.
///
/// Until more is said the whole packet comes, in batches of up to 100, after a second at the latest.
///
/// Packets of other groups that wait are handed to their callbacks meanwhile, as
/// nflog_handle_packet() does; so does every function here that asks the kernel for something.
///
/// Returns the group; NULL with EBUSY if the group is bound through this handle, with EPERM if it
/// is bound through another one, or without CAP_NET_ADMIN, with EINVAL for NULL, with ENOMEM, with
/// ENOBUFS if the kernel's answers are lost again and again, with EBADF when a callback closed the
/// handle.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nflog_bind_group(
    h: *mut nflog_handle,
    num: u16,
) -> *mut nflog_g_handle {
    point_of_cancellation();
    let mark = 0u8;
    if !boundary(false, || ptr::not_null(h).map(|()| true)) {
        return std::ptr::null_mut();
    }
    // SAFETY: the handle is not NULL, so it is live; the mark is in this function's frame.
    unsafe { request::run(h.cast(), &raw const mark, Task::Bind(num)).1 }
}

/// Unbinds a group and releases it. Its callback is called no more: what waits for it is dropped.
///
/// A callback may unbind its own group, and use it until the function returns that it was called
/// from.
///
/// Returns 0; -1 with EBUSY if a call that this one is inside of unbinds it, with errno of the
/// kernel's refusal, as EPERM after privileges were dropped, and the group then stays (the handle
/// can be closed all the same), else as nflog_set_mode().
///
/// # Safety
/// `gh` is NULL or a live group.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nflog_unbind_group(gh: *mut nflog_g_handle) -> c_int {
    // SAFETY: `gh` is NULL or a live group.
    unsafe { ask_for(gh, Task::Unbind) }
}

/// Sets how much of each packet comes: NFULNL_COPY_NONE or NFULNL_COPY_META, what is known of it
/// but none of its bytes; NFULNL_COPY_PACKET, `len` of its bytes, or with 0 up to 65531.
///
/// Returns 0; -1 with EPERM without CAP_NET_ADMIN, with ENODEV if the group is not bound, with
/// EINVAL for NULL, with ENOMEM, with ENOBUFS if the kernel's answers are lost again and again, with
/// EBADF when a callback closed the handle.
///
/// # Safety
/// `gh` is NULL or a live group.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nflog_set_mode(
    gh: *mut nflog_g_handle,
    mode: u8,
    len: c_uint,
) -> c_int {
    // SAFETY: `gh` is NULL or a live group.
    unsafe { set(gh, Setting::Mode { mode, range: len }) }
}

/// Sets how long a batch waits for more packets, in hundredths of a second; 100 until this is set.
/// It counts from the next batch on.
///
/// Returns as nflog_set_mode().
///
/// # Safety
/// `gh` is NULL or a live group.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nflog_set_timeout(gh: *mut nflog_g_handle, timeout: u32) -> c_int {
    // SAFETY: `gh` is NULL or a live group.
    unsafe { set(gh, Setting::Timeout(timeout)) }
}

/// Sets how many packets make a batch full; 100 until this is set. With 0 or 1 each one comes at
/// once, which costs several times as much.
///
/// Returns as nflog_set_mode().
///
/// # Safety
/// `gh` is NULL or a live group.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nflog_set_qthresh(gh: *mut nflog_g_handle, qthresh: u32) -> c_int {
    // SAFETY: `gh` is NULL or a live group.
    unsafe { set(gh, Setting::Threshold(qthresh)) }
}

/// Sets the bytes of a batch, 3776 to 131072, and makes the socket's receive buffer ten times as
/// large if it is smaller and the system allows it. The kernel accepts other numbers and ignores
/// them, and then the receive buffer stays as it is.
///
/// Returns as nflog_set_mode().
///
/// # Safety
/// `gh` is NULL or a live group.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nflog_set_nlbufsiz(
    gh: *mut nflog_g_handle,
    nlbufsiz: u32,
) -> c_int {
    // SAFETY: `gh` is NULL or a live group.
    unsafe { set(gh, Setting::BufferSize(nlbufsiz)) }
}

/// Sets what else comes with each packet: NFULNL_CFG_F_SEQ, its number in the group;
/// NFULNL_CFG_F_SEQ_GLOBAL, its number in the network namespace; NFULNL_CFG_F_CONNTRACK (since
/// Linux 4.4), the flow it belongs to. In place of what was set before.
///
/// Returns as nflog_set_mode(); -1 with EOPNOTSUPP for NFULNL_CFG_F_CONNTRACK where the kernel was
/// built without it: nothing is changed then.
///
/// # Safety
/// `gh` is NULL or a live group.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nflog_set_flags(gh: *mut nflog_g_handle, flags: u16) -> c_int {
    // SAFETY: `gh` is NULL or a live group.
    unsafe { set(gh, Setting::Flags(flags)) }
}

/// Registers the function that the packets of a group are handed to, in place of one before; NULL
/// for none.
///
/// It is handed the group, the head of the message (the rest of the message is around it), the
/// packet, and `data`. It returns a negative number to have no more of the datagram; other
/// numbers go on.
///
/// Returns 0; -1 with EINVAL for NULL, with ENODEV for a group that was unbound.
///
/// # Safety
/// `gh` is NULL or a live group; `cb` may be called with `data` while it is registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_callback_register(
    gh: *mut nflog_g_handle,
    cb: NflogCallback,
    data: *mut c_void,
) -> c_int {
    boundary(-1, || {
        // SAFETY: `gh` is NULL or live, and used by nobody else during the call.
        unsafe { Group::of(gh) }?.set_callback(cb, data);
        Ok(0)
    })
}

/// Changes a setting of a group.
///
/// # Safety
/// `gh` is NULL or a live group.
unsafe fn set(gh: *mut nflog_g_handle, setting: Setting) -> c_int {
    // SAFETY: `gh` is NULL or a live group.
    unsafe { ask_for(gh, |number| Task::Set(number, setting)) }
}

/// Asks the kernel for something about a group.
///
/// # Safety
/// `gh` is NULL or a live group.
unsafe fn ask_for(gh: *mut nflog_g_handle, task: impl FnOnce(u16) -> Task) -> c_int {
    point_of_cancellation();
    let mark = 0u8;
    let begun = boundary(None, || {
        // SAFETY: `gh` is NULL or live; the reference ends before anything of the program runs.
        let (handle, number) = unsafe { Group::of(gh) }?.place();
        Ok(Some((handle, task(number))))
    });
    let Some((handle, task)) = begun else { return -1 };
    // SAFETY: a live group's handle is live; the mark is in this function's frame.
    unsafe { request::run(handle, &raw const mark, task).0 }
}
