//! A layer of newer writes over a shelf: what was decided or settled but is not in the store below yet.

use crate::store::error::StoreError;
use crate::store::index::kv::{Shelf, Value, Write};
use crate::store::keys::{self, Key};
use std::collections::BTreeMap;
use std::collections::btree_map::Range;
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

    fn walk(&self, from: &[u8], to: &[u8]) -> Walk<'_> {
        let bounds = (Bound::Included(from), Bound::Excluded(to));
        let mut walk = Walk { writes: self.writes.range::<[u8], _>(bounds), next: None };
        walk.advance();
        walk
    }
}

/// The writes of a layer within a range, one after the other.
struct Walk<'a> {
    writes: Range<'a, Key, Option<Value>>,
    next: Option<(&'a Key, &'a Option<Value>)>,
}

impl Walk<'_> {
    fn advance(&mut self) {
        self.next = self.writes.next();
    }
}

/// The entries of the shelf below within a range, read a page at a time.
struct Below<'a> {
    shelf: &'a dyn Shelf,
    /// What is still to be read.
    from: Key,
    to: Key,
    page: std::vec::IntoIter<(Key, Value)>,
    page_max: usize,
    next: Option<(Key, Value)>,
    over: bool,
}

impl Below<'_> {
    fn advance(&mut self) -> Result<(), StoreError> {
        self.next = self.page.next();
        if self.next.is_some() || self.over {
            return Ok(());
        }
        let page = self.shelf.scan(&self.from, &self.to, self.page_max)?;
        self.over = page.len() < self.page_max;
        if let Some((last, _)) = page.last() {
            self.from = keys::after(last);
        }
        // Further pages are read only when newer writes hid entries of this one.
        self.page_max = self.page_max.max(HIDDEN_PAGE_ENTRIES);
        self.page = page.into_iter();
        self.next = self.page.next();
        Ok(())
    }
}

/// Entries asked of the shelf below at a time once newer writes have hidden some.
const HIDDEN_PAGE_ENTRIES: usize = 32;

/// A scan of `below` as seen through the layers, newest layer first.
///
/// The work is bounded by `max` and by the keys that newer writes say are gone: a layer may hold thousands of writes,
/// and most scans want one.
pub fn scan_through(
    layers: &[&Layer],
    below: &dyn Shelf,
    (from, to): (&[u8], &[u8]),
    max: usize,
) -> Result<Vec<(Key, Value)>, StoreError> {
    if from >= to || max == 0 {
        return Ok(Vec::new());
    }
    let mut walks: Vec<Walk<'_>> = layers.iter().map(|layer| layer.walk(from, to)).collect();
    if walks.iter().all(|walk| walk.next.is_none()) {
        return below.scan(from, to, max);
    }
    let (page, from, to) = (Vec::new().into_iter(), from.into(), to.into());
    let mut below = Below { shelf: below, from, to, page, page_max: max, next: None, over: false };
    let mut found = Vec::new();
    while found.len() < max {
        // Only here, so that the last entry found asks for no page that nobody wants.
        if below.next.is_none() {
            below.advance()?;
        }
        let newer = walks.iter().filter_map(|walk| walk.next.map(|(key, _)| key));
        let first = newer.chain(below.next.as_ref().map(|(key, _)| key)).min();
        let Some(key) = first.cloned() else { break };
        let mut newest: Option<Option<Value>> = None;
        for walk in walks.iter_mut().filter(|walk| walk.next.is_some_and(|(next, _)| *next == key)) {
            newest = newest.or_else(|| walk.next.map(|(_, value)| value.clone()));
            walk.advance();
        }
        if let Some((_, value)) = below.next.take_if(|(next, _)| *next == key) {
            newest = newest.or(Some(Some(value)));
        }
        found.extend(newest.flatten().map(|value| (key, value)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::world::SimWorld;
    use crate::store::index::kv::Kv;
    use crate::store::index::memory::MemoryKv;

    fn key(number: u64) -> Key {
        [7, number as u8].into()
    }

    #[test]
    fn a_scan_sees_the_newest_of_every_key_and_no_more_than_it_wants() {
        for seed in 0..300 {
            let world = SimWorld::new(seed);
            let (below, mut layers) = (MemoryKv::default(), [Layer::default(), Layer::default()]);
            let mut truth: BTreeMap<Key, Value> = BTreeMap::new();
            for layer in [None, Some(1), Some(0)] {
                for _ in 0..world.next() % 60 {
                    let (key, gone) = (key(world.next() % 80), world.next().is_multiple_of(3));
                    let value: Option<Value> = (!gone).then(|| world.next().to_be_bytes()[..].into());
                    match &value {
                        Some(value) => truth.insert(key.clone(), value.clone()),
                        None => truth.remove(&key),
                    };
                    match layer {
                        Some(layer) => layers[layer].put((key, value)),
                        None => below.write(&[(key, value)]).expect("memory takes it"),
                    }
                }
            }
            for _ in 0..40 {
                let (from, to) = (key(world.next() % 80), key(world.next() % 80));
                let max = [1, 2, 5, 100][world.next() as usize % 4];
                let inside = |(key, _): &(Key, Value)| **key >= *from && **key < *to;
                let expected: Vec<_> = truth.clone().into_iter().filter(inside).take(max).collect();
                let found = scan_through(&[&layers[0], &layers[1]], &below, (&from, &to), max);
                assert_eq!(found.expect("memory reads"), expected, "seed {seed} {max}");
            }
        }
    }
}
