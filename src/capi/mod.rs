//! The C interface: one file per noun, each function three moves: pointers in, one safe call,
//! result out.
//!
//! What holds for all of them:
//! * **NULL** where an object is needed, and numbers out of range, give the function's error value
//!   and `errno` `EINVAL` (or what its documentation says); functions that return nothing do nothing.
//! * **Panics** do not cross into C: they become the error value with `EFAULT`.
//! * **Ownership**: what a `..._new`, `..._create` or `..._clone` function returns is released by the
//!   matching `..._destroy`. Objects come from the C allocator.
//! * **errno** is written only when a call fails.
//! * **"Live"** in a `# Safety` section is an object from one of this library's constructors that was
//!   not destroyed yet, one a callback was handed, one that `nfexp_get_attr` returned (to be read
//!   only), or zeroed memory of the documented size and alignment.
//! * **Threads**: during a call nobody else uses an object that is passed as `*mut`, and nobody
//!   changes one that is passed as `*const`. No `# Safety` section says this again.
//!
//! C readers find the same at the top of the main header (`conntrack/header/top.h`); `# Safety`
//! sections are left out there.

pub mod conntrack;
#[cfg(feature = "extensions")]
pub mod ctrs;
pub mod ffi;
#[cfg(feature = "helper")]
pub mod helper;
#[cfg(feature = "nflog")]
pub mod nflog;
#[cfg(feature = "timeout")]
pub mod timeout;
pub mod version;
