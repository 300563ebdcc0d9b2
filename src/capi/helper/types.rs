//! The types that C sees: opaque objects, and the numbers C passes as enums.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use libc::c_uint;

/// A helper in user space: packets of its flows go to a queue, and what it expects has policies.
///
/// Made by nfct_helper_alloc(), released with nfct_helper_free().
pub struct nfct_helper {
    _private: [u8; 0],
}

/// A policy for the expectations of a helper: how many of a kind, for how long.
///
/// Made by nfct_helper_policy_alloc(), released with nfct_helper_policy_free().
pub struct nfct_helper_policy {
    _private: [u8; 0],
}

/// Any number where C has an `enum nfct_helper_attr_type`.
pub type RawHelperAttr = c_uint;
/// Any number where C has an `enum nfct_helper_policy_attr_type`.
pub type RawHelperPolicyAttr = c_uint;
