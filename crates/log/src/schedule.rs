//! When a file is rotated by time.

use std::time::SystemTime;

use chrono::{DateTime, Local, TimeDelta, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds};

/// By which clock a schedule goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Coordinated universal time.
    Utc,
    /// That of the system.
    Local,
}

/// Moments that come again and again.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
    zone: Zone,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.cron.as_str() == other.cron.as_str() && self.zone == other.zone
    }
}

impl Eq for Schedule {}

impl Schedule {
    /// `pattern` is a cron expression of five fields, from minutes to days of the week, or a nickname as `@daily`.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub fn new(pattern: &str, zone: Zone) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
        let cron = parser.parse(pattern).map_err(|error| error.to_string())?;
        let schedule = Self { cron, zone };
        if schedule.next(SystemTime::now()).is_none() {
            return Err("it never comes".to_owned());
        }
        Ok(schedule)
    }

    /// The first moment after `time`.
    pub(crate) fn next(&self, time: SystemTime) -> Option<SystemTime> {
        match self.zone {
            Zone::Utc => self.cron.find_next_occurrence(&DateTime::<Utc>::from(time), false).ok().map(Into::into),
            Zone::Local => self.cron.find_next_occurrence(&DateTime::<Local>::from(time), false).ok().map(Into::into),
        }
    }

    /// The last moment that was not after `time`.
    pub(crate) fn last(&self, time: SystemTime) -> Option<SystemTime> {
        // It looks for what was before; a moment itself is one.
        let after = DateTime::<Utc>::from(time) + TimeDelta::seconds(1);
        let found: Option<SystemTime> = match self.zone {
            Zone::Utc => self.cron.find_previous_occurrence(&after, false).ok().map(Into::into),
            Zone::Local => self.cron.find_previous_occurrence(&after.with_timezone(&Local), false).ok().map(Into::into),
        };
        found.filter(|found| *found <= time)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{Schedule, Zone};

    const DAY: u64 = 86_400;

    fn at(seconds: f64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs_f64(seconds)
    }

    fn utc(pattern: &str) -> Schedule {
        Schedule::new(pattern, Zone::Utc).expect("a schedule")
    }

    #[test]
    fn a_moment_is_the_last_one_from_when_it_comes_on() {
        let daily = utc("@daily");
        let midnight = at(20_000.0 * DAY as f64);
        for (time, last, next) in [
            (-0.001, -1.0, 0.0),
            (0.0, 0.0, 1.0),
            (0.001, 0.0, 1.0),
            (0.999, 0.0, 1.0),
            (43_200.5, 0.0, 1.0),
            (86_399.999, 0.0, 1.0),
            (86_400.0, 1.0, 2.0),
        ] {
            let time = at(20_000.0 * DAY as f64 + time);
            let day = |days: f64| at((20_000.0 + days) * DAY as f64);
            assert_eq!(daily.last(time), Some(day(last)));
            assert_eq!(daily.next(time), Some(day(next)));
        }
        assert_eq!(daily.last(midnight), Some(midnight));
    }

    #[test]
    fn patterns_are_those_of_cron() {
        let quarters = utc("*/15 * * * *");
        assert_eq!(quarters.next(at(901.0)), Some(at(1800.0)));
        assert_eq!(quarters.last(at(901.0)), Some(at(900.0)));
        // 1970-01-01 was a Thursday.
        assert_eq!(utc("@weekly").next(at(0.0)), Some(at(3.0 * DAY as f64)));
        assert_eq!(utc("@monthly").next(at(0.0)), Some(at(31.0 * DAY as f64)));
        assert_eq!(utc("30 6 * * 1").next(at(0.0)), Some(at(4.0 * DAY as f64 + 6.5 * 3600.0)));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["", "daily", "* * * *", "61 * * * *", "* * * * * *", "0 0 30 2 *"] {
            assert!(Schedule::new(pattern, Zone::Utc).is_err(), "{pattern:?}");
        }
    }
}
