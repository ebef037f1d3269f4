//! When a file is rotated by time.

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds};

use crate::rotation::wall::Wall;

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
            Zone::Utc => self.next_in(time, &Utc),
            Zone::Local => self.next_in(time, &Wall),
        }
    }

    fn next_in(&self, time: SystemTime, zone: &impl TimeZone) -> Option<SystemTime> {
        let time = DateTime::<Utc>::from(time).with_timezone(zone);
        self.cron.find_next_occurrence(&time, false).ok().map(Into::into)
    }

    /// The last moment that was not after `time`.
    pub(crate) fn last(&self, time: SystemTime) -> Option<SystemTime> {
        match self.zone {
            Zone::Utc => self.last_in(time, &Utc),
            Zone::Local => self.last_in(time, &Wall),
        }
    }

    fn last_in(&self, time: SystemTime, zone: &impl TimeZone) -> Option<SystemTime> {
        // It looks for what was before; a moment itself is one.
        let after = (DateTime::<Utc>::from(time) + TimeDelta::seconds(1)).with_timezone(zone);
        let found: SystemTime = self.cron.find_previous_occurrence(&after, false).ok()?.into();
        (found <= time).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use std::thread;
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

    /// Where clocks go back at 01:00 UTC on 2026-10-25, where they do at 06:00 UTC on 2026-11-01, and forward in spring.
    #[cfg(unix)]
    const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
    #[cfg(unix)]
    const NEW_YORK: &str = "EST5EDT,M3.2.0,M11.1.0";

    /// All moments from one to another.
    #[cfg(unix)]
    fn moments(schedule: &Schedule, from: SystemTime, to: SystemTime) -> Vec<SystemTime> {
        let next = |time: &SystemTime| {
            let next = schedule.next(*time).expect("a moment");
            assert!(next > *time, "{next:?} is not after {time:?}");
            Some(next)
        };
        std::iter::successors(next(&from), next).take_while(|time| *time < to).collect()
    }

    #[test]
    #[cfg(unix)]
    fn the_last_moment_is_the_last_whatever_clocks_do() {
        for (zone, changes) in
            [(BERLIN, [1_774_746_000.0, 1_792_890_000.0]), (NEW_YORK, [1_772_953_200.0, 1_793_512_800.0])]
        {
            // SAFETY: all that read the environment in this process do so by the standard library, which locks it. No other
            // test has to do with the system's zone.
            unsafe { std::env::set_var("TZ", zone) };
            // Each thread keeps the zone that it found.
            thread::spawn(move || look_around(zone, changes)).join().expect("no panic");
        }
    }

    #[cfg(unix)]
    fn look_around(zone: &str, changes: [f64; 2]) {
        for pattern in ["@hourly", "*/15 * * * *", "@daily", "30 2 * * *", "0 3 * * *", "15,45 1-3 * * *"] {
            let schedule = Schedule::new(pattern, Zone::Local).expect("a schedule");
            for change in changes {
                let day = DAY as f64;
                let all = moments(&schedule, at(change - 4.0 * day), at(change + 3.0 * day));
                if pattern == "@hourly" {
                    assert_eq!(all.len(), 7 * 24 - 1, "every hour, also that which comes twice");
                }
                for minute in (0..1440).step_by(11) {
                    let time = at(change - day / 2.0 + f64::from(minute) * 60.0 + 0.5);
                    let expected = all.iter().rfind(|moment| **moment <= time);
                    assert_eq!(schedule.last(time).as_ref(), expected, "{pattern} in {zone}, minute {minute}");
                }
            }
        }
    }
}
