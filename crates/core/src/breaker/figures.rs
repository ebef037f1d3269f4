//! What happened in the latest while, for people to look at; nothing is decided by it.

use super::slices::Slices;
use crate::latency::Latencies;

/// What can be counted beside the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A call was not let through.
    Reject = 0,
    /// A fallback answered.
    Fallback = 1,
    /// A call found no room.
    Full = 2,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Success = 0,
    /// With an error.
    Failure = 1,
    /// Not in time, which is a failure.
    Timeout = 2,
    /// In a way that tells nothing of the other side.
    Ignored = 3,
}

/// The shares whose percentiles are told.
const SHARES: [f64; 9] = [0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 1.0];

/// What happened in the latest while. Latencies are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Calls by [`Outcome`]; those that were late are failures and timeouts both.
    pub outcomes: [u64; 4],
    /// Other events by [`Event`].
    pub events: [u64; 3],
    /// Calls that were slow.
    pub slow: u64,
    /// The mean of the latencies.
    pub mean: f64,
    /// Percentiles: the shortest, 25, 50, 75, 90, 95, 99, 99.5 %, and the longest.
    pub percentiles: [f64; 9],
}

#[derive(Clone, Debug, Default)]
struct Slice {
    outcomes: [u64; 4],
    events: [u64; 3],
    slow: u64,
    latencies: Latencies,
}

#[derive(Debug)]
pub(super) struct Rolling(Slices<Slice>);

impl Rolling {
    pub(super) fn new(ms: f64, slices: usize) -> Self {
        Self(Slices::new(ms, slices))
    }

    pub(super) fn record(&mut self, now: f64, outcome: Outcome, slow: bool, latency: f64) {
        let slice = self.0.at(now);
        slice.outcomes[outcome as usize] += 1;
        if outcome == Outcome::Timeout {
            slice.outcomes[Outcome::Failure as usize] += 1;
        }
        slice.slow += u64::from(slow);
        if outcome != Outcome::Ignored {
            slice.latencies.record(latency);
        }
    }

    pub(super) fn count(&mut self, now: f64, event: Event) {
        self.0.at(now).events[event as usize] += 1;
    }

    pub(super) fn figures(&mut self, now: f64) -> Figures {
        self.0.advance(now);
        let mut sum = Slice::default();
        for (_, slice) in self.0.iter(now) {
            add(&mut sum.outcomes, &slice.outcomes);
            add(&mut sum.events, &slice.events);
            sum.slow += slice.slow;
            sum.latencies.merge(&slice.latencies);
        }
        Figures {
            outcomes: sum.outcomes,
            events: sum.events,
            slow: sum.slow,
            mean: sum.latencies.mean(),
            percentiles: SHARES.map(|share| sum.latencies.percentile(share)),
        }
    }
}

fn add<const N: usize>(sum: &mut [u64; N], more: &[u64; N]) {
    for (total, count) in sum.iter_mut().zip(more) {
        *total += count;
    }
}
