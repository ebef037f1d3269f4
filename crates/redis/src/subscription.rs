//! A channel that is listened to, over a connection of its own.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::select;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::backlog::{Backlog, Event};
use crate::backoff::Backoff;
use crate::ear::Ear;
use crate::failure::Failure;
use crate::options::Address;
use crate::source::Source;

/// A connection that lived for so long is replaced at once; one that did not, after a wait.
const PROVEN: Duration = Duration::from_secs(1);

/// Listens until it is dropped, or the link is.
pub struct Subscription {
    backlog: Arc<Mutex<Backlog>>,
    keeper: AbortHandle,
}

impl Subscription {
    /// All that has happened since the last time.
    #[must_use]
    pub fn take_all(&self) -> VecDeque<Event> {
        lock(&self.backlog).take_all()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

fn lock(backlog: &Mutex<Backlog>) -> MutexGuard<'_, Backlog> {
    backlog.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to listen. Runs on the link's thread. `wake` is called when there is something to take, unless it was for what
/// is there already. It ends with the sender of `open`.
pub(crate) fn subscribe(
    source: Arc<Source>,
    channel: Vec<u8>,
    wake: impl Fn() + Send + Sync + 'static,
    mut open: watch::Receiver<()>,
) -> Subscription {
    let backlog = Arc::<Mutex<Backlog>>::default();
    let teller = Teller { backlog: Arc::clone(&backlog), wake };
    let keeper = tokio::spawn(async move {
        let kept = pin!(keep(&source, &channel, &teller));
        let closed = pin!(open.changed());
        select(kept, closed).await;
    });
    Subscription { backlog, keeper: keeper.abort_handle() }
}

/// Tells what happens; dropped, that nothing will any more.
struct Teller<W: Fn()> {
    backlog: Arc<Mutex<Backlog>>,
    wake: W,
}

impl<W: Fn()> Teller<W> {
    fn tell(&self, event: Event) {
        let is_first = lock(&self.backlog).push(event);
        if is_first {
            (self.wake)();
        }
    }
}

impl<W: Fn()> Drop for Teller<W> {
    fn drop(&mut self) {
        self.tell(Event::Lost(Failure::Closed));
    }
}

/// Connects, listens until the connection ends, and begins again.
async fn keep(source: &Source, channel: &[u8], teller: &Teller<impl Fn()>) {
    let mut backoff = Backoff::new();
    let mut last = None;
    loop {
        match timeout(source.timeout(), connect(source, channel, &mut last)).await.unwrap_or_else(|_| Err(slow())) {
            Ok((ear, address)) => {
                teller.tell(Event::Subscribed);
                let since = Instant::now();
                let failure = stay(source, ear, &address, teller).await;
                teller.tell(Event::Lost(failure));
                if since.elapsed() >= PROVEN {
                    backoff.reset();
                    continue;
                }
            }
            Err(failure) => teller.tell(Event::Lost(failure)),
        }
        sleep(backoff.next()).await;
    }
}

/// One attempt; `last` is where the one before led, and then where this one does.
async fn connect(source: &Source, channel: &[u8], last: &mut Option<Address>) -> Result<(Ear, Address), Failure> {
    let address = source.address(last.as_ref()).await?;
    *last = Some(address.clone());
    let mut ear = source.connect(&address).await?;
    ear.subscribe(channel).await?;
    Ok((ear, address))
}

fn slow() -> Failure {
    Failure::connection("connecting took too long")
}

/// Listens; returns why that is no use any more.
async fn stay(source: &Source, ear: Ear, address: &Address, teller: &Teller<impl Fn()>) -> Failure {
    let listening = pin!(ear.listen(|payload| teller.tell(Event::Message(payload))));
    let leaving = pin!(source.left(address));
    select(listening, leaving).await.factor_first().0
}
