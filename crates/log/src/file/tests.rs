use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Appended, Batch, LogFile};
use crate::failure::Hindrance;
use crate::options::FileOptions;
use crate::rotation::schedule::{Schedule, Zone};

fn open(path: &Path, max_size: u64) -> LogFile {
    LogFile::new(&FileOptions { max_size, ..FileOptions::new(path.to_owned()) })
}

fn append(file: &mut LogFile, text: &str) -> (Appended, Result<(), Hindrance>) {
    let lengths: Vec<usize> = text.split_inclusive('\n').map(str::len).collect();
    file.append(&Batch { bytes: text.as_bytes(), lengths: &lengths, before: &|_| 0 }, &mut ())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn files(folder: &tempfile::TempDir) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder.path()).expect("the folder");
    let mut found: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.clone(), fs::read_to_string(&path).expect("its text")))
        .collect();
    found.sort();
    found
}

fn texts(folder: &tempfile::TempDir) -> Vec<String> {
    files(folder).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn lines_are_appended_and_folders_made() {
    let folder = folder();
    let path = folder.path().join("a/b/app.log");
    let mut file = open(&path, 0);
    let (appended, outcome) = append(&mut file, "one\ntwo\n");
    assert_eq!((appended.lines, outcome), (2, Ok(())));
    assert_eq!(append(&mut file, "three\n").1, Ok(()));
    assert_eq!(fs::read_to_string(&path).expect("its text"), "one\ntwo\nthree\n");
}

#[test]
fn no_file_is_longer_than_allowed_but_by_one_line_alone() {
    let folder = folder();
    let mut file = open(&folder.path().join("app.log"), 10);
    let (appended, outcome) = append(&mut file, "1234\n6789\nabc\nthis one is long\nx\n");
    assert_eq!((appended.lines, outcome, appended.rotated.len()), (5, Ok(()), 3));
    let texts = texts(&folder);
    for text in ["1234\n6789\n", "abc\n", "this one is long\n", "x\n"] {
        assert!(texts.iter().any(|other| other == text), "{text:?} in {texts:?}");
    }
    assert_eq!(texts.len(), 4);
}

#[test]
fn a_file_that_was_taken_away_is_made_again() {
    let folder = folder();
    let path = folder.path().join("app.log");
    let mut file = open(&path, 0);
    assert_eq!(append(&mut file, "1\n").1, Ok(()));
    fs::rename(&path, folder.path().join("moved.log")).expect("a rename");
    assert_eq!(append(&mut file, "2\n").1, Ok(()));
    assert_eq!(fs::read_to_string(&path).expect("its text"), "2\n");
    fs::remove_dir_all(folder.path()).expect("a removal");
    assert_eq!(append(&mut file, "3\n").1, Ok(()));
    assert_eq!(fs::read_to_string(&path).expect("its text"), "3\n");
}

#[test]
fn an_empty_file_is_not_rotated() {
    let folder = folder();
    let mut file = open(&folder.path().join("app.log"), 0);
    assert_eq!(file.rotate(), Ok(None));
    assert_eq!(append(&mut file, "1\n").1, Ok(()));
    let name = file.rotate().expect("a rotation").expect("a name");
    assert_eq!(fs::read_to_string(name).expect("its text"), "1\n");
    assert_eq!(files(&folder).len(), 2);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_and_leaves_nothing_torn() {
    let mut file = open(Path::new("/dev/full"), 0);
    let (appended, outcome) = append(&mut file, "1\n");
    let Err(Hindrance::Failed(failure)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((appended.lines, failure.errno), (0, Some(28)));
}

#[test]
fn nobody_waits_long_for_who_holds_the_lock() {
    let folder = folder();
    let path = folder.path().join("app.log");
    let mut file = open(&path, 0);
    assert_eq!(append(&mut file, "1\n").1, Ok(()));
    let holder = fs::File::open(&path).expect("the file");
    holder.lock().expect("its lock");
    let (appended, outcome) = append(&mut file, "2\n");
    assert_eq!((appended.lines, outcome), (0, Err(Hindrance::Busy)));
    assert_eq!(file.rotate(), Err(Hindrance::Busy));
    // Somebody rotates, and keeps the lock: that of the new file is free.
    fs::rename(&path, folder.path().join("moved.log")).expect("a rename");
    assert_eq!(append(&mut file, "2\n").1, Ok(()));
    assert_eq!(texts(&folder), ["2\n", "1\n"]);
}

#[test]
#[cfg(target_os = "linux")]
fn files_that_were_rotated_are_on_the_disk_when_that_is_asked_for() {
    let folder = folder();
    let path = folder.path().join("app.log");
    let mut file = open(&path, 10);
    assert_eq!(append(&mut file, "1\n").1, Ok(()));
    let asked = file.rotate().expect("a rotation").expect("a name");
    let (appended, outcome) = append(&mut file, "123456789\nabcdefghi\n");
    assert_eq!((appended.rotated.len(), outcome), (1, Ok(())));
    for name in [&asked, &appended.rotated[0]] {
        fs::remove_file(name).expect("its removal");
        // The system knows no disk of this one, and says so.
        std::os::unix::fs::symlink("/dev/null", name).expect("a link");
        assert!(file.sync().is_err());
        fs::remove_file(name).expect("its removal");
    }
    assert_eq!(file.sync(), Ok(()));
    // What was asked for before is not asked for again.
    let name = file.rotate().expect("a rotation").expect("a name");
    fs::remove_file(&name).expect("its removal");
    std::os::unix::fs::symlink("/dev/null", &name).expect("a link");
    assert_eq!(file.sync(), Ok(()));
}

#[test]
#[cfg(target_os = "linux")]
fn files_that_were_let_go_of_are_not_held_open() {
    let folder = folder();
    let (path, moved) = (folder.path().join("app.log"), folder.path().join("moved.log"));
    let is_held = |path: &Path| {
        let handles = fs::read_dir("/proc/self/fd").expect("the folder of handles").flatten();
        handles.filter_map(|handle| fs::read_link(handle.path()).ok()).any(|file| file == path)
    };
    let mut file = open(&path, 10);
    assert_eq!(append(&mut file, "1\n").1, Ok(()));
    assert!(is_held(&path));
    fs::rename(&path, &moved).expect("a rename");
    assert_eq!(append(&mut file, "2\n").1, Ok(()));
    let name = file.rotate().expect("a rotation").expect("a name");
    assert!(!is_held(&moved) && !is_held(&name));
    assert_eq!(append(&mut file, "3\n").1, Ok(()));
    file.close();
    assert!(!is_held(&path));
}

#[test]
fn threads_with_files_of_their_own_lose_nothing_while_each_of_them_rotates() {
    const LINES: usize = 400;
    let folder = folder();
    let path = folder.path().join("app.log");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                let mut file = open(path, 300);
                for number in 0..LINES {
                    let line = format!("{writer} {number}\n");
                    let mut outcome = Err(Hindrance::Busy);
                    while outcome == Err(Hindrance::Busy) {
                        outcome = append(&mut file, &line).1;
                    }
                    assert_eq!(outcome, Ok(()));
                    if number % 50 == writer {
                        assert!(!matches!(file.rotate(), Err(Hindrance::Failed(_))));
                    }
                }
            });
        }
    });
    let mut lines: Vec<String> =
        texts(&folder).iter().flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut expected: Vec<String> =
        (0..4).flat_map(|writer| (0..LINES).map(move |number| format!("{writer} {number}"))).collect();
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
}

