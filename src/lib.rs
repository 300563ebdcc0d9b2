//! Connection tracking over netlink: the flow table behind NAT and stateful firewalls, listed,
//! changed and watched.
//!
//! This crate is a C library too, a replacement for `libnetfilter_conntrack` with the same
//! functions, when the feature `capi` is on: see the headers in `include/`. The Rust interface below it
//! is safe.
//!
//! ```text
//! C program        Rust program
//!    capi     table, events, flow ...
//!      └───────────────┤
//!             wire, filter, print
//!           ┌──────────┴──────────┐
//!        netlink            object, labels
//!           ▼
//!   kernel (ctnetlink)
//! ```
//!
//! * [`FlowTable`], [`Events`], [`Flow`]: what a Rust program uses;
//! * `capi`: what a C program uses, behind the feature `capi`;
//! * [`conntrack`]: the flow table: objects, messages and requests, filters, text;
//! * [`netlink`]: sockets, messages read and written, answers told apart, without any knowledge of
//!   conntrack.
//!
//! # Example
//!
//! List the flow table, one flow at a time as the kernel hands them out. It takes `CAP_NET_ADMIN`;
//! without it the error says so.
//!
//! ```
//! use ctrs::{Error, FlowTable};
//!
//! fn list() -> Result<usize, Error> {
//!     let mut flows = 0;
//!     for flow in FlowTable::open()?.list()? {
//!         let flow = flow?;
//!         println!("{flow}  to {:?}", flow.reply().map(|reply| reply.source()));
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

#[cfg(feature = "capi")]
#[allow(unsafe_code, reason = "pointers from C end here")]
pub mod capi;
pub mod conntrack;
mod error;
mod options;

pub mod netlink;
pub mod text;
pub mod uapi;
mod width;

pub use conntrack::change::Changes;
pub use conntrack::events::{Event, Events};
pub use conntrack::filter::criteria::Filter;
pub use conntrack::filter::event::EventFilter;
pub use conntrack::filter::net::Net;
pub use conntrack::flow::Flow;
pub use conntrack::key::Key;
pub use conntrack::labels::map::LabelMap;
pub use conntrack::labels::set::Labels;
pub use conntrack::listener::{EventKind, Listener};
pub use conntrack::new_flow::NewFlow;
pub use conntrack::object::attr::Attr;
pub use conntrack::object::entry::Conntrack;
pub use conntrack::object::expectation::{Expect, ExpectAttr};
pub use conntrack::table::{Deleted, FlowTable, List};
pub use conntrack::tuple::{IcmpQuery, Layer4, Tuple};
pub use conntrack::values::{
    Counters, DccpState, Direction, Family, Helper, Id, Mark, Nat, Protocol, SctpInfo, SctpState,
    SeqAdjust, State, Status, SynProxy, TcpFlags, TcpInfo, TcpSide, TcpState, Zone,
};
pub use conntrack::wire::Change;
pub use error::{Error, ErrorKind, Invalid, RequestKind};
pub use netlink::wait::Stopper;
pub use options::Options;
