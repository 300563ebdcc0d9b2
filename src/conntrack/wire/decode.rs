//! The attributes of a conntrack message into an object, in one pass over borrowed bytes.
//!
//! What the kernel may send and what is done with it:
//! * an attribute of an unknown number, or of a length it cannot have, is skipped;
//! * of several with the same number the last counts, a nest as a whole;
//! * what a message does not mention stays as it was in the object.
#![forbid(unsafe_code)]

use super::nest::{Members, keep, last};
use super::tuple::{MASTER, ORIG, REPLY, tuple};
use super::usual_nests;
use crate::conntrack::error::Error;
use crate::conntrack::heap::{Bytes, Text};
use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::{Conntrack, Counters, Flat};
use crate::netlink::message::{Attributes, Message};
use crate::netlink::number::{be16, be32, be64};
use crate::uapi::cta;

/// The nests of a message, decoded once all are known, since the last of each counts.
#[derive(Default)]
struct Nests<'a> {
    orig: Option<&'a [u8]>,
    reply: Option<&'a [u8]>,
    master: Option<&'a [u8]>,
    seq_orig: Option<&'a [u8]>,
    seq_reply: Option<&'a [u8]>,
    protoinfo: Option<&'a [u8]>,
    counters_orig: Option<&'a [u8]>,
    counters_reply: Option<&'a [u8]>,
    help: Option<&'a [u8]>,
    secctx: Option<&'a [u8]>,
    timestamp: Option<&'a [u8]>,
    labels: Option<&'a [u8]>,
    synproxy: Option<&'a [u8]>,
    event_time: Option<&'a [u8]>,
}

/// Decodes the attributes of a message of address family `family` into `ct`.
///
/// # Errors
/// [`Error::OutOfMemory`]; the object is unchanged. [`Error::LabelsTooLong`]; what was decoded
/// before stays.
pub fn conntrack(ct: &mut Conntrack, attributes: &[u8], family: u8) -> Result<(), Error> {
    let before = (ct.flat.present, ct.flat.numbers());
    let nests = scalars(&mut ct.flat, attributes);
    let heap = heap_nests(ct, &nests);
    if heap == Err(Error::OutOfMemory) {
        ct.flat.present = before.0;
        ct.flat.set_numbers(before.1);
        return heap;
    }
    flat_nests(&mut ct.flat, &nests, family);
    heap?;
    if let Some(value) = nests.synproxy {
        synproxy(&mut ct.flat, value);
    }
    if let Some(value) = nests.event_time.and_then(be64) {
        ct.flat.event_time = value;
        ct.flat.present.set(Attr::TimestampEvent);
    }
    Ok(())
}

/// Decodes a message whose bad parts do not matter: what cannot be decoded is left out.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn as_far_as_possible(ct: &mut Conntrack, message: &Message<'_>) -> Result<(), Error> {
    attributes_as_far_as_possible(ct, message.attributes(), message.family())
}

/// Decodes attributes so, where they are in another message.
///
/// # Errors
/// [`Error::OutOfMemory`].
#[inline(always)]
pub(crate) fn attributes_as_far_as_possible(
    ct: &mut Conntrack,
    attributes: &[u8],
    family: u8,
) -> Result<(), Error> {
    match conntrack(ct, attributes, family) {
        Err(Error::OutOfMemory) => Err(Error::OutOfMemory),
        _ => Ok(()),
    }
}

/// The id of the entry that a message tells of.
#[must_use]
pub fn id(message: &Message<'_>) -> Option<u32> {
    last(message.attributes(), cta::ID).and_then(be32)
}

