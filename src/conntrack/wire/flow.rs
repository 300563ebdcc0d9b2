//! One flow in the requests of Rust programs: named by either tuple, deleted only while it is the
//! one that was seen, created again as it was.
#![forbid(unsafe_code)]

use super::encode;
use crate::conntrack::change::Changes;
use crate::conntrack::error::Error;
use crate::conntrack::flow::Flow;
use crate::conntrack::key::Key;
use crate::conntrack::new_flow::NewFlow;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::status::{ORIGINAL_TUPLE, REPLY_TUPLE};
use crate::conntrack::values::Direction;
use crate::invalid::Invalid;
use crate::netlink::builder::Builder;
use crate::uapi::cta;

const SNAT: [Attr; 3] = [Attr::SnatIpv4, Attr::SnatIpv6, Attr::SnatPort];
const DNAT: [Attr; 3] = [Attr::DnatIpv4, Attr::DnatIpv6, Attr::DnatPort];
const NAT: Presence = Presence::of(&SNAT).with(Presence::of(&DNAT));
const TUPLES: Presence = ORIGINAL_TUPLE.with(REPLY_TUPLE);

/// The address family of a request about a flow.
///
/// # Errors
/// [`Invalid::NoTuple`]: the kernel would take it for a request about all flows.
pub fn family(key: &Key) -> Result<u8, Error> {
    key.tuple.family().map(|family| family.number()).ok_or(Invalid::NoTuple.into())
}

/// Appends what names one flow: a tuple and its zone. With `guarded` its id too, if it has one:
/// then the request is about the flow that was seen, not about one that took its place.
///
/// # Errors
/// As [`family`].
pub fn key(to: &mut Builder<'_>, key: &Key, guarded: bool) -> Result<(), Error> {
    family(key)?;
    let kind = match key.direction {
        Direction::Original => cta::TUPLE_ORIG,
        Direction::Reply => cta::TUPLE_REPLY,
    };
    let number = key.zone.number();
    let zone = key.zone.only().map(|only| if only == key.direction { number } else { 0 });
    encode::tuple(to, kind, key.tuple.object(), zone.filter(|zone| *zone != 0))?;
    if key.zone.only().is_none() && number != 0 {
        to.put_be16(cta::ZONE, number);
    }
    if let Some(id) = key.id.filter(|_| guarded) {
        to.put_be32(cta::ID, id.0);
    }
    Ok(())
}

/// Appends what names one flow and all that an update changes. The kernel takes a status only whole:
/// `status` is what the flow has.
///
/// # Errors
/// As [`family`]; [`Error::Invalid`], [`Error::OutOfMemory`].
pub fn changes(
    to: &mut Builder<'_>,
    of: &Key,
    changes: &Changes,
    status: u32,
) -> Result<(), Error> {
    key(to, of, false)?;
    if let Some(mark) = changes.marked() {
        to.put_be32(cta::MARK, mark.value());
        to.put_be32(cta::MARK_MASK, mark.mask());
    }
    if changes.status_bits() != 0 {
        to.put_be32(cta::STATUS, changes.status_bits() | status);
    }
    encode::attributes(to, &changes.object(of)?)
}

/// Appends what names one flow, and what an object says of it that can change. The kernel takes a
/// status only whole.
///
/// # Errors
/// As [`family`].
pub fn change(
    to: &mut Builder<'_>,
    of: &Key,
    ct: &Conntrack,
    status: Option<u32>,
) -> Result<(), Error> {
    key(to, of, false)?;
    let mut flat = ct.flat;
    // The state is encoded by the protocol.
    flat.orig.l4proto = of.tuple.object().l4proto;
    flat.present.remove(Presence::of(&[Attr::Zone, Attr::Status]));
    if let Some(status) = status {
        flat.status = status;
        flat.present.set(Attr::Status);
    }
    encode::after_tuples(to, ct, &flat);
    Ok(())
}

/// Appends a flow to be created.
///
/// # Errors
/// [`Error::Invalid`], [`Error::OutOfMemory`].
pub fn create(to: &mut Builder<'_>, flow: &NewFlow) -> Result<(), Error> {
    whole(to, flow.object()?)
}

/// Appends a flow that the kernel handed out, so that it becomes the same again: NAT is asked for
/// as its tuples show it, its TCP flags count, and status bits are left out that the kernel sets
/// by itself and refuses to be told.
///
/// # Errors
/// [`Invalid::NoTuple`], [`Error::OutOfMemory`].
pub fn restore(to: &mut Builder<'_>, flow: &Flow) -> Result<(), Error> {
    let part_of_master =
        flow.0.flat.present.has_any(encode::MASTER_TUPLE) && flow.master().is_none();
    if flow.tuple().is_none() || flow.reply().is_none() || part_of_master {
        return Err(Invalid::NoTuple.into());
    }
    let mut ct = flow.0.try_clone()?;
    ct.renew()?;
    whole(to, ct)
}

