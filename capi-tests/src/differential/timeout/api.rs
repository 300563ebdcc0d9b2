//! The functions of libnetfilter_cttimeout.

use std::ffi::{c_char, c_int, c_uint};

pub(crate) use crate::differential::api::ffi;
pub use crate::differential::api::{ConstPtr, Ptr};

crate::differential::api::functions! {
    nfct_timeout_alloc() -> Ptr;
    nfct_timeout_free(Ptr);
    nfct_timeout_attr_set(Ptr, u32, ConstPtr) -> c_int;
    nfct_timeout_attr_set_u8(Ptr, u32, u8) -> c_int;
    nfct_timeout_attr_set_u16(Ptr, u32, u16) -> c_int;
    nfct_timeout_attr_unset(Ptr, u32);
    nfct_timeout_policy_attr_to_name(u8, u32) -> *const c_char;
    nfct_timeout_policy_attr_set_u32(Ptr, u32, u32) -> c_int;
    nfct_timeout_nlmsg_build_hdr(*mut c_char, u8, u16, u32) -> Ptr;
    nfct_timeout_nlmsg_build_payload(Ptr, ConstPtr);
    nfct_timeout_nlmsg_parse_payload(ConstPtr, Ptr) -> c_int;
    nfct_timeout_snprintf(*mut c_char, usize, ConstPtr, c_uint, c_uint) -> c_int;
}