/// Stores the plain numbers of the top level, and finds the nests.
fn scalars<'a>(flat: &mut Flat, attributes: &'a [u8]) -> Nests<'a> {
    let mut nests = Nests::default();
    for attribute in Attributes::new(attributes) {
        let value = attribute.value;
        let number = |slot: &mut u32, present: &mut Presence, attr| {
            if let Some(number) = be32(value) {
                *slot = number;
                present.set(attr);
            }
        };
        match attribute.kind {
            cta::STATUS => number(&mut flat.status, &mut flat.present, Attr::Status),
            cta::TIMEOUT => number(&mut flat.timeout, &mut flat.present, Attr::Timeout),
            cta::MARK => number(&mut flat.mark, &mut flat.present, Attr::Mark),
            cta::SECMARK => number(&mut flat.secmark, &mut flat.present, Attr::Secmark),
            cta::USE => number(&mut flat.use_count, &mut flat.present, Attr::Use),
            cta::ID => number(&mut flat.id, &mut flat.present, Attr::Id),
            cta::ZONE => {
                if let Some(zone) = be16(value) {
                    flat.zone = zone;
                    flat.present.set(Attr::Zone);
                }
            }
            cta::TUPLE_ORIG => keep(&mut nests.orig, value),
            cta::TUPLE_REPLY => keep(&mut nests.reply, value),
            cta::TUPLE_MASTER => keep(&mut nests.master, value),
            cta::SEQ_ADJ_ORIG => keep(&mut nests.seq_orig, value),
            cta::SEQ_ADJ_REPLY => keep(&mut nests.seq_reply, value),
            cta::PROTOINFO => keep(&mut nests.protoinfo, value),
            cta::COUNTERS_ORIG => keep(&mut nests.counters_orig, value),
            cta::COUNTERS_REPLY => keep(&mut nests.counters_reply, value),
            cta::HELP => keep(&mut nests.help, value),
            cta::SECCTX => keep(&mut nests.secctx, value),
            cta::TIMESTAMP => keep(&mut nests.timestamp, value),
            cta::SYNPROXY => keep(&mut nests.synproxy, value),
            cta::LABELS => nests.labels = Some(value),
            cta::TIMESTAMP_EVENT if value.len() == 8 => nests.event_time = Some(value),
            _ => {}
        }
    }
    nests
}

/// Decodes the nests whose values lie in the object itself.
fn flat_nests(flat: &mut Flat, nests: &Nests<'_>, family: u8) {
    let present = &mut flat.present;
    if let Some(value) = nests.orig {
        tuple(&mut flat.orig, present, value, family, &ORIG);
    }
    if let Some(value) = nests.reply {
        tuple(&mut flat.reply, present, value, family, &REPLY);
    }
    if let Some(value) = nests.master {
        tuple(&mut flat.master, present, value, family, &MASTER);
    }
    let [a, b, c, d, e, f] = &mut flat.seq_adjust;
    if let Some(value) = nests.seq_orig {
        triple([a, b, c], present, value, SEQ_ORIG);
    }
    if let Some(value) = nests.seq_reply {
        triple([d, e, f], present, value, SEQ_REPLY);
    }
    if let Some(value) = nests.protoinfo {
        protoinfo(flat, value);
    }
    let (present, [orig, reply]) = (&mut flat.present, &mut flat.counters);
    if let Some(value) = nests.counters_orig {
        counters(orig, present, value, [Attr::OrigCounterPackets, Attr::OrigCounterBytes]);
    }
    if let Some(value) = nests.counters_reply {
        counters(reply, present, value, [Attr::ReplCounterPackets, Attr::ReplCounterBytes]);
    }
    if let Some(value) = nests.timestamp {
        timestamp(flat, value);
    }
}

/// Decodes the nests that vary in length: all of them, or none if there is no memory.
#[inline(always)]
fn heap_nests(ct: &mut Conntrack, nests: &Nests<'_>) -> Result<(), Error> {
    if nests.help.is_none() && nests.secctx.is_none() && nests.labels.is_none() {
        return Ok(());
    }
    let name = nests.help.and_then(|nest| text(nest, cta::HELP_NAME));
    // The helper's data counts only beside its name.
    let info = name.and(nests.help).and_then(|nest| last(nest, cta::HELP_INFO));
    let info = info.map(Bytes::new).transpose()?;
    let secctx = nests.secctx.and_then(|nest| text(nest, cta::SECCTX_NAME));
    let secctx = secctx.map(Text::new).transpose()?;
    let labels = nests.labels.filter(|value| !value.is_empty()).map(Bitmask::from_wire);
    if let Some(Err(Error::OutOfMemory)) = labels {
        return Err(Error::OutOfMemory);
    }
    if let Some(name) = name {
        ct.set_helper_name(name);
    }
    if let Some(info) = info {
        ct.heap.helper_info = info;
        ct.flat.present.set(Attr::HelperInfo);
    }
    if secctx.is_some() {
        ct.heap.secctx = secctx;
        ct.flat.present.set(Attr::Secctx);
    }
    if let Some(labels) = labels {
        ct.set_labels(labels?, false);
    }
    Ok(())
}

