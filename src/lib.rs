//! Connection tracking over netlink: the flow table behind NAT and stateful firewalls, listed,
//! changed and watched.
//!
//! This crate is a C library too, a replacement for `libnetfilter_conntrack` with the same
//! functions, when the feature `capi` is on: see the headers in `include/`. The Rust interface below it
//! is safe.
//!
//! ```text
//! capi ──► handle ──► netlink          C program or Rust program
//!   │         └─────► wire ──► ct          │ objects, queries
//!   ├──► print ────────────────►           ▼
//!   └──► filter ───────────────►       kernel (ctnetlink)
//! ```
//!
//! * [`ct`]: the objects: entries, expectations, label bitmasks and label maps;
//! * [`netlink`]: the socket, messages read and written, without any knowledge of conntrack;
//! * [`wire`]: messages into objects and objects into requests;
//! * [`print`]: objects as text, plain and XML;
//! * [`filter`]: programs that choose events, criteria that choose entries, both in the kernel;
//! * [`handle`]: a socket that gives every query its own answer;
//! * [`FlowTable`], [`Events`]: what a Rust program uses;
//! * `capi`: what a C program uses, behind the feature `capi`.
//!
//! # Example
//!
//! List the flow table, one entry at a time as the kernel hands them out. It takes `CAP_NET_ADMIN`;
//! without it the error says so.
//!
//! ```
//! use ctrs::{Error, Family, FlowTable};
//!
//! fn list() -> Result<usize, Error> {
//!     let mut table = FlowTable::open()?;
//!     let mut flows = 0;
//!     for entry in table.dump(Family::Any)? {
//!         let entry = entry?;
//!         println!("{entry}  to {:?}", entry.original().addresses);
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
//! use ctrs::{Attr, Conntrack, Events, FlowTable, Groups};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut events = Events::open(Groups::all())?;
//! let mut table = FlowTable::open()?;
//! let (client, server) = ("192.0.2.1:40000".parse()?, "198.51.100.7:443".parse()?);
//! let mut flow = Conntrack::flow(6, client, server)?;
//! flow.set_u32(Attr::Timeout, 60)?;
//! table.create(&flow)?;
//! flow.set_u32(Attr::Mark, 7)?;
//! table.update(&flow)?;
//! table.delete(&flow)?;
//! for event in events.by_ref().take(3) {
//!     let event = event?;
//!     println!("{:?}: {}", event.change, event.entry);
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

pub use conntrack::events::{Event, Events, Groups};
pub use conntrack::filter::dump::DumpFilter;
pub use conntrack::filter::event::EventFilter;
pub use conntrack::labels::bitmask::Bitmask;
pub use conntrack::labels::map::LabelMap;
pub use conntrack::object::attr::Attr;
pub use conntrack::object::entry::Conntrack;
pub use conntrack::object::expectation::{Expect, ExpectAttr};
pub use conntrack::object::flow::{Endpoints, Status};
pub use conntrack::table::{Dump, Family, FlowTable};
pub use conntrack::wire::Change;
pub use error::{Error, ErrorKind, Invalid, RequestKind};
pub use netlink::wait::Stopper;
pub use options::Options;
