//! An index in memory that counts what it is asked, and fails when it is told to.

use linnet::store::error::StoreError;
use linnet::store::index::kv::{Kv, Shelf, Value, Write};
use linnet::store::index::memory::MemoryKv;
use linnet::store::keys::Key;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a [`WatchedKv`] was asked so far.
#[derive(Default)]
pub struct Watch {
    /// Calls of `get` and `scan`.
    pub reads: AtomicU64,
    /// Entries that scans gave.
    pub scanned: AtomicU64,
    /// Calls of `write` and `sync`.
    pub changes: AtomicU64,
    /// The changing call from which on all fail; 0 for never.
    pub fails_from: AtomicU64,
}

impl Watch {
    /// Reads and the entries they gave.
    pub fn cost(&self) -> u64 {
        self.reads.load(Relaxed) + self.scanned.load(Relaxed)
    }

    /// The `n`-th changing call from now (1 is the next) and all after it fail.
    pub fn fail_at(&self, n: u64) {
        self.fails_from.store(self.changes.load(Relaxed) + n, Relaxed);
    }

    fn change(&self) -> Result<(), StoreError> {
        let now = self.changes.fetch_add(1, Relaxed) + 1;
        let fails = self.fails_from.load(Relaxed);
        if fails != 0 && now >= fails {
            return Err(StoreError::Index("the simulated index does not write".into()));
        }
        Ok(())
    }
}

/// An index in memory under watch.
pub struct WatchedKv {
    pub index: MemoryKv,
    pub watch: Arc<Watch>,
}

impl Shelf for WatchedKv {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        self.watch.reads.fetch_add(1, Relaxed);
        self.index.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], max: usize) -> Result<Vec<(Key, Value)>, StoreError> {
        let found = self.index.scan(from, to, max)?;
        self.watch.reads.fetch_add(1, Relaxed);
        self.watch.scanned.fetch_add(found.len() as u64, Relaxed);
        Ok(found)
    }
}

impl Kv for WatchedKv {
    fn write(&self, batch: &[Write]) -> Result<(), StoreError> {
        self.watch.change()?;
        self.index.write(batch)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.watch.change()?;
        self.index.sync()
    }
}
