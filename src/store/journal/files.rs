//! The segment files of one journal: which there are, and the few that stay open for reading.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::segment;
use crate::base::limits::JOURNAL_OPEN_FILES_MAX;
use crate::store::disk::{Disk, DiskFile};
use crate::store::error::StoreError;

pub(super) struct Files {
    pub disk: Arc<dyn Disk>,
    bases: RwLock<Vec<u64>>,
    /// The newest used is last.
    opened: Mutex<Vec<(u64, Arc<dyn DiskFile>)>>,
}

impl Files {
    pub fn new(disk: Arc<dyn Disk>, mut bases: Vec<u64>) -> Files {
        bases.sort_unstable();
        Files { disk, bases: RwLock::new(bases), opened: Mutex::default() }
    }

    /// The bases of all segments, in order.
    pub fn bases(&self) -> Vec<u64> {
        self.bases.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a segment known to readers. It is newer than all others.
    pub fn add(&self, base: u64) {
        self.bases.write().unwrap_or_else(PoisonError::into_inner).push(base);
    }

    /// Takes a segment out of what readers look at.
    pub fn forget(&self, base: u64) {
        self.bases.write().unwrap_or_else(PoisonError::into_inner).retain(|other| *other != base);
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).retain(|(other, _)| *other != base);
    }

    /// The segment in which `place` lies, and the base of the one after it. A place before the first segment is taken
    /// for the first segment's.
    pub fn around(&self, place: u64) -> Option<(u64, Option<u64>)> {
        let bases = self.bases.read().unwrap_or_else(PoisonError::into_inner);
        let after = bases.partition_point(|base| *base <= place).max(1);
        Some((*bases.get(after - 1)?, bases.get(after).copied()))
    }

    /// A segment's file, opened now or before.
    pub fn file(&self, base: u64) -> Result<Arc<dyn DiskFile>, StoreError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = opened.iter().position(|(other, _)| *other == base) {
            opened[found..].rotate_left(1);
        } else {
            let file = self.disk.open(&segment::path(base)).map_err(failed("open", base))?;
            if opened.len() == JOURNAL_OPEN_FILES_MAX {
                opened.remove(0);
            }
            opened.push((base, Arc::from(file)));
        }
        Ok(opened.last().map(|(_, file)| Arc::clone(file)).expect("one was just put last"))
    }
}

/// Names the segment in an error of its file.
pub(super) fn failed(doing: &'static str, base: u64) -> impl FnOnce(io::Error) -> StoreError {
    move |error| StoreError::disk(doing, &segment::path(base), error)
}
