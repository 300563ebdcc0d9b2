//! Packets that rules log: a socket, and the groups that are bound to it.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::without_handle;
use super::open::ctrs_open_options;
use crate::capi::ffi::alloc::{place, unplace};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::{point_of_cancellation, without_cancellation};
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::{ctrs_error, errno_of};
use crate::capi::ffi::ptr;
use crate::error::{Error, Invalid};
use crate::netlink;
use crate::netlink::wait::{Patience, Stopper};
use crate::nflog::settings::{CopyMode, LogFlags, LogSettings};
use crate::nflog::source::Source;
use libc::c_int;
use std::time::Duration;

/// What of struct ctrs_nflog_settings is there.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_nflog_setting {
    /// mode and range.
    CTRS_NFLOG_MODE = 1,
    /// buffer.
    CTRS_NFLOG_BUFFER = 2,
    /// timeout_ms.
    CTRS_NFLOG_TIMEOUT = 4,
    /// threshold.
    CTRS_NFLOG_THRESHOLD = 8,
    /// flags.
    CTRS_NFLOG_FLAGS = 16,
}

const MODE: u32 = ctrs_nflog_setting::CTRS_NFLOG_MODE as u32;
const BUFFER: u32 = ctrs_nflog_setting::CTRS_NFLOG_BUFFER as u32;
const TIMEOUT: u32 = ctrs_nflog_setting::CTRS_NFLOG_TIMEOUT as u32;
const THRESHOLD: u32 = ctrs_nflog_setting::CTRS_NFLOG_THRESHOLD as u32;
const FLAGS: u32 = ctrs_nflog_setting::CTRS_NFLOG_FLAGS as u32;

/// What of each packet the kernel copies.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_nflog_mode {
    /// What it knows of the packet, and no payload.
    CTRS_NFLOG_META = 1,
    /// The packet too.
    CTRS_NFLOG_PACKET = 2,
}

const META: u8 = ctrs_nflog_mode::CTRS_NFLOG_META as u8;
const PACKET: u8 = ctrs_nflog_mode::CTRS_NFLOG_PACKET as u8;

/// What the kernel adds to each packet of a group.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_nflog_flags {
    /// seq, a number in the group from 0 on: what is missing was lost, and records say how many.
    CTRS_NFLOG_SEQ = 1,
    /// seq_global, a number in the network namespace from 1 on.
    CTRS_NFLOG_SEQ_GLOBAL = 2,
    /// conntrack and conntrack_info, if the packet has a flow. Many kernels are built without:
    /// EOPNOTSUPP. Linux 4.4.
    CTRS_NFLOG_CONNTRACK = 4,
}

/// How packets of a group are logged. What is not there stays as it is; of a group that is bound
/// anew that is whole packets, handed out a hundred at once, or as many as fit 3,776 bytes, or
/// after a second; no flags.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct ctrs_nflog_settings {
    /// Bytes of this structure: the caller's sizeof.
    pub size: u32,
    /// Some of enum ctrs_nflog_setting.
    pub present: u32,
    /// How many bytes of a packet are copied; 0: all, up to 65,531.
    pub range: u32,
    /// Bytes that the kernel collects at most before it hands packets out, 3,776 to 131,072. One
    /// packet may be longer.
    pub buffer: u32,
    /// How long the kernel collects, from the first packet on; in steps of 10, rounded up.
    pub timeout_ms: u32,
    /// How many packets the kernel collects at most; 0 and 1 hand out each by itself.
    pub threshold: u32,
    /// Some of enum ctrs_nflog_flags.
    pub flags: u16,
    /// One of enum ctrs_nflog_mode.
    pub mode: u8,
    /// 0.
    pub reserved: u8,
}

/// Bytes of the settings in this version, which is the first.
const SIZE: usize = size_of::<ctrs_nflog_settings>();
/// The most that the settings of a later version are believed to have.
const MOST: usize = 4096;

pub(super) fn wrong(sentence: &'static str) -> Error {
    Invalid::Argument(sentence).into()
}

