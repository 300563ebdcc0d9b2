//! Answers of several messages, read as they are wanted: what is behind the lists of timeout policies and
//! helpers.

use super::dump::ctrs_dump_verdict;
use crate::capi::conntrack::extension::Extended;
use crate::capi::ffi::alloc::{place, unplace};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::{point_of_cancellation, without_cancellation};
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::{ctrs_error, errno_of};
use crate::connection::{Answer, Ask};
use crate::error::Error;
use crate::netlink;
use crate::netlink::message::Message;
use libc::c_int;

const INCONSISTENT: c_int = ctrs_dump_verdict::CTRS_INCONSISTENT as c_int;

/// A list that is read, and what has become of it.
pub(super) struct Pulled {
    answer: Answer,
    failed: Option<Error>,
    error: ctrs_error,
}

/// Begins a list on a handle, which C knows as a `C`.
pub(super) fn begin<C>(extended: &mut Extended<'_>, request: &dyn Ask) -> Result<*mut C, Error> {
    let answer = extended.another()?.begin(Some(request), request.kind())?;
    let placed = place(Pulled { answer, failed: None, error: ctrs_error::NONE });
    placed.map(<*mut Pulled>::cast).map_err(|_| netlink::Error::OutOfMemory.into())
}

/// Runs `f` on a list: an error becomes `on_error` and `errno`, and is what the list's last call said.
/// The thread may be cancelled before.
///
/// # Safety
/// `list` is NULL or one that [`begin`] made, which nobody else uses meanwhile.
pub(super) unsafe fn with_answer<C, T, F>(list: *mut C, on_error: T, f: F) -> T
where
    F: FnOnce(&mut Pulled) -> Result<T, Error>,
{
    // A cancelled thread leaves without dropping anything.
    const { assert!(!std::mem::needs_drop::<F>() && !std::mem::needs_drop::<T>()) };
    point_of_cancellation();
    without_cancellation(|| {
        boundary(on_error, || {
            // SAFETY: `list` is NULL or one that `begin` placed, used by nobody else.
            let list = unsafe { list.cast::<Pulled>().as_mut() }.ok_or(Errno::NULL)?;
            list.error.clear();
            f(list).map_err(|error| {
                list.error.set(&error);
                Errno::of(errno_of(&error))
            })
        })
    })
}

/// Ends a list, and gives its verdict.
///
/// # Safety
/// `list` is NULL or one that [`begin`] made, which is not used again.
pub(super) unsafe fn end<C>(list: *mut C) -> Result<c_int, Errno> {
    let list = list.cast::<Pulled>();
    // SAFETY: `list` is NULL or one that `begin` placed, used by nobody else.
    let pulled = unsafe { list.as_mut() }.ok_or(Errno::NULL)?;
    let verdict = match &pulled.failed {
        Some(error) => Err(Errno::of(errno_of(error))),
        None if pulled.answer.is_interrupted() => Ok(INCONSISTENT),
        None => Ok(0),
    };
    // SAFETY: the list is live, and not used again.
    unsafe { unplace(list) };
    verdict
}

/// What the last call on a list said.
///
/// # Safety
/// `list` is NULL or one that [`begin`] made.
pub(super) unsafe fn last_error<C>(list: *const C) -> Result<*const ctrs_error, Errno> {
    // SAFETY: `list` is NULL or one that `begin` placed.
    let list = unsafe { list.cast::<Pulled>().as_ref() }.ok_or(Errno::NULL)?;
    Ok(&raw const list.error)
}

impl Pulled {
    /// What `read` makes of the next message; `None` at the end. What has failed once goes on failing.
    pub(super) fn next<T>(
        &mut self,
        read: impl FnOnce(&Message<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let kind = self.answer.kind();
        let found = match self.answer.next() {
            Ok(message) => message.map(|message| read(&message)).transpose(),
            Err(error) => Err(error),
        };
        let found = found.map_err(|error| error.of(kind));
        self.failed = found.as_ref().err().cloned();
        found
    }
}
