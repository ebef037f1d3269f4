//! The standard output of the process, and its standard error.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Step};

/// Between attempts to write to a pipe that is full and does not let one wait.
const PAUSE: Duration = Duration::from_millis(1);
/// For how long an append tries, before its caller looks what else there is to do.
const PATIENCE: Duration = Duration::from_millis(50);

/// A stream that lines are written to.
pub(crate) struct Stream {
    name: PathBuf,
    file: Result<File, Failure>,
    /// Bytes of the next line that are written.
    begun: usize,
}

impl Stream {
    pub(crate) fn stdout() -> Self {
        Self::new("standard output", duplicate(&io::stdout()))
    }

    pub(crate) fn stderr() -> Self {
        Self::new("standard error", duplicate(&io::stderr()))
    }

    fn new(name: &str, file: io::Result<File>) -> Self {
        let name = PathBuf::from(name);
        let file = file.map_err(Failure::of(Step::Open, &name));
        Self { name, file, begun: 0 }
    }

    /// Writes lines of these lengths, as many as it comes to; returns how many are out as a whole. What is out of one that is
    /// not is not written again.
    pub(crate) fn append(&mut self, bytes: &[u8], lengths: &[usize]) -> (usize, Result<(), Failure>) {
        let mut out = self.begun;
        let outcome = match &self.file {
            Ok(file) => write(file, bytes, &mut out).map_err(Failure::of(Step::Write, &self.name)),
            Err(failure) => Err(failure.clone()),
        };
        let mut lines = 0;
        for length in lengths {
            if out < *length {
                break;
            }
            (lines, out) = (lines + 1, out - length);
        }
        self.begun = out;
        (lines, outcome)
    }
}

/// Writes `bytes` from `out` on.
fn write(mut file: &File, bytes: &[u8], out: &mut usize) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    while *out < bytes.len() {
        match file.write(&bytes[*out..]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => *out += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Node may have made it one that does not block.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if Instant::now() >= until {
                    return Ok(());
                }
                thread::sleep(PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn duplicate(stream: &impl std::os::fd::AsFd) -> io::Result<File> {
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn duplicate(stream: &impl std::os::windows::io::AsHandle) -> io::Result<File> {
    Ok(stream.as_handle().try_clone_to_owned()?.into())
}
