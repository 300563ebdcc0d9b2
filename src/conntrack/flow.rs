//! A flow as the kernel told it.
#![forbid(unsafe_code)]

use super::key::Key;
use super::labels::set::Labels;
use super::object::attr::{Attr, Presence};
use super::object::entry::Conntrack;
use super::object::layer4::Layer4;
use super::object::tuple::MASTER;
use super::tuple::Tuple;
use super::values::{
    Counters, Direction, Helper, Id, Nat, Protocol, SctpInfo, SeqAdjust, State, Status, SynProxy,
    TcpFlags, TcpInfo, TcpSide, Zone,
};
use crate::conntrack::values::debug::fields_told;
use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A flow as the kernel told it: of a list whole, of an event as far as that tells.
///
/// It is not changed: what an update changes is said by [`Changes`](crate::Changes), and a flow to be
/// created is a [`NewFlow`](crate::NewFlow). [`FlowTable::restore`](crate::FlowTable::restore)
/// creates one that was seen again.
///
/// As text it is the line that `conntrack -L` prints.
#[derive(Clone, Default)]
#[repr(transparent)]
pub struct Flow(pub(crate) Conntrack);

impl Flow {
    /// The original direction: who spoke first to whom. `None` where it was not told.
    #[must_use]
    pub fn tuple(&self) -> Option<Tuple> {
        Tuple::of(&self.0, Direction::Original)
    }

    /// The reply direction: where answers come from and go to, after translation.
    #[must_use]
    pub fn reply(&self) -> Option<Tuple> {
        Tuple::of(&self.0, Direction::Reply)
    }

    /// The original tuple of the flow that this one belongs to, as the data of FTP to its commands.
    #[must_use]
    pub fn master(&self) -> Option<Tuple> {
        let whole = MASTER.whole(self.0.flat.master.l3proto, self.0.flat.master.l4proto)?;
        self.has_all(whole).then(|| Tuple::from_object(&self.0.flat.master))?
    }

    /// The layer 4 protocol.
    #[must_use]
    pub fn protocol(&self) -> Option<Protocol> {
        let [original, reply] = [&self.0.flat.orig, &self.0.flat.reply].map(|t| t.l4proto.into());
        let reply = self.0.has(Attr::ReplL4Proto).then_some(reply);
        if self.0.has(Attr::OrigL4Proto) { Some(original) } else { reply }
    }

    /// What names this flow, and no other that takes its place: its tuple, zone and id.
    #[must_use]
    pub fn key(&self) -> Key {
        let key = Key::named_by(&self.0);
        key.unwrap_or_else(|| Key::original(Tuple::none()).in_zone(self.zone())).with_id(self.id())
    }

    /// The zone; 0 where none was told.
    #[must_use]
    pub fn zone(&self) -> Zone {
        Zone::of(&self.0)
    }

