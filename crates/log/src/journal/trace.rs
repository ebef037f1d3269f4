//! How much of a batch a file has already, for who does not know whether it was written.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Hindrance, Step};
use crate::file::identity::Identity;
use crate::file::lock::Attempt;
use crate::rotation::names;

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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Barrier;
    use std::thread;
    use std::time::{Duration, UNIX_EPOCH};

    use super::written;
    use crate::failure::Hindrance;
    use crate::file::identity::Identity;
    use crate::rotation::names;

    fn identity(path: &Path) -> Identity {
        Identity::of(&fs::metadata(path).expect("the file"))
    }

    #[test]
    fn what_is_there_counts_in_whole_lines_and_a_part_at_the_end_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.log");
        for (there, expected, rest) in [
            ("0\n", 0, "0\n"),
            ("0\n1\n", 2, "0\n1\n"),
            ("0\n1\n2", 2, "0\n1\n"),
            ("0\n1\n2\n", 4, "0\n1\n2\n"),
            ("0\n1\n2 of another\n", 2, "0\n1\n2 of another\n"),
            ("0\nof another\n", 0, "0\nof another\n"),
        ] {
            fs::write(&path, there).expect("a file");
            assert_eq!(written(&path, identity(&path), 2, b"1\n2\n"), Ok(expected), "{there:?}");
            assert_eq!(fs::read_to_string(&path).expect("its text"), rest);
        }
    }

    #[test]
    fn a_file_is_found_while_somebody_rotates_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.log");
        for round in 0..400 {
            fs::write(&path, "line\n").expect("a file");
            let file = identity(&path);
            let together = Barrier::new(2);
            let (name, _) = names::rotated(&path, UNIX_EPOCH + Duration::from_millis(round), None, |_| false);
            thread::scope(|scope| {
                scope.spawn(|| {
                    together.wait();
                    (0..round * 20).for_each(|_| std::hint::spin_loop());
                    fs::rename(&path, &name).expect("a rename");
                    fs::write(&path, "another\n").expect("a file");
                });
                together.wait();
                assert_eq!(written(&path, file, 0, b"line\n"), Ok(5), "round {round}");
            });
            // That others are there takes time to find out.
            if round >= 20 {
                fs::remove_file(name).expect("its removal");
            }
        }
    }

    #[test]
    fn nobody_waits_long_for_who_holds_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.log");
        fs::write(&path, "line\n").expect("a file");
        let holder = fs::File::open(&path).expect("the file");
        holder.lock().expect("its lock");
        assert_eq!(written(&path, identity(&path), 0, b"line\n"), Err(Hindrance::Busy));
        drop(holder);
        assert_eq!(written(&path, identity(&path), 0, b"line\n"), Ok(5));
    }
}
