//! Packets as the files that tcpdump and Wireshark read.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::packet::packet;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::ptr;
use crate::nflog::pcap::{FILE_HEADER, LinkType, Pcap};
use crate::nflog::record::PacketRecord;
use libc::{c_int, c_void, size_t, ssize_t};
use std::time::{Duration, UNIX_EPOCH};

/// What the packets of a file begin with: LINKTYPE_* of tcpdump.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_link_type {
    /// The header of Ethernet, with the tag of a virtual LAN if there is one: of what came in
    /// through such a device, is in a bridge, or leaves by netdev egress. Others are not in the
    /// file.
    CTRS_LINK_ETHERNET = 1,
    /// The header of IPv4 or IPv6. ARP and what else is not IP is not in the file.
    CTRS_LINK_RAW = 101,
    /// All that the kernel told of any packet, as attributes.
    CTRS_LINK_NFLOG = 239,
}

/// Bytes that a file of packets begins with.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_pcap_size {
    /// Bytes that ctrs_pcap_header() writes.
    CTRS_PCAP_HEADER_SIZE = 24,
}

const _: () = {
    use ctrs_link_type::*;
    assert!(LinkType::Ethernet as u32 == CTRS_LINK_ETHERNET as u32);
    assert!(LinkType::Raw as u32 == CTRS_LINK_RAW as u32);
    assert!(LinkType::Nflog as u32 == CTRS_LINK_NFLOG as u32);
    assert!(FILE_HEADER == ctrs_pcap_size::CTRS_PCAP_HEADER_SIZE as usize);
};

/// The file that a program asks for.
fn file(link_type: u32, snaplen: u32) -> Result<Pcap, Errno> {
    let all = [LinkType::Ethernet, LinkType::Raw, LinkType::Nflog];
    let link = all.into_iter().find(|link| *link as u32 == link_type);
    Ok(Pcap::new(link.ok_or(Errno::of(libc::EINVAL))?).snaplen(snaplen))
}

/// Writes what a file of packets begins with: CTRS_PCAP_HEADER_SIZE bytes, or nothing if `size` is
/// less. The file is in the byte order of the machine, with times in microseconds, as every
/// program reads it. `link_type` is of enum ctrs_link_type; `snaplen` is how many bytes of a packet
/// the file has at most, 0 for all.
///
/// Returns CTRS_PCAP_HEADER_SIZE; -1 with EINVAL for NULL and for an unknown `link_type`.
///
/// # Safety
/// `header` is NULL or points to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_pcap_header(
    header: *mut c_void,
    size: size_t,
    link_type: u32,
    snaplen: u32,
) -> c_int {
    boundary(-1, || {
        ptr::not_null(header)?;
        let bytes = file(link_type, snaplen)?.header();
        // SAFETY: `header` is not NULL, so it points to `size` writable bytes.
        let room = unsafe { ptr::bytes_mut(header, size) };
        if let Some(room) = room.first_chunk_mut() {
            *room = bytes;
        }
        Ok(FILE_HEADER as c_int)
    })
}

/// Writes a packet as a record of a file that ctrs_pcap_header() begins, to be put behind those
/// before it: into `size` bytes of `record`, or nothing if that is too little. With a `size` of 0
/// it is only measured, and `record` may be NULL. `link_type` and `snaplen` are those of the file.
///
/// The time is when the kernel received the packet, or if it does not tell, when the library did.
/// How long it was before it was cut is what its IP header says, for the kernel does not tell; of
/// CTRS_LINK_NFLOG it is the length of the message.
///
/// `packet`, of `packet_size` bytes, and the `length` bytes of `buffer` that it was read into are
/// as the function that read the packet left them.
///
/// Returns how many bytes the record has; 0 if the packet has nothing of that kind, as its payload
/// was not copied, it is no IP, or has no such header; -1 with EINVAL for NULL, an unknown
/// `link_type`, a wrong `packet_size`, and a record that is of no packet or whose message is not
/// in `buffer`.
///
/// # Safety
/// `record` is NULL or points to `size` writable bytes; `packet` is NULL or points to `packet_size`
/// readable bytes, `buffer` is NULL or points to `length` of them, none of `record`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_packet_pcap(
    record: *mut c_void,
    size: size_t,
    packet: *const PacketRecord,
    packet_size: size_t,
    buffer: *const c_void,
    length: size_t,
    link_type: u32,
    snaplen: u32,
) -> ssize_t {
    boundary(-1, || {
        if size > 0 {
            ptr::not_null(record)?;
        }
        let file = file(link_type, snaplen)?;
        // SAFETY: `packet` and `buffer` are NULL or have as many bytes, which nobody changes.
        let (told, packet) = unsafe { self::packet(packet, packet_size, buffer, length) }?;
        let received = UNIX_EPOCH.checked_add(Duration::from_nanos(told.received));
        let Some(bytes) = file.record(&packet, received.unwrap_or(UNIX_EPOCH)) else {
            return Ok(0);
        };
        if bytes.len() <= size {
            // SAFETY: `record` has `size` bytes, none of which anything else uses.
            bytes.put(unsafe { ptr::bytes_mut(record, size) });
        }
        Ok(bytes.len() as ssize_t)
    })
}
