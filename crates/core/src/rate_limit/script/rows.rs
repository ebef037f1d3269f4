//! What the script's replies say.

use std::fmt;

use super::Keyspace;
use crate::rate_limit::operation::Row;

/// A reply that the script does not give: something else answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadReply;

impl fmt::Display for BadReply {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Redis answered a rate limiter's script with something else than its numbers")
    }
}

impl std::error::Error for BadReply {}

impl Keyspace {
    /// Reads the reply to a call of `count` checks, all of it integers, into a row a check, in the order of the call's.
    ///
    /// # Errors
    /// The reply is not one of this script to so many checks.
    pub fn rows(&self, reply: &[i64], count: usize) -> Result<Vec<Row>, BadReply> {
        let _ = (reply, count);
        Err(BadReply)
    }
}
