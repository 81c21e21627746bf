//! The index under guard: whoever panics inside it can be told from everybody else, an error raises the alarm, and
//! every sync leaves a witness of how far the index has got.

use crate::base::id::Seq;
use crate::base::limits::MAKESHIFT_INDEX_BYTES_MAX;
use crate::store::error::StoreError;
use crate::store::index::kv::{Kv, Shelf, Value, Write};
use crate::store::index::settled::Checkpoint;
use crate::store::index::sled::SledKv;
use crate::store::keys::{self, Key};
use crate::store::rescue::witness::Witness;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Hears why an index that was open can no longer be trusted.
pub type Alarm = Arc<dyn Fn(&str) + Send + Sync>;

thread_local! {
    /// How deep this thread is inside the index.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is inside the index now; for a panic hook.
pub fn is_inside() -> bool {
    INSIDE.try_with(Cell::get).unwrap_or(0) > 0
}

/// Runs it as work inside the index.
pub fn marked<T>(work: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            INSIDE.with(|inside| inside.set(inside.get() - 1));
        }
    }
    INSIDE.with(|inside| inside.set(inside.get() + 1));
    let _leave = Leave;
    work()
}

/// The index of a data folder.
pub struct Guarded {
    kv: SledKv,
    alarm: Alarm,
    notes: Mutex<Notes>,
    /// A read found no room: the database first ends what a write had begun.
    walled_in: AtomicBool,
}

struct Notes {
    witness: Witness,
    /// A checkpoint that was written and not synced yet.
    unsynced: Option<Checkpoint>,
}

/// How far an index has followed the journal; `None` for an empty one.
pub(super) fn reached(kv: &SledKv) -> Result<Option<Seq>, StoreError> {
    match kv.get(keys::CHECKPOINT)? {
        Some(value) => Ok(Some(Checkpoint::decode(&value)?.seq)),
        None => Ok(None),
    }
}

impl Guarded {
    pub(super) fn new(kv: SledKv, witness: Witness, alarm: Alarm) -> Self {
        let notes = Mutex::new(Notes { witness, unsynced: None });
        Self { kv, alarm, notes, walled_in: AtomicBool::new(false) }
    }

    /// What it is made of.
    pub(super) fn into_parts(self) -> (SledKv, Witness) {
        let Notes { witness, .. } = self.notes.into_inner().expect("no holder of this lock panics");
        (self.kv, witness)
    }

    fn watch<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let result = marked(work);
        if let Err(StoreError::Index(why)) = &result {
            (self.alarm)(why);
        }
        result
    }

    fn read<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let result = self.watch(work);
        if result.as_ref().is_err_and(StoreError::is_no_room) {
            self.walled_in.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl Shelf for Guarded {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        self.read(|| self.kv.get(key))
    }

    fn scan(&self, from: &[u8], to: &[u8], max: usize) -> Result<Vec<(Key, Value)>, StoreError> {
        self.read(|| self.kv.scan(from, to, max))
    }
}

impl Kv for Guarded {
    fn write(&self, batch: &[Write]) -> Result<(), StoreError> {
        self.watch(|| self.kv.write(batch))?;
        let checkpoint = batch.iter().find(|(key, _)| **key == *keys::CHECKPOINT);
        if let Some((_, Some(value))) = checkpoint {
            let reached = Checkpoint::decode(value)?;
            self.notes.lock().expect("no holder of this lock panics").unsynced = Some(reached);
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        // Taken before the sync: what is written meanwhile is not part of it.
        let unsynced = self.notes.lock().expect("no holder of this lock panics").unsynced.take();
        self.watch(|| self.kv.sync())?;
        match unsynced {
            Some(reached) => self.notes.lock().expect("no holder of this lock panics").witness.note(reached),
            None => Ok(()),
        }
    }

    fn bytes_on_disk(&self) -> u64 {
        self.kv.bytes_on_disk()
    }

    fn is_walled_in(&self) -> bool {
        // A larger one could not even be opened by a start: it is better read in parts.
        self.walled_in.load(Ordering::Relaxed) && self.bytes_on_disk() <= MAKESHIFT_INDEX_BYTES_MAX
    }
}
