//! Limits in memory, with a bound on how many keys are known.
//!
//! A key is known from its first admission, penalty or block until nothing of it counts any more. When there are too
//! many, one goes whose time is over; else the least recently used of those that are not held; else, of the held
//! ones, the one that would be free first. A key is held while it is blocked, and after a denial until the same would
//! pass: a flood of other keys does not free it. The end of that counts as a use, a peek does not.

mod order;
mod shrink;
#[cfg(any(test, fuzzing))]
mod validate;

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::algorithm::State;
use super::decide::{Order as Request, Rules};
use super::limit::{Limit, LimitError};
use super::operation::{Op, Row};
use crate::cache::Text;
use crate::timer::Wheel;
use order::Order;

/// The most keys that a limiter can know, whatever it is told.
pub const MAX_KEYS: usize = 1 << 30;

/// Keys whose time may be over that one call looks at: enough to keep up with any rate at which they come, and a
/// bound on what one call can cost.
const SWEEP_PER_CALL: usize = 4;

/// Room for keys that is never given back.
const LEAST_ROOM: usize = 1024;

/// Microseconds in a tick of the wheel.
const TICK: i64 = 1_000;

#[derive(Debug)]
struct Node {
    text: Text,
    hash: u32,
    /// Whether it is a block that the key is held by.
    is_block: bool,
    /// The end of the block; 0 where there never was one.
    blocked: i64,
    /// Until when the key is held; 0: it is not, and in the order of use.
    held: i64,
}

/// What was counted since the limiter was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Keys known now.
    pub size: u64,
    /// Of these, the blocked ones.
    pub blocked: u64,
    /// Operations on keys that were known.
    pub hits: u64,
    /// Operations on keys that were not.
    pub misses: u64,
    /// Keys that went because there were too many.
    pub evictions: u64,
    /// Keys that went because nothing of them counted any more.
    pub expirations: u64,
}

/// A limiter in memory.
#[derive(Debug)]
pub struct MemoryLimiter {
    rules: Rules,
    max_keys: usize,
    hasher: RandomState,
    index: HashTable<u32>,
    nodes: Vec<Node>,
    /// Of each slot, one a limit.
    states: Vec<State>,
    free: Vec<u32>,
    order: Order,
    /// The held keys by when they are free.
    held: BTreeSet<(i64, u32)>,
    /// Known keys by when they may be over. What counts for longer by then is filed anew.
    wheel: Wheel,
    /// Before this nothing in `wheel` is due. What the wheel itself says it looks for among many keys.
    wheel_due: i64,
    /// Before this nothing in `wheel` and in `held` is due.
    due: i64,
    /// States for a key that is not known.
    spare: Vec<State>,
    stats: Stats,
}

impl MemoryLimiter {
    /// `block` is for how many microseconds a denied check blocks its key; 0: it does not. `max_keys` is at least 1.
    ///
    /// # Errors
    /// A limit is out of its range.
    pub fn new(limits: &[Limit], block: i64, max_keys: usize) -> Result<Self, LimitError> {
        let rules = Rules::new(limits, block)?;
        Ok(Self {
            max_keys: max_keys.clamp(1, MAX_KEYS),
            hasher: RandomState::default(),
            index: HashTable::new(),
            nodes: Vec::new(),
            states: Vec::new(),
            free: Vec::new(),
            order: Order::new(),
            held: BTreeSet::new(),
            wheel: Wheel::new(0, 0),
            wheel_due: i64::MAX,
            due: i64::MAX,
            spare: rules.blank().collect(),
            stats: Stats::default(),
            rules,
        })
    }

    /// Carries out `op` on `key` at `now`, in microseconds. The numbers are whole: see [`Op`].
    #[inline]
    pub fn apply(&mut self, op: Op, key: &[u16], amount: f64, extra: f64, now: f64) -> Row {
        let request = Request::new(op, amount, extra, now);
        if request.now >= self.due {
            self.catch_up(request.now, SWEEP_PER_CALL);
        }
        let hash = self.hasher.hash_one(key) as u32;
        match self.find(hash, key) {
            Some(slot) => self.apply_known(slot, request),
            None => self.apply_new(hash, key, request),
        }
    }

