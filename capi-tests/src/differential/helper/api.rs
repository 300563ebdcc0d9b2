//! The functions of libnetfilter_cthelper.

use std::ffi::{c_char, c_int, c_uint};

pub(crate) use crate::differential::api::ffi;
pub use crate::differential::api::{ConstPtr, Ptr};

crate::differential::api::functions! {
    nfct_helper_policy_alloc() -> Ptr;
    nfct_helper_policy_free(Ptr);
    nfct_helper_policy_attr_set(Ptr, c_uint, ConstPtr);
    nfct_helper_policy_attr_set_str(Ptr, c_uint, *const c_char);
    nfct_helper_policy_attr_set_u32(Ptr, c_uint, u32);
    nfct_helper_alloc() -> Ptr;
    nfct_helper_free(Ptr);
    nfct_helper_attr_set(Ptr, c_uint, ConstPtr);
    nfct_helper_attr_set_str(Ptr, c_uint, *const c_char);
    nfct_helper_attr_set_u8(Ptr, c_uint, u8);
    nfct_helper_attr_set_u16(Ptr, c_uint, u16);
    nfct_helper_attr_set_u32(Ptr, c_uint, u32);
    nfct_helper_attr_unset(Ptr, c_uint);
    nfct_helper_attr_get(Ptr, c_uint) -> ConstPtr;
    nfct_helper_attr_get_str(Ptr, c_uint) -> *const c_char;
    nfct_helper_attr_get_u8(Ptr, c_uint) -> u8;
    nfct_helper_attr_get_u16(Ptr, c_uint) -> u16;
    nfct_helper_attr_get_u32(Ptr, c_uint) -> u32;
    nfct_helper_nlmsg_build_hdr(*mut c_char, u8, u16, u32) -> Ptr;
    nfct_helper_nlmsg_build_payload(Ptr, Ptr);
    nfct_helper_nlmsg_parse_payload(ConstPtr, Ptr) -> c_int;
    nfct_helper_snprintf(*mut c_char, usize, Ptr, c_uint, c_uint) -> c_int;
}
