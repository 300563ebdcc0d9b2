//! What is known of an error beyond its number.
#![forbid(unsafe_code)]

use super::RequestKind;
use super::advice;
use super::asked::Asked;
use super::blame::{self, Blame};
use super::fact::Fact;
use crate::netlink::ack::Said;

/// What the kernel said, what the request shows, and what was looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Details {
    /// What the kernel said.
    pub said: Option<Said>,
    /// The attribute that is to blame.
    pub blame: Option<Blame>,
    /// The cause.
    pub cause: Option<&'static str>,
    /// What was found.
    pub fact: Option<Fact>,
}

impl Details {
    /// Of a refusal.
    pub fn of_refusal(request: Option<RequestKind>, errno: i32, asked: &Asked<'_>) -> Self {
        let pointed_at =
            asked.pointed_at().and_then(|attribute| blame::of_kernel(request, attribute));
        let said = asked.said.copied();
        // The kernel's own words are no guess.
        let found = match pointed_at {
            Some(_) => None,
            None => advice::refused(request, errno, Some(asked)),
        };
        Self {
            said,
            blame: pointed_at.or_else(|| found.and_then(|(cause, _)| cause.1)),
            cause: found.map(|(cause, _)| cause.2),
            fact: found.and_then(|(_, look)| look.up(Some(asked))),
        }
    }

    /// Of a system call's failure; `None` if there is nothing to say.
    pub fn of_failure(call: &str, errno: i32) -> Option<Self> {
        let (cause, look) = advice::failed(call, errno)?;
        let fact = look.up(None)?;
        Some(Self { said: None, blame: None, cause: Some(cause), fact: Some(fact) })
    }
}

/// Details in memory of their own, which nearly no error takes.
#[derive(PartialEq, Eq)]
pub(super) struct Kept(Option<Box<[Details; 1]>>);

impl Kept {
    pub const NOTHING: Self = Self(None);

    /// Keeps details; where there is no memory, an error does without.
    pub fn new(details: Details) -> Self {
        let mut one = Vec::new();
        if one.try_reserve_exact(1).is_err() {
            return Self::NOTHING;
        }
        one.push(details);
        Self(one.into_boxed_slice().try_into().ok())
    }

    pub fn get(&self) -> Option<&Details> {
        self.0.as_deref().map(|[details]| details)
    }
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        self.get().copied().map_or(Self::NOTHING, Self::new)
    }
}
