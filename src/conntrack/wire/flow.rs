//! One entry in the requests of Rust programs: named by either tuple, deleted only while it is the
//! one that was seen, created again as it was.
#![forbid(unsafe_code)]

use super::encode;
use super::tuple::{MASTER, ORIG, REPLY, TupleAttrs};
use crate::conntrack::error::Error;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::{Conntrack, Flat, Tuple};
use crate::conntrack::object::flow::{ORIGINAL_TUPLE, REPLY_TUPLE};
use crate::conntrack::object::icmp;
use crate::conntrack::object::layer4::Layer4;
use crate::conntrack::object::nat::{UNDO_DNAT, UNDO_DPAT, UNDO_SNAT, UNDO_SPAT};
use crate::netlink::builder::Builder;
use crate::uapi::{cta, ips};

const SNAT: [Attr; 3] = [Attr::SnatIpv4, Attr::SnatIpv6, Attr::SnatPort];
const DNAT: [Attr; 3] = [Attr::DnatIpv4, Attr::DnatIpv6, Attr::DnatPort];
const NAT_IPV4: Presence = Presence::of(&[Attr::SnatIpv4, Attr::DnatIpv4]);
const NAT_IPV6: Presence = Presence::of(&[Attr::SnatIpv6, Attr::DnatIpv6]);
const NAT: Presence = Presence::of(&SNAT).with(Presence::of(&DNAT));
const TUPLES: Presence = ORIGINAL_TUPLE.with(REPLY_TUPLE);

/// All TCP flags but MAXACK_SET, which speaks of a number that the kernel does not tell.
const TCP_FLAGS: u8 = !0x20;

/// A tuple that names an entry, or half of one to be made.
struct Side<'a> {
    kind: u16,
    tuple: &'a Tuple,
    attrs: &'static TupleAttrs,
    present: Presence,
}

/// The original and the reply direction.
fn sides(flat: &Flat) -> [Side<'_>; 2] {
    let present = flat.present;
    [
        Side { kind: cta::TUPLE_ORIG, tuple: &flat.orig, attrs: &ORIG, present },
        Side { kind: cta::TUPLE_REPLY, tuple: &flat.reply, attrs: &REPLY, present },
    ]
}

impl Side<'_> {
    /// # Errors
    /// [`Error::NoFamily`], [`Error::BadFamily`], [`Error::PartialTuple`]: the kernel would take
    /// what is missing for zero.
    fn check(&self) -> Result<(), Error> {
        let Self { tuple, attrs, .. } = self;
        if !self.present.has(attrs.l3proto) {
            return Err(Error::NoFamily);
        }
        let addresses = match i32::from(tuple.l3proto) {
            libc::AF_INET => attrs.ipv4,
            libc::AF_INET6 => attrs.ipv6,
            _ => return Err(Error::BadFamily(tuple.l3proto)),
        };
        let layer4 = match Layer4::of(tuple.l4proto) {
            Layer4::Ports | Layer4::Keys => &attrs.ports[..],
            Layer4::Icmp => &[Attr::IcmpType, Attr::IcmpId],
            Layer4::Nothing => &[],
        };
        let whole = Presence::of(&addresses).with(Presence::of(layer4));
        let whole = self.present.has(attrs.l4proto) && self.present.has_all(whole);
        if whole { Ok(()) } else { Err(Error::PartialTuple) }
    }

    fn append(&self, to: &mut Builder<'_>) -> Result<(), Error> {
        let zone = self.attrs.zone.filter(|zone| self.present.has(*zone));
        encode::tuple(to, self.kind, self.tuple, zone.map(|_| self.tuple.zone))
    }
}

/// What names the entry: the original tuple, or else the reply tuple, as the kernel does it.
fn name(flat: &Flat) -> Result<Side<'_>, Error> {
    let [original, reply] = sides(flat);
    match (original.check(), reply.check()) {
        (Ok(()), _) => Ok(original),
        (_, Ok(())) => Ok(reply),
        (Err(Error::NoFamily), Err(error)) | (Err(error), _) => Err(error),
    }
}

