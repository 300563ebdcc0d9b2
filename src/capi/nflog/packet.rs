//! What a packet has. All pointers that are returned are into the buffer that the packet came in.

use super::data::{Logged, packet};
use super::time::{timeval, timeval64};
use super::types::{nflog_data, nfulnl_msg_packet_hdr, nfulnl_msg_packet_hw};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::uapi::nful;
use libc::{c_char, c_int};

/// A number of a packet, 0 if it has none.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[inline(always)]
unsafe fn number<T: Default>(
    nfad: *const nflog_data,
    get: impl FnOnce(&Logged<'_>) -> Option<T>,
) -> T {
    // SAFETY: `nfad` is NULL or a packet, whose attributes nobody changes during the call.
    let number = || Ok(get(&unsafe { packet(nfad) }?).unwrap_or_default());
    boundary(T::default(), number)
}

/// Where the bytes of a part of a packet are, NULL if it has none.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[inline(always)]
unsafe fn place<T>(
    nfad: *const nflog_data,
    get: impl for<'a> FnOnce(&Logged<'a>) -> Option<&'a [u8]>,
) -> *mut T {
    // SAFETY: `nfad` is NULL or a packet, whose attributes nobody changes during the call.
    let place = || get(&unsafe { packet(nfad) }?).map(<[u8]>::as_ptr).ok_or(Error::UNTOLD);
    boundary(std::ptr::null(), place).cast_mut().cast()
}

/// Stores a number of a packet, and returns 0; -1 if it has none.
///
/// # Safety
/// `nfad` is NULL or a packet; `value` is NULL or points to room for it.
#[inline(always)]
unsafe fn store<T>(
    nfad: *const nflog_data,
    value: *mut T,
    get: impl FnOnce(&Logged<'_>) -> Option<T>,
) -> c_int {
    boundary(-1, || {
        ptr::not_null(value)?;
        // SAFETY: `nfad` is NULL or a packet, whose attributes nobody changes during the call.
        let number = get(&unsafe { packet(nfad) }?).ok_or(Error::UNTOLD)?;
        // SAFETY: `value` is not NULL, so it points to room for the number.
        unsafe { value.write_unaligned(number) };
        Ok(0)
    })
}

/// The EtherType of a packet, and the hook its rule was called at.
///
/// Returns a pointer into the message; NULL if the packet does not tell, which the kernel always
/// does; NULL with EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_msg_packet_hdr(
    nfad: *mut nflog_data,
) -> *mut nfulnl_msg_packet_hdr {
    // SAFETY: `nfad` is NULL or a packet.
    unsafe { place(nfad, |packet| packet.attribute(nful::PACKET_HDR).filter(|it| it.len() >= 4)) }
}

/// The type of the device that a packet came in by, `ARPHRD_*`.
///
/// Returns the type; 0 if it did not come in by one; 0 with EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_hwtype(nfad: *mut nflog_data) -> u16 {
    // SAFETY: `nfad` is NULL or a packet.
    unsafe { number(nfad, |packet| packet.hardware_type()) }
}

/// Bytes of the link header that nflog_get_msg_packet_hwhdr() points to: never more than there
/// are.
///
/// Returns the number; 0 if there is none; 0 with EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_msg_packet_hwhdrlen(nfad: *mut nflog_data) -> u16 {
    let length = |packet: &Logged<'_>| {
        let told = packet.hardware_length()?;
        Some(packet.hardware_header()?.len().min(told.into()) as u16)
    };
    // SAFETY: `nfad` is NULL or a packet.
    unsafe { number(nfad, length) }
}

/// The link header of a packet, nflog_get_msg_packet_hwhdrlen() bytes of it: none for devices
/// without.
///
/// Returns a pointer into the message; NULL if the packet did not come in by a device; NULL with
/// EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_msg_packet_hwhdr(nfad: *mut nflog_data) -> *mut c_char {
    // SAFETY: `nfad` is NULL or a packet.
    unsafe { place(nfad, |packet| packet.attribute(nful::HWHEADER)) }
}

