//! Whether a file was begun before its schedule wanted a new one.
//!
//! Whoever appends asks under the file's lock, so that of several processes the first one after the moment rotates. That it
//! has done so is told by the name of the file that it put aside; where nobody has, by when the file was last written, as
//! nobody appends behind the moment without having asked.

use std::fs::Metadata;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::rotation::schedule::Schedule;

/// A schedule, and the moment up to which it was carried out.
pub(crate) struct Period {
    schedule: Schedule,
    /// The last moment that was looked at, and the next.
    moments: Option<(SystemTime, Option<SystemTime>)>,
}

impl Period {
    pub(crate) fn new(schedule: Schedule) -> Self {
        Self { schedule, moments: None }
    }

    /// When to ask next, which was long ago as long as nobody has asked; `None`: never again.
    pub(crate) fn next(&self) -> Option<SystemTime> {
        self.moments.map_or(Some(UNIX_EPOCH), |(_, next)| next)
    }

    /// When the period of a file ended, if it was begun in one that has. `rotations` are the times at which the file was
    /// rotated before.
    pub(crate) fn ended(
        &mut self,
        file: &Metadata,
        now: SystemTime,
        rotations: impl FnOnce() -> Vec<SystemTime>,
    ) -> Option<SystemTime> {
        if let Some((last, next)) = self.moments
            && now >= last
            && next.is_none_or(|next| now < next)
        {
            return None;
        }
        // Before the first moment of all there is nothing to be rotated.
        let last = self.schedule.last(now).unwrap_or(UNIX_EPOCH);
        let was_written_before = file.len() > 0 && file.modified().is_ok_and(|written| written < last);
        if was_written_before && !rotations().iter().any(|&time| time >= last) {
            // Until it is rotated the answer stays the same.
            return Some(last);
        }
        self.moments = Some((last, self.schedule.next(now)));
        None
    }
}
