//! The script that Redis runs, the calls of it that checks need, and what its replies say. No I/O.

mod plan;
mod rows;

pub use plan::{Grouping, MAX_KEYS, ScriptCall};
pub use rows::BadReply;

use super::algorithm;
use super::keys;
use super::limit::{Limit, LimitError, MAX_TIME, check_all};

/// The first line of every script: the time is Redis's own. Tests that hold time still exchange this line.
pub const TIME: &str = "local time = redis.call('TIME') local now = time[1] * 1000000 + time[2]\n";

/// The limits of a limiter in Redis: names of keys, the script, its calls.
#[derive(Debug)]
pub struct Keyspace {
    prefix: Vec<u8>,
    limits: Vec<Limit>,
    /// What stands between a key's bucket and the key, for each limit.
    marks: Vec<String>,
    source: String,
    /// The arguments that every call has.
    header: Vec<Vec<u8>>,
}

impl Keyspace {
    /// `block` is for how many microseconds a denied check blocks its key; 0: it does not.
    ///
    /// # Errors
    /// A limit is out of its range, or the prefix has an empty hash tag.
    pub fn new(prefix: &[u8], limits: &[Limit], block: i64) -> Result<Self, LimitError> {
        check_all(limits)?;
        if prefix.windows(2).any(|pair| pair == b"{}") {
            return Err(LimitError::Prefix);
        }
        Ok(Self {
            prefix: prefix.to_vec(),
            limits: limits.to_vec(),
            marks: keys::marks(limits),
            source: source(limits),
            header: header(limits, block.clamp(0, MAX_TIME)),
        })
    }

    /// The script for these limits, to be loaded as it is. Limiters with the same algorithms have the same.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Names of the Redis keys that hold the state of `key`, one a limit.
    #[must_use]
    pub fn names(&self, key: &[u8]) -> Vec<Vec<u8>> {
        let (tail, bucket) = (keys::tail(key), keys::bucket(key).to_string());
        let name = |mark: &String| {
            let parts = [&self.prefix, b"{".as_slice(), bucket.as_bytes(), mark.as_bytes(), tail.bytes()];
            parts.concat()
        };
        self.marks.iter().map(name).collect()
    }
}

/// The script of the algorithms of `limits`, each of them once and in one order.
fn source(limits: &[Limit]) -> String {
    let mut algorithms: Vec<&str> = limits.iter().map(|limit| algorithm::lua(limit.algorithm)).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    let (head, arithmetic) = (include_str!("head.lua"), include_str!("../arithmetic.lua"));
    let parts = [TIME, head, arithmetic].into_iter().chain(algorithms).chain([include_str!("driver.lua")]);
    parts.map(without_comments).collect()
}

/// The script as it is sent: comments are for who reads the files.
fn without_comments(text: &str) -> String {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("--"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn header(limits: &[Limit], block: i64) -> Vec<Vec<u8>> {
    let of = |limit: &Limit| {
        let numbers = [limit.window, limit.quota, limit.burst];
        [keys::letter(limit.algorithm).to_string()].into_iter().chain(numbers.map(|number| number.to_string()))
    };
    let counts = [block.to_string(), limits.len().to_string()];
    counts.into_iter().chain(limits.iter().flat_map(of)).map(String::into_bytes).collect()
}
