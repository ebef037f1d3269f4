//! What was admitted for one key, and what must follow from it, by the plainest arithmetic.

use crate::rate_limit::{Algorithm, Limit, Op, Row};

/// Units and when they were taken; a lease's id and end.
#[derive(Clone, Copy, Debug)]
struct Event {
    time: i64,
    units: i64,
    id: i64,
}

/// The events of one limit.
#[derive(Clone, Debug)]
struct Page {
    limit: Limit,
    events: Vec<Event>,
    /// Of a bucket: its level in parts of a unit, as many as the window has microseconds; when that was so; and when
    /// it was full last.
    level: i128,
    time: i64,
    full: i64,
    /// When the last of the leases ended that nobody gave back.
    ended: i64,
}

pub(super) struct Book {
    pages: Vec<Page>,
    block: i64,
    pub(super) blocked: i64,
    /// The latest time that was seen.
    latest: i64,
}

impl Page {
    fn new(limit: Limit) -> Self {
        let level = i128::from(limit.capacity()) * i128::from(limit.window);
        Self { limit, events: Vec::new(), level, time: 0, full: 0, ended: 0 }
    }

    fn forget(&mut self) {
        *self = Self::new(self.limit);
    }

    fn is_bucket(&self) -> bool {
        matches!(self.limit.algorithm, Algorithm::TokenBucket | Algorithm::Gcra)
    }

    fn has_leases(&self) -> bool {
        self.limit.algorithm == Algorithm::Concurrency
    }

    fn brim(&self) -> i128 {
        i128::from(self.limit.capacity()) * i128::from(self.limit.window)
    }

    fn level_at(&self, at: i64) -> i128 {
        let flowed = i128::from(at - self.time) * i128::from(self.limit.quota);
        (self.level + flowed).min(self.brim())
    }

    fn sum(&self, counts: impl Fn(&Event) -> bool) -> i64 {
        self.events.iter().filter(|event| counts(event)).map(|event| event.units).sum()
    }

    /// When the fixed window of the last event began.
    fn start(&self) -> Option<i64> {
        self.events.iter().fold(None, |start, event| match start {
            Some(start) if event.time < start + self.limit.window => Some(start),
            _ => Some(event.time),
        })
    }

    fn used(&self, at: i64) -> i64 {
        let window = self.limit.window;
        match self.limit.algorithm {
            Algorithm::SlidingWindow => self.sum(|event| event.time > at - window),
            Algorithm::Concurrency => self.sum(|event| event.time > at),
            Algorithm::FixedWindow => match self.start() {
                Some(start) if at < start + window => self.sum(|event| event.time >= start),
                _ => 0,
            },
            Algorithm::SlidingWindowCounter => {
                let start = at.div_euclid(window) * window;
                let previous = self.sum(|event| (start - window..start).contains(&event.time));
                let faded = i128::from(previous) * i128::from(start + window - at);
                let whole = faded.div_euclid(i128::from(window)) + i128::from(faded % i128::from(window) > 0);
                self.sum(|event| event.time >= start) + whole as i64
            }
            Algorithm::TokenBucket | Algorithm::Gcra => {
                self.limit.capacity() - self.level_at(at).div_euclid(i128::from(window)) as i64
            }
        }
    }

    fn fits(&self, cost: i64, at: i64) -> bool {
        self.limit.capacity() > 0 && self.used(at) + cost <= self.limit.capacity()
    }

    fn add(&mut self, at: i64, units: i64, id: i64) {
        if units == 0 {
            return;
        }
        if self.is_bucket() {
            if self.level_at(at) == self.brim() {
                self.full = at;
            }
            self.level = self.level_at(at) - i128::from(units) * i128::from(self.limit.window);
            self.time = at;
        } else if self.has_leases() {
            self.lease(units, id, at);
        } else {
            self.events.push(Event { time: at, units, id });
        }
    }

    fn end_leases(&mut self, at: i64) {
        let over = self.events.iter().map(|event| event.time).filter(|end| *end <= at);
        self.ended = over.fold(self.ended, i64::max);
        self.events.retain(|event| event.time > at);
    }

    fn lease(&mut self, units: i64, id: i64, at: i64) {
        let end = at + self.limit.window;
        match self.events.iter_mut().find(|event| event.id == id && event.units == units) {
            Some(event) => event.time = event.time.max(end),
            None => self.events.push(Event { time: end, units, id }),
        }
    }

