//! Arguments that cannot be.
#![forbid(unsafe_code)]

/// Why a value was not accepted, before the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// Addresses of IPv4 and IPv6 where all must have one family.
    #[error("IPv4 and IPv6 do not go together in one flow or filter")]
    Family,
}
