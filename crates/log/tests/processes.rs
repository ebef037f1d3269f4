//! Logs of several processes.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keelson_log::{Event, FileOptions, FlushError, Log, OnFull, Options, Target};

/// Longer than anything takes that works.
const LONG: Duration = Duration::from_secs(30);
/// For what is to run into its end.
const SHORT: Duration = Duration::from_millis(150);

fn options(path: &Path, max_size: u64) -> Options {
    Options {
        target: Target::File(Box::new(FileOptions { max_size, ..FileOptions::new(path.to_owned()) })),
        max_bytes: 64 * 1024,
        max_lines: 1000,
        on_full: OnFull::Block(LONG),
        flush_interval: Duration::from_millis(1),
        flush_bytes: 1024,
        patience: LONG,
        journal: false,
        numbered: false,
    }
}

/// What a process does, as [`start`] tells it.
#[test]
fn a_process_of_its_own() {
    let Ok(task) = std::env::var("KEELSON_LOG_TASK") else { return };
    let [kind, path, name] = task.splitn(3, '|').collect::<Vec<_>>().try_into().expect("three parts");
    let path = Path::new(path);
    match kind {
        "hold" => {
            let file = File::options().append(true).create(true).open(path).expect("the file");
            file.lock().expect("its lock");
            println!("\nready");
            // SAFETY: it stops this process and touches no memory.
            unsafe { libc::raise(libc::SIGSTOP) };
        }
        _ => {
            let log = Log::open(options(path, 20_000), |_| {}).expect("a log");
            for number in 0..LINES {
                assert!(log.push(format!("{name} {number}\n").as_bytes(), false));
            }
            assert_eq!(log.drain(LONG), 0);
        }
    }
}

const LINES: usize = 3000;

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn start(kind: &str, path: &Path, name: &str) -> Process {
    let mut command = Command::new(std::env::current_exe().expect("its path"));
    command.args(["--exact", "a_process_of_its_own", "--nocapture"]);
    command.env("KEELSON_LOG_TASK", format!("{kind}|{}|{name}", path.display()));
    Process(command.stdout(Stdio::piped()).spawn().expect("a process"))
}

/// A process that is stopped, and holds the lock of the file.
fn hold(path: &Path) -> Process {
    let mut process = start("hold", path, "");
    let mut lines = BufReader::new(process.0.stdout.take().expect("its output")).lines();
    assert!(lines.any(|line| line.expect("a line") == "ready"));
    process
}

#[test]
fn a_process_that_is_stopped_with_the_lock_keeps_nobody_waiting_forever() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let holder = hold(&path);
    let events = Arc::new(Mutex::new(Vec::<Event>::new()));
    let told = Arc::clone(&events);
    let mut log =
        Log::open(options(&path, 0), move |event| told.lock().expect("no panic").push(event.clone())).expect("a log");
    assert!(log.push(b"one\n", false));
    let (done, outcome) = channel();
    let rotated = done.clone();
    log.flush(false, Instant::now() + SHORT, move |result| _ = done.send(result));
    log.rotate(Instant::now() + SHORT, move |result| _ = rotated.send(result));
    for _ in 0..2 {
        assert_eq!(outcome.recv_timeout(LONG), Ok(Err(FlushError::Late)));
    }
    drop(holder);
    assert_eq!(log.drain(LONG), 0);
    assert_eq!(fs::read_to_string(&path).expect("its text"), "one\n");
    // Nothing was wrong with the file.
    assert_eq!(events.lock().expect("no panic").len(), 0);
    let _holder = hold(&path);
    assert!(log.push(b"two\n", false));
    let (done, ended) = channel();
    log.close(SHORT, move || _ = done.send(()));
    ended.recv_timeout(LONG).expect("the end");
    assert_eq!(log.counts().dropped_lost.load(Ordering::Relaxed), 1);
}

#[test]
fn processes_that_rotate_one_file_all_come_to_their_end_and_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let names = ["a", "b", "c", "d"];
    let processes = names.map(|name| start("write", &path, name));
    for mut process in processes {
        assert!(process.0.wait().expect("its end").success());
    }
    let mut files: Vec<_> =
        fs::read_dir(folder.path()).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    // The file itself comes last.
    files.sort_by_key(|file| (*file == path, file.clone()));
    let text: String = files.iter().map(|file| fs::read_to_string(file).expect("its text")).collect();
    for name in names {
        let own = text.lines().filter_map(|line| line.strip_prefix(&format!("{name} ")));
        assert!(own.map(|number| number.parse::<usize>().expect("a number")).eq(0..LINES), "of {name}");
    }
}