    fn give(&mut self, at: i64, units: i64, admitted: i64) {
        if self.is_bucket() {
            if self.level_at(at) < self.brim() && (admitted == 0 || admitted >= self.full) {
                self.level = (self.level_at(at) + i128::from(units) * i128::from(self.limit.window)).min(self.brim());
                self.time = at;
                if self.level == self.brim() {
                    self.forget();
                }
            }
            return;
        }
        let window = self.limit.window;
        let aligned = |time: i64| time.div_euclid(window) * window;
        let start = self.start();
        // A change leaves nothing of what is over.
        match self.limit.algorithm {
            Algorithm::SlidingWindow => self.events.retain(|event| event.time > at - window),
            Algorithm::SlidingWindowCounter => self.events.retain(|event| event.time >= aligned(at) - window),
            _ => self.events.retain(|event| start.is_some_and(|start| event.time >= start)),
        }
        let current = aligned(at);
        let counts = |time: i64| match self.limit.algorithm {
            Algorithm::SlidingWindow => admitted == 0 || time == admitted,
            Algorithm::FixedWindow => {
                start.is_some_and(|start| time >= start && at < start + window && (admitted == 0 || admitted >= start))
            }
            _ if admitted == 0 => time >= current - window,
            _ => aligned(time) == aligned(admitted).min(current) && time >= current - window,
        };
        let mut rest = units;
        for event in self.events.iter_mut().rev().filter(|event| counts(event.time)) {
            let given = rest.min(event.units);
            event.units -= given;
            rest -= given;
        }
        self.events.retain(|event| event.units > 0);
    }

    /// The first time from which on nothing counts.
    fn ends(&self) -> i64 {
        let window = self.limit.window;
        match self.limit.algorithm {
            Algorithm::SlidingWindow => self.events.iter().map(|event| event.time + window).max().unwrap_or(0),
            Algorithm::Concurrency => self.events.iter().map(|event| event.time).max().unwrap_or(0),
            Algorithm::FixedWindow => self.start().map_or(0, |start| start + window),
            Algorithm::SlidingWindowCounter => {
                self.events.iter().map(|event| event.time.div_euclid(window) * window + 2 * window).max().unwrap_or(0)
            }
            Algorithm::TokenBucket | Algorithm::Gcra if self.level == self.brim() => 0,
            Algorithm::TokenBucket | Algorithm::Gcra => {
                let (missing, quota) = (self.brim() - self.level, i128::from(self.limit.quota));
                self.time + ((missing + quota - 1) / quota) as i64
            }
        }
    }
}

impl Book {
    pub(super) fn new(limits: &[Limit], block: i64) -> Self {
        Self { pages: limits.iter().copied().map(Page::new).collect(), block, blocked: 0, latest: 0 }
    }

    pub(super) fn forget(&mut self) {
        self.pages.iter_mut().for_each(Page::forget);
        self.blocked = 0;
    }

    /// The first time from which on nothing of the key counts.
    pub(super) fn ends(&self) -> i64 {
        self.pages.iter().map(Page::ends).max().unwrap_or(0).max(self.blocked)
    }

    /// When the store looks whether the key is over: leases that have ended were filed, too.
    pub(super) fn due(&self) -> i64 {
        self.pages.iter().map(|page| page.ended).fold(self.ends(), i64::max)
    }

    /// Says what the operation should have come to, and writes down what it did.
    pub(super) fn judge(&mut self, op: Op, amount: i64, extra: i64, now: i64, row: &Row) {
        assert!(row.at >= now, "no decision is about the past");
        assert!(row.at == now || now < self.latest, "only a clock that goes back is not believed");
        self.latest = self.latest.max(now);
        // Once a lease was seen to be over, it is.
        for page in self.pages.iter_mut().filter(|page| page.has_leases()) {
            page.end_leases(row.at);
        }
        let cost = if op <= Op::Peek { amount } else { 1 };
        let found = if op > Op::Peek { self.carry_out(op, amount, extra, now, row) } else { None };
        let is_held = self.blocked > row.at;
        let fits = self.pages.iter().all(|page| page.fits(cost, row.at));
        assert_eq!(row.allowed, found.unwrap_or(fits && !is_held), "{op:?} of {amount}");
        let left = self.pages.iter().map(|page| page.limit.capacity() - page.used(row.at)).collect::<Vec<_>>();
        assert!(
            !fits || left.iter().all(|left_there| left[row.limit] <= *left_there),
            "the limit that has least left is told"
        );
        if op == Op::Check && row.allowed {
            self.pages.iter_mut().for_each(|page| page.add(row.at, amount, extra));
        } else if op == Op::Check && !is_held && self.block > 0 {
            self.blocked = row.at + self.block;
        }
        self.judge_row(cost, fits, now, row);
        self.judge_quotas(row.at);
    }

