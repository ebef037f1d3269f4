//! Newline-delimited JSON.

#[cfg(test)]
mod tests;

use memchr::memchr;

use super::fault::{Fault, Problem, Tally};
use super::scan::{Halt, Scanner, judge, skip_white};
use super::{Container, Limits, Sink};

/// What to do after a bad line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Goes on with the next line.
    Skip,
    /// Ends with the line's fault.
    Stop,
}

/// Is told the values of the lines, as children of the root, and which lines are not JSON.
pub trait LineSink: Sink {
    /// The line at `fault.line` is not one document; `position` counts from the start of the input.
    fn bad_line(&mut self, fault: &Fault) -> Flow;
}

/// Reads lines of one JSON document each, from pieces that may be cut anywhere, and tells a sink groups of them.
///
/// Lines end with `\n` or `\r\n`, the last one with the input. Those of nothing but white space are passed over.
#[derive(Debug)]
pub struct Lines {
    group_bytes: usize,
    /// For each line by itself.
    limits: Limits,
    max_bytes: Option<u64>,
    max_line_bytes: Option<u64>,
    fed: u64,
    /// The start of a line that has not ended.
    partial: Vec<u8>,
    /// The line that has not ended is too long and has been told.
    skipping: bool,
    /// Counts what was before the line that has not ended.
    before: Tally,
    /// Documents that have not been told, with commas between them.
    group: Vec<u8>,
    count: u32,
    fault: Option<Fault>,
}

impl Lines {
    /// Groups have at least `group_bytes` of text (1 to 2^30), the last one excepted.
    ///
    /// `limits.max_bytes` bounds the input, the other limits each line, `max_line_bytes` its length without `\n`.
    pub fn new(group_bytes: usize, limits: &Limits, max_line_bytes: Option<u64>) -> Self {
        Self {
            group_bytes: group_bytes.clamp(1, 1 << 30),
            limits: Limits { max_bytes: None, ..limits.clone() },
            max_bytes: limits.max_bytes,
            max_line_bytes,
            fed: 0,
            partial: Vec::new(),
            skipping: false,
            before: Tally::default(),
            group: Vec::new(),
            count: 0,
            fault: None,
        }
    }

    /// Goes on with `bytes`.
    ///
    /// # Errors
    /// The fault of the line at which the sink stops, or the input has more than `max_bytes`; from then on always
    /// the same one. The documents before it have been told.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut impl LineSink) -> Result<(), Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let room = self.max_bytes.map_or(u64::MAX, |max| max - self.fed);
        let allowed = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        self.fed += allowed as u64;
        self.take(&bytes[..allowed], sink)?;
        match self.max_bytes {
            Some(max) if allowed < bytes.len() => {
                let line = std::mem::take(&mut self.partial);
                self.end(Fault::new(Problem::Bytes(max), &line, line.len(), &self.before), sink)
            }
            _ => Ok(()),
        }
    }

    /// Tells the documents that wait for their group to fill.
    pub fn flush(&mut self, sink: &mut impl LineSink) {
        if self.count > 0 {
            sink.group(Container::Array, &self.group, self.count);
            self.group.clear();
            self.count = 0;
        }
    }

    /// The input ends, and with it the last line.
    ///
    /// # Errors
    /// The fault of the last line if the sink stops at it, or of one before.
    pub fn finish(&mut self, sink: &mut impl LineSink) -> Result<(), Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let line = std::mem::take(&mut self.partial);
        if !self.skipping {
            self.end_line(&line, sink)?;
        }
        self.flush(sink);
        Ok(())
    }

    fn take(&mut self, bytes: &[u8], sink: &mut impl LineSink) -> Result<(), Fault> {
        let Some(first) = memchr(b'\n', bytes) else { return self.wait(bytes, sink) };
        let mut start = 0;
        if !self.partial.is_empty() || self.skipping {
            self.wait(&bytes[..first], sink)?;
            let line = std::mem::take(&mut self.partial);
            if !self.skipping {
                self.end_line(&line, sink)?;
            }
            self.skipping = false;
            self.before.add(&line);
            self.before.add(b"\n");
            start = first + 1;
        }
        // Whole lines are counted together, when a fault wants to know and at the end.
        let mut counted = start;
        while let Some(length) = memchr(b'\n', &bytes[start..]) {
            let line = &bytes[start..start + length];
            if let Err(halt) = self.line(line, sink) {
                self.before.add(&bytes[counted..start]);
                counted = start;
                self.bad(line, halt, sink)?;
            }
            start += length + 1;
        }
        self.before.add(&bytes[counted..start]);
        self.wait(&bytes[start..], sink)
    }

    /// Keeps `bytes` of a line that has not ended, unless it is too long.
    fn wait(&mut self, bytes: &[u8], sink: &mut impl LineSink) -> Result<(), Fault> {
        if self.skipping {
            self.before.add(bytes);
            return Ok(());
        }
        self.partial.extend_from_slice(bytes);
        if self.fits(self.partial.len()).is_err() {
            self.skipping = true;
            let line = std::mem::take(&mut self.partial);
            self.end_line(&line, sink)?;
            self.before.add(&line);
        }
        Ok(())
    }

    /// One whole line that starts behind what `before` has counted.
    fn end_line(&mut self, line: &[u8], sink: &mut impl LineSink) -> Result<(), Fault> {
        self.line(line, sink).or_else(|halt| self.bad(line, halt, sink))
    }

    fn fits(&self, length: usize) -> Result<(), Halt> {
        match self.max_line_bytes {
            Some(max) if length as u64 > max => {
                Err(Halt { at: usize::try_from(max).unwrap_or(usize::MAX), problem: Problem::LineBytes(max) })
            }
            _ => Ok(()),
        }
    }

    /// Checks a line, and adds its document to the group.
    fn line(&mut self, line: &[u8], sink: &mut impl LineSink) -> Result<(), Halt> {
        self.fits(line.len())?;
        if skip_white(line, 0) == line.len() {
            return Ok(());
        }
        judge(line, &self.limits)?;
        if line.len() >= self.group_bytes {
            self.flush(sink);
            return self.slice(line, sink);
        }
        if self.count > 0 {
            self.group.push(b',');
        }
        self.group.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        self.count += 1;
        if self.group.len() >= self.group_bytes {
            self.flush(sink);
        }
        Ok(())
    }

    /// Tells a document of at least a group's size, which has been checked.
    fn slice(&self, line: &[u8], sink: &mut impl LineSink) -> Result<(), Halt> {
        let mut scanner = Scanner::new(self.group_bytes, &Limits::default());
        let told = scanner.feed(line, sink).and_then(|()| scanner.finish(sink));
        // It is JSON, but may have a string that nobody can have.
        told.map_err(|_| Halt { at: 0, problem: Problem::TooLong })
    }

    #[cold]
    fn bad(&mut self, line: &[u8], halt: Halt, sink: &mut impl LineSink) -> Result<(), Fault> {
        let fault = Fault::new(halt.problem, line, halt.at, &self.before);
        match sink.bad_line(&fault) {
            Flow::Skip => Ok(()),
            Flow::Stop => self.end(fault, sink),
        }
    }

    fn end(&mut self, fault: Fault, sink: &mut impl LineSink) -> Result<(), Fault> {
        self.flush(sink);
        self.fault = Some(fault.clone());
        Err(fault)
    }
}
