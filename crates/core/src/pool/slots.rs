//! The places for connections. Each state keeps its slots in the order of time, so that the first to be due is in
//! front: a timeout is the same for all.

use super::list::{Linked, Links, List};

/// Where a slot is on its way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Free,
    Opening,
    Idle,
    Lent,
    /// Lent for so long that it was reported.
    Leaked,
    Validating,
    Closing,
}

const STATES: usize = 7;

/// The lists of one state each.
const BY_STATE: usize = 0;
/// The list of idle slots by when they were known to be well.
const BY_HEALTH: usize = 1;

/// One place, and what is known of its connection.
#[derive(Debug)]
pub(super) struct Slot {
    state: State,
    links: [Links; 2],
    /// When it came into its state.
    entered: f64,
    /// When its connection was last used, or opened.
    pub(super) used: f64,
    /// When it was last known to be well.
    pub(super) checked: f64,
    pub(super) expires: f64,
    pub(super) uses: u32,
    /// The pool's count of evictions when opening began.
    pub(super) epoch: u32,
    /// The gate's count of failures when opening began.
    pub(super) wave: u32,
    /// The hash of the key that it was lent for last.
    pub(super) key: Option<u64>,
}

impl Slot {
    const FREE: Self = Self {
        state: State::Free,
        links: [Links::LOOSE; 2],
        entered: 0.0,
        used: 0.0,
        checked: 0.0,
        expires: f64::INFINITY,
        uses: 0,
        epoch: 0,
        wave: 0,
        key: None,
    };
}

/// What the lists run through.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<Slot>);

impl<const LANE: usize> Linked<LANE> for Table {
    fn links(&self, number: u32) -> Links {
        self.0[number as usize].links[LANE]
    }

    fn links_mut(&mut self, number: u32) -> &mut Links {
        &mut self.0[number as usize].links[LANE]
    }
}

