//! A link to Redis, from any thread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;
use tokio::time::Instant;

use crate::call::{Call, Reply, Script};
use crate::counts::{Counts, add};
use crate::failure::Failure;
use crate::job::Job;
use crate::options::{Address, Options};
use crate::source::Source;
use crate::store::{Layout, Store};
use crate::subscription::{Subscription, subscribe};
use crate::thread::Thread;

/// Units that may be in flight at once on a link: about a second of what one Redis can do.
pub const MAX_IN_FLIGHT: usize = 100_000;

/// A batch of calls of one script. Both functions run on the link's thread.
pub trait Work: Send + 'static {
    /// The calls, asked for once.
    fn calls(&mut self, layout: Layout) -> Vec<Call>;

    /// What they came to, in their order; or why nothing is known about any of them. Called exactly once, whatever
    /// happens to the link.
    fn done(self: Box<Self>, outcome: Result<Vec<Result<Reply, Failure>>, Failure>);
}

/// How a batch is to be carried out.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// When it is done at the latest, connecting included.
    pub deadline: Instant,
    /// How many units it counts for.
    pub units: usize,
}

/// A link to a Redis. Connections are made and mended in the background until it is dropped.
pub struct Link {
    store: Arc<Store>,
    source: Arc<Source>,
    /// Subscriptions end with it.
    open: watch::Sender<()>,
    in_flight: Arc<AtomicUsize>,
    counts: Arc<Counts>,
    // Last, as what is above ends on it.
    thread: Arc<Thread>,
}

impl Link {
    /// Begins to connect.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn open(options: &Options) -> io::Result<Self> {
        let thread = Thread::get()?;
        let counts = Arc::new(Counts::default());
        let store = {
            let _inside = thread.handle().enter();
            Arc::new(Store::open(options, &counts))
        };
        let source = Arc::new(Source::new(options, &store));
        Ok(Self { store, source, open: watch::Sender::new(()), in_flight: Arc::default(), counts, thread })
    }

    /// Has a batch carried out.
    ///
    /// # Errors
    /// [`Failure::Overloaded`]; `work` is dropped then.
    pub fn submit(&self, script: &Arc<Script>, terms: Terms, work: impl Work) -> Result<(), Failure> {
        if self.in_flight.load(Ordering::Relaxed) + terms.units > MAX_IN_FLIGHT {
            return Err(Failure::Overloaded);
        }
        self.in_flight.fetch_add(terms.units, Ordering::Relaxed);
        add(&self.counts.batches, 1);
        let flight = Flight { work: Some(Box::new(work)), units: terms.units, in_flight: Arc::clone(&self.in_flight) };
        let (store, counts, script) = (Arc::clone(&self.store), Arc::clone(&self.counts), Arc::clone(script));
        self.thread.handle().spawn(async move { fly(flight, &store, &counts, &script, terms).await });
        Ok(())
    }

    /// Begins to listen to a channel, over a connection of its own. `wake` is called on the link's thread when there is
    /// something to take, unless it was for what is there already.
    #[must_use]
    pub fn subscribe(&self, channel: Vec<u8>, wake: impl Fn() + Send + Sync + 'static) -> Subscription {
        let _inside = self.thread.handle().enter();
        subscribe(Arc::clone(&self.source), channel, wake, self.open.subscribe())
    }

    /// Where the one server is that has all keys, while it is connected.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        self.store.address()
    }

    /// What the link did so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Units whose batch is not done.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How many servers are connected, and whether these are all that are needed.
    #[must_use]
    pub fn connected(&self) -> (usize, bool) {
        self.store.connected()
    }
}

/// A batch on its way, done when this is dropped at the latest.
struct Flight<W: Work> {
    work: Option<Box<W>>,
    units: usize,
    in_flight: Arc<AtomicUsize>,
}

impl<W: Work> Flight<W> {
    fn land(&mut self, outcome: Result<Vec<Result<Reply, Failure>>, Failure>) {
        let Some(work) = self.work.take() else { return };
        self.in_flight.fetch_sub(self.units, Ordering::Relaxed);
        work.done(outcome);
    }
}

impl<W: Work> Drop for Flight<W> {
    fn drop(&mut self) {
        self.land(Err(Failure::Closed));
    }
}

async fn fly<W: Work>(mut flight: Flight<W>, store: &Store, counts: &Counts, script: &Script, terms: Terms) {
    let calls = flight.work.as_mut().map_or_else(Vec::new, |work| work.calls(store.layout()));
    add(&counts.calls, calls.len());
    let outcome = Job { store, counts, script, calls: &calls, deadline: terms.deadline }.run().await;
    flight.land(Ok(outcome));
}
