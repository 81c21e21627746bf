//! The segment files of one journal: which there are, the stretch each stands for, and the few that stay open for
//! reading.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::Pos;
use super::segment::{self, Condensed, SEGMENT_HEADER_BYTES};
use crate::base::limits::JOURNAL_OPEN_FILES_MAX;
use crate::store::disk::{Disk, DiskFile};
use crate::store::error::StoreError;

/// A segment file and the stretch it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub base: u64,
    pub generation: u16,
    /// Where the stretch ends; `None` for the newest segment, which grows.
    pub until: Option<u64>,
    /// What it says of itself if it was written anew.
    pub condensed: Option<Condensed>,
}

impl Part {
    pub fn plain(base: u64) -> Part {
        Part { base, generation: 0, until: None, condensed: None }
    }

    /// The place of its first group.
    pub fn first(&self) -> u64 {
        self.base + SEGMENT_HEADER_BYTES
    }

    /// Where its groups end; `None` for the newest segment.
    pub fn end(&self) -> Option<u64> {
        self.condensed.map_or(self.until, |condensed| Some(condensed.end))
    }

    /// A place in it, as others know it. Where it ends the next one begins, whose generation is its own business.
    pub fn pos(&self, place: u64) -> Pos {
        match self.until {
            Some(until) if place >= until => Pos(place),
            _ => Pos::of(self.generation, place),
        }
    }

    pub fn path(&self) -> String {
        segment::path(self.base, self.generation)
    }

    /// Names the segment in an error of its file.
    pub fn failed(&self, doing: &'static str) -> impl FnOnce(io::Error) -> StoreError {
        let path = self.path();
        move |error| StoreError::disk(doing, &path, error)
    }

    fn is_file(&self, other: &Part) -> bool {
        (self.base, self.generation) == (other.base, other.generation)
    }
}

#[derive(Default)]
struct Parts {
    /// What the journal consists of, in order. Where a plain one ends is left to the next.
    current: Vec<Part>,
    /// Replaced by those, and still read by places of their own.
    replaced: Vec<Part>,
}

/// Who keeps the parts as they are.
#[derive(Default)]
struct Pins {
    held: usize,
    switching: bool,
}

pub(super) struct Files {
    pub disk: Arc<dyn Disk>,
    parts: RwLock<Parts>,
    /// Counts the switches, so that a reader that is under way notices one.
    version: AtomicU64,
    pins: Mutex<Pins>,
    switched: Condvar,
    /// The newest used is last.
    opened: Mutex<Vec<(Part, Arc<dyn DiskFile>)>>,
}

impl Files {
    pub fn new(disk: Arc<dyn Disk>, current: Vec<Part>, replaced: Vec<Part>) -> Files {
        Files {
            disk,
            parts: RwLock::new(Parts { current, replaced }),
            version: AtomicU64::new(0),
            pins: Mutex::default(),
            switched: Condvar::new(),
            opened: Mutex::default(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Parts> {
        self.parts.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Parts> {
        self.parts.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the journal consists of, in order.
    pub fn parts(&self) -> Vec<Part> {
        let parts = self.read();
        (0..parts.current.len()).filter_map(|index| parts.at(index)).collect()
    }

    /// The newest segment.
    pub fn newest(&self) -> Option<Part> {
        self.read().current.last().copied()
    }

    /// Files whose frames others have taken over.
    pub fn replaced(&self) -> Vec<Part> {
        self.read().replaced.clone()
    }

    /// Makes a segment known to readers. It is newer than all others.
    pub fn add(&self, base: u64) {
        self.write().current.push(Part::plain(base));
    }

    /// Takes a segment out of what readers look at.
    pub fn forget(&self, part: &Part) {
        let mut parts = self.write();
        parts.current.retain(|other| !part.is_file(other));
        parts.replaced.retain(|other| !part.is_file(other));
        self.opened().retain(|(other, _)| !part.is_file(other));
    }

    /// The segment in which `place` lies. A place before the first segment is taken for the first segment's.
    pub fn around(&self, place: u64) -> Option<Part> {
        let parts = self.read();
        let after = parts.current.partition_point(|part| part.base <= place).max(1);
        parts.at(after - 1)
    }

    /// The base of the first segment after this place.
    pub fn next_base(&self, place: u64) -> Option<u64> {
        let parts = self.read();
        let after = parts.current.partition_point(|part| part.base <= place);
        parts.current.get(after).map(|part| part.base)
    }

    /// The segment, replaced ones included, whose frame lies at this place.
    pub fn holding(&self, pos: Pos) -> Option<Part> {
        let (place, generation) = (pos.place(), pos.generation());
        let is_here = |part: &Part| {
            part.generation == generation && part.first() <= place && part.end().is_none_or(|end| place < end)
        };
        self.around(place)
            .filter(is_here)
            .or_else(|| self.read().replaced.iter().find(|part| is_here(part)).copied())
    }

    /// Counts the switches so far.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// A segment's file, opened now or before.
    pub fn file(&self, part: &Part) -> Result<Arc<dyn DiskFile>, StoreError> {
        let mut opened = self.opened();
        if let Some(found) = opened.iter().position(|(other, _)| part.is_file(other)) {
            opened[found..].rotate_left(1);
        } else {
            let file = self.disk.open(&part.path()).map_err(part.failed("open"))?;
            if opened.len() == JOURNAL_OPEN_FILES_MAX {
                opened.remove(0);
            }
            opened.push((*part, Arc::from(file)));
        }
        Ok(opened.last().map(|(_, file)| Arc::clone(file)).expect("one was just put last"))
    }

    fn opened(&self) -> MutexGuard<'_, Vec<(Part, Arc<dyn DiskFile>)>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pins(&self) -> MutexGuard<'_, Pins> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the parts as they are until [`Files::unpin`]; waits for a switch that is under way.
    pub fn pin(&self) {
        let mut pins = self.pins();
        while pins.switching {
            pins = self.switched.wait(pins).unwrap_or_else(PoisonError::into_inner);
        }
        pins.held += 1;
    }

    pub fn unpin(&self) {
        self.pins().held -= 1;
    }

    /// Does something that changes the parts, unless they are pinned.
    pub fn unpinned<T>(&self, change: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        {
            let mut pins = self.pins();
            if pins.held > 0 || pins.switching {
                return Err(StoreError::CannotCondense { why: "somebody reads all of it, as a backup does" });
            }
            pins.switching = true;
        }
        let changed = change();
        self.pins().switching = false;
        self.switched.notify_all();
        changed
    }

    /// Puts a segment that was written anew in the place of those it stands for.
    pub fn switch(&self, new: Part) {
        let mut parts = self.write();
        let until = new.until.unwrap_or(new.base);
        let known = std::mem::take(&mut *parts);
        for index in 0..known.current.len() {
            let Some(part) = known.at(index) else { continue };
            if (new.base..until).contains(&part.base) {
                parts.replaced.push(part);
            } else {
                parts.current.push(known.current[index]);
            }
        }
        parts.replaced.extend(known.replaced);
        let after = parts.current.partition_point(|part| part.base < new.base);
        parts.current.insert(after, new);
        self.version.fetch_add(1, Ordering::Release);
    }
}

impl Parts {
    /// One of the current parts, with where its stretch ends.
    fn at(&self, index: usize) -> Option<Part> {
        let part = *self.current.get(index)?;
        let next = self.current.get(index + 1).map(|next| next.base);
        Some(Part { until: part.condensed.map(|condensed| condensed.until).or(next), ..part })
    }
}
