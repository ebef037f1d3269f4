//! A breaker against the plainest account of what happened, for tests and fuzzing: a list of everything, of which each
//! answer is worked out anew.

use crate::choices::Choices;

use super::{Breaker, Event, Options, Outcome, Span, State};

const SECOND: f64 = 1_000.0;

/// Few calls and short times, so that everything happens within a game.
fn options(choices: &mut Choices) -> Options {
    let span = match choices.pick(6) {
        0 => Span::Calls(1),
        1 => Span::Calls(3),
        2 => Span::Calls(8),
        3 => Span::Time { ms: 100.0, slices: 1 },
        4 => Span::Time { ms: 100.0, slices: 4 },
        _ => Span::Time { ms: SECOND, slices: 10 },
    };
    Options {
        span,
        failure_rate: choices.of(&[50.0, 100.0, 1.0, 34.0]),
        slow_after: choices.of(&[f64::INFINITY, 10.0, 0.0]),
        slow_rate: choices.of(&[100.0, 60.0]),
        min_calls: choices.of(&[0.0, 1.0, 3.0]),
        reset_timeout: choices.of(&[50.0, 0.0, 400.0]),
        probes: choices.of(&[1, 2, 5]),
        figures_ms: choices.of(&[100.0, SECOND]),
        figures_slices: choices.of(&[1, 10]),
    }
}

/// A call that was let through.
#[derive(Clone, Copy, Debug)]
struct Call {
    epoch: u32,
    /// When it ended, how, and after how long; unless it is still out.
    end: Option<(f64, Outcome, f64)>,
}

struct Game<'a> {
    breaker: Breaker,
    options: Options,
    choices: Choices<'a>,
    now: f64,
    calls: Vec<Call>,
    /// In the order in which they ended.
    ended: Vec<usize>,
    events: Vec<(f64, Event)>,
    state: State,
    epoch: u32,
    retry: f64,
    /// When the latest probe of the round began.
    probed: f64,
}

/// Plays a game that `choices` decides, to its end.
///
/// # Panics
/// If the breaker breaks a promise.
pub fn play(mut choices: Choices) {
    let options = options(&mut choices);
    let breaker = Breaker::new(options.clone());
    let mut game = Game {
        breaker,
        options,
        choices,
        now: 0.0,
        calls: Vec::new(),
        ended: Vec::new(),
        events: Vec::new(),
        state: State::Closed,
        epoch: 0,
        retry: f64::INFINITY,
        probed: 0.0,
    };
    while !game.choices.0.is_empty() {
        game.turn();
        game.look();
    }
}

