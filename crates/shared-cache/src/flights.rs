//! The loads under way for the keys of a shard.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use foldhash::quality::RandomState;

use crate::flight::Landing;
use crate::sync::Mutex;

/// So many invalidations a load keeps in mind. After more it counts as overtaken, whatever its tags will be.
const MOST_INVALIDATED: usize = 32;

type Callback = Box<dyn FnOnce(Landing) + Send>;

/// Where one of those who wait for a load is told how it ended.
pub(crate) struct Seat(Mutex<Waiting>);

enum Waiting {
    /// Nothing came yet, neither landing nor callback.
    Neither,
    For(Callback),
    Landed(Landing),
    Over,
}

impl Seat {
    fn exchange(&self, change: impl FnOnce(Waiting) -> (Waiting, Option<(Callback, Landing)>)) {
        let call = {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let (next, call) = change(std::mem::replace(&mut *waiting, Waiting::Over));
            *waiting = next;
            call
        };
        if let Some((callback, landing)) = call {
            callback(landing);
        }
    }

    /// Tells how the load ended.
    pub(crate) fn land(&self, landing: Landing) {
        self.exchange(|waiting| match waiting {
            Waiting::For(callback) => (Waiting::Over, Some((callback, landing))),
            Waiting::Neither => (Waiting::Landed(landing), None),
            other => (other, None),
        });
    }

    /// Has `callback` told how the load ended, at once if it did.
    pub(crate) fn wait(&self, callback: Callback) {
        self.exchange(|waiting| match waiting {
            Waiting::Landed(landing) => (Waiting::Over, Some((callback, landing))),
            Waiting::Neither => (Waiting::For(callback), None),
            other => (other, None),
        });
    }

    /// Tells nobody any more; false if somebody was told.
    pub(crate) fn cancel(&self) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What the callback holds is dropped after the lock is given back.
        let before = std::mem::replace(&mut *waiting, Waiting::Over);
        drop(waiting);
        !matches!(before, Waiting::Over)
    }
}

struct Waiter {
    seat: Arc<Seat>,
    /// How many invalidations the load had in mind when this one joined.
    joined: usize,
}

#[derive(Default)]
struct Load {
    waiters: Vec<Waiter>,
    /// The tags that were invalidated since it began, in their order.
    invalidated: Vec<Box<[u16]>>,
}

/// Who leads, and who waits.
pub(crate) enum Begun {
    /// Nobody loads the key: who asked does, under this number.
    Lead(u64),
    /// Somebody does, under this number.
    Joined(u64, Arc<Seat>),
}

/// Those who wait for a load that has ended. To be dropped outside of all locks: whom nothing was told by then is told to
/// begin again, so that no panic leaves anybody waiting.
#[derive(Default)]
pub(crate) struct Waiters {
    /// Those to whom what was loaded is current.
    current: Vec<Arc<Seat>>,
    /// Those who joined after a tag of what was loaded had been invalidated.
    late: Vec<Arc<Seat>>,
}

impl Waiters {
    /// Tells those to whom it is current how the load ended.
    pub(crate) fn tell(mut self, landing: &Landing) {
        tell(std::mem::take(&mut self.current), landing);
    }
}

impl Drop for Waiters {
    fn drop(&mut self) {
        for seats in [&mut self.current, &mut self.late] {
            tell(std::mem::take(seats), &Landing::Abandoned);
        }
    }
}

fn tell(seats: Vec<Arc<Seat>>, landing: &Landing) {
    for seat in seats {
        // The panic hook has reported a callback that panics; the others are to be told all the same.
        let _ = catch_unwind(AssertUnwindSafe(|| seat.land(landing.clone())));
    }
}

/// The loads of a shard.
#[derive(Default)]
pub(crate) struct Flights {
    /// By key, the load that others may join and that may be stored: the key was not written since it began.
    current: HashMap<Box<[u16]>, u64, RandomState>,
    loads: HashMap<u64, Load, RandomState>,
    count: u64,
}

impl std::fmt::Debug for Flights {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Flights").field("loads", &self.loads.len()).finish_non_exhaustive()
    }
}

impl Flights {
    pub(crate) fn begin(&mut self, key: &[u16]) -> Begun {
        if let Some(number) = self.current.get(key)
            && let Some(load) = self.loads.get_mut(number)
        {
            let seat = Arc::new(Seat(Mutex::new(Waiting::Neither)));
            load.waiters.push(Waiter { seat: Arc::clone(&seat), joined: load.invalidated.len() });
            return Begun::Joined(*number, seat);
        }
        self.count += 1;
        self.current.insert(key.into(), self.count);
        self.loads.insert(self.count, Load::default());
        Begun::Lead(self.count)
    }

    /// The key is written: what is being loaded for it may be older.
    pub(crate) fn overtake(&mut self, key: &[u16]) {
        if !self.current.is_empty() {
            self.current.remove(key);
        }
    }

    pub(crate) fn overtake_all(&mut self) {
        self.current.clear();
    }

    /// A tag is invalidated: what is being loaded may carry it.
    pub(crate) fn invalidate(&mut self, tag: &[u16]) {
        let Self { current, loads, .. } = self;
        current.retain(|_, number| {
            let Some(load) = loads.get_mut(number) else { return false };
            load.invalidated.push(tag.into());
            load.invalidated.len() <= MOST_INVALIDATED
        });
    }

    /// Ends a load. Adds those who wait for it to `waiters`, and says whether what was loaded may be stored with `tags`.
    pub(crate) fn land(&mut self, key: &[u16], number: u64, tags: &[&[u16]], waiters: &mut Waiters) -> bool {
        let is_current = self.current.get(key) == Some(&number);
        if is_current {
            self.current.remove(key);
        }
        let Some(load) = self.loads.remove(&number) else { return false };
        let first_stale = load.invalidated.iter().position(|tag| tags.contains(&&**tag));
        for Waiter { seat, joined } in load.waiters {
            let late = first_stale.is_some_and(|at| at < joined);
            if late { waiters.late.push(seat) } else { waiters.current.push(seat) }
        }
        is_current && first_stale.is_none()
    }

    /// Takes one who waits out of a load, if it is still under way.
    pub(crate) fn leave(&mut self, number: u64, seat: &Arc<Seat>) {
        let Some(load) = self.loads.get_mut(&number) else { return };
        if let Some(at) = load.waiters.iter().position(|waiter| Arc::ptr_eq(&waiter.seat, seat)) {
            load.waiters.swap_remove(at);
        }
    }
}
