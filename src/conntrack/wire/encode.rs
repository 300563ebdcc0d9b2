//! An object into the attributes of a request, in the order programs have always sent them.
#![forbid(unsafe_code)]

use crate::conntrack::error::Error;
use crate::conntrack::filter::dump::DumpFilter;
use crate::conntrack::filter::tuple::{ORIGINAL, REPLY};
use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::{Conntrack, Flat, NatRange, Tuple};
use crate::conntrack::object::layer4::Layer4;
use crate::conntrack::object::sets::{DCCP, SCTP, SEQ_ORIG, SEQ_REPLY, SYNPROXY, TCP};
use crate::netlink::builder::Builder;
use crate::uapi::{cta, ips};

const REPLY_TUPLE: Presence = Presence::of(&[
    Attr::ReplIpv4Src,
    Attr::ReplIpv4Dst,
    Attr::ReplIpv6Src,
    Attr::ReplIpv6Dst,
    Attr::ReplPortSrc,
    Attr::ReplPortDst,
    Attr::ReplL3Proto,
    Attr::ReplL4Proto,
    Attr::ReplZone,
]);
pub(super) const MASTER_TUPLE: Presence = Presence::of(&[
    Attr::MasterIpv4Src,
    Attr::MasterIpv4Dst,
    Attr::MasterIpv6Src,
    Attr::MasterIpv6Dst,
    Attr::MasterPortSrc,
    Attr::MasterPortDst,
    Attr::MasterL3Proto,
    Attr::MasterL4Proto,
]);
const NAT: Presence = Presence::of(&[
    Attr::SnatIpv4,
    Attr::SnatIpv6,
    Attr::SnatPort,
    Attr::DnatIpv4,
    Attr::DnatIpv6,
    Attr::DnatPort,
]);

/// Bytes of the longest tuple: IPv6, ICMPv6, with a zone.
const TUPLE_SIZE: usize = 92;

/// Appends all that the kernel takes of `ct`.
///
/// # Errors
/// [`Error::NoFamily`], [`Error::BadFamily`]: the message is not to be sent.
pub fn conntrack(to: &mut Builder<'_>, ct: &Conntrack) -> Result<(), Error> {
    let flat = &ct.flat;
    if !ct.has(Attr::OrigL3Proto) {
        return Err(Error::NoFamily);
    }
    tuple(to, cta::TUPLE_ORIG, &flat.orig, zone(flat, Attr::OrigZone))?;
    attributes(to, ct)
}

/// Appends what names an entry that the kernel handed out: one of its tuples, and its zone.
///
/// # Errors
/// [`Error::BadFamily`].
pub(super) fn name(to: &mut Builder<'_>, ct: &Conntrack, by_reply: bool) -> Result<(), Error> {
    if by_reply {
        tuple(to, cta::TUPLE_REPLY, &ct.flat.reply, zone(&ct.flat, Attr::ReplZone))?;
    } else {
        tuple(to, cta::TUPLE_ORIG, &ct.flat.orig, zone(&ct.flat, Attr::OrigZone))?;
    }
    if ct.has(Attr::Zone) {
        to.put_be16(cta::ZONE, ct.flat.zone);
    }
    Ok(())
}

/// Appends all but the original tuple.
pub(super) fn attributes(to: &mut Builder<'_>, ct: &Conntrack) -> Result<(), Error> {
    let flat = &ct.flat;
    if flat.present.has_any(REPLY_TUPLE) {
        tuple(to, cta::TUPLE_REPLY, &flat.reply, zone(flat, Attr::ReplZone))?;
    }
    if flat.present.has_any(MASTER_TUPLE) && is_ip(flat.master.l3proto) {
        tuple(to, cta::TUPLE_MASTER, &flat.master, None)?;
    }
    after_tuples(to, ct, flat);
    Ok(())
}