/// Gives a reply tuple of ICMP its type, if that was set before the family was known.
fn settle(Flat { orig, reply, .. }: &mut Flat) {
    if Layer4::of(reply.l4proto) == Layer4::Icmp && reply.l4dst[0] == icmp::NO_REPLY {
        reply.l4dst[0] = icmp::reply_type(reply.l3proto, orig.l4dst[0]);
    }
}

/// The address family of a request about the entry.
///
/// # Errors
/// [`Error::NoFamily`], [`Error::BadFamily`], [`Error::PartialTuple`].
pub fn family(ct: &Conntrack) -> Result<u8, Error> {
    name(&ct.flat).map(|side| side.tuple.l3proto)
}

/// Appends what names one entry: a tuple and its zone. With `guarded` its id too, if it has one:
/// then the request is about the entry that was seen, not about one that took its place.
///
/// # Errors
/// As [`family`].
pub fn named(to: &mut Builder<'_>, ct: &Conntrack, guarded: bool) -> Result<(), Error> {
    let mut flat = ct.flat;
    settle(&mut flat);
    name(&flat)?.append(to)?;
    if ct.has(Attr::Zone) {
        to.put_be16(cta::ZONE, flat.zone);
    }
    if guarded && ct.has(Attr::Id) {
        to.put_be32(cta::ID, flat.id);
    }
    Ok(())
}

/// Appends what names one entry and all that an update changes.
///
/// # Errors
/// As [`family`]; [`Error::FamilyConflict`], [`Error::OutOfMemory`].
pub fn changed(to: &mut Builder<'_>, ct: &Conntrack) -> Result<(), Error> {
    let mut ct = ct.try_clone()?;
    settle(&mut ct.flat);
    let side = name(&ct.flat)?;
    side.append(to)?;
    // What follows goes by the original protocol, which may not be known.
    let Tuple { l3proto, l4proto, .. } = *side.tuple;
    (ct.flat.orig.l3proto, ct.flat.orig.l4proto) = (l3proto, l4proto);
    ct.flat.present.remove(TUPLES);
    unmask_flags(&mut ct, false);
    append_rest(to, &mut ct)
}

/// Appends a whole entry. One that the kernel handed out becomes the same again: NAT is asked for
/// as its tuples show it, its TCP flags count, and status bits are left out that the kernel sets
/// by itself and refuses to be told.
///
/// # Errors
/// As [`changed`].
pub fn whole(to: &mut Builder<'_>, ct: &Conntrack) -> Result<(), Error> {
    let mut ct = ct.try_clone()?;
    settle(&mut ct.flat);
    renew_nat(&mut ct)?;
    unmask_flags(&mut ct, true);
    ct.flat.status &= !(ips::EXPECTED | ips::DYING);
    for side in sides(&ct.flat) {
        side.check()?;
        side.append(to)?;
    }
    ct.flat.present.remove(TUPLES);
    append_rest(to, &mut ct)
}

/// Asks for the translation that the status and the tuples of an entry show, unless another is
/// asked for, with a reply tuple as it is before the translation.
fn renew_nat(ct: &mut Conntrack) -> Result<(), Error> {
    let status = if ct.has(Attr::Status) { ct.flat.status } else { 0 };
    for (bit, attrs, undo_address, undo_port) in
        [(ips::SRC_NAT, SNAT, UNDO_SNAT, UNDO_SPAT), (ips::DST_NAT, DNAT, UNDO_DNAT, UNDO_DPAT)]
    {
        if status & bit == 0 || ct.flat.present.has_any(Presence::of(&attrs)) {
            continue;
        }
        ct.set_option(undo_address)?;
        let layer4 = Layer4::of(ct.flat.orig.l4proto);
        if layer4.has_ends() {
            ct.set_option(undo_port)?;
        } else if layer4 == Layer4::Icmp && bit == ips::SRC_NAT {
            // The id is the same in both directions, and the source's to translate.
            let Flat { orig, reply, snat, present, .. } = &mut ct.flat;
            (snat.min_port, snat.max_port) = (reply.l4src, reply.l4src);
            reply.l4src = orig.l4src;
            present.set(Attr::SnatPort);
        }
    }
    Ok(())
}

