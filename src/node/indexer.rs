//! Brings the index up to what is settled, as long as the disk has room for it: the database takes nothing more after
//! it found none, so it is not asked then. What waits is in the journal, and in memory within its bounds.

use crate::base::limits::CHECKPOINT_MS;
use crate::node::disk::DiskCare;
use crate::store::error::StoreError;
use crate::store::index::settled::Settled;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Shared by the indexer's thread and the settler.
pub(super) struct Indexer {
    settled: Arc<Settled>,
    disk: Arc<DiskCare>,
    /// The database found no room although there had seemed to be some, or could not be opened for lack of it.
    stuck: AtomicBool,
}

impl Indexer {
    pub fn new(settled: Arc<Settled>, disk: Arc<DiskCare>) -> Self {
        let stuck = settled.is_makeshift();
        if stuck {
            disk.hit_wall();
        }
        Self { settled, disk, stuck: AtomicBool::new(stuck) }
    }

    /// A checkpoint, or none while the disk is full.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let has_room = self.disk.has_room_for_index(self.settled.waiting_bytes());
        if self.stuck.load(Ordering::Relaxed) {
            self.disk.shut(self.settled.is_full());
            // Only a start opens the database anew, and finds in the journal what it lacks.
            return if self.disk.is_low() || !has_room { Ok(()) } else { Err(StoreError::IndexStuck) };
        }
        if !has_room {
            self.disk.shut(self.settled.is_full());
            return Ok(());
        }
        match self.settled.checkpoint() {
            Err(error) if error.is_no_room() => {
                tracing::error!(%error, "the index waits for room on the disk");
                self.stuck.store(true, Ordering::Relaxed);
                self.disk.hit_wall();
                Ok(())
            }
            done => {
                self.disk.shut(false);
                done.map(drop)
            }
        }
    }

    /// The indexer's thread: a checkpoint whenever enough waits, every few seconds, and once at the end.
    pub fn run(&self, due: &Receiver<()>) -> Result<(), StoreError> {
        self.disk.tend();
        let every_ms = CHECKPOINT_MS;
        #[cfg(feature = "plant")]
        let every_ms = crate::base::plant::checkpoint_ms(every_ms);
        loop {
            let told = due.recv_timeout(Duration::from_millis(every_ms));
            self.checkpoint()?;
            if matches!(told, Err(RecvTimeoutError::Disconnected)) {
                return Ok(());
            }
            self.disk.tend();
        }
    }
}