/// A string in a nest, which is never empty.
fn text(nest: &[u8], kind: u16) -> Option<&[u8]> {
    last(nest, kind).filter(|text| !text.is_empty())
}

const SEQ_ORIG: [Attr; 3] =
    [Attr::OrigNatSeqCorrectionPos, Attr::OrigNatSeqOffsetBefore, Attr::OrigNatSeqOffsetAfter];
const SEQ_REPLY: [Attr; 3] =
    [Attr::ReplNatSeqCorrectionPos, Attr::ReplNatSeqOffsetBefore, Attr::ReplNatSeqOffsetAfter];

/// Decodes the state of the layer 4 protocol; the three share their storage.
fn protoinfo(flat: &mut Flat, nest: &[u8]) {
    if let Some(state) = usual_nests::tcp(nest) {
        if let Some(to) = flat.protoinfo.0.first_chunk_mut() {
            *to = state;
        }
        flat.present.insert(TCP_SHAPE);
        return;
    }
    let (mut tcp, mut dccp, mut sctp) = (None, None, None);
    for attribute in Attributes::new(nest) {
        match attribute.kind {
            cta::PROTOINFO_TCP => keep(&mut tcp, attribute.value),
            cta::PROTOINFO_DCCP => keep(&mut dccp, attribute.value),
            cta::PROTOINFO_SCTP => keep(&mut sctp, attribute.value),
            _ => {}
        }
    }
    if let Some(nest) = tcp {
        let members = Members::read(nest, &[0, 1, 1, 1, 2, 2]);
        for (number, attrs) in TCP {
            put_protoinfo(flat, &members, number, attrs);
        }
    }
    if let Some(nest) = sctp {
        let members = Members::read(nest, &[0, 1, 4, 4]);
        for (number, attr) in SCTP {
            put_protoinfo(flat, &members, number, &[attr]);
        }
    }
    if let Some(nest) = dccp {
        let members = Members::read(nest, &[0, 1, 1, 8]);
        for (number, attr) in DCCP {
            put_protoinfo(flat, &members, number, &[attr]);
        }
    }
}

/// What a TCP nest of the usual shape has.
const TCP_SHAPE: Presence = Presence::of(&[
    Attr::TcpState,
    Attr::TcpFlagsOrig,
    Attr::TcpMaskOrig,
    Attr::TcpFlagsRepl,
    Attr::TcpMaskRepl,
    Attr::TcpWscaleOrig,
    Attr::TcpWscaleRepl,
]);

/// The flag members carry two attributes, flags and mask.
const TCP: [(u16, &[Attr]); 5] = [
    (cta::TCP_STATE, &[Attr::TcpState]),
    (cta::TCP_WSCALE_ORIGINAL, &[Attr::TcpWscaleOrig]),
    (cta::TCP_WSCALE_REPLY, &[Attr::TcpWscaleRepl]),
    (cta::TCP_FLAGS_ORIGINAL, &[Attr::TcpFlagsOrig, Attr::TcpMaskOrig]),
    (cta::TCP_FLAGS_REPLY, &[Attr::TcpFlagsRepl, Attr::TcpMaskRepl]),
];
const SCTP: [(u16, Attr); 3] = [
    (cta::SCTP_STATE, Attr::SctpState),
    (cta::SCTP_VTAG_ORIGINAL, Attr::SctpVtagOrig),
    (cta::SCTP_VTAG_REPLY, Attr::SctpVtagRepl),
];
const DCCP: [(u16, Attr); 3] = [
    (cta::DCCP_STATE, Attr::DccpState),
    (cta::DCCP_ROLE, Attr::DccpRole),
    (cta::DCCP_HANDSHAKE_SEQ, Attr::DccpHandshakeSeq),
];

