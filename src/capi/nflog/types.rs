//! The types that C sees: opaque objects, and parts of messages.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use libc::{c_int, c_uint, c_void};

/// A netlink socket of NFLOG, with the groups that are bound through it.
///
/// Made by nflog_open() or nflog_open_nfnl(), released with nflog_close().
pub struct nflog_handle {
    _private: [u8; 0],
}

/// A group that is bound: the packets that rules log to its number are handed to its callback.
///
/// Made by nflog_bind_group(), released with nflog_unbind_group() or with its handle.
pub struct nflog_g_handle {
    _private: [u8; 0],
}

/// A logged packet, as a callback is handed it.
///
/// It is valid until the callback returns; what its getters point to is in the buffer that was
/// given to nflog_handle_packet(), and is valid as long as that.
pub struct nflog_data {
    _private: [u8; 0],
}

/// The head of every message of netfilter, as the kernel has it.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct nfgenmsg {
    /// Address family, `AF_*`.
    pub nfgen_family: u8,
    /// `NFNETLINK_V0`.
    pub version: u8,
    /// Of a packet the number of its group, network byte order.
    pub res_id: u16,
}

/// Value of `NFULA_PACKET_HDR`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct nfulnl_msg_packet_hdr {
    /// EtherType, network byte order.
    pub hw_protocol: u16,
    /// Hook of netfilter.
    pub hook: u8,
    /// Zero.
    pub _pad: u8,
}

/// Value of `NFULA_HWADDR`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct nfulnl_msg_packet_hw {
    /// Bytes of the address, network byte order.
    pub hw_addrlen: u16,
    /// Zero.
    pub _pad: u16,
    /// The address of the sender.
    pub hw_addr: [u8; 8],
}

/// A function that is called for each packet of a group, or none.
pub type NflogCallback = Option<
    unsafe extern "C-unwind" fn(
        *mut nflog_g_handle,
        *mut nfgenmsg,
        *mut nflog_data,
        *mut c_void,
    ) -> c_int,
>;

/// Any number where C has an `enum nflog_output_type`.
pub type RawLogOutput = c_uint;
