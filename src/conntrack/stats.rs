//! What the kernel counts: in all, and for each CPU.
#![forbid(unsafe_code)]

use crate::uapi::cta;

/// Numbers of attributes that there is room for.
pub const MOST: usize = 32;

/// Numbers by the number of their attribute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bit `n`: number `n` was told.
    present: u32,
    values: [u64; MOST],
}

impl Counts {
    /// Stores a number.
    pub fn put(&mut self, number: u16, value: u64) {
        if let Some(slot) = self.values.get_mut(usize::from(number)) {
            *slot = value;
            self.present |= 1 << number;
        }
    }

    /// The number of an attribute, if it was told.
    #[must_use]
    pub fn get(&self, number: u16) -> Option<u64> {
        let value = self.values.get(usize::from(number))?;
        (self.present >> number & 1 != 0).then_some(*value)
    }

    /// All that were told, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        (0..MOST as u16).filter_map(|number| Some((number, self.get(number)?)))
    }
}

/// How full the flow table is.
///
/// ```
/// use ctrs::{Error, FlowTable, Statistics};
///
/// fn print() -> Result<(), Error> {
///     let Statistics { entries, maximum, .. } = FlowTable::open()?.statistics()?;
///     println!("{entries} of {}", maximum.map_or("?".into(), |most| most.to_string()));
///     Ok(())
/// }
///
/// if let Err(error) = print() {
///     println!("{error}");
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Flows of this network namespace. Those that have ended but are not gone yet count too, and
    /// those whose first packet is held: no list has more.
    pub entries: u64,
    /// The most flows of all network namespaces, `net.netfilter.nf_conntrack_max`. Linux 4.18.
    pub maximum: Option<u64>,
}

impl Statistics {
    /// Those in a message.
    #[must_use]
    pub fn of(counts: &Counts) -> Self {
        Self {
            entries: counts.get(cta::STATS_GLOBAL_ENTRIES).unwrap_or(0),
            maximum: counts.get(cta::STATS_GLOBAL_MAX_ENTRIES),
        }
    }
}

/// What a CPU counts.
///
/// ```
/// use ctrs::Counter;
/// assert_eq!(Counter::EarlyDrop.to_string(), "early_drop");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum Counter {
    /// Lookups that found a flow while NAT or a helper looked for a free tuple.
    Found = cta::STATS_FOUND,
    /// Packets that could not be tracked.
    Invalid = cta::STATS_INVALID,
    /// Flows created by requests, as of [`FlowTable::create`](crate::FlowTable::create): those that
    /// packets begin do not count.
    Insert = cta::STATS_INSERT,
    /// Flows that could not be inserted, as another of the same tuple was there first, or too many
    /// shared a place in the table.
    InsertFailed = cta::STATS_INSERT_FAILED,
    /// Packets dropped for that, or as the table was full.
    Drop = cta::STATS_DROP,
    /// Flows that ended early to make room, as the table was full.
    EarlyDrop = cta::STATS_EARLY_DROP,
    /// Packets with which something was wrong, as an ICMP error for no known flow.
    Error = cta::STATS_ERROR,
    /// Lookups that began again, as the table was resized or a flow moved.
    SearchRestart = cta::STATS_SEARCH_RESTART,
    /// Flows that two packets began at once, made one. Linux 5.10.
    ClashResolve = cta::STATS_CLASH_RESOLVE,
    /// Flows that could not be inserted, as too many shared a place in the table. Linux 5.15.
    ChainTooLong = cta::STATS_CHAIN_TOOLONG,
}

impl Counter {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Found,
        Self::Invalid,
        Self::Insert,
        Self::InsertFailed,
        Self::Drop,
        Self::EarlyDrop,
        Self::Error,
        Self::SearchRestart,
        Self::ClashResolve,
        Self::ChainTooLong,
    ];

    /// The name, as the kernel's headers spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Invalid => "invalid",
            Self::Insert => "insert",
            Self::InsertFailed => "insert_failed",
            Self::Drop => "drop",
            Self::EarlyDrop => "early_drop",
            Self::Error => "error",
            Self::SearchRestart => "search_restart",
            Self::ClashResolve => "clash_resolve",
            Self::ChainTooLong => "chain_toolong",
        }
    }
}

impl std::fmt::Display for Counter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a CPU has counted for a network namespace since that was made.
///
/// ```
/// use ctrs::{Counter, CpuStatistics, Error, FlowTable};
///
/// /// Packets that were dropped because of the flow table.
/// fn dropped() -> Result<u64, Error> {
///     let cpus: Vec<CpuStatistics> = FlowTable::open()?.cpu_statistics()?;
///     Ok(cpus.iter().filter_map(|cpu| cpu.get(Counter::Drop)).sum())
/// }
///
/// match dropped() {
///     Ok(dropped) => println!("{dropped} packets dropped"),
///     Err(error) => println!("{error}"),
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuStatistics {
    cpu: u16,
    counts: Counts,
}

impl CpuStatistics {
    /// Those in a message about a CPU.
    #[must_use]
    pub(crate) fn new(cpu: u16, counts: Counts) -> Self {
        Self { cpu, counts }
    }

    /// The number of the CPU.
    #[must_use]
    pub fn cpu(&self) -> u16 {
        self.cpu
    }

    /// What it has counted; `None` from a kernel that does not count that.
    #[must_use]
    pub fn get(&self, counter: Counter) -> Option<u64> {
        self.counts.get(counter as u16)
    }

    /// What it has counted that has no name here, of older and of newer kernels, by the kernel's
    /// number of it.
    pub fn others(&self) -> impl Iterator<Item = (u16, u64)> {
        let named = |number| Counter::ALL.iter().any(|counter| *counter as u16 == number);
        self.counts.iter().filter(move |(number, _)| !named(*number))
    }
}

/// What a CPU has counted of expectations for a network namespace since that was made.
///
/// ```
/// use ctrs::{Error, ExpectationStatistics, Expectations};
///
/// /// How many expectations have come true.
/// fn met() -> Result<u64, Error> {
///     let cpus: Vec<ExpectationStatistics> = Expectations::open()?.cpu_statistics()?;
///     Ok(cpus.iter().map(|cpu| cpu.expected).sum())
/// }
///
/// match met() {
///     Ok(met) => println!("{met} expectations met"),
///     Err(error) => println!("{error}"),
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpectationStatistics {
    /// The number of the CPU.
    pub cpu: u16,
    /// Flows that were expected.
    pub expected: u64,
    /// Expectations that were created.
    pub created: u64,
    /// Expectations that were deleted, as they were met, timed out, or a program asked for it.
    pub deleted: u64,
}

impl ExpectationStatistics {
    /// Those in a message about a CPU.
    #[must_use]
    pub(crate) fn new(cpu: u16, counts: &Counts) -> Self {
        let [expected, created, deleted] =
            [cta::STATS_EXP_NEW, cta::STATS_EXP_CREATE, cta::STATS_EXP_DELETE]
                .map(|number| counts.get(number).unwrap_or(0));
        Self { cpu, expected, created, deleted }
    }
}
