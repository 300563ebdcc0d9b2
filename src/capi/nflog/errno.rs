//! The one object of data that the interface has.
#![allow(non_upper_case_globals, reason = "it is spelled as C spells it")]

use libc::c_int;

/// Always 0: no function writes it, and none ever did but for a failure that cannot happen.
///
/// It is here for the programs that name it; why a function failed is in errno.
#[unsafe(no_mangle)]
pub static mut nflog_errno: c_int = 0;
