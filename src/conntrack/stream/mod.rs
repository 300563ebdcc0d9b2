//! Events as they come out of a socket: in their order, and with what was lost in its place.
//!
//! When the buffer of a socket is full the kernel says so at once, hands out what the buffer holds, and
//! loses all that comes until that is empty. So the gap is where the buffer was empty: there it is told,
//! when all that was lost in it is counted.

mod head;
#[allow(unsafe_code, reason = "records as bytes")]
pub mod record;

use crate::conntrack::wire::Change;
use crate::error::Error;
use crate::netlink;
use crate::netlink::datagrams::Datagrams;
use crate::netlink::message::{Message, align};
use crate::netlink::socket::Socket;
use crate::options::Options;
pub(crate) use head::Gap;
pub use head::{Head, Tells};
#[cfg(feature = "capi")]
pub(crate) use head::{KERNEL_TIME, LOST, NSID, UNDELIVERED};
use std::time::SystemTime;

/// After so many datagrams it looks whether any were lost of which the kernel does not tell.
const LOOKS_EVERY: usize = 64;

/// Where events are read from. It never waits, and never receives more than it is asked for: what was
/// not read is in the socket, whose descriptor says so.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    datagrams: Datagrams,
    /// Where the reading has come to, and where it was before the last message.
    place: Place,
    before: Place,
    /// When the datagrams were received, nanoseconds since 1970.
    received: u64,
    gaps: Gaps,
}

/// A place in the datagrams.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    datagram: usize,
    at: usize,
}

/// What is known of losses.
#[derive(Debug, Default)]
struct Gaps {
    /// How many the kernel had counted when they were told.
    told: u32,
    /// With a gap ahead: bytes that are still to be read before it, as far as the kernel says.
    ahead: Option<u32>,
    /// A gap behind what was received.
    behind: bool,
    /// Datagrams since it was looked for losses of which the kernel does not tell.
    unseen: usize,
}

/// A socket, and how it was opened.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub socket: &'a Socket,
    pub options: &'a Options,
}

/// What was found next.
enum Found {
    Message(Place),
    /// A datagram that was longer than any that the kernel is known to send.
    CutShort,
}

impl Stream {
    /// Reads the next event of what `entry` is into it, if it is one that is wanted, receiving at most
    /// so many; or says what was lost. `None` if nothing has come.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory): it comes again.
    /// [`ErrorKind::System`](crate::ErrorKind::System).
    pub fn next<T: Tells>(
        &mut self,
        source: &Source<'_>,
        most: usize,
        entry: &mut T,
        wanted: &dyn Fn(Change, &T) -> bool,
    ) -> Result<Option<Head>, Error> {
        loop {
            match self.find() {
                Some(Found::Message(place)) => {
                    if let Some(head) = self.read(place, entry, wanted)? {
                        return Ok(Some(head));
                    }
                }
                Some(Found::CutShort) => {
                    return Ok(Some(self.gap(Gap { count: 1, ..Gap::default() })));
                }
                None if std::mem::take(&mut self.gaps.behind) => {
                    let gap = self.gaps.count(source);
                    return Ok(Some(self.gap(gap)));
                }
                None if !self.receive(source, most)? => return Ok(None),
                None => {}
            }
        }
    }

    /// Whether something was lost that is told once its place is reached.
    pub fn has_gap(&self) -> bool {
        self.gaps.behind || self.gaps.ahead.is_some()
    }

    /// The next message of what was received.
    fn find(&mut self) -> Option<Found> {
        while self.place.datagram < self.datagrams.count() {
            self.before = self.place;
            let Place { datagram, at } = self.place;
            let next = Place { datagram: datagram + 1, at: 0 };
            match self.datagrams.get(datagram) {
                Ok((bytes, _)) => {
                    if let Some(message) = bytes.get(at..).and_then(Message::first) {
                        self.place.at = at + align(message.bytes().len());
                        return Some(Found::Message(self.before));
                    }
                }
                Err(netlink::Error::Truncated(_)) => {
                    self.place = next;
                    return Some(Found::CutShort);
                }
                // Another process may send to the socket.
                Err(_) => {}
            }
            self.place = next;
        }
        None
    }

