//! Packets that rules log, as JSON.

use super::json::written;
use super::packet::packet;
use crate::capi::conntrack::labelmap::optional;
use crate::capi::conntrack::types::{nf_conntrack, nfct_labelmap};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::explained::errno_of;
use crate::capi::ffi::ptr;
use crate::conntrack::json::Style;
use crate::conntrack::object::entry::Conntrack;
use crate::error;
use crate::nflog::json::{self as packets, Beside};
use crate::nflog::record::{PacketField, PacketRecord};
use libc::{c_char, c_int, c_void, size_t};

/// Writes a packet as JSON into a buffer of `size` bytes: one object of what the kernel told, on
/// one line. docs/json.md lists its members, and docs/packet.schema.json describes them for a
/// validator. `ct` is its flow, or NULL for the one that the kernel attached; `flags` and `map` are
/// for that, as in ctrs_snprintf_json().
///
/// `packet`, of `packet_size` bytes, and the `length` bytes of `buffer` that it was read into are
/// as the function that read the packet left them.
///
/// Returns as ctrs_snprintf_json(); also -1 with EINVAL for a wrong `packet_size`, and a record that
/// is of no packet or whose message is not in `buffer`, with ENOMEM.
///
/// # Safety
/// As ctrs_snprintf_json(), but for `ct`, which may be NULL anyway; `packet` is NULL or points to
/// `packet_size` readable bytes, `buffer` is NULL or points to `length` of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_packet_snprintf_json(
    buf: *mut c_char,
    size: size_t,
    packet: *const PacketRecord,
    packet_size: size_t,
    buffer: *const c_void,
    length: size_t,
    ct: *const nf_conntrack,
    flags: u32,
    map: *const nfct_labelmap,
) -> c_int {
    // SAFETY: `packet` and `buffer` are NULL or have as many bytes, `ct` and `map` are NULL or live,
    // and nobody changes them during the call; `buf` has `size` bytes.
    boundary(-1, || unsafe {
        let (record, packet) = self::packet(packet, packet_size, buffer, length)?;
        let style = Style { message: 0, flags, labels: optional(map) };
        let (mut attached, told) = (Conntrack::new(), ptr::shared(ct).ok());
        let there = told.is_none() && packet.conntrack_into(&mut attached).map_err(errno)?;
        let flow = told.or(there.then_some(&attached));
        let received = record.has(PacketField::Received).then_some(record.received);
        let beside = Beside { received, flow, style };
        written(buf, size, &style, |out| packets::packet(out, &packet, &beside))
    })
}

fn errno(error: error::Error) -> Error {
    Error::of(errno_of(&error))
}
