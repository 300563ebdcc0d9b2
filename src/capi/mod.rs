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
//! * "A live object" in a `# Safety` section: a pointer from one of this library's constructors
//!   that was not destroyed yet, one a callback was handed, one that `nfexp_get_attr` returned
//!   (read only), or zeroed memory of the documented size and alignment.

pub mod conntrack;
pub mod ctrs;
pub mod ffi;
