//! What the script's replies say: `driver.lua` tells their form.

use std::fmt;

use super::Keyspace;
use crate::rate_limit::operation::Row;

const ALLOWED: i64 = 1;
const OTHER_TIME: i64 = 2;
const BLOCKED: i64 = 4;
const LIMIT: i64 = 8;

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
        let mut numbers = reply.iter().copied();
        let rows = self.read(&mut numbers, count).ok_or(BadReply)?;
        if numbers.next().is_some() { Err(BadReply) } else { Ok(rows) }
    }

    fn read(&self, numbers: &mut impl Iterator<Item = i64>, count: usize) -> Option<Vec<Row>> {
        let now = numbers.next()?;
        (0..count).map(|_| self.row(numbers, now)).collect()
    }

    fn row(&self, numbers: &mut impl Iterator<Item = i64>, now: i64) -> Option<Row> {
        let flags = numbers.next()?;
        let limit = usize::try_from(flags / LIMIT).ok()?;
        let capacity = self.limits.get(limit)?.capacity();
        let (left, reset) = (numbers.next()?, numbers.next()?);
        let allowed = flags & ALLOWED != 0;
        let retry = if allowed { 0 } else { numbers.next()? };
        let later = if flags & OTHER_TIME == 0 { 0 } else { numbers.next()? };
        let remaining = if flags & BLOCKED == 0 { left.max(0) } else { 0 };
        let (reset, used, at) = (now.checked_add(reset)?, capacity.checked_sub(left)?, now.checked_add(later)?);
        Some(Row { allowed, remaining, reset, retry, used, limit, at })
    }
}
