//! A request that was refused, read for the cause.
#![forbid(unsafe_code)]

use crate::conntrack::object::icmp::{NO_REPLY, reply_type};
use crate::facts::privilege::{self, Held};
use crate::facts::{module, sysctl};
use crate::netlink::ack::Said;
use crate::netlink::message::{Attributes, Message};
use crate::netlink::name::until_nul;
use crate::netlink::socket::Socket;
use crate::uapi::cta;

/// A request as it was sent, and what is known beside its refusal.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The message.
    pub request: &'a [u8],
    /// What the kernel said.
    pub said: Option<&'a Said>,
    /// The socket it was sent through, if that can be asked still.
    pub socket: Option<&'a Socket>,
}

impl<'a> Asked<'a> {
    /// The message, with its header.
    pub(super) fn message(&self) -> Option<Message<'a>> {
        Message::first(self.request)
    }

    /// The value of an attribute at the top of the request.
    pub(super) fn value(&self, kind: u16) -> Option<&'a [u8]> {
        find(self.message()?.attributes(), kind)
    }

    /// Whether the request has an attribute.
    pub(super) fn has(&self, kind: u16) -> bool {
        self.value(kind).is_some()
    }

    /// A number in network order.
    pub(super) fn number(&self, kind: u16) -> Option<u32> {
        self.value(kind)?.first_chunk().copied().map(u32::from_be_bytes)
    }

    /// A member of the state of the flow's protocol.
    pub(super) fn state(&self, protocol: u16) -> Option<&'a [u8]> {
        find(self.value(cta::PROTOINFO)?, protocol)
    }

    /// The name of the helper.
    pub(super) fn helper(&self) -> Option<&'a str> {
        let name = find(self.value(cta::HELP)?, cta::HELP_NAME)?;
        std::str::from_utf8(until_nul(name)).ok()
    }

    /// The layer 4 protocol of a tuple.
    pub(super) fn protocol(&self, tuple: u16) -> Option<u8> {
        self.layer4(tuple, cta::PROTO_NUM)
    }

    fn layer4(&self, tuple: u16, member: u16) -> Option<u8> {
        find(find(self.value(tuple)?, cta::TUPLE_PROTO)?, member)?.first().copied()
    }

    /// Whether a tuple of ICMP has a type that the kernel does not track.
    pub(super) fn is_no_query(&self, tuple: u16) -> bool {
        let (family, member) = match self.protocol(tuple).map(i32::from) {
            Some(libc::IPPROTO_ICMP) => (libc::AF_INET, cta::PROTO_ICMP_TYPE),
            Some(libc::IPPROTO_ICMPV6) => (libc::AF_INET6, cta::PROTO_ICMPV6_TYPE),
            _ => return false,
        };
        self.layer4(tuple, member).is_some_and(|kind| reply_type(family as u8, kind) == NO_REPLY)
    }

    /// Whether a tuple lacks the addresses of the request's family.
    pub(super) fn is_of_another_family(&self, tuple: u16) -> bool {
        let Some(tuple) = self.value(tuple) else { return false };
        let (source, destination) = match self.family() {
            Some(libc::AF_INET6) => (cta::IP_V6_SRC, cta::IP_V6_DST),
            _ => (cta::IP_V4_SRC, cta::IP_V4_DST),
        };
        let addresses = find(tuple, cta::TUPLE_IP).unwrap_or_default();
        [source, destination].iter().any(|address| find(addresses, *address).is_none())
    }

    /// The address family.
    pub(super) fn family(&self) -> Option<i32> {
        self.message().map(|message| message.family().into())
    }

    /// The group of logged packets.
    pub(super) fn group(&self) -> Option<u16> {
        self.message().map(|message| message.resource())
    }

    /// In how many places a zone is given.
    pub(super) fn zones(&self) -> usize {
        let tuples = [cta::TUPLE_ORIG, cta::TUPLE_REPLY].map(|tuple| self.value(tuple));
        let of_one = |tuple: &&[u8]| find(tuple, cta::TUPLE_ZONE).is_some();
        tuples.iter().flatten().filter(|tuple| of_one(tuple)).count()
            + usize::from(self.has(cta::ZONE))
    }

    /// The flags of a filter of tuples, those of the original and of the reply direction.
    pub(super) fn filter_flags(&self) -> [u32; 2] {
        let nest = self.value(cta::FILTER).unwrap_or_default();
        [cta::FILTER_ORIG_FLAGS, cta::FILTER_REPLY_FLAGS].map(|member| {
            let flags = find(nest, member).and_then(|flags| flags.first_chunk().copied());
            flags.map_or(0, u32::from_ne_bytes)
        })
    }

    /// The number of the attribute that the kernel points at.
    pub(super) fn pointed_at(&self) -> Option<u16> {
        let said = self.said?;
        said.attribute(self.request).or_else(|| u16::try_from(said.missing?).ok())
    }

    /// Whether this thread may make requests through the socket.
    pub(super) fn privilege(&self) -> Option<Held> {
        privilege::held_for(self.socket?)
    }

    /// Flows in the table, and the most it takes.
    pub(super) fn table(&self) -> Option<(u64, u64)> {
        match sysctl::of(self.socket?, [sysctl::COUNT, sysctl::MAX]) {
            [Some(count), Some(max)] => Some((count, max)),
            _ => None,
        }
    }

    /// Whether the helper's module is loaded.
    pub(super) fn helper_module(&self) -> Option<bool> {
        module::helper(self.helper()?)
    }
}

/// An attribute of one level.
pub(super) fn find(attributes: &[u8], kind: u16) -> Option<&[u8]> {
    Attributes::new(attributes).find(|attribute| attribute.kind == kind).map(|it| it.value)
}
