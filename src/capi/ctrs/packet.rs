//! Logged packets as plain data.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::record::{checked_size, put, take};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::ptr;
use crate::nflog::packet::Packet;
use crate::nflog::record::{PacketField, PacketRecord};
use libc::{c_int, c_void, size_t};

/// What of a packet is there: bit n of present says so of the fields with number n. Those below 32
/// are the kernel's numbers of attributes, NFULA_*.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_packet_field {
    /// message, family and group: the record is of a packet. Without this it tells of a loss.
    CTRS_PACKET_MESSAGE = 0,
    /// hw_protocol and hook.
    CTRS_PACKET_HEADER = 1,
    /// mark. The kernel leaves one of 0 out.
    CTRS_PACKET_MARK = 2,
    /// timestamp.
    CTRS_PACKET_TIMESTAMP = 3,
    /// indev.
    CTRS_PACKET_INDEV = 4,
    /// outdev.
    CTRS_PACKET_OUTDEV = 5,
    /// physindev.
    CTRS_PACKET_PHYSINDEV = 6,
    /// physoutdev.
    CTRS_PACKET_PHYSOUTDEV = 7,
    /// hwaddr and hwaddr_length.
    CTRS_PACKET_HWADDR = 8,
    /// payload.
    CTRS_PACKET_PAYLOAD = 9,
    /// prefix.
    CTRS_PACKET_PREFIX = 10,
    /// uid.
    CTRS_PACKET_UID = 11,
    /// seq.
    CTRS_PACKET_SEQ = 12,
    /// seq_global.
    CTRS_PACKET_SEQ_GLOBAL = 13,
    /// gid.
    CTRS_PACKET_GID = 14,
    /// hwtype.
    CTRS_PACKET_HWTYPE = 15,
    /// hwheader.
    CTRS_PACKET_HWHEADER = 16,
    /// conntrack.
    CTRS_PACKET_CONNTRACK = 18,
    /// conntrack_info.
    CTRS_PACKET_CONNTRACK_INFO = 19,
    /// vlan_protocol and vlan_tci.
    CTRS_PACKET_VLAN = 20,
    /// l2header.
    CTRS_PACKET_L2HEADER = 21,
    /// received.
    CTRS_PACKET_RECEIVED = 32,
    /// group and lost: packets of the group were lost here.
    CTRS_PACKET_LOST = 33,
    /// overrun: the receive buffer was full, and packets of any group were lost.
    CTRS_PACKET_OVERRUN = 34,
    /// A datagram was lost that was longer than any the kernel is known to send.
    CTRS_PACKET_TRUNCATED = 35,
}

// Their numbers are those of Rust.
const _: () = {
    use ctrs_packet_field::*;
    macro_rules! same {
        ($($field:ident $c:ident;)*) => {
            $(assert!(PacketField::$field as u32 == $c as u32);)*
        };
    }
    same! {
        Message CTRS_PACKET_MESSAGE;
        Header CTRS_PACKET_HEADER;
        Mark CTRS_PACKET_MARK;
        Timestamp CTRS_PACKET_TIMESTAMP;
        Indev CTRS_PACKET_INDEV;
        Outdev CTRS_PACKET_OUTDEV;
        Physindev CTRS_PACKET_PHYSINDEV;
        Physoutdev CTRS_PACKET_PHYSOUTDEV;
        Hwaddr CTRS_PACKET_HWADDR;
        Payload CTRS_PACKET_PAYLOAD;
        Prefix CTRS_PACKET_PREFIX;
        Uid CTRS_PACKET_UID;
        Seq CTRS_PACKET_SEQ;
        SeqGlobal CTRS_PACKET_SEQ_GLOBAL;
        Gid CTRS_PACKET_GID;
        Hwtype CTRS_PACKET_HWTYPE;
        Hwheader CTRS_PACKET_HWHEADER;
        Conntrack CTRS_PACKET_CONNTRACK;
        ConntrackInfo CTRS_PACKET_CONNTRACK_INFO;
        Vlan CTRS_PACKET_VLAN;
        L2header CTRS_PACKET_L2HEADER;
        Received CTRS_PACKET_RECEIVED;
        Lost CTRS_PACKET_LOST;
        Overrun CTRS_PACKET_OVERRUN;
        Truncated CTRS_PACKET_TRUNCATED;
    }
};

/// A packet as a record, and the message behind it in the caller's buffer.
///
/// # Errors
/// `EINVAL` for NULL, for what is no size of a record, and for a record of no packet, or of one that is
/// not in the buffer.
///
/// # Safety
/// `packet` is NULL or points to `size` readable bytes, `buffer` is NULL or points to `length` that
/// nobody changes meanwhile.
pub(in crate::capi) unsafe fn packet<'a>(
    packet: *const PacketRecord,
    size: size_t,
    buffer: *const c_void,
    length: size_t,
) -> Result<(PacketRecord, Packet<'a>), Errno> {
    // SAFETY: `packet` is NULL or points to `size` readable bytes.
    let record = unsafe { take(packet, size) }?;
    // SAFETY: `buffer` is NULL or points to `length` readable bytes, which nobody changes.
    let buffer = unsafe { ptr::bytes(buffer, length) };
    let message = record.message.of(buffer).filter(|_| record.has(PacketField::Message));
    let packet = message.and_then(Packet::read).ok_or(Errno::NULL)?;
    Ok((record, packet))
}

/// Reads a packet from a message of the kernel, into a record whose parts are places in the
/// message: for programs with a receive loop of their own. What nflog_callback_register() takes is
/// handed a struct nfgenmsg that lies 16 bytes behind the beginning of its message. Of `length`
/// bytes those behind the message are left alone. received is not there.
///
/// `size` is sizeof(struct ctrs_packet) as the program was compiled: what that lacks is cut and not
/// marked as present, what this library lacks is zero.
///
/// Returns 0; -1 with EINVAL for NULL, and for a `size` that is no multiple of 8, less than 8 or
/// above 65,536; with EBADMSG if the message is cut short or not of a logged packet.
///
/// # Safety
/// `packet` is NULL or points to `size` writable bytes, `message` is NULL or points to `length`
/// readable ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_packet_from(
    packet: *mut PacketRecord,
    size: size_t,
    message: *const c_void,
    length: size_t,
) -> c_int {
    boundary(-1, || {
        ptr::not_null(packet)?;
        ptr::not_null(message)?;
        let size = checked_size::<PacketRecord>(size)?;
        // SAFETY: `message` is not NULL, so it points to `length` readable bytes.
        let message = unsafe { ptr::bytes(message, length) };
        let record = PacketRecord::of(message).ok_or(Errno::of(libc::EBADMSG))?;
        // SAFETY: `packet` is not NULL, so it points to `size` writable bytes.
        unsafe { put(packet, size, record) };
        Ok(0)
    })
}
