//! How much of a batch a file has already, for who does not know whether it was written.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Hindrance, Step};
use crate::identity::Identity;
use crate::lock::Attempt;
use crate::names;

/// The part at the end of the file from `offset` on that is the beginning of `bytes`, of the log or of one that was rotated
/// from it: how much of `bytes` it has in whole lines. Where nothing follows it, a line that is not whole is cut off.
pub(crate) fn written(log: &Path, identity: Identity, offset: u64, bytes: &[u8]) -> Result<usize, Hindrance> {
    let mut attempt = Attempt::new();
    while let Some(path) = find(log, identity)? {
        match written_in(&path, identity, offset, bytes, &mut attempt) {
            Ok(Some(length)) => return Ok(length),
            Ok(None) => return Err(Hindrance::Busy),
            // It has another name by now.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                attempt.is_elsewhere().map_err(Failure::of(Step::Open, &path))?;
            }
            Err(error) => return Err(Failure::of(Step::Open, &path)(error).into()),
        }
    }
    Ok(0)
}

/// The file's name: the log's, or a later one.
fn find(log: &Path, identity: Identity) -> Result<Option<PathBuf>, Failure> {
    let is_it = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| Identity::of(&found) == identity);
    // Looked at before the others are listed: where it is rotated in between it is among them.
    let path = log.to_owned();
    if is_it(&path) {
        return Ok(Some(path));
    }
    let rotated = names::list(log).map_err(Failure::of(Step::Folder, names::folder(log)))?;
    Ok(rotated.into_iter().rev().map(|(.., file)| file).find(is_it))
}

/// `None`: somebody holds its lock.
fn written_in(
    path: &Path,
    identity: Identity,
    offset: u64,
    bytes: &[u8],
    attempt: &mut Attempt,
) -> io::Result<Option<usize>> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    loop {
        // Whether it is the one that was found is certain only once it is locked, and that it stays it.
        match attempt.lock(&file)? {
            Some(true) if Identity::of(&file.metadata()?) == identity => break,
            Some(true) => return Err(ErrorKind::NotFound.into()),
            Some(false) => {}
            None => return Ok(None),
        }
    }
    let metadata = file.metadata()?;
    file.seek(SeekFrom::Start(offset))?;
    let mut found = Vec::new();
    (&file).take(bytes.len() as u64).read_to_end(&mut found)?;
    let same = found.iter().zip(bytes).take_while(|(one, other)| one == other).count();
    let whole = bytes[..same].iter().rposition(|&byte| byte == b'\n').map_or(0, |place| place + 1);
    if offset + same as u64 == metadata.len() && whole < same {
        file.set_len(offset + whole as u64)?;
    }
    Ok(Some(whole))
}
