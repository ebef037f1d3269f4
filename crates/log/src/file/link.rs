//! A symbolic link that leads to the current file.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Step};

/// Has `from` lead to `to`, in one step. What is there and is no link is left alone.
pub(crate) fn lead(from: &Path, to: &Path) -> Result<(), Failure> {
    // Within one folder the link stays right when the folder is moved.
    let target =
        if from.parent() == to.parent() { to.file_name().map_or_else(|| to.into(), PathBuf::from) } else { to.into() };
    place(from, &target).map_err(Failure::of(Step::Link, from))
}

fn place(from: &Path, target: &Path) -> io::Result<()> {
    match fs::read_link(from) {
        Ok(found) if found == target => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(folder) = from.parent() {
                fs::create_dir_all(folder)?;
            }
        }
        Err(_) => return Err(io::Error::new(ErrorKind::AlreadyExists, "there is something that is no symbolic link")),
    }
    let mut name = from.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let made = PathBuf::from(name);
    _ = fs::remove_file(&made);
    make(target, &made)?;
    fs::rename(&made, from)
}

#[cfg(unix)]
fn make(target: &Path, from: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, from)
}

#[cfg(windows)]
fn make(target: &Path, from: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, from)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::lead;

    #[test]
    fn a_link_leads_to_the_file_and_replaces_none_but_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let read = |name: &str| fs::read_link(path(name)).expect("a link");
        lead(&path("current"), &path("app.log")).expect("a link");
        assert_eq!(read("current"), Path::new("app.log"));
        lead(&path("current"), &path("other.log")).expect("a link");
        lead(&path("current"), &path("other.log")).expect("the same");
        assert_eq!(read("current"), Path::new("other.log"));
        lead(&path("elsewhere/current"), &path("app.log")).expect("a link");
        assert_eq!(read("elsewhere/current"), path("app.log"));
        fs::write(path("file"), "mine").expect("a file");
        let failure = lead(&path("file"), &path("app.log")).expect_err("a refusal");
        assert!(failure.to_string().contains("no symbolic link"), "{failure}");
        assert_eq!(fs::read_to_string(path("file")).expect("its text"), "mine");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 3);
    }
}
