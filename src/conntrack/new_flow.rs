//! A flow to be created.
#![forbid(unsafe_code)]

use super::change::Changes;
use super::fill::slot;
use super::flow::Flow;
use super::key::Key;
use super::labels::set::Labels;
use super::object::attr::{Attr, Presence};
use super::object::entry::Conntrack;
use super::object::sets::{SCTP, SEQ_ORIG, SEQ_REPLY, SYNPROXY, TCP};
use super::object::tuple::{MASTER, ORIG, REPLY};
use super::tuple::{IcmpQuery, Tuple};
use super::values::{
    Direction, Helper, Mark, Nat, Protocol, SctpInfo, SeqAdjust, Status, SynProxy, TcpInfo, Zone,
};
use crate::conntrack::error::Error;
use crate::invalid::Invalid;
use crate::netlink::number::seconds;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long a flow lasts whose timeout was not set.
const TIMEOUT: Duration = Duration::from_secs(120);

/// What an object has that an update changes, but for what [`Changes`] keeps apart.
const CHANGEABLE: Presence = Presence::of(&[Attr::Timeout])
    .with(TCP)
    .with(SCTP)
    .with(SEQ_ORIG)
    .with(SEQ_REPLY)
    .with(SYNPROXY);

/// A flow to be created, with [`FlowTable::create`](crate::FlowTable::create).
///
/// What is not said is as the kernel has it for a flow that packets made. The timeout is 120 seconds,
/// for the kernel creates none without.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{Flow, NewFlow, Zone};
/// use std::net::SocketAddr;
/// use std::time::Duration;
///
/// let (client, server): (SocketAddr, SocketAddr) = ("192.0.2.1:40000".parse()?, "198.51.100.7:443".parse()?);
/// let inside: SocketAddr = "10.0.0.3:8443".parse()?;
/// let flow: NewFlow = Flow::tcp(client, server)?
///     .timeout(Duration::from_secs(600))
///     .mark(7)
///     .zone(Zone::original(3))
///     .destination_nat(inside);
/// # Ok(())
/// # }
/// ```
#[must_use = "a flow is created by FlowTable::create"]
#[derive(Clone)]
pub struct NewFlow {
    ct: Conntrack,
    tuple: Tuple,
    zone: Zone,
    helper: Option<Helper>,
    labels: Option<Labels>,
    invalid: Option<Invalid>,
}

/// Constructors of protocols with ports.
macro_rules! with_ports {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`Invalid::Family`]: one address is of IPv4 and the other of IPv6.
        pub fn $name(
            source: impl Into<SocketAddr>,
            destination: impl Into<SocketAddr>,
        ) -> Result<NewFlow, Invalid> {
            Tuple::$name(source, destination).map(NewFlow::new)
        }
    )*};
}

/// Flows to be created, by protocol: what sends the first packet, and where to.
impl Flow {
    with_ports! {
        /// A TCP connection to be created.
        tcp;
        /// A flow of UDP to be created.
        udp;
        /// A flow of UDP-Lite to be created.
        udp_lite;
        /// An SCTP association to be created.
        sctp;
        /// A DCCP connection to be created.
        dccp;
    }

    /// A GRE tunnel to be created, with keys towards the source and towards the destination.
    ///
    /// # Errors
    /// [`Invalid::Family`].
    pub fn gre(source: IpAddr, destination: IpAddr, keys: (u16, u16)) -> Result<NewFlow, Invalid> {
        Tuple::gre(source, destination, keys).map(NewFlow::new)
    }

    /// ICMP queries and their answers, to be created.
    ///
    /// # Errors
    /// [`Invalid::Family`], [`Invalid::IcmpQuery`].
    pub fn icmp(
        source: IpAddr,
        destination: IpAddr,
        query: IcmpQuery,
        id: u16,
    ) -> Result<NewFlow, Invalid> {
        Tuple::icmp(source, destination, query, id).map(NewFlow::new)
    }

    /// The pings of one program, to be created: echo requests with this id, and their answers.
    ///
    /// # Errors
    /// [`Invalid::Family`].
    pub fn ping(source: IpAddr, destination: IpAddr, id: u16) -> Result<NewFlow, Invalid> {
        Tuple::ping(source, destination, id).map(NewFlow::new)
    }

