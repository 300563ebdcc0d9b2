//! The C library's idea of the time and the local zone.

use crate::text::time::{CivilTime, Clock};
use std::mem::MaybeUninit;

/// The time as `time` tells it, in the zone of `localtime_r`.
pub(in crate::capi) struct LocalClock;

unsafe extern "C" {
    /// Rereads the `TZ` variable, POSIX.
    fn tzset();
}

#[allow(clippy::useless_conversion, reason = "time_t has 32 bits on some machines")]
impl Clock for LocalClock {
    fn now(&self) -> i64 {
        // SAFETY: time takes NULL.
        unsafe { libc::time(std::ptr::null_mut()) }.into()
    }

    fn local(&self, seconds: i64, reread_zone: bool) -> Option<CivilTime> {
        let seconds = seconds.try_into().ok()?;
        let mut time = MaybeUninit::<libc::tm>::uninit();
        // SAFETY: both pointers are valid during the call; localtime_r fills the struct unless it
        // returns NULL.
        let time = unsafe {
            if reread_zone {
                tzset();
            }
            if libc::localtime_r(&raw const seconds, time.as_mut_ptr()).is_null() {
                return None;
            }
            time.assume_init()
        };
        CivilTime::of_c(&time)
    }
}