    #[inline]
    fn find(&self, hash: u32, key: &[u16]) -> Option<u32> {
        let is_it = |slot: &u32| {
            let node = &self.nodes[*slot as usize];
            node.hash == hash && node.text.equals(key)
        };
        self.index.find(spread(hash), is_it).copied()
    }

    #[inline]
    fn apply_known(&mut self, slot: u32, request: Request) -> Row {
        self.stats.hits += 1;
        let (place, count) = (slot as usize, self.rules.len());
        let node = &mut self.nodes[place];
        let row = self.rules.decide(&mut self.states[place * count..][..count], &mut node.blocked, request);
        if request.op != Op::Peek {
            let until = held_until(&row, node.blocked, request.now);
            if until != node.held {
                self.hold(slot, until, request.now);
            } else if until == 0 {
                self.order.touch(slot);
            }
            if request.op >= Op::Adjust {
                self.review(slot, request.now);
            }
        }
        row
    }

    /// A key that is not known is only kept if it is to be remembered.
    fn apply_new(&mut self, hash: u32, key: &[u16], request: Request) -> Row {
        self.stats.misses += 1;
        let mut blocked = 0;
        let row = self.rules.decide(&mut self.spare, &mut blocked, request);
        let ends = self.rules.ends(&self.spare).max(blocked);
        if ends > request.now {
            let slot = self.insert(hash, key, blocked, ends, request.now);
            let until = held_until(&row, blocked, request.now);
            if until > 0 {
                self.hold(slot, until, request.now);
            }
        }
        row
    }

    /// Makes a key known whose states are in `spare`.
    #[inline(never)]
    fn insert(&mut self, hash: u32, key: &[u16], blocked: i64, ends: i64, now: i64) -> u32 {
        if self.index.len() >= self.max_keys {
            self.evict(now);
        }
        let slot = self.claim(Node { text: Text::new(key), hash, is_block: false, blocked, held: 0 });
        self.index.insert_unique(spread(hash), slot, |slot| spread(self.nodes[*slot as usize].hash));
        self.order.push(slot);
        self.file(slot, ends);
        slot
    }

    /// A slot for `node` and the states of `spare`.
    fn claim(&mut self, node: Node) -> u32 {
        let count = self.rules.len();
        if let Some(slot) = self.free.pop() {
            let place = slot as usize;
            self.nodes[place] = node;
            for (to, from) in self.states[place * count..][..count].iter_mut().zip(&mut self.spare) {
                std::mem::swap(to, from);
            }
            return slot;
        }
        let slot = self.nodes.len() as u32;
        self.nodes.push(node);
        self.states.append(&mut self.spare);
        self.spare.extend(self.rules.blank());
        if slot >= self.wheel.capacity() {
            self.wheel.grow((2 * slot).max(64));
        }
        slot
    }

    /// Says when `slot` may be over.
    fn file(&mut self, slot: u32, ends: i64) {
        let tick = (ends + TICK - 1) / TICK;
        self.wheel.insert(slot, tick as u64);
        self.wheel_due = self.wheel_due.min(tick * TICK);
        self.due = self.due.min(self.wheel_due);
    }

    /// Holds a key until then, or where that is 0 puts it into the order of use.
    #[cold]
    fn hold(&mut self, slot: u32, until: i64, now: i64) {
        self.let_go(slot);
        if until == 0 {
            self.order.push(slot);
        } else {
            let node = &mut self.nodes[slot as usize];
            (node.held, node.is_block) = (until, until == node.blocked);
            self.stats.blocked += u64::from(node.is_block);
            self.held.insert((until, slot));
            self.due = self.due.min(until);
        }
        // A block may last longer than all else.
        let ends = self.ends(slot);
        if ends > now {
            self.file(slot, ends);
        }
    }

    /// Takes a key out of where it is: from among those held, or the order of use.
    fn let_go(&mut self, slot: u32) {
        let node = &mut self.nodes[slot as usize];
        let held = std::mem::take(&mut node.held);
        if held == 0 {
            return self.order.remove(slot);
        }
        self.held.remove(&(held, slot));
        self.stats.blocked -= u64::from(std::mem::take(&mut node.is_block));
    }

