//! Lines that wait to be written.

pub(crate) mod entry;
pub(crate) mod number;

use std::collections::VecDeque;
use std::mem;

use crate::queue::entry::Head;

/// Room that is kept when the queue has been emptied.
const KEPT_BYTES: usize = 1 << 20;

/// A line that waits. Its number is its place in the order of all lines since the beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) length: usize,
    /// Of one whose texts are there, to be put together by who writes it: who logs has other things to do.
    pub(crate) head: Option<Head>,
    /// When it came, in microseconds of the sink's clock.
    pub(crate) at: u64,
}

/// Lines in their order, within bounds.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Those that wait begin at `start`.
    bytes: Vec<u8>,
    start: usize,
    lines: VecDeque<Line>,
    max_bytes: usize,
    max_lines: usize,
    /// Bytes that a line takes beside its own.
    beside: usize,
    /// The number of the first line.
    first: u64,
}

impl Queue {
    pub(crate) fn new(max_bytes: usize, max_lines: usize, beside: usize) -> Self {
        let max_lines = max_lines.max(1);
        Self { bytes: Vec::new(), start: 0, lines: VecDeque::new(), max_bytes, max_lines, beside, first: 0 }
    }

    /// Whether a line of that length fits in an empty queue.
    pub(crate) fn could_fit(&self, length: usize) -> bool {
        length + self.beside <= self.max_bytes
    }

    /// Whether a line of that length fits beside those that are there.
    pub(crate) fn fits(&self, length: usize) -> bool {
        self.lines.len() < self.max_lines && self.room_taken() + length + self.beside <= self.max_bytes
    }

    /// Takes a line in that is made of these, or of its head and these.
    pub(crate) fn push(&mut self, texts: &[&[u8]], head: Option<Head>, at: u64) {
        let length = texts.iter().map(|text| text.len()).sum();
        if self.start > self.bytes.len() / 2 && self.bytes.len() + length > self.bytes.capacity() {
            // What is gone makes room.
            self.bytes.drain(..mem::take(&mut self.start));
        }
        for text in texts {
            self.bytes.extend_from_slice(text);
        }
        self.lines.push_back(Line { length, head, at });
    }

    /// Forgets the oldest lines until one of that length fits; returns how many, and of how many bytes.
    pub(crate) fn make_room(&mut self, length: usize) -> (u64, usize) {
        let (first, bytes) = (self.first, self.bytes());
        while !self.fits(length) && self.pop().is_some() {}
        (self.first - first, bytes - self.bytes())
    }

    fn pop(&mut self) -> Option<Line> {
        let line = self.lines.pop_front()?;
        self.first += 1;
        self.start += line.length;
        Some(line)
    }

    /// Moves lines from the front to where there are none, one at least and up to so many bytes in all. It takes no time
    /// that grows with them if these are all there are: who pushes may be waiting.
    pub(crate) fn take(&mut self, limit: usize, bytes: &mut Vec<u8>, lines: &mut VecDeque<Line>) {
        if self.start == 0 && self.bytes.len() <= limit {
            self.first += self.lines.len() as u64;
            mem::swap(&mut self.bytes, bytes);
            mem::swap(&mut self.lines, lines);
            return;
        }
        let (start, mut total) = (self.start, 0);
        while let Some(&Line { length, .. }) = self.lines.front() {
            if total > 0 && total + length > limit {
                break;
            }
            total += length;
            lines.extend(self.pop());
        }
        bytes.extend_from_slice(&self.bytes[start..start + total]);
        if self.lines.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT_BYTES);
            self.start = 0;
        }
    }

    /// Forgets all lines; returns how many.
    pub(crate) fn clear(&mut self) -> u64 {
        let count = self.lines.len() as u64;
        self.first += count;
        (self.bytes, self.lines, self.start) = (Vec::new(), VecDeque::new(), 0);
        count
    }

    /// The number of the first line, or of the next one where there is none.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The number of the next line.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// When the oldest line came.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.lines.front().map(|line| line.at)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Of the bytes that it may have.
    pub(crate) fn room_taken(&self) -> usize {
        self.bytes() + self.lines.len() * self.beside
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::Queue;

    #[derive(Clone, Debug)]
    enum Step {
        Push(Vec<u8>),
        Take(usize),
        Clear,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => proptest::collection::vec(any::<u8>(), 0..40).prop_map(Step::Push),
            2 => (0_usize..120).prop_map(Step::Take),
            1 => Just(Step::Clear),
        ];
        proptest::collection::vec(step, 0..200)
    }

    proptest! {
        /// Against a plain list of lines.
        #[test]
        fn keeps_lines_whole_and_in_order(steps in steps(), max_bytes in 48_usize..200, max_lines in 1_usize..12, beside in 0_usize..9) {
            let mut queue = Queue::new(max_bytes, max_lines, beside);
            let mut model: Vec<Vec<u8>> = Vec::new();
            let mut gone = 0_u64;
            for step in steps {
                match step {
                    Step::Push(line) => {
                        let (mut dropped, mut dropped_bytes) = (0, 0);
                        while model.len() >= max_lines || model.iter().map(|line| line.len() + beside).sum::<usize>() + line.len() + beside > max_bytes {
                            dropped_bytes += model.remove(0).len();
                            dropped += 1;
                        }
                        prop_assert_eq!(queue.fits(line.len()), dropped == 0);
                        prop_assert_eq!(queue.make_room(line.len()), (dropped, dropped_bytes));
                        gone += dropped;
                        queue.push(&[&line], None, gone);
                        model.push(line);
                    }
                    Step::Take(limit) => {
                        let (mut bytes, mut lines) = (Vec::new(), VecDeque::new());
                        queue.take(limit, &mut bytes, &mut lines);
                        let mut expected = Vec::new();
                        let mut count = 0;
                        while let Some(line) = model.first() {
                            if !expected.is_empty() && expected.len() + line.len() > limit {
                                break;
                            }
                            // An empty line is no reason to stop.
                            expected.extend(model.remove(0));
                            count += 1;
                        }
                        prop_assert_eq!(&bytes, &expected);
                        prop_assert_eq!(lines.len(), count);
                        prop_assert_eq!(lines.iter().map(|line| line.length).sum::<usize>(), bytes.len());
                        gone += count as u64;
                    }
                    Step::Clear => {
                        prop_assert_eq!(queue.clear(), model.len() as u64);
                        gone += model.len() as u64;
                        model.clear();
                    }
                }
                prop_assert_eq!(queue.first(), gone);
                prop_assert_eq!(queue.next(), gone + model.len() as u64);
                prop_assert_eq!(queue.bytes(), model.iter().map(Vec::len).sum::<usize>());
                prop_assert_eq!(queue.lines(), model.len());
            }
        }
    }
}
