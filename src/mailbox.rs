//! The way from other threads to JavaScript, for what cannot wait in a call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::wake::Waker;

/// What other threads have left and JavaScript has not fetched yet, in its order. Clones are of one mailbox.
pub(crate) struct Mailbox<T> {
    left: Arc<Mutex<VecDeque<T>>>,
    waker: Waker,
}

impl<T> Mailbox<T> {
    /// `waker` calls the function that fetches all there is.
    pub(crate) fn new(waker: Waker) -> Self {
        Self { left: Arc::default(), waker }
    }

    /// Leaves something, and has JavaScript called unless it was for what is there already.
    pub(crate) fn leave(&self, one: T) {
        let mut left = self.left();
        left.push_back(one);
        let is_first = left.len() == 1;
        drop(left);
        if is_first {
            self.waker.wake();
        }
    }

    /// Takes the first of what is there.
    pub(crate) fn take(&self) -> Option<T> {
        self.left().pop_front()
    }

    /// Takes all that is there.
    pub(crate) fn take_all(&self) -> VecDeque<T> {
        std::mem::take(&mut self.left())
    }

    fn left(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self { left: Arc::clone(&self.left), waker: self.waker.clone() }
    }
}
