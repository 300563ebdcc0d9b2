//! The events of the flow table.
#![forbid(unsafe_code)]

use crate::conntrack::filter::criteria::Filter;
use crate::conntrack::filter::event::EventFilter;
use crate::conntrack::flow::Flow;
use crate::conntrack::listener::{EventKind, Listener, Told};
use crate::conntrack::wire::{Change, decode};
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::netlink::message::Message;
use crate::netlink::socket;
use crate::options::Options;
use std::os::fd::AsRawFd;

/// Something that happened to a flow.
#[derive(Debug)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub change: Change,
    /// The flow, as far as the event tells.
    pub flow: Flow,
    /// The id that the listener's network namespace knows the event's by; `None` for its own.
    pub namespace: Option<i32>,
}

/// What happens to the flows of a network namespace. After lost events, of which an error of the kind
/// [`ErrorKind::Lost`] tells, [`FlowTable::list`](crate::FlowTable::list) has the flows as they are.
///
/// ```no_run
/// # fn main() -> Result<(), ctrs::Error> {
/// use ctrs::{EventKind, Events};
///
/// for event in Events::open(EventKind::ALL)? {
///     let event = event?;
///     println!("{} {}", event.change, event.flow);
/// }
/// # Ok(())
/// # }
/// ```
pub type Events = Listener<Event>;

impl Told for Event {
    const GROUPS: u32 = 0;

    fn read(change: Change, message: &Message<'_>, namespace: Option<i32>) -> Result<Self, Error> {
        let mut flow = Flow::default();
        decode::as_far_as_possible(&mut flow.0, message)?;
        Ok(Self { change, flow, namespace })
    }

    fn meets(&self, filter: &Filter) -> bool {
        filter.matches(&self.flow)
    }
}

impl Listener<Event> {
    /// Listens to what happens to the flows of the network namespace that the thread is in.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`] without `CAP_NET_ADMIN`.
    pub fn open(kinds: EventKind) -> Result<Self, Error> {
        Self::open_with(kinds, &Options::new())
    }

    /// Listens through a socket with these options.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`ErrorKind::Privilege`] also without `CAP_SYS_ADMIN` in
    /// another namespace, and without `CAP_NET_BROADCAST` for all namespaces.
    pub fn open_with(kinds: EventKind, options: &Options) -> Result<Self, Error> {
        Self::listen(kinds, options)
    }

    /// Hands out only the events of flows that a filter selects, from now on. The kernel leaves out
    /// those of other protocols, sources and destinations; the rest is checked here, as far as the
    /// event tells: a mark or a status is that of the moment.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a filter too long for the kernel, [`ErrorKind::OutOfMemory`],
    /// [`ErrorKind::System`].
    pub fn only(&mut self, filter: &Filter) -> Result<(), Error> {
        self.attach(&filter.of_events())?;
        self.check(filter);
        Ok(())
    }

    /// Hands out only the events that a filter lets pass, from now on. The kernel does the work.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a filter too long for the kernel, [`ErrorKind::OutOfMemory`],
    /// [`ErrorKind::System`].
    #[doc(hidden)]
    pub fn attach(&self, filter: &EventFilter) -> Result<(), Error> {
        Ok(socket::attach_filter(self.as_raw_fd(), &filter.program()?)?)
    }
}
