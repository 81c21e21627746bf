//! What happens when the index will not open or does not match the journal: it is set aside, never thrown away,
//! and a new one is built from the journal.

use crate::store::error::StoreError;
use crate::store::index::sled::SledKv;
use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// The folder of the index in the data folder.
const INDEX: &str = "index";
/// How the folders of set-aside indexes begin.
const QUARANTINE: &str = "quarantine-";
/// Set-aside indexes that are looked for; with more, somebody must look at the disk first.
const QUARANTINES_MAX: u32 = 100;

/// Opens the index under guard: a panic inside the database is an error here.
pub fn open_index(data: &Path) -> Result<SledKv, StoreError> {
    let folder = data.join(INDEX);
    match catch_unwind(AssertUnwindSafe(|| SledKv::open(&folder))) {
        Ok(opened) => opened,
        Err(_) => Err(StoreError::Index(format!("the database panicked on {}", folder.display()))),
    }
}

/// Sets the index aside, so that the next open finds none. Says where it lies now.
pub fn quarantine(data: &Path) -> io::Result<PathBuf> {
    let free = (1..=QUARANTINES_MAX)
        .map(|number| data.join(format!("{QUARANTINE}{number}")))
        .find(|path| !path.exists());
    let free =
        free.ok_or_else(|| io::Error::other("there are too many quarantine folders: look at the disk"))?;
    fs::rename(data.join(INDEX), &free)?;
    File::open(data)?.sync_all()?;
    Ok(free)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::kv::{Kv, Shelf};

    #[test]
    fn an_index_that_does_not_open_is_set_aside_and_kept() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let kv = open_index(temp.path()).expect("an empty folder opens");
        kv.write(&[(b"k".to_vec().into(), Some(b"v"[..].into()))]).expect("it takes a write");
        kv.sync().expect("it syncs");
        drop(kv);
        fs::write(temp.path().join("index/conf"), "not a configuration").expect("it can be written");
        assert!(open_index(temp.path()).is_err());
        let aside = quarantine(temp.path()).expect("it can be set aside");
        assert!(aside.ends_with("quarantine-1") && aside.join("conf").exists());
        let fresh = open_index(temp.path()).expect("a new one opens");
        assert_eq!(fresh.get(b"k").expect("it reads"), None);
    }
}
