//! What a log writes to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::failure::{Failure, Hindrance};
use crate::file::LogFile;
use crate::file::batch::{Appended, Batch, Progress};
use crate::options::{FileOptions, Target};
use crate::rotation::tidy::Tidy;
use crate::sink::Sink;
use crate::stream::Stream;

/// A file with what was rotated from it, or a stream, which is never rotated.
pub(crate) enum Output {
    File(Box<Kept>),
    Stream(Stream),
}

/// A file that is rotated.
pub(crate) struct Kept {
    file: LogFile,
    options: FileOptions,
    tidy: Tidy,
}

impl Output {
    pub(crate) fn new(target: &Target) -> Self {
        match target {
            Target::File(options) => {
                let options = FileOptions::clone(options);
                Self::File(Box::new(Kept { file: LogFile::new(&options), options, tidy: Tidy::default() }))
            }
            Target::Stdout => Self::Stream(Stream::stdout()),
            Target::Stderr => Self::Stream(Stream::stderr()),
        }
    }

    pub(crate) fn append(&mut self, batch: &Batch, progress: &mut dyn Progress) -> (Appended, Result<(), Hindrance>) {
        match self {
            Self::File(kept) => kept.file.append(batch, progress),
            Self::Stream(stream) => {
                let (lines, outcome) = stream.append(batch.bytes, batch.lengths);
                (Appended { lines, ..Appended::default() }, outcome.map_err(Hindrance::from))
            }
        }
    }

    pub(crate) fn rotate(&mut self) -> Result<Option<PathBuf>, Hindrance> {
        self.file().map_or(Ok(None), LogFile::rotate)
    }

    /// Whether a file is rotated where that is due, or appended to all the same.
    pub(crate) fn let_rotate(&mut self, rotates: bool) {
        if let Some(file) = self.file() {
            file.let_rotate(rotates);
        }
    }

    /// Rotates a file whose period is over.
    pub(crate) fn turn(&mut self) -> Result<Option<PathBuf>, Hindrance> {
        self.file().map_or(Ok(None), LogFile::turn)
    }

    /// When to call `turn` next; `None`: never.
    pub(crate) fn next_turn(&self) -> Option<SystemTime> {
        match self {
            Self::File(kept) => kept.file.next_turn(),
            Self::Stream(_) => None,
        }
    }

    pub(crate) fn sync(&mut self) -> Result<(), Failure> {
        // A stream may be a pipe or a terminal, and has no disk then.
        self.file().map_or(Ok(()), LogFile::sync)
    }

    pub(crate) fn close(&mut self) {
        if let Some(file) = self.file() {
            file.close();
        }
    }

    /// Has rotated files taken care of.
    pub(crate) fn tidy(&self, sink: &Arc<Sink>) {
        if let Self::File(kept) = self {
            kept.tidy.ask(sink, &kept.options);
        }
    }

    pub(crate) fn file(&mut self) -> Option<&mut LogFile> {
        match self {
            Self::File(kept) => Some(&mut kept.file),
            Self::Stream(_) => None,
        }
    }
}
