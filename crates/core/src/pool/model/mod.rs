//! A pool against the plainest book of what happened, for tests and fuzzing: the game makes random moves, lets the
//! [`Book`] judge each answer and each action, and has it look through everything after each move.

mod book;

use crate::choices::Choices;

use super::{Acquired, Action, Options, Pool};
use book::{At, Book};

/// Few milliseconds each, so that everything falls due within a game. Quarters are whole ticks of the wheel.
fn options(choices: &mut Choices) -> Options {
    let off = f64::INFINITY;
    let max = choices.of(&[3, 1, 2, 5]);
    let (backoff_min, backoff_max) = choices.of(&[(0.0, 0.0), (1.0, 8.0), (4.0, 4.0)]);
    Options {
        max,
        min: choices.of(&[0, 0, 1, 2, 5]).min(max),
        idle_timeout: choices.of(&[off, 2.0, 40.0]),
        max_lifetime: choices.of(&[off, 8.0, 100.0]),
        lifetime_jitter: 0.0,
        max_uses: choices.of(&[off, 1.0, 3.0]),
        lifo: choices.pick(2) == 0,
        validate_after: choices.of(&[off, 0.0, 3.0]),
        validate_timeout: choices.of(&[off, 2.0, 10.0]),
        probe_interval: choices.of(&[off, 5.0, 30.0]),
        leak_after: choices.of(&[off, 6.0]),
        max_queue: choices.of(&[off, 0.0, 1.0, 4.0]),
        max_opening: choices.of(&[u32::MAX, 1, 2]),
        open_timeout: choices.of(&[off, 3.0, 20.0]),
        backoff_min,
        backoff_max,
        fail_fast: choices.pick(2) == 1,
        failure_threshold: choices.of(&[1.0, 2.0, 3.0, off]),
        seed: choices.pick(256) as u64,
    }
}

struct Game<'a> {
    pool: Pool,
    book: Book,
    now: f64,
    choices: Choices<'a>,
}

/// Plays a game that `choices` decides, to its end.
///
/// # Panics
/// If the pool breaks a promise.
pub fn play(mut choices: Choices) {
    let options = options(&mut choices);
    let (pool, book) = (Pool::new(options.clone()), Book::new(options));
    let mut game = Game { pool, book, now: 0.0, choices };
    while !game.choices.0.is_empty() {
        game.turn();
    }
    game.serve_all();
    game.close_all();
}

