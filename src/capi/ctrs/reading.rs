//! What is behind the lists of C, whatever they are of.

use super::dump::ctrs_dump_verdict;
use crate::capi::conntrack::extension::Extended;
use crate::capi::ctrs::record::{checked_size, put_filled};
use crate::capi::ffi::alloc::{place, unplace};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::{point_of_cancellation, without_cancellation};
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::{ctrs_error, errno_of};
use crate::conntrack::dump::{Dump, Listed, Order};
use crate::conntrack::expression::Expression;
use crate::error::{Error, Invalid};
use crate::netlink;
use crate::record::Record;
use crate::shared::Shared;
use libc::{c_int, size_t, ssize_t};

const INCONSISTENT: c_int = ctrs_dump_verdict::CTRS_INCONSISTENT as c_int;

/// An opaque type of C that is a list.
pub(super) trait Lists {
    /// What is listed.
    type Entry: Listed + Default;

    /// Whether an entry is one that an expression selects.
    fn selects(_: &Expression, _: &Self::Entry) -> bool {
        true
    }
}

/// A list, and what has become of it.
pub(super) struct Reading<C: Lists> {
    dump: Dump,
    /// Which entries are handed out.
    filter: Option<Shared<Expression>>,
    /// What messages are read into: an object of the program's holds nothing but an entry.
    entry: C::Entry,
    failed: Option<Error>,
    error: ctrs_error,
}

/// Begins a list on a handle, of the entries that a filter selects.
pub(super) fn begin<C: Lists>(
    extended: &mut Extended<'_>,
    order: Order<'_>,
    filter: Option<&Shared<Expression>>,
) -> Result<*mut C, Error> {
    let open = || extended.another();
    let dump = match filter {
        None => Dump::begin(open, Some(&order))?,
        Some(filter) => {
            let kernel = filter.narrowing()?;
            let narrowed = |kernel| Order { kernel: Some(kernel), checked: true, ..order };
            Dump::begin(open, kernel.as_ref().map(narrowed).as_ref())?
        }
    };
    let (filter, entry) = (filter.cloned(), C::Entry::default());
    let placed = place(Reading::<C> { dump, filter, entry, failed: None, error: ctrs_error::NONE });
    placed.map(<*mut Reading<C>>::cast).map_err(|_| netlink::Error::OutOfMemory.into())
}

/// Runs `f` on a list: an error becomes `on_error` and `errno`, and is what the list's last call said.
/// The thread may be cancelled before.
///
/// # Safety
/// `list` is NULL or a live list, which nobody else uses meanwhile.
pub(super) unsafe fn with_list<C: Lists, T, F>(list: *mut C, on_error: T, f: F) -> T
where
    F: FnOnce(&mut Reading<C>) -> Result<T, Error>,
{
    // A cancelled thread leaves without dropping anything.
    const { assert!(!std::mem::needs_drop::<F>() && !std::mem::needs_drop::<T>()) };
    point_of_cancellation();
    without_cancellation(|| {
        boundary(on_error, || {
            // SAFETY: `list` is NULL or one that `begin` placed, used by nobody else.
            let list = unsafe { list.cast::<Reading<C>>().as_mut() };
            let list = list.ok_or(Errno::NULL)?;
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
/// `list` is NULL or a live list, which is not used again.
pub(super) unsafe fn end<C: Lists>(list: *mut C) -> Result<c_int, Errno> {
    let list = list.cast::<Reading<C>>();
    // SAFETY: `list` is NULL or one that `begin` placed, used by nobody else.
    let reading = unsafe { list.as_mut() }.ok_or(Errno::NULL)?;
    let verdict = match &reading.failed {
        Some(error) => Err(Errno::of(errno_of(error))),
        None if reading.dump.is_consistent() => Ok(0),
        None => Ok(INCONSISTENT),
    };
    // SAFETY: the list is live, and not used again.
    unsafe { unplace(list) };
    verdict
}

/// What the last call on a list said.
///
/// # Safety
/// `list` is a live list.
pub(super) unsafe fn last_error<C: Lists>(list: *const C) -> *const ctrs_error {
    // SAFETY: the list is live, so it is one that `begin` placed.
    unsafe { &raw const (*list.cast::<Reading<C>>()).error }
}

impl<C: Lists> Reading<C> {
    /// The next entry; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<&mut C::Entry>, Error> {
        self.until_it_fails(|Self { dump, filter, entry, .. }| {
            dump.next_of(entry, &|entry| selected::<C>(filter, entry))
        })
        .map(|found| found.then_some(&mut self.entry))
    }

    /// Fills an array with the records of the next entries.
    ///
    /// # Safety
    /// `to` is NULL or points to `most` times `size` writable bytes.
    pub(super) unsafe fn read<R: Record>(
        &mut self,
        to: *mut R,
        most: size_t,
        size: size_t,
        fill: impl Fn(&mut R, &C::Entry),
    ) -> Result<ssize_t, Error> {
        let size = array(to, size)?;
        if most == 0 {
            return Err(Invalid::Argument("an array of no records looks like the end").into());
        }
        let filled = self.until_it_fails(|Self { dump, filter, entry, .. }| {
            let wanted = |entry: &C::Entry| selected::<C>(filter, entry);
            dump.each_of(entry, most, &wanted, |at, entry| {
                // SAFETY: `to` is not NULL, so there is room for more than `at` records of `size`
                // bytes, which was checked.
                unsafe { put_filled(to.byte_add(at * size), size, |to| fill(to, entry)) };
            })
        })?;
        Ok(ssize_t::try_from(filled).unwrap_or(ssize_t::MAX))
    }

    /// What has failed once goes on failing.
    fn until_it_fails<U>(
        &mut self,
        f: impl FnOnce(&mut Self) -> Result<U, Error>,
    ) -> Result<U, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = f(self);
        self.failed = result.as_ref().err().cloned();
        result
    }
}

/// Whether an entry is handed out.
fn selected<C: Lists>(filter: &Option<Shared<Expression>>, entry: &C::Entry) -> bool {
    filter.as_ref().is_none_or(|filter| C::selects(filter, entry))
}

/// The size of the records of an array, checked as the array is.
pub(super) fn array<R: Record>(to: *mut R, size: size_t) -> Result<usize, Error> {
    let size = checked_size::<R>(size).ok().filter(|_| !to.is_null());
    size.ok_or(Invalid::Argument("NULL, or no size of such a structure").into())
}
