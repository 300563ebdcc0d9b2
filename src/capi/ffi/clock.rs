//! The C library's idea of the time and the local zone.

use crate::text::time::{CivilTime, Clock, Utc, in_equal_year};
use std::mem::MaybeUninit;

/// The time, in the zone of `localtime_r`. What a `time_t` of 32 bits does not reach, in 2038 and later,
/// is told as in an earlier year with the same weekdays.
pub(in crate::capi) struct LocalClock;

unsafe extern "C" {
    /// Rereads the `TZ` variable, POSIX.
    fn tzset();
}

#[allow(clippy::useless_conversion, reason = "time_t has 32 bits on some machines")]
impl Clock for LocalClock {
    fn now(&self) -> i64 {
        // Where a time has 32 bits; time_t is not named, for it is deprecated with musl.
        if size_of::<libc::c_long>() < 8 {
            return Utc.now();
        }
        // SAFETY: time takes NULL.
        unsafe { libc::time(std::ptr::null_mut()) }.into()
    }

    fn local(&self, seconds: i64, reread_zone: bool) -> Option<CivilTime> {
        let (seconds, years) = match seconds.try_into() {
            Ok(seconds) => (seconds, 0),
            Err(_) => {
                let (near, years) = in_equal_year(seconds)?;
                (near.try_into().ok()?, years)
            }
        };
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
        let time = CivilTime::of_c(&time)?;
        Some(CivilTime { year: time.year.checked_add(years)?, ..time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_goes_on_where_c_ends() {
        // Noon in the middle of the months, whatever the zone: 2030, 2038, 2100, 2554.
        for (seconds, year, month) in [
            (1_897_473_600, 2030, 2),
            (2_147_558_400, 2038, 1),
            (4_110_696_000, 2100, 4),
            (18_446_000_000, 2554, 7),
        ] {
            let time = LocalClock.local(seconds, true).unwrap();
            assert_eq!((time.year, time.month), (year, month), "{seconds}");
            let distance =
                i32::from(time.weekday) - i32::from(Utc.local(seconds, true).unwrap().weekday);
            assert!([0, 1, 6].contains(&distance.abs()), "{seconds}");
        }
    }
}
