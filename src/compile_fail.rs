//! What is wrong and does not compile; beside each, the line that is right.
//!
//! A flow to be created takes values of their own types:
//!
//! ```
//! # fn right() -> Result<(), Box<dyn std::error::Error>> {
//! # let (a, b): (std::net::SocketAddr, std::net::SocketAddr) = ("192.0.2.1:1".parse()?, "192.0.2.2:2".parse()?);
//! use ctrs::{Flow, Nat};
//! use std::time::Duration;
//! Flow::tcp(a, b)?.mark(7).timeout(Duration::from_secs(30)).zone(3).source_nat(Nat::to_port(7));
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0308
//! # fn wrong(a: std::net::SocketAddr, b: std::net::SocketAddr) -> Result<(), ctrs::Invalid> {
//! ctrs::Flow::tcp(a, b)?.mark("7");
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0308
//! # fn wrong(a: std::net::SocketAddr, b: std::net::SocketAddr) -> Result<(), ctrs::Invalid> {
//! ctrs::Flow::tcp(a, b)?.timeout(30);
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0277
//! # fn wrong(a: std::net::SocketAddr, b: std::net::SocketAddr) -> Result<(), ctrs::Invalid> {
//! ctrs::Flow::tcp(a, b)?.zone(70_000_u32);
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0277
//! # fn wrong(a: std::net::SocketAddr, b: std::net::SocketAddr) -> Result<(), ctrs::Invalid> {
//! ctrs::Flow::tcp(a, b)?.source_nat(7_u16);
//! # Ok(())
//! # }
//! ```
//!
//! An address of the other family does not fit where the family is in the type:
//!
//! ```compile_fail,E0308
//! use std::net::{Ipv6Addr, SocketAddrV4};
//! SocketAddrV4::new(Ipv6Addr::LOCALHOST, 1);
//! ```
//!
//! A tuple is made whole, and a ping of a query that is one:
//!
//! ```
//! # fn right() -> Result<(), Box<dyn std::error::Error>> {
//! # let (a, b) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
//! use ctrs::{IcmpQuery, Tuple};
//! Tuple::tcp((a, 1), (b, 443))?;
//! Tuple::icmp(a, b, IcmpQuery::Timestamp, 7)?;
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0277
//! # fn wrong(a: std::net::IpAddr, b: std::net::IpAddr) {
//! ctrs::Tuple::tcp(a, b);
//! # }
//! ```
//!
//! ```compile_fail,E0308
//! # fn wrong(a: std::net::IpAddr, b: std::net::IpAddr) {
//! ctrs::Tuple::icmp(a, b, 3, 7);
//! # }
//! ```
//!
//! A flow that was seen is not changed; what changes is said apart, and another port is another flow:
//!
//! ```
//! # fn right(table: &mut ctrs::FlowTable, seen: &ctrs::Flow) -> Result<(), ctrs::Error> {
//! table.update(seen, &ctrs::Changes::new().mark(7))?;
//! table.restore(seen)?;
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0061
//! # fn wrong(seen: &mut ctrs::Flow) {
//! seen.mark(7);
//! # }
//! ```
//!
//! ```compile_fail,E0308
//! # fn wrong(table: &mut ctrs::FlowTable, seen: &ctrs::Flow) {
//! table.create(seen);
//! # }
//! ```
//!
//! ```compile_fail,E0599
//! ctrs::Changes::new().zone(3);
//! ```
//!
//! A filter names no flow, nor does an address; and a tuple has no mark that a filter could go by:
//!
//! ```
//! # fn right(table: &mut ctrs::FlowTable, seen: &ctrs::Flow) -> Result<(), ctrs::Error> {
//! # let ip = std::net::IpAddr::from([192, 0, 2, 1]);
//! table.delete(seen)?;
//! table.delete_matching(&ctrs::Filter::new().source(ip))?;
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0277
//! # fn wrong(table: &mut ctrs::FlowTable, filter: &ctrs::Filter) {
//! table.delete(filter);
//! # }
//! ```
//!
//! ```compile_fail,E0277
//! # fn wrong(table: &mut ctrs::FlowTable, ip: std::net::IpAddr) {
//! table.get(ip);
//! # }
//! ```
//!
//! ```compile_fail,E0308
//! # fn wrong(seen: &ctrs::Flow) {
//! ctrs::Filter::new().tuple(seen);
//! # }
//! ```
//!
//! A table is one thread's at a time; it goes to another, but is not shared without a lock:
//!
//! ```
//! # fn right(mut table: ctrs::FlowTable) {
//! std::thread::spawn(move || table.flush());
//! # }
//! ```
//!
//! ```compile_fail,E0277
//! # fn wrong(table: std::rc::Rc<ctrs::FlowTable>) {
//! std::thread::spawn(move || table.list().is_ok());
//! # }
//! ```
//!
//! ```compile_fail,E0382
//! # fn wrong(mut table: ctrs::FlowTable) {
//! std::thread::spawn(move || table.flush());
//! table.flush();
//! # }
//! ```
//!
//! An expectation that was seen is not one to be created; a pattern names one, a filter does not:
//!
//! ```
//! # fn right(table: &mut ctrs::Expectations, new: &ctrs::NewExpectation) -> Result<(), ctrs::Error> {
//! table.create(new)?;
//! table.delete(new)?;
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0308
//! # fn wrong(table: &mut ctrs::Expectations, seen: &ctrs::Expectation) {
//! table.create(seen);
//! # }
//! ```
//!
//! ```compile_fail,E0277
//! # fn wrong(table: &mut ctrs::Expectations, filter: &ctrs::Filter) {
//! table.delete(filter);
//! # }
//! ```
//!
//! An event is the kernel's to make, and may come to tell more:
//!
//! ```
//! # fn right(event: ctrs::Event) {
//! let ctrs::Event { change, flow, .. } = event;
//! # }
//! ```
//!
//! ```compile_fail,E0639
//! # fn wrong(flow: ctrs::Flow) {
//! ctrs::Event { change: ctrs::Change::New, flow, namespace: None };
//! # }
//! ```
//!
//! ```compile_fail,E0638
//! # fn wrong(event: ctrs::Event) {
//! let ctrs::Event { change, flow, namespace } = event;
//! # }
//! ```
//!
//! A time has a unit:
//!
//! ```
//! # fn right(events: &mut ctrs::Events) -> Result<(), ctrs::Error> {
//! events.next_timeout(std::time::Duration::from_millis(30))?;
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0308
//! # fn wrong(events: &mut ctrs::Events) {
//! events.next_timeout(30);
//! # }
//! ```
//!
//! ```compile_fail,E0308
//! ctrs::LogSettings::new().timeout(100);
//! ```
//!
//! A packet is borrowed from its log until it is copied:
//!
//! ```
//! # fn right(log: &mut ctrs::PacketLog) -> Result<(), ctrs::Error> {
//! let kept = log.next_event()?.packet().map(|packet| packet.copied()).transpose()?;
//! log.next_event()?;
//! drop(kept);
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0499
//! # fn wrong(log: &mut ctrs::PacketLog) -> Result<(), ctrs::Error> {
//! let kept = log.next_event()?.packet();
//! log.next_event()?;
//! drop(kept);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
