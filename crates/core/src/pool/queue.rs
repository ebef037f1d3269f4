//! Who waits: a list for each priority, and a wheel of deadlines.

use super::list::{Linked, Links, List};
use crate::timer::{MAX_DEADLINE, Wheel};

/// Ticks of the wheel in a millisecond: fine enough that rounding up to a tick is no delay.
const TICKS: f64 = 16.0;
/// Tickets that there is room for at first.
const FIRST_ROOM: u32 = 64;

/// The priorities of an acquire, from high to low.
pub const PRIORITIES: usize = 3;

#[derive(Clone, Copy, Debug)]
struct Ticket {
    links: Links,
    priority: u8,
    waits: bool,
    /// The hash of the key that it asked for.
    key: Option<u64>,
}

#[derive(Debug, Default)]
struct Tickets(Vec<Ticket>);

impl Linked<0> for Tickets {
    fn links(&self, number: u32) -> Links {
        self.0[number as usize].links
    }

    fn links_mut(&mut self, number: u32) -> &mut Links {
        &mut self.0[number as usize].links
    }
}

/// The waiting acquires. A ticket that no longer waits keeps its number until it is freed.
#[derive(Debug)]
pub(super) struct Queue {
    tickets: Tickets,
    free: Vec<u32>,
    lists: [List<0>; PRIORITIES],
    deadlines: Wheel,
    /// No deadline is before this time.
    first_deadline: f64,
    len: u32,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            tickets: Tickets::default(),
            free: Vec::new(),
            lists: [List::EMPTY; PRIORITIES],
            deadlines: Wheel::new(FIRST_ROOM, 0),
            first_deadline: f64::INFINITY,
            len: 0,
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// No deadline is before this time.
    pub(super) fn first_deadline(&self) -> f64 {
        if self.deadlines.is_empty() { f64::INFINITY } else { self.first_deadline }
    }

    /// Appends to the list of a priority, and returns the ticket.
    pub(super) fn push(&mut self, deadline: f64, priority: usize, key: Option<u64>) -> u32 {
        let priority = priority.min(PRIORITIES - 1);
        let entry = Ticket { links: Links::LOOSE, priority: priority as u8, waits: true, key };
        let ticket = if let Some(ticket) = self.free.pop() {
            self.tickets.0[ticket as usize] = entry;
            ticket
        } else {
            self.tickets.0.push(entry);
            self.tickets.0.len() as u32 - 1
        };
        self.lists[priority].push_back(&mut self.tickets, ticket);
        self.len += 1;
        if deadline < f64::INFINITY {
            self.expect(ticket, deadline);
        }
        ticket
    }

    fn expect(&mut self, ticket: u32, deadline: f64) {
        // Rounded up, so that no timeout is early.
        let tick = (deadline * TICKS).ceil().min(MAX_DEADLINE as f64);
        if ticket >= self.deadlines.capacity() {
            self.deadlines.grow(self.deadlines.capacity() * 2);
        }
        self.deadlines.insert(ticket, tick as u64);
        self.first_deadline = self.first_deadline().min(tick / TICKS);
    }

    /// Takes out who is next, with the key asked for.
    pub(super) fn pop(&mut self) -> Option<(u32, Option<u64>)> {
        let ticket = self.lists.iter().find_map(List::front)?;
        self.remove(ticket);
        Some((ticket, self.tickets.0[ticket as usize].key))
    }

    /// Takes out a ticket, and returns whether it waited.
    pub(super) fn remove(&mut self, ticket: u32) -> bool {
        let Some(entry) = self.tickets.0.get_mut(ticket as usize).filter(|entry| entry.waits) else { return false };
        entry.waits = false;
        let priority = usize::from(entry.priority);
        self.lists[priority].remove(&mut self.tickets, ticket);
        self.deadlines.remove(ticket);
        self.len -= 1;
        true
    }

    /// Makes the number of a ticket that does not wait ready for another.
    pub(super) fn free(&mut self, ticket: u32) {
        self.free.push(ticket);
    }

    /// Takes out those whose deadline has come, by deadline, equal ones in the order of their coming.
    pub(super) fn expire(&mut self, now: f64, mut each: impl FnMut(u32)) {
        if self.first_deadline() > now {
            return;
        }
        let mut due = Vec::new();
        self.deadlines.advance((now * TICKS) as u64, usize::MAX, |ticket, _| due.push(ticket));
        for ticket in due {
            self.remove(ticket);
            each(ticket);
        }
        self.first_deadline = self.deadlines.next_deadline().map_or(f64::INFINITY, |tick| tick as f64 / TICKS);
    }

    /// Checks that lists, count and deadlines hold.
    #[cfg(any(test, fuzzing))]
    pub(super) fn validate(&self) {
        let mut seen = 0;
        for (priority, list) in self.lists.iter().enumerate() {
            for ticket in list.iter(&self.tickets) {
                let entry = &self.tickets.0[ticket as usize];
                assert!(entry.waits && usize::from(entry.priority) == priority, "a ticket is in its own list");
                seen += 1;
            }
        }
        assert_eq!(seen, self.len, "the count of those who wait is right");
        self.deadlines.validate();
        for ticket in 0..self.tickets.0.len() as u32 {
            let deadline = self.deadlines.deadline(ticket);
            assert!(deadline.is_none() || self.tickets.0[ticket as usize].waits, "only who waits has a deadline");
            assert!(deadline.is_none_or(|tick| self.first_deadline <= tick as f64 / TICKS), "no deadline is missed");
        }
        let free: std::collections::HashSet<_> = self.free.iter().collect();
        assert_eq!(free.len(), self.free.len(), "no number is free twice");
        assert!(self.free.iter().all(|&ticket| !self.tickets.0[ticket as usize].waits));
    }
}
