//! Which entry goes when room is needed.

use super::ghost::Ghost;
use super::list::{List, Order};
use super::node::{MAX_FREQUENCY, NIL, Queue, Slab};

/// How the cache picks its victims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Policy {
    /// The entry that was not used for longest. Exact.
    #[default]
    Lru,
    /// Three FIFO queues (Yang et al., SOSP 2023): new keys pass a small probation queue, so that a scan does
    /// not wash out what is used often. A higher hit ratio on skewed traffic.
    S3Fifo,
}

/// The queues. Both policies share them: LRU uses `main` alone.
#[derive(Debug)]
pub(super) struct Queues {
    policy: Policy,
    main: List,
    small: List,
    main_length: usize,
    small_length: usize,
    /// Hashes of the keys that left probation unused.
    ghost: Ghost,
    capacity: usize,
}

impl Queues {
    pub(super) fn new(policy: Policy, capacity: usize) -> Self {
        Self {
            policy,
            main: List::EMPTY,
            small: List::EMPTY,
            main_length: 0,
            small_length: 0,
            ghost: Ghost::default(),
            capacity,
        }
    }

    /// The share of probation, of the bound or of what is stored, whichever is less.
    ///
    /// A cache bounded by weight holds fewer entries than its `capacity` says.
    fn small_share(&self) -> usize {
        ((self.main_length + self.small_length).min(self.capacity) / 10).max(1)
    }

    /// Adds a new entry.
    pub(super) fn insert(&mut self, slab: &mut Slab, slot: u32) {
        let known = self.policy == Policy::Lru || self.ghost.take(slab[slot].hash);
        self.push(slab, slot, if known { Queue::Main } else { Queue::Small });
    }

    fn push(&mut self, slab: &mut Slab, slot: u32, queue: Queue) {
        if queue == Queue::Main {
            self.main.push_front::<Order>(slab, slot);
            self.main_length += 1;
        } else {
            self.small.push_front::<Order>(slab, slot);
            self.small_length += 1;
        }
        slab[slot].set_queue(queue);
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, slab: &mut Slab, slot: u32) {
        if slab[slot].queue() == Queue::Main {
            self.main.remove::<Order>(slab, slot);
            self.main_length -= 1;
        } else {
            self.small.remove::<Order>(slab, slot);
            self.small_length -= 1;
        }
    }

    /// Notes a use.
    pub(super) fn touch(&mut self, slab: &mut Slab, slot: u32) {
        match self.policy {
            Policy::Lru if self.main.head == slot => {}
            Policy::Lru => {
                self.main.remove::<Order>(slab, slot);
                self.main.push_front::<Order>(slab, slot);
            }
            Policy::S3Fifo => {
                let frequency = (slab[slot].frequency() + 1).min(MAX_FREQUENCY);
                slab[slot].set_frequency(frequency);
            }
        }
    }

    /// The entry to evict, never `spared`; `None` when there is no other.
    pub(super) fn victim(&mut self, slab: &mut Slab, spared: u32) -> Option<u32> {
        match self.policy {
            Policy::Lru => {
                let tail = self.main.tail;
                let slot = if tail == spared && tail != NIL { slab[tail].order.prev } else { tail };
                (slot != NIL).then_some(slot)
            }
            Policy::S3Fifo => self.s3_victim(slab, spared),
        }
    }

    fn s3_victim(&mut self, slab: &mut Slab, spared: u32) -> Option<u32> {
        if self.main_length + self.small_length <= usize::from(spared != NIL) {
            return None;
        }
        // Ends: each turn evicts, lowers a frequency, or moves an entry to main for good.
        loop {
            let from_small = self.small_length >= self.small_share() || self.main_length == 0;
            let slot = if from_small && self.small_length > 0 { self.small.tail } else { self.main.tail };
            let frequency = slab[slot].frequency();
            if slab[slot].queue() == Queue::Small {
                if frequency > 1 || slot == spared {
                    self.remove(slab, slot);
                    slab[slot].set_frequency(0);
                    self.push(slab, slot, Queue::Main);
                    continue;
                }
                self.ghost.remember(slab[slot].hash, self.capacity.min(self.main_length + self.small_length));
                return Some(slot);
            }
            if frequency == 0 && slot != spared {
                return Some(slot);
            }
            self.main.remove::<Order>(slab, slot);
            self.main.push_front::<Order>(slab, slot);
            slab[slot].set_frequency(frequency.saturating_sub(1));
        }
    }

    /// Every slot, the one to keep longest first (exact for LRU; for S3-FIFO main goes before probation).
    pub(super) fn iter<'a>(&self, slab: &'a Slab) -> impl Iterator<Item = u32> + use<'a> {
        self.main.iter::<Order>(slab).chain(self.small.iter::<Order>(slab))
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.policy, self.capacity);
    }

    /// Checks the queues against the nodes.
    #[cfg(any(test, fuzzing))]
    pub(super) fn validate(&self, slab: &Slab) {
        for (queue, list, length) in
            [(Queue::Main, self.main, self.main_length), (Queue::Small, self.small, self.small_length)]
        {
            let slots: Vec<u32> = list.iter::<Order>(slab).collect();
            assert_eq!(slots.len(), length, "the length of {queue:?}");
            assert!(slots.iter().all(|slot| slab[*slot].queue() == queue), "a node knows its queue");
            assert_eq!(slots.last().copied().unwrap_or(NIL), list.tail, "the tail is last");
            for pair in slots.windows(2) {
                assert_eq!(slab[pair[1]].order.prev, pair[0], "links are symmetric");
            }
        }
        self.ghost.validate();
    }
}
