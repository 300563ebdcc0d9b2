//! What a helper may expect: how many flows at once, and for how long.
#![forbid(unsafe_code)]

use super::object::Unknown;
use crate::netlink::name::{copy_name, until_nul};

/// Bytes of a name with its NUL, of helpers and their policies.
pub const NAME_SIZE: usize = 16;

/// The most policies of a helper.
pub const MOST: usize = 4;

/// Stores a name, and zeros behind it.
pub(super) fn store(name: &mut [u8; NAME_SIZE], text: &[u8]) {
    *name = [0; NAME_SIZE];
    copy_name(name, text);
}

/// An attribute of a policy, numbered as `enum nfct_helper_policy_attr_type` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PolicyAttr {
    /// The name: a string of at most 15 bytes.
    Name = 0,
    /// How long an expectation is kept, in seconds.
    Timeout = 1,
    /// How many expectations a flow may have at once.
    Max = 2,
}

impl TryFrom<u32> for PolicyAttr {
    type Error = Unknown;

    fn try_from(number: u32) -> Result<Self, Unknown> {
        [Self::Name, Self::Timeout, Self::Max].get(number as usize).copied().ok_or(Unknown)
    }
}

/// A policy: plain data, empty when all its bytes are zero. What is not set is sent as 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Policy {
    name: [u8; NAME_SIZE],
    /// How long an expectation is kept, in seconds.
    pub timeout: u32,
    /// How many expectations a flow may have at once.
    pub max: u32,
}

impl Policy {
    /// A policy of this name, for so many expectations at once, of so many seconds.
    #[must_use]
    pub fn new(name: &[u8], max: u32, timeout: u32) -> Self {
        let mut policy = Self { name: [0; NAME_SIZE], timeout, max };
        policy.set_name(name);
        policy
    }

    /// The name, without its NUL.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        until_nul(&self.name)
    }

    /// The name with its NUL, and the zeros behind it.
    #[must_use]
    pub fn name_in_room(&self) -> &[u8; NAME_SIZE] {
        &self.name
    }

    /// Sets the name: what is before a NUL, at most 15 bytes.
    pub fn set_name(&mut self, name: &[u8]) {
        store(&mut self.name, name);
    }

    /// The first four bytes, those of the name, as they lie in memory.
    #[must_use]
    pub fn first_bytes(&self) -> [u8; 4] {
        self.name.first_chunk().copied().unwrap_or_default()
    }
}
