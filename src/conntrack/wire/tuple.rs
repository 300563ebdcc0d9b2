//! A tuple nest into one direction of a flow.
#![forbid(unsafe_code)]

use super::nest::{Members, keep};
use super::usual_nests::{self, Ports};
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::Tuple;
pub(super) use crate::conntrack::object::tuple::{MASTER, ORIG, REPLY, TupleAttrs};
use crate::netlink::message::Attributes;
use crate::netlink::number::be16;
use crate::uapi::cta;

/// Decodes a tuple nest; its mere presence says the layer 3 protocol.
#[inline(never)]
pub(super) fn tuple(
    to: &mut Tuple,
    present: &mut Presence,
    nest: &[u8],
    family: u8,
    attrs: &TupleAttrs,
) {
    to.l3proto = family;
    present.set(attrs.l3proto);
    if let Some(shape) = usual_nests::ipv4(nest) {
        put_shape(to, &shape);
        present.insert(attrs.ipv4_shape);
        return;
    }
    if let Some(shape) = usual_nests::ipv6(nest) {
        put_shape(to, &shape);
        present.insert(attrs.ipv6_shape);
        return;
    }
    let (mut ip, mut proto) = (None, None);
    for attribute in Attributes::new(nest) {
        match attribute.kind {
            cta::TUPLE_IP => keep(&mut ip, attribute.value),
            cta::TUPLE_PROTO => keep(&mut proto, attribute.value),
            cta::TUPLE_ZONE => {
                if let Some(zone) = be16(attribute.value) {
                    to.zone = zone;
                    attrs.zone.into_iter().for_each(|attr| present.set(attr));
                }
            }
            _ => {}
        }
    }
    if let Some(nest) = ip {
        addresses(to, present, nest, attrs);
    }
    if let Some(nest) = proto {
        layer4(to, present, nest, attrs);
    }
}

/// Stores a tuple of the usual shape.
#[inline(always)]
fn put_shape<const ADDRESS: usize>(to: &mut Tuple, shape: &Ports<'_, ADDRESS>) {
    if let (Some(src), Some(dst)) = (to.src.first_chunk_mut(), to.dst.first_chunk_mut()) {
        (*src, *dst) = (*shape.src, *shape.dst);
    }
    to.l4proto = shape.protocol;
    to.l4src = shape.l4src;
    to.l4dst = shape.l4dst;
}

/// Decodes the addresses of a tuple. IPv6 comes last in shared storage, wherever it was sent.
#[inline(always)]
fn addresses(to: &mut Tuple, present: &mut Presence, nest: &[u8], attrs: &TupleAttrs) {
    let (mut ipv6_src, mut ipv6_dst) = (None, None);
    for attribute in Attributes::new(nest) {
        match attribute.kind {
            cta::IP_V4_SRC => ipv4(&mut to.src, present, attribute.value, attrs.ipv4[0]),
            cta::IP_V4_DST => ipv4(&mut to.dst, present, attribute.value, attrs.ipv4[1]),
            cta::IP_V6_SRC => ipv6_src = attribute.value.try_into().ok().or(ipv6_src),
            cta::IP_V6_DST => ipv6_dst = attribute.value.try_into().ok().or(ipv6_dst),
            _ => {}
        }
    }
    if let Some(address) = ipv6_src {
        to.src = address;
        present.set(attrs.ipv6[0]);
    }
    if let Some(address) = ipv6_dst {
        to.dst = address;
        present.set(attrs.ipv6[1]);
    }
}

#[inline(always)]
fn ipv4(slot: &mut [u8; 16], present: &mut Presence, value: &[u8], attr: Attr) {
    if let (Ok(address), Some(to)) = (<[u8; 4]>::try_from(value), slot.first_chunk_mut()) {
        *to = address;
        present.set(attr);
    }
}

/// Decodes the protocol and ports (or ICMP members, which share their storage) of a tuple.
#[inline(always)]
fn layer4(to: &mut Tuple, present: &mut Presence, nest: &[u8], attrs: &TupleAttrs) {
    let members = Members::read(nest, &[0, 1, 2, 2, 2, 1, 1, 2, 1, 1]);
    if let Some(number) = members.get(cta::PROTO_NUM) {
        to.l4proto = number as u8;
        present.set(attrs.l4proto);
    }
    if let Some(port) = members.get(cta::PROTO_SRC_PORT) {
        to.l4src = (port as u16).to_be_bytes();
        present.set(attrs.ports[0]);
    }
    if let Some(port) = members.get(cta::PROTO_DST_PORT) {
        to.l4dst = (port as u16).to_be_bytes();
        present.set(attrs.ports[1]);
    }
    for (id, kind, code) in [
        (cta::PROTO_ICMP_ID, cta::PROTO_ICMP_TYPE, cta::PROTO_ICMP_CODE),
        (cta::PROTO_ICMPV6_ID, cta::PROTO_ICMPV6_TYPE, cta::PROTO_ICMPV6_CODE),
    ] {
        if let Some(id) = members.get(id) {
            to.l4src = (id as u16).to_be_bytes();
            present.set(Attr::IcmpId);
        }
        if let Some(kind) = members.get(kind) {
            to.l4dst[0] = kind as u8;
            present.set(Attr::IcmpType);
        }
        if let Some(code) = members.get(code) {
            to.l4dst[1] = code as u8;
            present.set(Attr::IcmpCode);
        }
    }
}