/// Appends all but the tuples, with the numbers of `flat` and what else `ct` has.
pub(super) fn after_tuples(to: &mut Builder<'_>, ct: &Conntrack, flat: &Flat) {
    let has = |attr| flat.present.has(attr);
    numbers(to, flat);
    protoinfo(to, flat);
    if flat.present.has_any(NAT) {
        bindings(to, flat);
    }
    let [a, b, c, d, e, f] = flat.seq_adjust;
    if flat.present.has_all(SEQ_ORIG) {
        triple(to, cta::SEQ_ADJ_ORIG, [a, b, c]);
    }
    if flat.present.has_all(SEQ_REPLY) {
        triple(to, cta::SEQ_ADJ_REPLY, [d, e, f]);
    }
    help(to, ct);
    if has(Attr::Zone) {
        to.put_be16(cta::ZONE, flat.zone);
    }
    labels(to, ct);
    if flat.present.has_all(SYNPROXY) {
        triple(to, cta::SYNPROXY, flat.synproxy);
    }
}

/// Appends the NAT bindings that are asked for.
fn bindings(to: &mut Builder<'_>, flat: &Flat) {
    let has = |attr| flat.present.has(attr);
    let with_port = Layer4::of(flat.orig.l4proto).has_ends();
    let snat = [has(Attr::SnatIpv4), has(Attr::SnatIpv6), has(Attr::SnatPort)];
    nat(to, cta::NAT_SRC, &flat.snat, snat, with_port);
    let dnat = [has(Attr::DnatIpv4), has(Attr::DnatIpv6), has(Attr::DnatPort)];
    nat(to, cta::NAT_DST, &flat.dnat, dnat, with_port);
}

fn is_ip(family: u8) -> bool {
    matches!(i32::from(family), libc::AF_INET | libc::AF_INET6)
}

/// The zone that goes into a tuple.
fn zone(flat: &Flat, attr: Attr) -> Option<u16> {
    let zone = if attr == Attr::OrigZone { flat.orig.zone } else { flat.reply.zone };
    flat.present.has(attr).then_some(zone)
}

/// Appends a tuple: both addresses, the protocol and its ports, zero where never set.
///
/// # Errors
/// [`Error::BadFamily`]; nothing was appended.
pub(super) fn tuple(
    to: &mut Builder<'_>,
    kind: u16,
    tuple: &Tuple,
    zone: Option<u16>,
) -> Result<(), Error> {
    if !is_ip(tuple.l3proto) {
        return Err(Error::BadFamily(tuple.l3proto));
    }
    // Built aside, where the compiler knows the room: half the work of a request is its tuples.
    let mut buffer = [0; TUPLE_SIZE];
    let mut aside = Builder::new(&mut buffer, 0);
    let nest = aside.begin(kind);
    addresses(&mut aside, tuple);
    layer4(&mut aside, tuple);
    if let Some(zone) = zone {
        aside.put_be16(cta::TUPLE_ZONE, zone);
    }
    aside.end(nest);
    to.append(&aside);
    Ok(())
}

#[inline(always)]
fn addresses(to: &mut Builder<'_>, tuple: &Tuple) {
    let nest = to.begin(cta::TUPLE_IP);
    if i32::from(tuple.l3proto) == libc::AF_INET {
        to.put_4_bytes(cta::IP_V4_SRC, first4(&tuple.src));
        to.put_4_bytes(cta::IP_V4_DST, first4(&tuple.dst));
    } else {
        to.put(cta::IP_V6_SRC, &tuple.src);
        to.put(cta::IP_V6_DST, &tuple.dst);
    }
    to.end(nest);
}

#[inline(always)]
fn first4([a, b, c, d, ..]: &[u8; 16]) -> [u8; 4] {
    [*a, *b, *c, *d]
}