impl Game<'_> {
    fn turn(&mut self) {
        match self.choices.pick(32) {
            0..=7 => self.acquire(),
            8..=12 => self.release(),
            13..=15 => self.opened(),
            16 | 17 => self.open_failed(),
            18 => self.validated(true),
            19 => self.validated(false),
            20 => self.discard(),
            21 | 22 => self.closed(),
            23 => self.cancel(),
            24 | 25 => self.now += self.choices.of(&[1.0, 0.25, 3.0, 10.0, 50.0]),
            26 | 27 => {
                self.go_to(self.pool.due());
                self.tick();
            }
            28 => self.tick(),
            _ => self.order(),
        }
    }

    /// Lets time go on to the very moment of `due`; backoff is random, and the rest of the game in quarters.
    fn go_to(&mut self, due: f64) {
        if due.is_finite() {
            self.now = self.now.max((due * 4.0).ceil() / 4.0);
        }
    }

    fn order(&mut self) {
        match self.choices.pick(16) {
            0 | 1 => {
                self.book.started = true;
                self.pool.start(self.now);
            }
            2 | 3 => {
                self.book.paused = !self.book.closed;
                self.pool.pause(self.now);
                return self.look();
            }
            4..=7 => self.resume(),
            8 | 9 => {
                self.book.evict();
                self.pool.evict(self.now);
            }
            10 => self.refuse(true),
            11..=14 => self.refuse(false),
            _ => self.close(),
        }
        self.look_for_openings();
    }

    fn acquire(&mut self) {
        self.book.now = self.now;
        let priority = self.choices.pick(3);
        let deadline = self.now + self.choices.of(&[f64::INFINITY, 0.0, 0.25, 2.0, 9.0, 60.0]);
        let key = match self.choices.pick(10) {
            0..4 => None,
            key => Some(key as u16),
        };
        let outcome = match key {
            None => self.pool.acquire(self.now, deadline, priority),
            Some(key) => self.pool.acquire_for(self.now, deadline, priority, &[key]),
        };
        self.book.acquired(outcome, deadline, priority, key);
        if let Acquired::Slot(_) = outcome { self.look() } else { self.look_for_openings() }
    }

    /// A slot in one of `states`, or now and then any number.
    fn slot(&mut self, states: &[At]) -> u32 {
        let fit = self.book.slots_in(states);
        let choice = self.choices.pick(64);
        if fit.is_empty() || choice == 63 { (choice % 8) as u32 } else { fit[choice % fit.len()] }
    }

    fn release(&mut self) {
        let slot = self.slot(&[At::Lent]);
        self.release_slot(slot);
    }

    fn release_slot(&mut self, slot: u32) {
        self.book.now = self.now;
        let ticket = self.pool.release(self.now, slot);
        if self.book.is(slot, &[At::Lent]) {
            self.book.conn(slot).used = self.now;
            self.book.offered(slot, ticket);
        } else {
            assert_eq!(ticket, None, "only what is lent is released");
        }
        self.look();
    }

    fn opened(&mut self) {
        let slot = self.slot(&[At::Opening]);
        self.open_slot(slot);
    }

    fn open_slot(&mut self, slot: u32) {
        self.book.now = self.now;
        let ticket = self.pool.opened(self.now, slot);
        if self.book.is(slot, &[At::Opening]) {
            self.book.opened(slot);
            self.book.offered(slot, ticket);
        } else {
            assert_eq!(ticket, None, "only what is opening opens");
        }
        self.look_for_openings();
    }

    fn open_failed(&mut self) {
        let slot = self.slot(&[At::Opening]);
        self.book.now = self.now;
        self.pool.open_failed(self.now, slot);
        if self.book.is(slot, &[At::Opening]) {
            self.book.failed(slot);
        }
        self.look_for_openings();
    }

    fn validated(&mut self, well: bool) {
        let slot = self.slot(&[At::Validating]);
        self.validate_slot(slot, well);
    }

    fn validate_slot(&mut self, slot: u32, well: bool) {
        self.book.now = self.now;
        let ticket = self.pool.validated(self.now, slot, well);
        if self.book.is(slot, &[At::Validating]) && well {
            self.book.offered(slot, ticket);
        } else {
            assert_eq!(ticket, None, "only what is well is lent");
            self.book.condemn(slot, &[At::Validating], super::Reason::Invalid);
        }
        self.look();
    }

    fn discard(&mut self) {
        let states = [At::Lent, At::Idle, At::Validating];
        let slot = self.slot(&states);
        self.book.now = self.now;
        self.pool.discard(self.now, slot);
        self.book.condemn(slot, &states, super::Reason::Broken);
        self.look_for_openings();
    }

    fn closed(&mut self) {
        let slot = self.slot(&[At::Closing]);
        self.close_slot(slot);
    }

    fn close_slot(&mut self, slot: u32) {
        self.book.now = self.now;
        self.pool.closed(self.now, slot);
        self.book.free(slot, &[At::Closing]);
        self.look_for_openings();
    }

    fn cancel(&mut self) {
        let tickets = self.book.tickets();
        let choice = self.choices.pick(64);
        let ticket = if tickets.is_empty() { choice as u32 } else { tickets[choice % tickets.len()] };
        let waited = self.pool.cancel(self.now, ticket);
        assert_eq!(waited, self.book.cancel(ticket), "only who waits gives up");
        self.look();
    }

    fn tick(&mut self) {
        self.book.now = self.now;
        self.pool.tick(self.now);
        self.look_for_openings();
        self.book.look_for_due(&self.pool);
    }

    fn resume(&mut self) {
        self.book.now = self.now;
        self.book.paused = false;
        self.pool.resume(self.now);
    }

    fn refuse(&mut self, refuse: bool) {
        self.book.refusing = refuse;
        self.pool.refuse(self.now, refuse);
    }

    fn close(&mut self) {
        self.book.close();
        self.pool.close(self.now);
    }

    /// Lets the book judge the actions, taken in portions, and then everything.
    fn look(&mut self) {
        self.book.now = self.now;
        let limit = 1 + self.choices.pick(3);
        loop {
            self.book.acknowledge();
            let actions: Vec<Action> = self.pool.take(limit).collect();
            for &action in &actions {
                self.book.carry_out(action);
            }
            if actions.len() < limit {
                break;
            }
        }
        self.pool.validate();
        self.book.look(&self.pool);
    }

    /// As `look`, after a move after which everything is opened that should be.
    fn look_for_openings(&mut self) {
        self.look();
        self.book.look_for_openings();
    }

    /// From here on everything goes well, so that everybody without a deadline has to be served.
    fn serve_all(&mut self) {
        self.resume();
        self.look_for_openings();
        self.refuse(false);
        self.look_for_openings();
        self.book.all_is_well = true;
        for _ in 0..10_000 {
            if self.book.tickets().is_empty() {
                return;
            }
            if !self.answer_all() {
                let due = self.pool.due();
                assert!(due.is_finite(), "somebody waits for nothing");
                self.go_to(due);
            }
            self.tick();
        }
        panic!("somebody waits for ever");
    }

    /// Reports success on all that is under way, and returns whether there was anything.
    fn answer_all(&mut self) -> bool {
        let slots = self.book.slots_in(&[At::Opening, At::Validating, At::Closing, At::Lent]);
        for &slot in &slots {
            match self.book.conn(slot).at {
                At::Opening => self.open_slot(slot),
                At::Validating => self.validate_slot(slot, true),
                At::Closing => self.close_slot(slot),
                At::Lent => self.release_slot(slot),
                At::Idle => {}
            }
        }
        !slots.is_empty()
    }

    fn close_all(&mut self) {
        self.close();
        self.look();
        while self.answer_all() {}
        self.tick();
        self.book.look_at_the_end(&self.pool);
    }
}
