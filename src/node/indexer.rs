//! Brings the index up to what is settled, as long as the disk has room for it: the database takes nothing more after
//! it found none, so it is not asked then. What waits is in the journal, and in memory within its bounds.

use crate::base::limits::{CHECKPOINT_MS, INDEX_STUCK_LOOK_MS};
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
        if self.settled.is_walled_in() {
            return Err(StoreError::IndexStuck);
        }
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
            let stuck = self.stuck.load(Ordering::Relaxed);
            let wait_ms = if stuck { every_ms.min(INDEX_STUCK_LOOK_MS) } else { every_ms };
            let told = due.recv_timeout(Duration::from_millis(wait_ms));
            self.checkpoint()?;
            if matches!(told, Err(RecvTimeoutError::Disconnected)) {
                return Ok(());
            }
            self.disk.tend();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::world::SimWorld;
    use crate::node::health::Health;
    use crate::store::disk::SimDisk;
    use crate::store::index::kv::{Kv, Shelf, Value, Write};
    use crate::store::index::layer::Layer;
    use crate::store::index::settled::Checkpoint;
    use crate::store::keys::Key;

    /// A database that finds no room, and cannot be read either once it is told so.
    #[derive(Clone, Default)]
    struct Walled(Arc<AtomicBool>);

    impl Shelf for Walled {
        fn get(&self, _: &[u8]) -> Result<Option<Value>, StoreError> {
            Ok(None)
        }

        fn scan(&self, _: &[u8], _: &[u8], _: usize) -> Result<Vec<(Key, Value)>, StoreError> {
            Ok(Vec::new())
        }
    }

    impl Kv for Walled {
        fn write(&self, _: &[Write]) -> Result<(), StoreError> {
            Err(StoreError::NoRoom)
        }

        fn sync(&self) -> Result<(), StoreError> {
            Ok(())
        }

        fn is_walled_in(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn an_index_without_room_waits_while_it_can_be_read_and_else_wants_a_new_start() {
        let walled = Walled::default();
        let (settled, _) = Settled::open(Box::new(walled.clone())).expect("it is empty");
        let mut layer = Layer::default();
        layer.put(([7][..].into(), Some([8][..].into())));
        settled.settle(&layer, Checkpoint::default());
        let (disk, world) = (Arc::new(SimDisk::new(1)), Arc::new(SimWorld::new(1)));
        let disk = DiskCare::new(disk, world, Arc::new(Health::default()));
        let indexer = Indexer::new(Arc::new(settled), Arc::new(disk));
        for _ in 0..2 {
            indexer.checkpoint().expect("it waits for room");
        }
        walled.0.store(true, Ordering::Relaxed);
        assert!(matches!(indexer.checkpoint(), Err(StoreError::IndexStuck)));
    }
}
