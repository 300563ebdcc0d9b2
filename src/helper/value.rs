//! User-space helpers as Rust programs have them.
#![forbid(unsafe_code)]

use super::object::{Helper, Number};
use super::policies::{OutOfMemory, Policies};
use super::policy::{MOST, NAME_SIZE, Policy};
use crate::error::{Error, Invalid};
use crate::netlink;
use crate::netlink::name::fits;
use crate::netlink::number::seconds;
use crate::protocol::{Family, Protocol};
use std::time::Duration;

/// A helper whose work a program does: packets of its flows go to a queue of `NFQUEUE`, and the program
/// says what they expect.
///
/// ```
/// use ctrs::{Family, Protocol, UserHelper};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), ctrs::Error> {
/// let helper = UserHelper::new("ftp", Family::Ipv4, Protocol::Tcp, 3)?
///     .policy("data", 1, Duration::from_secs(300))?;
/// assert_eq!((helper.name(), helper.queue()), (&b"ftp"[..], 3));
/// assert_eq!(helper.policies().next(), Some((&b"data"[..], 1, Duration::from_secs(300))));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct UserHelper {
    object: Helper,
}

impl UserHelper {
    /// A helper of this name, that is enabled, for flows of this family and protocol.
    ///
    /// # Errors
    /// [`Invalid::Name`]: the name is empty, has more than 15 bytes, or a NUL.
    pub fn new(name: &str, family: Family, protocol: Protocol, queue: u32) -> Result<Self, Error> {
        let mut object = Helper::default();
        object.set_name(checked_name(name)?);
        object.set(Number::L3Proto, family.number().into());
        object.set(Number::L4Proto, protocol.number().into());
        object.set(Number::Queue, queue);
        object.set(Number::PrivateLength, 0);
        object.set(Number::Status, 1);
        Ok(Self { object })
    }

    pub(super) fn read(object: Helper) -> Self {
        Self { object }
    }

    pub(super) fn object(&self) -> &Helper {
        &self.object
    }

    /// With a policy more: what it is called, how many of such expectations a flow may have at once,
    /// and for how long, rounded up to seconds. The kernel wants one to four.
    ///
    /// # Errors
    /// [`Invalid::Name`]; [`Invalid::Argument`]: there are four already.
    pub fn policy(mut self, name: &str, max: u32, timeout: Duration) -> Result<Self, Error> {
        let policy = Policy::new(checked_name(name)?, max, seconds(timeout));
        let mut all: [Option<Policy>; MOST] =
            std::array::from_fn(|place| self.object.policies.get(place).copied());
        let free = all.iter_mut().find(|place| place.is_none());
        *free.ok_or(Invalid::Argument("a helper has at most four policies"))? = Some(policy);
        let made = Policies::copies(&all);
        self.object.policies = made.map_err(|OutOfMemory| netlink::Error::OutOfMemory)?;
        Ok(self)
    }

    /// With this many bytes of private data for each flow.
    pub fn private_length(mut self, bytes: u32) -> Self {
        self.object.set(Number::PrivateLength, bytes);
        self
    }

    /// Enabled, or not.
    pub fn enabled(mut self, on: bool) -> Self {
        self.object.set(Number::Status, on.into());
        self
    }

    /// The name, as bytes.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.object.name()
    }

    /// The family; `None` of a number that is none.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        Family::of(self.object.number(Number::L3Proto))
    }

    /// The protocol.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        (self.object.number(Number::L4Proto) as u8).into()
    }

    /// The queue that packets go to.
    #[must_use]
    pub fn queue(&self) -> u32 {
        self.object.number(Number::Queue)
    }

    /// Whether it is enabled.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.object.number(Number::Status) != 0
    }

    /// The policies: name, how many at once, and for how long.
    pub fn policies(&self) -> impl Iterator<Item = (&[u8], u32, Duration)> {
        let told = |policy: &Policy| Duration::from_secs(policy.timeout.into());
        self.object.policies.iter().map(move |(_, it)| (it.name(), it.max, told(it)))
    }
}

/// A name that a helper or a policy can have.
pub(super) fn checked_name(name: &str) -> Result<&[u8], Invalid> {
    let name = name.as_bytes();
    if fits(name, NAME_SIZE) { Ok(name) } else { Err(Invalid::Name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_has_up_to_four_policies() {
        let mut helper = UserHelper::new("h", Family::Ipv6, Protocol::Udp, 0).unwrap();
        for name in ["a", "b", "c", "d"] {
            helper = helper.policy(name, 8, Duration::from_millis(29_001)).unwrap();
        }
        assert!(helper.policies().all(|policy| policy.2 == Duration::from_secs(30)));
        let names: Vec<_> = helper.policies().map(|policy| policy.0).collect();
        assert_eq!(names, [b"a", b"b", b"c", b"d"]);
        assert!(helper.policy("e", 1, Duration::ZERO).is_err());
        assert!(UserHelper::new("0123456789abcdef", Family::Ipv4, Protocol::Tcp, 0).is_err());
    }
}