/// A day after 1970 on which it is now, and on which the file was last written.
fn daily(path: &Path, today: fn() -> SystemTime) -> LogFile {
    let schedule = Some(Schedule::new("@daily", Zone::Utc).expect("a schedule"));
    LogFile { clock: today, ..LogFile::new(&FileOptions { schedule, ..FileOptions::new(path.to_owned()) }) }
}

const DAY: Duration = Duration::from_secs(86_400);
const NOON: Duration = Duration::from_secs(43_200);

fn day(count: u32) -> SystemTime {
    UNIX_EPOCH + DAY * count
}

fn write_at(path: &Path, text: &str, time: SystemTime) {
    fs::write(path, text).expect("a file");
    fs::File::options().write(true).open(path).and_then(|file| file.set_modified(time)).expect("its time");
}

#[test]
fn a_file_from_before_the_moment_is_rotated_by_the_first_who_writes_after_it() {
    let folder = folder();
    let path = folder.path().join("app.log");
    let (mut one, mut other) = (daily(&path, || day(20_000) + NOON), daily(&path, || day(20_000) + NOON));
    write_at(&path, "yesterday\n", day(20_000) - Duration::from_millis(1));
    let (appended, outcome) = append(&mut one, "today\n");
    assert_eq!((appended.lines, appended.rotated.len(), outcome), (1, 1, Ok(())));
    // As if the file system's clock were behind: that somebody has rotated counts.
    write_at(&path, "today\n", day(20_000) - Duration::from_millis(1));
    let (appended, outcome) = append(&mut other, "too\n");
    assert_eq!((appended.lines, appended.rotated.len(), outcome), (1, 0, Ok(())));
    assert_eq!(other.turn(), Ok(None));
    assert_eq!(one.next_turn(), Some(day(20_001)));
    assert_eq!(texts(&folder), ["yesterday\n", "today\ntoo\n"]);
}

