//! What the kernel counts.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::with_handle;
use super::reading::array;
use crate::capi::conntrack::extension::Extended;
use crate::capi::conntrack::types::nfct_handle;
use crate::capi::ctrs::record::put;
use crate::conntrack::stats::{Counts, CpuStatistics};
use crate::conntrack::wire::query::{Request, Statistics};
use crate::conntrack::wire::stats;
use crate::error::Error;
use crate::record::Record;
use crate::uapi::cta;
use libc::{c_int, size_t};
use std::mem::offset_of;

/// How full the flow table is.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct ctrs_stats {
    /// Bit 1: entries is there; bit 2: maximum.
    pub present: u64,
    /// Flows of this network namespace. Those that have ended but are not gone yet count too, and
    /// those whose first packet is held: no list has more.
    pub entries: u64,
    /// The most flows of all network namespaces, net.netfilter.nf_conntrack_max. Linux 4.18.
    pub maximum: u64,
}

/// A counter of a kernel that is older or newer than what the library has a name for.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct ctrs_count {
    /// The kernel's number of it: CTA_STATS_*.
    pub number: u32,
    /// Zero.
    pub reserved: u32,
    /// What was counted.
    pub value: u64,
}

/// What a CPU has counted for a network namespace since that was made.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct ctrs_cpu_stats {
    /// Bit n: the kernel told its counter n, CTA_STATS_*. What it did not tell is 0.
    pub present: u64,
    /// The number of the CPU.
    pub cpu: u32,
    /// How many of other are used.
    pub others: u32,
    /// Lookups that found a flow while NAT or a helper looked for a free tuple.
    pub found: u64,
    /// Packets that could not be tracked.
    pub invalid: u64,
    /// Flows created by requests; those that packets begin do not count.
    pub insert: u64,
    /// Flows that could not be inserted, as another of the same tuple was there first, or too many
    /// shared a place in the table.
    pub insert_failed: u64,
    /// Packets dropped for that, or as the table was full.
    pub drop: u64,
    /// Flows that ended early to make room, as the table was full.
    pub early_drop: u64,
    /// Packets with which something was wrong, as an ICMP error for no known flow.
    pub error: u64,
    /// Lookups that began again, as the table was resized or a flow moved.
    pub search_restart: u64,
    /// Flows that two packets began at once, made one. Linux 5.10.
    pub clash_resolve: u64,
    /// Flows that could not be inserted, as too many shared a place in the table. Linux 5.15.
    pub chain_toolong: u64,
    /// Other counters, by the kernel's number: of kernels that are older or newer.
    pub other: [ctrs_count; 16],
}

/// What a CPU has counted of expectations for a network namespace since that was made.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct ctrs_expect_stats {
    /// Bit 1: expected is there; bit 2: created; bit 3: deleted.
    pub present: u64,
    /// The number of the CPU.
    pub cpu: u32,
    /// Zero.
    pub reserved: u32,
    /// Flows that were expected.
    pub expected: u64,
    /// Expectations that were created.
    pub created: u64,
    /// Expectations that were deleted, as they were met, timed out, or a program asked for it.
    pub deleted: u64,
}

/// The numbers that have a field of their own, and where that ends.
macro_rules! places {
    ($record:ident: $($number:ident $field:ident)*) => {
        impl $record {
            const PLACES: &[(u16, usize)] =
                &[$((cta::$number, offset_of!($record, $field) + size_of::<u64>())),*];

            /// Stores the numbers that have a field.
            fn store(&mut self, counts: &Counts) {
                $(if let Some(value) = counts.get(cta::$number) {
                    self.$field = value;
                    self.present |= 1 << cta::$number;
                })*
            }
        }

        // SAFETY: integers and arrays of them, without padding, as asserted below.
        unsafe impl Record for $record {
            const LEAST: usize = size_of::<u64>();

            fn cut(&mut self, size: usize) {
                let cut = Self::PLACES.iter().filter(|(_, end)| *end > size);
                cut.for_each(|(number, _)| self.present &= !(1 << number));
            }
        }
    };
}

places! { ctrs_stats: STATS_GLOBAL_ENTRIES entries STATS_GLOBAL_MAX_ENTRIES maximum }
places! {
    ctrs_cpu_stats:
    STATS_FOUND found
    STATS_INVALID invalid
    STATS_INSERT insert
    STATS_INSERT_FAILED insert_failed
    STATS_DROP drop
    STATS_EARLY_DROP early_drop
    STATS_ERROR error
    STATS_SEARCH_RESTART search_restart
    STATS_CLASH_RESOLVE clash_resolve
    STATS_CHAIN_TOOLONG chain_toolong
}
places! {
    ctrs_expect_stats:
    STATS_EXP_NEW expected
    STATS_EXP_CREATE created
    STATS_EXP_DELETE deleted
}