/// All slots. There are as many as were ever in use at once.
#[derive(Debug)]
pub(super) struct Slots {
    table: Table,
    lists: [List<BY_STATE>; STATES],
    counts: [u32; STATES],
    healthy: List<BY_HEALTH>,
    /// No idle connection expires before this time.
    expiry: f64,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self {
            table: Table::default(),
            lists: [List::EMPTY; STATES],
            counts: [0; STATES],
            healthy: List::EMPTY,
            expiry: f64::INFINITY,
        }
    }

    pub(super) fn get(&self, slot: u32) -> &Slot {
        &self.table.0[slot as usize]
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Slot {
        &mut self.table.0[slot as usize]
    }

    /// The state of a slot; one that never was in use is free.
    pub(super) fn state(&self, slot: u32) -> State {
        self.table.0.get(slot as usize).map_or(State::Free, |slot| slot.state)
    }

    pub(super) fn count(&self, state: State) -> u32 {
        self.counts[state as usize]
    }

    pub(super) fn lent(&self) -> u32 {
        self.count(State::Lent) + self.count(State::Leaked)
    }

    /// Slots with an open connection that is not about to go.
    pub(super) fn live(&self) -> u32 {
        self.count(State::Idle) + self.lent() + self.count(State::Validating)
    }

    /// Slots in use.
    pub(super) fn taken(&self) -> u32 {
        self.table.0.len() as u32 - self.count(State::Free)
    }

    /// The slot that has been in `state` for longest, and since when; of idle ones that which is unused for longest.
    pub(super) fn first(&self, state: State) -> Option<(u32, f64)> {
        let slot = self.lists[state as usize].front()?;
        Some((slot, self.get(slot).entered))
    }

    /// The idle slot that was used last.
    pub(super) fn last_used(&self) -> Option<u32> {
        self.lists[State::Idle as usize].back()
    }

    /// The idle slot that was not known to be well for longest, and since when.
    pub(super) fn first_unchecked(&self) -> Option<(u32, f64)> {
        let slot = self.healthy.front()?;
        Some((slot, self.get(slot).checked))
    }

    /// The idle slot that was known to be well last.
    pub(super) fn healthiest(&self) -> Option<u32> {
        self.healthy.back()
    }

    pub(super) fn iter(&self, state: State) -> impl Iterator<Item = u32> {
        self.lists[state as usize].iter(&self.table)
    }

    /// No idle connection expires before this time.
    pub(super) fn expiry(&self) -> f64 {
        if self.count(State::Idle) == 0 { f64::INFINITY } else { self.expiry }
    }

    /// An idle connection that has expired by `now`. It looks at all of them, but only when one may have.
    pub(super) fn expired(&mut self, now: f64) -> Option<u32> {
        if self.expiry() > now {
            return None;
        }
        let first = self.iter(State::Idle).min_by(|&a, &b| self.get(a).expires.total_cmp(&self.get(b).expires))?;
        self.expiry = self.get(first).expires;
        (self.expiry <= now).then_some(first)
    }

    /// Takes a free slot into use, as opening. The one that is free for longest comes first: late reports on a slot
    /// that was given up then seldom meet another attempt.
    pub(super) fn begin(&mut self, now: f64) -> u32 {
        let slot = self.lists[State::Free as usize].front().unwrap_or_else(|| self.add());
        self.enter(slot, State::Opening, now);
        slot
    }

    fn add(&mut self) -> u32 {
        let slot = self.table.0.len() as u32;
        self.table.0.push(Slot::FREE);
        self.lists[State::Free as usize].push_back(&mut self.table, slot);
        self.counts[State::Free as usize] += 1;
        slot
    }

    /// Moves a slot to another state than idle.
    pub(super) fn enter(&mut self, slot: u32, state: State, now: f64) {
        self.leave(slot);
        let entry = self.get_mut(slot);
        (entry.state, entry.entered) = (state, now);
        self.counts[state as usize] += 1;
        self.lists[state as usize].push_back(&mut self.table, slot);
    }

    /// Makes a slot idle, in its place by when it was used. It must have been checked just now.
    pub(super) fn park(&mut self, slot: u32) {
        self.leave(slot);
        let entry = self.get_mut(slot);
        let used = entry.used;
        (entry.state, entry.entered) = (State::Idle, used);
        self.expiry = self.expiry().min(self.get(slot).expires);
        let last = self.last_used().map_or(f64::NEG_INFINITY, |last| self.get(last).used);
        let list = &mut self.lists[State::Idle as usize];
        if last <= used {
            list.push_back(&mut self.table, slot);
        } else {
            // One that was validated, and not used, has been idle for long most often: near the front.
            list.insert_sorted(&mut self.table, slot, |table, other| table.0[other as usize].used > used);
        }
        self.healthy.push_back(&mut self.table, slot);
        self.counts[State::Idle as usize] += 1;
    }

    fn leave(&mut self, slot: u32) {
        let state = self.get(slot).state;
        self.counts[state as usize] -= 1;
        self.lists[state as usize].remove(&mut self.table, slot);
        if state == State::Idle {
            self.healthy.remove(&mut self.table, slot);
        }
    }

    /// Checks that lists, counts and orders hold.
    #[cfg(any(test, fuzzing))]
    pub(super) fn validate(&self) {
        let all =
            [State::Free, State::Opening, State::Idle, State::Lent, State::Leaked, State::Validating, State::Closing];
        let mut seen = 0;
        for state in all {
            let slots: Vec<u32> = self.iter(state).collect();
            assert_eq!(slots.len() as u32, self.count(state), "the count of {state:?} slots is right");
            assert!(slots.iter().all(|&slot| self.state(slot) == state), "a slot is in the list of its state");
            assert!(slots.is_sorted_by_key(|&slot| self.get(slot).entered), "{state:?} slots are in order");
            seen += slots.len();
        }
        assert_eq!(seen, self.table.0.len(), "every slot is in one list");
        let healthy: Vec<u32> = self.healthy.iter(&self.table).collect();
        assert_eq!(healthy.len() as u32, self.count(State::Idle));
        assert!(healthy.iter().all(|&slot| self.state(slot) == State::Idle));
        assert!(healthy.is_sorted_by_key(|&slot| self.get(slot).checked), "the healthiest is last");
        assert!(self.iter(State::Idle).all(|slot| self.expiry <= self.get(slot).expires), "no expiry is missed");
    }
}
