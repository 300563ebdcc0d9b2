//! The type that C sees.
#![allow(non_camel_case_types, reason = "it is spelled as C spells it")]

/// A timeout policy: how long flows of one protocol stay in each of its states.
///
/// Made by nfct_timeout_alloc(), released with nfct_timeout_free().
pub struct nfct_timeout {
    _private: [u8; 0],
}
