//! What the index asks of a key-value store, and of the layers that lie over it.

use crate::store::error::StoreError;
use crate::store::keys::Key;
use std::sync::Arc;

/// A value of the index.
pub type Value = Arc<[u8]>;
/// A write of the index: a value, or `None` where the key goes.
pub type Write = (Key, Option<Value>);

/// Something keys can be looked up in.
pub trait Shelf {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError>;

    /// At most `max` entries with `from <= key < to`, smallest key first. There is no other way round: what is looked for
    /// from its newest end has its numbers counting down in its keys.
    fn scan(&self, from: &[u8], to: &[u8], max: usize) -> Result<Vec<(Key, Value)>, StoreError>;
}

/// A store that survives: sled, or memory in simulated lives.
pub trait Kv: Shelf + Send + Sync {
    /// Takes the writes all or none. They survive a power cut only after [`Kv::sync`].
    fn write(&self, batch: &[Write]) -> Result<(), StoreError>;

    /// Returns once everything written is on the disk.
    fn sync(&self) -> Result<(), StoreError>;

    /// Bytes it takes on the disk, as it knows them without looking through it.
    fn bytes_on_disk(&self) -> u64 {
        0
    }

    /// Whether it cannot be read whole any more since a write found no room, and a copy in memory could: a start makes one.
    fn is_walled_in(&self) -> bool {
        false
    }

    /// Whether it only stands in for one that the disk has no room to open: what is written to it is forgotten.
    fn is_makeshift(&self) -> bool {
        false
    }
}
