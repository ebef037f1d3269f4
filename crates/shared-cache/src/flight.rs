//! Single flight: of all who miss a key at the same time one loads it, and the others wait for what it brings.
//!
//! What was loaded is as old as the beginning of its load. So when the key is written meanwhile (set, added to, deleted,
//! cleared, or removed with a tag), the load is overtaken: those who had joined it get what it brings, but it is not stored,
//! and who asks after the write begins a load anew. Evictions and expiry overtake nothing. When a tag is invalidated
//! meanwhile, and what was loaded turns out to carry it, it is not stored either, and those who joined after the invalidation
//! are told to begin again.

use std::sync::Arc;

use crate::cache::SharedCache;
use crate::flights::{Begun, Seat, Waiters};
use crate::shard::Outcome;
use crate::value::Value;

/// How a load ended, for those who waited for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// With a value.
    Loaded(Value),
    /// With an error.
    Failed(String),
    /// With nothing: its thread ended, or what it brings was invalidated. Begin again.
    Abandoned,
}

/// What became of what was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landed {
    /// It is stored.
    Stored {
        /// Which write it was.
        version: u64,
    },
    /// It is larger than what a shard may hold.
    TooLarge,
    /// The key was written, or a tag of it invalidated, since the load began. What is under the key was left alone.
    Overtaken,
}

/// What one who misses a key has to do.
pub enum Flight {
    /// Load it.
    Lead(LeadTicket),
    /// Wait for who does.
    Joined(Joined),
}

impl Flight {
    pub(crate) fn begin(cache: &Arc<SharedCache>, key: &[u16]) -> Self {
        let cache = Arc::clone(cache);
        let shard = cache.shard_of(key);
        let begun = cache.lock(shard).flights.begin(key);
        match begun {
            Begun::Lead(number) => Self::Lead(LeadTicket { cache, shard, key: key.into(), number, landed: false }),
            Begun::Joined(number, seat) => Self::Joined(Joined { cache, shard, number, seat }),
        }
    }
}

/// The right and the duty to load a key. When it is dropped, those who wait are told that the load was abandoned.
pub struct LeadTicket {
    cache: Arc<SharedCache>,
    shard: usize,
    key: Box<[u16]>,
    number: u64,
    landed: bool,
}

impl LeadTicket {
    /// Which load it is; no other of the key has the same.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Stores what was loaded, unless the load was overtaken, and tells those who wait.
    ///
    /// They are told on this thread, after all locks are given back.
    pub fn land(mut self, value: Value, ttl: Option<f64>, tags: &[&[u16]], now: f64) -> Landed {
        self.landed = true;
        // Made before the lock is taken, so that a panic gives the lock back before it tells anybody.
        let mut waiters = Waiters::default();
        let landed = {
            let mut shard = self.cache.lock(self.shard);
            let current = shard.flights.land(&self.key, self.number, tags, &mut waiters);
            match current.then(|| shard.set(&self.key, value.clone(), ttl, tags, now)) {
                Some(Outcome::Stored { version }) => Landed::Stored { version },
                Some(Outcome::TooLarge) => Landed::TooLarge,
                None => Landed::Overtaken,
            }
        };
        waiters.tell(&Landing::Loaded(value));
        landed
    }

    /// Tells those who wait that the load failed. What is under the key stays as it is.
    pub fn fail(mut self, message: &str) {
        self.end(&Landing::Failed(message.to_owned()));
    }

    fn end(&mut self, landing: &Landing) {
        self.landed = true;
        let mut waiters = Waiters::default();
        self.cache.lock(self.shard).flights.land(&self.key, self.number, &[], &mut waiters);
        waiters.tell(landing);
    }
}

impl Drop for LeadTicket {
    fn drop(&mut self) {
        if !self.landed {
            self.end(&Landing::Abandoned);
        }
    }
}

/// A place among those who wait for a load. Dropping it changes nothing: a callback is called all the same.
pub struct Joined {
    cache: Arc<SharedCache>,
    shard: usize,
    number: u64,
    seat: Arc<Seat>,
}

impl Joined {
    /// Which load it is that is waited for.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Has `callback` told how the load ended: once, on the thread that ends it, or here and now if it has ended already.
    /// Only the first callback counts.
    pub fn on_landing(&self, callback: Box<dyn FnOnce(Landing) + Send>) {
        self.seat.wait(callback);
    }

    /// Gives up waiting. False if the callback was called, or is just being called.
    pub fn cancel(&self) -> bool {
        self.cache.lock(self.shard).flights.leave(self.number, &self.seat);
        self.seat.cancel()
    }
}
