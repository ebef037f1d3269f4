//! What becomes of rotated files: they are compressed, and the oldest go.
//!
//! A file is compressed beside itself, and only once the whole is on the disk it gets its name and the file goes. Whoever
//! is killed on the way leaves a part, which is made anew, or both, of which the compressed one is whole. The lock of the
//! file keeps others from doing the same at once.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::SystemTime;

use flate2::write::GzEncoder;

use crate::failure::{Failure, Step};
use crate::options::{Compression, FileOptions, Keep};
use crate::priority::yield_to_others;
use crate::rotation::names::{self, Form};
use crate::sink::{Event, Sink};

/// Has rotated files taken care of on a thread of its own, which ends when all is done.
#[derive(Default)]
pub(crate) struct Tidy {
    /// How often it was asked for since the thread began; 0: there is none.
    asked: Arc<AtomicUsize>,
}

impl Tidy {
    pub(crate) fn ask(&self, sink: &Arc<Sink>, options: &FileOptions) {
        if options.keep == Keep::default() && options.compression.is_none() {
            return;
        }
        if self.asked.fetch_add(1, Ordering::SeqCst) > 0 {
            return;
        }
        let (asked, options, sink) = (Arc::clone(&self.asked), options.clone(), Arc::downgrade(sink));
        let builder = thread::Builder::new().name("keelson-log-tidy".to_owned());
        if builder.spawn(move || run(&asked, &options, &sink)).is_err() {
            // The next one that asks tries again.
            self.asked.store(0, Ordering::SeqCst);
        }
    }
}

fn run(asked: &AtomicUsize, options: &FileOptions, sink: &Weak<Sink>) {
    yield_to_others();
    loop {
        let before = asked.load(Ordering::SeqCst);
        // Where it panics it is tried again when somebody asks for it.
        let outcome = catch_unwind(AssertUnwindSafe(|| tidy(options, SystemTime::now()))).unwrap_or(Ok(()));
        if let Err(failure) = outcome
            && let Some(sink) = sink.upgrade()
        {
            sink.tell(&Event::Untidy(failure));
        }
        if asked.compare_exchange(before, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return;
        }
    }
}

/// Compresses what is to be, and removes what is not to stay. A file that fails does not keep others from that; the first
/// of them is told.
pub(crate) fn tidy(options: &FileOptions, now: SystemTime) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let outcome = tidy_all(options, now, &mut failures);
    failures.extend(outcome.err());
    // One that stays is looked at twice.
    let others = failures.iter().filter(|failure| failure.path != failures[0].path).count();
    let Some(mut first) = failures.into_iter().next() else { return Ok(()) };
    if others > 0 {
        first.message += ", and it is not the only one";
    }
    Err(first)
}

fn tidy_all(options: &FileOptions, now: SystemTime, failures: &mut Vec<Failure>) -> Result<(), Failure> {
    let path = &options.path;
    // What goes anyway need not be compressed, but how much room all take is known only afterwards.
    remove(path, &Keep { bytes: None, ..options.keep }, now, failures)?;
    if let Some(compression) = options.compression {
        for (_, form, file) in all(path)? {
            let done = match form {
                Form::Plain => compress(&file, compression).map_err(Failure::of(Step::Compress, &file)),
                Form::Part(_) => remove_orphan(&file).map_err(Failure::of(Step::Remove, &file)),
                Form::Compressed(_) => Ok(()),
            };
            failures.extend(done.err());
        }
    }
    remove(path, &options.keep, now, failures)
}

fn all(path: &Path) -> Result<Vec<(SystemTime, Form, PathBuf)>, Failure> {
    names::list(path).map_err(Failure::of(Step::Folder, names::folder(path)))
}

