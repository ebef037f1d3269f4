//! What the owner is to do, in order.

use std::collections::VecDeque;

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Unused for too long.
    Idle = 1,
    /// Too old.
    Lifetime,
    /// Lent too often.
    Uses,
    /// Reported as broken.
    Broken,
    /// Its validation failed, or took too long.
    Invalid,
    /// It was there at an eviction.
    Evicted,
    /// The pool is closed.
    Closing,
}

/// Why an acquire gets no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The deadline has come.
    Timeout = 1,
    /// Too many wait.
    Full,
    /// No connection lives, and none can be opened.
    Unavailable,
    /// The pool is closed.
    Closed,
    /// The pool takes no new acquires.
    Refused,
}

/// Why a connection is validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Somebody waits for it.
    Borrow,
    /// It was idle for long.
    Probe,
}

/// Something that the owner of the connections is to do, or to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a connection for a slot.
    Create(u32),
    /// See whether a slot's connection is well.
    Validate(u32, Why),
    /// End a slot's connection.
    Close(u32, Reason),
    /// Give to a ticket the connection of a slot.
    Lend(u32, u32),
    /// Tell a ticket that it gets none.
    Reject(u32, Cause),
    /// A slot is lent for long.
    Leak(u32),
    /// Forget what is opening for a slot.
    Abandon(u32),
}

impl Action {
    /// The action as three numbers.
    #[must_use]
    pub fn numbers(self) -> [i32; 3] {
        let (kind, first, second) = match self {
            Self::Create(slot) => (1, slot, 0),
            Self::Validate(slot, why) => (2, slot, why as i32),
            Self::Close(slot, reason) => (3, slot, reason as i32),
            Self::Lend(ticket, slot) => (4, ticket, slot.cast_signed()),
            Self::Reject(ticket, cause) => (5, ticket, cause as i32),
            Self::Leak(slot) => (6, slot, 0),
            Self::Abandon(slot) => (7, slot, 0),
        };
        [kind, first.cast_signed(), second]
    }

    /// The ticket that the action settles.
    pub(super) fn settles(self) -> Option<u32> {
        match self {
            Self::Lend(ticket, _) | Self::Reject(ticket, _) => Some(ticket),
            _ => None,
        }
    }
}

/// The actions that nobody has taken yet.
pub(super) type Outbox = VecDeque<Action>;
