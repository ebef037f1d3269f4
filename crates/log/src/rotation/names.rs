//! Names of rotated files, `NAME-<stamp>.EXT`, of what compression makes of them, and of journals, `NAME.EXT.ring-<number>`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::options::Compression;

/// UTC down to milliseconds: it sorts as time passes, whatever becomes of the local clock.
const STAMP: &str = "%Y%m%d-%H%M%S-%3f";

/// By how much two stamps differ at least.
const TICK: Duration = Duration::from_millis(1);

/// A clock that is behind the last name by as much was set back, and names go with it.
const SET_BACK: Duration = Duration::from_secs(60);

/// What a rotated file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it was written.
    Plain,
    /// Compressed as a whole.
    Compressed(Compression),
    /// Of which compression was begun.
    Part(Compression),
}

const FORMS: [Form; 5] = [
    Form::Part(Compression::Gzip),
    Form::Part(Compression::Zstd),
    Form::Compressed(Compression::Gzip),
    Form::Compressed(Compression::Zstd),
    Form::Plain,
];

impl Form {
    fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Compressed(Compression::Gzip) => ".gz",
            Self::Compressed(Compression::Zstd) => ".zst",
            Self::Part(Compression::Gzip) => ".gz.part",
            Self::Part(Compression::Zstd) => ".zst.part",
        }
    }

    /// The name of a plain file in another form.
    pub(crate) fn of(self, plain: &Path) -> PathBuf {
        let mut name = plain.as_os_str().to_owned();
        name.push(self.suffix());
        name.into()
    }
}

/// Where a file goes that is rotated at a time: beside it; and the time in its name, which is later than that of the `last` one.
/// Where that is taken in any form it is one millisecond later, so that names sort in the order in which they were given, also
/// where the last one is gone already. Only the last part of the path changes.
pub(crate) fn rotated(
    path: &Path,
    time: SystemTime,
    last: Option<SystemTime>,
    is_taken: impl Fn(&Path) -> bool,
) -> (PathBuf, SystemTime) {
    let mut time = behind(time, last);
    loop {
        let candidate = path.with_file_name(name(path, time));
        if !FORMS.iter().any(|form| is_taken(&form.of(&candidate))) {
            return (candidate, time);
        }
        time += TICK;
    }
}

fn behind(time: SystemTime, last: Option<SystemTime>) -> SystemTime {
    let least = last.map_or(time, |last| last + TICK);
    match least.duration_since(time) {
        Ok(ahead) if ahead < SET_BACK => least,
        _ => time,
    }
}

fn name(path: &Path, time: SystemTime) -> OsString {
    let stamp = DateTime::<Utc>::from(time).format(STAMP).to_string();
    let (head, tail) = around(path);
    [head.as_os_str(), OsStr::new(&stamp), tail.as_os_str()].into_iter().collect()
}

/// What stands before a stamp and behind it.
fn around(path: &Path) -> (OsString, OsString) {
    let mut head = path.file_stem().unwrap_or_default().to_owned();
    head.push("-");
    let mut tail = OsString::new();
    if let Some(extension) = path.extension() {
        tail.push(".");
        tail.push(extension);
    }
    (head, tail)
}

/// When the file of that name was rotated from `path`, and its form; `None` if it is something else.
pub(crate) fn parse(path: &Path, name: &OsStr) -> Option<(SystemTime, Form)> {
    let (head, tail) = around(path);
    let rest = name.as_encoded_bytes().strip_prefix(head.as_encoded_bytes())?;
    FORMS.into_iter().find_map(|form| {
        let stamp = rest.strip_suffix(form.suffix().as_bytes())?.strip_suffix(tail.as_encoded_bytes())?;
        let stamp = std::str::from_utf8(stamp).ok().filter(|stamp| stamp.len() == "20261126-154203-071".len())?;
        let time = NaiveDateTime::parse_from_str(stamp, STAMP).ok()?;
        Some((time.and_utc().into(), form))
    })
}

