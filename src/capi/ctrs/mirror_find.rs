//! Flows of a mirror, looked up by any thread.

use super::filter::{ctrs_filter, optional};
use super::flow::direction;
use super::mirror::{ctrs_mirror, look};
use super::record::{checked_size, put, put_filled};
use crate::capi::conntrack::types::nf_conntrack;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::ptr;
use crate::conntrack::mirror::{MirrorInfo, MirrorReader};
use crate::conntrack::record::FlowRecord;
use crate::conntrack::replica::{AT_ONCE, Kept, Name, Replica};
use libc::{c_int, size_t, ssize_t};
use std::ops::ControlFlow;

/// Flags of struct ctrs_flow, as a mirror looks it up.
#[allow(non_camel_case_types, reason = "its name in C")]
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_flow_flags {
    /// No event has told of it since the mirror knows it: nothing has happened to it, or it is
    /// silent, and what is kept is as it was when last listed.
    CTRS_FLOW_UNHEARD = 1,
}

/// Puts a flow that is kept into a record.
///
/// # Safety
/// `flow` points to `size` writable bytes; `size` is checked.
unsafe fn put_kept(flow: *mut FlowRecord, size: usize, kept: &Kept<'_>) {
    let fill = |record: &mut FlowRecord| {
        record.fill(kept.flow);
        record.flags = u32::from(!kept.heard) * ctrs_flow_flags::CTRS_FLOW_UNHEARD as u32;
    };
    // SAFETY: as this function's.
    unsafe { put_filled(flow, size, fill) };
}

/// Looks a flow up, and puts it where the caller has room, if anywhere.
///
/// # Safety
/// `flow` is NULL or points to `size` writable bytes.
unsafe fn put_found(
    reader: &MirrorReader,
    flow: *mut FlowRecord,
    size: size_t,
    find: impl FnOnce(&Replica) -> Option<Kept<'_>>,
) -> Result<c_int, Errno> {
    if !flow.is_null() {
        checked_size::<FlowRecord>(size)?;
    }
    let put = |kept: &Kept<'_>| {
        if !flow.is_null() {
            // SAFETY: it is not NULL, so it has as many writable bytes, which was checked.
            unsafe { put_kept(flow, size, kept) };
        }
        0
    };
    reader.with(find, put).ok_or(Errno::of(libc::ENOENT))
}

/// Looks the flow up that an entry names by the tuple of a direction, CTRS_ORIGINAL or CTRS_REPLY,
/// and the zone, and that the mirror's filter selects; the id does not count. It is as of the last
/// event that was read, whose change may still wait to be handed out. `flow` may be NULL; its flags
/// tell whether an event has ever told of it.
///
/// This, ctrs_mirror_find_all(), ctrs_mirror_find_id(), ctrs_mirror_read() and
/// ctrs_mirror_get_info() may be called by any number of threads, while another calls
/// ctrs_mirror_next(). They set errno alone.
///
/// Returns 0; -1 with ENOENT if there is no such flow, with EINVAL for NULL, an unknown direction,
/// a tuple that is not whole, and for a wrong `size`, which is as in ctrs_flow_from().
///
/// # Safety
/// `mirror` is NULL or a live mirror, which is not closed meanwhile; `key` is NULL or a live object;
/// `flow` is NULL or points to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_mirror_find(
    mirror: *const ctrs_mirror,
    key: *const nf_conntrack,
    dir: c_int,
    flow: *mut FlowRecord,
    size: size_t,
) -> c_int {
    // SAFETY: `mirror` and `key` are NULL or live; `flow` is NULL or has `size` bytes.
    unsafe {
        look(mirror, -1, |reader| {
            let invalid = Errno::of(libc::EINVAL);
            let direction = direction(dir).map_err(|_| invalid)?;
            let name = Name::of(ptr::shared(key)?, direction).ok_or(invalid)?;
            put_found(reader, flow, size, |replica| replica.find_named(&name))
        })
    }
}