impl Game<'_> {
    fn turn(&mut self) {
        match self.choices.pick(16) {
            0..=4 => self.begin(),
            5..=10 => self.end(),
            11 | 12 => self.now += self.choices.of(&[1.0, 25.0, 30.0, 100.0, 350.0, 5_000.0]),
            13 => self.tick(),
            14 => self.event(),
            _ => self.order(),
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.epoch += 1;
    }

    /// The calls of this state or round.
    fn of_epoch(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.epoch == self.epoch)
    }

    fn tick(&mut self) {
        self.breaker.tick(self.now);
        self.half_open_in_time();
    }

    fn half_open_in_time(&mut self) {
        if self.state == State::Open && self.now >= self.retry {
            self.enter(State::HalfOpen);
        }
    }

    fn begin(&mut self) {
        self.half_open_in_time();
        let expected = match self.state {
            State::Closed => true,
            State::Open | State::ForcedOpen => false,
            State::HalfOpen => self.begin_probe(),
        };
        assert_eq!(self.breaker.permit(self.now), expected, "who is let through");
        if expected {
            self.calls.push(Call { epoch: self.epoch, end: None });
        }
    }

    fn begin_probe(&mut self) -> bool {
        let is_probe = |call: &&Call| !matches!(call.end, Some((_, Outcome::Ignored, _)));
        if self.of_epoch().filter(is_probe).count() >= self.options.probes as usize {
            if self.now < self.probed + self.options.reset_timeout {
                return false;
            }
            self.enter(State::HalfOpen);
        }
        self.probed = self.now;
        true
    }

    fn end(&mut self) {
        let out: Vec<usize> = (0..self.calls.len()).filter(|&index| self.calls[index].end.is_none()).collect();
        if out.is_empty() {
            return;
        }
        let index = self.choices.of(&out);
        let outcome = self.choices.of(&[
            Outcome::Failure,
            Outcome::Success,
            Outcome::Success,
            Outcome::Timeout,
            Outcome::Ignored,
        ]);
        let latency = self.choices.of(&[1.0, 10.0, 250.0]);
        self.breaker.record(self.now, self.calls[index].epoch, outcome, latency);
        self.calls[index].end = Some((self.now, outcome, latency));
        self.ended.push(index);
        if self.calls[index].epoch == self.epoch && outcome != Outcome::Ignored {
            let bad = is_failure(outcome) || latency >= self.options.slow_after;
            self.judge(bad);
        }
    }

    fn judge(&mut self, bad: bool) {
        let counted = self.counted();
        let share = |count: usize, of: usize| count as f64 / of as f64 * 100.0;
        let failures = counted.iter().filter(|(_, outcome, _)| is_failure(*outcome)).count();
        let slow = counted.iter().filter(|(_, _, latency)| *latency >= self.options.slow_after).count();
        let reached = |failures: usize, slow: usize, of: usize| {
            (failures > 0 && share(failures, of) >= self.options.failure_rate - 1e-9)
                || (slow > 0 && share(slow, of) >= self.options.slow_rate - 1e-9)
        };
        let opens = match self.state {
            State::Closed => {
                bad && counted.len() as f64 >= self.options.min_calls && reached(failures, slow, counted.len())
            }
            State::HalfOpen => {
                let probes = self.options.probes as usize;
                let out = probes - counted.len();
                if !reached(failures, slow, probes) {
                    if !reached(failures + out, slow + out, probes) {
                        self.enter(State::Closed);
                    }
                    return;
                }
                true
            }
            State::Open | State::ForcedOpen => false,
        };
        if opens {
            self.enter(State::Open);
            self.retry = self.now + self.options.reset_timeout;
        }
    }

    /// The calls that are judged by, in the order in which they ended.
    fn counted(&self) -> Vec<(f64, Outcome, f64)> {
        let all: Vec<_> = (self.ended.iter().map(|&index| self.calls[index]))
            .filter(|call| call.epoch == self.epoch)
            .filter_map(|call| call.end.filter(|(_, outcome, _)| *outcome != Outcome::Ignored))
            .collect();
        match self.options.span {
            Span::Calls(size) if self.state == State::Closed => all[all.len().saturating_sub(size)..].to_vec(),
            Span::Time { ms, slices } if self.state == State::Closed => {
                all.into_iter().filter(|(at, ..)| is_within(*at, self.now, ms, slices)).collect()
            }
            _ => all,
        }
    }

    fn event(&mut self) {
        let event = self.choices.of(&[Event::Reject, Event::Fallback, Event::Full]);
        self.breaker.count(self.now, event);
        self.events.push((self.now, event));
    }

    fn order(&mut self) {
        match self.choices.pick(6) {
            0 => {
                let retry = self.now + self.choices.of(&[0.0, 60.0, f64::INFINITY]);
                self.breaker.open(self.now, retry);
                if self.state != State::ForcedOpen {
                    if self.state != State::Open {
                        self.enter(State::Open);
                    }
                    self.retry = retry;
                }
            }
            1 => self.go(State::Open),
            2 => self.go(State::HalfOpen),
            3 => self.go(State::ForcedOpen),
            4 => self.go(State::Closed),
            _ => self.reload(),
        }
    }

    fn go(&mut self, state: State) {
        self.breaker.go(self.now, state);
        if self.state != state {
            self.enter(state);
            if state == State::Open {
                self.retry = self.now + self.options.reset_timeout;
            }
        }
    }

    /// What is dumped and loaded again at once changes nothing.
    fn reload(&mut self) {
        let numbers = self.breaker.dump(self.now);
        self.breaker.load(self.now, &numbers, 0.0);
        assert_eq!(self.breaker.dump(self.now), numbers, "what is loaded is what was dumped");
    }

    /// Compares everything that can be seen.
    fn look(&mut self) {
        assert_eq!((self.breaker.state(), self.breaker.epoch()), (self.state, self.epoch));
        let due = if self.state == State::Open { self.retry } else { f64::INFINITY };
        assert_eq!(self.breaker.due(), due, "when it becomes half-open");
        let counted = self.counted();
        let tally = self.breaker.tally(self.now);
        assert_eq!(tally.calls as usize, counted.len(), "calls");
        let failures = counted.iter().filter(|(_, outcome, _)| is_failure(*outcome)).count();
        assert_eq!(tally.failures as usize, failures, "failures");
        let slow = counted.iter().filter(|(_, _, latency)| *latency >= self.options.slow_after).count();
        assert_eq!(tally.slow as usize, slow, "slow calls");
        self.look_at_figures();
    }

    fn look_at_figures(&mut self) {
        let figures = self.breaker.figures(self.now);
        let Options { figures_ms, figures_slices, slow_after, .. } = self.options;
        let within = |at: f64| is_within(at, self.now, figures_ms, figures_slices);
        let ends: Vec<_> = self.calls.iter().filter_map(|call| call.end).filter(|(at, ..)| within(*at)).collect();
        let of = |outcome| ends.iter().filter(|(_, each, _)| *each == outcome).count() as u64;
        let timeouts = of(Outcome::Timeout);
        let outcomes = [of(Outcome::Success), of(Outcome::Failure) + timeouts, timeouts, of(Outcome::Ignored)];
        assert_eq!(figures.outcomes, outcomes);
        let told = ends.iter().filter(|(_, outcome, _)| *outcome != Outcome::Ignored).map(|(.., latency)| *latency);
        assert_eq!(figures.slow as usize, told.clone().filter(|latency| *latency >= slow_after).count());
        let longest = told.fold(0.0, f64::max);
        assert_eq!(figures.percentiles[8], longest, "the longest latency");
        for (place, event) in [Event::Reject, Event::Fallback, Event::Full].into_iter().enumerate() {
            let count = self.events.iter().filter(|(at, each)| within(*at) && *each == event).count();
            assert_eq!(figures.events[place] as usize, count);
        }
    }
}

fn is_failure(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failure | Outcome::Timeout)
}

/// Whether a time lies in the slice of now, or in one of those before it that belong to a span.
fn is_within(at: f64, now: f64, ms: f64, slices: usize) -> bool {
    let width = ms / slices as f64;
    (now / width).floor() - (at / width).floor() < slices as f64
}
