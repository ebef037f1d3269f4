//! The calls that a breaker judges by.

use std::collections::VecDeque;

use super::options::Span;
use super::slices::Slices;

/// What is known of a number of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those that were slow, failed or not.
    pub slow: u64,
}

/// One call: whether it failed, and whether it was slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

impl Verdict {
    pub(super) fn is_bad(self) -> bool {
        self.failed || self.slow
    }
}

impl Tally {
    pub(super) fn add(&mut self, verdict: Verdict) {
        self.calls += 1;
        self.failures += u64::from(verdict.failed);
        self.slow += u64::from(verdict.slow);
    }

    fn remove(&mut self, verdict: Verdict) {
        self.calls -= 1;
        self.failures -= u64::from(verdict.failed);
        self.slow -= u64::from(verdict.slow);
    }

    fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.slow += other.slow;
    }
}

#[derive(Debug)]
pub(super) enum Window {
    Calls { size: usize, latest: VecDeque<Verdict>, tally: Tally },
    Time(Slices<Tally>),
}

impl Window {
    pub(super) fn new(span: Span) -> Self {
        match span {
            Span::Calls(size) => Self::Calls { size: size.max(1), latest: VecDeque::new(), tally: Tally::default() },
            Span::Time { ms, slices } => Self::Time(Slices::new(ms, slices)),
        }
    }

    pub(super) fn record(&mut self, now: f64, verdict: Verdict) {
        match self {
            Self::Calls { size, latest, tally } => {
                if latest.len() == *size
                    && let Some(oldest) = latest.pop_front()
                {
                    tally.remove(oldest);
                }
                latest.push_back(verdict);
                tally.add(verdict);
            }
            Self::Time(slices) => slices.at(now).add(verdict),
        }
    }

    /// Of the calls that are within the window at `now`.
    pub(super) fn tally(&mut self, now: f64) -> Tally {
        match self {
            Self::Calls { tally, .. } => *tally,
            Self::Time(slices) => {
                slices.advance(now);
                slices.iter(now).fold(Tally::default(), |mut sum, (_, slice)| {
                    sum.merge(slice);
                    sum
                })
            }
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Calls { latest, tally, .. } => {
                latest.clear();
                *tally = Tally::default();
            }
            Self::Time(slices) => slices.clear(),
        }
    }

    /// Everything as numbers, for [`Window::load`]: of each call 1 if it failed plus 2 if it was slow, the oldest first;
    /// of each slice how long ago it began, its calls, failures, and slow calls.
    pub(super) fn dump(&mut self, now: f64) -> Vec<f64> {
        match self {
            Self::Calls { latest, .. } => {
                latest.iter().map(|verdict| f64::from(u8::from(verdict.failed) + 2 * u8::from(verdict.slow))).collect()
            }
            Self::Time(slices) => {
                slices.advance(now);
                let used = slices.iter(now).filter(|(_, tally)| tally.calls > 0);
                used.flat_map(|(ago, tally)| [ago, tally.calls as f64, tally.failures as f64, tally.slow as f64])
                    .collect()
            }
        }
    }

    /// Takes in what [`Window::dump`] told, so many milliseconds ago. What makes no sense is left out.
    pub(super) fn load(&mut self, now: f64, numbers: &[f64], elapsed: f64) {
        self.clear();
        match self {
            Self::Calls { .. } => {
                for &code in numbers {
                    let code = code as u8;
                    self.record(now, Verdict { failed: code & 1 != 0, slow: code & 2 != 0 });
                }
            }
            Self::Time(slices) => {
                for chunk in numbers.chunks_exact(4) {
                    let &[ago, calls, failures, slow] = chunk else { continue };
                    let Some(slice) = slices.past(now, ago + elapsed) else { continue };
                    let count = |number: f64| number.clamp(0.0, calls.max(0.0)) as u64;
                    slice.merge(&Tally { calls: count(calls), failures: count(failures), slow: count(slow) });
                }
            }
        }
    }
}
