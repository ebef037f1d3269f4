//! A limiter in memory against a plain list of everything that was admitted, for tests and fuzzing: the game makes
//! random moves, has the [`Book`] judge each answer, and looks through the store after each move.

mod book;
mod known;

use crate::choices::Choices;

use super::store::MemoryLimiter;
use super::{Algorithm, Limit, Op, Row};
use book::Book;
use known::Known;

/// Keys of a game.
const KEYS: usize = 6;

/// A millisecond.
const MS: i64 = 1_000;

struct Game<'a> {
    limits: Vec<Limit>,
    limiter: MemoryLimiter,
    books: Vec<Book>,
    known: Known,
    now: i64,
    went_back: bool,
    /// Times of admissions, to be passed back.
    admitted: Vec<i64>,
    choices: Choices<'a>,
}

/// Plays a game that `choices` decides, to its end.
///
/// # Panics
/// If the limiter breaks a promise.
pub fn play(mut choices: Choices) {
    let count = choices.of(&[1, 1, 2, 3]);
    let limits: Vec<Limit> = (0..count).map(|_| limit(&mut choices)).collect();
    let block = choices.of(&[0, 0, 30, 250]) * MS;
    let most = choices.of(&[KEYS, 4, 2, 1]);
    let limiter = MemoryLimiter::new(&limits, block, most).expect("the limits are in their range");
    let books = (0..KEYS).map(|_| Book::new(&limits, block)).collect();
    // Late enough that nothing reaches back before the beginning of time.
    let now = 1_000_000 * MS + choices.pick(256) as i64;
    let mut game =
        Game { limits, limiter, books, known: Known::new(most), now, went_back: false, admitted: Vec::new(), choices };
    while !game.choices.0.is_empty() {
        game.turn();
    }
}

/// Few units and milliseconds each, so that everything fills up and ends within a game.
fn limit(choices: &mut Choices) -> Limit {
    use Algorithm::{Concurrency, FixedWindow, Gcra, SlidingWindow, SlidingWindowCounter, TokenBucket};
    let of = [SlidingWindow, SlidingWindowCounter, FixedWindow, TokenBucket, Gcra, Concurrency];
    Limit {
        algorithm: choices.of(&of),
        window: choices.of(&[100_000, 1_000, 99_991, 60_000, 1_000_003]),
        quota: choices.of(&[3, 0, 1, 2, 7, 50, 1_009]),
        burst: choices.of(&[3, 1, 2, 10, 100]),
    }
}

impl Game<'_> {
    fn turn(&mut self) {
        match self.choices.pick(32) {
            0..=15 => self.check(),
            16 | 17 => self.ask(Op::Peek, 0),
            18 => self.adjust(0),
            19 | 20 => self.give_back(),
            21 => self.ask(Op::Reset, 0),
            22 | 23 => self.block(),
            24 => self.ask(Op::Release, 0),
            25 => self.ask(Op::Renew, 0),
            26 => self.sweep(),
            27 => {
                self.now -= self.choices.of(&[1, MS, 40 * MS, 300 * MS]);
                self.went_back = true;
            }
            _ => self.now += self.choices.of(&[1, 333, MS, 7 * MS, 25 * MS, 50 * MS, 120 * MS, 5_000 * MS]),
        }
        self.limiter.validate(self.went_back);
    }

    fn check(&mut self) {
        let amount = self.amount();
        let id = self.choices.pick(8) as i64;
        let row = self.apply(Op::Check, amount, id);
        if row.allowed {
            self.admitted.push(row.at);
        }
    }

    fn amount(&mut self) -> i64 {
        self.choices.of(&[1, 1, 1, 2, 3, 0, 60])
    }

    /// Something about a lease that may be there.
    fn ask(&mut self, op: Op, extra: i64) {
        let amount = self.amount();
        let extra = if op >= Op::Release { self.choices.pick(8) as i64 } else { extra };
        self.apply(op, amount, extra);
    }

    fn adjust(&mut self, at: i64) {
        let units = self.choices.of(&[-1, -2, -50, 1, 2, 50]);
        self.apply(Op::Adjust, units, at);
    }

    fn give_back(&mut self) {
        if self.admitted.is_empty() {
            return;
        }
        let place = self.choices.pick(self.admitted.len().min(256));
        let at = self.admitted.swap_remove(place);
        let units = self.choices.of(&[-1, -2, -60]);
        self.apply(Op::Adjust, units, at);
    }

    fn block(&mut self) {
        let duration = self.choices.of(&[20, 0, 90, 500]) * MS;
        self.apply(Op::Block, duration, 0);
    }

    fn sweep(&mut self) {
        let before = self.limiter.keys();
        self.known.catch_up(self.now);
        self.limiter.sweep(self.now as f64, 100);
        self.look_for_losses(&before, None);
    }

    fn apply(&mut self, op: Op, amount: i64, extra: i64) -> Row {
        let key = self.choices.pick(KEYS);
        let (before, misses) = (self.limiter.keys(), self.limiter.stats().misses);
        self.known.catch_up(self.now);
        let row = self.limiter.apply(op, &[key as u16], amount as f64, extra as f64, self.now as f64);
        // What is gone is gone before the key is looked up, except to make room for the key.
        self.look_for_losses(&before, Some(key));
        if self.limiter.stats().misses > misses && before.contains(&key) {
            assert!(self.books[key].ends() <= self.now, "it was over");
            self.books[key].forget();
            self.known.forget(key);
        }
        self.books[key].judge(op, amount, extra, self.now, &row);
        self.judge_memory(op, key, &row);
        assert!(row.limit < self.limits.len(), "the limit is one of these");
        row
    }

    /// Whoever is not known any more was over, or had to make room.
    fn look_for_losses(&mut self, before: &[usize], key: Option<usize>) {
        let after = self.limiter.keys();
        let mut evicted = 0;
        for lost in before.iter().filter(|lost| !after.contains(lost)) {
            let is_own = key == Some(*lost);
            if self.books[*lost].ends() > self.now && !is_own {
                evicted += 1;
                // After a clock has gone back, what is over is found late.
                let due = |key: &usize| if self.went_back { i64::MAX - MS } else { self.books[*key].due() };
                self.known.judge_eviction(*lost, before, key, self.now, due);
            }
            if !is_own {
                self.books[*lost].forget();
                self.known.forget(*lost);
            }
        }
        assert!(evicted <= 1, "one key makes room for one");
    }

    /// A key is known as long as something of it counts, and no longer than that after a change.
    fn judge_memory(&mut self, op: Op, key: usize, row: &Row) {
        let is_known = self.limiter.keys().contains(&key);
        let book = &mut self.books[key];
        assert!(is_known || book.ends() <= self.now, "what counts is known");
        if op >= Op::Adjust {
            assert!(!is_known || book.ends() > self.now, "what does not count any more is forgotten");
        }
        if is_known {
            self.known.note(op, key, book.blocked, row, self.now);
        } else {
            book.forget();
            self.known.forget(key);
        }
    }
}
