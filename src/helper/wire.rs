//! User-space helpers in messages.
#![forbid(unsafe_code)]

use super::object::{Helper, Number};
use super::policies::{OutOfMemory, Policies};
use super::policy::{MOST, Policy};
use crate::netlink;
use crate::netlink::builder::Builder;
use crate::netlink::message::Attributes;
use crate::netlink::number::be32;
use crate::uapi::helper as nfcth;

/// Appends what is set of a helper to a message. Of the tuple either both are sent or none.
pub fn build(to: &mut Builder<'_>, helper: &Helper) {
    if helper.is_named() {
        to.put_text(nfcth::NAME, helper.name());
    }
    put(to, nfcth::QUEUE_NUM, helper.get(Number::Queue));
    put(to, nfcth::PRIV_DATA_LEN, helper.get(Number::PrivateLength));
    if [Number::L3Proto, Number::L4Proto].iter().any(|number| helper.get(*number).is_some()) {
        let nest = to.begin(nfcth::TUPLE);
        to.put_be16(nfcth::TUPLE_L3PROTONUM, helper.number(Number::L3Proto) as u16);
        to.put_u8(nfcth::TUPLE_L4PROTONUM, helper.number(Number::L4Proto) as u8);
        to.end(nest);
    }
    policies(to, &helper.policies);
    put(to, nfcth::STATUS, helper.get(Number::Status));
}

fn put(to: &mut Builder<'_>, kind: u16, value: Option<u32>) {
    if let Some(value) = value {
        to.put_be32(kind, value);
    }
}

/// The policies, each as the set of its place, and behind them how many there are.
fn policies(to: &mut Builder<'_>, policies: &Policies) {
    let count = policies.iter().count() as u32;
    if count == 0 {
        return;
    }
    let nest = to.begin(nfcth::POLICY);
    for (place, policy) in policies.iter() {
        let set = to.begin(nfcth::POLICY_SET1 + place as u16);
        to.put_text(nfcth::SET_NAME, policy.name());
        to.put_be32(nfcth::SET_EXPECT_MAX, policy.max);
        to.put_be32(nfcth::SET_EXPECT_TIMEOUT, policy.timeout);
        to.end(set);
    }
    to.put_be32(nfcth::POLICY_SET_NUM, count);
    to.end(nest);
}

/// Why a message was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// It lacks the name, the queue, the tuple, the policies or the status.
    Incomplete,
    /// No memory was left for its policies.
    OutOfMemory,
}

impl From<OutOfMemory> for Error {
    fn from(OutOfMemory: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl From<Error> for crate::error::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Incomplete => netlink::Error::NoMessage.into(),
            Error::OutOfMemory => netlink::Error::OutOfMemory.into(),
        }
    }
}

/// What a message has, as it lies there; the last counts of what comes twice.
#[derive(Default)]
struct Told<'a> {
    name: Option<&'a [u8]>,
    queue: Option<u32>,
    private_length: Option<u32>,
    tuple: Option<&'a [u8]>,
    policy: Option<&'a [u8]>,
    status: Option<u32>,
}

impl<'a> Told<'a> {
    /// Attributes of another length than theirs are passed over.
    fn read(attributes: &'a [u8]) -> Self {
        let mut told = Self::default();
        for attribute in Attributes::new(attributes) {
            let value = attribute.value;
            match (attribute.kind, value.len()) {
                (nfcth::NAME, 1..) => told.name = Some(value),
                (nfcth::QUEUE_NUM, 4) => told.queue = be32(value),
                (nfcth::PRIV_DATA_LEN, 4) => told.private_length = be32(value),
                (nfcth::TUPLE, 0 | 4..) => told.tuple = Some(value),
                (nfcth::POLICY, 0 | 4..) => told.policy = Some(value),
                (nfcth::STATUS, 4) => told.status = be32(value),
                _ => {}
            }
        }
        told
    }
}

/// Reads the attributes of a message into a helper. The message's policies take the place of those
/// that the helper had; of what it does not mention the rest stays.
///
/// # Errors
/// [`Error`]; the helper is as it was.
pub fn parse(helper: &mut Helper, attributes: &[u8]) -> Result<(), Error> {
    let Told { name, queue, private_length, tuple, policy, status } = Told::read(attributes);
    let (Some(name), Some(queue), Some(tuple), Some(policy), Some(status)) =
        (name, queue, tuple, policy, status)
    else {
        return Err(Error::Incomplete);
    };
    helper.policies = Policies::copies(&read_policies(policy))?;
    helper.set_name(name);
    helper.set(Number::Queue, queue);
    read_tuple(helper, tuple);
    if let Some(length) = private_length {
        helper.set(Number::PrivateLength, length);
    }
    helper.set(Number::Status, status);
    Ok(())
}

fn read_tuple(helper: &mut Helper, tuple: &[u8]) {
    for member in Attributes::new(tuple) {
        match (member.kind, member.value) {
            (nfcth::TUPLE_L3PROTONUM, &[high, low]) => {
                helper.set(Number::L3Proto, u16::from_be_bytes([high, low]).into());
            }
            (nfcth::TUPLE_L4PROTONUM, &[number]) => helper.set(Number::L4Proto, number.into()),
            _ => {}
        }
    }
}

/// The policies of as many sets as the message says it has, from the first; where one is missing the
/// next takes its place.
fn read_policies(nest: &[u8]) -> [Option<Policy>; MOST] {
    let mut sets = [None; MOST];
    let mut count = 0;
    for member in Attributes::new(nest) {
        let set = usize::from(member.kind).checked_sub(usize::from(nfcth::POLICY_SET1));
        if let (nfcth::POLICY_SET_NUM, Some(number)) = (member.kind, be32(member.value)) {
            count = number as usize;
        } else if let Some(slot) = set.and_then(|set| sets.get_mut(set)) {
            *slot = Some(member.value);
        }
    }
    let mut policies = [None; MOST];
    let told = sets.iter().take(count).flatten();
    policies.iter_mut().zip(told).for_each(|(place, set)| *place = Some(read_set(set)));
    policies
}

fn read_set(set: &[u8]) -> Policy {
    let mut policy = Policy::default();
    for member in Attributes::new(set) {
        match (member.kind, be32(member.value)) {
            (nfcth::SET_NAME, _) => policy.set_name(member.value),
            (nfcth::SET_EXPECT_MAX, Some(max)) => policy.max = max,
            (nfcth::SET_EXPECT_TIMEOUT, Some(timeout)) => policy.timeout = timeout,
            _ => {}
        }
    }
    policy
}
