//! Connection tracking over netlink: the flow table behind NAT and stateful firewalls, listed,
//! changed and watched.
//!
//! Linux keeps an entry for every flow it tracks: who speaks to whom, how the packets are translated,
//! marks, labels, counters. With this crate a program reads and changes them. It takes
//! `CAP_NET_ADMIN` in the user namespace that owns the network namespace; without it the error says
//! so.
//!
//! | To | |
//! |---|---|
//! | list flows, all or some | [`FlowTable::list`], [`FlowTable::list_where`] with an [`Expression`], [`FlowTable::list_matching`] with a [`Filter`] |
//! | know whether a list is whole, read it as records | [`List::is_consistent`], [`List::next_records`] |
//! | find one | [`FlowTable::get`] by its [`Tuple`], original or reply ([`Key`]) |
//! | create one, with NAT or without | [`Flow::tcp`] and its like, a [`NewFlow`], [`FlowTable::create`] |
//! | create one again that was seen | [`FlowTable::restore`] |
//! | change one | [`FlowTable::update`] with [`Changes`] |
//! | delete one, or some | [`FlowTable::delete`], [`FlowTable::delete_where`], [`FlowTable::delete_matching`] |
//! | know what became of it: its id, its last counters | [`FlowTable::create_returning`] and its like |
//! | do thousands of these at once | [`Batch`], [`FlowTable::run`] |
//! | be told what happens, to all flows or some | [`Events`], [`Events::only_where`](Listener::only_where), [`Events::only`](Listener::only) |
//! | have the table as it is at hand, with what changes in it | [`Mirror`], [`MirrorReader`] |
//! | wait for that no longer than wanted | [`Listener::next_timeout`], [`Listener::try_next`], [`Stopper`] |
//! | see how full the table is, and what was dropped | [`FlowTable::statistics`], [`FlowTable::cpu_statistics`] |
//! | see and make what helpers expect | [`Expectations`], [`ExpectationEvents`] |
//! | receive the packets that rules log | [`PacketLog`], [`Packet`] |
//! | find the flow of such a packet | [`Packet::find_flow`], [`Packet::conntrack`] |
//! | keep them in files for tcpdump, or as JSON | [`PcapWriter`], [`Packet::json`] |
//! | do so in another network namespace, or with a time limit | [`Options`] |
//! | give flows other timeouts, by rules or for all | [`TimeoutPolicies`], [`Timeouts`] |
//! | give the work of helpers to programs | [`UserHelpers`] |
//! | know why nothing is heard, or counted | [`FlowTable::diagnose`], [`Listener::diagnose`] |
//!
//! A [`Flow`] is what the kernel told and is not changed; a [`Tuple`] is always whole and names a
//! flow; part of one is a [`Filter`], which names none but selects, and so does an [`Expression`], which a
//! person writes.
//!
//! The crate is a C library too, a replacement for `libnetfilter_conntrack` with the same functions,
//! when the feature `capi` is on: see the headers in `include/`. A Rust program does without.
//!
//! A flow is written as JSON and read again ([`Flow::json`], [`Flow::from_json`]). With the feature `serde`,
//! flows and their values are `Serialize` and `Deserialize`, in the same shape, as are timeout policies;
//! formats that do not describe themselves cannot be read.
//!
//! # Examples
//!
//! List the flow table, one flow at a time as the kernel hands them out:
//!
//! ```
//! use ctrs::{Error, FlowTable};
//!
//! fn list() -> Result<usize, Error> {
//!     let mut flows = 0;
//!     for flow in FlowTable::open()?.list()? {
//!         let flow = flow?;
//!         println!("{flow}  answered by {:?}", flow.reply().map(|reply| reply.source()));
//!         flows += 1;
//!     }
//!     Ok(flows)
//! }
//!
//! match list() {
//!     Ok(flows) => println!("{flows} flows"),
//!     Err(error) => println!("{error}"),
//! }
//! ```
//!
//! Create a flow with a mark, change it, and watch the table:
//!
//! ```no_run
//! use ctrs::{Changes, EventKind, Events, Flow, FlowTable};
//! use std::net::SocketAddr;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut events = Events::open(EventKind::ALL)?;
//! let mut table = FlowTable::open()?;
//! let (client, server): (SocketAddr, SocketAddr) =
//!     ("192.0.2.1:40000".parse()?, "198.51.100.7:443".parse()?);
//! let flow = Flow::tcp(client, server)?.timeout(Duration::from_secs(60));
//! table.create(&flow)?;
//! table.update(&flow, &Changes::new().mark(7))?;
//! table.delete(&flow)?;
//! for event in events.by_ref().take(3) {
//!     let event = event?;
//!     println!("{} {}", event.change, event.flow);
//! }
//! # Ok(())
//! # }
//! ```

// What only the libraries that were left out use is dead, and the linker leaves that out too.
#![cfg_attr(
    not(all(feature = "nflog", feature = "timeout", feature = "helper", feature = "extensions")),
    allow(dead_code, unused_imports)
)]

// The library's inside is hidden, not private: its tests and fuzzers reach it, and nothing is promised
// of it.

