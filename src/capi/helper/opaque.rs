//! What is behind the opaque types of C.

use super::types::{nfct_helper, nfct_helper_policy};
use crate::capi::ffi::alloc::Opaque;
use crate::capi::ffi::error::Error;
use crate::helper::object::{Helper, Unknown};
use crate::helper::policy::Policy;
use crate::helper::wire;

// SAFETY: integers, arrays of them, and options of pointers that are never null.
unsafe impl Opaque for nfct_helper {
    type Inner = Helper;
}
// SAFETY: integers and arrays of them.
unsafe impl Opaque for nfct_helper_policy {
    type Inner = Policy;
}

impl From<Unknown> for Error {
    fn from(Unknown: Unknown) -> Self {
        Self::of(libc::EINVAL)
    }
}

impl From<wire::Error> for Error {
    fn from(error: wire::Error) -> Self {
        match error {
            wire::Error::Incomplete => Self::UNTOLD,
            wire::Error::OutOfMemory => Self::OUT_OF_MEMORY,
        }
    }
}
