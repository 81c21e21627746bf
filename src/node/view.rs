//! What the writer sees: the settled index and, over it, what is decided but not yet on the disk.

use crate::chat::change::Change;
use crate::store::error::StoreError;
use crate::store::index::kv::{Shelf, Value, Write};
use crate::store::index::layer::{Layer, scan_through};
use crate::store::index::settled::Settled;
use crate::store::journal::Pos;
use crate::store::keys::Key;
use std::sync::Arc;

/// Changes of one group and what they write to the index.
#[derive(Default)]
pub struct Batch {
    /// What the index has to take.
    pub layer: Layer,
    /// The Changes with their places, in order.
    pub changes: Vec<(Pos, Arc<Change>)>,
}

impl Batch {
    /// The Change whose frame lies at this place.
    pub fn at(&self, pos: Pos) -> Option<&Arc<Change>> {
        let index = self.changes.binary_search_by_key(&pos, |(pos, _)| *pos).ok()?;
        Some(&self.changes[index].1)
    }
}

/// The layers the writer looks through, newest first.
pub struct View {
    /// What the job at work has written.
    pub job: Layer,
    /// The group that is forming.
    pub forming: Batch,
    /// The group that is on its way to the disk.
    pub flying: Arc<Batch>,
    /// What is settled.
    pub settled: Arc<Settled>,
}

impl View {
    /// Lays the writes of one Change over everything.
    pub fn lay(&mut self, writes: Vec<Write>) {
        for write in writes {
            self.job.put(write);
        }
    }

    /// The job's writes join its group.
    pub fn keep(&mut self) {
        for (key, value) in std::mem::take(&mut self.job).into_writes() {
            self.forming.layer.put((key, value));
        }
    }

    /// The Change at this place, if it is not settled yet.
    pub fn unsettled(&self, pos: Pos) -> Option<Arc<Change>> {
        self.forming.at(pos).or_else(|| self.flying.at(pos)).cloned()
    }
}

impl Shelf for View {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        for layer in [&self.job, &self.forming.layer, &self.flying.layer] {
            if let Some(value) = layer.get(key) {
                return Ok(value.clone());
            }
        }
        self.settled.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], max: usize) -> Result<Vec<(Key, Value)>, StoreError> {
        let layers = [&self.job, &self.forming.layer, &self.flying.layer];
        scan_through(&layers, &*self.settled, (from, to), max)
    }
}
