//! The threads of a pool.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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
}

#[derive(Default)]
struct Queues {
    jobs: [VecDeque<Arc<Job>>; 3],
    closed: bool,
}

impl Shared {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self, job: Arc<Job>) {
        self.queues().jobs[job.priority()].push_back(job);
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
                return Some(job);
            }
            queues = self.ready.wait(queues).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(self: &Arc<Self>) {
        while let Some(job) = self.next() {
            if job.run() {
                self.queue(job);
            }
        }
        self.live.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// Starts `threads` threads.
    ///
    /// # Errors
    /// The system gives no more threads; those that started end again.
    pub fn new(threads: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared { queues: Mutex::default(), ready: Condvar::new(), live: AtomicUsize::new(0) });
        let pool = Self { shared };
        for index in 0..threads {
            let shared = Arc::clone(&pool.shared);
            Builder::new().name(format!("keelson-json-{index}")).spawn(move || shared.work())?;
            pool.shared.live.fetch_add(1, Ordering::Relaxed);
        }
        Ok(pool)
    }

    /// Looks at a job after something was pushed, ended or taken, and has it worked on if there is work.
    pub fn look(&self, job: &Arc<Job>) {
        if job.claim() {
            self.shared.queue(Arc::clone(job));
        }
    }

    /// Threads that have not ended.
    pub fn live(&self) -> usize {
        self.shared.live.load(Ordering::Relaxed)
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