#[cfg(feature = "capi")]
#[allow(unsafe_code, reason = "pointers from C end here")]
#[doc(hidden)]
pub mod capi;
#[cfg(doctest)]
mod compile_fail;
mod connection;
#[doc(hidden)]
pub mod conntrack;
#[doc(hidden)]
pub mod error;
mod facts;
#[cfg(feature = "helper")]
#[doc(hidden)]
pub mod helper;
#[doc(hidden)]
pub mod invalid;
#[doc(hidden)]
pub mod namespaces;
mod options;

#[cfg(feature = "capi")]
mod nested;
#[doc(hidden)]
pub mod netlink;
#[cfg(feature = "nflog")]
#[doc(hidden)]
pub mod nflog;
#[doc(hidden)]
pub mod protocol;
#[allow(unsafe_code, reason = "plain data as bytes")]
mod record;
#[allow(unsafe_code, reason = "memory that several own")]
mod shared;
#[doc(hidden)]
pub mod text;
#[cfg(feature = "timeout")]
#[doc(hidden)]
pub mod timeout;
#[doc(hidden)]
pub mod uapi;
mod width;

pub use conntrack::batch::Batch;
pub use conntrack::change::Changes;
pub use conntrack::deletion::Deleted;
pub use conntrack::diagnose::{Diagnosis, Finding};
pub use conntrack::events::{Event, Events};
pub use conntrack::expectation::ExpectationFlags;
pub use conntrack::expectation::create::NewExpectation;
pub use conntrack::expectation::key::ExpectationKey;
pub use conntrack::expectation::pattern::Pattern;
pub use conntrack::expectation::seen::Expectation;
pub use conntrack::expectations::{
    ExpectationEvent, ExpectationEvents, ExpectationList, Expectations,
};
pub use conntrack::expression::{Expression, Truth};
pub use conntrack::filter::criteria::Filter;
pub use conntrack::filter::net::Net;
pub use conntrack::flow::Flow;
pub use conntrack::json::Json;
pub use conntrack::key::Key;
pub use conntrack::labels::map::LabelMap;
pub use conntrack::labels::set::Labels;
pub use conntrack::listener::{EventKind, Listener};
pub use conntrack::listing::{List, Listing};
#[cfg(feature = "capi")]
#[doc(hidden)]
pub use conntrack::mirror::record::ChangeRecord;
pub use conntrack::mirror::{Mirror, MirrorChange, MirrorFlows, MirrorInfo, MirrorReader};
pub use conntrack::new_flow::NewFlow;
pub use conntrack::object::attr::{Attr as Attribute, Kind as AttributeKind};
pub use conntrack::record::{
    ExpectationRecord, FlowRecord, NatRecord, SeqAdjustRecord, SynproxyRecord, TupleRecord,
};
pub use conntrack::replica::Happened;
pub use conntrack::returned::Returned;
pub use conntrack::stats::{Counter, CpuStatistics, ExpectationStatistics, Statistics};
pub use conntrack::stream::record::{EventRecord, ExpectationEventRecord};
pub use conntrack::table::FlowTable;
pub use conntrack::tuple::{IcmpQuery, Layer4, Tuple};
pub use conntrack::values::{
    Counters, DccpState, Direction, Family, Helper, Id, Mark, Nat, Protocol, SctpInfo, SctpState,
    SeqAdjust, State, Status, SynProxy, TcpFlags, TcpInfo, TcpSide, TcpState, Zone,
};
pub use conntrack::wire::Change;
pub use error::{Error, ErrorKind, Invalid, RequestKind};
#[cfg(feature = "helper")]
pub use helper::helpers::UserHelpers;
#[cfg(feature = "helper")]
pub use helper::value::UserHelper;
pub use namespaces::record::NetworkNamespace;
pub use netlink::wait::Stopper;
#[cfg(feature = "nflog")]
pub use nflog::json::PacketJson;
#[cfg(feature = "nflog")]
pub use nflog::log::PacketLog;
#[cfg(feature = "nflog")]
pub use nflog::logged::{Logged, LoggedBatch, Packets};
#[cfg(feature = "nflog")]
pub use nflog::lookup::{FlowLookup, PacketFlow};
#[cfg(feature = "nflog")]
pub use nflog::losses::{Loss, Losses};
#[cfg(feature = "nflog")]
pub use nflog::owned::OwnedPacket;
#[cfg(feature = "nflog")]
pub use nflog::packet::Packet;
#[cfg(feature = "nflog")]
pub use nflog::pcap::{LinkType, Pcap, PcapRecord, PcapWriter};
#[cfg(feature = "nflog")]
pub use nflog::record::{PacketField, PacketRecord, PartRecord};
#[cfg(feature = "nflog")]
pub use nflog::settings::{CopyMode, LogFlags, LogSettings};
#[cfg(feature = "nflog")]
pub use nflog::values::{CtInfo, CtState, Vlan};
#[cfg(feature = "nflog")]
pub use nflog::xml::{Xml, XmlParts};
pub use options::Options;
#[cfg(feature = "timeout")]
pub use timeout::policies::{TimeoutPolicies, TimeoutPolicyList};
#[cfg(feature = "timeout")]
pub use timeout::record::TimeoutRecord;
#[cfg(feature = "timeout")]
pub use timeout::value::{TimeoutPolicy, TimeoutState, Timeouts};
