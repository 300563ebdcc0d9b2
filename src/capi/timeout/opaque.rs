//! What is behind the opaque type of C.

use super::types::nfct_timeout;
use crate::capi::ffi::alloc::Opaque;
use crate::capi::ffi::error::Error;
use crate::timeout::object::{Timeout, Unknown};

// SAFETY: integers and arrays of them.
unsafe impl Opaque for nfct_timeout {
    type Inner = Timeout;
}

impl From<Unknown> for Error {
    fn from(Unknown: Unknown) -> Self {
        Self::of(libc::EINVAL)
    }
}
