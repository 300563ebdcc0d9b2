//! An expectation to be created.
#![forbid(unsafe_code)]

use super::ExpectationFlags;
use super::pattern::Pattern;
use crate::conntrack::tuple::Tuple;
use crate::conntrack::values::{Direction, canonical};
use crate::invalid::Invalid;
use crate::netlink::name::fits;
use std::net::SocketAddr;

/// Bytes of the longest name of a function.
const FUNCTION_MAX: usize = 23;

/// An expectation to be created: that a flow comes which belongs to another one.
///
/// How long it lasts is the helper's business: its policy says so.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{NewExpectation, Pattern, Tuple};
/// use std::net::SocketAddr;
///
/// let [client, server, passive]: [SocketAddr; 3] =
///     ["192.0.2.1:40000".parse()?, "198.51.100.7:21".parse()?, "198.51.100.7:40001".parse()?];
/// let control = Tuple::tcp(client, server)?;
/// let data = Pattern::from(Tuple::tcp(client, passive)?).any_source_port();
/// let expectation = NewExpectation::new(control, data).permanent();
/// let translated = expectation.nat(passive, ctrs::Direction::Original)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "Expectations::create creates it"]
pub struct NewExpectation {
    pub(crate) master: Tuple,
    pub(crate) expected: Pattern,
    pub(crate) zone: u16,
    pub(crate) class: u32,
    pub(crate) flags: ExpectationFlags,
    pub(crate) nat: Option<(Tuple, Direction)>,
    pub(crate) function: Option<String>,
}

impl NewExpectation {
    /// That a flow comes which belongs to the one with the original tuple `master`, which has a
    /// helper.
    pub fn new(master: Tuple, expected: impl Into<Pattern>) -> Self {
        Self {
            master,
            expected: expected.into(),
            zone: 0,
            class: 0,
            flags: ExpectationFlags::empty(),
            nat: None,
            function: None,
        }
    }

    /// In this zone, which the master is in too.
    pub fn zone(self, zone: u16) -> Self {
        Self { zone, ..self }
    }

    /// Of this class of the helper's policy.
    pub fn class(self, class: u32) -> Self {
        Self { class, ..self }
    }

    /// It stays when a flow meets it, for the next one.
    pub fn permanent(self) -> Self {
        Self { flags: self.flags | ExpectationFlags::PERMANENT, ..self }
    }

    /// It is not met by any flow.
    pub fn inactive(self) -> Self {
        Self { flags: self.flags | ExpectationFlags::INACTIVE, ..self }
    }

    /// What the [`function`](Self::function) of the expected flow is to translate with, and the
    /// direction of the master that the flow comes from.
    ///
    /// # Errors
    /// [`Invalid::Family`]: the address is not of the expected flow's family.
    pub fn nat(self, to: impl Into<SocketAddr>, direction: Direction) -> Result<Self, Invalid> {
        let to = to.into();
        let (address, expected) = (canonical(to.ip()), self.expected.tuple());
        if address.is_ipv4() != expected.is_ipv4() {
            return Err(Invalid::Family);
        }
        let nat = expected.with_source(address, to.port());
        Ok(Self { nat: Some((nat, direction)), ..self })
    }

    /// What is done to the flow that meets it: a function that the kernel has registered, as
    /// `nat-follow-master`.
    ///
    /// # Errors
    /// [`Invalid::Name`]: the name is empty, has more than 23 bytes, or a NUL.
    pub fn function(self, name: &str) -> Result<Self, Invalid> {
        if !fits(name.as_bytes(), FUNCTION_MAX + 1) {
            return Err(Invalid::Name);
        }
        Ok(Self { function: Some(name.to_owned()), ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(from: &str, to: &str) -> NewExpectation {
        let ends: [SocketAddr; 2] = [from, to].map(|end| end.parse().unwrap());
        let tuple = Tuple::tcp(ends[0], ends[1]).unwrap();
        NewExpectation::new(tuple, tuple)
    }

    #[test]
    fn nat_has_the_family_of_the_flow() {
        let [v4, v6, mapped]: [SocketAddr; 3] =
            ["10.0.0.9:9", "[fc00::9]:9", "[::ffff:10.0.0.9]:9"].map(|end| end.parse().unwrap());
        let one = new("10.0.0.1:1", "10.0.0.2:2");
        assert_eq!(one.clone().nat(v6, Direction::Reply), Err(Invalid::Family));
        let translated = one.clone().nat(v4, Direction::Reply).unwrap();
        let (tuple, direction) = translated.nat.unwrap();
        assert_eq!((tuple.source_socket(), direction), (Some(v4), Direction::Reply));
        assert_eq!(one.nat(mapped, Direction::Reply).unwrap(), translated);
        let other = new("[fc00::1]:1", "[fc00::2]:2");
        assert!(other.clone().nat(v6, Direction::Original).is_ok());
        assert_eq!(other.nat(v4, Direction::Original), Err(Invalid::Family));
    }

    #[test]
    fn a_function_has_a_name() {
        let one = new("10.0.0.1:1", "10.0.0.2:2");
        assert!(one.clone().function("nat-follow-master").is_ok());
        assert!(one.clone().function(&"x".repeat(23)).is_ok());
        for name in ["", "a\0b", &"x".repeat(24)] {
            assert_eq!(one.clone().function(name), Err(Invalid::Name), "{name:?}");
        }
    }
}
