//! Cancellation of threads, which unwinds every frame between a system call and C.
//!
//! Where a call of this library may wait, or the program expects a thread to end there, no frame on
//! the way has anything to drop. Elsewhere cancellation is held off.

use libc::{c_char, c_int, c_void, ssize_t};

unsafe extern "C-unwind" {
    fn pthread_testcancel();
    pub(in crate::capi) fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    pub(in crate::capi) fn read(fd: c_int, buffer: *mut c_void, size: usize) -> ssize_t;
}

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// Ends the thread here if it was cancelled. No caller may have anything to drop.
pub(in crate::capi) fn point_of_cancellation() {
    // SAFETY: the callers are exported functions, which say that they may unwind.
    unsafe { pthread_testcancel() };
}

/// Runs `f`, in which the thread is not cancelled. `f` does not panic.
pub(in crate::capi) fn without_cancellation<T>(f: impl FnOnce() -> T) -> T {
    let mut before = 0;
    // SAFETY: the state before is written to a local.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut before) };
    let result = f();
    // SAFETY: NULL is allowed; the state is the one of before.
    unsafe { pthread_setcancelstate(before, std::ptr::null_mut()) };
    result
}
