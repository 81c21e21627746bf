//! A layer of newer writes over a shelf: what was decided or settled but is not in the store below yet.

use crate::store::error::StoreError;
use crate::store::index::kv::{Order, Shelf, Value, Write};
use crate::store::keys::Key;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Newer writes by key; `None` hides the key below.
#[derive(Default, Debug)]
pub struct Layer {
    writes: BTreeMap<Key, Option<Value>>,
    bytes: usize,
}

impl Layer {
    /// Lays one more write over what is there.
    pub fn put(&mut self, (key, value): Write) {
        let size = |value: &Option<Value>| value.as_ref().map_or(0, |value| value.len());
        self.bytes += key.len() + size(&value);
        let length = key.len();
        if let Some(former) = self.writes.insert(key, value) {
            self.bytes -= length + size(&former);
        }
    }

    /// What this layer says of a key: nothing, that it is gone, or its value.
    pub fn get(&self, key: &[u8]) -> Option<&Option<Value>> {
        self.writes.get(key)
    }

    /// Writes held.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Bytes of keys and values held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Every write, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Option<Value>)> {
        self.writes.iter()
    }

    /// The writes, by key.
    pub fn into_writes(self) -> impl Iterator<Item = Write> {
        self.writes.into_iter()
    }

    fn range(&self, from: &[u8], to: &[u8]) -> Vec<(Key, Option<Value>)> {
        if from >= to {
            return Vec::new();
        }
        let bounds = (Bound::Included(from), Bound::Excluded(to));
        self.writes.range::<[u8], _>(bounds).map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

/// A scan of `below` as seen through the layers, newest layer first.
///
/// The work is bounded by `max` and by the writes the layers hold, which checkpoints keep small.
pub fn scan_through(
    layers: &[&Layer],
    below: &dyn Shelf,
    (from, to): (&[u8], &[u8]),
    order: Order,
    max: usize,
) -> Result<Vec<(Key, Value)>, StoreError> {
    let mut newer: BTreeMap<Key, Option<Value>> = BTreeMap::new();
    for layer in layers.iter().rev() {
        newer.extend(layer.range(from, to));
    }
    if newer.is_empty() {
        return below.scan(from, to, order, max);
    }
    // Each newer write may hide one entry below, so that many more are asked for.
    let mut merged: BTreeMap<Key, Option<Value>> = below
        .scan(from, to, order, max + newer.len())?
        .into_iter()
        .map(|(key, value)| (key, Some(value)))
        .collect();
    merged.extend(newer);
    let live = merged.into_iter().filter_map(|(key, value)| value.map(|value| (key, value)));
    Ok(match order {
        Order::Up => live.take(max).collect(),
        Order::Down => {
            let all: Vec<_> = live.collect();
            all.into_iter().rev().take(max).collect()
        }
    })
}
