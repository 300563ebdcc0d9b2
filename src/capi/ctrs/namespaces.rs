//! The network namespaces that events may come from.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::with_handle;
use super::reading::array;
use super::record::put;
use crate::capi::conntrack::types::nfct_handle;
use crate::namespaces;
use crate::namespaces::record::{NSID, NetworkNamespace, OWN};
use libc::{c_int, size_t};

/// Flags of struct ctrs_namespace. With none of them its events are not heard.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_namespace_flags {
    /// It is the one that the handle is in.
    CTRS_NAMESPACE_OWN = 1,
    /// It has an id there.
    CTRS_NAMESPACE_NSID = 2,
}

const _: () = {
    assert!(ctrs_namespace_flags::CTRS_NAMESPACE_OWN as u32 == OWN);
    assert!(ctrs_namespace_flags::CTRS_NAMESPACE_NSID as u32 == NSID);
};

/// Lists the network namespaces that this process can see into an array of `n` structures: that of
/// the handle first, then those that have a name in /run/netns or are Docker's, then those of the
/// processes that it may look into, which for all of them takes root, and last those of which the
/// kernel tells nothing but an id. With CTRS_OPEN_ALL_NAMESPACES a handle hears those that have a
/// flag: its own and those that have an id there. `ip netns set NAME auto`, run in the handle's
/// namespace, gives one to another.
///
/// `size` is sizeof(struct ctrs_namespace) as the program was compiled: a path that does not fit is
/// left out.
///
/// Returns how many there are, which may be more than `n`; NULL may be passed with an `n` of 0. -1
/// with EINVAL for NULL, and for a `size` that is no multiple of 8, less than 16 or above 65,536;
/// with EOPNOTSUPP before Linux 4.0, with EPERM without CAP_SYS_ADMIN where the handle is in another
/// namespace than the thread; with EMFILE, ENFILE or ENOMEM.
///
/// # Safety
/// `h` is NULL or a live handle; `namespaces` is NULL or points to `n` times `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_namespaces(
    h: *mut nfct_handle,
    namespaces: *mut NetworkNamespace,
    n: size_t,
    size: size_t,
) -> c_int {
    // SAFETY: `h` is NULL or a live handle.
    unsafe {
        with_handle(h, -1, |extended| {
            if n > 0 {
                array(namespaces, size)?;
            }
            let found = namespaces::of(extended.socket())?;
            for (at, namespace) in found.iter().enumerate().take(n) {
                // SAFETY: there is room for more than `at` structures of `size` bytes, which was
                // checked.
                put(namespaces.byte_add(at * size), size, *namespace);
            }
            Ok(c_int::try_from(found.len()).unwrap_or(c_int::MAX))
        })
    }
}