/// The mark of a packet.
///
/// Returns the mark; 0 if it has none; 0 with EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_nfmark(nfad: *mut nflog_data) -> u32 {
    // SAFETY: `nfad` is NULL or a packet.
    unsafe { number(nfad, |packet| packet.mark()) }
}

/// Stores when a packet was received, as seconds since 1970 and microseconds, in `tv`.
///
/// Only packets that came in by a device have it, and only where they are logged before they are
/// sent again: at the hooks PREROUTING, INPUT and FORWARD, of ARP, at the ingress of a device.
/// For others take the time now.
///
/// Returns 0; -1, with `tv` and errno untouched, if the packet has none; -1 with EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet; `tv` is NULL or points to room for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_timestamp(nfad: *mut nflog_data, tv: *mut timeval) -> c_int {
    let time = |packet: &Logged<'_>| {
        let (seconds, microseconds) = packet.raw_timestamp()?;
        // As wide as C has them, whatever they are.
        Some(timeval { tv_sec: seconds as _, tv_usec: microseconds as _ })
    };
    // SAFETY: `nfad` is NULL or a packet, `tv` NULL or room for a time.
    unsafe { store(nfad, tv, time) }
}

/// What the header makes of nflog_get_timestamp() in programs whose times have 64 bits, on machines
/// where C has times of 32 bits too.
///
/// # Safety
/// As for nflog_get_timestamp().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_timestamp_time64(
    nfad: *mut nflog_data,
    tv: *mut timeval64,
) -> c_int {
    let time = |packet: &Logged<'_>| {
        let (seconds, microseconds) = packet.raw_timestamp()?;
        Some(timeval64 { tv_sec: seconds as i64, tv_usec: microseconds as i64 })
    };
    // SAFETY: `nfad` is NULL or a packet, `tv` NULL or room for a time.
    unsafe { store(nfad, tv, time) }
}

/// The index of the device that a packet came in by; of a bridge's port, the bridge.
///
/// Returns the number; 0 if there is none; 0 with EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_indev(nfad: *mut nflog_data) -> u32 {
    // SAFETY: `nfad` is NULL or a packet.
    unsafe { number(nfad, |packet| packet.indev()) }
}

/// The index of the bridge's port that a packet came in by.
///
/// Returns the number; 0 if there is none; 0 with EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_physindev(nfad: *mut nflog_data) -> u32 {
    // SAFETY: `nfad` is NULL or a packet.
    unsafe { number(nfad, |packet| packet.physindev()) }
}

/// The index of the device that a packet leaves by; of a bridge's port, the bridge.
///
/// Returns the number; 0 if there is none; 0 with EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_outdev(nfad: *mut nflog_data) -> u32 {
    // SAFETY: `nfad` is NULL or a packet.
    unsafe { number(nfad, |packet| packet.outdev()) }
}

/// The index of the bridge's port that a packet leaves by.
///
/// Returns the number; 0 if there is none; 0 with EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_physoutdev(nfad: *mut nflog_data) -> u32 {
    // SAFETY: `nfad` is NULL or a packet.
    unsafe { number(nfad, |packet| packet.physoutdev()) }
}

/// The hardware address of a packet's sender, of no more than 8 bytes.
///
/// Returns a pointer into the message; NULL if the packet did not come in by a device; NULL with
/// EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_packet_hw(nfad: *mut nflog_data) -> *mut nfulnl_msg_packet_hw {
    // SAFETY: `nfad` is NULL or a packet.
    unsafe { place(nfad, |packet| packet.hw().map(<[u8; 12]>::as_slice)) }
}