    /// What this flow is told from another one with the same tuple by.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        self.told(Attr::Id, Id(self.0.flat.id))
    }

    /// The mark; the kernel does not tell 0.
    #[must_use]
    pub fn mark(&self) -> u32 {
        self.told(Attr::Mark, self.0.flat.mark).unwrap_or(0)
    }

    /// The status bits.
    #[must_use]
    pub fn status(&self) -> Status {
        self.told(Attr::Status, Status::from_bits_retain(self.0.flat.status))
            .unwrap_or(Status::empty())
    }

    /// How long the flow lasts if no packet comes, in whole seconds.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.told(Attr::Timeout, Duration::from_secs(self.0.flat.timeout.into()))
    }

    /// How far the flow has come. Events tell it when it changes.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        let [state, ..] = self.0.flat.protoinfo.0;
        let tcp = || self.told(Attr::TcpState, State::Tcp(state.into()));
        let sctp = || self.told(Attr::SctpState, State::Sctp(state.into()));
        tcp().or_else(sctp).or_else(|| self.told(Attr::DccpState, State::Dccp(state.into())))
    }

    /// What the kernel knows of a TCP connection.
    #[must_use]
    pub fn tcp_info(&self) -> Option<TcpInfo> {
        const WHOLE: Presence = Presence::of(&[
            Attr::TcpState,
            Attr::TcpFlagsOrig,
            Attr::TcpFlagsRepl,
            Attr::TcpWscaleOrig,
            Attr::TcpWscaleRepl,
        ]);
        let [state, original, _, reply, _, original_scale, reply_scale, ..] =
            self.0.flat.protoinfo.0;
        let side = |flags, window_scale| TcpSide {
            flags: TcpFlags::from_bits_retain(flags),
            window_scale,
        };
        self.has_all(WHOLE).then(|| TcpInfo {
            state: state.into(),
            original: side(original, original_scale),
            reply: side(reply, reply_scale),
        })
    }

    /// What the kernel knows of an SCTP association.
    #[must_use]
    pub fn sctp_info(&self) -> Option<SctpInfo> {
        const WHOLE: Presence =
            Presence::of(&[Attr::SctpState, Attr::SctpVtagOrig, Attr::SctpVtagRepl]);
        let [state, _, _, _, a, b, c, d, e, f, g, h, ..] = self.0.flat.protoinfo.0;
        let tags = [[a, b, c, d], [e, f, g, h]].map(u32::from_ne_bytes);
        self.has_all(WHOLE).then(|| SctpInfo { state: state.into(), tags })
    }

    /// Packets and bytes of a direction, if the kernel counts them (`net.netfilter.nf_conntrack_acct`)
    /// and tells: in lists, and when a flow ends.
    #[must_use]
    pub fn counters(&self, direction: Direction) -> Option<Counters> {
        let [original, reply] = self.0.flat.counters;
        match direction {
            Direction::Original => self.told(Attr::OrigCounterPackets, original),
            Direction::Reply => self.told(Attr::ReplCounterPackets, reply),
        }
    }

    /// When the flow began, if the kernel notes it (`net.netfilter.nf_conntrack_timestamp`).
    #[must_use]
    pub fn started(&self) -> Option<SystemTime> {
        self.time(Attr::TimestampStart, self.0.flat.start)
    }

    /// When the flow ended, as the event of its end tells.
    #[must_use]
    pub fn stopped(&self) -> Option<SystemTime> {
        self.time(Attr::TimestampStop, self.0.flat.stop)
    }

    /// When the event that told this happened; Linux 6.14 and newer.
    #[must_use]
    pub fn event_time(&self) -> Option<SystemTime> {
        self.time(Attr::TimestampEvent, self.0.flat.event_time)
    }

    fn time(&self, attr: Attr, nanoseconds: u64) -> Option<SystemTime> {
        self.told(attr, nanoseconds)
            .and_then(|time| UNIX_EPOCH.checked_add(Duration::from_nanos(time)))
    }

    /// What the source is translated to, if it is.
    #[must_use]
    pub fn source_nat(&self) -> Option<Nat> {
        let reply = self.reply().filter(|_| self.status().contains(Status::SRC_NAT))?;
        let port = match Layer4::of(reply.protocol().number()) {
            Layer4::Ports | Layer4::Keys => Some(reply.object().l4dst),
            // The id is the same in both directions, and the source's to translate.
            Layer4::Icmp => Some(reply.object().l4src),
            Layer4::Nothing => None,
        };
        Some(Nat::of(reply.destination(), port.map(u16::from_be_bytes)))
    }

    /// What the destination is translated to, if it is.
    #[must_use]
    pub fn destination_nat(&self) -> Option<Nat> {
        let reply = self.reply().filter(|_| self.status().contains(Status::DST_NAT))?;
        let has_ends = Layer4::of(reply.protocol().number()).has_ends();
        let port = has_ends.then(|| u16::from_be_bytes(reply.object().l4src));
        Some(Nat::of(reply.source(), port))
    }

    /// The labels. Events tell them when they change.
    #[must_use]
    pub fn labels(&self) -> Option<Labels> {
        self.0.labels().map(Labels::of_bitmask)
    }

    /// The helper.
    #[must_use]
    pub fn helper(&self) -> Option<Helper> {
        let data = self.0.get(Attr::HelperInfo).unwrap_or_default();
        Helper::from_bytes(self.0.get(Attr::HelperName)?, data).ok()
    }

    /// The security context, as SELinux has it.
    #[must_use]
    pub fn security_context(&self) -> Option<Cow<'_, str>> {
        self.0.get(Attr::Secctx).map(String::from_utf8_lossy)
    }

    /// By how much sequence numbers of a direction are shifted.
    #[must_use]
    pub fn seq_adjust(&self, direction: Direction) -> Option<SeqAdjust> {
        let [original @ .., a, b, c] = self.0.flat.seq_adjust;
        let (attr, [position, offset_before, offset_after]) = match direction {
            Direction::Original => (Attr::OrigNatSeqOffsetAfter, original),
            Direction::Reply => (Attr::ReplNatSeqOffsetAfter, [a, b, c]),
        };
        self.told(attr, SeqAdjust { position, offset_before, offset_after })
    }

    /// What the SYN proxy keeps.
    #[must_use]
    pub fn synproxy(&self) -> Option<SynProxy> {
        let [initial_sequence, initial_timestamp, timestamp_offset] = self.0.flat.synproxy;
        let synproxy = SynProxy { initial_sequence, initial_timestamp, timestamp_offset };
        self.told(Attr::SynproxyIsn, synproxy)
    }

    /// A value, if its attribute is present.
    fn told<T>(&self, attr: Attr, value: T) -> Option<T> {
        self.0.has(attr).then_some(value)
    }

    fn has_all(&self, attrs: Presence) -> bool {
        self.0.flat.present.has_all(attrs)
    }

    /// Whether an attribute has the same value in both, or in neither.
    fn same(&self, other: &Self, attr: Attr) -> bool {
        match attr {
            Attr::Connlabels => self.labels() == other.labels(),
            _ => self.0.get(attr) == other.0.get(attr),
        }
    }
}

