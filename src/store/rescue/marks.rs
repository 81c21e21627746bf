//! What one run of the program leaves for the next about its index, in files so small that writing them can hardly
//! fail.

use crate::base::limits::INDEX_OPENINGS_MAX;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

const SUSPECT: &str = "index-suspect";
const OPENING: &str = "index-opening";
const MENDING: &str = "journal-mending";
/// Bytes of a reason that are read back.
const REASON_BYTES_MAX: u64 = 512;

/// Leaves word, synced, that the index is not to be trusted. The first reason stands.
pub fn suspect(data: &Path, why: &str) -> io::Result<()> {
    let path = data.join(SUSPECT);
    if path.exists() {
        return Ok(());
    }
    let mut file = File::create(path)?;
    file.write_all(why.as_bytes())?;
    file.sync_all()?;
    File::open(data)?.sync_all()
}

/// Why the index is not to be trusted, if somebody said so.
pub fn suspicion(data: &Path) -> Option<String> {
    let file = File::open(data.join(SUSPECT)).ok()?;
    let mut bytes = Vec::new();
    // A reason that cannot be read is still a reason.
    let _ = file.take(REASON_BYTES_MAX).read_to_end(&mut bytes);
    let why = String::from_utf8_lossy(&bytes).trim().to_owned();
    Some(if why.is_empty() { "it broke while the node ran".to_owned() } else { why })
}

/// Everything said about the index was about one that is set aside now.
pub fn clear(data: &Path) -> io::Result<()> {
    for name in [SUSPECT, OPENING] {
        match fs::remove_file(data.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    File::open(data)?.sync_all()
}

/// Counts one more opening that has not returned yet; false when there were too many in a row.
///
/// It is not synced: what it tells of are deaths of the process, which the files of this machine outlive.
pub fn opening(data: &Path) -> bool {
    counted(data, OPENING)
}

/// Counts one more repair at a start that has not returned yet; false when there were too many in a row.
pub fn mending(data: &Path) -> bool {
    counted(data, MENDING)
}

/// The repair has returned, or somebody looks after it.
pub fn mended(data: &Path) {
    let _ = fs::remove_file(data.join(MENDING));
}

fn counted(data: &Path, name: &str) -> bool {
    let path = data.join(name);
    let count = fs::read(&path).map_or(0, |bytes| bytes.len());
    // Without this note the node starts all the same.
    let _ = fs::write(&path, vec![b'.'; count.min(INDEX_OPENINGS_MAX) + 1]);
    count < INDEX_OPENINGS_MAX
}

/// The opening has returned.
pub fn opened(data: &Path) {
    let _ = fs::remove_file(data.join(OPENING));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_suspicion_stands_until_it_is_cleared() {
        let data = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(suspicion(data.path()), None);
        suspect(data.path(), "sled panicked").expect("it is written");
        suspect(data.path(), "and then more").expect("it is written");
        assert_eq!(suspicion(data.path()).as_deref(), Some("sled panicked"));
        clear(data.path()).expect("it is removed");
        assert_eq!(suspicion(data.path()), None);
    }

    #[test]
    fn openings_that_never_returned_are_counted() {
        let data = tempfile::tempdir().expect("a temporary folder");
        for _ in 0..INDEX_OPENINGS_MAX {
            assert!(opening(data.path()));
        }
        assert!(!opening(data.path()));
        opened(data.path());
        assert!(opening(data.path()));
    }
}
