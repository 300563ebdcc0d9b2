//! Flows deleted that a filter selects.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::with_handle;
use super::filter::{ctrs_filter, expression};
use super::record::put;
use crate::capi::conntrack::extension::Extended;
use crate::capi::conntrack::types::nfct_handle;
use crate::conntrack::deletion::Deleted;
use crate::conntrack::expression::Expression;
use crate::conntrack::listing::Listing;
use crate::error::{Error, Invalid};
use crate::record::Record;
use libc::{c_int, size_t};

/// Flags of ctrs_delete_matching().
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_delete_flags {
    /// Deletes nothing: counts what would be.
    CTRS_DELETE_DRY_RUN = 1,
}

const DRY_RUN: u32 = ctrs_delete_flags::CTRS_DELETE_DRY_RUN as u32;

/// What became of the flows that a filter selects.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct ctrs_deleted {
    /// Flows that matched.
    pub matched: u64,
    /// Those that were deleted.
    pub deleted: u64,
    /// Those that were gone by then, or had become another flow.
    pub gone: u64,
    /// CTRS_INCONSISTENT (1) if the kernel's table was resized meanwhile, so that flows may have
    /// been missed: call it again. CTRS_CONSISTENT (0) if not.
    pub verdict: u32,
    /// Zero.
    pub reserved: u32,
}

// SAFETY: integers without padding: three of 8 bytes and two of 4.
unsafe impl Record for ctrs_deleted {
    const LEAST: usize = size_of::<u64>();

    fn cut(&mut self, _: usize) {}
}

const _: () = assert!(size_of::<ctrs_deleted>() == 32);

/// Deletes the flows of which a filter is definitely true, in the handle's network namespace; that
/// of `all` deletes all. It lists the table, checks each flow, and deletes in batches, each flow by
/// its tuple, zone and id: one that took the place of a flow that was listed is left.
///
/// Between being listed and being deleted a flow may change, so that the filter is not true of it
/// any more: its mark, its state. It is deleted all the same. So is one that begins with the same
/// tuple right when the listed one ends, to which the kernel can give the same id.
///
/// `flags` is 0 or CTRS_DELETE_DRY_RUN. `deleted` gets the counts, also of what was done before a
/// failure; NULL if they are not wanted. `size` is sizeof(struct ctrs_deleted) as the program was
/// compiled: what that lacks is cut, what this library lacks is zero.
///
/// Returns 0; -1 with EINVAL for NULL, an unknown flag, or a `size` that is no multiple of 8 or
/// less than 8, with EPERM without CAP_NET_ADMIN, with ECANCELED after ctrs_wake(), with ENOBUFS if
/// the receive buffer was too small for the kernel's answer, with EMFILE, ENFILE or ENOMEM.
/// ctrs_last_error() says more.
///
/// # Safety
/// `h` is NULL or a live handle, `filter` is NULL or a live filter, `deleted` is NULL or points
/// to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_delete_matching(
    h: *mut nfct_handle,
    filter: *const ctrs_filter,
    flags: u32,
    deleted: *mut ctrs_deleted,
    size: size_t,
) -> c_int {
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, -1, |handle| {
            if !deleted.is_null() && !ctrs_deleted::fits(size) {
                return Err(Invalid::Argument("the size is that of no struct ctrs_deleted").into());
            }
            let mut count = Deleted::default();
            // SAFETY: `filter` is NULL or live, and filters do not change.
            let ran = expression(filter).and_then(|it| delete(handle, it, flags, &mut count));
            if !deleted.is_null() {
                // SAFETY: `deleted` is not NULL, so it has `size` writable bytes; the size fits.
                put(deleted, size, (&count).into());
            }
            ran.map(|()| 0)
        })
    }
}

fn delete(
    handle: &mut Extended<'_>,
    expression: &Expression,
    flags: u32,
    count: &mut Deleted,
) -> Result<(), Error> {
    if flags & !DRY_RUN != 0 {
        return Err(Invalid::Argument("ctrs_delete_matching() has no such flags").into());
    }
    let listing = Listing::new().holding(expression)?.find_repeated(false);
    let mut list = listing.begin(|| handle.another())?;
    let connection = if flags == DRY_RUN { None } else { Some(handle.connection()?) };
    count.count(&mut list, connection)
}

impl From<&Deleted> for ctrs_deleted {
    fn from(count: &Deleted) -> Self {
        let &Deleted { matched, deleted, gone, consistent } = count;
        Self { matched, deleted, gone, verdict: u32::from(!consistent), reserved: 0 }
    }
}
