//! The one thread that all links of a process share.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread that resolves names or reads certificates ends after so long without such work.
const HELPER_LIFE: Duration = Duration::from_millis(200);

static THREAD: Mutex<Weak<Thread>> = Mutex::new(Weak::new());

/// Runs while somebody has it, and ends soon after.
pub(crate) struct Thread {
    handle: Handle,
    /// Dropped, it has the thread end.
    _running: oneshot::Sender<()>,
}

impl Thread {
    /// The thread, started if there is none.
    pub(crate) fn get() -> io::Result<Arc<Self>> {
        let mut place = THREAD.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = place.upgrade() {
            return Ok(thread);
        }
        let thread = Arc::new(Self::start()?);
        *place = Arc::downgrade(&thread);
        Ok(thread)
    }

    fn start() -> io::Result<Self> {
        let mut builder = Builder::new_current_thread();
        builder.enable_all().thread_name("keelson-redis-helper").thread_keep_alive(HELPER_LIFE);
        let runtime = builder.build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel();
        thread::Builder::new().name("keelson-redis".to_owned()).spawn(move || {
            _ = runtime.block_on(ended);
            // A helper can be stuck for half a minute in a name that does not resolve.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, _running: running })
    }

    /// For tasks.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}
