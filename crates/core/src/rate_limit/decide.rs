//! What an operation comes to: the steps of all limits of a key put together, as `script/driver.lua` does it.

use super::algorithm::{Rule, State, Steps};
use super::limit::{Limit, LimitError, MAX_TIME, MAX_UNITS, check_all};
use super::operation::{Op, Row};

/// The limits of each key, and what a denial leads to.
#[derive(Debug)]
pub(super) struct Rules {
    rules: Box<[Rule]>,
    /// For how many microseconds a denied check blocks its key; 0: it does not.
    block: i64,
}

/// An operation in whole numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) op: Op,
    pub(super) amount: i64,
    pub(super) extra: i64,
    pub(super) now: i64,
}

impl Order {
    /// Brings every number into its range; what is no number counts as 0.
    #[inline]
    pub(super) fn new(op: Op, amount: f64, extra: f64, now: f64) -> Self {
        Self { op, amount: amount_of(op, amount), extra: extra_of(extra), now: (now as i64).clamp(0, MAX_TIME) }
    }
}

/// The amount of an operation in its range.
pub(super) fn amount_of(op: Op, amount: f64) -> i64 {
    let (least, most) = match op {
        Op::Adjust => (-MAX_UNITS, MAX_UNITS),
        Op::Block => (0, MAX_TIME),
        _ => (0, MAX_UNITS),
    };
    (amount as i64).clamp(least, most)
}

/// The extra of an operation in its range.
pub(super) fn extra_of(extra: f64) -> i64 {
    (extra as i64).clamp(0, 1 << 53)
}

/// The limit that restricts most.
struct Verdict {
    worst: usize,
    /// How long until the units would pass; 0: they do.
    wait: i64,
}

/// The states of a key while an operation is carried out.
struct Case<'a> {
    rules: &'a [Rule],
    states: &'a mut [State],
    time: i64,
}

impl Rules {
    pub(super) fn new(limits: &[Limit], block: i64) -> Result<Self, LimitError> {
        check_all(limits)?;
        Ok(Self { rules: limits.iter().map(Rule::new).collect(), block: block.clamp(0, MAX_TIME) })
    }

    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    /// The states of a key that was never seen.
    pub(super) fn blank(&self) -> impl Iterator<Item = State> {
        self.rules.iter().map(State::new)
    }

    /// From when on nothing is left of the states.
    pub(super) fn ends(&self, states: &[State]) -> i64 {
        self.rules.iter().zip(states).map(|(rule, state)| state.ends(rule)).max().unwrap_or(0)
    }

    /// Carries out `order` on the states of a key, and on the end of its block, 0 where there is none.
    #[inline]
    pub(super) fn decide(&self, states: &mut [State], blocked: &mut i64, order: Order) -> Row {
        let now = order.now;
        let time = states.iter().map(Steps::last).fold(now, i64::max);
        let mut case = Case { rules: &self.rules, states, time };
        if order.op == Op::Check || order.op == Op::Peek {
            let verdict = case.judge(order.amount);
            let is_allowed = verdict.wait == 0 && *blocked <= time;
            if order.op == Op::Check {
                if is_allowed && order.amount > 0 {
                    case.take(order.amount, order.extra);
                } else if !is_allowed && self.block > 0 && *blocked <= time {
                    *blocked = time + self.block;
                }
            }
            return case.row(is_allowed, &verdict, *blocked, now);
        }
        let found = case.carry_out(order, blocked);
        let verdict = case.judge(1);
        let is_allowed = found.unwrap_or(verdict.wait == 0 && *blocked <= case.time);
        case.row(is_allowed, &verdict, *blocked, now)
    }
}

impl Case<'_> {
    /// The limit that restricts `cost` units most, and how long until they would pass by all limits.
    #[inline]
    fn judge(&mut self, cost: i64) -> Verdict {
        let (mut worst, mut wait, mut least) = (0, 0, i64::MAX);
        for (index, (rule, state)) in self.rules.iter().zip(self.states.iter_mut()).enumerate() {
            let free = rule.capacity - state.count(rule, self.time);
            if cost > free || rule.capacity == 0 {
                let is_never = cost > rule.capacity || rule.capacity == 0;
                let longer = if is_never { rule.window } else { state.wait(rule, self.time, cost) };
                if longer > wait {
                    (worst, wait) = (index, longer);
                }
            } else if wait == 0 && free < least {
                (worst, least) = (index, free);
            }
        }
        Verdict { worst, wait }
    }

    #[inline]
    fn take(&mut self, units: i64, id: i64) {
        for (rule, state) in self.rules.iter().zip(self.states.iter_mut()) {
            state.take(rule, self.time, units, id);
        }
    }

    /// Leaves nothing of a state that is over by the clock, as Redis does with a key of which nothing is left.
    fn settle(&mut self, index: usize, now: i64, blocked: i64) {
        let (rule, state) = (&self.rules[index], &mut self.states[index]);
        let held = if index == 0 { blocked } else { 0 };
        if state.ends(rule).max(held) <= now {
            *state = State::new(rule);
        }
    }

    /// Carries out what is no check, and says what became of a lease.
    fn carry_out(&mut self, order: Order, blocked: &mut i64) -> Option<bool> {
        match order.op {
            Op::Adjust => self.adjust(order, *blocked),
            Op::Reset => self.reset(order.now, blocked),
            Op::Block => {
                *blocked = if order.amount > 0 { self.time + order.amount } else { 0 };
                self.settle(0, order.now, *blocked);
            }
            _ => return Some(self.lease(order, *blocked)),
        }
        None
    }

    /// Penalties go up to twice the capacity, so that no number leaves its range and none lasts for ever.
    fn adjust(&mut self, order: Order, blocked: i64) {
        let units = order.amount;
        for index in 0..self.rules.len() {
            let (rule, state) = (&self.rules[index], &mut self.states[index]);
            if rule.capacity == 0 || rule.has_leases() {
                continue;
            }
            let room = 2 * rule.capacity - state.count(rule, self.time);
            if units < 0 {
                state.give(rule, self.time, -units, order.extra);
            } else if units > 0 && room > 0 {
                state.take(rule, self.time, units.min(room), 0);
            }
            self.settle(index, order.now, blocked);
        }
    }

    fn reset(&mut self, now: i64, blocked: &mut i64) {
        for (rule, state) in self.rules.iter().zip(self.states.iter_mut()) {
            *state = State::new(rule);
        }
        (self.time, *blocked) = (now, 0);
    }

    fn lease(&mut self, order: Order, blocked: i64) -> bool {
        let mut found = false;
        for index in 0..self.rules.len() {
            let (rule, state) = (&self.rules[index], &mut self.states[index]);
            if !rule.has_leases() {
                continue;
            }
            state.count(rule, self.time);
            found |= if order.op == Op::Release {
                state.release(order.amount, order.extra)
            } else {
                state.renew(rule, self.time, order.amount, order.extra)
            };
            self.settle(index, order.now, blocked);
        }
        found
    }

    #[inline]
    fn row(&mut self, allowed: bool, verdict: &Verdict, blocked: i64, now: i64) -> Row {
        let (rule, state) = (&self.rules[verdict.worst], &mut self.states[verdict.worst]);
        let used = state.count(rule, self.time);
        let wait = verdict.wait.max(blocked - self.time);
        Row {
            allowed,
            remaining: if blocked > self.time { 0 } else { (rule.capacity - used).max(0) },
            reset: state.ends(rule).max(blocked).max(self.time),
            retry: if allowed || wait == 0 { 0 } else { wait + self.time - now },
            used,
            limit: verdict.worst,
            at: self.time,
        }
    }
}