/// Makes TCP flags count that have no mask, and with `restoring` those that the kernel handed out:
/// it gives them a mask of 0, which in a request changes nothing.
fn unmask_flags(ct: &mut Conntrack, restoring: bool) {
    if i32::from(ct.flat.orig.l4proto) != libc::IPPROTO_TCP {
        return;
    }
    for (flags, mask) in
        [(Attr::TcpFlagsOrig, Attr::TcpMaskOrig), (Attr::TcpFlagsRepl, Attr::TcpMaskRepl)]
    {
        let unmasked = ct.number(mask).is_none_or(|mask| restoring && mask == 0);
        if ct.has(flags) && unmasked {
            ct.set(mask, [TCP_FLAGS; 16]);
        }
    }
}

/// Appends all but the tuples.
fn append_rest(to: &mut Builder<'_>, ct: &mut Conntrack) -> Result<(), Error> {
    let flat = ct.flat;
    let other_family =
        if i32::from(flat.orig.l3proto) == libc::AF_INET { NAT_IPV6 } else { NAT_IPV4 };
    if flat.present.has_any(other_family) {
        return Err(Error::FamilyConflict);
    }
    if flat.present.has_any(encode::MASTER_TUPLE) {
        // ICMP members are attributes of the original tuple alone.
        let present = flat.present.with(Presence::of(&[Attr::IcmpType, Attr::IcmpId]));
        Side { kind: cta::TUPLE_MASTER, tuple: &flat.master, attrs: &MASTER, present }.check()?;
    }
    ct.flat.present.remove(NAT);
    encode::attributes(to, ct)?;
    for (kind, range, attrs) in [(cta::NAT_SRC, &flat.snat, SNAT), (cta::NAT_DST, &flat.dnat, DNAT)]
    {
        encode::nat(to, kind, range, attrs.map(|attr| flat.present.has(attr)), true);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::wire::decode;
    use crate::conntrack::wire::query::{Query, Request};
    use crate::netlink::message::{Attributes, Message};

    fn flow(protocol: u8, src: &str, dst: &str) -> Conntrack {
        Conntrack::flow(protocol, src.parse().unwrap(), dst.parse().unwrap()).unwrap()
    }

    /// A flow that the kernel has translated, both ways.
    fn translated(
        protocol: u8,
        src: &str,
        dst: &str,
        reply_src: &str,
        reply_dst: &str,
    ) -> Conntrack {
        let mut ct = flow(protocol, src, dst);
        let reply = flow(protocol, reply_dst, reply_src);
        ct.flat.reply = reply.flat.reply;
        ct.set_u32(Attr::Status, ips::SRC_NAT | ips::DST_NAT | 0x18e).unwrap();
        ct.set_u32(Attr::Timeout, 60).unwrap();
        ct.set_u32(Attr::Id, 7).unwrap();
        ct
    }

    /// The attributes of a request, and the request read back as if it told of an entry.
    fn built(query: Query, ct: &Conntrack) -> Result<(Vec<u16>, Conntrack), Error> {
        let mut buffer = [0; 4096];
        Request::Flow(query, ct).build(&mut buffer, 0)?;
        let message = Message::first(&buffer).unwrap();
        let kinds = Attributes::new(message.attributes()).map(|attribute| attribute.kind);
        let mut read = Conntrack::new();
        decode::as_far_as_possible(&mut read, &message)?;
        Ok((kinds.collect(), read))
    }

    /// The value of an attribute within nests of a request.
    fn value(query: Query, ct: &Conntrack, path: &[u16]) -> Option<Vec<u8>> {
        let mut buffer = [0; 4096];
        Request::Flow(query, ct).build(&mut buffer, 0).unwrap();
        let message = Message::first(&buffer).unwrap();
        let mut value = message.attributes();
        for kind in path {
            value = Attributes::new(value).find(|attribute| attribute.kind == *kind)?.value;
        }
        Some(value.to_vec())
    }

    #[test]
    fn one_entry_is_named_by_one_tuple() {
        for (protocol, src, dst) in [
            (6, "10.0.0.1:1", "10.0.0.2:2"),
            (17, "[fc00::1]:1", "[fc00::2]:2"),
            (47, "10.0.0.1:1", "10.0.0.2:2"),
            (50, "10.0.0.1:0", "10.0.0.2:0"),
            (1, "10.0.0.1:1", "10.0.0.2:2048"),
            (58, "[fc00::1]:1", "[fc00::2]:32768"),
            (132, "10.0.0.1:1", "10.0.0.2:2"),
        ] {
            let mut ct = flow(protocol, src, dst);
            ct.set_u32(Attr::Mark, 1).unwrap();
            ct.set_u16(Attr::Zone, 3).unwrap();
            ct.set_u16(Attr::OrigZone, 4).unwrap();
            ct.set_u16(Attr::ReplZone, 5).unwrap();
            let zone = |tuple| value(Query::Get, &ct, &[tuple, cta::TUPLE_ZONE]);
            assert_eq!(zone(cta::TUPLE_ORIG), Some(vec![0, 4]));
            let kinds = |query, ct: &Conntrack| built(query, ct).unwrap().0;
            assert_eq!(kinds(Query::Get, &ct), [cta::TUPLE_ORIG, cta::ZONE]);
            assert_eq!(kinds(Query::Update, &ct), [cta::TUPLE_ORIG, cta::MARK, cta::ZONE]);
            ct.unset(Attr::OrigL3Proto);
            assert_eq!(kinds(Query::Get, &ct), [cta::TUPLE_REPLY, cta::ZONE]);
            assert_eq!(kinds(Query::Update, &ct), [cta::TUPLE_REPLY, cta::MARK, cta::ZONE]);
            let (_, read) = built(Query::Destroy, &ct).unwrap();
            assert_eq!((read.reply(), read.number(Attr::ReplZone)), (ct.reply(), Some(5)));
        }
    }

    #[test]
    fn only_a_delete_is_guarded_by_id() {
        let mut ct = flow(17, "10.0.0.1:1", "10.0.0.2:2");
        ct.set_u32(Attr::Timeout, 60).unwrap();
        for (query, guarded) in [
            (Query::Create, false),
            (Query::Update, false),
            (Query::Get, false),
            (Query::Destroy, true),
        ] {
            ct.unset(Attr::Id);
            assert_eq!(built(query, &ct).unwrap().1.id(), None);
            ct.set_u32(Attr::Id, 0xd61c_eec6).unwrap();
            assert_eq!(built(query, &ct).unwrap().1.id(), guarded.then_some(0xd61c_eec6));
        }
    }

    #[test]
    fn part_of_a_tuple_names_nothing() {
        for (protocol, src, dst) in [
            (6, "10.0.0.1:1", "10.0.0.2:2"),
            (1, "10.0.0.1:1", "10.0.0.2:2048"),
            (50, "[fc00::1]:0", "[fc00::2]:0"),
        ] {
            let whole = flow(protocol, src, dst);
            for attr in whole.flat.present.iter().filter(|attr| *attr != Attr::IcmpCode) {
                let mut part = whole.try_clone().unwrap();
                part.unset(attr);
                let icmp = [Attr::IcmpType, Attr::IcmpId].contains(&attr);
                let by_other = if icmp { Err(Error::PartialTuple) } else { Ok(()) };
                assert_eq!(built(Query::Destroy, &part).map(drop), by_other, "{attr:?}");
                assert!(built(Query::Create, &part).is_err(), "{attr:?}");
                part.flat.present.remove(REPLY_TUPLE);
                let original = ORIGINAL_TUPLE.has(attr);
                let refused = built(Query::Destroy, &part).is_err();
                assert_eq!(refused, original, "{attr:?}");
            }
        }
        let nothing = built(Query::Destroy, &Conntrack::new());
        assert_eq!(nothing.err(), Some(Error::NoFamily));
        let mut other = flow(6, "10.0.0.1:1", "10.0.0.2:2");
        other.set_u8(Attr::OrigL3Proto, 7).unwrap();
        other.flat.present.remove(REPLY_TUPLE);
        assert_eq!(built(Query::Get, &other).err(), Some(Error::BadFamily(7)));
    }

    #[test]
    fn a_translation_is_asked_for_again() {
        for protocol in [6, 17, 132] {
            let ct =
                translated(protocol, "10.0.0.1:10", "9.9.9.9:53", "10.0.0.9:5353", "8.8.8.8:77");
            let (_, read) = built(Query::Create, &ct).unwrap();
            assert_eq!(read.original(), ct.original());
            assert_eq!(
                read.reply().addresses,
                flow(6, "10.0.0.1:10", "9.9.9.9:53").reply().addresses
            );
            assert_eq!(read.reply().ports, (53, 10));
            let value = |path: &[u16]| value(Query::Create, &ct, path).unwrap();
            assert_eq!(value(&[cta::NAT_SRC, cta::NAT_V4_MINIP]), [8, 8, 8, 8]);
            assert_eq!(value(&[cta::NAT_DST, cta::NAT_V4_MINIP]), [10, 0, 0, 9]);
            let port = [cta::NAT_PROTO, cta::PROTONAT_PORT_MIN];
            assert_eq!(value(&[&[cta::NAT_SRC], &port[..]].concat()), [0, 77]);
            assert_eq!(value(&[&[cta::NAT_DST], &port[..]].concat()), 5353u16.to_be_bytes());
        }
    }

    #[test]
    fn the_id_of_a_ping_is_translated_with_its_source() {
        let ct = translated(1, "10.0.0.1:10", "9.9.9.9:2048", "9.9.9.9:2048", "8.8.8.8:77");
        let (_, read) = built(Query::Create, &ct).unwrap();
        assert_eq!((read.reply().ports, ct.reply().ports), ((10, 0), (77, 0)));
        let port = [cta::NAT_SRC, cta::NAT_PROTO, cta::PROTONAT_PORT_MIN];
        assert_eq!(value(Query::Create, &ct, &port), Some(vec![0, 77]));
    }

    #[test]
    fn what_is_not_translated_is_not_asked_for() {
        let mut ct = translated(6, "10.0.0.1:10", "9.9.9.9:53", "10.0.0.9:5353", "8.8.8.8:77");
        let nat = |query, ct: &Conntrack| {
            [cta::NAT_SRC, cta::NAT_DST].map(|kind| built(query, ct).unwrap().0.contains(&kind))
        };
        assert_eq!(nat(Query::Create, &ct), [true, true]);
        assert_eq!(nat(Query::Update, &ct), [false, false]);
        ct.set_u32(Attr::Status, ips::DST_NAT).unwrap();
        assert_eq!(nat(Query::Create, &ct), [false, true]);
        ct.unset(Attr::Status);
        assert_eq!(nat(Query::Create, &ct), [false, false]);
        ct.set_u32(Attr::Status, ips::SRC_NAT).unwrap();
        ct.set_address(Attr::SnatIpv4, "7.7.7.7".parse().unwrap()).unwrap();
        let address = value(Query::Create, &ct, &[cta::NAT_SRC, cta::NAT_V4_MINIP]);
        assert_eq!(address, Some(vec![7; 4]), "what was asked for comes first");
        ct.unset(Attr::SnatIpv4);
        ct.set_address(Attr::SnatIpv6, "fc00::7".parse().unwrap()).unwrap();
        assert_eq!(built(Query::Create, &ct).err(), Some(Error::FamilyConflict));
    }

    #[test]
    fn flags_of_tcp_count() {
        let mut ct = flow(6, "10.0.0.1:1", "10.0.0.2:2");
        ct.set_u8(Attr::TcpFlagsOrig, 0x2b).unwrap();
        let sent = |query, ct: &Conntrack| {
            let path = [cta::PROTOINFO, cta::PROTOINFO_TCP, cta::TCP_FLAGS_ORIGINAL];
            value(query, ct, &path).unwrap()
        };
        assert_eq!(sent(Query::Create, &ct), [0x2b, TCP_FLAGS]);
        assert_eq!(sent(Query::Update, &ct), [0x2b, TCP_FLAGS]);
        // As the kernel hands them out.
        ct.set_u8(Attr::TcpMaskOrig, 0).unwrap();
        assert_eq!(sent(Query::Create, &ct), [0x2b, TCP_FLAGS]);
        assert_eq!(sent(Query::Update, &ct), [0x2b, 0]);
        ct.set_u8(Attr::TcpMaskOrig, 8).unwrap();
        assert_eq!(sent(Query::Create, &ct), [0x2b, 8]);
        ct.unset(Attr::OrigL3Proto);
        assert_eq!(sent(Query::Update, &ct), [0x2b, 8], "by the reply tuple too");
    }

    #[test]
    fn the_status_of_an_entry_can_be_given_back() {
        let mut ct = flow(6, "10.0.0.1:1", "10.0.0.2:2");
        ct.set_u32(Attr::Status, ips::EXPECTED | ips::DYING | 0x8e).unwrap();
        assert_eq!(built(Query::Create, &ct).unwrap().1.status().unwrap().bits(), 0x8e);
    }

    #[test]
    fn a_master_is_whole_or_refused() {
        let mut ct = flow(6, "10.0.0.1:1", "10.0.0.2:2");
        let (ip, port) = ([192, 0, 2, 1].into(), 21);
        ct.set_u8(Attr::MasterL4Proto, 6).unwrap();
        ct.set_address(Attr::MasterIpv4Src, ip).unwrap();
        ct.set_address(Attr::MasterIpv4Dst, ip).unwrap();
        ct.set_port(Attr::MasterPortSrc, port).unwrap();
        ct.set_port(Attr::MasterPortDst, port).unwrap();
        assert_eq!(built(Query::Create, &ct).err(), Some(Error::NoFamily));
        ct.set_u8(Attr::MasterL3Proto, 2).unwrap();
        assert!(built(Query::Create, &ct).unwrap().0.contains(&cta::TUPLE_MASTER));
        ct.unset(Attr::MasterPortDst);
        assert_eq!(built(Query::Create, &ct).err(), Some(Error::PartialTuple));
    }

    #[test]
    fn the_reply_of_a_ping_made_in_any_order_is_an_echo_reply() {
        let mut ct = Conntrack::new();
        ct.set_u8(Attr::IcmpType, 8).unwrap();
        ct.set_u16(Attr::IcmpId, 77).unwrap();
        ct.set_u8(Attr::ReplL3Proto, 2).unwrap();
        ct.set_u8(Attr::ReplL4Proto, 1).unwrap();
        ct.set_address(Attr::ReplIpv4Src, [192, 0, 2, 2].into()).unwrap();
        ct.set_address(Attr::ReplIpv4Dst, [192, 0, 2, 1].into()).unwrap();
        assert_eq!(built(Query::Get, &ct).unwrap().1.reply().ports, (77, 0));
    }
}
