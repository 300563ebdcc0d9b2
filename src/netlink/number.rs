//! Numbers as messages have them.
#![forbid(unsafe_code)]

use std::time::Duration;

/// A 16-bit number; `None` of a value of another length.
#[inline(always)]
pub(crate) fn be16(value: &[u8]) -> Option<u16> {
    value.try_into().ok().map(u16::from_be_bytes)
}

/// A 32-bit number; `None` of a value of another length.
#[inline(always)]
pub(crate) fn be32(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_be_bytes)
}

/// A 64-bit number; `None` of a value of another length.
#[inline(always)]
pub(crate) fn be64(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}

/// Whole seconds, as many as make the duration at least.
pub(crate) fn seconds(duration: Duration) -> u32 {
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_timeout_is_shorter_than_asked() {
        for (millis, whole) in [(0, 0), (1, 1), (1000, 1), (1001, 2)] {
            assert_eq!(seconds(Duration::from_millis(millis)), whole);
        }
        assert_eq!(seconds(Duration::MAX), u32::MAX);
    }
}
