//! Clocks, and points in time as text.
#![forbid(unsafe_code)]

use super::writer::Writer;
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds of a second.
const NANOSECONDS: u64 = 1_000_000_000;
const SECONDS_OF_DAY: i64 = 86_400;

/// A point in time as a calendar and a wall clock tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CivilTime {
    /// Year of the Gregorian calendar.
    pub year: u32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
    /// Day of the week, 0 for Sunday to 6.
    pub weekday: u8,
}

impl CivilTime {
    /// The same, as the C library says it; `None` for what no calendar has.
    #[cfg(feature = "capi")]
    pub(crate) fn of_c(time: &libc::tm) -> Option<Self> {
        Some(Self {
            year: u32::try_from(i64::from(time.tm_year) + 1900).ok()?,
            month: u8::try_from(time.tm_mon + 1).ok()?,
            day: u8::try_from(time.tm_mday).ok()?,
            hour: u8::try_from(time.tm_hour).ok()?,
            minute: u8::try_from(time.tm_min).ok()?,
            second: u8::try_from(time.tm_sec).ok()?,
            weekday: u8::try_from(time.tm_wday).ok()?,
        })
    }
}

/// Tells the time.
pub trait Clock {
    /// Seconds since 1970 at this moment.
    fn now(&self) -> i64;

    /// The local time `seconds` after 1970, or `None` if no calendar reaches that far. With
    /// `reread_zone`, a zone that has changed since the last call is noticed.
    fn local(&self, seconds: i64, reread_zone: bool) -> Option<CivilTime>;
}

/// The system's clock, in Coordinated Universal Time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Utc;

impl Clock for Utc {
    fn now(&self) -> i64 {
        let whole = |time: std::time::Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => whole(since),
            Err(before) => -whole(before.duration()),
        }
    }

    fn local(&self, seconds: i64, _reread_zone: bool) -> Option<CivilTime> {
        let second = seconds.rem_euclid(SECONDS_OF_DAY);
        let days = seconds.div_euclid(SECONDS_OF_DAY);
        let (year, month, day) = date(days);
        Some(CivilTime {
            year: u32::try_from(year).ok()?,
            month,
            day,
            hour: (second / 3600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
            // 1970 began on a Thursday.
            weekday: (days + 4).rem_euclid(7) as u8,
        })
    }
}

/// Year, month and day of a number of days after 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year and the lengths of
/// the months before it repeat every five; 400 years always have 146097 days.
fn date(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next_year, month as u8, day as u8)
}

/// Whole seconds of a number of nanoseconds.
pub(crate) fn seconds(nanoseconds: u64) -> u64 {
    nanoseconds / NANOSECONDS
}

/// The same moment of a year from 2008 to 2035 with as many days and the same weekdays, which begin and
/// end summer time alike, and how many years that is before. `None` beyond what years are counted in.
#[cfg(feature = "capi")]
pub(crate) fn in_equal_year(seconds: i64) -> Option<(i64, u32)> {
    // Days from 1970 to the beginning of a year.
    let first = |year: i64| {
        let before = year - 1;
        365 * year + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400)
            - 719_527
    };
    let days = |year| first(year + 1) - first(year);
    let (year, ..) = date(seconds.div_euclid(SECONDS_OF_DAY));
    let equal =
        |near: &i64| days(*near) == days(year) && (first(year) - first(*near)).rem_euclid(7) == 0;
    let near = (2008..2036).find(equal)?;
    let years = u32::try_from(year - near).ok()?;
    Some((seconds - SECONDS_OF_DAY * (first(year) - first(near)), years))
}

const WEEKDAYS: [&[u8; 4]; 7] = [b"Sun ", b"Mon ", b"Tue ", b"Wed ", b"Thu ", b"Fri ", b"Sat "];
const MONTHS: [&[u8; 4]; 12] = [
    b"Jan ", b"Feb ", b"Mar ", b"Apr ", b"May ", b"Jun ", b"Jul ", b"Aug ", b"Sep ", b"Oct ",
    b"Nov ", b"Dec ",
];

/// Prints a time as C's `ctime` does, without its newline: `Thu Jan  1 00:00:00 1970`.
pub(crate) fn ctime(out: &mut Writer<'_>, time: &CivilTime) {
    out.text(WEEKDAYS.get(usize::from(time.weekday)).copied().unwrap_or(b"??? "));
    out.text(MONTHS.get(usize::from(time.month).wrapping_sub(1)).copied().unwrap_or(b"??? "));
    if time.day < 10 {
        out.text(b" ");
    }
    out.decimal(time.day.into());
    out.text(b" ");
    out.two_digits(time.hour);
    out.text(b":");
    out.two_digits(time.minute);
    out.text(b":");
    out.two_digits(time.second);
    out.text(b" ");
    out.decimal(time.year.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: i64) -> String {
        let mut buf = [0; 64];
        let mut out = Writer::new(&mut buf);
        ctime(&mut out, &Utc.local(seconds, true).unwrap());
        let length = out.finish();
        String::from_utf8(buf[..length].to_vec()).unwrap()
    }

    #[test]
    fn ctime_is_that_of_c() {
        for (seconds, expected) in [
            (0, "Thu Jan  1 00:00:00 1970"),
            (2, "Thu Jan  1 00:00:02 1970"),
            (-1, "Wed Dec 31 23:59:59 1969"),
            (951_782_400, "Tue Feb 29 00:00:00 2000"),
            (4_107_542_400, "Mon Mar  1 00:00:00 2100"),
            (1_700_000_000, "Tue Nov 14 22:13:20 2023"),
            (1_704_585_605, "Sun Jan  7 00:00:05 2024"),
            (18_446_744_073, "Sun Jul 21 23:34:33 2554"),
        ] {
            assert_eq!(text(seconds), expected);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many for an interpreter")]
    fn dates_follow_each_other() {
        let mut last = (1599, 12, 31);
        for days in -135_140..300_000 {
            let (year, month, day) = date(days);
            let follows = (year, month, day) == (last.0, last.1, last.2 + 1) && day <= 31
                || day == 1 && (year, month) == (last.0, last.1 + 1) && last.2 >= 28
                || (month, day) == (1, 1) && year == last.0 + 1 && (last.1, last.2) == (12, 31);
            assert!(follows, "{last:?} then {:?}", (year, month, day));
            last = (year, month, day);
        }
    }

    #[test]
    #[cfg(feature = "capi")]
    fn equal_years_have_equal_days() {
        for seconds in (2_000_000_000..18_446_744_073).step_by(10_000_019) {
            let (near, years) = in_equal_year(seconds).unwrap();
            assert!(near < i64::from(i32::MAX), "{seconds}");
            let told = Utc.local(near, true).unwrap();
            let told = CivilTime { year: told.year + years, ..told };
            assert_eq!(Some(told), Utc.local(seconds, true));
        }
        assert_eq!(in_equal_year(i64::MAX), None);
        assert_eq!(in_equal_year(i64::MIN), None);
    }

    #[test]
    fn times_out_of_reach_are_none_or_far() {
        assert_eq!(Utc.local(i64::MAX, true), None);
        assert_eq!(Utc.local(i64::MIN, true), None);
        assert_eq!(Utc.local(-62_167_219_200, true).unwrap().year, 0);
        assert!(Utc.now() > 1_600_000_000);
    }
}
