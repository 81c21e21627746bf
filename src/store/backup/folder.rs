//! Backups as files: each is there whole or not at all. And the folder of those that are made by the clock: which there
//! are, which go, and whether it is the folder that was meant.

use crate::base::date::{DAY_MS, civil};
use crate::base::limits::BACKUPS_LISTED_MAX;
use crate::store::backup::Head;
use rustix::fs::{FlockOperation, Mode, fchmod, flock};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Marks a folder that was chosen for backups: an empty mount point has none.
pub const MARKER: &str = "linnet-backups";
const MARKER_WORDS: &str =
    "linnet keeps backups in this folder. While this file is missing it takes the folder for an empty
mount point and writes nothing into it. To let another stick take turns, copy this file to it.
";
const SUFFIX: &str = ".backup";
const UNFINISHED: &str = ".tmp";

/// A file that gets its name only when it is whole and on the disk. Dropped before, it leaves nothing.
pub struct Saving {
    file: File,
    unfinished: PathBuf,
    path: PathBuf,
    replace: bool,
    kept: bool,
}

impl Saving {
    /// Begins a file at this path, for its owner's eyes only. One that is there is replaced at the end, if that is
    /// wanted, and else the reason for an error now.
    pub fn begin(path: &Path, replace: bool) -> io::Result<Saving> {
        is_free(path, replace)?;
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        let mut options = OpenOptions::new();
        let nofollow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
        options.write(true).create(true).truncate(false).mode(0o600).custom_flags(nofollow);
        let file = options.open(&unfinished)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| io::Error::other("another backup is being written there"))?;
        file.set_len(0)?;
        // Sticks with other file systems have no modes; whoever holds the stick reads it anyway.
        let _ = fchmod(&file, Mode::RUSR | Mode::WUSR);
        Ok(Saving { file, unfinished, path: path.to_owned(), replace, kept: false })
    }

    /// Puts the file on the disk and gives it its name.
    pub fn keep(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        is_free(&self.path, self.replace)?;
        fs::rename(&self.unfinished, &self.path)?;
        self.kept = true;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Write for Saving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.unfinished);
        }
    }
}

fn is_free(path: &Path, replace: bool) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => Err(io::Error::other("something that is no file has this name")),
        Ok(_) if !replace => Err(io::ErrorKind::AlreadyExists.into()),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// A backup that lies in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its last sequence.
    pub seq: u64,
    /// Where it lies.
    pub path: PathBuf,
}

/// The folder of one node's scheduled backups.
#[derive(Debug, Clone)]
pub struct BackupFolder {
    path: PathBuf,
    node: u64,
}

impl BackupFolder {
    /// The folder at this path for the backups of this node.
    pub fn new(path: PathBuf, node: u64) -> BackupFolder {
        BackupFolder { path, node }
    }

    /// Makes sure that this is the folder that was meant. `memory` is a file on the node's own disk that remembers the
    /// folder once it was used: a folder that was, and has no marker any more, is the empty mount point of a stick that is
    /// gone. One that was never used is marked and remembered; it is never made.
    pub fn claim(&self, memory: &Path) -> Result<(), String> {
        let shown = self.path.display();
        if !self.path.is_dir() {
            return Err(format!(
                "the backup folder {shown} is not there: is the stick plugged in and mounted?"
            ));
        }
        let marker = self.path.join(MARKER);
        let remembered = fs::read_to_string(memory).unwrap_or_default();
        let is_known = remembered.trim_end() == self.path.to_string_lossy();
        if !marker.exists() && is_known {
            return Err(format!(
                "the backup folder {shown} has no file '{MARKER}' any more: the stick is not mounted, or it is another \
                 one; to use this one, run: touch {}",
                marker.display()
            ));
        }
        let claimed = || -> io::Result<()> {
            if !marker.exists() {
                write_synced(&marker, MARKER_WORDS)?;
            }
            if !is_known {
                write_synced(memory, &format!("{}\n", self.path.to_string_lossy()))?;
            }
            Ok(())
        };
        claimed().map_err(|error| format!("the backup folder {shown} cannot be written to: {error}"))
    }

    /// Where a backup with this head goes.
    pub fn place(&self, head: &Head) -> PathBuf {
        let (year, month, day) = civil(head.created / DAY_MS);
        let name = format!("{}{:012}-{year:04}-{month:02}-{day:02}{SUFFIX}", self.prefix(), head.last_seq);
        self.path.join(name)
    }

