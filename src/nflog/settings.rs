//! What a group of logged packets is told: what of each packet, and when.
#![forbid(unsafe_code)]

use super::config::{BUFFER_SIZES, Setting};
use crate::error::Invalid;
use crate::uapi::nful;
use std::ops::Deref;
use std::time::Duration;

/// What of each packet the kernel copies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum CopyMode {
    /// What it knows of the packet, and nothing of it.
    Meta,
    /// The packet, up to 65,531 bytes of it.
    #[default]
    Packet,
    /// The packet up to so many bytes. A rule may take less (`snaplen`, `--nflog-size`); how long the
    /// packet was, its own header says.
    Range(u32),
}

bitflags::bitflags! {
    /// What the kernel adds to each packet of a group.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct LogFlags: u16 {
        /// A number in the group, from 0 on: what is missing was lost.
        const SEQ = nful::CFG_F_SEQ;
        /// A number in the network namespace, from 1 on, of all groups that have this flag.
        const GLOBAL = nful::CFG_F_SEQ_GLOBAL;
        /// Its entry of the flow table, if it has one. Many kernels are built without this, and refuse
        /// it.
        const CONNTRACK = nful::CFG_F_CONNTRACK;
    }
}

/// How packets of a group are logged. What is not said is as it was; of a new group: whole packets,
/// handed out a hundred at once, or as many as fit 3,776 bytes, or after a second; without flags.
///
/// ```
/// use ctrs::{CopyMode, LogFlags, LogSettings};
/// use std::time::Duration;
///
/// let headers_at_once = LogSettings::new()
///     .copy(CopyMode::Range(128))
///     .threshold(1)
///     .flags(LogFlags::SEQ);
/// let many_at_once = LogSettings::new().buffer(131_072).threshold(1000).timeout(Duration::from_secs(1));
/// # let _ = (headers_at_once, many_at_once);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct LogSettings {
    copy: Option<CopyMode>,
    buffer: Option<u32>,
    timeout: Option<Duration>,
    threshold: Option<u32>,
    flags: Option<LogFlags>,
}

impl LogSettings {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What of each packet is copied.
    pub fn copy(self, mode: CopyMode) -> Self {
        Self { copy: Some(mode), ..self }
    }

    /// Bytes that the kernel collects at most before it hands packets out, 3,776 to 131,072. (The least
    /// is what a page holds: of larger pages than 4 KiB, more.) One packet may be longer.
    pub fn buffer(self, bytes: u32) -> Self {
        Self { buffer: Some(bytes), ..self }
    }

    /// How long the kernel collects, from the first packet on; in steps of 10 ms, rounded up. A change
    /// counts from the next packet on that is the first.
    pub fn timeout(self, time: Duration) -> Self {
        Self { timeout: Some(time), ..self }
    }

    /// How many packets the kernel collects at most; 0 and 1 hand out each by itself. A rule may say less
    /// (`queue-threshold`, `--nflog-threshold`).
    pub fn threshold(self, packets: u32) -> Self {
        Self { threshold: Some(packets), ..self }
    }

    /// What is added to each packet, and nothing else.
    pub fn flags(self, flags: LogFlags) -> Self {
        Self { flags: Some(flags), ..self }
    }

    /// What is said, as the kernel is told.
    pub(super) fn told(&self) -> Result<Told, Invalid> {
        let said = [
            self.copy.map(CopyMode::setting).transpose()?,
            self.buffer.map(buffer).transpose()?,
            self.timeout.map(timeout).transpose()?,
            self.threshold.map(Setting::Threshold),
            self.flags.map(|flags| Setting::Flags(flags.bits())),
        ];
        let mut told = Told { list: [Setting::Flags(0); 5], count: 0 };
        for (place, setting) in told.list.iter_mut().zip(said.into_iter().flatten()) {
            *place = setting;
            told.count += 1;
        }
        Ok(told)
    }
}

/// Settings of one request.
#[derive(Debug)]
pub(super) struct Told {
    list: [Setting; 5],
    count: usize,
}

impl Deref for Told {
    type Target = [Setting];

    fn deref(&self) -> &[Setting] {
        self.list.get(..self.count).unwrap_or_default()
    }
}

impl CopyMode {
    fn setting(self) -> Result<Setting, Invalid> {
        match self {
            Self::Meta => Ok(Setting::Mode { mode: nful::COPY_META, range: 0 }),
            // All there is.
            Self::Packet => Ok(Setting::Mode { mode: nful::COPY_PACKET, range: 0 }),
            Self::Range(0) => Err(Invalid::Argument(
                "the first 0 bytes are the whole packet to the kernel: ask for what it knows of \
                 packets alone",
            )),
            Self::Range(range) => Ok(Setting::Mode { mode: nful::COPY_PACKET, range }),
        }
    }
}

fn buffer(bytes: u32) -> Result<Setting, Invalid> {
    if BUFFER_SIZES.contains(&bytes) {
        return Ok(Setting::BufferSize(bytes));
    }
    Err(Invalid::Argument("the kernel takes buffers of 3,776 to 131,072 bytes"))
}

fn timeout(time: Duration) -> Result<Setting, Invalid> {
    u32::try_from(time.as_nanos().div_ceil(10_000_000))
        .map(Setting::Timeout)
        .map_err(|_| Invalid::Argument("the kernel takes timeouts of up to 497 days"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(settings: LogSettings) -> Option<Vec<Setting>> {
        settings.told().ok().map(|told| told.to_vec())
    }

    #[test]
    fn only_what_is_said_is_told() {
        let none = LogSettings::new();
        assert_eq!(told(none), Some(vec![]));
        let two = none.flags(LogFlags::SEQ | LogFlags::CONNTRACK).copy(CopyMode::Range(9));
        let expected = [Setting::Mode { mode: 2, range: 9 }, Setting::Flags(5)];
        assert_eq!(told(two), Some(expected.to_vec()));
        let all = two.buffer(65_536).timeout(Duration::from_millis(11)).threshold(7);
        let more = [Setting::BufferSize(65_536), Setting::Timeout(2), Setting::Threshold(7)];
        let expected = [&expected[..1], &more, &expected[1..]].concat();
        assert_eq!(told(all), Some(expected));
    }

    #[test]
    fn modes_are_the_kernels() {
        let mode = |mode| told(LogSettings::new().copy(mode));
        assert_eq!(mode(CopyMode::Meta), Some(vec![Setting::Mode { mode: 1, range: 0 }]));
        assert_eq!(mode(CopyMode::Packet), Some(vec![Setting::Mode { mode: 2, range: 0 }]));
        assert_eq!(mode(CopyMode::Range(0)), None);
    }

    #[test]
    fn what_the_kernel_would_ignore_is_refused() {
        let taken = |bytes| buffer(bytes).is_ok();
        assert_eq!([3_775, 3_776, 131_072, 131_073].map(taken), [false, true, true, false]);
        assert_eq!(timeout(Duration::ZERO), Ok(Setting::Timeout(0)));
        assert_eq!(timeout(Duration::from_nanos(1)), Ok(Setting::Timeout(1)));
        assert_eq!(timeout(Duration::from_millis(10) * u32::MAX), Ok(Setting::Timeout(u32::MAX)));
        assert!(timeout(Duration::MAX).is_err());
    }
}
