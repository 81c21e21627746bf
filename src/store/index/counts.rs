//! What was given to the index since the start, for the operator's eyes.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one index; they only grow.
#[derive(Debug, Default)]
pub struct IndexCounts {
    bytes: AtomicU64,
    writes: AtomicU64,
    batches: AtomicU64,
    syncs: AtomicU64,
    checkpoints: AtomicU64,
}

impl IndexCounts {
    /// Bytes of the keys and values written; what the database makes of them on the disk is more.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Keys written or removed.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Batches of them.
    pub fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    /// Syncs.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// Checkpoints that were completed.
    pub fn checkpoints(&self) -> u64 {
        self.checkpoints.load(Ordering::Relaxed)
    }

    pub(super) fn wrote(&self, writes: usize, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.writes.fetch_add(writes as u64, Ordering::Relaxed);
        self.batches.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn completed(&self) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
    }
}
