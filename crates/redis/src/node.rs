//! One server that is kept connected.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::select;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value, cmd};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::backoff::Backoff;
use crate::connect::Driver;
use crate::counts::{Counts, add};
use crate::failure::Failure;
use crate::options::Address;

/// A connection that lets calls time out gets a PING, and is replaced if that is not answered for so long. Replies
/// come in order: one to the PING tells that all that was asked before is answered.
const STALL: Duration = Duration::from_secs(2);
/// A connection that lived for so long is replaced at once; one that did not, after a wait.
const PROVEN: Duration = Duration::from_secs(1);

/// Makes a connection; how is what differs between kinds of servers.
pub(crate) trait Dial: Send + Sync + 'static {
    /// One attempt, which takes as long as it takes.
    fn dial(&self) -> impl Future<Output = Result<Dialed, Failure>> + Send;
    /// For an attempt.
    fn timeout(&self) -> Duration;
    /// What it is called that an attempt took longer.
    fn slow(&self) -> Failure;
}

/// A connection that was made.
pub(crate) struct Dialed {
    pub(crate) redis: MultiplexedConnection,
    pub(crate) driver: Driver,
    pub(crate) address: Address,
}

/// A server. Its connection is made and made anew in the background until this is dropped.
pub(crate) struct Node {
    state: watch::Receiver<State>,
    keeper: AbortHandle,
}

#[derive(Clone)]
enum State {
    Connecting,
    Up(Connection),
    /// The last attempt failed, and the next comes in a while.
    Down(Failure),
}

/// Commands go over this; clones are one connection.
#[derive(Clone)]
struct Connection {
    redis: MultiplexedConnection,
    address: Arc<Address>,
    signals: Arc<Signals>,
}

/// What users of a connection tell its keeper.
#[derive(Default)]
struct Signals {
    /// It is of no use.
    useless: AtomicBool,
    dropped: Notify,
    /// It did not answer in time.
    suspect: Notify,
}

impl Signals {
    fn drop_it(&self) {
        self.useless.store(true, Ordering::Relaxed);
        self.dropped.notify_one();
    }
}

impl Node {
    /// Begins to connect. Runs on the link's thread.
    pub(crate) fn new(dial: impl Dial, counts: Arc<Counts>) -> Arc<Self> {
        let (sender, state) = watch::channel(State::Connecting);
        let keeper = tokio::spawn(keep(dial, sender, counts)).abort_handle();
        Arc::new(Self { state, keeper })
    }

    /// Whether there is a connection now.
    pub(crate) fn is_up(&self) -> bool {
        matches!(&*self.state.borrow(), State::Up(_))
    }

    /// Where the server is that is connected now.
    pub(crate) fn address(&self) -> Option<Address> {
        if let State::Up(connection) = &*self.state.borrow() { Some((*connection.address).clone()) } else { None }
    }

    /// Sends commands, and returns their replies. Waits for a connection that is being made, but not for one that could
    /// not be made: whoever asks next may find it. Deadlines are the caller's to keep.
    ///
    /// What was sent when a connection is lost is not sent again: Redis may have carried it out.
    pub(crate) async fn send(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        let mut connection = self.connection().await?;
        let mut answered = Answered { signals: Arc::clone(&connection.signals), answered: false };
        let sent = connection.redis.send_packed_commands(commands, 0, commands.len()).await;
        answered.answered = true;
        sent.map_err(|error| {
            connection.signals.drop_it();
            Failure::of(&error)
        })
    }

    /// Has the connection replaced: it leads to a server that is not what it was.
    pub(crate) fn reconnect(&self) {
        if let State::Up(connection) = &*self.state.borrow() {
            connection.signals.drop_it();
        }
    }

    async fn connection(&self) -> Result<Connection, Failure> {
        let mut state = self.state.clone();
        loop {
            match &*state.borrow_and_update() {
                State::Up(connection) if !connection.signals.useless.load(Ordering::Relaxed) => {
                    return Ok(connection.clone());
                }
                State::Down(failure) => return Err(failure.clone()),
                _ => {}
            }
            state.changed().await.map_err(|_| Failure::Closed)?;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Makes a connection suspect unless it answers before this is dropped, as it is when a deadline has come.
struct Answered {
    signals: Arc<Signals>,
    answered: bool,
}

impl Drop for Answered {
    fn drop(&mut self) {
        if !self.answered {
            self.signals.suspect.notify_one();
        }
    }
}

/// Connects, carries what goes over the connection until it ends, and begins again.
async fn keep(dial: impl Dial, state: watch::Sender<State>, counts: Arc<Counts>) {
    let mut backoff = Backoff::new();
    loop {
        match timeout(dial.timeout(), dial.dial()).await.unwrap_or_else(|_| Err(dial.slow())) {
            Ok(dialed) => {
                add(&counts.connected, 1);
                let since = Instant::now();
                carry(dialed, &state).await;
                add(&counts.lost, 1);
                state.send_replace(State::Connecting);
                if since.elapsed() >= PROVEN {
                    backoff.reset();
                    continue;
                }
            }
            Err(failure) => drop(state.send_replace(State::Down(failure))),
        }
        sleep(backoff.next()).await;
    }
}

/// Returns when the connection has ended, or is of no use.
async fn carry(Dialed { redis, driver, address }: Dialed, state: &watch::Sender<State>) {
    let signals = Arc::new(Signals::default());
    let dropped = pin!(signals.dropped.notified());
    let stalled = pin!(stalled(redis.clone(), &signals));
    state.send_replace(State::Up(Connection { redis, address: Arc::new(address), signals: Arc::clone(&signals) }));
    select(driver, select(dropped, stalled)).await;
    signals.useless.store(true, Ordering::Relaxed);
}

/// Returns when a suspect connection did not answer.
async fn stalled(mut redis: MultiplexedConnection, signals: &Signals) {
    loop {
        signals.suspect.notified().await;
        // Any answer will do: it shows that something is there.
        if timeout(STALL, redis.send_packed_command(&cmd("PING"))).await.is_err() {
            return;
        }
    }
}