    /// Reads a message, if it is an event that is wanted.
    fn read<T: Tells>(
        &mut self,
        Place { datagram, at }: Place,
        entry: &mut T,
        wanted: &dyn Fn(Change, &T) -> bool,
    ) -> Result<Option<Head>, Error> {
        let Ok((bytes, namespace)) = self.datagrams.get(datagram) else { return Ok(None) };
        let Some(message) = bytes.get(at..).and_then(Message::first) else { return Ok(None) };
        // An answer has the number of its request.
        if message.seq != 0 || message.subsystem() != T::SUBSYSTEM {
            return Ok(None);
        }
        let Some(change) = Change::of(&message) else { return Ok(None) };
        let port = message.port();
        if let Err(error) = entry.read(&message) {
            self.place = self.before;
            return Err(error.into());
        }
        let head = Head { what: Ok(change), received: self.received, namespace, port };
        Ok(wanted(change, entry).then_some(head))
    }

    fn gap(&self, gap: Gap) -> Head {
        Head { what: Err(gap), received: self.received, namespace: None, port: 0 }
    }

    /// Receives what has come, or finds that something was lost; false if neither.
    fn receive(&mut self, source: &Source<'_>, most: usize) -> Result<bool, Error> {
        // Before a gap one at a time, for the place.
        let most = if self.gaps.ahead.is_some() { 1 } else { most };
        let received = self.datagrams.receive(source.socket, most);
        self.place = Place::default();
        let found = match received {
            Err(netlink::Error::Overrun) => {
                self.gaps.overrun(source);
                true
            }
            Ok(0) => self.gaps.at_the_end(source),
            Ok(count) => {
                self.gaps.passed(source, count);
                true
            }
            Err(error) => return Err(error.into()),
        };
        self.received = now();
        Ok(found)
    }
}

impl Gaps {
    /// The kernel says that the buffer was full: what it holds comes before the gap.
    fn overrun(&mut self, source: &Source<'_>) {
        // If another is ahead still, its place was missed.
        self.behind = self.ahead.is_some();
        self.ahead = Some(source.socket.waiting().unwrap_or(u32::MAX));
        source.options.grow_buffer(source.socket);
        if self.ahead == Some(0) {
            self.ahead = None;
            self.behind = true;
        }
    }

    /// Datagrams were received. Before a gap the kernel holds less and less, and nothing comes in; so if
    /// it holds as much as before, or nothing, the gap is right behind.
    fn passed(&mut self, source: &Source<'_>, count: usize) {
        self.unseen += count;
        if let Some(before) = self.ahead {
            let holds = source.socket.waiting().unwrap_or(before.saturating_sub(1));
            self.behind = holds == 0 || holds >= before;
            self.ahead = (!self.behind).then_some(holds);
        } else if self.unseen >= LOOKS_EVERY {
            self.look(source);
        }
    }

    /// Nothing is left to receive; whether there is a gap here.
    fn at_the_end(&mut self, source: &Source<'_>) -> bool {
        if self.ahead.take().is_some() {
            self.behind = true;
        } else {
            self.look(source);
        }
        self.behind
    }

    /// Whether the kernel has counted losses of which it does not tell otherwise.
    fn look(&mut self, source: &Source<'_>) {
        self.unseen = 0;
        let counted = source.socket.dropped().unwrap_or(self.told);
        if counted != self.told && !source.socket.are_overruns_told().unwrap_or(true) {
            self.behind = true;
        }
    }

    /// What was lost since a gap was told.
    fn count(&mut self, source: &Source<'_>) -> Gap {
        let counted = source.socket.dropped().unwrap_or(self.told);
        let count = counted.wrapping_sub(self.told).into();
        self.told = counted;
        Gap { count, undelivered: source.options.is_reliable() }
    }
}

/// Nanoseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
