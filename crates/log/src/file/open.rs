//! Opening a log's file for who appends to it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};

use crate::failure::{Failure, Step};
use crate::options::FileOptions;
use crate::rotation::names;

/// Opens the file, and makes it and its folder where they are not there.
pub(crate) fn open(FileOptions { path, mode, .. }: &FileOptions) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    // Windows locks none that is opened for appending only.
    options.append(true).create(true).read(cfg!(windows));
    let file = match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = names::folder(path);
            fs::create_dir_all(folder).map_err(Failure::of(Step::Folder, folder))?;
            options.open(path)
        }
        opened => opened,
    };
    let file = file.map_err(Failure::of(Step::Open, path))?;
    permit(&file, *mode).map_err(Failure::of(Step::Open, path))?;
    Ok(file)
}

/// Gives a file that is new its permissions, which the process' mask would narrow while it is made.
#[cfg(unix)]
fn permit(file: &File, mode: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match mode {
        Some(mode) if file.metadata().is_ok_and(|found| found.is_file() && found.len() == 0) => {
            file.set_permissions(fs::Permissions::from_mode(mode))
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn permit(_file: &File, _mode: Option<u32>) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::open;
    use crate::options::FileOptions;

    #[test]
    fn a_new_file_has_its_permissions_and_an_old_one_keeps_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b/app.log");
        let with = |mode: u32| FileOptions { mode: Some(mode), ..FileOptions::new(path.clone()) };
        let mode = || fs::metadata(&path).expect("the file").permissions().mode() & 0o777;
        let mut file = open(&with(0o666)).expect("a file");
        assert_eq!(mode(), 0o666);
        file.write_all(b"1\n").expect("a line");
        open(&with(0o600)).expect("the file");
        assert_eq!(mode(), 0o666);
        fs::rename(&path, folder.path().join("rotated.log")).expect("a rename");
        open(&with(0o600)).expect("a new file");
        assert_eq!(mode(), 0o600);
    }
}
