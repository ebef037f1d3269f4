//! Numbers of lines, by which who reads them can tell that none is missing.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// Gives numbers, from 0 on.
pub(crate) struct Numbers {
    /// Tells these numbers from those of other processes, and of this one's before.
    writer: String,
    next: u64,
}

impl Numbers {
    pub(crate) fn new() -> Self {
        let random = RandomState::new().build_hasher().finish();
        Self { writer: format!("{random:016x}"), next: 0 }
    }

    /// A line, which is an object of JSON with members and a line feed, with two more members.
    /// What is no object stays as it is.
    pub(crate) fn number(&mut self, line: &[u8]) -> Vec<u8> {
        if !line.ends_with(b"}\n") {
            return line.to_vec();
        }
        let members = format!(",\"writer\":\"{}\",\"sequence\":{}", self.writer, self.next);
        self.next += 1;
        let mut numbered = Vec::with_capacity(line.len() + members.len());
        let (object, end) = line.split_at(line.len().saturating_sub(2));
        for part in [object, members.as_bytes(), end] {
            numbered.extend_from_slice(part);
        }
        numbered
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn a_number_is_the_last_member() {
        let (mut numbers, other) = (Numbers::new(), Numbers::new());
        assert_ne!(numbers.writer, other.writer);
        for number in 0..3 {
            let line = String::from_utf8(numbers.number(b"{\"a\":{}}\n")).expect("text");
            assert_eq!(line, format!("{{\"a\":{{}},\"writer\":\"{}\",\"sequence\":{number}}}\n", numbers.writer));
        }
    }
}