/// Looks the flows up that `n` entries name, as ctrs_mirror_find() does one: that of keys[i] is
/// written to flows[i], which says nothing, with no bit of `present`, if there is none, and if
/// keys[i] is NULL or its tuple not whole. Of many flows this takes less time than one after the
/// other, for most of a lookup is waiting for memory; each is as of when it was looked up.
///
/// Returns how many were found; -1 with EINVAL for NULL, an unknown direction, and for a wrong
/// `size`.
///
/// # Safety
/// `mirror` is NULL or a live mirror, which is not closed meanwhile; `keys` is NULL or points to `n`
/// pointers, each NULL or to a live object; `flows` is NULL or points to `n` times `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_mirror_find_all(
    mirror: *const ctrs_mirror,
    keys: *const *const nf_conntrack,
    n: size_t,
    dir: c_int,
    flows: *mut FlowRecord,
    size: size_t,
) -> ssize_t {
    // SAFETY: `mirror` and the keys are NULL or live; there is room for `n` records.
    unsafe {
        look(mirror, -1, |reader| {
            ptr::not_null(keys)?;
            ptr::not_null(flows)?;
            let size = checked_size::<FlowRecord>(size)?;
            let direction = direction(dir).map_err(|_| Errno::of(libc::EINVAL))?;
            let mut count = 0;
            for first in (0..n).step_by(AT_ONCE) {
                let mut names = [None; AT_ONCE];
                for (name, at) in names.iter_mut().zip(first..n) {
                    let key = ptr::shared(keys.add(at).read());
                    *name = key.ok().and_then(|key| Name::of(key, direction));
                }
                for (at, kept) in (first..n).zip(reader.read().find_all(&names)) {
                    let to = flows.byte_add(at * size);
                    let Some(kept) = kept.filter(|kept| kept.selected) else {
                        to.cast::<u8>().write_bytes(0, size);
                        continue;
                    };
                    put_kept(to, size, &kept);
                    count += 1;
                }
            }
            Ok(count)
        })
    }
}

/// Looks the flow with an id up, as ctrs_mirror_find(). Hardly ever have two flows the same: then
/// it is one of them.
///
/// Returns 0; -1 with ENOENT if there is no such flow, with EINVAL for NULL and for a wrong `size`.
///
/// # Safety
/// `mirror` is NULL or a live mirror, which is not closed meanwhile; `flow` is NULL or points to `size`
/// writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_mirror_find_id(
    mirror: *const ctrs_mirror,
    id: u32,
    flow: *mut FlowRecord,
    size: size_t,
) -> c_int {
    // SAFETY: `mirror` is NULL or live; `flow` is NULL or has `size` bytes.
    unsafe {
        look(mirror, -1, |reader| put_found(reader, flow, size, |replica| replica.find_id(id)))
    }
}

/// Reads flows of a mirror into an array of `n` records, those of which a filter is true: of all,
/// if it is NULL. `cursor` is 0 at first, and says then where the next call goes on. Flows that come
/// and go meanwhile may be among them or not; each other comes once.
///
/// Returns how many records it has filled: 0 at the end. -1 with EINVAL for NULL, for an `n` of 0,
/// and for a wrong `size`, which is as in ctrs_flow_from().
///
/// # Safety
/// `mirror` is NULL or a live mirror, which is not closed meanwhile; `filter` is NULL or a live filter;
/// `flows` is NULL or points to `n` times `size` writable bytes, `cursor` to a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_mirror_read(
    mirror: *const ctrs_mirror,
    filter: *const ctrs_filter,
    flows: *mut FlowRecord,
    n: size_t,
    size: size_t,
    cursor: *mut u64,
) -> ssize_t {
    // SAFETY: `mirror` and `filter` are NULL or live; there is room for `n` records, and for a cursor.
    unsafe {
        look(mirror, -1, |reader| {
            ptr::not_null(flows)?;
            ptr::not_null(cursor)?;
            let size = checked_size::<FlowRecord>(size)?;
            if n == 0 {
                return Err(Errno::of(libc::EINVAL));
            }
            let (mut place, mut filled) = (cursor.read(), 0);
            reader.walk(&mut place, optional(filter).map(|filter| &**filter), &mut |kept| {
                put_kept(flows.byte_add(filled * size), size, kept);
                filled += 1;
                if filled < n { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            cursor.write(place);
            Ok(ssize_t::try_from(filled).unwrap_or(ssize_t::MAX))
        })
    }
}

/// Tells a mirror in numbers. `size` is sizeof(struct ctrs_mirror_info) as the program was
/// compiled.
///
/// Returns 0; -1 with EINVAL for NULL, and for a `size` that is no multiple of 8, less than 8 or
/// above 65,536.
///
/// # Safety
/// `mirror` is NULL or a live mirror, which is not closed meanwhile; `info` is NULL or points to `size`
/// writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_mirror_get_info(
    mirror: *const ctrs_mirror,
    info: *mut MirrorInfo,
    size: size_t,
) -> c_int {
    // SAFETY: `mirror` is NULL or live.
    unsafe {
        look(mirror, -1, |reader| {
            ptr::not_null(info)?;
            let size = checked_size::<MirrorInfo>(size)?;
            // SAFETY: `info` is not NULL, so it has `size` writable bytes.
            put(info, size, reader.info());
            Ok(0)
        })
    }
}
