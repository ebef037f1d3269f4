//! The way of what is done from the thread of the links to JavaScript.

use std::sync::{Arc, Mutex, PoisonError};

use keelson_redis::{Call, Failure, Layout, Reply, Work};

use crate::wake::Waker;

/// What is done and was not yet fetched.
pub(crate) struct Mailbox {
    done: Mutex<Vec<Done>>,
    waker: Waker,
}

/// Something that is done.
pub(crate) struct Done {
    pub(crate) ticket: u32,
    pub(crate) outcome: Outcome,
}

/// What it came to.
pub(crate) enum Outcome {
    /// Numbers of checks, and why some of them failed.
    Rows(Vec<f64>, Option<Failure>),
    /// What a script returned.
    Reply(Result<Reply, Failure>),
}

impl Mailbox {
    pub(crate) fn new(waker: Waker) -> Arc<Self> {
        Arc::new(Self { done: Mutex::default(), waker })
    }

    /// Leaves something, and has JavaScript called unless it was for what is there already.
    pub(crate) fn leave(&self, ticket: u32, outcome: Outcome) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.push(Done { ticket, outcome });
        let is_first = done.len() == 1;
        drop(done);
        if is_first {
            self.waker.wake();
        }
    }

    /// All that is there.
    pub(crate) fn fetch(&self) -> Vec<Done> {
        std::mem::take(&mut self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One call of a script.
pub(crate) struct Run {
    pub(crate) ticket: u32,
    pub(crate) call: Call,
    pub(crate) mailbox: Arc<Mailbox>,
}

impl Work for Run {
    fn calls(&mut self, _layout: Layout) -> Vec<Call> {
        vec![std::mem::take(&mut self.call)]
    }

    fn done(self: Box<Self>, outcome: Result<Vec<Result<Reply, Failure>>, Failure>) {
        let reply = outcome.and_then(|mut replies| replies.pop().unwrap_or(Err(Failure::Closed)));
        self.mailbox.leave(self.ticket, Outcome::Reply(reply));
    }
}