/// Stores a member of a protocol's state: a number, or a pair of bytes in two attributes.
#[inline(always)]
fn put_protoinfo<const N: usize>(
    flat: &mut Flat,
    members: &Members<N>,
    number: u16,
    attrs: &[Attr],
) {
    let Some(value) = members.get(number) else { return };
    match attrs {
        [attr] => put_number(flat, *attr, value),
        [flags, mask] => {
            put_number(flat, *flags, value >> 8);
            put_number(flat, *mask, value & 0xff);
        }
        _ => {}
    }
}

/// Stores a number in the slot of an attribute, in host order.
#[inline(always)]
fn put_number(flat: &mut Flat, attr: Attr, value: u64) {
    let row = attr.row();
    let Some(slot) = flat.bytes_mut().get_mut(row.offset.into()..) else { return };
    match row.storage.width() {
        1 => put_bytes(slot, [value as u8]),
        4 => put_bytes(slot, (value as u32).to_ne_bytes()),
        _ => put_bytes(slot, value.to_ne_bytes()),
    }
    flat.present.set(attr);
}

#[inline(always)]
fn put_bytes<const N: usize>(slot: &mut [u8], bytes: [u8; N]) {
    if let Some(to) = slot.first_chunk_mut() {
        *to = bytes;
    }
}

/// Decodes the counters of one direction; 64-bit members win over the 32-bit ones of old kernels.
fn counters(to: &mut Counters, present: &mut Presence, nest: &[u8], attrs: [Attr; 2]) {
    if let Some([packets, bytes]) = usual_nests::counters(nest) {
        *to = Counters { packets, bytes };
        attrs.into_iter().for_each(|attr| present.set(attr));
        return;
    }
    let members = Members::read(nest, &[0, 8, 8, 4, 4]);
    let packets = members.get(cta::COUNTERS_PACKETS).or(members.get(cta::COUNTERS32_PACKETS));
    if let Some(packets) = packets {
        to.packets = packets;
        present.set(attrs[0]);
    }
    let bytes = members.get(cta::COUNTERS_BYTES).or(members.get(cta::COUNTERS32_BYTES));
    if let Some(bytes) = bytes {
        to.bytes = bytes;
        present.set(attrs[1]);
    }
}

fn timestamp(flat: &mut Flat, nest: &[u8]) {
    let members = Members::read(nest, &[0, 8, 8]);
    if let Some(start) = members.get(cta::TIMESTAMP_START) {
        flat.start = start;
        flat.present.set(Attr::TimestampStart);
    }
    if let Some(stop) = members.get(cta::TIMESTAMP_STOP) {
        flat.stop = stop;
        flat.present.set(Attr::TimestampStop);
    }
}

fn synproxy(flat: &mut Flat, nest: &[u8]) {
    let [isn, its, tsoff] = &mut flat.synproxy;
    let attrs = [Attr::SynproxyIsn, Attr::SynproxyIts, Attr::SynproxyTsoff];
    triple([isn, its, tsoff], &mut flat.present, nest, attrs);
}

/// Decodes a nest of three 32-bit numbers, members 1 to 3.
fn triple(to: [&mut u32; 3], present: &mut Presence, nest: &[u8], attrs: [Attr; 3]) {
    if let Some(values) = usual_nests::triple(nest) {
        for ((slot, value), attr) in to.into_iter().zip(values).zip(attrs) {
            *slot = value;
            present.set(attr);
        }
        return;
    }
    let members = Members::read(nest, &[0, 4, 4, 4]);
    for ((slot, attr), number) in to.into_iter().zip(attrs).zip(1..) {
        if let Some(value) = members.get(number) {
            *slot = value as u32;
            present.set(attr);
        }
    }
}