/// Stores in `data` where the packet itself is: from its network header on, as far as group and
/// rule have it copied; at a device's egress, and of ARP that leaves, from the link header on.
///
/// Returns its length in bytes, which may be 0; -1, with NULL in `data` and errno untouched, if
/// none was copied; -1 with EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet; `data` is NULL or points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_payload(nfad: *mut nflog_data, data: *mut *mut c_char) -> c_int {
    boundary(-1, || {
        ptr::not_null(data)?;
        // SAFETY: `nfad` is NULL or a packet, whose attributes nobody changes during the call.
        let payload = unsafe { packet(nfad) }?.payload();
        let place = payload.map_or(std::ptr::null(), <[u8]>::as_ptr);
        // SAFETY: `data` is not NULL, so it points to room for a pointer.
        unsafe { data.write_unaligned(place.cast_mut().cast()) };
        payload.map(|payload| payload.len() as c_int).ok_or(Error::UNTOLD)
    })
}

/// The prefix that the rule says, as the rule has it: a C string, empty if it says none.
///
/// Returns a pointer into the message; NULL if the packet does not tell, which of rules the kernel
/// always does; NULL with EINVAL for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_prefix(nfad: *mut nflog_data) -> *mut c_char {
    // SAFETY: `nfad` is NULL or a packet.
    unsafe { place(nfad, |packet| packet.prefix()) }
}

/// Stores in `uid` the user that owns the socket which sent a packet.
///
/// Returns 0; -1, with `uid` and errno untouched, if the packet is of no socket; -1 with EINVAL
/// for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet; `uid` is NULL or points to room for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_uid(nfad: *mut nflog_data, uid: *mut u32) -> c_int {
    // SAFETY: `nfad` is NULL or a packet, `uid` NULL or room for a number.
    unsafe { store(nfad, uid, |packet| packet.uid()) }
}

/// Stores in `gid` the group that owns the socket which sent a packet.
///
/// Returns as nflog_get_uid().
///
/// # Safety
/// `nfad` is NULL or a packet; `gid` is NULL or points to room for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_gid(nfad: *mut nflog_data, gid: *mut u32) -> c_int {
    // SAFETY: `nfad` is NULL or a packet, `gid` NULL or room for a number.
    unsafe { store(nfad, gid, |packet| packet.gid()) }
}

/// Stores in `seq` the number of a packet within its group, from 0: with NFULNL_CFG_F_SEQ.
/// Numbers that are missing are of packets that were lost.
///
/// Returns 0; -1, with `seq` and errno untouched, if the group does not number; -1 with EINVAL
/// for NULL.
///
/// # Safety
/// `nfad` is NULL or a packet; `seq` is NULL or points to room for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_seq(nfad: *mut nflog_data, seq: *mut u32) -> c_int {
    // SAFETY: `nfad` is NULL or a packet, `seq` NULL or room for a number.
    unsafe { store(nfad, seq, |packet| packet.seq()) }
}

/// Stores in `seq` the number of a packet over all groups of its network namespace that number
/// so: with NFULNL_CFG_F_SEQ_GLOBAL.
///
/// Returns as nflog_get_seq().
///
/// # Safety
/// `nfad` is NULL or a packet; `seq` is NULL or points to room for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_seq_global(nfad: *mut nflog_data, seq: *mut u32) -> c_int {
    // SAFETY: `nfad` is NULL or a packet, `seq` NULL or room for a number.
    unsafe { store(nfad, seq, |packet| packet.seq_global()) }
}

/// Stores in `id` the id of the flow that a packet belongs to, as ATTR_ID has it: with
/// NFULNL_CFG_F_CONNTRACK, where the kernel has it.
///
/// Returns 0; -1, with `id` and errno untouched, if the packet comes without; -1 with EINVAL for
/// NULL.
///
/// # Safety
/// `nfad` is NULL or a packet; `id` is NULL or points to room for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_get_ctid(nfad: *mut nflog_data, id: *mut u32) -> c_int {
    // SAFETY: `nfad` is NULL or a packet, `id` NULL or room for a number.
    unsafe { store(nfad, id, |packet| packet.conntrack_id()) }
}
