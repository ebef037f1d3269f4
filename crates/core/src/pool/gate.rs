//! How many connections may be opened, and when, as long as some fail to.
//!
//! After a failure one attempt is made at a time, each after a random part of a wait that doubles: "full jitter"
//! (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). After a success the number allowed
//! at once doubles with each further one, so that a server that comes back is not run over.

use super::options::Options;
use super::random::Random;

#[derive(Debug)]
pub(super) struct Gate {
    max_opening: u32,
    backoff_min: f64,
    backoff_max: f64,
    /// Consecutive failures. Attempts that were under way at once count as one: they tell of the same moment.
    failures: u32,
    /// Grows with each failure that counts.
    wave: u32,
    /// Attempts at once, while there are no failures.
    allowed: u32,
    /// No attempt before this time, while there are failures.
    retry: f64,
}

impl Gate {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            max_opening: options.max_opening,
            backoff_min: options.backoff_min,
            backoff_max: options.backoff_max,
            failures: 0,
            wave: 0,
            allowed: options.max_opening,
            retry: f64::NEG_INFINITY,
        }
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// What an attempt that begins now remembers, for [`Gate::failed`].
    pub(super) fn wave(&self) -> u32 {
        self.wave
    }

    /// Attempts that may begin at `now` beside those that are under way.
    pub(super) fn room(&self, now: f64, opening: u32) -> u32 {
        if self.failures == 0 {
            return self.allowed.saturating_sub(opening);
        }
        u32::from(opening == 0 && now >= self.retry)
    }

    /// When the next attempt may begin if none is under way; long ago if it may at any time.
    pub(super) fn retry(&self) -> f64 {
        if self.failures == 0 { f64::NEG_INFINITY } else { self.retry }
    }

    /// An attempt that began in `wave` failed.
    pub(super) fn failed(&mut self, now: f64, wave: u32, random: &mut Random) {
        if wave == self.wave || self.failures == 0 {
            self.failures = self.failures.saturating_add(1);
            self.wave = self.wave.wrapping_add(1);
        }
        self.allowed = 1;
        let doublings = (self.failures - 1).min(64) as i32;
        self.retry = now + random.share() * self.backoff_max.min(self.backoff_min * 2_f64.powi(doublings));
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.allowed = self.allowed.saturating_mul(2).min(self.max_opening);
    }
}