    fn carry_out(&mut self, op: Op, amount: i64, extra: i64, now: i64, row: &Row) -> Option<bool> {
        // A reset leaves no time to go by; a refund may. The time by which it was done is that of its answer, or later.
        let at = row.at;
        let blocked = self.blocked;
        match op {
            Op::Adjust => self.pages.iter_mut().for_each(|page| page.adjust(amount, extra, at)),
            Op::Reset => self.forget(),
            Op::Block => self.blocked = if amount > 0 { at + amount } else { 0 },
            _ => return Some(self.lease(op, amount, extra, at)),
        }
        for (index, page) in self.pages.iter_mut().enumerate() {
            let held = if index == 0 { self.blocked.max(blocked.min(self.blocked)) } else { 0 };
            let is_changed =
                op == Op::Adjust && !page.has_leases() && page.limit.capacity() > 0 || op == Op::Block && index == 0;
            if is_changed && page.ends().max(held) <= now {
                page.forget();
            }
        }
        None
    }

    fn lease(&mut self, op: Op, units: i64, id: i64, at: i64) -> bool {
        let mut found = false;
        for page in self.pages.iter_mut().filter(|page| page.has_leases()) {
            let Some(place) = page.events.iter().position(|event| event.id == id && event.units == units) else {
                continue;
            };
            found = true;
            page.ended = 0;
            if op == Op::Release {
                page.events.swap_remove(place);
            } else {
                page.lease(units, id, at);
            }
        }
        found
    }

    /// Everything in the answer but whether it is allowed.
    fn judge_row(&self, cost: i64, fits: bool, now: i64, row: &Row) {
        let page = &self.pages[row.limit];
        let capacity = page.limit.capacity();
        let is_held = self.blocked > row.at;
        assert_eq!(row.used, page.used(row.at), "what is used");
        let left = (capacity - row.used).max(0);
        assert_eq!(row.remaining, if is_held { 0 } else { left }, "what is left");
        let reset = page.ends().max(row.at).max(if is_held { self.blocked } else { 0 });
        assert_eq!(row.reset, reset, "when nothing counts any more");
        if row.allowed {
            assert_eq!(row.retry, 0, "who is allowed does not wait");
        } else if self.pages.iter().any(|page| cost > page.limit.capacity() || page.limit.capacity() == 0) {
            assert!(row.retry > 0, "what never passes waits for some time");
        } else if row.retry > 0 {
            self.judge_retry(cost, now + row.retry, row);
        } else {
            assert!(fits && !is_held, "who would not pass has to wait");
        }
    }

    /// The same passes then, and not before.
    fn judge_retry(&self, cost: i64, then: i64, row: &Row) {
        let passes = |at| self.blocked <= at && self.pages.iter().all(|page| page.fits(cost, at));
        assert!(passes(then), "it passes after the wait: {row:?}");
        assert!(!passes(then - 1), "it does not pass before: {row:?}");
    }

    /// However it came to this, no more counts than may: a penalty is twice the capacity at most.
    fn judge_quotas(&self, at: i64) {
        // When a clock goes back, so does what has flowed in or faded since.
        for page in self.pages.iter().filter(|_| at >= self.latest) {
            assert!(page.used(at) <= 2 * page.limit.capacity(), "no more is used than there may be");
        }
    }
}

impl Page {
    fn adjust(&mut self, units: i64, admitted: i64, at: i64) {
        let capacity = self.limit.capacity();
        if capacity == 0 || self.has_leases() {
            return;
        }
        if units < 0 {
            self.give(at, -units, admitted);
        } else {
            let room = 2 * capacity - self.used(at);
            self.add(at, units.min(room).max(0), 0);
        }
    }
}
