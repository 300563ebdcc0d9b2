//! Waits that are ended from elsewhere.

use crate::capi::conntrack::beyond::Handle;
use crate::capi::conntrack::types::nfct_handle;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use libc::c_int;

/// Ends the call that waits on a handle, which then fails with ECANCELED.
///
/// If none waits, the next wait on the handle ends at once: a wake is never lost, and is used up by
/// the one wait that it ends. Several wakes before that count as one. Any thread may call this while
/// another uses the handle, and so may the handler of a signal; errno stays as it is, and what
/// ctrs_last_error() says.
///
/// It ends the waits of all functions of this header, and on a handle of ctrs_open() those of
/// nfct_catch(), nfct_query() and their nfexp_ siblings too.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `h` is NULL or a live handle, which is not closed meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_wake(h: *mut nfct_handle) -> c_int {
    boundary(-1, || {
        // SAFETY: `h` is NULL or live. What another thread changes in it lies beside the waker.
        let waker = unsafe { Handle::waker(h) }.ok_or(Error::NULL)?;
        waker.wake();
        Ok(0)
    })
}