// No padding: eight bytes each, or two of four.
const _: () = {
    assert!(size_of::<ctrs_stats>() == 3 * 8 && size_of::<ctrs_count>() == 2 * 8);
    assert!(size_of::<ctrs_cpu_stats>() == 12 * 8 + 16 * size_of::<ctrs_count>());
    assert!(size_of::<ctrs_expect_stats>() == 5 * 8);
};

impl ctrs_cpu_stats {
    fn new(cpu: u16, counts: &Counts) -> Self {
        let mut told = Self { cpu: cpu.into(), ..Self::default() };
        told.store(counts);
        let counted = CpuStatistics::new(cpu, *counts);
        for (to, (number, value)) in told.other.iter_mut().zip(counted.others()) {
            *to = ctrs_count { number: number.into(), reserved: 0, value };
            told.present |= 1 << number;
            told.others += 1;
        }
        told
    }
}

impl ctrs_expect_stats {
    fn new(cpu: u16, counts: &Counts) -> Self {
        let mut told = Self { cpu: cpu.into(), ..Self::default() };
        told.store(counts);
        told
    }
}

/// An array of the caller's.
struct Room<R> {
    to: *mut R,
    n: size_t,
    size: size_t,
}

impl<R: Record> Room<R> {
    /// Fills the array with the answer, and tells how many there would be.
    ///
    /// # Safety
    /// `to` is NULL or points to `n` times `size` writable bytes.
    unsafe fn fill(
        &self,
        extended: &mut Extended<'_>,
        of: Statistics,
        make: fn(u16, &Counts) -> R,
    ) -> Result<c_int, Error> {
        let Self { to, n, size } = *self;
        if n > 0 {
            array(to, size)?;
        }
        let mut count = 0;
        extended.connection()?.ask(&Request::Statistics(of), &mut |message| {
            let (cpu, counts) = stats::decode(message)?;
            if count < n {
                // SAFETY: there is room for more than `count` structures of `size` bytes, which was
                // checked.
                unsafe { put(to.byte_add(count * size), size, make(cpu, &counts)) };
            }
            count += 1;
            Ok(())
        })?;
        Ok(c_int::try_from(count).unwrap_or(c_int::MAX))
    }
}

/// Reads how full the flow table of the handle's network namespace is. `size` is sizeof(struct
/// ctrs_stats) as the program was compiled: what that lacks is cut, what this library lacks is
/// zero.
///
/// Returns 0; -1 with EINVAL for NULL, and for a `size` that is no multiple of 8, less than 8 or
/// above 65,536, with EPERM without CAP_NET_ADMIN, with EMFILE, ENFILE or ENOMEM.
///
/// # Safety
/// `h` is NULL or a live handle; `stats` is NULL or points to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_stats_table(
    h: *mut nfct_handle,
    stats: *mut ctrs_stats,
    size: size_t,
) -> c_int {
    // SAFETY: `h` is NULL or a live handle.
    unsafe {
        with_handle(h, -1, |extended| {
            let size = array(stats, size)?;
            let mut told = ctrs_stats::default();
            let request = Request::Statistics(Statistics::Table);
            extended.connection()?.ask(&request, &mut |message| {
                told.store(&stats::decode(message)?.1);
                Ok(())
            })?;
            put(stats, size, told);
            Ok(0)
        })
    }
}

/// Reads what each CPU has counted into an array of `n` structures, in the order of their numbers;
/// CPUs that are switched off are among them. `size` is sizeof(struct ctrs_cpu_stats), as in
/// ctrs_stats_table().
///
/// Returns how many CPUs there are, which may be more than `n`; NULL may be passed with an `n` of
/// 0. -1 with errno as ctrs_stats_table(); what the array holds then is not told.
///
/// # Safety
/// `h` is NULL or a live handle; `stats` is NULL or points to `n` times `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_stats_cpu(
    h: *mut nfct_handle,
    stats: *mut ctrs_cpu_stats,
    n: size_t,
    size: size_t,
) -> c_int {
    // SAFETY: `h` is NULL or a live handle; the array is as large as `n` and `size` say.
    unsafe {
        with_handle(h, -1, |extended| {
            let room = Room { to: stats, n, size };
            room.fill(extended, Statistics::Cpus, ctrs_cpu_stats::new)
        })
    }
}

/// Reads what each CPU has counted of expectations into an array of `n` structures, as
/// ctrs_stats_cpu(). `size` is sizeof(struct ctrs_expect_stats).
///
/// Returns how many CPUs there are; -1 with errno as ctrs_stats_cpu().
///
/// # Safety
/// `h` is NULL or a live handle; `stats` is NULL or points to `n` times `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_stats_expect(
    h: *mut nfct_handle,
    stats: *mut ctrs_expect_stats,
    n: size_t,
    size: size_t,
) -> c_int {
    // SAFETY: `h` is NULL or a live handle; the array is as large as `n` and `size` say.
    unsafe {
        with_handle(h, -1, |extended| {
            let room = Room { to: stats, n, size };
            room.fill(extended, Statistics::Expectations, ctrs_expect_stats::new)
        })
    }
}
