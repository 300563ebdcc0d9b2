//! The events of the flow table.
#![forbid(unsafe_code)]

use crate::conntrack::expression::{Decides, Expression};
use crate::conntrack::filter::criteria::Filter;
use crate::conntrack::filter::event::EventFilter;
use crate::conntrack::flow::Flow;
use crate::conntrack::listener::{EventKind, Listener, Told};
use crate::conntrack::selects::Selects;
use crate::conntrack::stream::Head;
use crate::conntrack::wire::Change;
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::netlink::socket;
use crate::options::Options;
use std::os::fd::AsRawFd;
use std::time::SystemTime;

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
    /// When it was received. When it happened, [`Flow::event_time`] tells, if the kernel stamps events.
    pub received: SystemTime,
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

    type Entry = Flow;

    fn of(change: Change, head: &Head, flow: Flow) -> Self {
        Self { change, flow, namespace: head.namespace, received: head.received() }
    }

    #[allow(private_interfaces, reason = "nobody else tells anything")]
    fn meets(flow: &Flow, change: Change, selects: &Selects) -> bool {
        selects.selects_event(change, flow)
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
        self.check(Selects::Filter(filter.clone()));
        Ok(())
    }

    /// Hands out only the events of which an expression is definitely true, from now on. The kernel
    /// leaves out what it can, and each event is checked again: by what it tells, as it was at that
    /// moment. Who keeps a copy of flows would miss the change by which one stops to match.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ctrs::Error> {
    /// let mut events = ctrs::Events::open(ctrs::EventKind::ALL)?;
    /// events.only_where(&"udp and any port 53 and not host 127.0.0.0/8".parse()?)?;
    /// for event in events {
    ///     println!("{}", event?.flow);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`], [`ErrorKind::System`].
    pub fn only_where(&mut self, expression: &Expression) -> Result<(), Error> {
        let (program, checked) = (expression.program(Decides::All)?, expression.try_clone()?);
        socket::attach_filter(self.as_raw_fd(), &program)?;
        self.check(Selects::Expression(checked));
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
