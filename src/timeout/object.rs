//! A timeout policy, as C programs hold one.
#![forbid(unsafe_code)]

use super::states::{self, MOST, Row};
use crate::netlink::name::{copy_name, until_nul};

/// Bytes of a name with its NUL.
pub const NAME_SIZE: usize = 32;

/// An attribute, numbered as `enum nfct_timeout_attr` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Attr {
    /// The name: a string of at most 31 bytes.
    Name = 0,
    /// The layer 3 protocol, 16 bits.
    L3Proto = 1,
    /// The layer 4 protocol, 8 bits.
    L4Proto = 2,
    /// The timeouts, which are set one by one.
    Policy = 3,
}

/// The attributes.
const ALL: [Attr; 4] = [Attr::Name, Attr::L3Proto, Attr::L4Proto, Attr::Policy];

/// A number that is none of an attribute, or of a state that the protocol has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown;

impl TryFrom<u32> for Attr {
    type Error = Unknown;

    fn try_from(number: u32) -> Result<Self, Unknown> {
        ALL.get(number as usize).copied().ok_or(Unknown)
    }
}

/// Slots of timeouts: of the states that libnetfilter_cttimeout knows, and of those it does not.
const SLOTS: usize = MOST + 2;

/// Where the timeout of a state lies: those that libnetfilter_cttimeout knows by their number, so that
/// its functions see nothing of others.
fn slot(row: &Row, state: usize) -> usize {
    if state < row.original { state } else { MOST + (state - row.original) }
}

/// A timeout policy: plain data, empty when all its bytes are zero.
///
/// It has room for the states of any protocol, so that a protocol that changes meanwhile finds its
/// own: values are kept by number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Timeout {
    name: [u8; NAME_SIZE],
    /// By [`slot`].
    values: [u32; SLOTS],
    /// Bit `n`: slot `n` was given a value. Bits stay when the policy is unset.
    given: u16,
    l3proto: u16,
    l4proto: u8,
    /// Bit `n`: attribute `n` is set.
    present: u8,
}

impl Timeout {
    /// Whether an attribute is set.
    #[must_use]
    pub fn has(&self, attr: Attr) -> bool {
        self.present >> attr as u8 & 1 != 0
    }

    fn mark(&mut self, attr: Attr) {
        self.present |= 1 << attr as u8;
    }

    /// Marks an attribute as not set; its value stays, as of states that are given one again.
    pub fn unset(&mut self, attr: Attr) {
        self.present &= !(1 << attr as u8);
    }

    /// The name, without its NUL, as it was set last.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        until_nul(&self.name)
    }

    /// Sets the name: what is before a NUL, at most 31 bytes.
    pub fn set_name(&mut self, name: &[u8]) {
        self.name = [0; NAME_SIZE];
        copy_name(&mut self.name, name);
        self.mark(Attr::Name);
    }

    /// The layer 3 protocol, `AF_*`.
    #[must_use]
    pub fn l3proto(&self) -> u16 {
        self.l3proto
    }

    /// Sets the layer 3 protocol.
    pub fn set_l3proto(&mut self, number: u16) {
        self.l3proto = number;
        self.mark(Attr::L3Proto);
    }

    /// The layer 4 protocol, `IPPROTO_*`.
    #[must_use]
    pub fn l4proto(&self) -> u8 {
        self.l4proto
    }

    /// Sets the layer 4 protocol.
    pub fn set_l4proto(&mut self, number: u8) {
        self.l4proto = number;
        self.mark(Attr::L4Proto);
    }

    /// Gives a state that libnetfilter_cttimeout knows its timeout, in seconds. Of a protocol without
    /// timeouts there is one, which is printed and never sent.
    ///
    /// # Errors
    /// [`Unknown`]: the protocol is not set, or has no such state.
    pub fn set_original(&mut self, state: u32, seconds: u32) -> Result<(), Unknown> {
        let known = states::printed(self.l4proto).original;
        if !self.has(Attr::L4Proto) || state as usize >= known {
            return Err(Unknown);
        }
        self.put(state as usize, seconds)?;
        self.mark(Attr::Policy);
        Ok(())
    }

    /// Gives a state of the protocol its timeout, in seconds.
    ///
    /// # Errors
    /// [`Unknown`]: the protocol has no such state.
    pub fn set(&mut self, state: usize, seconds: u32) -> Result<(), Unknown> {
        let row = states::of(self.l4proto).ok_or(Unknown)?;
        if state >= row.states.len() {
            return Err(Unknown);
        }
        self.put(slot(row, state), seconds)?;
        if state < row.original {
            self.mark(Attr::Policy);
        }
        Ok(())
    }

    fn put(&mut self, slot: usize, seconds: u32) -> Result<(), Unknown> {
        *self.values.get_mut(slot).ok_or(Unknown)? = seconds;
        self.given |= 1 << slot;
        Ok(())
    }

    /// The timeout of a state that libnetfilter_cttimeout knows, in seconds, whether it was given one or
    /// not; 0 at first.
    #[must_use]
    pub fn value(&self, state: usize) -> u32 {
        self.values.get(state).copied().unwrap_or(0)
    }

    /// The timeout of a state of the protocol, in seconds, if it was given one.
    #[must_use]
    pub fn given(&self, state: usize) -> Option<u32> {
        let row = states::of(self.l4proto)?;
        let slot = (state < row.states.len()).then(|| slot(row, state))?;
        let value = *self.values.get(slot)?;
        (self.given >> slot & 1 != 0).then_some(value)
    }

    /// Whether any state that libnetfilter_cttimeout knows was ever given a timeout.
    #[must_use]
    pub fn is_given_any(&self) -> bool {
        self.given & ((1 << MOST) - 1) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_the_protocol_lacks_is_refused() {
        let mut policy = Timeout::default();
        assert_eq!(policy.set_original(0, 5), Err(Unknown));
        for (protocol, states) in [(6, 11), (17, 2), (132, 7), (33, 7), (1, 1), (50, 1), (255, 1)] {
            policy.set_l4proto(protocol);
            assert_eq!(policy.set_original(states - 1, 5), Ok(()));
            assert_eq!(policy.set_original(states, 5), Err(Unknown));
            assert_eq!(policy.set_original(u32::MAX, 5), Err(Unknown));
        }
        assert_eq!((policy.set(1, 3), policy.given(99)), (Err(Unknown), None));
    }

    #[test]
    fn values_are_kept_by_number_when_the_protocol_changes() {
        let mut policy = Timeout::default();
        policy.set_l4proto(17);
        policy.set_original(0, 5).unwrap();
        policy.set_original(1, 6).unwrap();
        policy.set_l4proto(6);
        assert_eq!([0, 1, 2, 10].map(|state| policy.value(state)), [5, 6, 0, 0]);
        policy.set_original(10, 7).unwrap();
        assert_eq!((policy.given(10), policy.given(9)), (Some(7), None));
    }

    #[test]
    fn a_name_is_cut_to_its_room() {
        let mut policy = Timeout::default();
        policy.set_name(&[b'x'; 40]);
        assert_eq!(policy.name(), [b'x'; 31]);
        policy.set_name(b"a\0b");
        assert_eq!((policy.name(), &policy.name[1..]), (&b"a"[..], &[0; NAME_SIZE - 1][..]));
    }
}
