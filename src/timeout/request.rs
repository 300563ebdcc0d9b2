//! The requests about timeout policies and defaults.
#![forbid(unsafe_code)]

use super::object::Timeout;
use super::states;
use super::wire::{self, Known};
use crate::connection::Ask;
use crate::error::{Error, Invalid, RequestKind};
use crate::facts::ticks;
use crate::netlink::builder::{ACK, Builder, CREATE, DUMP, Header};
use crate::uapi::timeout as cta;

/// A request before it is built.
#[derive(Debug, Clone, Copy)]
pub enum Request<'a> {
    /// To create a policy, whose name must be new.
    Create(&'a Timeout),
    /// To create a policy, or to put it in place of the one that has its name, family and protocol.
    Replace(&'a Timeout),
    /// For the policy of this name.
    Get(&'a [u8]),
    /// To delete the policy of this name.
    Delete(&'a [u8]),
    /// To delete the policies that no rule uses.
    Flush,
    /// For all policies.
    List,
    /// For the defaults of a protocol.
    GetDefaults(u8),
    /// To set some of them.
    SetDefaults(&'a Timeout),
}

impl Request<'_> {
    /// What it asks, the number of its message, its flags.
    fn header(&self) -> (RequestKind, u8, u16) {
        let replace = CREATE | libc::NLM_F_REPLACE as u16;
        match self {
            Self::Create(_) => {
                (RequestKind::CreateTimeoutPolicy, cta::MSG_NEW, CREATE | libc::NLM_F_EXCL as u16)
            }
            Self::Replace(_) => (RequestKind::ReplaceTimeoutPolicy, cta::MSG_NEW, replace),
            Self::Get(_) => (RequestKind::GetTimeoutPolicy, cta::MSG_GET, ACK),
            Self::Delete(_) => (RequestKind::DeleteTimeoutPolicy, cta::MSG_DELETE, ACK),
            Self::Flush => (RequestKind::FlushTimeoutPolicies, cta::MSG_DELETE, ACK),
            Self::List => (RequestKind::ListTimeoutPolicies, cta::MSG_GET, DUMP),
            Self::GetDefaults(_) => (RequestKind::GetDefaultTimeouts, cta::MSG_DEFAULT_GET, ACK),
            Self::SetDefaults(_) => (RequestKind::SetDefaultTimeouts, cta::MSG_DEFAULT_SET, ACK),
        }
    }

    fn append(&self, to: &mut Builder<'_>) -> Result<(), Invalid> {
        match *self {
            Self::Create(policy) | Self::Replace(policy) | Self::SetDefaults(policy) => {
                check(policy)?;
                wire::build(to, policy, Known::All);
            }
            Self::Get(name) | Self::Delete(name) => to.put_text(cta::NAME, name),
            Self::Flush | Self::List => {}
            Self::GetDefaults(protocol) => {
                // The kernel wants one, and answers with it; it has defaults for both families.
                to.put_be16(cta::L3PROTO, libc::AF_INET as u16);
                to.put_u8(cta::L4PROTO, protocol);
            }
        }
        Ok(())
    }
}

/// The kernel counts ticks in 32 bits, and takes more seconds than fit for fewer.
fn check(policy: &Timeout) -> Result<(), Invalid> {
    let Some(most) = ticks::per_second().map(|ticks| u32::MAX / ticks) else { return Ok(()) };
    let states = states::of(policy.l4proto()).map_or(0, |row| row.states.len());
    let fits = (0..states).all(|state| policy.given(state).is_none_or(|it| it <= most));
    if fits { Ok(()) } else { Err(Invalid::TimeoutTooLong(most)) }
}

impl Ask for Request<'_> {
    fn kind(&self) -> RequestKind {
        self.header().0
    }

    fn is_dump(&self) -> bool {
        matches!(self, Self::List)
    }

    fn build(&self, buffer: &mut [u8], seq: u32) -> Result<usize, Error> {
        let (_, number, flags) = self.header();
        let mut to = Builder::message(buffer, Header::of(cta::SUBSYS, number, flags, seq));
        self.append(&mut to)?;
        Ok(to.finish()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_that_the_kernel_would_shorten_is_refused() {
        let mut policy = Timeout::default();
        policy.set_l4proto(17);
        let most = u32::MAX / ticks::per_second().unwrap();
        let mut buffer = [0; 256];
        for (seconds, fits) in [(0, true), (most, true), (most + 1, false), (u32::MAX, false)] {
            policy.set(1, seconds).unwrap();
            for request in [Request::Create(&policy), Request::SetDefaults(&policy)] {
                assert_eq!(request.build(&mut buffer, 1).is_ok(), fits, "{seconds}");
            }
        }
    }

    #[test]
    fn a_policy_without_timeouts_has_room_for_them() {
        let mut policy = Timeout::default();
        policy.set_name(b"a");
        policy.set_l3proto(2);
        policy.set_l4proto(6);
        let mut buffer = [0; 256];
        let length = Request::Create(&policy).build(&mut buffer, 1).unwrap();
        // The kernel wants the nest, empty or not.
        assert_eq!(length, 20 + 8 + 8 + 8 + 4);
    }
}
