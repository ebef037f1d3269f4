//! Snapshots in files.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Restored, SnapshotError, read, write};
use crate::cache::SharedCache;

/// Numbers the files that this process makes, so that threads do not write to each other's.
static FILES: AtomicU64 = AtomicU64::new(0);

fn temporary(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path names no file"))?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.{}.tmp", std::process::id(), FILES.fetch_add(1, Ordering::Relaxed)));
    Ok(path.with_file_name(temporary))
}

/// Writes a snapshot to a file, and returns how many entries it has. At no time is there less than a whole snapshot under
/// `path` if there was one before: it is written beside it, synced, and renamed.
///
/// # Errors
///
/// What the system says; then what was there is still there.
pub fn save(cache: &SharedCache, path: &Path, now: f64) -> io::Result<usize> {
    let temporary = temporary(path)?;
    let saved = write_file(cache, &temporary, now).and_then(|count| {
        fs::rename(&temporary, path)?;
        Ok(count)
    });
    if saved.is_err() {
        // The first error is the one to tell; a file that was not even made cannot be removed.
        let _ = fs::remove_file(&temporary);
    } else {
        sync_folder(path)?;
    }
    saved
}

fn write_file(cache: &SharedCache, path: &Path, now: f64) -> io::Result<usize> {
    let mut to = BufWriter::new(File::create_new(path)?);
    let count = write(cache, &mut to, now)?;
    to.flush()?;
    to.get_ref().sync_all()?;
    Ok(count)
}

/// Has the disk keep the new name.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Windows has no such thing for folders.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Reads a snapshot from a file, as [`read`] does.
///
/// # Errors
///
/// If it is not whole, or cannot be read; then nothing is stored.
pub fn load(cache: &SharedCache, path: &Path, now: f64) -> Result<Restored, SnapshotError> {
    read(cache, &mut BufReader::new(File::open(path)?), now)
}
