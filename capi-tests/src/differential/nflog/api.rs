//! The functions of libnetfilter_log.

use std::ffi::{c_char, c_int, c_uint, c_void};

pub(crate) use crate::differential::api::ffi;
pub use crate::differential::api::{ConstPtr, Ptr};

/// Handed the group, the head of the message, the packet, and what it was registered with.
pub type Callback = extern "C" fn(Ptr, Ptr, Ptr, Ptr) -> c_int;

crate::differential::api::functions! {
    nflog_open() -> Ptr;
    nflog_close(Ptr) -> c_int;
    nflog_fd(Ptr) -> c_int;
    nflog_bind_pf(Ptr, u16) -> c_int;
    nflog_unbind_pf(Ptr, u16) -> c_int;
    nflog_bind_group(Ptr, u16) -> Ptr;
    nflog_unbind_group(Ptr) -> c_int;
    nflog_set_mode(Ptr, u8, c_uint) -> c_int;
    nflog_set_timeout(Ptr, u32) -> c_int;
    nflog_set_flags(Ptr, u16) -> c_int;
    nflog_set_qthresh(Ptr, u32) -> c_int;
    nflog_set_nlbufsiz(Ptr, u32) -> c_int;
    nflog_callback_register(Ptr, Option<Callback>, Ptr) -> c_int;
    nflog_handle_packet(Ptr, ConstPtr, c_int) -> c_int;
    nflog_get_msg_packet_hdr(Ptr) -> ConstPtr;
    nflog_get_hwtype(Ptr) -> u16;
    nflog_get_msg_packet_hwhdrlen(Ptr) -> u16;
    nflog_get_msg_packet_hwhdr(Ptr) -> ConstPtr;
    nflog_get_nfmark(Ptr) -> u32;
    nflog_get_timestamp(Ptr, *mut libc::timeval) -> c_int;
    nflog_get_indev(Ptr) -> u32;
    nflog_get_physindev(Ptr) -> u32;
    nflog_get_outdev(Ptr) -> u32;
    nflog_get_physoutdev(Ptr) -> u32;
    nflog_get_packet_hw(Ptr) -> ConstPtr;
    nflog_get_payload(Ptr, *mut ConstPtr) -> c_int;
    nflog_get_prefix(Ptr) -> ConstPtr;
    nflog_get_uid(Ptr, *mut u32) -> c_int;
    nflog_get_gid(Ptr, *mut u32) -> c_int;
    nflog_get_seq(Ptr, *mut u32) -> c_int;
    nflog_get_seq_global(Ptr, *mut u32) -> c_int;
    nflog_get_ctid(Ptr, *mut u32) -> c_int;
    nflog_snprintf_xml(*mut c_char, usize, Ptr, c_int) -> c_int;
    nflog_nlmsg_put_header(*mut c_void, u8, u8, u16) -> Ptr;
    nflog_attr_put_cfg_mode(*mut c_void, u8, u32) -> c_int;
    nflog_attr_put_cfg_cmd(*mut c_void, u8) -> c_int;
    nflog_nlmsg_parse(ConstPtr, *mut ConstPtr) -> c_int;
    nflog_nlmsg_snprintf(*mut c_char, usize, ConstPtr, *const ConstPtr, c_uint, u32) -> c_int;
}
