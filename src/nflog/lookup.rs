//! The flow of a packet, asked of the kernel.
#![forbid(unsafe_code)]

use super::flow::Seen;
use super::packet::Packet;
use crate::connection::Connection;
use crate::conntrack::dump::{Dump, Order, What};
use crate::conntrack::filter::criteria::{End, Term};
use crate::conntrack::filter::dump::DumpFilter;
use crate::conntrack::filter::narrowing::narrowing;
use crate::conntrack::flow::Flow;
use crate::conntrack::key::Key;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::table::FlowTable;
use crate::conntrack::tuple::{Layer4, Tuple};
use crate::conntrack::values::{Direction, Status, Zone};
use crate::conntrack::wire::decode;
use crate::error::{Error, ErrorKind};

/// A flow, and what a packet is to it: see [`Packet::find_flow`].
///
/// ```
/// use ctrs::{Direction, PacketFlow};
///
/// /// Whether the packet comes from who began the flow.
/// fn asks(found: &PacketFlow) -> bool {
///     found.direction == Direction::Original && !found.is_error
/// }
/// ```
#[derive(Debug, Clone)]
pub struct PacketFlow {
    /// The flow, as the kernel told it.
    pub flow: Flow,
    /// Whether the packet goes as the flow's first one did, or answers.
    pub direction: Direction,
    /// Whether the packet is an ICMP error about the flow.
    pub is_error: bool,
}

/// How to look for the flow of a packet: see [`Packet::find_flow`].
///
/// ```
/// use ctrs::FlowLookup;
///
/// let lookup = FlowLookup::new().in_zone(3).by_tuple_alone();
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[must_use = "a lookup is what Packet::find_flow takes"]
pub struct FlowLookup {
    zone: Zone,
    by_tuple_alone: bool,
}

impl FlowLookup {
    /// In zone 0, however long it takes.
    pub fn new() -> Self {
        Self::default()
    }

    /// In that zone: a packet does not tell which one a rule has put it in.
    pub fn in_zone(self, zone: impl Into<Zone>) -> Self {
        Self { zone: zone.into(), ..self }
    }

    /// By what the kernel looks up at once. Not found are then, of flows whose source and destination
    /// both are translated, packets between the one and the other, and PPTP that a helper follows: for
    /// these the kernel has to go through its table, as it has to before it is known that there is no
    /// flow.
    pub fn by_tuple_alone(self) -> Self {
        Self { by_tuple_alone: true, ..self }
    }

    /// Asks for the flow of which a packet was seen, into `ct` in place of what that holds; `None`, and
    /// `ct` as it was, if there is none.
    ///
    /// # Errors
    /// What the kernel refuses.
    fn find(
        &self,
        connection: &mut Connection,
        seen: &Seen,
        ct: &mut Conntrack,
    ) -> Result<Option<Direction>, Error> {
        let mut found = Conntrack::new();
        let mut direction = self.ask(connection, seen, &mut found)?;
        if direction.is_none() && !self.by_tuple_alone && seen.may_be_between() {
            direction = self.search(connection, seen, &mut found)?;
        }
        if direction.is_some() {
            *ct = found;
        }
        Ok(direction)
    }

    /// By the tuples that the flow may have.
    fn ask(
        &self,
        connection: &mut Connection,
        seen: &Seen,
        ct: &mut Conntrack,
    ) -> Result<Option<Direction>, Error> {
        for tuple in seen.candidates() {
            match connection.get(&self.key(tuple), ct) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                found => found?,
            }
            if let Some(direction) = self.direction_in(ct, seen) {
                return Ok(Some(direction));
            }
        }
        Ok(None)
    }

    /// Which packets of a flow it is among, if any, in the zone.
    fn direction_in(&self, ct: &Conntrack, seen: &Seen) -> Option<Direction> {
        seen.direction_in(ct).filter(|direction| self.is_zone_of(ct, *direction))
    }

    /// The kernel finds a flow by the tuple of either direction, whichever it is said to be of; a zone
    /// of one direction is said with that.
    fn key(&self, tuple: Tuple) -> Key {
        match self.zone.only() {
            Some(Direction::Reply) => Key::reply(tuple),
            _ => Key::original(tuple),
        }
        .in_zone(self.zone)
    }

    /// Among the flows from either end of the packet.
    fn search(
        &self,
        connection: &Connection,
        seen: &Seen,
        ct: &mut Conntrack,
    ) -> Result<Option<Direction>, Error> {
        for from in [seen.tuple, seen.tuple.inverse()] {
            let Some(kernel) = among(seen, from)? else { continue };
            let order = Order {
                kernel: Some(&kernel),
                checked: true,
                search: false,
                ..Order::of(What::Flows)
            };
            let mut dump = Dump::begin(|| connection.another(), Some(&order))?;
            if dump.next_of(ct, &|ct| self.direction_in(ct, seen).is_some())? {
                return Ok(self.direction_in(ct, seen));
            }
        }
        Ok(None)
    }

    /// Whether packets of a direction of a flow are in the zone.
    fn is_zone_of(&self, ct: &Conntrack, direction: Direction) -> bool {
        let number = |zone: Zone| match zone.only() {
            Some(only) if only != direction => 0,
            _ => zone.number(),
        };
        number(Zone::of(ct)) == number(self.zone)
    }
}