#[inline(always)]
fn layer4(to: &mut Builder<'_>, tuple: &Tuple) {
    let nest = to.begin(cta::TUPLE_PROTO);
    to.put_u8(cta::PROTO_NUM, tuple.l4proto);
    match Layer4::of(tuple.l4proto) {
        Layer4::Ports | Layer4::Keys => {
            to.put_pair(cta::PROTO_SRC_PORT, tuple.l4src);
            to.put_pair(cta::PROTO_DST_PORT, tuple.l4dst);
        }
        Layer4::Icmp => {
            let [code, kind, id] = match i32::from(tuple.l4proto) {
                libc::IPPROTO_ICMP => {
                    [cta::PROTO_ICMP_CODE, cta::PROTO_ICMP_TYPE, cta::PROTO_ICMP_ID]
                }
                _ => [cta::PROTO_ICMPV6_CODE, cta::PROTO_ICMPV6_TYPE, cta::PROTO_ICMPV6_ID],
            };
            to.put_u8(code, tuple.l4dst[1]);
            to.put_u8(kind, tuple.l4dst[0]);
            to.put_pair(id, tuple.l4src);
        }
        Layer4::Nothing => {}
    }
    to.end(nest);
}

fn numbers(to: &mut Builder<'_>, flat: &Flat) {
    let has = |attr| flat.present.has(attr);
    if has(Attr::Status) {
        // The kernel refuses a status without that bit.
        to.put_be32(cta::STATUS, flat.status | ips::CONFIRMED);
    }
    if has(Attr::Timeout) {
        to.put_be32(cta::TIMEOUT, flat.timeout);
    }
    if has(Attr::Mark) {
        to.put_be32(cta::MARK, flat.mark);
    }
    if has(Attr::Secmark) {
        to.put_be32(cta::SECMARK, flat.secmark);
    }
}

