//! What was heard of a channel and was not fetched yet.

use std::collections::VecDeque;

use crate::failure::Failure;

/// Messages that wait at most.
pub const MAX_MESSAGES: usize = 64 * 1024;
/// Bytes of messages that wait at most, unless it is a single one.
pub const MAX_BYTES: usize = 64 << 20;

/// What becomes of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What is published from now on arrives.
    Subscribed,
    /// Something was published.
    Message(Vec<u8>),
    /// Messages may be missed from now on, until [`Event::Subscribed`].
    Lost(Failure),
}

/// Events in their order. Whoever fetches them too slowly is told of a loss instead of some of them.
#[derive(Default)]
pub(crate) struct Backlog {
    waiting: VecDeque<Event>,
    /// Of the messages that wait.
    bytes: usize,
    /// Whether the latest event but for messages was a loss.
    is_lost: bool,
    /// Whether it was when all was fetched last.
    was_lost: bool,
}

impl Backlog {
    /// Takes an event in; returns whether it is the first that waits.
    pub(crate) fn push(&mut self, event: Event) -> bool {
        let was_empty = self.waiting.is_empty();
        match event {
            // An attempt to mend it has failed, which is no other loss.
            Event::Lost(_) if self.is_lost => return false,
            Event::Lost(_) => self.is_lost = true,
            Event::Subscribed => self.is_lost = false,
            Event::Message(payload) if self.is_full(payload.len()) => {
                self.overflow();
                return false;
            }
            Event::Message(ref payload) => self.bytes += payload.len(),
        }
        self.waiting.push_back(event);
        was_empty
    }

    /// Gives all that waits.
    pub(crate) fn take_all(&mut self) -> VecDeque<Event> {
        self.bytes = 0;
        self.was_lost = self.is_lost;
        std::mem::take(&mut self.waiting)
    }

    fn is_full(&self, more: usize) -> bool {
        self.waiting.len() >= MAX_MESSAGES || self.bytes > 0 && self.bytes + more > MAX_BYTES
    }

    /// Forgets what waits, which is a loss that is over.
    fn overflow(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
        if !self.was_lost {
            self.waiting.push_back(Event::Lost(Failure::Overloaded));
        }
        self.waiting.push_back(Event::Subscribed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> Event {
        Event::Message(vec![0; length])
    }

    fn lost() -> Event {
        Event::Lost(Failure::connection("it is gone"))
    }

    fn after(events: impl IntoIterator<Item = Event>) -> (Backlog, Vec<bool>) {
        let mut backlog = Backlog::default();
        let firsts = events.into_iter().map(|event| backlog.push(event)).collect();
        (backlog, firsts)
    }

    const OVERFLOWN: [Event; 2] = [Event::Lost(Failure::Overloaded), Event::Subscribed];

    #[test]
    fn events_keep_their_order_and_the_first_is_told() {
        let events = [Event::Subscribed, message(3), lost(), Event::Subscribed, message(0)];
        let (mut backlog, firsts) = after(events.clone());
        assert_eq!(firsts, [true, false, false, false, false]);
        assert_eq!(backlog.take_all(), events);
        assert!(backlog.push(message(1)));
    }

    #[test]
    fn a_loss_is_one_however_often_it_cannot_be_mended() {
        let (mut backlog, firsts) = after([lost(), lost()]);
        assert_eq!(firsts, [true, false]);
        assert_eq!(backlog.take_all(), [lost()]);
        assert!(!backlog.push(lost()));
        assert!(backlog.push(Event::Subscribed));
        assert!(!backlog.push(lost()));
        assert_eq!(backlog.take_all(), [Event::Subscribed, lost()]);
    }

    #[test]
    fn too_many_messages_are_a_loss() {
        let (mut backlog, _) = after([Event::Subscribed]);
        backlog.take_all();
        for _ in 0..MAX_MESSAGES {
            backlog.push(message(1));
        }
        assert_eq!(backlog.waiting.len(), MAX_MESSAGES);
        assert!(!backlog.push(message(1)));
        backlog.push(message(2));
        let expected: Vec<Event> = OVERFLOWN.into_iter().chain([message(2)]).collect();
        assert_eq!(backlog.take_all(), expected);
    }

    #[test]
    fn too_many_bytes_are_a_loss_but_a_single_message_never_is() {
        let (mut backlog, _) = after([Event::Subscribed, message(MAX_BYTES + 1)]);
        assert_eq!(backlog.waiting.len(), 2);
        backlog.push(message(0));
        assert_eq!(backlog.take_all(), OVERFLOWN);
        backlog.push(message(MAX_BYTES));
        assert_eq!(backlog.take_all(), [message(MAX_BYTES)]);
    }

    #[test]
    fn who_knows_of_a_loss_is_told_that_it_is_over_and_no_more() {
        let (mut backlog, _) = after([lost()]);
        backlog.take_all();
        backlog.push(Event::Subscribed);
        for _ in 0..MAX_MESSAGES {
            backlog.push(message(1));
        }
        assert_eq!(backlog.take_all(), [Event::Subscribed]);
        backlog.push(lost());
        assert_eq!(backlog.take_all(), [lost()]);
    }
}