fn whole(to: &mut Builder<'_>, mut ct: Conntrack) -> Result<(), Error> {
    let flat = ct.flat;
    let zone = |attr, zone| flat.present.has(attr).then_some(zone);
    encode::tuple(to, cta::TUPLE_ORIG, &flat.orig, zone(Attr::OrigZone, flat.orig.zone))?;
    encode::tuple(to, cta::TUPLE_REPLY, &flat.reply, zone(Attr::ReplZone, flat.reply.zone))?;
    ct.flat.present.remove(TUPLES);
    ct.flat.present.remove(NAT);
    encode::attributes(to, &ct)?;
    for (kind, range, attrs) in [(cta::NAT_SRC, &flat.snat, SNAT), (cta::NAT_DST, &flat.dnat, DNAT)]
    {
        encode::nat(to, kind, range, attrs.map(|attr| flat.present.has(attr)), true);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::labels::set::Labels;
    use crate::conntrack::object::renew::TCP_FLAGS;
    use crate::conntrack::tuple::Tuple;
    use crate::conntrack::values::{
        Helper, Id, Mark, Nat, SctpInfo, SctpState, TcpFlags, TcpInfo, TcpSide, TcpState, Zone,
    };
    use crate::conntrack::wire::decode;
    use crate::conntrack::wire::query::Request;
    use crate::netlink::message::{Attributes, Message};
    use crate::uapi::ips;
    use std::net::SocketAddr;
    use std::time::Duration;

    fn end(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn tcp(src: &str, dst: &str) -> Tuple {
        Tuple::tcp(end(src), end(dst)).unwrap()
    }

    /// A tuple of each kind.
    fn tuples() -> Vec<Tuple> {
        let (a, b) = (end("10.0.0.1:1"), end("10.0.0.2:2"));
        let (c, d) = (end("[fc00::1]:1"), end("[fc00::2]:2"));
        [
            Tuple::tcp(a, b),
            Tuple::udp(c, d),
            Tuple::sctp(a, b),
            Tuple::gre(a.ip(), b.ip(), (1, 2)),
            Tuple::other(50, c.ip(), d.ip()),
            Tuple::ping(a.ip(), b.ip(), 7),
            Tuple::ping(c.ip(), d.ip(), 7),
        ]
        .map(Result::unwrap)
        .into()
    }

    /// The attributes of a request, and the request read back as if it told of a flow.
    fn built(request: &Request<'_>) -> Result<(Vec<u16>, Flow), Error> {
        let mut buffer = [0; 4096];
        request.build(&mut buffer, 0)?;
        let message = Message::first(&buffer).unwrap();
        let kinds = Attributes::new(message.attributes()).map(|attribute| attribute.kind);
        let mut read = Flow::default();
        decode::as_far_as_possible(&mut read.0, &message)?;
        Ok((kinds.collect(), read))
    }

    /// The value of an attribute within nests of a request.
    fn value(request: &Request<'_>, path: &[u16]) -> Option<Vec<u8>> {
        let mut buffer = [0; 4096];
        request.build(&mut buffer, 0).unwrap();
        let message = Message::first(&buffer).unwrap();
        let mut value = message.attributes();
        for kind in path {
            value = Attributes::new(value).find(|attribute| attribute.kind == *kind)?.value;
        }
        Some(value.to_vec())
    }

    /// A flow that the kernel has translated, both ways: `reply` is what answers.
    fn translated(original: Tuple, reply: Tuple) -> Flow {
        let mut flow = Flow(NewFlow::new(original).reply(reply).object().unwrap());
        flow.0.fill_u32(Attr::Status, ips::SRC_NAT | ips::DST_NAT | 0x18e);
        flow.0.fill_u32(Attr::Id, 7);
        flow
    }

    #[test]
    fn one_flow_is_named_by_one_tuple() {
        for tuple in tuples() {
            for (key, kind) in
                [(Key::original(tuple), cta::TUPLE_ORIG), (Key::reply(tuple), cta::TUPLE_REPLY)]
            {
                let (kinds, read) = built(&Request::Get(&key)).unwrap();
                assert_eq!(kinds, [kind]);
                let [original, reply] = [read.tuple(), read.reply()];
                assert_eq!(original.or(reply), Some(tuple));
                let zoned = key.in_zone(3);
                let changes = Changes::new().mark(1);
                let update = built(&Request::Update(&zoned, &changes, 0)).unwrap().0;
                assert_eq!(update, [kind, cta::ZONE, cta::MARK, cta::MARK_MASK]);
                assert_eq!(built(&Request::Delete(&zoned)).unwrap().0, [kind, cta::ZONE]);
            }
        }
    }

    #[test]
    fn a_zone_of_one_direction_is_in_its_tuple_alone() {
        let tuple = tuples()[0];
        for (key, zone, sent) in [
            (Key::original(tuple), Zone::original(3), true),
            (Key::original(tuple), Zone::reply(3), false),
            (Key::reply(tuple), Zone::original(3), false),
            (Key::reply(tuple), Zone::reply(3), true),
            (Key::original(tuple), Zone::default(), false),
        ] {
            let key = key.in_zone(zone);
            let (kinds, read) = built(&Request::Get(&key)).unwrap();
            assert_eq!((kinds.len(), read.zone() == zone), (1, sent || zone == Zone::default()));
        }
        for zone in [Zone::from(3), Zone::original(3), Zone::reply(3)] {
            let flow = NewFlow::new(tuple).zone(9).zone(zone);
            assert_eq!(built(&Request::Create(&flow)).unwrap().1.zone(), zone);
        }
    }

    #[test]
    fn only_a_delete_is_guarded_by_id() {
        let key = Key { id: Some(Id(0xd61c_eec6)), ..tuples()[1].into() };
        let sent = |request: Request<'_>| built(&request).unwrap().1.id();
        assert_eq!(sent(Request::Delete(&key)), key.id());
        assert_eq!(sent(Request::Delete(&key.any_life())), None);
        assert_eq!(sent(Request::Get(&key)), None);
        assert_eq!(sent(Request::Update(&key, &Changes::new().mark(1), 0)), None);
        let seen = translated(tuples()[0], tuples()[0].inverse());
        assert_eq!(sent(Request::Restore(&seen)), None);
    }

    #[test]
    fn a_flow_without_tuples_names_nothing() {
        let no_tuple = Some(Error::from(Invalid::NoTuple));
        let (nothing, key) = (Flow::default(), Flow::default().key());
        for request in [
            Request::Get(&key),
            Request::Delete(&key),
            Request::Update(&key, &Changes::new().mark(1), 0),
            Request::Restore(&nothing),
        ] {
            assert_eq!(built(&request).err(), no_tuple);
        }
        let whole = translated(tuples()[0], tuples()[0].inverse());
        for attr in ORIGINAL_TUPLE.with(REPLY_TUPLE).iter().filter(|attr| whole.0.has(*attr)) {
            let mut part = whole.clone();
            part.0.unset(attr);
            assert_eq!(built(&Request::Restore(&part)).err(), no_tuple, "{attr:?}");
            assert_eq!(part.key().direction == Direction::Reply, ORIGINAL_TUPLE.has(attr));
        }
    }

    #[test]
    fn a_translation_is_asked_for_again() {
        for make in [Tuple::tcp, Tuple::udp, Tuple::sctp] {
            let original = make(end("10.0.0.1:10"), end("9.9.9.9:53")).unwrap();
            let seen = translated(original, make(end("10.0.0.9:5353"), end("8.8.8.8:77")).unwrap());
            let request = Request::Restore(&seen);
            let (_, read) = built(&request).unwrap();
            assert_eq!((read.tuple(), read.reply()), (Some(original), Some(original.inverse())));
            let value = |path: &[u16]| value(&request, path).unwrap();
            assert_eq!(value(&[cta::NAT_SRC, cta::NAT_V4_MINIP]), [8, 8, 8, 8]);
            assert_eq!(value(&[cta::NAT_DST, cta::NAT_V4_MINIP]), [10, 0, 0, 9]);
            let port = [cta::NAT_PROTO, cta::PROTONAT_PORT_MIN];
            assert_eq!(value(&[&[cta::NAT_SRC], &port[..]].concat()), [0, 77]);
            assert_eq!(value(&[&[cta::NAT_DST], &port[..]].concat()), 5353u16.to_be_bytes());
        }
    }

    #[test]
    fn the_id_of_a_ping_is_translated_with_its_source() {
        let [client, server, outside] =
            ["10.0.0.1", "9.9.9.9", "8.8.8.8"].map(|ip| ip.parse().unwrap());
        let original = Tuple::ping(client, server, 10).unwrap();
        let seen = translated(original, Tuple::ping(outside, server, 77).unwrap().inverse());
        assert_eq!(seen.source_nat(), Some(Nat::from(SocketAddr::new(outside, 77))));
        let request = Request::Restore(&seen);
        assert_eq!(built(&request).unwrap().1.reply(), Some(original.inverse()));
        let port = [cta::NAT_SRC, cta::NAT_PROTO, cta::PROTONAT_PORT_MIN];
        assert_eq!(value(&request, &port), Some(vec![0, 77]));
    }

    #[test]
    fn what_is_not_translated_is_not_asked_for() {
        let original = tcp("10.0.0.1:10", "9.9.9.9:53");
        let mut seen = translated(original, tcp("10.0.0.9:5353", "8.8.8.8:77"));
        let nat = |request: Request<'_>| {
            [cta::NAT_SRC, cta::NAT_DST].map(|kind| built(&request).unwrap().0.contains(&kind))
        };
        assert_eq!(nat(Request::Restore(&seen)), [true, true]);
        seen.0.fill_u32(Attr::Status, ips::DST_NAT);
        assert_eq!(nat(Request::Restore(&seen)), [false, true]);
        assert_eq!((seen.source_nat(), seen.destination_nat().is_some()), (None, true));
        seen.0.unset(Attr::Status);
        assert_eq!(nat(Request::Restore(&seen)), [false, false]);
        let new = NewFlow::new(original);
        assert_eq!(nat(Request::Create(&new)), [false, false]);
        assert_eq!(nat(Request::Create(&new.clone().source_nat(Nat::to_port(7)))), [true, false]);
        let changes = new.clone().source_nat(end("7.7.7.7:7")).changes();
        assert_eq!(nat(Request::Update(&original.into(), &changes, 0)), [false, false]);
    }

    #[test]
    fn a_new_flow_is_translated_as_it_says() {
        let new = NewFlow::new(tcp("10.0.0.1:10", "9.9.9.9:53"))
            .source_nat("[::ffff:7.7.7.7]:7".parse::<SocketAddr>().unwrap())
            .destination_nat(Nat::to_port(8));
        let value = |path: &[u16]| value(&Request::Create(&new), path);
        assert_eq!(value(&[cta::NAT_SRC, cta::NAT_V4_MINIP]), Some(vec![7; 4]));
        assert_eq!(value(&[cta::NAT_DST, cta::NAT_V4_MINIP]), None);
        for (nest, port) in [(cta::NAT_SRC, 7), (cta::NAT_DST, 8)] {
            for end in [cta::PROTONAT_PORT_MIN, cta::PROTONAT_PORT_MIN + 1] {
                assert_eq!(value(&[nest, cta::NAT_PROTO, end]), Some(vec![0, port]));
            }
        }
        let six: std::net::IpAddr = "fc00::7".parse().unwrap();
        for flow in [new.clone().source_nat(six), new.clone().destination_nat(six)] {
            assert_eq!(built(&Request::Create(&flow)).err(), Some(Invalid::Family.into()));
        }
    }

    #[test]
    fn flags_of_tcp_count() {
        let side = |flags, window_scale| TcpSide {
            flags: TcpFlags::from_bits_retain(flags),
            window_scale,
        };
        let info =
            TcpInfo { state: TcpState::Established, original: side(0x2b, 7), reply: side(0x0b, 9) };
        let new = NewFlow::new(tuples()[0]).tcp_info(info);
        let path = [cta::PROTOINFO, cta::PROTOINFO_TCP, cta::TCP_FLAGS_ORIGINAL];
        let (_, mut read) = built(&Request::Create(&new)).unwrap();
        assert_eq!(read.tcp_info(), Some(info));
        assert_eq!(value(&Request::Create(&new), &path), Some(vec![0x2b, TCP_FLAGS]));
        // As the kernel hands them out.
        read.0.fill_u8(Attr::TcpMaskOrig, 0);
        assert_eq!(value(&Request::Restore(&read), &path), Some(vec![0x2b, TCP_FLAGS]));
        let changes =
            Changes::new().tcp_flags(Direction::Original, TcpFlags::all(), TcpFlags::BE_LIBERAL);
        let update = value(&Request::Update(&Key::reply(tuples()[0]), &changes, 0), &path);
        assert_eq!(update, Some(vec![8, 8]), "by the reply tuple too");
    }

    #[test]
    fn the_state_is_that_of_the_protocol() {
        let info = SctpInfo { state: SctpState::Established, tags: [0x0102_0304, 0x0506_0708] };
        let new = NewFlow::new(tuples()[2]).sctp_info(info);
        assert_eq!(built(&Request::Create(&new)).unwrap().1.sctp_info(), Some(info));
        for new in [
            NewFlow::new(tuples()[0]).sctp_info(info),
            new.tcp_info(TcpInfo {
                state: TcpState::Close,
                original: TcpSide::default(),
                reply: TcpSide::default(),
            }),
        ] {
            assert_eq!(built(&Request::Create(&new)).err(), Some(Invalid::State.into()));
        }
        let changes = Changes::new().tcp_state(TcpState::Close);
        let update = |tuple: Tuple| built(&Request::Update(&tuple.into(), &changes, 0)).err();
        assert_eq!(update(tuples()[0]), None);
        assert_eq!(update(tuples()[1]), Some(Invalid::State.into()));
    }

    #[test]
    fn a_status_is_changed_beside_what_there_is() {
        let sent = |changes: Changes, status| {
            value(&Request::Update(&tuples()[0].into(), &changes, status), &[cta::STATUS])
        };
        assert_eq!(sent(Changes::new().assured(), 0x18a), Some(vec![0, 0, 1, 0x8e]));
        assert_eq!(sent(Changes::new().fixed_timeout(), 8), Some(vec![0, 0, 4, 8]));
        assert_eq!(sent(Changes::new().mark(1), 0x18a), None);
    }

    #[test]
    fn marks_and_labels_change_under_their_masks() {
        let key = tuples()[0].into();
        let sent = |changes: &Changes, kind| value(&Request::Update(&key, changes, 0), &[kind]);
        let changes = Changes::new().mark(Mark::masked(0x142, 0xff)).set_label(1).clear_label(33);
        assert_eq!(sent(&changes, cta::MARK), Some(vec![0, 0, 0, 0x42]));
        assert_eq!(sent(&changes, cta::MARK_MASK), Some(vec![0, 0, 0, 0xff]));
        let words = |words: [u32; 4]| Some(words.map(u32::to_ne_bytes).concat());
        assert_eq!(sent(&changes, cta::LABELS), words([2, 0, 0, 0]));
        assert_eq!(sent(&changes, cta::LABELS_MASK), words([2, 2, 0, 0]));
        let anew = NewFlow::new(tuples()[0]).labels([5].into_iter().collect()).changes();
        assert_eq!(sent(&anew, cta::LABELS), words([32, 0, 0, 0]));
        assert_eq!(sent(&anew, cta::LABELS_MASK), words([u32::MAX; 4]));
        let refused = |request: Request<'_>| built(&request).err() == Some(Invalid::Label.into());
        assert!(refused(Request::Update(&key, &Changes::new().clear_label(128), 0)));
        let labels: Labels = [128].into_iter().collect();
        assert!(refused(Request::Create(&NewFlow::new(tuples()[0]).labels(labels))));
    }

    #[test]
    fn an_update_that_changes_nothing_is_refused() {
        let update = |changes: Changes| built(&Request::Update(&tuples()[0].into(), &changes, 0));
        assert_eq!(update(Changes::new()).err(), Some(Invalid::NothingToChange.into()));
        let ftp = Helper::new("ftp").unwrap();
        for changes in [
            Changes::new().mark(Mark::masked(0, 1)),
            Changes::new().timeout(Duration::ZERO),
            Changes::new().helper(ftp.clone().with_data(*b"data")),
            Changes::new().clear_label(1),
        ] {
            assert_eq!(update(changes).unwrap().0.first(), Some(&cta::TUPLE_ORIG));
        }
        let (_, read) = update(Changes::new().helper(ftp.clone())).unwrap();
        assert_eq!(read.helper(), Some(ftp));
    }

    #[test]
    fn the_status_of_a_flow_can_be_given_back() {
        let mut seen = translated(tuples()[0], tuples()[0].inverse());
        seen.0.fill_u32(Attr::Status, ips::EXPECTED | ips::DYING | 0x8e);
        assert_eq!(built(&Request::Restore(&seen)).unwrap().1.status().bits(), 0x8e);
    }

    #[test]
    fn a_master_is_whole_or_refused() {
        let master = tcp("192.0.2.1:1000", "192.0.2.2:21");
        let new = NewFlow::new(tuples()[0]).master(master);
        let (_, mut read) = built(&Request::Create(&new)).unwrap();
        assert_eq!((read.master(), read.tuple()), (Some(master), Some(tuples()[0])));
        assert_eq!(built(&Request::Restore(&read)).unwrap().1.master(), Some(master));
        read.0.unset(Attr::MasterPortDst);
        assert_eq!(built(&Request::Restore(&read)).err(), Some(Invalid::NoTuple.into()));
    }
}
