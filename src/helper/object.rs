//! A user-space helper, as C programs hold one.
#![forbid(unsafe_code)]

use super::policies::Policies;
use super::policy::{MOST, NAME_SIZE, store};
use crate::netlink::name::until_nul;

/// An attribute, numbered as `enum nfct_helper_attr_type` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attr {
    /// The name: a string of at most 15 bytes.
    Name,
    /// A number.
    Number(Number),
    /// The policy in this place of four.
    Policy(usize),
}

/// An attribute that is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Number {
    /// The queue that packets go to, 32 bits.
    Queue,
    /// The layer 3 protocol, 16 bits.
    L3Proto,
    /// The layer 4 protocol, 8 bits.
    L4Proto,
    /// Bytes of private data, 32 bits.
    PrivateLength,
    /// Whether it is enabled, 32 bits.
    Status,
}

/// A number that is none of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown;

/// The attributes of the numbers 0 to 9.
const TABLE: [Attr; 10] = [
    Attr::Name,
    Attr::Number(Number::Queue),
    Attr::Number(Number::L3Proto),
    Attr::Number(Number::L4Proto),
    Attr::Number(Number::PrivateLength),
    Attr::Policy(0),
    Attr::Policy(1),
    Attr::Policy(2),
    Attr::Policy(3),
    Attr::Number(Number::Status),
];

const _: () = assert!(TABLE.len() == MOST + 6);

impl TryFrom<u32> for Attr {
    type Error = Unknown;

    fn try_from(number: u32) -> Result<Self, Unknown> {
        TABLE.get(number as usize).copied().ok_or(Unknown)
    }
}

impl Number {
    /// Bytes of the value.
    #[must_use]
    pub fn width(self) -> usize {
        match self {
            Self::L4Proto => 1,
            Self::L3Proto => 2,
            _ => 4,
        }
    }
}

/// A user-space helper, empty when all its bytes are zero.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Helper {
    name: [u8; NAME_SIZE],
    /// What flows may expect.
    pub policies: Policies,
    queue: u32,
    private_length: u32,
    status: u32,
    l3proto: u16,
    l4proto: u8,
    /// Bit `n`: number `n` is set.
    present: u8,
    named: bool,
}

impl Helper {
    /// The name, without its NUL, as it was set last.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        until_nul(&self.name)
    }

    /// The name with its NUL, and the zeros behind it.
    #[must_use]
    pub fn name_in_room(&self) -> &[u8; NAME_SIZE] {
        &self.name
    }

    /// Whether it has a name.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// Sets the name: what is before a NUL, at most 15 bytes.
    pub fn set_name(&mut self, name: &[u8]) {
        store(&mut self.name, name);
        self.named = true;
    }

    /// Marks the name as not set; what it was stays to be read.
    pub fn unset_name(&mut self) {
        self.named = false;
    }

    /// A number, whether it is set or not; 0 at first.
    #[must_use]
    pub fn number(&self, of: Number) -> u32 {
        match of {
            Number::Queue => self.queue,
            Number::L3Proto => self.l3proto.into(),
            Number::L4Proto => self.l4proto.into(),
            Number::PrivateLength => self.private_length,
            Number::Status => self.status,
        }
    }

    /// A number, if it is set.
    #[must_use]
    pub fn get(&self, of: Number) -> Option<u32> {
        (self.present >> of as u8 & 1 != 0).then(|| self.number(of))
    }

    /// Sets a number; of one that is narrower the low bytes.
    pub fn set(&mut self, of: Number, value: u32) {
        match of {
            Number::Queue => self.queue = value,
            Number::L3Proto => self.l3proto = value as u16,
            Number::L4Proto => self.l4proto = value as u8,
            Number::PrivateLength => self.private_length = value,
            Number::Status => self.status = value,
        }
        self.present |= 1 << of as u8;
    }

    /// Where a number lies, as C has it.
    #[must_use]
    pub fn place(&self, of: Number) -> *const u8 {
        match of {
            Number::Queue => (&raw const self.queue).cast(),
            Number::L3Proto => (&raw const self.l3proto).cast(),
            Number::L4Proto => &raw const self.l4proto,
            Number::PrivateLength => (&raw const self.private_length).cast(),
            Number::Status => (&raw const self.status).cast(),
        }
    }
}
