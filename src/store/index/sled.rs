//! The index on a disk: sled, with the settings and the syncs it needs to keep its word.

use crate::base::limits::{INDEX_CACHE_BYTES_MIN, INDEX_CLOSE_LOOK_MS, INDEX_CLOSE_LOOKS};
use crate::store::error::StoreError;
use crate::store::index::kv::{Kv, Shelf, Value, Write};
use crate::store::keys::Key;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// The index in a folder.
pub struct SledKv {
    db: sled::Db,
    /// A second handle on sled's log: sled's own flush does not fsync, so we do.
    log: File,
}

impl SledKv {
    /// Opens or makes the index in this folder. Everything a power cut could tear is synced before it returns.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with(folder, INDEX_CACHE_BYTES_MIN)
    }

    /// As [`SledKv::open`], with so many bytes of page cache.
    pub fn open_with(folder: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        #[cfg(feature = "plant")]
        crate::base::plant::panic_when_opened(folder);
        // One that was dropped a moment ago may still hold it, and that is no fault of the index.
        is_let_go(folder).map_err(|error| StoreError::disk("open", "index", error))?;
        let db = sled::Config::new()
            .path(folder)
            .cache_capacity(cache_bytes as u64)
            // The timer's thread swallows errors; we sync by ourselves at every checkpoint.
            .flush_every_ms(None)
            .mode(sled::Mode::LowSpace)
            .open()
            .map_err(failed)?;
        let sync = || -> std::io::Result<File> {
            // A torn `conf` makes the next open fail, so it is synced once, with its folder.
            File::open(folder.join("conf"))?.sync_all()?;
            let log = File::options().read(true).write(true).open(folder.join("db"))?;
            log.sync_all()?;
            File::open(folder)?.sync_all()?;
            if let Some(parent) = folder.parent() {
                File::open(parent)?.sync_all()?;
            }
            Ok(log)
        };
        let log = sync().map_err(|error| StoreError::disk("sync", "index", error))?;
        Ok(Self { db, log })
    }

    /// Closes it, and returns when the database has let go of this folder's files: it writes to them by name until
    /// then, some time after it was dropped.
    pub fn close(self, folder: &Path) -> Result<(), StoreError> {
        drop(self);
        is_let_go(folder).map_err(|error| StoreError::disk("close", "index", error))
    }
}

/// Returns when no database of this process holds the folder's log any more; at once where there is none.
fn is_let_go(folder: &Path) -> std::io::Result<()> {
    for _ in 0..INDEX_CLOSE_LOOKS {
        let log = match File::open(folder.join("db")) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        match flock(&log, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {}
            other => return Ok(other?),
        }
        // What it left behind is freed only by threads that come by.
        drop(sled::pin());
        std::thread::sleep(Duration::from_millis(INDEX_CLOSE_LOOK_MS));
    }
    Err(ErrorKind::TimedOut.into())
}

/// What the machine lacks is the disk's trouble; everything else is the index's, which can be built anew.
fn failed(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) if is_lack(&error) => StoreError::disk("use", "index", error),
        error => StoreError::Index(error.to_string()),
    }
}

fn is_lack(error: &std::io::Error) -> bool {
    use ErrorKind::{OutOfMemory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let files = [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error()));
    files.contains(&error.raw_os_error())
        || matches!(
            error.kind(),
            OutOfMemory | PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull
        )
}

impl Shelf for SledKv {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        Ok(self.db.get(key).map_err(failed)?.map(|value| Value::from(&*value)))
    }

    fn scan(&self, from: &[u8], to: &[u8], max: usize) -> Result<Vec<(Key, Value)>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        // Forward only: sled's way back carries a key of 1 MiB in the program.
        let range = self.db.range(from..to);
        let entry = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = entry.map_err(failed)?;
            Ok((Key::from(&*key), Value::from(&*value)))
        };
        range.take(max).map(entry).collect()
    }
}

impl Kv for SledKv {
    fn write(&self, batch: &[Write]) -> Result<(), StoreError> {
        let mut writes = sled::Batch::default();
        for (key, value) in batch {
            match value {
                Some(value) => writes.insert(&**key, &**value),
                None => writes.remove(&**key),
            }
        }
        self.db.apply_batch(writes).map_err(failed)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(failed)?;
        #[cfg(feature = "plant")]
        if crate::base::plant::no_sync() {
            return Ok(());
        }
        self.log.sync_data().map_err(|error| StoreError::disk("sync", "index", error))
    }

    fn bytes_on_disk(&self) -> u64 {
        // Its log is all of it but a few hundred bytes: no value is large enough for a file of its own.
        self.log.metadata().map_or(0, |log| log.len())
    }
}
