//! What can be listed.
#![forbid(unsafe_code)]

use crate::conntrack::error;
use crate::conntrack::expectation::seen::Expectation;
use crate::conntrack::flow::Flow;
use crate::conntrack::object::entry::{Conntrack, Flat, Tuple};
use crate::conntrack::object::expectation::Expect;
use crate::conntrack::wire::{Change, decode, expect, expectation};
use crate::netlink::message::Message;
use std::mem::offset_of;

/// Bytes of a tuple.
const TUPLE: usize = size_of::<Tuple>();
/// Bytes of the key of a flow: the original tuple with the zone of its direction, the zones of both
/// directions and of the other.
const FLOW_KEY: usize = TUPLE + 2 * size_of::<u16>();
/// Bytes of the key of an expectation: tuple, mask, the tuple of the master, and the id: the kernel
/// does not tell the zone, and what differs in that alone is no repetition.
const EXPECTATION_KEY: usize = 3 * TUPLE + size_of::<u32>();

/// Something that a message of a list is read into.
pub trait Listed {
    /// Its key.
    type Key: AsRef<[u8]>;

    /// Reads a message, in place of what it holds.
    ///
    /// # Errors
    /// [`error::Error::ForeignMessage`], [`error::Error::OutOfMemory`].
    fn read(&mut self, message: &Message<'_>) -> Result<(), error::Error>;

    /// What names it among what is listed, after `message` was read into it.
    fn key(&self, message: &Message<'_>) -> Self::Key;

    /// The flow that it is, if it is one.
    fn flow(&mut self) -> Option<&mut Conntrack> {
        None
    }
}

/// The bytes of an object's original tuple, which is its first field.
fn tuple(ct: &Conntrack) -> &[u8; TUPLE] {
    const { assert!(offset_of!(Flat, orig) == 0) };
    ct.flat.bytes().first_chunk().unwrap_or(&[0; TUPLE])
}

impl Listed for Conntrack {
    type Key = [u8; FLOW_KEY];

    fn read(&mut self, message: &Message<'_>) -> Result<(), error::Error> {
        self.reset();
        Change::of(message).ok_or(error::Error::ForeignMessage)?;
        decode::as_far_as_possible(self, message)
    }

    fn key(&self, _: &Message<'_>) -> Self::Key {
        let mut key = [0; FLOW_KEY];
        if let Some((to, [a, b, c, d])) = key.split_first_chunk_mut() {
            *to = *tuple(self);
            [*a, *b] = self.flat.zone.to_ne_bytes();
            [*c, *d] = self.flat.reply.zone.to_ne_bytes();
        }
        key
    }

    fn flow(&mut self) -> Option<&mut Conntrack> {
        Some(self)
    }
}

impl Listed for Flow {
    type Key = [u8; FLOW_KEY];

    fn read(&mut self, message: &Message<'_>) -> Result<(), error::Error> {
        self.0.read(message)
    }

    fn key(&self, message: &Message<'_>) -> Self::Key {
        self.0.key(message)
    }

    fn flow(&mut self) -> Option<&mut Conntrack> {
        Some(&mut self.0)
    }
}

impl Listed for Expect {
    type Key = [u8; EXPECTATION_KEY];

    fn read(&mut self, message: &Message<'_>) -> Result<(), error::Error> {
        *self = Self::default();
        Change::of(message).ok_or(error::Error::ForeignMessage)?;
        expect::decode(self, message.attributes(), message.family());
        Ok(())
    }

    fn key(&self, message: &Message<'_>) -> Self::Key {
        let id = expectation::id(message).unwrap_or(0).to_ne_bytes();
        let tuples = [&self.expected, &self.mask, &self.master].map(tuple);
        let mut key = [0; EXPECTATION_KEY];
        let fields = tuples.into_iter().flatten().chain(&id);
        key.iter_mut().zip(fields).for_each(|(to, from)| *to = *from);
        key
    }
}

/// An expectation of C, which has no place for its id.
#[cfg(feature = "capi")]
#[derive(Debug, Default)]
pub struct WithId {
    /// The expectation.
    pub expect: Expect,
    /// Its id.
    pub id: Option<u32>,
}

#[cfg(feature = "capi")]
impl Listed for WithId {
    type Key = [u8; EXPECTATION_KEY];

    fn read(&mut self, message: &Message<'_>) -> Result<(), error::Error> {
        self.expect.read(message)?;
        self.id = expectation::id(message);
        Ok(())
    }

    fn key(&self, message: &Message<'_>) -> Self::Key {
        self.expect.key(message)
    }
}

impl Listed for Expectation {
    type Key = [u8; EXPECTATION_KEY];

    fn read(&mut self, message: &Message<'_>) -> Result<(), error::Error> {
        self.object.read(message)?;
        self.id = expectation::id(message);
        Ok(())
    }

    fn key(&self, message: &Message<'_>) -> Self::Key {
        self.object.key(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::dump::watch::Watch;
    use crate::conntrack::dump::{Order, What};
    use crate::conntrack::new_flow::NewFlow;
    use crate::conntrack::tuple::Tuple;
    use crate::conntrack::values::Zone;
    use crate::conntrack::wire::query::Request;
    use std::net::SocketAddr;

    /// A message that tells of a flow.
    fn told(flow: &NewFlow) -> Vec<u8> {
        let mut buffer = [0; 512];
        let length = Request::Create(flow).build(&mut buffer, 1).unwrap();
        buffer[..length].to_vec()
    }

    /// Flows that differ in one part of their key.
    fn flows() -> Vec<NewFlow> {
        let ends = ["10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1", "[fc00::1]:1", "[fc00::2]:1"];
        let [one, port, host, v6, other] = ends.map(|end| end.parse::<SocketAddr>().unwrap());
        let udp = |from, to| Tuple::udp(from, to).unwrap();
        let plain = udp(one, host);
        let tuples = [plain, udp(port, host), udp(host, one), udp(one, port), udp(v6, other)];
        let ping = |id| Tuple::ping("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap(), id);
        let others = [Tuple::tcp(one, host), Tuple::udp_lite(one, host), ping(1), ping(2)];
        let zones = [Zone::from(1), Zone::from(2), Zone::original(1), Zone::reply(1)];
        let zones = zones.map(|zone| NewFlow::new(plain).zone(zone));
        let tuples = tuples.into_iter().chain(others.map(Result::unwrap)).map(NewFlow::new);
        tuples.chain(zones).collect()
    }

    #[test]
    fn a_flow_comes_twice_whatever_has_become_of_it_and_no_two_are_one() {
        let mut flow = Conntrack::new();
        let mut watch = Watch::of(&Order::of(What::Expectations));
        let mut come = |watch: &mut Watch, new: &NewFlow| {
            let bytes = told(new);
            let message = Message::first(&bytes).unwrap();
            flow.read(&message).unwrap();
            watch.note(|| flow.key(&message)).unwrap();
            watch.is_consistent()
        };
        for new in flows() {
            assert!(come(&mut watch, &new), "{new:?}");
        }
        for new in flows() {
            let mut again = Watch::of(&Order::of(What::Expectations));
            assert!(come(&mut again, &new) && !come(&mut again, &new.mark(7)));
        }
    }

    #[test]
    fn an_expectation_is_known_by_its_id_too() {
        let mut seen = Expectation::default();
        let mut watch = Watch::of(&Order::of(What::Expectations));
        let mut come = |id: u8| {
            let halves = [0x200, 2, 0, 0, 0, 0].map(u16::to_ne_bytes);
            let attribute = [8, 5].map(u16::to_ne_bytes);
            let length = 28_u32.to_ne_bytes();
            let bytes = [&length[..], halves.as_flattened(), &[2, 0, 0, 0]].concat();
            let bytes = [&bytes[..], attribute.as_flattened(), &[0, 0, 0, id]].concat();
            let message = Message::first(&bytes).unwrap();
            seen.read(&message).unwrap();
            watch.note(|| seen.key(&message)).unwrap();
            watch.is_consistent()
        };
        assert!(come(1) && come(2) && !come(1));
    }
}
