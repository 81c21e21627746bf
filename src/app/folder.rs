//! The data folder: one node at a time, of a known format, and never a test's folder by accident.

use crate::cli::Failure;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What the file `format` says: raised whenever an older linnet could not read the folder any more.
///
/// 1: journal and index, as they first were. 2: segments of the journal may be written anew without what no longer
/// matters, and the index leads from ids to rooms. 3: the index has blocks and waymarks the newest first.
pub const FORMAT: u32 = 3;
const FORMAT_FILE: &str = "format";
const LOCK_FILE: &str = "lock";
/// Marks a folder whose accounts have passwords that everybody knows.
const TEST_MARK: &str = "test-mode";

/// A data folder that is ours until the process ends.
#[derive(Debug)]
pub struct DataFolder {
    /// Where it is.
    pub path: PathBuf,
    /// Its format; below [`FORMAT`] until a start has brought it up and found that it can be read.
    pub format: u32,
    /// Whether it was there before.
    pub is_known: bool,
    /// Held for its lock.
    _lock: File,
}

impl DataFolder {
    /// Takes the folder, and makes it if there is none. Refuses one that another node holds, that a newer linnet
    /// wrote, or that belongs to tests when this is none (and the other way round).
    pub fn take(path: &Path, test_mode: bool) -> Result<Self, Failure> {
        let cannot = |what: &str, error: io::Error| failure(path, what, &error);
        make(path).map_err(|error| cannot("make the data folder", error))?;
        let lock = lock(path)?;
        let marked = path.join(TEST_MARK).exists();
        let known = path.join(FORMAT_FILE).exists();
        if marked && !test_mode {
            return Err(Failure {
                message: format!(
                    "{} was made by --test-mode: its passwords are known to everybody",
                    path.display()
                ),
                hint: Some("use another --data, or remove this folder".into()),
            });
        }
        if test_mode && !marked && (known || path.join("journal").exists()) {
            return Err(Failure {
                message: format!(
                    "{} is not a test's folder, --test-mode would open it to everybody",
                    path.display()
                ),
                hint: Some("give --test-mode an empty --data of its own".into()),
            });
        }
        if test_mode && !marked {
            write_synced(path, TEST_MARK, "made by linnet serve --test-mode\n")
                .map_err(|error| cannot("mark the data folder", error))?;
        }
        let format = if known { check_format(path)? } else { FORMAT };
        let folder = Self { path: path.to_owned(), format, is_known: known, _lock: lock };
        if !known {
            folder.write_format().map_err(|error| cannot("write to the data folder", error))?;
        }
        Ok(folder)
    }

    /// Says that the folder is of this linnet's format now: all of it or, after a power cut, as it was.
    pub fn write_format(&self) -> io::Result<()> {
        let unfinished = format!("{FORMAT_FILE}.new");
        write_synced(&self.path, &unfinished, &format!("linnet {FORMAT}\n"))?;
        fs::rename(self.path.join(unfinished), self.path.join(FORMAT_FILE))?;
        File::open(&self.path)?.sync_all()
    }
}

fn failure(path: &Path, what: &str, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => "run linnet as the folder's owner, or give another --data",
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only: check the card, or give another --data",
        io::ErrorKind::StorageFull => "the disk is full: free some space, then start again",
        _ => "look at the disk, or give another --data",
    };
    Failure { message: format!("cannot {what} {}: {error}", path.display()), hint: Some(hint.into()) }
}

/// Makes the folder and those above it that are missing. Each name is kept by a sync of the folder above it: without, a
/// power cut may take the whole folder away, and the next start would be an empty one.
fn make(path: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied};
    let above = match path.parent() {
        None => return Ok(()),
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
    };
    let existed = path.is_dir();
    if !existed {
        make(above)?;
        fs::DirBuilder::new().mode(0o700).create(path)?;
    }
    // Also when it exists: whoever made it may have been killed before it was synced.
    match File::open(above).and_then(|folder| folder.sync_all()) {
        // A read-only root that knows no sync (SquashFS) has nothing to lose.
        Err(error) if existed && matches!(error.kind(), PermissionDenied | InvalidInput) => Ok(()),
        other => other,
    }
}

/// The lock ends with the process, however it ends, so that no stale one can keep a node from starting.
fn lock(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options
        .open(path.join(LOCK_FILE))
        .map_err(|error| failure(path, "write to the data folder", &error))?;
    if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
        if error != rustix::io::Errno::WOULDBLOCK {
            return Err(failure(path, "lock the data folder", &error.into()));
        }
        let mut holder = String::new();
        let _ = (&mut file).take(32).read_to_string(&mut holder);
        return Err(Failure {
            message: format!("the data folder {} is in use by PID {}", path.display(), holder.trim()),
            hint: Some("stop that node first, or give this one another --data".into()),
        });
    }
    let note = || -> io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    let mut note = note;
    match note() {
        // The lock holds without the number in it, and a full disk is no reason not to serve.
        Err(error) if error.kind() != io::ErrorKind::StorageFull => {
            Err(failure(path, "write to the data folder", &error))
        }
        _ => Ok(file),
    }
}

fn check_format(path: &Path) -> Result<u32, Failure> {
    let text = fs::read_to_string(path.join(FORMAT_FILE))
        .map_err(|error| failure(path, "read the data folder", &error))?;
    match text.trim().strip_prefix("linnet ").and_then(|number| number.parse::<u32>().ok()) {
        Some(format) if format <= FORMAT => Ok(format),
        // Format 1 wrote it in place and before anything else: an empty one is a first start that was cut short.
        None if text.trim().is_empty() => Ok(1),
        _ => Err(Failure {
            message: format!("{} was written by a newer linnet ({})", path.display(), text.trim()),
            hint: Some("update linnet; this version would not understand the folder".into()),
        }),
    }
}

fn write_synced(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let mut file = File::create(folder.join(name))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_node_and_keeps_its_kind() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let path = temp.path().join("data");
        let held = DataFolder::take(&path, false).expect("an empty folder is taken");
        let second = DataFolder::take(&path, false).expect_err("one node a folder");
        assert!(second.message.contains(&format!("in use by PID {}", std::process::id())), "{second:?}");
        drop(held);
        assert!(
            DataFolder::take(&path, true).expect_err("not a test's").message.contains("not a test's folder")
        );
        drop(DataFolder::take(&path, false).expect("the lock went with its holder"));
        let tests = temp.path().join("tests");
        drop(DataFolder::take(&tests, true).expect("an empty folder may be a test's"));
        assert!(DataFolder::take(&tests, false).is_err());
        drop(DataFolder::take(&tests, true).expect("it is a test's"));
        fs::write(path.join(FORMAT_FILE), "linnet 999\n").expect("it can be written");
        assert!(DataFolder::take(&path, false).expect_err("too new").message.contains("newer linnet"));
    }
}
