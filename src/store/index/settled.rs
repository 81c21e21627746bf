//! What is settled: the store below and the layers over it that it has not taken yet.
//!
//! Writes arrive in the layer on top. A checkpoint takes that layer as a whole, writes it in batches with the
//! journal's position last, syncs, and lets the layer go. Readers see all of it at any time.
//!
//! Keys that go are written first, all in one batch. A power cut in the middle leaves some keys newer than the
//! checkpoint, and the start follows the same Changes again over them: what it would look up to know which other keys
//! go (a user's former name, the members of a room) may be the newer one by then, so those keys must be gone already.
//! How far a room is trimmed goes with them: without it a room whose blocks are gone would count from the beginning.

use crate::base::id::Seq;
use crate::base::limits::{INDEX_BATCH_WRITES, LAYER_BYTES_MAX, LAYER_WRITES_MAX};
use crate::store::error::StoreError;
use crate::store::index::counts::IndexCounts;
use crate::store::index::kv::{Kv, Shelf, Value, Write};
use crate::store::index::layer::{Layer, scan_through};
use crate::store::journal::Pos;
use crate::store::keys::{self, Key};
use std::sync::{Arc, Mutex, RwLock};

/// How far the index has followed the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Checkpoint {
    /// The end of the last group whose Changes are in the index.
    pub end: Pos,
    /// The sequence of the last Change in it.
    pub seq: Seq,
}

#[derive(Default)]
struct Layers {
    /// Newest writes.
    top: Layer,
    /// Where the journal stood when `top` was last written to.
    reached: Checkpoint,
    /// Where it stood at the newest checkpoint.
    written: Checkpoint,
    /// The layer that a checkpoint is writing now.
    leaving: Option<Arc<Layer>>,
    /// A checkpoint failed. Readers still see everything, but the store below gets nothing more: a later checkpoint
    /// would claim what this one did not write.
    stopped: bool,
}

/// The settled index. Shared by readers, the settling thread and the indexer.
pub struct Settled {
    kv: Box<dyn Kv>,
    layers: RwLock<Layers>,
    /// Held while a checkpoint writes: there is one at a time.
    checkpointing: Mutex<()>,
    counts: IndexCounts,
    /// Writes, and bytes of them, with which a checkpoint is due.
    due: (usize, usize),
}

impl Settled {
    /// The settled index over a store, and how far that store has followed the journal. As much may wait as anywhere.
    pub fn open(kv: Box<dyn Kv>) -> Result<(Self, Option<Checkpoint>), StoreError> {
        Self::open_within(kv, (LAYER_WRITES_MAX, LAYER_BYTES_MAX))
    }

    /// As [`Settled::open`]; a checkpoint is due with so many writes, or bytes of them.
    pub fn open_within(
        kv: Box<dyn Kv>,
        due: (usize, usize),
    ) -> Result<(Self, Option<Checkpoint>), StoreError> {
        let checkpoint = match kv.get(keys::CHECKPOINT)? {
            Some(value) => Some(Checkpoint::decode(&value)?),
            None => None,
        };
        let reached = checkpoint.unwrap_or_default();
        let layers = Layers { reached, written: reached, ..Layers::default() };
        let (layers, checkpointing) = (RwLock::new(layers), Mutex::new(()));
        Ok((Self { kv, layers, checkpointing, counts: IndexCounts::default(), due }, checkpoint))
    }

    /// Lays the writes of settled Changes on top; they go as far as `reached` in the journal.
    pub fn settle(&self, writes: &Layer, reached: Checkpoint) {
        let mut layers = self.layers.write().expect("no holder of this lock panics");
        for (key, value) in writes.iter() {
            layers.top.put((key.clone(), value.clone()));
        }
        layers.reached = reached;
    }

    /// Whether so much waits that a checkpoint is due.
    pub fn is_due(&self) -> bool {
        let layers = self.layers.read().expect("no holder of this lock panics");
        layers.top.len() >= self.due.0 || layers.top.bytes() >= self.due.1
    }

    /// Whether so much waits that nothing may be added before a checkpoint.
    pub fn is_full(&self) -> bool {
        let layers = self.layers.read().expect("no holder of this lock panics");
        layers.top.len() >= 2 * self.due.0 || layers.top.bytes() >= 2 * self.due.1
    }

    /// Bytes of what waits.
    pub fn waiting_bytes(&self) -> usize {
        self.layers.read().expect("no holder of this lock panics").top.bytes()
    }

