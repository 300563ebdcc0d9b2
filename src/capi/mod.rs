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

pub mod alloc;
pub mod at_work;
pub mod attr;
pub mod bitmask;
pub mod boundary;
pub mod callback;
pub mod cancel;
pub mod closed;
pub mod conntrack;
pub mod dump;
pub mod expect;
pub mod filter;
pub mod group;
pub mod handle;
#[cfg(c_header)]
mod header;
pub mod labelmap;
pub mod nfnl;
pub mod nlmsg;
pub mod print;
pub mod ptr;
pub mod query;
pub mod receive;
pub mod selection;
pub mod state;
pub mod types;
pub mod version;