impl ctrs_nflog_settings {
    /// The caller's settings, as the library says them; NULL says none.
    ///
    /// # Safety
    /// `settings` is NULL or points to as many readable bytes as its `size` says.
    unsafe fn read(settings: *const Self) -> Result<LogSettings, Error> {
        if settings.is_null() {
            return Ok(LogSettings::new());
        }
        // SAFETY: the settings are not NULL, so their size can be read.
        let size = unsafe { (&raw const (*settings).size).read_unaligned() } as usize;
        if !(SIZE..=MOST).contains(&size) {
            return Err(wrong("the size of the settings is that of no version: set it to sizeof"));
        }
        // SAFETY: the caller's have as many readable bytes, of which this version knows the first.
        let (bytes, known) =
            unsafe { (ptr::bytes(settings.cast(), size), settings.read_unaligned()) };
        if bytes.iter().skip(SIZE).any(|byte| *byte != 0) {
            return Err(wrong("the settings say what this version of the library does not have"));
        }
        known.settings()
    }

    fn settings(&self) -> Result<LogSettings, Error> {
        if self.present & !(MODE | BUFFER | TIMEOUT | THRESHOLD | FLAGS) != 0 {
            return Err(wrong("a setting that there is not"));
        }
        let has = |setting| self.present & setting != 0;
        let mut settings = LogSettings::new();
        if has(MODE) {
            settings = settings.copy(self.copied()?);
        }
        if has(BUFFER) {
            settings = settings.buffer(self.buffer);
        }
        if has(TIMEOUT) {
            settings = settings.timeout(Duration::from_millis(self.timeout_ms.into()));
        }
        if has(THRESHOLD) {
            settings = settings.threshold(self.threshold);
        }
        if has(FLAGS) {
            let flags = LogFlags::from_bits(self.flags).ok_or(wrong("a flag that there is not"))?;
            settings = settings.flags(flags);
        }
        Ok(settings)
    }

    fn copied(&self) -> Result<CopyMode, Error> {
        match (self.mode, self.range) {
            (META, _) => Ok(CopyMode::Meta),
            (PACKET, 0) => Ok(CopyMode::Packet),
            (PACKET, range) => Ok(CopyMode::Range(range)),
            _ => Err(wrong("a mode that there is not")),
        }
    }
}

/// A socket that receives logged packets.
///
/// Made by ctrs_nflog_open(), released with ctrs_nflog_close().
pub struct ctrs_nflog {
    _private: [u8; 0],
}

/// What is behind it.
pub(super) struct Log {
    /// What ends waits; another thread may wake while this one works on the rest.
    pub patience: Patience,
    pub state: State,
}

pub(super) struct State {
    pub source: Source,
    pub error: ctrs_error,
}

/// Runs `f` on a log: an error becomes `on_error` and `errno`, and is what the log's last call
/// said.
///
/// # Safety
/// `log` is NULL or a live log, which nobody else uses meanwhile but to wake it.
pub(super) unsafe fn work<T, F>(log: *mut ctrs_nflog, on_error: T, f: F) -> T
where
    F: FnOnce(&mut State) -> Result<T, Error>,
{
    // A cancelled thread leaves without dropping anything.
    const { assert!(!std::mem::needs_drop::<F>() && !std::mem::needs_drop::<T>()) };
    without_cancellation(|| {
        boundary(on_error, || {
            ptr::not_null(log)?;
            // SAFETY: the log is not NULL, so it is one that was placed; of its state nobody else
            // uses anything.
            let state = unsafe { &mut (*log.cast::<Log>()).state };
            state.error.clear();
            f(state).map_err(|error| {
                state.error.set(&error);
                Errno::of(errno_of(&error))
            })
        })
    })
}

/// What ends the waits of a log; `None` for NULL.
///
/// # Safety
/// `log` is NULL or a live log, which is not closed as long as this is used.
pub(super) unsafe fn patience<'a>(log: *const ctrs_nflog) -> Option<&'a Patience> {
    // SAFETY: a log that is not NULL is one that was placed; its patience nobody changes.
    (!log.is_null()).then(|| unsafe { &(*log.cast::<Log>()).patience })
}

fn group(number: u32) -> Result<u16, Error> {
    u16::try_from(number).map_err(|_| wrong("groups are numbered up to 65,535"))
}