#[test]
fn lines_from_before_the_moment_go_to_the_file_of_their_time() {
    let folder = folder();
    let path = folder.path().join("app.log");
    let mut file = daily(&path, || day(20_000) + Duration::from_millis(30));
    write_at(&path, "1\n", day(20_000) - NOON);
    let batch =
        Batch { bytes: b"2\n3\n4\n", lengths: &[2, 2, 2], before: &|time| if time == day(20_000) { 2 } else { 0 } };
    let (appended, outcome) = file.append(&batch, &mut ());
    assert_eq!((appended.lines, appended.rotated.len(), outcome), (3, 1, Ok(())));
    assert_eq!(texts(&folder), ["1\n2\n3\n", "4\n"]);
}

#[test]
fn a_file_is_rotated_at_its_moment_though_nobody_writes_and_an_empty_one_is_not() {
    let folder = folder();
    let path = folder.path().join("app.log");
    let mut file = daily(&path, || day(20_000));
    write_at(&path, "", day(19_000));
    assert_eq!(file.turn(), Ok(None));
    assert_eq!(file.next_turn(), Some(day(20_001)));
    let mut file = daily(&path, || day(20_001));
    // It has not looked yet, at what others may have left.
    assert!(file.next_turn().is_some_and(|turn| turn <= day(20_001)));
    write_at(&path, "old\n", day(20_000) + NOON);
    let name = file.turn().expect("a rotation").expect("a name");
    assert_eq!(name.file_name().and_then(|name| name.to_str()), Some("app-20241005-000000-000.log"));
    assert_eq!(file.turn(), Ok(None));
    assert_eq!(file.next_turn(), Some(day(20_002)));
    assert_eq!(files(&folder).len(), 2);
}

#[test]
fn a_line_begins_on_a_line_of_its_own_whatever_was_there() {
    let folder = folder();
    let path = folder.path().join("app.log");
    fs::write(&path, "torn by a ki").expect("a file");
    let (mut one, mut other) = (open(&path, 0), open(&path, 0));
    assert_eq!(append(&mut one, "1\n").1, Ok(()));
    assert_eq!(append(&mut other, "2\n").1, Ok(()));
    assert_eq!(append(&mut one, "3\n").1, Ok(()));
    assert_eq!(fs::read_to_string(&path).expect("its text"), "torn by a ki\n1\n2\n3\n");
}