    /// From when on nothing of a key counts.
    fn ends(&self, slot: u32) -> i64 {
        let (place, count) = (slot as usize, self.rules.len());
        self.rules.ends(&self.states[place * count..][..count]).max(self.nodes[place].blocked)
    }

    /// Forgets a key of which nothing is left, or files it anew: it may be over earlier than it was.
    fn review(&mut self, slot: u32, now: i64) {
        let ends = self.ends(slot);
        if ends <= now {
            self.remove(slot);
        } else {
            self.file(slot, ends);
        }
    }

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats { size: self.index.len() as u64, ..self.stats }
    }

    /// A time before which `sweep` has nothing to do; infinite where nothing is known.
    #[must_use]
    pub fn due(&self) -> f64 {
        if self.due == i64::MAX { f64::INFINITY } else { self.due as f64 }
    }

    /// Looks at up to `limit` keys that may be over, and says how many of them were and are gone. Calls do so by
    /// themselves; this is for a limiter that is not called any more.
    pub fn sweep(&mut self, now: f64, limit: usize) -> usize {
        self.catch_up(now as i64, limit)
    }

    /// Forgets all keys, and gives their memory back.
    pub fn clear(&mut self) {
        self.index = HashTable::new();
        (self.nodes, self.states, self.free) = (Vec::new(), Vec::new(), Vec::new());
        (self.order, self.held) = (Order::new(), BTreeSet::new());
        (self.wheel, self.wheel_due, self.due) = (Wheel::new(0, 0), i64::MAX, i64::MAX);
        self.stats.blocked = 0;
    }

    /// Does what is due: frees keys that were held, and looks at up to `limit` keys that may be over.
    #[cold]
    fn catch_up(&mut self, now: i64, limit: usize) -> usize {
        while let Some((_, slot)) = self.held.first().copied().filter(|(end, _)| *end <= now) {
            self.let_go(slot);
            self.order.push(slot);
        }
        let removed = self.sweep_wheel(now, limit);
        self.due = self.held.first().map_or(self.wheel_due, |(end, _)| self.wheel_due.min(*end));
        removed
    }

    /// Looks at up to `limit` keys that may be over, and removes those that are.
    fn sweep_wheel(&mut self, now: i64, limit: usize) -> usize {
        let mut removed = 0;
        if now < self.wheel_due {
            return removed;
        }
        for _ in 0..limit {
            let mut found = None;
            self.wheel.advance((now / TICK) as u64, 1, |slot, _| found = Some(slot));
            let Some(slot) = found else { break };
            let ends = self.ends(slot);
            if ends <= now {
                self.remove(slot);
                self.stats.expirations += 1;
                removed += 1;
            } else {
                self.file(slot, ends);
            }
        }
        self.wheel_due = self.wheel.next_deadline().map_or(i64::MAX, |tick| tick as i64 * TICK);
        removed
    }

    /// Makes room for one key.
    fn evict(&mut self, now: i64) {
        while self.wheel_due <= now {
            if self.sweep_wheel(now, 1) > 0 {
                return;
            }
        }
        let victim = self.order.oldest().or_else(|| self.held.first().map(|(_, slot)| *slot));
        if let Some(slot) = victim {
            self.remove(slot);
            self.stats.evictions += 1;
        }
    }

    fn remove(&mut self, slot: u32) {
        let (place, count) = (slot as usize, self.rules.len());
        let node = &mut self.nodes[place];
        if let Ok(entry) = self.index.find_entry(spread(node.hash), |other| *other == slot) {
            entry.remove();
        }
        node.text = Text::new(&[]);
        self.let_go(slot);
        for (state, blank) in self.states[place * count..][..count].iter_mut().zip(self.rules.blank()) {
            *state = blank;
        }
        self.wheel.remove(slot);
        self.free.push(slot);
        if self.nodes.len() > LEAST_ROOM && self.index.len() < self.nodes.len() / 4 {
            self.shrink();
        }
    }
}

/// Until when a key is held after an operation; 0: it is not.
#[inline]
fn held_until(row: &Row, blocked: i64, now: i64) -> i64 {
    if blocked > row.at {
        blocked
    } else if row.allowed || row.retry == 0 {
        0
    } else {
        now + row.retry
    }
}

/// The hash as the table wants it, which reads its upper bits and its lower ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
