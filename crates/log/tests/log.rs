//! Logs as a process uses them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use keelson_log::{Counts, Event, FileOptions, FlushError, Log, OnFull, OpenError, Options, Schedule, Target, Zone};

/// Longer than anything takes that works.
const LONG: Duration = Duration::from_secs(30);

fn options(path: &Path) -> Options {
    Options {
        target: Target::File(Box::new(FileOptions::new(path.to_owned()))),
        max_bytes: 1 << 20,
        max_lines: 10_000,
        on_full: OnFull::DropOldest,
        flush_interval: Duration::from_millis(1),
        flush_bytes: 64 * 1024,
        patience: LONG,
        journal: false,
        numbered: false,
    }
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("logs/app.log")
    }

    /// Nothing can be written as long as there is a file where the folder is to be.
    fn break_it(&self) {
        _ = fs::remove_dir_all(self.folder.path().join("logs"));
        fs::write(self.folder.path().join("logs"), "").expect("a file in its place");
    }

    fn mend(&self) {
        fs::remove_file(self.folder.path().join("logs")).expect("its removal");
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap_or_default()
    }

    /// All lines of all files.
    fn lines(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("logs")).expect("the folder");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        // The file itself comes last.
        paths.sort_by_key(|path| (path == &self.path(), path.clone()));
        let texts = paths.iter().map(|path| fs::read_to_string(path).expect("its text"));
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

fn open(options: Options) -> (Log, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let log = Log::open(options, move |event| told.lock().expect("no panic").push(event.clone())).expect("a log");
    (log, events)
}

fn flush(log: &Log, limit: Duration) -> Result<(), FlushError> {
    let (done, outcome) = channel();
    log.flush(false, Instant::now() + limit, move |result| done.send(result).expect("somebody waits"));
    outcome.recv_timeout(LONG).expect("an outcome")
}

fn named(counts: &Counts) -> (u64, u64, u64, u64) {
    use std::sync::atomic::Ordering::Relaxed;
    let Counts { accepted, written, dropped_full, dropped_lost, .. } = counts;
    (accepted.load(Relaxed), written.load(Relaxed), dropped_full.load(Relaxed), dropped_lost.load(Relaxed))
}

/// Waits until a condition holds.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn lines_of_each_handle_are_in_their_order_and_whole() {
    const LINES: usize = 5000;
    let place = Place::new();
    // No more wait than a quarter of them: who pushes waits too.
    let target = Target::File(Box::new(FileOptions { max_size: 20_000, ..FileOptions::new(place.path()) }));
    let options = Options { on_full: OnFull::Block(LONG), target, ..options(&place.path()) };
    thread::scope(|scope| {
        for writer in 0..4 {
            let options = options.clone();
            scope.spawn(move || {
                let (log, _) = open(options);
                for number in 0..LINES {
                    assert!(log.push(format!("{writer} {number}\n").as_bytes(), false));
                }
            });
        }
    });
    // The last handle is closed; its thread goes on until all is written.
    eventually("all lines", || place.lines().len() == 4 * LINES);
    let lines = place.lines();
    for writer in 0..4 {
        let own = lines.iter().filter_map(|line| line.strip_prefix(&format!("{writer} ")));
        assert!(own.map(|number| number.parse::<usize>().expect("a number")).eq(0..LINES));
    }
}

#[test]
fn flush_resolves_when_what_was_before_is_in_the_file() {
    let place = Place::new();
    let (log, _) = open(Options { flush_interval: LONG, ..options(&place.path()) });
    log.push(b"one\n", false);
    assert_eq!(flush(&log, LONG), Ok(()));
    assert_eq!(place.text(), "one\n");
    log.push(b"two\n", true);
    eventually("an urgent line is written at once", || place.text() == "one\ntwo\n");
    log.push(b"three\n", false);
    assert_eq!(log.drain(LONG), 0);
    assert_eq!(place.text(), "one\ntwo\nthree\n");
}

#[test]
fn a_broken_place_keeps_lines_up_to_the_bound_and_tells_once() {
    let place = Place::new();
    let (log, events) = open(Options { max_lines: 10, ..options(&place.path()) });
    place.break_it();
    log.reopen();
    for number in 0..5 {
        log.push(format!("{number}\n").as_bytes(), true);
    }
    eventually("an error", || !events.lock().expect("no panic").is_empty());
    assert!(matches!(flush(&log, Duration::from_millis(20)), Err(FlushError::Failed(_))));
    assert_eq!(log.drain(Duration::from_millis(20)), 5);
    for number in 5..100 {
        assert!(log.push(format!("{number}\n").as_bytes(), false));
    }
    place.mend();
    assert_eq!(flush(&log, LONG), Ok(()));
    let (accepted, written, dropped, _) = named(log.counts());
    assert_eq!((accepted, written + dropped), (100, 100));
    let lines = place.lines();
    assert_eq!(lines.len() as u64, written);
    // What the thread had taken before is not in the queue any more.
    assert!((10..=15).contains(&written), "{written} lines");
    assert_eq!(lines.last().map(String::as_str), Some("99"));
    eventually("a recovery", || events.lock().expect("no panic").len() == 2);
    let told = events.lock().expect("no panic");
    assert!(matches!(&told[..], [Event::Failed(_), Event::Recovered(_)]), "{told:?}");
}