fn remove(path: &Path, keep: &Keep, now: SystemTime, failures: &mut Vec<Failure>) -> Result<(), Failure> {
    let mut left = keep.bytes.unwrap_or(u64::MAX);
    let (mut count, mut is_full, mut last) = (0, false, None);
    let rotated = all(path)?.into_iter().rev().filter(|(_, form, _)| !matches!(form, Form::Part(_)));
    for (time, _, file) in rotated {
        // One that is being compressed is there twice for a moment, and counts once.
        if last.replace(time) != Some(time) {
            let size = fs::metadata(&file).map_or(0, |metadata| metadata.len());
            // An older one that would still fit goes too: what stays is without gaps.
            is_full |= size > left;
            left = left.saturating_sub(size);
            count += 1;
        }
        let is_old = keep.age.is_some_and(|age| now.duration_since(time).is_ok_and(|since| since > age));
        if is_full || is_old || keep.count.is_some_and(|most| count > most) {
            failures.extend(gone(fs::remove_file(&file)).map_err(Failure::of(Step::Remove, &file)).err());
        }
    }
    Ok(())
}

/// Another process may have removed it.
fn gone(outcome: io::Result<()>) -> io::Result<()> {
    outcome.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// A part without the file that it was made of is of no use.
fn remove_orphan(part: &Path) -> io::Result<()> {
    let plain = part.with_extension("").with_extension("");
    if fs::symlink_metadata(plain).is_ok() { Ok(()) } else { gone(fs::remove_file(part)) }
}

fn compress(plain: &Path, compression: Compression) -> io::Result<()> {
    let mut from = match File::open(plain) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    match from.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(()),
        locked => locked?,
    }
    let whole = [Compression::Gzip, Compression::Zstd].map(|each| Form::Compressed(each).of(plain));
    if !whole.iter().any(|file| fs::symlink_metadata(file).is_ok()) {
        let part = Form::Part(compression).of(plain);
        write(&mut from, &part, compression)?;
        fs::rename(&part, Form::Compressed(compression).of(plain))?;
        sync_folder(plain)?;
    }
    gone(fs::remove_file(plain))
}

/// Writes the whole to `to`, with the same permissions, and has the disk take it.
fn write(from: &mut File, to: &Path, compression: Compression) -> io::Result<()> {
    let target = File::create(to)?;
    target.set_permissions(from.metadata()?.permissions())?;
    let target = match compression {
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(target, flate2::Compression::default());
            io::copy(from, &mut encoder)?;
            encoder.finish()?
        }
        Compression::Zstd => {
            let mut encoder = zstd::Encoder::new(target, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            io::copy(from, &mut encoder)?;
            encoder.finish()?
        }
    };
    (&target).flush()?;
    target.sync_all()
}

