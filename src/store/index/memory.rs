//! An index in memory for simulated lives: it forgets what was not synced, as a disk does.

use crate::store::error::StoreError;
use crate::store::index::kv::{Kv, Shelf, Value, Write};
use crate::store::keys::Key;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Default)]
struct Memory {
    now: BTreeMap<Key, Value>,
    synced: BTreeMap<Key, Value>,
    /// Batches since the last sync: a power cut may keep any number of the first ones.
    unsynced: Vec<Vec<Write>>,
}

/// The store; clones share it.
#[derive(Clone, Default)]
pub struct MemoryKv(Arc<Mutex<Memory>>);

fn lay(map: &mut BTreeMap<Key, Value>, batch: &[Write]) {
    for (key, value) in batch {
        match value {
            Some(value) => map.insert(key.clone(), value.clone()),
            None => map.remove(key),
        };
    }
}

impl MemoryKv {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().expect("no holder of this lock panics")
    }

    /// What is found after a power cut: what was synced and the first `kept` batches written since.
    pub fn crash(&self, kept: usize) -> MemoryKv {
        let memory = self.memory();
        let mut now = memory.synced.clone();
        for batch in memory.unsynced.iter().take(kept) {
            lay(&mut now, batch);
        }
        MemoryKv(Arc::new(Mutex::new(Memory { synced: now.clone(), now, unsynced: Vec::new() })))
    }

    /// Batches written and not synced.
    pub fn unsynced(&self) -> usize {
        self.memory().unsynced.len()
    }
}

impl Shelf for MemoryKv {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        Ok(self.memory().now.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], max: usize) -> Result<Vec<(Key, Value)>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let memory = self.memory();
        let range = memory.now.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let entry = |(key, value): (&Key, &Value)| (key.clone(), value.clone());
        Ok(range.take(max).map(entry).collect())
    }
}

impl Kv for MemoryKv {
    fn write(&self, batch: &[Write]) -> Result<(), StoreError> {
        let mut memory = self.memory();
        lay(&mut memory.now, batch);
        memory.unsynced.push(batch.to_vec());
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        let mut memory = self.memory();
        memory.synced = memory.now.clone();
        memory.unsynced.clear();
        Ok(())
    }
}
