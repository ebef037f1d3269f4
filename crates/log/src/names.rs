//! Names of rotated files.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::time::stamp;

/// Where a file goes that is rotated at a time: `NAME-<stamp>.EXT` beside it. Where that is taken the stamp is one
/// millisecond later, so that names sort in the order in which they were given. Only the last part of the path changes.
pub(crate) fn rotated(path: &Path, mut time: SystemTime, is_taken: impl Fn(&Path) -> bool) -> PathBuf {
    loop {
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push("-");
        name.push(stamp(time));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        let candidate = path.with_file_name(name);
        if !is_taken(&candidate) {
            return candidate;
        }
        time += Duration::from_millis(1);
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::UNIX_EPOCH;

    use super::rotated;

    fn name(path: &str, taken: &[&str]) -> PathBuf {
        rotated(Path::new(path), UNIX_EPOCH, |candidate| taken.iter().any(|one| Path::new(one) == candidate))
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
    fn a_name_that_is_taken_is_not_used() {
        let taken = ["a-19700101-000000-000.log", "a-19700101-000000-001.log"];
        assert_eq!(name("a.log", &taken[..1]), Path::new(taken[1]));
        assert_eq!(name("a.log", &taken), Path::new("a-19700101-000000-002.log"));
    }
}