/// Appends the state of the protocol of the original tuple.
fn protoinfo(to: &mut Builder<'_>, flat: &Flat) {
    let (members, append): (_, fn(&mut Builder<'_>, &Flat)) = match i32::from(flat.orig.l4proto) {
        libc::IPPROTO_TCP => (TCP, tcp),
        libc::IPPROTO_SCTP => (SCTP, sctp),
        libc::IPPROTO_DCCP => (DCCP, dccp),
        _ => return,
    };
    if flat.present.has_any(members) {
        let nest = to.begin(cta::PROTOINFO);
        append(to, flat);
        to.end(nest);
    }
}

fn tcp(to: &mut Builder<'_>, flat: &Flat) {
    let [state, flags_orig, mask_orig, flags_reply, mask_reply, wscale_orig, wscale_reply, ..] =
        flat.protoinfo.0;
    let has = |attr| flat.present.has(attr);
    let nest = to.begin(cta::PROTOINFO_TCP);
    if has(Attr::TcpState) {
        to.put_u8(cta::TCP_STATE, state);
    }
    if has(Attr::TcpFlagsOrig) && has(Attr::TcpMaskOrig) {
        to.put_pair(cta::TCP_FLAGS_ORIGINAL, [flags_orig, mask_orig]);
    }
    if has(Attr::TcpFlagsRepl) && has(Attr::TcpMaskRepl) {
        to.put_pair(cta::TCP_FLAGS_REPLY, [flags_reply, mask_reply]);
    }
    if has(Attr::TcpWscaleOrig) {
        to.put_u8(cta::TCP_WSCALE_ORIGINAL, wscale_orig);
    }
    if has(Attr::TcpWscaleRepl) {
        to.put_u8(cta::TCP_WSCALE_REPLY, wscale_reply);
    }
    to.end(nest);
}

fn sctp(to: &mut Builder<'_>, flat: &Flat) {
    let [state, _, _, _, a, b, c, d, e, f, g, h, ..] = flat.protoinfo.0;
    let nest = to.begin(cta::PROTOINFO_SCTP);
    if flat.present.has(Attr::SctpState) {
        to.put_u8(cta::SCTP_STATE, state);
    }
    if flat.present.has(Attr::SctpVtagOrig) {
        to.put_be32(cta::SCTP_VTAG_ORIGINAL, u32::from_ne_bytes([a, b, c, d]));
    }
    if flat.present.has(Attr::SctpVtagRepl) {
        to.put_be32(cta::SCTP_VTAG_REPLY, u32::from_ne_bytes([e, f, g, h]));
    }
    to.end(nest);
}

fn dccp(to: &mut Builder<'_>, flat: &Flat) {
    let [state, role, ..] = flat.protoinfo.0;
    let nest = to.begin(cta::PROTOINFO_DCCP);
    if flat.present.has(Attr::DccpState) {
        to.put_u8(cta::DCCP_STATE, state);
    }
    if flat.present.has(Attr::DccpRole) {
        to.put_u8(cta::DCCP_ROLE, role);
    }
    if flat.present.has(Attr::DccpHandshakeSeq) {
        to.put_be64(cta::DCCP_HANDSHAKE_SEQ, flat.protoinfo.handshake_seq());
    }
    to.end(nest);
}

/// Appends a NAT binding, if its address or port is given. C programs get a port sent where tuples
/// have them.
pub(super) fn nat(
    to: &mut Builder<'_>,
    kind: u16,
    range: &NatRange,
    [ipv4, ipv6, port]: [bool; 3],
    with_port: bool,
) {
    if !(ipv4 || ipv6 || port) {
        return;
    }
    let nest = to.begin(kind);
    if ipv4 {
        to.put_4_bytes(cta::NAT_V4_MINIP, first4(&range.min));
    } else if ipv6 {
        to.put(cta::NAT_V6_MINIP, &range.min);
    }
    if port {
        let ports = to.begin(cta::NAT_PROTO);
        if with_port {
            to.put_pair(cta::PROTONAT_PORT_MIN, range.min_port);
            to.put_pair(cta::PROTONAT_PORT_MAX, range.max_port);
        }
        to.end(ports);
    }
    to.end(nest);
}

/// Appends a nest of three 32-bit numbers, members 1 to 3.
fn triple(to: &mut Builder<'_>, kind: u16, values: [u32; 3]) {
    let nest = to.begin(kind);
    let [first, second, third] = values;
    to.put_be32(1, first);
    to.put_be32(2, second);
    to.put_be32(3, third);
    to.end(nest);
}

/// Appends the helper, with its private data whether that is marked present or not.
fn help(to: &mut Builder<'_>, ct: &Conntrack) {
    if !ct.has(Attr::HelperName) {
        return;
    }
    let nest = to.begin(cta::HELP);
    to.put_text(cta::HELP_NAME, ct.helper_name());
    if let Some(info) = ct.heap.helper_info.get() {
        to.put(cta::HELP_INFO, info);
    }
    to.end(nest);
}

/// Appends the labels, and their mask. The kernel wants both of one size: the smaller one is sent
/// with zeros behind it. Labels outside the mask are then left out, for the kernel would invert them:
/// a `conntrack --label-del` sends all labels that are to stay, beside a mask of another size.
fn labels(to: &mut Builder<'_>, ct: &Conntrack) {
    let Some(labels) = ct.labels().map(Bitmask::words) else { return };
    let Some(mask) = ct.labels_mask().map(Bitmask::words) else {
        return to.put_words(cta::LABELS, labels.iter().copied(), labels.len());
    };
    let size = labels.len().max(mask.len());
    if labels.len() == mask.len() {
        to.put_words(cta::LABELS, labels.iter().copied(), size);
    } else {
        to.put_words(cta::LABELS, labels.iter().zip(mask).map(|(label, mask)| label & mask), size);
    }
    to.put_words(cta::LABELS_MASK, mask.iter().copied(), size);
}

/// Appends what selects the entries of a dump or flush, as programs have always sent it, and sets
/// the message's address family.
///
/// # Errors
/// [`Error::NoFamily`], [`Error::BadFamily`], [`Error::FamilyConflict`]: not to be sent.
pub fn dump_filter(to: &mut Builder<'_>, filter: &DumpFilter) -> Result<(), Error> {
    selection(to, filter, original_flags)
}

/// As [`dump_filter`], but of the tuples the kernel compares only what it compares right. The rest
/// has to be checked: the flag of an IPv6 address selects all entries but those that have it, other
/// flags are ignored.
pub fn narrowing_filter(to: &mut Builder<'_>, filter: &DumpFilter) -> Result<(), Error> {
    selection(to, filter, |ct| [ORIGINAL.exact_flags(ct), REPLY.exact_flags(ct)])
}

/// Appends a filter with flags of its tuples, those of the original and of the reply direction.
fn selection(
    to: &mut Builder<'_>,
    filter: &DumpFilter,
    flags: fn(&Conntrack) -> [u32; 2],
) -> Result<(), Error> {
    if let Some((value, mask)) = filter.mark() {
        to.put_be32(cta::MARK, value);
        to.put_be32(cta::MARK_MASK, mask);
    }
    if let Some(family) = filter.family() {
        to.set_family(family);
    }
    if let Some((value, mask)) = filter.status() {
        to.put_be32(cta::STATUS, value);
        to.put_be32(cta::STATUS_MASK, mask);
    }
    if let Some(zone) = filter.zone() {
        to.put_be16(cta::ZONE, zone);
    }
    let Some(ct) = filter.tuple() else { return Ok(()) };
    conntrack(to, ct)?;
    let family = ct.flat.orig.l3proto;
    if filter.family().is_some_and(|wanted| wanted != family) {
        return Err(Error::FamilyConflict);
    }
    let [orig, reply] = flags(ct);
    let nest = to.begin(cta::FILTER);
    to.put_host32(cta::FILTER_ORIG_FLAGS, orig);
    to.put_host32(cta::FILTER_REPLY_FLAGS, reply);
    to.end(nest);
    to.set_family(family);
    Ok(())
}

/// All parts of the original tuple that the object has.
fn original_flags(ct: &Conntrack) -> [u32; 2] {
    let ipv4 = i32::from(ct.flat.orig.l3proto) == libc::AF_INET;
    let (src, dst, icmp) = if ipv4 {
        (Attr::OrigIpv4Src, Attr::OrigIpv4Dst, 6)
    } else {
        (Attr::OrigIpv6Src, Attr::OrigIpv6Dst, 9)
    };
    [
        (src, 0),
        (dst, 1),
        (Attr::OrigZone, 2),
        (Attr::OrigL4Proto, 3),
        (Attr::OrigPortSrc, 4),
        (Attr::OrigPortDst, 5),
        (Attr::IcmpType, icmp),
        (Attr::IcmpCode, icmp + 1),
        (Attr::IcmpId, icmp + 2),
    ]
    .into_iter()
    .filter(|(attr, _)| ct.has(*attr))
    .fold([0, 0], |[flags, reply], (_, bit)| [flags | 1 << bit, reply])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_tuple_fits() {
        let mut buffer = [0; 256];
        let mut to = Builder::new(&mut buffer, 0);
        let (l3proto, l4proto) = (libc::AF_INET6 as u8, libc::IPPROTO_ICMPV6 as u8);
        let longest = Tuple { l3proto, l4proto, ..Tuple::default() };
        tuple(&mut to, cta::TUPLE_ORIG, &longest, Some(1)).unwrap();
        assert_eq!(to.finish(), Ok(TUPLE_SIZE));
    }

    #[test]
    fn a_tuple_without_a_usable_family_is_refused() {
        let mut to = Builder::new(&mut [], 0);
        let refused = tuple(&mut to, cta::TUPLE_ORIG, &Tuple::default(), None);
        assert_eq!((refused, to.len()), (Err(Error::BadFamily(0)), 0));
    }
}