/// What the kernel narrows a search to: the flows that come from where packets of a tuple do; of PPTP
/// all.
fn among(seen: &Seen, from: Tuple) -> Result<Option<DumpFilter>, Error> {
    let protocol = Term::Protocol(from.protocol());
    let both = Status::SRC_NAT.union(Status::DST_NAT);
    let translated = Term::Status { value: both, mask: both };
    let source = Term::Address(Direction::Original, End::Source, from.source().into());
    let port = |port| Term::Port(Direction::Original, End::Source, port);
    let terms = match (from.layer4(), from.family()) {
        (Layer4::Keys { .. }, Some(family)) if seen.lacks_key() => {
            narrowing(&[Term::Family(family), protocol])
        }
        (Layer4::Ports { source: from, .. }, _) => {
            narrowing(&[source, protocol, port(from), translated])
        }
        _ => narrowing(&[source, protocol, translated]),
    };
    Ok(terms?)
}

impl Packet<'_> {
    /// The flow that the packet belongs to, as the kernel attached it: `None` if it did not. The group
    /// has to ask for it, and the kernel to be built with `CONFIG_NETFILTER_NETLINK_GLUE_CT`.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`].
    pub fn conntrack(&self) -> Result<Option<Flow>, Error> {
        let mut flow = Flow::default();
        Ok(self.conntrack_into(&mut flow.0)?.then_some(flow))
    }

    /// Reads the flow that the kernel attached into `ct`, in place of what that holds. Whether there is
    /// one: `ct` is as it was if not, and after an error.
    pub(crate) fn conntrack_into(&self, ct: &mut Conntrack) -> Result<bool, Error> {
        let Some(attributes) = self.conntrack_attributes() else { return Ok(false) };
        // Bridges and devices have flows of IP.
        let family = match self.protocol().map(i32::from) {
            Some(libc::ETH_P_IP) => libc::AF_INET as u8,
            Some(libc::ETH_P_IPV6) => libc::AF_INET6 as u8,
            _ => self.family(),
        };
        let mut read = Conntrack::new();
        decode::attributes_as_far_as_possible(&mut read, attributes, family)?;
        *ct = read;
        Ok(true)
    }

    /// Asks the kernel for the flow that the packet belongs to, by the packet itself: of IPv4 and IPv6,
    /// in either direction, before and after translation; for ICMP errors by the packet inside. `None` if
    /// there is none, or none any more, or the packet does not tell: fragments, and what was copied too
    /// short.
    ///
    /// The kernel has to be asked once for most packets, twice for others. If there is no flow then,
    /// there still may be one whose source and destination both are translated, or one of PPTP, which
    /// takes going through the table: [`FlowLookup::by_tuple_alone`] does without.
    ///
    /// That a rule kept a packet from being tracked, or the kernel found it invalid, is not seen: it is
    /// taken for one of the flow with its tuple, if there is one. And where two flows are translated to
    /// the same server, their packets may be alike between the translation of destination and source.
    ///
    /// # Errors
    /// As [`FlowTable::get`], but for a flow that is not there.
    ///
    /// # Examples
    ///
    /// ```
    /// use ctrs::{Error, FlowLookup, FlowTable, Packet};
    ///
    /// fn tell(packet: &Packet<'_>, table: &mut FlowTable) -> Result<(), Error> {
    ///     match packet.find_flow(table, &FlowLookup::new())? {
    ///         Some(found) => println!("{:?} of {}", found.direction, found.flow),
    ///         None => println!("no flow"),
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn find_flow(
        &self,
        table: &mut FlowTable,
        lookup: &FlowLookup,
    ) -> Result<Option<PacketFlow>, Error> {
        let mut flow = Flow::default();
        let direction = self.find(&mut table.connection, lookup, &mut flow.0)?;
        let is_error = self.tuple_inside().is_some();
        Ok(direction.map(|direction| PacketFlow { flow, direction, is_error }))
    }

    /// Puts the flow into `ct`, in place of what that holds; `None`, and `ct` as it was, if there is
    /// none.
    pub(crate) fn find(
        &self,
        connection: &mut Connection,
        lookup: &FlowLookup,
        ct: &mut Conntrack,
    ) -> Result<Option<Direction>, Error> {
        self.seen().map_or(Ok(None), |seen| lookup.find(connection, &seen, ct))
    }
}