fn family(number: u32) -> Result<u8, Error> {
    u8::try_from(number).map_err(|_| wrong("there is no such address family"))
}

/// Opens a socket for logged packets, which has no groups yet. Of the options, all zero where NULL
/// is passed, those count that any socket has: the network namespace, the receive buffer and its
/// limit, CTRS_OPEN_NONBLOCK for who waits elsewhere, CTRS_OPEN_NO_ENOBUFS. The kernel answers
/// requests at once: timeout_ms is 0.
///
/// Opening takes no privilege, binding groups CAP_NET_ADMIN.
///
/// Returns the log; NULL as ctrs_open(). `error`, unless it is NULL, then says more.
///
/// # Safety
/// `options` is NULL or points to as many readable bytes as its `size` says; `error` is NULL or points
/// to as many writable bytes as its `size` says.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_nflog_open(
    options: *const ctrs_open_options,
    error: *mut ctrs_error,
) -> *mut ctrs_nflog {
    point_of_cancellation();
    // SAFETY: `error` is NULL or the caller's; so are the options, and their path is a C string.
    unsafe {
        without_handle(error, std::ptr::null_mut(), || {
            let wanted = ctrs_open_options::read(options)?;
            if !wanted.are_of_any_socket() {
                return Err(wrong("options that are not of logged packets"));
            }
            let source = Source::open(&wanted.options()?)?;
            wanted.apply(source.socket())?;
            let stopper = Some(Stopper::of_one_wait()?);
            let log = Log {
                patience: Patience { stopper, time: None, ends_by_signals: true },
                state: State { source, error: ctrs_error::NONE },
            };
            let placed = place(log).map(<*mut Log>::cast);
            placed.map_err(|_| netlink::Error::OutOfMemory.into())
        })
    }
}

/// Binds a group, with these settings: both or neither. What rules log to it comes here from now
/// on, until it is unbound or the log is closed. NULL stands for no settings.
///
/// Returns 0; -1 with EINVAL for NULL, for a group above 65,535 and for settings that make no sense
/// or that the kernel would ignore; with EPERM without CAP_NET_ADMIN, and if another socket has
/// bound the group, of which ctrs_nflog_last_error() tells; with EBUSY if this log has bound it
/// already; with EOPNOTSUPP for CTRS_NFLOG_CONNTRACK where the kernel lacks it; with ENOBUFS if the
/// kernel's answer was lost, with ENOMEM.
///
/// # Safety
/// `log` is NULL or a live log; `settings` is NULL or points to as many readable bytes as its `size`
/// says.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_nflog_bind(
    log: *mut ctrs_nflog,
    number: u32,
    settings: *const ctrs_nflog_settings,
) -> c_int {
    point_of_cancellation();
    // SAFETY: `log` and `settings` are NULL or live.
    unsafe {
        work(log, -1, |state| {
            let settings = ctrs_nflog_settings::read(settings)?;
            state.source.bind(group(number)?, &settings).map(|()| 0)
        })
    }
}

/// Changes settings of a group that is bound here: all of these or none.
///
/// Returns 0; -1 with ENODEV if nobody has bound the group, with EINVAL for settings that say
/// nothing, else as ctrs_nflog_bind().
///
/// # Safety
/// As that of ctrs_nflog_bind().
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_nflog_set(
    log: *mut ctrs_nflog,
    number: u32,
    settings: *const ctrs_nflog_settings,
) -> c_int {
    point_of_cancellation();
    // SAFETY: `log` and `settings` are NULL or live.
    unsafe {
        work(log, -1, |state| {
            let settings = ctrs_nflog_settings::read(settings)?;
            state.source.change(group(number)?, &settings).map(|()| 0)
        })
    }
}

/// Unbinds a group. What the kernel has collected of it can be read still.
///
/// Returns 0; -1 with EINVAL for NULL and for a group above 65,535, with ENODEV if nobody has bound
/// it, with EPERM if another socket has bound it, or without CAP_NET_ADMIN.
///
/// # Safety
/// `log` is NULL or a live log.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_nflog_unbind(log: *mut ctrs_nflog, number: u32) -> c_int {
    point_of_cancellation();
    // SAFETY: `log` is NULL or live.
    unsafe { work(log, -1, |state| state.source.unbind(group(number)?).map(|()| 0)) }
}

