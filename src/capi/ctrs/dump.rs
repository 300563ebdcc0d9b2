//! Flows that are listed.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::with_handle;
use super::filter::{ctrs_filter, optional};
use super::reading::{self, Lists, last_error, with_list};
use crate::capi::conntrack::types::{nf_conntrack, nfct_handle};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::without_cancellation;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::ctrs_error;
use crate::capi::ffi::ptr;
use crate::conntrack::dump::{Order, What};
use crate::conntrack::expression::Expression;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::record::FlowRecord;
use crate::error::{Error, Invalid};
use libc::{c_int, size_t, ssize_t};

/// What ctrs_dump_end() and ctrs_expect_dump_end() say of a list.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_dump_verdict {
    /// Nothing was missed and nothing came twice, as far as can be told of what was read.
    CTRS_CONSISTENT = 0,
    /// Entries may have been missed, or have come twice: the number of hash buckets changed, an
    /// entry came twice, or the kernel said so. List them again.
    CTRS_INCONSISTENT = 1,
}

/// How a list is made.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_dump_flags {
    /// Sets the counters of each flow that is listed to zero; the flow tells what they were. With a
    /// filter that takes two more requests for each; without, a list that ends half way may have set
    /// others to zero too.
    CTRS_DUMP_RESET = 1,
    /// Lists, in place of the table, the flows that have ended while a listener that misses nothing
    /// is still to be told so (CTRS_OPEN_RELIABLE). Their list is always consistent.
    CTRS_DUMP_DYING = 2,
    /// Searches for no entries that come twice, which spares 16 bytes of memory for each, and a few
    /// hundredths of the time.
    CTRS_DUMP_NO_DUPLICATE_SEARCH = 4,
}

const RESET: u32 = ctrs_dump_flags::CTRS_DUMP_RESET as u32;
const DYING: u32 = ctrs_dump_flags::CTRS_DUMP_DYING as u32;
pub(super) const NO_SEARCH: u32 = ctrs_dump_flags::CTRS_DUMP_NO_DUPLICATE_SEARCH as u32;

/// A list of flows that is read.
///
/// Made by ctrs_dump_begin(), released with ctrs_dump_end(). It has a socket of its own, in the
/// network namespace of its handle: several may be open on one handle, which may be used meanwhile,
/// and closed.
pub struct ctrs_dump {
    _private: [u8; 0],
}

impl Lists for ctrs_dump {
    type Entry = Conntrack;

    fn selects(expression: &Expression, ct: &Conntrack) -> bool {
        expression.truth(ct, None).is_true()
    }
}

/// What is listed with these flags.
fn order(flags: u32) -> Result<Order<'static>, Error> {
    let what = match flags & !NO_SEARCH {
        0 => What::Flows,
        RESET => What::FlowsToZero,
        DYING => What::Dying,
        _ => return Err(Invalid::Argument("ctrs_dump_begin() has no such flags").into()),
    };
    Ok(Order { search: flags & NO_SEARCH == 0, ..Order::of(what) })
}

/// Begins to list the flows of the handle's network namespace: all, or those of which a filter is
/// definitely true. The filter may be freed at once; NULL stands for none. `flags` are some of
/// enum ctrs_dump_flags; CTRS_DUMP_RESET and CTRS_DUMP_DYING do not go together.
///
/// Flows that come or go while the list is read may be in it or not. Others are missing, or come
/// twice, when the kernel's hash table is resized meanwhile: ctrs_dump_end() tells. To know the
/// number of hash buckets it reads /proc/sys/net/netfilter/nf_conntrack_buckets; where that cannot
/// be read, flows that come twice alone tell of a table that was resized.
///
/// Returns the list; NULL with EINVAL for NULL and for flags that make no sense, with EMFILE,
/// ENFILE or ENOMEM, and with EPERM if the handle is of another network namespace than the thread,
/// which takes CAP_SYS_ADMIN. ctrs_last_error() of the handle says more. What the kernel refuses,
/// reading the list tells.
///
/// # Safety
/// `h` is NULL or a live handle; `filter` is NULL or a live filter.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_dump_begin(
    h: *mut nfct_handle,
    filter: *const ctrs_filter,
    flags: u32,
) -> *mut ctrs_dump {
    // SAFETY: `h` and `filter` are NULL or live.
    unsafe {
        with_handle(h, std::ptr::null_mut(), |extended| {
            reading::begin(extended, order(flags)?, optional(filter))
        })
    }
}

/// Reads the next flow into an entry, in place of what that holds.
///
/// Returns 1 with a flow; 0 at the end; -1 with EINVAL for NULL, with EPERM without CAP_NET_ADMIN,
/// with ENOBUFS if the receive buffer was too small for the kernel's answer, with ENOMEM. In both
/// cases the entry is as it was. But for EINVAL the list is over then: each later call fails in the
/// same way. ctrs_dump_last_error() says more.
///
/// # Safety
/// `dump` is NULL or a live list; `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_dump_next(
    dump: *mut ctrs_dump,
    ct: *mut nf_conntrack,
) -> c_int {
    // SAFETY: `dump` and `ct` are NULL or live, and used by nobody else during the call.
    unsafe {
        with_list(dump, -1, |list| {
            let ct = ptr::unique(ct).map_err(|_| Invalid::Argument("there is no entry: NULL"))?;
            let found = list.next()?;
            Ok(found.map(|entry| std::mem::swap(entry, ct)).map_or(0, |()| 1))
        })
    }
}

/// Reads the next flows into an array of `n` records. `size` is sizeof(struct ctrs_flow) as the
/// program was compiled, as in ctrs_flow_from().
///
/// Returns how many records it has filled: fewer than `n` at the end, and before an error, which
/// the next call tells; 0 when there are no more. -1 with EINVAL for NULL, for an `n` of 0, and
/// for a wrong `size`, else as ctrs_dump_next().
///
/// # Safety
/// `dump` is NULL or a live list; `flows` is NULL or points to `n` times `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_dump_read(
    dump: *mut ctrs_dump,
    flows: *mut FlowRecord,
    n: size_t,
    size: size_t,
) -> ssize_t {
    // SAFETY: `dump` is NULL or live, and used by nobody else during the call; the array is as large
    // as `n` and `size` say.
    unsafe { with_list(dump, -1, |list| list.read(flows, n, size, FlowRecord::fill)) }
}

/// Ends a list, at its end or before, and releases it.
///
/// Returns CTRS_CONSISTENT or CTRS_INCONSISTENT, for what was read; -1 with EINVAL for NULL, with
/// errno of the call that failed if the list ended by that. The list is gone whatever is returned.
///
/// # Safety
/// `dump` is NULL or a live list, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_dump_end(dump: *mut ctrs_dump) -> c_int {
    // SAFETY: `dump` is NULL or live, and not used again.
    without_cancellation(|| boundary(-1, || unsafe { reading::end(dump) }))
}

/// What went wrong in the last call on a list.
///
/// Returns the error, which is the list's and stays until the next call on it: with an err of 0
/// and empty texts if that call succeeded. NULL with EINVAL for NULL.
///
/// # Safety
/// `dump` is NULL or a live list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_dump_last_error(dump: *const ctrs_dump) -> *const ctrs_error {
    boundary(std::ptr::null(), || {
        ptr::not_null(dump)?;
        // SAFETY: `dump` is not NULL, so it is live.
        Ok::<_, Errno>(unsafe { last_error(dump) })
    })
}