/// Has the disk take the names too, where the system lets one ask for that.
#[cfg(unix)]
fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(names::folder(file))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_file: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Read;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::tidy;
    use crate::failure::Step;
    use crate::options::{Compression, FileOptions, Keep};
    use crate::rotation::names::{Form, rotated};

    const DAY: Duration = Duration::from_secs(86_400);

    fn now() -> SystemTime {
        UNIX_EPOCH + DAY * 20_000
    }

    /// A folder with files that were rotated so many days ago, each of ten bytes.
    fn place(days: &[u32]) -> (tempfile::TempDir, FileOptions) {
        let folder = tempfile::tempdir().expect("a folder");
        let options = FileOptions::new(folder.path().join("app.log"));
        for &days in days {
            fs::write(old(&options.path, days), format!("{days:9}\n")).expect("a file");
        }
        for other in ["app.log", "app-1.log", "other-19700101-000000-000.log"] {
            fs::write(folder.path().join(other), "not rotated").expect("a file");
        }
        (folder, options)
    }

    fn old(path: &Path, days: u32) -> PathBuf {
        rotated(path, now() - DAY * days, None, |_| false).0
    }

    /// The days of those that are there, and how many there are in all.
    fn left(options: &FileOptions) -> Vec<u32> {
        for other in ["app.log", "app-1.log", "other-19700101-000000-000.log"] {
            assert!(options.path.with_file_name(other).exists(), "{other}");
        }
        (0..100).filter(|&days| old(&options.path, days).exists()).collect()
    }

    #[test]
    fn what_stays_is_bounded_by_count_age_and_size() {
        for (keep, expected) in [
            (Keep::default(), &[1, 2, 3, 5, 8, 9][..]),
            (Keep { count: Some(4), ..Keep::default() }, &[1, 2, 3, 5]),
            (Keep { count: Some(0), ..Keep::default() }, &[]),
            (Keep { age: Some(DAY * 5), ..Keep::default() }, &[1, 2, 3, 5]),
            (Keep { bytes: Some(35), ..Keep::default() }, &[1, 2, 3]),
            (Keep { bytes: Some(30), count: Some(9), age: Some(DAY * 2) }, &[1, 2]),
        ] {
            let (_folder, options) = place(&[8, 1, 5, 3, 9, 2]);
            let options = FileOptions { keep, ..options };
            tidy(&options, now()).expect("it works");
            assert_eq!(left(&options), expected, "{keep:?}");
        }
    }

    #[test]
    fn none_that_is_older_than_one_too_big_stays() {
        let (_folder, options) = place(&[1, 2, 3]);
        fs::write(old(&options.path, 2), [0; 100]).expect("a file");
        let options = FileOptions { keep: Keep { bytes: Some(50), ..Keep::default() }, ..options };
        tidy(&options, now()).expect("it works");
        assert_eq!(left(&options), [1]);
    }

    #[test]
    fn one_that_cannot_be_removed_keeps_no_other_from_being_removed_or_compressed() {
        let (_folder, options) = place(&[1, 2, 4, 6]);
        for days in [3, 5] {
            fs::create_dir(old(&options.path, days)).expect("a folder in its place");
        }
        let keep = Keep { count: Some(2), ..Keep::default() };
        let options = FileOptions { keep, compression: Some(Compression::Gzip), ..options };
        let failure = tidy(&options, now()).expect_err("two stay");
        assert_eq!((failure.step, failure.path.as_path()), (Step::Remove, old(&options.path, 3).as_path()));
        assert!(failure.message.ends_with(", and it is not the only one"), "{failure}");
        assert_eq!(left(&options), [3, 5]);
        for days in [1, 2] {
            assert_eq!(text(Compression::Gzip, &old(&options.path, days)), format!("{days:9}\n"));
        }
    }

    fn text(compression: Compression, path: &Path) -> String {
        let file = File::open(Form::Compressed(compression).of(path)).expect("a file");
        let mut text = String::new();
        match compression {
            Compression::Gzip => flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text),
            Compression::Zstd => zstd::Decoder::new(file).expect("a decoder").read_to_string(&mut text),
        }
        .expect("all of it");
        text
    }

    #[test]
    fn rotated_files_are_compressed_whatever_a_kill_has_left() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let (folder, options) = place(&[1, 2, 3]);
            let options = FileOptions { compression: Some(compression), ..options };
            // Killed while the first was written, before the second was removed, and after the third was.
            fs::write(Form::Part(compression).of(&old(&options.path, 1)), "half").expect("a file");
            tidy(&options, now()).expect("it works");
            fs::write(old(&options.path, 2), format!("{:9}\n", 2)).expect("a file");
            fs::write(Form::Part(compression).of(&old(&options.path, 7)), "of nothing").expect("a file");
            tidy(&options, now()).expect("it works");
            assert_eq!(left(&options), [] as [u32; 0]);
            for days in [1, 2, 3] {
                assert_eq!(text(compression, &old(&options.path, days)), format!("{days:9}\n"));
            }
            assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 6);
        }
    }

    #[test]
    fn a_file_that_another_process_has_locked_is_left_to_it() {
        let (_folder, options) = place(&[1, 2]);
        let options = FileOptions { compression: Some(Compression::Gzip), ..options };
        let locked = File::open(old(&options.path, 1)).expect("a file");
        locked.lock().expect("a lock");
        tidy(&options, now()).expect("it works");
        assert_eq!(left(&options), [1]);
        drop(locked);
        tidy(&options, now()).expect("it works");
        assert_eq!(left(&options), [] as [u32; 0]);
    }

    #[test]
    fn size_is_that_of_compressed_files() {
        let (_folder, options) = place(&[]);
        for days in 1..5 {
            fs::write(old(&options.path, days), vec![b'x'; 100_000]).expect("a file");
        }
        let keep = Keep { bytes: Some(1000), ..Keep::default() };
        let options = FileOptions { compression: Some(Compression::Zstd), keep, ..options };
        tidy(&options, now()).expect("it works");
        for days in 1..5 {
            assert_eq!(text(Compression::Zstd, &old(&options.path, days)).len(), 100_000);
        }
    }
}