    /// This node's backups in the folder, newest first: by sequence, for clocks may be wrong.
    pub fn kept(&self) -> io::Result<Vec<Kept>> {
        let mut kept: Vec<Kept> = self.ours(SUFFIX)?;
        kept.sort_by(|one, other| other.seq.cmp(&one.seq).then_with(|| other.path.cmp(&one.path)));
        Ok(kept)
    }

    /// Removes all of this node's backups but the newest so many, and what interrupted ones left.
    pub fn sweep(&self, keep: usize) -> io::Result<()> {
        let unfinished = format!("{SUFFIX}{UNFINISHED}");
        for old in self.kept()?.into_iter().skip(keep).chain(self.ours(&unfinished)?) {
            fs::remove_file(&old.path)?;
        }
        File::open(&self.path)?.sync_all()
    }

    /// Bytes that can still be written there.
    pub fn free(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(&self.path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// How the names of this node's backups begin: several nodes may share a stick.
    fn prefix(&self) -> String {
        format!("linnet-{:016x}-", self.node)
    }

    fn ours(&self, suffix: &str) -> io::Result<Vec<Kept>> {
        let prefix = self.prefix();
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)?.take(BACKUPS_LISTED_MAX) {
            let name = entry?.file_name();
            let inner = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(suffix));
            let seq = inner.and_then(|inner| inner.split('-').next()?.parse().ok());
            found.extend(seq.map(|seq| Kept { seq, path: self.path.join(&name) }));
        }
        Ok(found)
    }
}

fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, BackupFolder, PathBuf) {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let stick = temp.path().join("stick");
        fs::create_dir(&stick).expect("a folder");
        let memory = temp.path().join("backup-folder");
        (temp, BackupFolder::new(stick, 0xabc), memory)
    }

    #[test]
    fn the_newest_by_sequence_stay_whatever_the_clock_says() {
        let (_temp, folder, _) = folder();
        for (seq, created) in [(5, 9_000 * DAY_MS), (900, 0), (70, 20_000 * DAY_MS)] {
            let place = folder.place(&Head { last_seq: seq, created, ..Head::default() });
            fs::write(place, "x").expect("written");
        }
        let other = BackupFolder::new(folder.path.clone(), 7).place(&Head::default());
        fs::write(&other, "another node's").expect("written");
        let cut = folder.place(&Head { last_seq: 901, ..Head::default() });
        fs::write(format!("{}{UNFINISHED}", cut.display()), "half").expect("written");
        folder.sweep(2).expect("it can be swept");
        let kept: Vec<u64> = folder.kept().expect("it lists").iter().map(|kept| kept.seq).collect();
        assert_eq!(kept, [900, 70]);
        assert!(other.exists(), "another node's backups are none of ours");
        assert_eq!(fs::read_dir(&folder.path).expect("it lists").count(), 3, "what was cut is gone");
    }

    #[test]
    fn an_empty_mount_point_is_not_written_to() {
        let (_temp, folder, memory) = folder();
        let missing = BackupFolder::new(folder.path.join("gone"), 1);
        assert!(missing.claim(&memory).expect_err("not there").contains("is not there"));
        folder.claim(&memory).expect("chosen for the first time");
        folder.claim(&memory).expect("and again");
        fs::remove_file(folder.path.join(MARKER)).expect("the stick is pulled");
        assert!(folder.claim(&memory).expect_err("gone").contains(MARKER));
        assert_eq!(fs::read_dir(&folder.path).expect("it lists").count(), 0, "nothing was written");
        fs::write(folder.path.join(MARKER), "").expect("another stick is blessed");
        folder.claim(&memory).expect("its owner said so");
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all_and_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let (temp, ..) = folder();
        let path = temp.path().join("a.backup");
        let mut saving = Saving::begin(&path, false).expect("it begins");
        saving.write_all(b"half").expect("written");
        assert!(Saving::begin(&path, false).is_err(), "two do not write one file");
        drop(saving);
        assert!(!path.exists() && !temp.path().join("a.backup.tmp").exists());
        let mut saving = Saving::begin(&path, false).expect("it begins");
        saving.write_all(b"whole").expect("written");
        saving.keep().expect("kept");
        assert_eq!(fs::read(&path).expect("it is there"), b"whole");
        assert_eq!(path.metadata().expect("it is there").permissions().mode() & 0o777, 0o600);
        let again = Saving::begin(&path, false).err().map(|error| error.kind());
        assert_eq!(again, Some(io::ErrorKind::AlreadyExists));
        Saving::begin(&path, true).expect("it may be replaced").keep().expect("kept");
        assert_eq!(fs::read(&path).expect("it is there"), b"");
    }
}
