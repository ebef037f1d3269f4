//! The threads of a pool.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::Builder;

use super::job::Job;

/// A fixed number of threads that work on jobs in turns: of the highest priority first, among equals in their order.
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    queues: Mutex<Queues>,
    ready: Condvar,
    live: AtomicUsize,
    ended: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Queues {
    /// A job that nobody else holds any more is gone, and its memory with it, before its turn comes.
    jobs: [VecDeque<Weak<Job>>; 3],
    closed: bool,
}

impl Shared {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self, job: &Arc<Job>) {
        let mut queues = self.queues();
        if queues.closed {
            return;
        }
        queues.jobs[job.priority()].push_back(Arc::downgrade(job));
        drop(queues);
        self.ready.notify_one();
    }

    /// Waits for a job; `None` once the pool is closed.
    fn next(&self) -> Option<Arc<Job>> {
        let mut queues = self.queues();
        loop {
            if queues.closed {
                return None;
            }
            if let Some(job) = queues.jobs.iter_mut().find_map(VecDeque::pop_front) {
                match job.upgrade() {
                    Some(job) => return Some(job),
                    None => continue,
                }
            }
            queues = self.ready.wait(queues).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(self: &Arc<Self>) {
        while let Some(job) = self.next() {
            if job.run() {
                self.queue(&job);
            }
        }
        if self.live.fetch_sub(1, Ordering::AcqRel) == 1 {
            (self.ended)();
        }
    }
}

impl Pool {
    /// Starts `threads` threads. The last of them to end, once the pool is closed, calls `ended`.
    ///
    /// # Errors
    /// The system gives no more threads; those that started end again.
    pub fn new(threads: usize, ended: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        let pool = Self {
            shared: Arc::new(Shared {
                queues: Mutex::default(),
                ready: Condvar::new(),
                live: AtomicUsize::new(0),
                ended: Box::new(ended),
            }),
        };
        for index in 0..threads {
            let shared = Arc::clone(&pool.shared);
            // Before it starts, since it takes itself off.
            shared.live.fetch_add(1, Ordering::Relaxed);
            let started = Builder::new().name(format!("keelson-json-{index}")).spawn(move || shared.work());
            if let Err(error) = started {
                pool.shared.live.fetch_sub(1, Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(pool)
    }

    /// Looks at a job after something was pushed, ended or taken, and has it worked on if there is work.
    pub fn look(&self, job: &Arc<Job>) {
        if job.claim() {
            self.shared.queue(job);
        }
    }

    /// Threads that have not ended.
    pub fn live(&self) -> usize {
        self.shared.live.load(Ordering::Acquire)
    }

    /// Lets the threads end as soon as they have done their portion. What is queued stays undone.
    pub fn close(&self) {
        let mut queues = self.shared.queues();
        queues.closed = true;
        queues.jobs = Default::default();
        drop(queues);
        self.shared.ready.notify_all();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}
