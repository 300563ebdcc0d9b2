//! The flow of a packet: as the kernel attached it, and looked up by the packet.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::with_handle;
use super::flow::put;
use super::packet::packet;
use crate::capi::conntrack::types::{nf_conntrack, nfct_handle};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::errno_of;
use crate::capi::ffi::ptr;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::values::{Direction, Zone};
use crate::error::{Error, Invalid, RequestKind};
use crate::nflog::lookup::FlowLookup;
use crate::nflog::record::PacketRecord;
use libc::{c_int, c_void, size_t};

/// Flags of ctrs_packet_flow().
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_lookup_flags {
    /// Only what the kernel looks up at once: it is not to go through its table.
    CTRS_LOOKUP_BY_TUPLE = 1,
    /// The zone is that of the original direction alone.
    CTRS_LOOKUP_ZONE_ORIGINAL = 2,
    /// The zone is that of the reply direction alone.
    CTRS_LOOKUP_ZONE_REPLY = 4,
}

const BY_TUPLE: u32 = ctrs_lookup_flags::CTRS_LOOKUP_BY_TUPLE as u32;
const ORIGINAL: u32 = ctrs_lookup_flags::CTRS_LOOKUP_ZONE_ORIGINAL as u32;
const REPLY: u32 = ctrs_lookup_flags::CTRS_LOOKUP_ZONE_REPLY as u32;

/// What flags and a zone ask for; `None` for unknown flags and for two directions.
fn lookup(zone: u16, flags: u32) -> Option<FlowLookup> {
    let lookup = FlowLookup::new();
    let lookup = if flags & BY_TUPLE == 0 { lookup } else { lookup.by_tuple_alone() };
    let zone = match flags & !BY_TUPLE {
        0 => Zone::from(zone),
        ORIGINAL => Zone::original(zone),
        REPLY => Zone::reply(zone),
        _ => return None,
    };
    Some(lookup.in_zone(zone))
}

/// The packet's flow as the kernel attached it, which it does for groups that ask for it, where it
/// is built with CONFIG_NETFILTER_NETLINK_GLUE_CT: into `ct`, in place of what that holds.
///
/// `packet`, of `packet_size` bytes, and the `length` bytes of `buffer` that it was read into are
/// as the function that read the packet left them.
///
/// Returns 1; 0 if no flow is attached, with `ct` unchanged; -1 with EINVAL for NULL, a wrong
/// `packet_size`, and a record that is of no packet or whose message is not in `buffer`, with
/// ENOMEM.
///
/// # Safety
/// `ct` is NULL or a live object; `packet` is NULL or points to `packet_size` readable bytes,
/// `buffer` is NULL or points to `length` of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_packet_conntrack(
    ct: *mut nf_conntrack,
    packet: *const PacketRecord,
    packet_size: size_t,
    buffer: *const c_void,
    length: size_t,
) -> c_int {
    boundary(-1, || {
        // SAFETY: `packet` and `buffer` are NULL or have as many bytes, which nobody changes.
        let (_, packet) = unsafe { self::packet(packet, packet_size, buffer, length) }?;
        // SAFETY: `ct` is NULL or live, and used by nobody else during the call.
        let there = packet.conntrack_into(unsafe { ptr::unique(ct) }?);
        there.map(c_int::from).map_err(|error| Errno::of(errno_of(&error)))
    })
}

/// Asks the kernel for the flow that a packet belongs to, by the packet itself: IPv4 and IPv6; TCP,
/// UDP, UDP-Lite, SCTP, ICMP, GRE and protocols that have addresses alone; in either direction;
/// before and after NAT, as the hook tells; an ICMP error by the packet inside. `result` gets the
/// flow in place of what it holds; NULL only asks whether there is one. `dir`, if it is not NULL,
/// is made CTRS_ORIGINAL or CTRS_REPLY: which way of the flow's the packet goes.
///
/// Most packets take one request, others two. If there is no flow then, it still may be one
/// whose source and destination both are translated, seen between the one and the other, or
/// one of PPTP, whose packets do not have all that names it. For these the kernel goes through
/// its table, which takes it a millisecond and more; CTRS_LOOKUP_BY_TUPLE does without. `flags` are
/// some of enum ctrs_lookup_flags.
///
/// A packet does not tell its zone: that is `zone`, of both directions unless a flag says which,
/// or 0. Nor does it tell whether a rule kept it from being tracked, or the kernel found it
/// invalid: it is taken for one of the flow that has its tuple. Ask soon: a flow may have ended,
/// and another begun with its tuple.
///
/// `packet` and `buffer` are as in ctrs_packet_conntrack(). What of the payload was copied has
/// to reach to the ports, of ICMP errors to those inside.
///
/// Returns 1; 0 if there is no flow, or the packet does not tell: fragments, what is no IP, and
/// what was cut short; `result` and `dir` are then unchanged, as after a failure; -1 with EINVAL
/// for NULL, wrong sizes, a record that is of no packet, and unknown flags, else as ctrs_get().
///
/// # Safety
/// `h` is NULL or a live handle; `packet` is NULL or points to `packet_size` readable bytes,
/// `buffer` is NULL or points to `length` of them; `result` is NULL or a live object; `dir` is NULL
/// or points to a number.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_packet_flow(
    h: *mut nfct_handle,
    packet: *const PacketRecord,
    packet_size: size_t,
    buffer: *const c_void,
    length: size_t,
    zone: u16,
    flags: u32,
    result: *mut nf_conntrack,
    dir: *mut c_int,
) -> c_int {
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, -1, |handle| {
            let wrong = |sentence| Error::from(Invalid::Argument(sentence)).of(RequestKind::Get);
            // SAFETY: `packet` and `buffer` are NULL or have as many bytes, which nobody changes.
            let (_, packet) = self::packet(packet, packet_size, buffer, length)
                .map_err(|_| wrong("there is no packet, or its size is wrong"))?;
            let lookup = lookup(zone, flags).ok_or_else(|| wrong("the flags are unknown"))?;
            let mut found = Conntrack::new();
            let Some(direction) = packet.find(handle.connection()?, &lookup, &mut found)? else {
                return Ok(0);
            };
            // SAFETY: `dir` is NULL or the caller's number.
            if let Some(dir) = dir.as_mut() {
                *dir = c_int::from(direction == Direction::Reply);
            }
            // SAFETY: `result` is NULL or live, and nobody else uses it.
            put(result, found);
            Ok(1)
        })
    }
}