/// Equal are flows of which the same was told.
impl PartialEq for Flow {
    fn eq(&self, other: &Self) -> bool {
        let told = self.0.flat.present;
        told == other.0.flat.present && told.iter().all(|attr| self.same(other, attr))
    }
}

impl Eq for Flow {}

impl From<&Flow> for Key {
    fn from(flow: &Flow) -> Self {
        flow.key()
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What was told, and nothing else.
impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = f.debug_struct("Flow");
        fields_told! { parts,
            "tuple" self.tuple();
            "reply" self.reply();
            "master" self.master();
            "zone" Some(self.zone()).filter(|zone| *zone != Zone::default());
            "id" self.id();
            "mark" self.told(Attr::Mark, self.mark());
            "status" self.told(Attr::Status, self.status());
            "timeout" self.timeout();
            "state" self.state();
            "counters" self.counters(Direction::Original);
            "reply_counters" self.counters(Direction::Reply);
            "labels" self.labels();
            "helper" self.helper();
            "started" self.started();
            "stopped" self.stopped();
            "security_context" self.security_context();
        }
        parts.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::object::entry::Slot;

    /// Every byte of a slot is this one.
    fn flow(attrs: &[(Attr, u8)]) -> Flow {
        let mut flow = Flow::default();
        attrs.iter().for_each(|(attr, byte)| flow.0.set(*attr, [*byte; 16] as Slot));
        flow
    }

    #[test]
    fn what_was_not_told_is_none() {
        let flow = Flow::default();
        assert_eq!((flow.tuple(), flow.reply(), flow.master()), (None, None, None));
        assert_eq!(
            (flow.protocol(), flow.id(), flow.timeout(), flow.state()),
            (None, None, None, None)
        );
        assert_eq!(
            (flow.mark(), flow.status(), flow.zone()),
            (0, Status::empty(), Zone::default())
        );
        assert_eq!((flow.source_nat(), flow.destination_nat()), (None, None));
        assert_eq!(flow.counters(Direction::Original), None);
        assert_eq!((flow.started(), flow.labels(), flow.helper()), (None, None, None));
        assert_eq!((flow.tcp_info(), flow.sctp_info(), flow.synproxy()), (None, None, None));
        assert_eq!(flow.security_context(), None);
        assert_eq!((flow.to_string(), format!("{flow:?}")), (String::new(), "Flow".into()));
    }

    #[test]
    fn what_was_told_is_read() {
        let mut told =
            flow(&[(Attr::Mark, 1), (Attr::Timeout, 0), (Attr::Id, 2), (Attr::OrigZone, 1)]);
        assert_eq!((told.mark(), told.timeout()), (0x0101_0101, Some(Duration::ZERO)));
        assert_eq!((told.id(), told.zone()), (Some(Id(0x0202_0202)), Zone::original(0x0101)));
        told.0.flat.counters[1] = Counters { packets: 7, bytes: 8 };
        told.0.flat.present.set(Attr::ReplCounterPackets);
        assert_eq!(told.counters(Direction::Reply), Some(Counters { packets: 7, bytes: 8 }));
        assert_eq!(told.counters(Direction::Original), None);
        told.0.flat.start = 1_500_000_000;
        told.0.flat.present.set(Attr::TimestampStart);
        assert_eq!(told.started(), Some(UNIX_EPOCH + Duration::from_millis(1500)));
        told.0.flat.seq_adjust = [1, 2, 3, 4, 5, 6];
        told.0.flat.present.set(Attr::ReplNatSeqOffsetAfter);
        let adjust = SeqAdjust { position: 4, offset_before: 5, offset_after: 6 };
        assert_eq!(told.seq_adjust(Direction::Reply), Some(adjust));
        assert_eq!(told.seq_adjust(Direction::Original), None);
    }

    #[test]
    fn states_are_those_of_the_protocol_told() {
        assert_eq!(flow(&[(Attr::TcpState, 3)]).state().unwrap().to_string(), "ESTABLISHED");
        assert_eq!(flow(&[(Attr::SctpState, 3)]).state().unwrap().to_string(), "COOKIE_ECHOED");
        assert_eq!(flow(&[(Attr::DccpState, 3)]).state().unwrap().to_string(), "PARTOPEN");
        assert_eq!(flow(&[(Attr::TcpState, 3)]).tcp_info(), None, "as events tell it");
    }

    #[test]
    fn flows_are_equal_of_which_the_same_was_told() {
        let a = flow(&[(Attr::Mark, 1), (Attr::HelperName, b'x')]);
        let mut b = a.clone();
        assert_eq!(a, b);
        b.0.flat.timeout = 9;
        assert_eq!(a, b, "what is not present does not count");
        b.0.flat.present.set(Attr::Timeout);
        assert_ne!(a, b);
        assert_ne!(a, flow(&[(Attr::Mark, 2), (Attr::HelperName, b'x')]));
        let labels = |label| {
            let mut flow = Flow::default();
            flow.0.set_labels([label].into_iter().collect::<Labels>().to_bitmask().unwrap(), false);
            flow
        };
        assert_eq!(labels(3), labels(3));
        assert_ne!(labels(3), labels(4));
    }

    #[test]
    fn a_flow_goes_to_any_thread() {
        const fn goes_anywhere<T: Send + Sync + 'static>() {}
        const { goes_anywhere::<Flow>() };
        const { goes_anywhere::<crate::FlowTable>() };
        const { goes_anywhere::<crate::List>() };
    }
}
