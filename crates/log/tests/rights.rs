//! Logs whose process may not do what it wants.
#![cfg(target_os = "linux")]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use keelson_log::{Event, FileOptions, FlushError, Log, OnFull, Options, Schedule, Step, Target, Zone};

/// Longer than anything takes that works.
const LONG: Duration = Duration::from_secs(30);

/// A folder that anybody may write to, and a thread of nobody: its threads are that too. Root may do what is not permitted.
struct Place {
    folder: tempfile::TempDir,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder"), events: Arc::default() };
        permit(place.folder.path(), 0o777);
        become_user(65_534);
        place
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("app.log")
    }

    /// What only its owner may change, which nobody is where it is root who runs this.
    fn permit(&self, mode: u32) {
        become_user(0);
        permit(self.folder.path(), mode);
        become_user(65_534);
    }

    fn open(&self, options: FileOptions) -> Log {
        let events = Arc::clone(&self.events);
        let options = Options {
            target: Target::File(Box::new(options)),
            max_bytes: 1 << 20,
            max_lines: 10_000,
            on_full: OnFull::DropNewest,
            flush_interval: Duration::from_millis(1),
            flush_bytes: 64 * 1024,
            patience: LONG,
            journal: false,
            numbered: false,
        };
        Log::open(options, move |event| events.lock().expect("no panic").push(event.clone())).expect("a log")
    }

    fn has_told(&self, what: impl Fn(&Event) -> bool) -> usize {
        self.events.lock().expect("no panic").iter().filter(|event| what(event)).count()
    }

    /// The texts of all files, the log's the last.
    fn texts(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort_by_key(|path| (*path == self.path(), path.clone()));
        paths.iter().map(|path| fs::read_to_string(path).expect("its text")).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        become_user(0);
        permit(self.folder.path(), 0o777);
    }
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("its permissions");
}

/// Of this thread and those that it starts, as far as files are concerned; nothing happens to who is not root.
fn become_user(user: u32) {
    // SAFETY: it is about the calling thread, and touches no memory.
    unsafe { libc::setfsuid(user) };
}

fn flush(log: &Log) -> Result<(), FlushError> {
    let (done, outcome) = channel();
    log.flush(false, Instant::now() + LONG, move |result| done.send(result).expect("somebody waits"));
    outcome.recv_timeout(LONG).expect("an outcome")
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn is_rename(event: &Event) -> bool {
    matches!(event, Event::Failed(failure) if failure.step == Step::Rename)
}

#[test]
fn a_file_that_cannot_be_rotated_is_written_beyond_its_size_until_it_can() {
    let place = Place::new();
    let log = place.open(FileOptions { max_size: 30, ..FileOptions::new(place.path()) });
    place.permit(0o555);
    let mut expected = String::new();
    for number in 0..50 {
        let line = format!("line {number}\n");
        assert!(log.push(line.as_bytes(), false));
        assert_eq!(flush(&log), Ok(()));
        expected += &line;
    }
    assert_eq!(place.texts(), [expected.clone()]);
    // Told once, and whoever asks for a rotation is told why.
    assert_eq!((place.has_told(|_| true), place.has_told(is_rename)), (1, 1));
    let (done, outcome) = channel();
    log.rotate(Instant::now() + Duration::from_millis(20), move |result| done.send(result).expect("somebody waits"));
    let outcome = outcome.recv_timeout(LONG).expect("an outcome");
    assert!(matches!(outcome, Err(FlushError::Failed(failure)) if failure.step == Step::Rename));
    place.permit(0o777);
    eventually("a rotation", || {
        log.push(b"x\n", false);
        assert_eq!(flush(&log), Ok(()));
        place.has_told(|event| matches!(event, Event::Recovered(_))) == 1
    });
    assert_eq!(place.has_told(is_rename), 1);
    assert!(place.texts().concat().starts_with(&expected));
    assert!(place.texts().len() >= 2);
}

#[test]
fn a_file_whose_period_is_over_stays_overdue_until_it_can_be_rotated() {
    let place = Place::new();
    fs::write(place.path(), "old\n").expect("a file");
    let long_ago = SystemTime::now() - Duration::from_secs(200_000);
    File::options().write(true).open(place.path()).and_then(|file| file.set_modified(long_ago)).expect("its time");
    place.permit(0o555);
    let schedule = Some(Schedule::new("@daily", Zone::Utc).expect("a schedule"));
    let log = place.open(FileOptions { schedule, ..FileOptions::new(place.path()) });
    log.push(b"new\n", false);
    assert_eq!(flush(&log), Ok(()));
    eventually("a failure", || place.has_told(is_rename) == 1);
    assert_eq!(place.texts(), ["old\nnew\n"]);
    place.permit(0o777);
    // Nobody writes, and the file does not look as old as it is.
    eventually("a rotation", || place.has_told(|event| matches!(event, Event::Recovered(_))) == 1);
    assert_eq!(place.texts(), ["old\nnew\n", ""]);
    assert_eq!(place.has_told(is_rename), 1);
}