#[test]
fn the_newest_are_dropped_where_that_is_wanted() {
    let place = Place::new();
    let (log, _) = open(Options { max_lines: 3, on_full: OnFull::DropNewest, ..options(&place.path()) });
    place.break_it();
    log.reopen();
    log.push(b"first\n", true);
    eventually("it is taken", || log.waiting().0 == 1 && log.waiting().1 == 0);
    let accepted: Vec<bool> = (0..5).map(|number| log.push(format!("{number}\n").as_bytes(), false)).collect();
    assert_eq!(accepted, [true, true, true, false, false]);
    place.mend();
    assert_eq!(flush(&log, LONG), Ok(()));
    assert_eq!(place.lines(), ["first", "0", "1", "2"]);
}

#[test]
fn a_line_that_never_fits_is_dropped_alone() {
    let place = Place::new();
    let (log, _) = open(Options { max_bytes: 10, ..options(&place.path()) });
    assert!(log.push(b"short\n", false));
    assert!(!log.push(b"much too long\n", false));
    assert_eq!(flush(&log, LONG), Ok(()));
    assert_eq!(place.lines(), ["short"]);
}

#[test]
fn the_last_handle_gives_up_after_its_patience_and_counts_the_loss() {
    let place = Place::new();
    let (mut log, events) = open(Options { patience: Duration::from_millis(50), ..options(&place.path()) });
    place.break_it();
    log.reopen();
    log.push(b"lost\n", true);
    eventually("an error", || !events.lock().expect("no panic").is_empty());
    let (done, ended) = channel();
    log.close(Duration::from_millis(50), move || done.send(()).expect("somebody waits"));
    assert!(!log.push(b"late\n", false));
    ended.recv_timeout(LONG).expect("the end");
    assert_eq!(named(log.counts()).3, 1);
    assert_eq!(log.drain(LONG), 0);
}

#[test]
fn rotation_comes_behind_what_was_pushed_before() {
    let place = Place::new();
    let (log, events) = open(Options { flush_interval: LONG, ..options(&place.path()) });
    log.push(b"one\n", false);
    let (done, outcome): (_, Receiver<Result<(), FlushError>>) = channel();
    log.rotate(Instant::now() + LONG, move |result| done.send(result).expect("somebody waits"));
    assert_eq!(outcome.recv_timeout(LONG), Ok(Ok(())));
    log.push(b"two\n", false);
    assert_eq!(flush(&log, LONG), Ok(()));
    assert_eq!(place.text(), "two\n");
    assert_eq!(place.lines(), ["one", "two"]);
    let told = events.lock().expect("no panic");
    let [Event::Rotated(name)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(fs::read_to_string(name).expect("its text"), "one\n");
}

#[test]
fn a_file_from_an_earlier_period_is_rotated_though_nobody_writes() {
    let place = Place::new();
    fs::create_dir(place.folder.path().join("logs")).expect("a folder");
    fs::write(place.path(), "old\n").expect("a file");
    let long_ago = SystemTime::now() - Duration::from_secs(200_000);
    fs::File::options().write(true).open(place.path()).and_then(|file| file.set_modified(long_ago)).expect("its time");
    let schedule = Some(Schedule::new("@daily", Zone::Utc).expect("a schedule"));
    let target = Target::File(Box::new(FileOptions { schedule, ..FileOptions::new(place.path()) }));
    let (_log, events) = open(Options { target, ..options(&place.path()) });
    eventually("a rotation", || !events.lock().expect("no panic").is_empty());
    let told = events.lock().expect("no panic");
    let [Event::Rotated(name)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(fs::read_to_string(name).expect("its text"), "old\n");
    assert_eq!(place.text(), "");
}

#[test]
fn panics_of_callbacks_are_theirs() {
    let place = Place::new();
    let log = Log::open(options(&place.path()), |event| panic!("as it was to come: {event:?}")).expect("a log");
    log.push(b"one\n", false);
    log.flush(false, Instant::now() + LONG, |_| panic!("as it was to come"));
    log.rotate(Instant::now() + LONG, |_| panic!("as it was to come"));
    log.push(b"two\n", false);
    assert_eq!(flush(&log, LONG), Ok(()));
    assert_eq!(place.lines(), ["one", "two"]);
}

#[test]
fn a_file_that_another_has_renamed_is_begun_anew() {
    let place = Place::new();
    let (log, _) = open(options(&place.path()));
    log.push(b"one\n", false);
    assert_eq!(flush(&log, LONG), Ok(()));
    fs::rename(place.path(), place.path().with_extension("old")).expect("a rename");
    log.push(b"two\n", false);
    assert_eq!(flush(&log, LONG), Ok(()));
    assert_eq!(place.text(), "two\n");
}

#[test]
fn one_file_has_one_sink() {
    let place = Place::new();
    let (one, _) = open(options(&place.path()));
    let spelt = place.folder.path().join("logs/../logs/app.log");
    let (other, _) = open(options(&spelt));
    one.push(b"1\n", false);
    other.push(b"2\n", false);
    assert_eq!(flush(&one, LONG), Ok(()));
    assert_eq!(place.text(), "1\n2\n");
    assert_eq!(named(one.counts()), (2, 2, 0, 0));
    let different = Options { max_lines: 7, ..options(&place.path()) };
    assert!(matches!(Log::open(different.clone(), |_| {}), Err(OpenError::Conflict(_))));
    drop((one, other));
    // Without handles it is free for other options.
    drop(Log::open(different, |_| {}).expect("a log"));
}