    /// Writes what waits into the store and syncs it.
    pub fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        let _one_at_a_time = self.checkpointing.lock().expect("no holder of this lock panics");
        let (layer, reached, written_before) = {
            let mut layers = self.layers.write().expect("no holder of this lock panics");
            if layers.stopped {
                return Err(StoreError::Stopped);
            }
            let layer = Arc::new(std::mem::take(&mut layers.top));
            layers.leaving = Some(layer.clone());
            (layer, layers.reached, layers.written)
        };
        // A Change may write nothing and still move the place that is reached.
        if layer.is_empty() && reached == written_before {
            self.layers.write().expect("no holder of this lock panics").leaving = None;
            return Ok(reached);
        }
        let written = self.write_down(&layer, reached);
        let mut layers = self.layers.write().expect("no holder of this lock panics");
        match written {
            Ok(()) => (layers.leaving, layers.written) = (None, reached),
            Err(_) => layers.stopped = true,
        }
        written.map(|()| reached)
    }

    fn write_down(&self, layer: &Layer, reached: Checkpoint) -> Result<(), StoreError> {
        let first = |(key, value): &(&Key, &Option<Value>)| value.is_none() || keys::is_trimmed(key);
        let (going, staying): (Vec<_>, Vec<_>) = layer.iter().partition(first);
        if !going.is_empty() {
            let going: Vec<Write> =
                going.into_iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            self.write_batch(&going)?;
        }
        let mut batch: Vec<Write> = Vec::with_capacity(INDEX_BATCH_WRITES);
        for (key, value) in staying {
            batch.push((key.clone(), value.clone()));
            if batch.len() >= INDEX_BATCH_WRITES {
                self.write_batch(&batch)?;
                batch.clear();
            }
        }
        // Last of all: a power cut before this leaves a store that the same Changes are applied to again.
        batch.push((keys::CHECKPOINT.into(), Some(encode_checkpoint(reached))));
        self.write_batch(&batch)?;
        self.kv.sync()?;
        self.counts.completed();
        Ok(())
    }

    fn write_batch(&self, batch: &[Write]) -> Result<(), StoreError> {
        self.kv.write(batch)?;
        let bytes = |(key, value): &Write| key.len() + value.as_ref().map_or(0, |value| value.len());
        self.counts.wrote(batch.len(), batch.iter().map(bytes).sum());
        Ok(())
    }

    /// What was written since the start.
    pub fn counts(&self) -> &IndexCounts {
        &self.counts
    }

    /// Bytes the store below takes on the disk.
    pub fn bytes_on_disk(&self) -> u64 {
        self.kv.bytes_on_disk()
    }

    /// Whether only a start can read the store below whole again, though its disk has no room.
    pub fn is_walled_in(&self) -> bool {
        self.kv.is_walled_in()
    }

    /// Whether the store below only stands in for the one that the disk has no room to open.
    pub fn is_makeshift(&self) -> bool {
        self.kv.is_makeshift()
    }

    /// How far the newest settled Change reaches.
    pub fn reached(&self) -> Checkpoint {
        self.layers.read().expect("no holder of this lock panics").reached
    }
}

impl Shelf for Settled {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        {
            let layers = self.layers.read().expect("no holder of this lock panics");
            if let Some(value) = layers.top.get(key) {
                return Ok(value.clone());
            }
            if let Some(value) = layers.leaving.as_ref().and_then(|layer| layer.get(key)) {
                return Ok(value.clone());
            }
        }
        self.kv.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], max: usize) -> Result<Vec<(Key, Value)>, StoreError> {
        let layers = self.layers.read().expect("no holder of this lock panics");
        match &layers.leaving {
            Some(leaving) => scan_through(&[&layers.top, leaving], &*self.kv, (from, to), max),
            None => scan_through(&[&layers.top], &*self.kv, (from, to), max),
        }
    }
}

fn encode_checkpoint(checkpoint: Checkpoint) -> Value {
    let mut bytes = [0u8; 17];
    bytes[0] = 1;
    bytes[1..9].copy_from_slice(&checkpoint.end.0.to_be_bytes());
    bytes[9..].copy_from_slice(&checkpoint.seq.0.to_be_bytes());
    Value::from(&bytes[..])
}

impl Checkpoint {
    /// Reads the value of [`keys::CHECKPOINT`].
    pub fn decode(bytes: &[u8]) -> Result<Checkpoint, StoreError> {
        let number = |at: usize| {
            let eight = bytes.get(at..at + 8)?.try_into().ok()?;
            Some(u64::from_be_bytes(eight))
        };
        match (bytes.first(), bytes.len(), number(1), number(9)) {
            (Some(1), 17, Some(end), Some(seq)) => Ok(Checkpoint { end: Pos(end), seq: Seq(seq) }),
            _ => Err(StoreError::Index("the checkpoint record has an unknown form".into())),
        }
    }
}
