//! How much of a batch a file has already, for who does not know whether it was written.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Step};
use crate::identity::Identity;
use crate::names;

/// The part at the end of the file from `offset` on that is the beginning of `bytes`, of the log or of one that was rotated
/// from it: how much of `bytes` it has in whole lines. Where nothing follows it, a line that is not whole is cut off.
pub(crate) fn written(log: &Path, identity: Identity, offset: u64, bytes: &[u8]) -> Result<usize, Failure> {
    for path in relatives(log)? {
        match written_in(&path, identity, offset, bytes) {
            Ok(None) => {}
            Ok(Some(length)) => return Ok(length),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::of(Step::Open, &path)(error)),
        }
    }
    Ok(0)
}

fn written_in(path: &Path, identity: Identity, offset: u64, bytes: &[u8]) -> io::Result<Option<usize>> {
    if Identity::of(&fs::metadata(path)?) != identity {
        return Ok(None);
    }
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    file.lock()?;
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

/// The file and those that were rotated, the newest first.
fn relatives(log: &Path) -> Result<Vec<PathBuf>, Failure> {
    let rotated = names::list(log).map_err(Failure::of(Step::Folder, names::folder(log)))?;
    Ok(std::iter::once(log.to_owned()).chain(rotated.into_iter().rev().map(|(.., file)| file)).collect())
}