    /// A flow of a protocol without ports, to be created.
    ///
    /// # Errors
    /// [`Invalid::Family`]; [`Invalid::NeedsPorts`] for a protocol that has a constructor of its own.
    pub fn other(
        protocol: impl Into<Protocol>,
        source: IpAddr,
        destination: IpAddr,
    ) -> Result<NewFlow, Invalid> {
        Tuple::other(protocol, source, destination).map(NewFlow::new)
    }
}

/// What an object has of a whole tuple.
fn whole(attrs: &super::object::tuple::TupleAttrs, tuple: &Tuple) -> Presence {
    let (l3proto, l4proto) = (tuple.object().l3proto, tuple.object().l4proto);
    attrs.whole(l3proto, l4proto).unwrap_or_default()
}

impl NewFlow {
    /// A flow that begins with packets of this tuple, answered by its inverse.
    pub fn new(tuple: Tuple) -> Self {
        let mut ct = Conntrack::new();
        ct.flat.orig = *tuple.object();
        ct.flat.reply = *tuple.inverse().object();
        ct.flat.present = whole(&ORIG, &tuple).with(whole(&REPLY, &tuple));
        let zone = Zone::default();
        Self { ct, tuple, zone, helper: None, labels: None, invalid: None }.timeout(TIMEOUT)
    }

    /// Its original tuple.
    #[must_use]
    pub fn tuple(&self) -> Tuple {
        self.tuple
    }