/// Makes group 0 the place where the kernel logs of itself what concerns an address family: invalid
/// packets (net.netfilter.nf_conntrack_log_invalid), and those that iptables traces. Rules that log
/// to a group need none of it. It outlives the log, and is the sysctl net.netfilter.nf_log.N.
///
/// Returns 0; -1 with EINVAL for NULL and where there is no such family, with EPERM without
/// CAP_NET_ADMIN.
///
/// # Safety
/// `log` is NULL or a live log.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_nflog_bind_family(log: *mut ctrs_nflog, number: u32) -> c_int {
    point_of_cancellation();
    // SAFETY: `log` is NULL or live.
    unsafe { work(log, -1, |state| state.source.set_family(family(number)?, true).map(|()| 0)) }
}

/// Leaves an address family without a logger, whichever it had.
///
/// Returns 0; -1 as ctrs_nflog_bind_family().
///
/// # Safety
/// `log` is NULL or a live log.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_nflog_unbind_family(
    log: *mut ctrs_nflog,
    number: u32,
) -> c_int {
    point_of_cancellation();
    // SAFETY: `log` is NULL or live.
    unsafe { work(log, -1, |state| state.source.set_family(family(number)?, false).map(|()| 0)) }
}

/// The descriptor, to wait on: it is readable when something has come. It stays the log's. A read
/// with a timeout of 0 takes what has come, again until it returns 0.
///
/// Returns it; -1 with EINVAL for NULL.
///
/// # Safety
/// `log` is NULL or a live log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_nflog_fd(log: *mut ctrs_nflog) -> c_int {
    // SAFETY: `log` is NULL or live.
    unsafe { work(log, -1, |state| Ok(state.source.socket().fd())) }
}

/// How many bytes of messages the receive buffer holds, as the kernel counts them.
///
/// Returns their number; -1 with EINVAL for NULL.
///
/// # Safety
/// `log` is NULL or a live log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_nflog_receive_buffer(log: *mut ctrs_nflog) -> c_int {
    // SAFETY: `log` is NULL or live.
    unsafe {
        work(log, -1, |state| {
            let bytes = state.source.socket().receive_buffer()?;
            Ok(c_int::try_from(bytes).unwrap_or(c_int::MAX))
        })
    }
}

/// Ends the call that waits for packets, which then fails with ECANCELED; if none waits, the next
/// that reads does so. Several wakes before that count as one. Any thread may call this while
/// another uses the log, and so may the handler of a signal; errno stays as it is.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `log` is NULL or a live log, which is not closed meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_nflog_wake(log: *mut ctrs_nflog) -> c_int {
    boundary(-1, || {
        // SAFETY: `log` is NULL or live, and not closed meanwhile.
        let patience = unsafe { patience(log) }.ok_or(Errno::NULL)?;
        patience.stopper.as_ref().map(Stopper::stop);
        Ok(0)
    })
}

/// What went wrong in the last call on a log.
///
/// Returns the error, which is the log's and stays until the next call on it: with an err of 0 and
/// empty texts if that call succeeded. NULL with EINVAL for NULL.
///
/// # Safety
/// `log` is NULL or a live log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_nflog_last_error(log: *const ctrs_nflog) -> *const ctrs_error {
    boundary(std::ptr::null(), || {
        ptr::not_null(log)?;
        // SAFETY: the log is not NULL, so it is one that was placed.
        Ok(unsafe { &raw const (*log.cast::<Log>()).state.error })
    })
}

/// Closes a log and releases it: its groups are unbound, and what the kernel has collected of them
/// is lost.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `log` is NULL or a live log, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_nflog_close(log: *mut ctrs_nflog) -> c_int {
    without_cancellation(|| {
        boundary(-1, || {
            ptr::not_null(log)?;
            // SAFETY: the log is not NULL, so it is one that was placed; it is not used again.
            unsafe { unplace(log.cast::<Log>()) };
            Ok(0)
        })
    })
}
