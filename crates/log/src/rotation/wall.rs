//! The system's clock on the wall.
//!
//! chrono's `Local` knows the wall's time of each moment, but of the hour that comes twice when clocks go back it names the
//! later moment first, and takes the end of that hour for a part of it. Schedules would then skip an hour, or find none of
//! it. Here the moments of a time on the wall are sought with what it knows.

use chrono::{FixedOffset, Local, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Wall;

impl TimeZone for Wall {
    type Offset = FixedOffset;

    fn from_offset(_offset: &FixedOffset) -> Self {
        Self
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<FixedOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<FixedOffset> {
        // No zone is further from UTC, and none changes twice within that time.
        let around = [-1, 1].map(|days| local.checked_add_signed(TimeDelta::days(days)).unwrap_or(*local));
        let [before, after] = around.map(|utc| self.offset_from_utc_datetime(&utc));
        // Of two, the one that is further ahead of UTC comes to that time first.
        let (first, second) =
            if before.local_minus_utc() >= after.local_minus_utc() { (before, after) } else { (after, before) };
        let holds = |offset: FixedOffset| {
            local.checked_sub_offset(offset).is_some_and(|utc| self.offset_from_utc_datetime(&utc) == offset)
        };
        match (holds(first), first != second && holds(second)) {
            (true, true) => MappedLocalTime::Ambiguous(first, second),
            (true, false) => MappedLocalTime::Single(first),
            (false, true) => MappedLocalTime::Single(second),
            (false, false) => MappedLocalTime::None,
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> FixedOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> FixedOffset {
        Local.offset_from_utc_datetime(utc).fix()
    }
}
