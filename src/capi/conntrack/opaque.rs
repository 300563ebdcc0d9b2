//! What is behind the opaque types of C.

use super::types::{nf_conntrack, nf_expect, nfct_filter, nfct_filter_dump};
use crate::capi::ffi::alloc::{Object, Opaque};
use crate::capi::ffi::error::Error;
use crate::conntrack::filter::dump::DumpFilter;
use crate::conntrack::filter::event::EventFilter;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::expectation::Expect;

// SAFETY: integers, arrays, and options of pointers that are never null.
unsafe impl Opaque for nf_conntrack {
    type Inner = Conntrack;
}
// SAFETY: as for `nf_conntrack`.
unsafe impl Opaque for nf_expect {
    type Inner = Expect;
}
// SAFETY: integers, and lists that are empty then.
unsafe impl Opaque for nfct_filter {
    type Inner = EventFilter;
}
// SAFETY: a conntrack object and integers.
unsafe impl Opaque for nfct_filter_dump {
    type Inner = DumpFilter;
}

impl Object<nf_conntrack> {
    /// A copy of a conntrack object, which C owns.
    pub(super) fn copy_of(ct: &Conntrack) -> Result<*mut Self, Error> {
        let heap = ct.heap.try_clone()?;
        // SAFETY: an entry has these two fields.
        unsafe {
            Self::filled(|copy| {
                (&raw mut (*copy).flat).write(ct.flat);
                (&raw mut (*copy).heap).write(heap);
            })
        }
    }
}
