//! Expectations as a Rust program says them: what a helper has read in a flow that another flow is
//! about to come.
#![forbid(unsafe_code)]

pub mod create;
pub mod key;
pub mod pattern;
pub mod seen;

bitflags::bitflags! {
    /// What else holds for an expectation.
    ///
    /// ```
    /// use ctrs::{Expectation, ExpectationFlags};
    ///
    /// let for_once = |seen: &Expectation| !seen.flags().contains(ExpectationFlags::PERMANENT);
    /// assert!(for_once(&Expectation::default()));
    /// ```
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
    pub struct ExpectationFlags: u32 {
        /// It stays when a flow meets it, for the next one.
        const PERMANENT = 1;
        /// It is not met by any flow, until it is made anew.
        const INACTIVE = 2;
        /// A program made it. The kernel sets this itself.
        const USERSPACE = 4;
    }
}
