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

    /// How long a line is with its number.
    pub(crate) fn length(&self, line: &[u8]) -> usize {
        if !is_object(line) {
            return line.len();
        }
        let digits = self.next.checked_ilog10().unwrap_or(0) as usize + 1;
        line.len() + r#","writer":"","sequence":"#.len() + self.writer.len() + digits
    }

    /// A line, which is an object of JSON with members and a line feed, with two more members.
    /// What is no object stays as it is.
    pub(crate) fn number(&mut self, line: &[u8]) -> Vec<u8> {
        if !is_object(line) {
            return line.to_vec();
        }
        let members = format!(",\"writer\":\"{}\",\"sequence\":{}", self.writer, self.next);
        self.next += 1;
        let mut numbered = Vec::with_capacity(line.len() + members.len());
        let (object, end) = line.split_at(line.len() - 2);
        for part in [object, members.as_bytes(), end] {
            numbered.extend_from_slice(part);
        }
        numbered
    }

    /// Gives the number of a line to none: who reads the others sees that it was dropped.
    pub(crate) fn skip(&mut self, line: &[u8]) {
        self.next += u64::from(is_object(line));
    }
}

fn is_object(line: &[u8]) -> bool {
    line.ends_with(b"}\n")
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn a_number_is_the_last_member() {
        let (mut numbers, other) = (Numbers::new(), Numbers::new());
        assert_ne!(numbers.writer, other.writer);
        for number in 0..=10 {
            let length = numbers.length(b"{\"a\":{}}\n");
            let line = String::from_utf8(numbers.number(b"{\"a\":{}}\n")).expect("text");
            assert_eq!(line.len(), length);
            assert_eq!(line, format!("{{\"a\":{{}},\"writer\":\"{}\",\"sequence\":{number}}}\n", numbers.writer));
        }
        numbers.skip(b"{}\n");
        assert_eq!((numbers.number(b"text\n"), numbers.length(b"text\n")), (b"text\n".to_vec(), 5));
        assert!(numbers.number(b"{}\n").ends_with(b":12}\n"));
    }
}