    /// How long it lasts if no packet comes, rounded up to seconds.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|ct| ct.fill_u32(Attr::Timeout, seconds(timeout)))
    }

    /// Its mark.
    pub fn mark(self, mark: u32) -> Self {
        self.with(|ct| ct.fill_u32(Attr::Mark, mark))
    }

    /// Its zone, of both directions or of one: a number, [`Zone::original`], [`Zone::reply`].
    pub fn zone(mut self, zone: impl Into<Zone>) -> Self {
        self.zone = zone.into();
        self.ct.flat.present.remove(Presence::of(&[Attr::Zone, Attr::OrigZone, Attr::ReplZone]));
        let attr = match self.zone.only() {
            None => Attr::Zone,
            Some(Direction::Original) => Attr::OrigZone,
            Some(Direction::Reply) => Attr::ReplZone,
        };
        let number = self.zone.number();
        self.with(|ct| ct.fill_u16(attr, number))
    }

    /// It is not dropped early when the table is full.
    pub fn assured(self) -> Self {
        self.status(Status::ASSURED)
    }

    /// Packets have gone both ways.
    pub fn seen_reply(self) -> Self {
        self.status(Status::SEEN_REPLY)
    }

    fn status(self, bits: Status) -> Self {
        let status = if self.ct.has(Attr::Status) { self.ct.flat.status } else { 0 };
        self.with(|ct| ct.fill_u32(Attr::Status, status | bits.bits()))
    }

    /// Its packets leave with another source: an address, an address with a port, or another port
    /// ([`Nat::to_port`]).
    pub fn source_nat(self, to: impl Into<Nat>) -> Self {
        self.nat(to.into(), [Attr::SnatIpv4, Attr::SnatIpv6, Attr::SnatPort])
    }

    /// Its packets go to another destination, given as for [`source_nat`](Self::source_nat).
    pub fn destination_nat(self, to: impl Into<Nat>) -> Self {
        self.nat(to.into(), [Attr::DnatIpv4, Attr::DnatIpv6, Attr::DnatPort])
    }

    fn nat(mut self, to: Nat, [ipv4, ipv6, port]: [Attr; 3]) -> Self {
        self.ct.flat.present.remove(Presence::of(&[ipv4, ipv6, port]));
        match to.address() {
            Some(address) if address.is_ipv4() != self.tuple.is_ipv4() => {
                self.invalid = Some(Invalid::Family);
            }
            Some(IpAddr::V4(address)) => self.ct.set(ipv4, slot(&address.octets())),
            Some(IpAddr::V6(address)) => self.ct.set(ipv6, address.octets()),
            None => {}
        }
        if let Some(number) = to.port() {
            self.ct.set(port, slot(&number.to_be_bytes()));
        }
        self
    }

    /// How far a TCP connection has come, with window scales and flags.
    pub fn tcp_info(self, info: TcpInfo) -> Self {
        self.with(|ct| ct.fill_tcp(info))
    }

    /// How far an SCTP association has come, with its tags.
    pub fn sctp_info(self, info: SctpInfo) -> Self {
        self.with(|ct| ct.fill_sctp(info))
    }

    /// Its labels.
    pub fn labels(self, labels: Labels) -> Self {
        Self { labels: Some(labels), ..self }
    }

    /// The helper that looks after it.
    pub fn helper(self, helper: Helper) -> Self {
        Self { helper: Some(helper), ..self }
    }

    /// The flow it belongs to, by its original tuple, as the data of FTP to its commands.
    pub fn master(self, master: Tuple) -> Self {
        let icmp = Presence::of(&[Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId]);
        self.with(|ct| {
            ct.flat.master = *master.object();
            let mut present = whole(&MASTER, &master);
            present.remove(icmp);
            ct.flat.present.insert(present);
        })
    }

    /// Answers have this tuple, where they do not mirror the original one. That is no translation:
    /// [`source_nat`](Self::source_nat) and [`destination_nat`](Self::destination_nat) are.
    pub fn reply(self, reply: Tuple) -> Self {
        let families = (self.tuple.family(), self.tuple.protocol());
        let agree = families == (reply.family(), reply.protocol());
        let invalid = self.invalid.or((!agree).then_some(Invalid::Family));
        Self { invalid, ..self.with(|ct| ct.flat.reply = *reply.object()) }
    }

    /// By how much sequence numbers of a direction are shifted.
    pub fn seq_adjust(self, of: Direction, adjust: SeqAdjust) -> Self {
        self.with(|ct| ct.fill_seq_adjust(of, adjust))
    }

    /// What the SYN proxy keeps.
    pub fn synproxy(self, synproxy: SynProxy) -> Self {
        self.with(|ct| ct.fill_synproxy(synproxy))
    }

    /// What of it can be said of a flow that exists.
    pub(crate) fn changes(&self) -> Changes {
        let has = |attr, number: u32| self.ct.has(attr).then_some(number);
        let mark = has(Attr::Mark, self.ct.flat.mark).map(Mark::from);
        let status = has(Attr::Status, self.ct.flat.status).unwrap_or(0);
        let mut ct = self.ct.clone();
        ct.flat.present.retain(CHANGEABLE);
        Changes::of(ct, mark, status, self.helper.clone(), self.labels)
    }

    fn with(mut self, fill: impl FnOnce(&mut Conntrack)) -> Self {
        fill(&mut self.ct);
        self
    }

    /// The object to be sent.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::OutOfMemory`].
    pub(crate) fn object(&self) -> Result<Conntrack, Error> {
        let foreign = self.ct.has_foreign_state(self.tuple.protocol());
        let foreign = foreign.then_some(Invalid::State);
        if let Some(invalid) = self.invalid.or(foreign) {
            return Err(invalid.into());
        }
        let mut ct = self.ct.try_clone()?;
        if let Some(labels) = self.labels {
            labels.check()?;
            ct.fill_labels(labels, false)?;
        }
        self.helper.as_ref().map_or(Ok(()), |helper| ct.fill_helper(helper))?;
        Ok(ct)
    }
}

/// The flow that this one becomes, whoever makes it.
impl From<&NewFlow> for Key {
    fn from(flow: &NewFlow) -> Self {
        Self::original(flow.tuple).in_zone(flow.zone)
    }
}

impl From<Tuple> for NewFlow {
    fn from(tuple: Tuple) -> Self {
        Self::new(tuple)
    }
}

impl fmt::Debug for NewFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewFlow({self})")
    }
}

/// As the kernel would print it.
impl fmt::Display for NewFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ct.fmt(f)
    }
}
