//! The two ways into the extensions: on a handle, which keeps what went wrong, and without one.
//!
//! A thread is not cancelled inside, so that frames of Rust may hold what has to be dropped.

use crate::capi::conntrack::extension::Extended;
use crate::capi::conntrack::types::nfct_handle;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::{point_of_cancellation, without_cancellation};
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::{Taker, ctrs_error, errno_of};
use crate::error::Error;

/// Runs `f` on a handle: an error becomes `on_error` and `errno`, and is what the handle's last call
/// said. The thread may be cancelled before.
///
/// # Safety
/// `h` is NULL or a live handle.
pub(in crate::capi) unsafe fn with_handle<T, F>(h: *mut nfct_handle, on_error: T, f: F) -> T
where
    F: FnOnce(&mut Extended<'_>) -> Result<T, Error>,
{
    // A cancelled thread leaves without dropping anything.
    const { assert!(!std::mem::needs_drop::<F>() && !std::mem::needs_drop::<T>()) };
    point_of_cancellation();
    without_cancellation(|| {
        boundary(on_error, || {
            // SAFETY: `h` is NULL or live, and used by nobody else during the call.
            let mut extended = unsafe { Extended::of(h) }?;
            extended.forget_error();
            f(&mut extended).map_err(|error| extended.keep_error(&error))
        })
    })
}

/// Runs `f`, which needs no handle: an error becomes `on_error` and `errno`, and is told to the caller
/// who has room for it.
///
/// # Safety
/// `error` is NULL or points to as many writable bytes as its `size` says.
pub(in crate::capi) unsafe fn without_handle<T, F>(error: *mut ctrs_error, on_error: T, f: F) -> T
where
    F: FnOnce() -> Result<T, Error>,
{
    without_cancellation(|| {
        boundary(on_error, || {
            // SAFETY: `error` is NULL or the caller's, during the call.
            let mut taker = unsafe { Taker::of(error) }?;
            let result = f();
            taker.tell(result.as_ref().err());
            result.map_err(|error| Errno::of(errno_of(&error)))
        })
    })
}