/// What was rotated from `path` and is in its folder, from the oldest on.
pub(crate) fn list(path: &Path) -> io::Result<Vec<(SystemTime, Form, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        if let Some((time, form)) = parse(path, &entry.file_name()) {
            found.push((time, form, entry.path()));
        }
    }
    found.sort_by(|(one, _, first), (other, _, second)| (one, first).cmp(&(other, second)));
    Ok(found)
}

/// A journal beside a log.
pub(crate) fn journal(log: &Path, number: u32) -> PathBuf {
    let mut path = log.as_os_str().to_owned();
    path.push(format!(".ring-{number}"));
    path.into()
}

/// The journals beside a log, whosever they are.
pub(crate) fn journals(log: &Path) -> Vec<PathBuf> {
    let mut prefix = log.file_name().unwrap_or_default().to_owned();
    prefix.push(".ring-");
    let Ok(entries) = fs::read_dir(folder(log)) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let number = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
            number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// The folder that a file is in.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{FORMS, Form, parse, rotated};
    use crate::options::Compression;

    fn name(path: &str, taken: &[&str]) -> PathBuf {
        rotated(Path::new(path), UNIX_EPOCH, None, |candidate| taken.iter().any(|one| Path::new(one) == candidate)).0
    }

    #[test]
    fn the_stamp_stands_before_the_extension() {
        assert_eq!(name("logs/app.log", &[]), Path::new("logs/app-19700101-000000-000.log"));
        assert_eq!(name("logs.log/my.app.log", &[]), Path::new("logs.log/my.app-19700101-000000-000.log"));
        assert_eq!(name("logs.log/app", &[]), Path::new("logs.log/app-19700101-000000-000"));
        assert_eq!(name(".log", &[]), Path::new(".log-19700101-000000-000"));
        assert_eq!(name("app.", &[]), Path::new("app-19700101-000000-000."));
    }

    #[test]
    fn a_name_that_is_taken_in_any_form_is_not_used() {
        let taken = ["a-19700101-000000-000.log", "a-19700101-000000-001.log.gz", "a-19700101-000000-002.log.zst.part"];
        assert_eq!(name("a.log", &taken[..1]), Path::new("a-19700101-000000-001.log"));
        assert_eq!(name("a.log", &taken), Path::new("a-19700101-000000-003.log"));
    }

    #[test]
    fn names_sort_as_they_were_given_though_those_before_are_gone() {
        let path = Path::new("a.log");
        let at = |millis: u64| UNIX_EPOCH + Duration::from_millis(millis);
        let (mut last, mut names) = (None, Vec::new());
        for now in [5, 5, 5, 6, 100, 99, 100] {
            let (name, time) = rotated(path, at(now) + Duration::from_micros(700), last, |_| false);
            last = Some(time);
            names.push(name);
        }
        assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        // Of a clock that was set back by more than rotations can make up they do not.
        let (name, _) = rotated(path, at(0), Some(at(3_600_000)), |_| false);
        assert_eq!(name, Path::new("a-19700101-000000-000.log"));
    }

    #[test]
    fn names_tell_when_and_what() {
        let time = UNIX_EPOCH + Duration::from_millis(1_795_707_723_071);
        for path in ["logs/app.log", "app", "a-b.c.log"].map(Path::new) {
            let (plain, _) = rotated(path, time, None, |_| false);
            for form in FORMS {
                let file = form.of(&plain);
                assert_eq!(parse(path, file.file_name().expect("a name")), Some((time, form)), "{file:?}");
            }
        }
        let none: Option<(SystemTime, Form)> = None;
        for other in [
            "app.log",
            "app-.log",
            "app-20261126-154203-071",
            "app-20261126-154203-07.log",
            "app-20261126-154203-0711.log",
            "app-20261326-154203-071.log",
            "app-20261126-154203-071.log.bz2",
            "other-20261126-154203-071.log",
            "app-x-20261126-154203-071.log",
        ] {
            assert_eq!(parse(Path::new("app.log"), OsStr::new(other)), none, "{other}");
        }
        let gzip = parse(Path::new("app.log"), OsStr::new("app-20261126-154203-071.log.gz"));
        assert_eq!(gzip, Some((time, Form::Compressed(Compression::Gzip))));
    }
}
